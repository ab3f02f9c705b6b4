-- What waits to be claimed: see backlog.h.

-- name: backlog_next_due
-- When the next job can be claimed. A bound that has passed is looked behind: claims raise it only
-- when they find nothing. Jobs that wait for another run of their integration are not counted.
-- system
select min(case
    when job_queue.due_at > cast(:now as bigint) then job_queue.due_at
    else (select min(job.due_at)
        from job
        where job.organization_id = job_queue.organization_id
            and job.status in ('pending', 'running', 'parked')
            and not exists (select 1
                from job as other
                where other.organization_id = job.organization_id
                    and other.integration_id = job.integration_id
                    and other.status = 'running' and other.id <> job.id))
    end)
from job_queue
where job_queue.due_at < 9223372036854775807;

-- name: backlog_rewind_queue
-- Makes the organizations due that were so before the clock was set back.
-- system
update job_queue
set due_at = :now
where due_at <= cast(:before as bigint) and due_at > cast(:now as bigint);

-- name: backlog_rewind_jobs
-- Makes the waiting jobs due that were so before the clock was set back.
-- system
update job
set due_at = :now
where status in ('pending', 'parked')
    and due_at <= cast(:before as bigint) and due_at > cast(:now as bigint);
