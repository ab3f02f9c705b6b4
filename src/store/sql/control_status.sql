-- Where each control of a framework stands.

-- name: control_status_upsert
-- Stores a status in place of the earlier one.
insert into control_status (organization_id, framework, control_id, status, verdict_beside, reason, confidence, detail, updated_at)
values (:org, :framework, :control_id, :status, :verdict_beside, :reason, :confidence, :detail,
    :updated_at)
on conflict (organization_id, framework, control_id) do update
set status = excluded.status, verdict_beside = excluded.verdict_beside, reason = excluded.reason,
    confidence = excluded.confidence, detail = excluded.detail, updated_at = excluded.updated_at;

-- name: control_status_get
-- One control.
select framework, control_id, status, verdict_beside, reason, confidence, detail, updated_at
from control_status
where organization_id = :org and framework = :framework and control_id = :control_id;

-- name: control_status_list
-- Controls of a framework, behind a cursor.
select framework, control_id, status, verdict_beside, reason, confidence, detail, updated_at
from control_status
where organization_id = :org and framework = :framework and control_id > :after
    and (cast(:status as text) = '' or status = :status)
order by control_id
limit cast(:limit as bigint);
