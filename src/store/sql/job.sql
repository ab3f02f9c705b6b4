-- The queue: see job.h for states, leases, fences and attempts.

-- name: job_insert
-- Adds a pending job.
insert into job (organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at)
values (:org, :id, :integration_id, 'pending', :request, :definition_sha256, 0, 0, 0, 0, :priority,
    :due_at, '', 0, 0, :now, 0, 0)
on conflict (organization_id, id) do nothing;

-- name: job_queue_lower
-- Makes sure that the organization is looked at from a time on.
insert into job_queue (organization_id, served_at, due_at)
values (:org, 0, :due_at)
on conflict (organization_id) do update
set due_at = case when excluded.due_at < job_queue.due_at then excluded.due_at
    else job_queue.due_at end;

-- name: job_get
-- One job.
select organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at
from job
where organization_id = :org and id = :id;

-- name: job_list
-- Jobs, the newest first.
select organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at
from job
where organization_id = :org
    and id < :before
    and (cast(:integration_id as text) = '' or integration_id = :integration_id)
    and (cast(:status as text) = '' or status = :status)
order by id desc
limit cast(:limit as bigint);

-- name: job_result_get
-- How a job ended.
select job_id, result, error, ended_at
from job_result
where organization_id = :org and job_id = :job_id;

-- name: job_result_put
-- Stores how a job ended.
insert into job_result (organization_id, job_id, result, error, ended_at)
values (:org, :job_id, :result, :error, :ended_at)
on conflict (organization_id, job_id) do update
set result = excluded.result, error = excluded.error, ended_at = excluded.ended_at;

-- name: job_claim_queue
-- The next organization that may have due work, in the order of turns. Locked, and passed by when
-- another claim is at it.
-- system
select organization_id, running, served_at
from job_queue
where due_at <= cast(:now as bigint) and due_at < 9223372036854775807
    and running < cast(:most as bigint)
    and (running, served_at, organization_id)
        > (cast(:after_running as bigint), cast(:after_served as bigint), :after_organization)
order by running, served_at, organization_id
limit 1
-- dialect: sqlite
-- dialect: postgres
for update skip locked
-- dialect: end
;

-- name: job_claim_queue_wait
-- The first of them, after waiting for the claims that are at it.
-- system
select organization_id, running, served_at
from job_queue
where due_at <= cast(:now as bigint) and due_at < 9223372036854775807
    and running < cast(:most as bigint)
order by running, served_at, organization_id
limit 1
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: job_claim_pick
-- The most urgent due job of an organization whose integration has no other run. Locked, and passed
-- by when somebody else has it. The sum keeps the engines from collecting and sorting all that is
-- due: job_by_urgency has the order.
-- system
select organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at
from job
where organization_id = :organization
    and status in ('pending', 'running', 'parked')
    and due_at + 0 <= cast(:now as bigint)
    and not exists
        (select 1
         from job other
         where other.organization_id = job.organization_id
             and other.integration_id = job.integration_id
             and other.status = 'running' and other.id <> job.id)
order by priority desc, due_at, id
limit 1
-- dialect: sqlite
-- dialect: postgres
for update of job skip locked
-- dialect: end
;

-- name: job_claim_pick_one
-- This job, if it is due and its integration has no other run.
-- system
select organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at
from job
where organization_id = :organization
    and id = :id
    and status in ('pending', 'running', 'parked')
    and due_at <= cast(:now as bigint)
    and not exists
        (select 1
         from job other
         where other.organization_id = job.organization_id
             and other.integration_id = job.integration_id
             and other.status = 'running' and other.id <> job.id)
-- dialect: sqlite
-- dialect: postgres
for update of job skip locked
-- dialect: end
;

-- name: job_claim_exists
-- Whether the organization has this job at all.
-- system
select count(*)
from job
where organization_id = :organization and id = :id;

-- name: job_claim_take
-- Gives a picked job to an owner.
-- system
update job
set status = 'running',
    run_clock = case when run_clock = 0 then cast(:now as bigint) else run_clock end,
    started_at = case when started_at = 0 then cast(:now as bigint) else started_at end,
    attempt = :attempt,
    journal_mark = journal_batches,
    lease_owner = :owner,
    lease_until = :lease_until,
    due_at = :lease_until,
    fence = fence + 1
where organization_id = :organization and id = :id
returning organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at;

-- name: job_claim_end
-- Ends a picked job that is not to be run: its attempts are used up, or it was called off.
-- system
update job
set status = :status, lease_owner = '', lease_until = 0, completed_at = :now, fence = fence + 1
where organization_id = :organization and id = :id;

-- name: job_claim_end_result
-- Says why such a job has ended.
-- system
insert into job_result (organization_id, job_id, result, error, ended_at)
values (:organization, :id, null, :error, :now)
on conflict (organization_id, job_id) do update
set error = excluded.error, ended_at = excluded.ended_at;

-- name: job_queue_serve
-- Puts an organization behind those that were served before it, also within one millisecond, and
-- counts its runs.
-- system
update job_queue
set served_at = case when served_at >= cast(:now as bigint) then served_at + 1 else :now end,
    running = running + cast(:started as bigint)
where organization_id = :organization;

-- name: job_queue_free
-- Counts one run less; another job of the integration may have waited for its end.
update job_queue
set running = case when running > 0 then running - 1 else 0 end,
    due_at = case when due_at < cast(:due_at as bigint) then due_at else :due_at end
