-- The newest security events: see security_event.h.

-- name: security_event_insert
-- Adds an event.
insert into security_event (organization_id, id, event, at)
values (:org, :id, :event, :at)
on conflict (organization_id, id) do nothing;

-- name: security_event_list
-- The newest events first.
select id, event, at
from security_event
where organization_id = :org and id < :before
order by id desc
limit cast(:limit as bigint);

-- name: security_event_trim
-- Forgets all but the newest.
delete from security_event
where organization_id = :org
    and id <= (
        select id
        from security_event
        where organization_id = :org
        order by id desc
        limit 1 offset cast(:keep as bigint));
