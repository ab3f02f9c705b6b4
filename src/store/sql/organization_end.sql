-- Removes all that an organization has: see organization_end.h.

-- name: organization_end_evidence_review
-- Reviews.
delete from evidence_review
where organization_id = :org;

-- name: organization_end_evidence
-- Evidence; its leaves in the log stay.
delete from evidence
where organization_id = :org;

-- name: organization_end_finding_transition
-- What has become of findings.
delete from finding_transition
where organization_id = :org;

-- name: organization_end_finding
-- Findings.
delete from finding
where organization_id = :org;

-- name: organization_end_check_result
-- Verdicts.
delete from check_result
where organization_id = :org;

-- name: organization_end_journal
-- Journals of jobs.
delete from journal
where organization_id = :org;

-- name: organization_end_job_result
-- Results of jobs.
delete from job_result
where organization_id = :org;

-- name: organization_end_job
-- Jobs.
delete from job
where organization_id = :org;

-- name: organization_end_assessment
-- What scanners have found.
delete from assessment
where organization_id = :org;

-- name: organization_end_scan
-- What scanners have leased.
delete from scan
where organization_id = :org;

-- name: organization_end_schedule
-- Schedules and rounds.
delete from schedule
where organization_id = :org;

-- name: organization_end_token_cache
-- Access tokens.
delete from token_cache
where organization_id = :org;

-- name: organization_end_credential
-- Credentials.
delete from credential
where organization_id = :org;

-- name: organization_end_integration
-- Integrations.
delete from integration
where organization_id = :org;

-- name: organization_end_document_chunk
-- The bytes of documents.
delete from document_chunk
where organization_id = :org;

-- name: organization_end_document
-- Documents.
delete from document
where organization_id = :org;

-- name: organization_end_job_queue
-- The place in the queue.
delete from job_queue
where organization_id = :org;

-- name: organization_end_control_status
-- Where controls stand.
delete from control_status
where organization_id = :org;

-- name: organization_end_control_exception
-- Exceptions.
delete from control_exception
where organization_id = :org;

-- name: organization_end_control_mapping
-- Changes of the mapping.
delete from control_mapping
where organization_id = :org;

-- name: organization_end_score
-- Scores.
delete from score
where organization_id = :org;

-- name: organization_end_oauth_state
-- Logins under way.
delete from oauth_state
where organization_id = :org;

-- name: organization_end_security_event
-- Security events.
delete from security_event
where organization_id = :org;

-- name: organization_end_membership
-- Memberships; the users stay.
delete from membership
where organization_id = :org;

-- name: organization_end_invitation
-- Invitations.
delete from invitation
where organization_id = :org;

-- name: organization_end_api_token_access
-- What tokens may.
delete from api_token_access
where organization_id = :org;

-- name: organization_end_idempotency
-- Answers that were kept.
delete from idempotency
where organization_id = :org;

-- name: organization_end_errand
-- Tests of connections.
delete from errand
where organization_id = :org;

-- name: organization_end_event
-- What has happened.
delete from event
where organization_id = :org;

-- name: organization_end_event_head
-- The last number of what has happened.
delete from event_head
where organization_id = :org;

-- name: organization_end
-- What is left of it: no name, no key.
update organization
set name = organization_id, wrapped_key = '', ended_at = :now
where organization_id = :org and ended_at = 0;
