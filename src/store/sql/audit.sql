-- The audit log: inserted and read, nothing else.

-- name: audit_insert
-- Writes a row.
insert into audit (organization_id, id, at, action, actor_id, actor_name, target_id, target_name,
    result, for_people, record, salt)
values (:org, :id, :at, :action, :actor_id, :actor_name, :target_id, :target_name, :result,
    :for_people, :record, :salt);

-- name: audit_wait
-- Before a row is written: remembers that there is something to seal, and which row it is if those
-- who walk along the ids may have passed it already.
insert into audit_pending (organization_id, audit_id)
values (:org, case when exists
    (select 1
     from audit
     where audit.organization_id = :org and audit.id >= :id) then :id else '' end)
on conflict (organization_id, audit_id) do nothing;

-- name: audit_waits
-- Whether audit_wait would change nothing: 1, or 0 or no value.
select case
    when exists
        (select 1
         from audit
         where audit.organization_id = :org and audit.id >= :id) then 0
    else
        (select 1
         from audit_pending
         where audit_pending.organization_id = :org and audit_pending.audit_id = '')
end;

-- name: audit_get
-- One row.
select audit.id, audit.at, audit.action, audit.record
from audit
where audit.organization_id = :org and audit.id = :id;

-- name: audit_newest
-- Rows, the newest first.
select audit.id, audit.at, audit.action, audit.record
from audit
where audit.organization_id = :org and audit.id < :before and audit.id > :after
    and (cast(:action_from as text) = ''
        or (audit.action >= :action_from and audit.action < :action_until))
    and (cast(:actor as text) = '' or audit.actor_id = :actor or audit.actor_name = :actor)
    and (cast(:target as text) = '' or audit.target_id = :target or audit.target_name = :target)
    and (cast(:result as text) = '' or audit.result = :result)
    and audit.at >= cast(:from as bigint) and audit.at < cast(:until as bigint)
order by audit.id desc
limit cast(:limit as bigint);

-- name: audit_oldest
-- Rows, the oldest first.
select audit.id, audit.at, audit.action, audit.record
from audit
where audit.organization_id = :org and audit.id < :before and audit.id > :after
    and (cast(:action_from as text) = ''
        or (audit.action >= :action_from and audit.action < :action_until))
    and (cast(:actor as text) = '' or audit.actor_id = :actor or audit.actor_name = :actor)
    and (cast(:target as text) = '' or audit.target_id = :target or audit.target_name = :target)
    and (cast(:result as text) = '' or audit.result = :result)
    and audit.at >= cast(:from as bigint) and audit.at < cast(:until as bigint)
order by audit.id
limit cast(:limit as bigint);

-- name: audit_for_people
-- Rows that the activity shows, the newest first.
select audit.id, audit.at, audit.action, audit.record
from audit
where audit.organization_id = :org and audit.for_people = 1 and audit.id < :before
order by audit.id desc
limit cast(:limit as bigint);
