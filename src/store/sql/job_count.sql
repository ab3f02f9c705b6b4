-- How many jobs wait, run and have just ended.

-- name: job_count
-- Jobs that have not ended, by status.
-- system
select status, count(*)
from job
where status in ('pending', 'running', 'parked')
group by status;

-- name: job_count_ended
-- Jobs that have ended since a time, by status.
-- system
select status, count(*)
from job
where status in ('completed', 'failed', 'cancelled') and completed_at > cast(:since as bigint)
group by status;

-- name: job_oldest_due
-- The time since which a job is due and waits.
-- system
select coalesce(min(due_at), 0)
from job
where status in ('pending', 'parked') and due_at <= cast(:now as bigint);
