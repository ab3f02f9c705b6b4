-- The append-only log of an organization's evidence.

-- name: ledger_begin
-- Makes the head of an empty ledger.
insert into ledger_head (organization_id, size, frontier, root, updated_at)
values (:org, 0, :frontier, :root, 0)
on conflict (organization_id) do nothing;

-- name: ledger_lock
-- The head, kept from other writers until the unit ends.
select size, frontier
from ledger_head
where organization_id = :org
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: ledger_advance
-- Moves the head on from the size that was locked.
update ledger_head
set size = :size, frontier = :frontier, root = :root, updated_at = :now
where organization_id = :org and size = cast(:old_size as bigint);

-- name: ledger_leaf_insert
-- Stores a leaf.
insert into ledger_leaf (organization_id, leaf_index, leaf_hash, evidence_id)
values (:org, :leaf_index, :leaf_hash, :evidence_id);

-- name: ledger_head
-- Size and root.
select size, root, updated_at
from ledger_head
where organization_id = :org;

-- name: ledger_leaves
-- Leaves in their order.
select leaf_index, leaf_hash, evidence_id
from ledger_leaf
where organization_id = :org and leaf_index >= cast(:first as bigint)
order by leaf_index
limit cast(:limit as bigint);
