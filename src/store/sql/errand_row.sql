-- Tests of connections that outlasted the patience of whoever asked: see errand_row.h.

-- name: errand_row_insert
-- Stores one that was announced.
insert into errand (organization_id, id, kind, integration_id, actor_id, status, result, problem,
    started_at, ended_at, lease_until, expires_at)
values (:org, :id, :kind, :integration_id, :actor_id, :status, :result, :problem, :started_at,
    :ended_at, :lease_until, :expires_at);

-- name: errand_row_renew
-- Its process lives.
update errand
set lease_until = :lease_until
where organization_id = :org and id = :id and ended_at = 0;

-- name: errand_row_end
-- What came of it.
update errand
set status = :status, result = :result, problem = :problem, ended_at = :ended_at,
    expires_at = :expires_at
where organization_id = :org and id = :id and ended_at = 0;

-- name: errand_row_get
-- One that is not over.
select id, kind, integration_id, actor_id, status, result, problem, started_at, ended_at,
    lease_until, expires_at
from errand
where organization_id = :org and id = :id and expires_at > cast(:now as bigint);

-- name: errand_row_due
-- How many are over.
select count(*)
from errand
where organization_id = :org and expires_at <= cast(:now as bigint);

-- name: errand_row_prune
-- Removes what is over.
delete from errand
where organization_id = :org and expires_at <= cast(:now as bigint);
