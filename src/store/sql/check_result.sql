-- The latest result of each check on each integration.

-- name: check_result_upsert
-- Stores a result in place of an earlier one; a later one stays.
insert into check_result (organization_id, integration_id, check_id, evidence_type, evidence_id, verdict, reason, judged, passed, failed,
    could_not_read, not_applicable, severity, definition_sha256, checked_at, valid_until)
values (:org, :integration_id, :check_id, :evidence_type, :evidence_id, :verdict, :reason, :judged,
    :passed, :failed, :could_not_read, :not_applicable, :severity, :definition_sha256, :checked_at,
    :valid_until)
on conflict (organization_id, integration_id, check_id) do update
set evidence_type = excluded.evidence_type, evidence_id = excluded.evidence_id,
    verdict = excluded.verdict, reason = excluded.reason, judged = excluded.judged,
    passed = excluded.passed, failed = excluded.failed, could_not_read = excluded.could_not_read,
    not_applicable = excluded.not_applicable, severity = excluded.severity,
    definition_sha256 = excluded.definition_sha256, checked_at = excluded.checked_at,
    valid_until = excluded.valid_until
where check_result.checked_at <= excluded.checked_at;

-- name: check_result_list
-- Results by integration and check, behind a cursor.
select integration_id, check_id, evidence_type, evidence_id, verdict, reason, judged, passed, failed,
    could_not_read, not_applicable, severity, definition_sha256, checked_at, valid_until
from check_result
where organization_id = :org
    and (integration_id, check_id) > (:after_integration_id, :after_check_id)
    and (cast(:integration_id as text) = '' or integration_id = :integration_id)
order by integration_id, check_id
limit cast(:limit as bigint);
