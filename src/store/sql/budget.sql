-- Limits that workers share: see budget.h.

-- name: budget_clock
-- The database's own clock in milliseconds, unless another time is given.
-- installation
select
-- dialect: sqlite
case when cast(:now as integer) > 0 then cast(:now as integer)
else cast((julianday('now') - 2440587.5) * 86400000.0 as integer) end
-- dialect: postgres
case when cast(:now as bigint) > 0 then cast(:now as bigint)
else cast(extract(epoch from clock_timestamp()) * 1000 as bigint) end
-- dialect: end
;

-- name: budget_lock
-- What is left of a limit, locked until the unit ends.
-- installation
select budget_key, epoch, kind, window_ms, limit_calls, told_limit, level_units, level_at,
    spent_until, remaining, reset_at, heard_at, held_until, factor, factor_at, touched_at
from budget
where budget_key = :key
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: budget_insert
-- Makes the row of a limit that nobody used yet; a window of 0 is none.
-- installation
insert into budget (budget_key, epoch, kind, window_ms, limit_calls, told_limit, level_units,
    level_at, spent_until, remaining, reset_at, heard_at, held_until, factor, factor_at, touched_at)
values (:key, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, :now)
on conflict (budget_key) do nothing;

-- name: budget_save
-- Stores what is left of a limit.
-- installation
update budget
set epoch = :epoch, kind = :kind, window_ms = :window_ms, limit_calls = :limit_calls,
    told_limit = :told_limit, level_units = :level_units, level_at = :level_at,
    spent_until = :spent_until, remaining = :remaining, reset_at = :reset_at,
    heard_at = :heard_at, held_until = :held_until, factor = :factor, factor_at = :factor_at,
    touched_at = :touched_at
where budget_key = :budget_key;

-- name: budget_list
-- All limits after a key.
-- installation
select budget_key, epoch, kind, window_ms, limit_calls, told_limit, level_units, level_at,
    spent_until, remaining, reset_at, heard_at, held_until, factor, factor_at, touched_at
from budget
where budget_key > :after
order by budget_key
limit cast(:limit as bigint);

-- name: budget_sweep
-- Forgets limits that nobody used for long.
-- installation
delete from budget
where touched_at < cast(:before as bigint);

-- name: budget_last_use
-- When any limit was used last.
-- installation
select touched_at
from budget
order by touched_at desc
limit 1;

-- name: budget_others
-- How many others use a limit, and what they hold of it.
-- installation
select count(*), coalesce(cast(sum(calls) as bigint), 0)
from budget_holder
where budget_key = :key and holder <> :holder and until_at > cast(:now as bigint);

-- name: budget_holder_put
-- Stores what somebody holds of a limit.
-- installation
insert into budget_holder (budget_key, holder, calls, until_at)
values (:key, :holder, :calls, :until)
on conflict (budget_key, holder) do update
set calls = excluded.calls, until_at = excluded.until_at;

-- name: budget_holder_drop
-- Somebody uses a limit no more.
-- installation
delete from budget_holder
where budget_key = :key and holder = :holder;

-- name: budget_holder_forget
-- Somebody is gone, and uses no limit any more.
-- installation
delete from budget_holder
where holder = :holder;

-- name: budget_holder_sweep
-- Forgets those who have not been heard of.
-- installation
delete from budget_holder
where until_at < cast(:now as bigint);

-- name: budget_authority_get
-- Where limits are counted.
-- installation
select epoch, place, effective_at, changed_at
from budget_authority
where id = 1;

-- name: budget_authority_put
-- Moves the counting to another place, if nobody has moved it meanwhile.
-- installation
insert into budget_authority (id, epoch, place, effective_at, changed_at)
values (1, :epoch, :place, :effective_at, :now)
on conflict (id) do update
set epoch = excluded.epoch, place = excluded.place, effective_at = excluded.effective_at,
    changed_at = excluded.changed_at
where budget_authority.epoch = cast(:before as bigint);
