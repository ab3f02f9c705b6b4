-- What people say of evidence: see review.h.

-- name: review_put
-- Stores the review that holds.
insert into evidence_review (organization_id, evidence_id, state, reviewer, note, reviewed_at)
values (:org, :evidence_id, :state, :reviewer, :note, :reviewed_at)
on conflict (organization_id, evidence_id) do update
set state = excluded.state, reviewer = excluded.reviewer, note = excluded.note,
    reviewed_at = excluded.reviewed_at;

-- name: review_state
-- Sets the state beside the record.
update evidence
set review_state = :state
where organization_id = :org and id = :evidence_id;

-- name: review_get
-- The review that holds.
select evidence_id, state, reviewer, note, reviewed_at
from evidence_review
where organization_id = :org and evidence_id = :evidence_id;

-- name: review_approved_types
-- Evidence types of an integration with approved evidence.
select distinct evidence_type
from evidence
where organization_id = :org and integration_id = :integration_id and review_state = 'approved'
order by evidence_type;

-- name: review_approved_integrations
-- Integrations with approved evidence.
select distinct integration_id
from evidence
where organization_id = :org and review_state = 'approved' and integration_id > :after
order by integration_id
limit cast(:limit as bigint);
