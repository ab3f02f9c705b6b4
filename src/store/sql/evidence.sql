-- Evidence records: immutable, except for review state and the index in the ledger.

-- name: evidence_insert
-- Stores a record unless its job has stored this type before.
insert into evidence (organization_id, id, integration_id, job_id, evidence_type, source, record, salt, document_id, data_sha256,
    completeness, collected_at, valid_from, valid_until, ledger_index, review_state)
values (:org, :id, :integration_id, :job_id, :evidence_type, :source, :record, :salt, :document_id,
    :data_sha256, :completeness, :collected_at, :valid_from, :valid_until, :ledger_index,
    :review_state)
on conflict (organization_id, job_id, evidence_type) do nothing;

-- name: evidence_logged
-- Notes the index of a record's leaf.
update evidence
set ledger_index = :ledger_index
where organization_id = :org and id = :id;

-- name: evidence_get
-- One record.
select id, integration_id, job_id, evidence_type, source, record, salt, document_id, data_sha256,
    completeness, collected_at, valid_from, valid_until, ledger_index, review_state
from evidence
where organization_id = :org and id = :id;

-- name: evidence_of_job
-- The record of a type that a job has stored.
select id, integration_id, job_id, evidence_type, source, record, salt, document_id, data_sha256,
    completeness, collected_at, valid_from, valid_until, ledger_index, review_state
from evidence
where organization_id = :org and job_id = :job_id and evidence_type = :evidence_type;

-- name: evidence_list
-- Records, the newest first.
select id, integration_id, job_id, evidence_type, source, record, salt, document_id, data_sha256,
    completeness, collected_at, valid_from, valid_until, ledger_index, review_state
from evidence
where organization_id = :org
    and id < :before
    and (cast(:source as text) = '' or source = :source)
    and (cast(:evidence_type as text) = '' or evidence_type = :evidence_type)
    and (cast(:integration_id as text) = '' or integration_id = :integration_id)
    and collected_at >= cast(:from_ms as bigint)
    and collected_at < cast(:to_ms as bigint)
order by id desc
limit cast(:limit as bigint);

-- name: evidence_latest
-- The newest record of a type of an integration.
select id, integration_id, job_id, evidence_type, source, record, salt, document_id, data_sha256,
    completeness, collected_at, valid_from, valid_until, ledger_index, review_state
from evidence
where organization_id = :org and integration_id = :integration_id
    and evidence_type = :evidence_type
order by collected_at desc, id desc
limit 1;