where organization_id = :org;

-- name: job_queue_lock
-- Keeps the queue row as it is while its organization is served.
-- system
select due_at, running
from job_queue
where organization_id = :organization
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: job_queue_correct
-- Raises the bound of an organization to the next due time of its active jobs, but for those that
-- wait for another run of their integration, whose end lowers it again.
-- system
update job_queue
set due_at = coalesce(
        (select job.due_at
         from job
         where job.organization_id = :organization
             and job.status in ('pending', 'running', 'parked')
             and not exists
                 (select 1
                  from job other
                  where other.organization_id = job.organization_id
                      and other.integration_id = job.integration_id
                      and other.status = 'running' and other.id <> job.id)
         order by job.due_at
         limit 1),
        9223372036854775807),
    running =
        (select count(*)
         from job
         where job.organization_id = :organization and job.status = 'running')
where organization_id = :organization;

-- name: job_release_queue
-- Makes the organizations of an owner's running jobs due.
-- system
update job_queue
set due_at = case when due_at < cast(:now as bigint) then due_at else :now end
where organization_id in
    (select job.organization_id from job where job.status = 'running' and job.lease_owner = :owner);

-- name: job_release_owner
-- Makes an owner's running jobs claimable.
-- system
update job
set lease_owner = '', lease_until = 0, due_at = :now
where status = 'running' and lease_owner = :owner;

-- name: job_guard
-- Holds a lease until the unit ends.
update job
set lease_until = lease_until
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence;

-- name: job_renew
-- Renews a lease, and says how far the job is.
update job
set lease_until = :lease_until, due_at = :lease_until, progress = coalesce(:progress, progress)
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence;

-- name: job_progress
-- How far a running job is.
select progress
from job
where organization_id = :org and id = :job_id and status = 'running';

-- name: job_journal_grow
-- Counts one more batch of the journal, under a lease.
update job
set journal_batches = journal_batches + 1
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence
returning journal_batches - 1;

-- name: job_end
-- Ends a job under its lease.
update job
set status = :status, completed_at = :now, lease_owner = '', lease_until = 0
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence;

-- name: job_leave
-- Lets go of a job under its lease, to be claimed again later.
update job
set status = :status, due_at = :due_at, lease_owner = '', lease_until = 0,
    attempt = attempt - cast(:given_back as bigint),
    -- What a failed attempt has read is no reason to count from the beginning.
    journal_mark = case when cast(:failed as bigint) = 1 then journal_batches else journal_mark end
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence;

-- name: job_watch
-- Whether a leased job is still the owner's, and when it was called off.
select cancel_at
from job
where organization_id = :org and id = :job_id
    and status = 'running' and lease_owner = :owner and fence = :fence;

-- name: job_cancel
-- Ends a job that nobody is running.
update job
set status = 'cancelled', completed_at = :now, cancel_at = :now, lease_owner = '', lease_until = 0,
    fence = fence + 1
where organization_id = :org and id = :id and status = :status
    and (status in ('pending', 'parked')
        or (status = 'running' and (lease_owner = '' or lease_until <= :now)));

-- name: job_cancel_running
-- Tells whoever runs the job to end it.
update job
set cancel_at = case when cancel_at = 0 then cast(:now as bigint) else cancel_at end
where organization_id = :org and id = :id and status = 'running';

-- name: job_hurry
-- Raises the priority of a job that waits. What is put off after a failure is due at once, what is
-- parked is not: the limit is spent whoever waits.
update job
set priority = case when priority < cast(:priority as bigint) then :priority else priority end,
    due_at = case when status = 'pending' and due_at > cast(:now as bigint) then :now
        else due_at end
where organization_id = :org and id = :id and status in ('pending', 'parked');

-- name: job_resume
-- Makes a job that waits due at once.
update job
set due_at = :now
where organization_id = :org and id = :id and status in ('pending', 'parked');

-- name: job_list_active
-- Jobs of an integration that have not ended, the oldest first.
select organization_id, id, integration_id, status, request, definition_sha256, run_clock, attempt,
    journal_batches, journal_mark, priority, due_at, lease_owner, lease_until, fence, created_at,
    started_at, completed_at, cancel_at
from job
where organization_id = :org and integration_id = :integration_id
    and status in ('pending', 'running', 'parked')
order by id
limit cast(:limit as bigint);

-- name: job_prune_results
-- Results of jobs that ended before a time, the oldest first.
-- system
select organization_id, job_id
from job_result
where ended_at > 0 and ended_at < cast(:before as bigint)
order by ended_at
limit cast(:limit as bigint);

-- name: job_prune_result
-- Removes one.
-- system
delete from job_result
where organization_id = :organization and job_id = :id;

-- name: job_prune_jobs
-- Jobs that ended before a time, the oldest first.
-- system
select organization_id, id
from job
where status in ('completed', 'failed', 'cancelled') and completed_at < cast(:before as bigint)
order by completed_at
limit cast(:limit as bigint);

-- name: job_prune_journal
-- Removes the journal of a job.
-- system
delete from journal
where organization_id = :organization and job_id = :id;

-- name: job_prune_job
-- Removes a job that has ended.
-- system
delete from job
where organization_id = :organization and id = :id
    and status in ('completed', 'failed', 'cancelled');
