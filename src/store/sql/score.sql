-- The score of a framework over time.

-- name: score_insert
-- Stores a score; one of the same moment is replaced.
insert into score (organization_id, framework, taken_at, met_weight, applicable_weight, score,
    counts)
values (:org, :framework, :taken_at, :met_weight, :applicable_weight, :score, :counts)
on conflict (organization_id, framework, taken_at) do update
set met_weight = excluded.met_weight, applicable_weight = excluded.applicable_weight,
    score = excluded.score, counts = excluded.counts;

-- name: score_list
-- Scores of a framework, the newest first.
select framework, taken_at, met_weight, applicable_weight, score, counts
from score
where organization_id = :org and framework = :framework and taken_at < cast(:before as bigint)
order by taken_at desc
limit cast(:limit as bigint);
