-- The bytes of evidence data, in chunks.

-- name: document_begin
-- Begins a document.
insert into document (organization_id, id, job_id, sha256, size, created_at)
values (:org, :id, :job_id, null, 0, :now)
on conflict (organization_id, id) do nothing;

-- name: document_writing
-- The number of chunks of a document that is being written.
select coalesce(
    (select max(seq) + 1
     from document_chunk
     where document_chunk.organization_id = :org and document_chunk.document_id = :id), 0)
from document
where organization_id = :org and id = :id and sha256 is null;

-- name: document_append_chunk
-- Adds a chunk.
insert into document_chunk (organization_id, document_id, seq, raw_size, bytes)
values (:org, :id, :seq, :raw_size, :bytes);

-- name: document_raw_size
-- Raw bytes of all chunks.
select cast(coalesce(sum(raw_size), 0) as bigint)
from document_chunk
where organization_id = :org and document_id = :id;

-- name: document_equal
-- The finished document with this hash.
select id, job_id, sha256, size, created_at
from document
where organization_id = :org and sha256 = :sha256;

-- name: document_finish
-- Gives a written document its hash.
update document
set sha256 = :sha256, size = :size
where organization_id = :org and id = :id and sha256 is null;

-- name: document_get
-- A finished document.
select id, job_id, sha256, size, created_at
from document
where organization_id = :org and id = :id and sha256 is not null;

-- name: document_read_chunk
-- One chunk of a finished document.
select seq, raw_size, bytes
from document_chunk
where organization_id = :org and document_id = :id and seq = :seq
    and document_id in
        (select document.id
         from document
         where document.organization_id = :org and document.id = :id
             and document.sha256 is not null);

-- name: document_drop_chunks
-- Removes the chunks of an unfinished document.
delete from document_chunk
where organization_id = :org and document_id in
    (select document.id
     from document
     where document.organization_id = :org and document.id = :id and document.sha256 is null);

-- name: document_drop
-- Removes an unfinished document.
delete from document
where organization_id = :org and id = :id and sha256 is null;

-- name: document_sweep_chunks
-- Removes the chunks of a job's documents that were left unfinished.
delete from document_chunk
where organization_id = :org and document_id in
    (select document.id
     from document
     where document.organization_id = :org and document.sha256 is null
         and document.job_id = :job_id);

-- name: document_sweep
-- Removes a job's documents that were left unfinished.
delete from document
where organization_id = :org and sha256 is null and job_id = :job_id;

-- name: document_left
-- Unfinished documents that no job will finish.
select id, job_id, sha256, size, created_at
from document
where organization_id = :org and sha256 is null
    and (job_id is not null or created_at < cast(:before as bigint))
    and not exists
        (select 1
         from job
         where job.organization_id = :org and job.id = document.job_id
             and job.status in ('pending', 'running', 'parked'))
order by created_at, id
limit cast(:limit as bigint);
