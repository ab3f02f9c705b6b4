-- When integrations are due, and the rounds of organizations: see schedule.h.

-- name: schedule_begin
-- Adds the row of an integration.
insert into schedule (organization_id, id, integration_id, rule, time_zone, paused, due_at,
    look_at, last_at, claim)
values (:org, :id, :id, null, null, 0, :due_at, :due_at, 0, 0)
on conflict (organization_id, id) do nothing;

-- name: schedule_begin_round
-- Adds a row of an organization's own, to be planned.
-- system
insert into schedule (organization_id, id, integration_id, rule, time_zone, paused, due_at,
    look_at, last_at, claim)
values (:organization, :id, null, null, null, 0, 0, 0, 0, 0)
on conflict (organization_id, id) do nothing;

-- name: schedule_get
-- One row.
select organization_id, id, integration_id, rule, time_zone, paused, due_at, look_at, last_at,
    claim
from schedule
where organization_id = :org and id = :id;

-- name: schedule_list
-- Rows by id.
select organization_id, id, integration_id, rule, time_zone, paused, due_at, look_at, last_at,
    claim
from schedule
where organization_id = :org and id > :after
order by id
limit cast(:limit as bigint);

-- name: schedule_change
-- Replaces what people choose; a claim that is held is void.
update schedule
set rule = :rule, time_zone = :time_zone, paused = :paused, due_at = :due_at, look_at = :due_at,
    claim = claim + 1
where organization_id = :org and id = :id;

-- name: schedule_advance
-- Plans the next time of a claimed row and lets go of it.
update schedule
set last_at = due_at, due_at = :due_at, look_at = :due_at, claim = claim + 1
where organization_id = :org and id = :id and claim = :claim;

-- name: schedule_put_off
-- Puts off a row that nobody holds and that is due earlier.
update schedule
set due_at = :due_at, look_at = :due_at, claim = claim + 1
where organization_id = :org and id = :id and paused = 0
    and due_at = look_at and due_at < cast(:due_at as bigint);

-- name: schedule_call_due
-- Makes the integrations due that have not run since a time.
update schedule
set due_at = :now, look_at = :now, claim = claim + 1
where organization_id = :org and integration_id is not null and paused = 0
    and due_at > cast(:now as bigint)
    and integration_id in
        (select integration.id
         from integration
         where integration.organization_id = :org
             and integration.last_sync_at < cast(:since as bigint)
             and integration.status in ('connected', 'degraded', 'reconnect_needed'));

-- name: schedule_mirror
-- Tells the integration when it is due.
update integration
set next_check_at = :next_check_at
where organization_id = :org and id = :id;

-- name: schedule_mirror_rule
-- Tells the integration its rule.
update integration
set scan_schedule = :rule
where organization_id = :org and id = :id;

-- name: schedule_due
-- Due rows, the longest due first; passed by when another scheduler is at them.
-- system
select organization_id, id, integration_id, rule, time_zone, paused, due_at, look_at, last_at,
    claim
from schedule
where look_at <= cast(:now as bigint) and look_at < 9223372036854775807
order by look_at, organization_id, id
limit cast(:limit as bigint)
-- dialect: sqlite
-- dialect: postgres
for update skip locked
-- dialect: end
;

-- name: schedule_hold
-- Keeps a due row from other schedulers.
-- system
update schedule
set look_at = :look_at, claim = claim + 1
where organization_id = :organization and id = :id
returning organization_id, id, integration_id, rule, time_zone, paused, due_at, look_at, last_at,
    claim;

-- name: schedule_next_look
-- When the next row is to be looked at.
-- system
select look_at
from schedule
where look_at < 9223372036854775807
order by look_at, organization_id, id
limit 1;
