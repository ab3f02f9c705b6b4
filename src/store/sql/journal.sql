-- The journal of a job: the batches of its cassette.

-- name: journal_append
-- Stores one batch; the number is taken with the lease (job_journal_grow).
insert into journal (organization_id, job_id, batch, entries, raw_size, bytes)
values (:org, :job_id, :batch, :entries, :raw_size, :bytes);

-- name: journal_read
-- One batch.
select batch, entries, raw_size, bytes
from journal
where organization_id = :org and job_id = :job_id and batch = :batch;

-- name: journal_count
-- The number of batches.
select count(*)
from journal
where organization_id = :org and job_id = :job_id;
