-- What a database that came out of a backup must not go on with (store/restored.c).

-- name: restored_sessions
-- Ends all sessions.
-- installation
delete from user_session;

-- name: restored_setup
-- Takes the link for the first user back.
-- installation
delete from setup_token;

-- name: restored_holders
-- Nobody holds calls of a limit any more.
-- installation
delete from budget_holder;

-- name: restored_states
-- Logins at services that were under way.
delete from oauth_state
where organization_id = :org;

-- name: restored_tokens
-- Access tokens that may have been replaced since.
delete from token_cache
where organization_id = :org;

-- name: restored_requests
-- Answers to requests that may be sent again.
delete from idempotency
where organization_id = :org;

-- name: restored_jobs
-- Makes what was running claimable; whoever ran it has lost its lease.
update job
set lease_owner = '', lease_until = 0, due_at = :now, fence = fence + 1
where organization_id = :org and status = 'running';

-- name: restored_queue
-- Makes the organization's jobs be looked for.
update job_queue
set due_at = case when due_at < cast(:now as bigint) then due_at else :now end
where organization_id = :org and running > 0;
