-- What waits to be claimed: see backlog.h.

-- name: backlog_next_due
-- The lower bound of all due times.
-- system
select min(due_at)
from job_queue
where due_at < 9223372036854775807;

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
