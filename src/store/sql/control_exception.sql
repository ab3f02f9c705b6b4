-- Controls that somebody has excepted.

-- name: control_exception_upsert
-- Stores an exception in place of an earlier one.
insert into control_exception (organization_id, framework, control_id, who, why, until_at,
    created_at)
values (:org, :framework, :control_id, :who, :why, :until_at, :created_at)
on conflict (organization_id, framework, control_id) do update
set who = excluded.who, why = excluded.why, until_at = excluded.until_at,
    created_at = excluded.created_at;

-- name: control_exception_delete
-- Takes an exception back.
delete from control_exception
where organization_id = :org and framework = :framework and control_id = :control_id;

-- name: control_exception_list
-- Exceptions of a framework that are open at a time.
select framework, control_id, who, why, until_at, created_at
from control_exception
where organization_id = :org and framework = :framework
    and (until_at = 0 or until_at > cast(:at as bigint))
order by control_id
limit cast(:limit as bigint);
