-- Removes an integration with everything that came from it: see purge.h.

-- name: purge_documents_of
-- Documents of its evidence that no evidence of another integration shares.
select distinct document_id
from evidence
where organization_id = :org and integration_id = :integration_id and document_id is not null
    and document_id not in
        (select other.document_id
         from evidence as other
         where other.organization_id = :org and other.integration_id <> :integration_id
             and other.document_id is not null);

-- name: purge_document_chunk
-- The bytes of a document.
delete from document_chunk
where organization_id = :org and document_id = :document_id;

-- name: purge_document
-- A document.
delete from document
where organization_id = :org and id = :document_id;

-- name: purge_evidence_review
-- Reviews of its evidence.
delete from evidence_review
where organization_id = :org and evidence_id in
    (select evidence.id
     from evidence
     where evidence.organization_id = :org and evidence.integration_id = :integration_id);

-- name: purge_journal
-- Journals of its jobs.
delete from journal
where organization_id = :org and job_id in
    (select job.id
     from job
     where job.organization_id = :org and job.integration_id = :integration_id);

-- name: purge_job_result
-- Results of its jobs.
delete from job_result
where organization_id = :org and job_id in
    (select job.id
     from job
     where job.organization_id = :org and job.integration_id = :integration_id);

-- name: purge_evidence
-- Its evidence.
delete from evidence
where organization_id = :org and integration_id = :integration_id;

-- name: purge_finding_transition
-- What has become of its findings.
delete from finding_transition
where organization_id = :org and integration_id = :integration_id;

-- name: purge_finding
-- Its findings.
delete from finding
where organization_id = :org and integration_id = :integration_id;

-- name: purge_check_result
-- Results of its checks.
delete from check_result
where organization_id = :org and integration_id = :integration_id;

-- name: purge_job
-- Its jobs.
delete from job
where organization_id = :org and integration_id = :integration_id;

-- name: purge_assessment
-- What scanners have found.
delete from assessment
where organization_id = :org and integration_id = :integration_id;

-- name: purge_scan
-- When scanners come.
delete from scan
where organization_id = :org and integration_id = :integration_id;

-- name: purge_errand
-- Tests of it.
delete from errand
where organization_id = :org and integration_id = :integration_id;

-- name: purge_event
-- What has happened to it.
delete from event
where organization_id = :org and integration_id = :integration_id;

-- name: purge_schedule
-- When it is due.
delete from schedule
where organization_id = :org and integration_id = :integration_id;

-- name: purge_token_cache
-- Tokens that are kept for it.
delete from token_cache
where organization_id = :org and integration_id = :integration_id;

-- name: purge_credential
-- Its credentials.
delete from credential
where organization_id = :org and integration_id = :integration_id;

-- name: purge_integration
-- The integration.
delete from integration
where organization_id = :org and id = :integration_id;
