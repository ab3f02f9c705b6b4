-- What has happened in an organization: see event.h.

-- name: event_number
-- The next number.
insert into event_head (organization_id, seq, at)
values (:org, 1, :at)
on conflict (organization_id) do update
set seq = event_head.seq + 1, at = excluded.at
returning seq;

-- name: event_number_of
-- The next number of an organization.
-- system
insert into event_head (organization_id, seq, at)
values (:organization, 1, :at)
on conflict (organization_id) do update
set seq = event_head.seq + 1, at = excluded.at
returning seq;

-- name: event_insert
-- Adds an event; that of a job belongs to the job's integration.
insert into event (organization_id, seq, at, kind, integration_id, job_id, data)
values (:org, :seq, :at, :kind, coalesce(cast(:integration_id as text),
    (select job.integration_id
     from job
     where job.organization_id = :org and job.id = :job_id)), :job_id, :data);

-- name: event_insert_of
-- Adds an event of an organization.
-- system
insert into event (organization_id, seq, at, kind, integration_id, job_id, data)
values (:organization, :seq, :at, :kind, :integration_id, :job_id, :data);

-- name: event_trim
-- Drops what is older than so many.
delete from event
where organization_id = :org and seq <= cast(:until as bigint);

-- name: event_list
-- Events behind one.
select seq, at, kind, integration_id, job_id, data
from event
where organization_id = :org and seq > cast(:after as bigint)
order by seq
limit cast(:limit as bigint);

-- name: event_head
-- The last number that was given.
select seq
from event_head
where organization_id = :org;

-- name: event_oldest
-- The first number that is kept.
select seq
from event
where organization_id = :org
order by seq
limit 1;

-- name: event_news
-- Organizations in which something has happened since, the last ones first.
-- system
select organization_id, seq
from event_head
where at >= cast(:since as bigint)
order by at desc
limit cast(:limit as bigint);
