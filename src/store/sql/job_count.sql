-- How many jobs wait and run.

-- name: job_count
-- Jobs that have not ended, by status.
-- system
select status, count(*)
from job
where status in ('pending', 'running', 'parked')
group by status;
