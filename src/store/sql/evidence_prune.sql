-- Data of evidence whose retention is over: see evidence_prune.h.

-- name: evidence_prune_documents
-- Documents of evidence of before a time.
select distinct document_id
from evidence
where organization_id = :org and id < :bound and document_id is not null
    and collected_at < cast(:before_ms as bigint)
order by document_id
limit cast(:limit as bigint);

-- name: evidence_prune_forget
-- Evidence of before a time has the document no more.
update evidence
set document_id = null
where organization_id = :org and document_id = :document_id
    and collected_at < cast(:before_ms as bigint);

-- name: evidence_prune_chunks
-- The bytes of a document that no evidence has.
delete from document_chunk
where organization_id = :org and document_id = :document_id
    and not exists
        (select 1
         from evidence
         where evidence.organization_id = :org and evidence.document_id = :document_id);

-- name: evidence_prune_document
-- A document that no evidence has.
delete from document
where organization_id = :org and id = :document_id
    and not exists
        (select 1
         from evidence
         where evidence.organization_id = :org and evidence.document_id = :document_id);
