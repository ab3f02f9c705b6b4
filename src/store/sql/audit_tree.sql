-- The audit log, sealed.

-- name: audit_tree_waiting
-- Organizations that have rows to seal.
-- system
select distinct organization_id
from audit_pending
order by organization_id
limit cast(:limit as bigint);

-- name: audit_tree_begin
-- Makes the head of an empty tree.
insert into audit_head (organization_id, size, frontier, root, updated_at)
values (:org, 0, :frontier, :root, 0)
on conflict (organization_id) do nothing;

-- name: audit_tree_lock
-- The head, kept from other writers until the unit ends.
select size, frontier
from audit_head
where organization_id = :org
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: audit_tree_advance
-- Moves the head on from the size that was locked.
update audit_head
set size = :size, frontier = :frontier, root = :root, updated_at = :now
where organization_id = :org and size = cast(:old_size as bigint);

-- name: audit_tree_head
-- Size and root.
select size, root, updated_at
from audit_head
where organization_id = :org;

-- name: audit_tree_walked
-- The last row that was passed on the way along the ids.
select walked_id
from audit_head
where organization_id = :org;

-- name: audit_tree_walk
-- What comes behind a row, the oldest first.
select audit.id, audit.record, audit.salt
from audit
where audit.organization_id = :org and audit.id > :after
order by audit.id
limit cast(:limit as bigint);

-- name: audit_tree_pass
-- Remembers how far the walk has come.
update audit_head
set walked_id = :walked_id
where organization_id = :org;

-- name: audit_tree_rest
-- Nothing is left to be sealed.
delete from audit_pending
where organization_id = :org and audit_id = '';

-- name: audit_tree_pending
-- What is not sealed yet and was written behind the walk, the oldest first.
select audit.id, audit.record, audit.salt
from audit_pending
inner join audit on audit.organization_id = audit_pending.organization_id
    and audit.id = audit_pending.audit_id
where audit_pending.organization_id = :org and audit_pending.audit_id <= :walked_id
order by audit_pending.audit_id
limit cast(:limit as bigint);

-- name: audit_tree_sealed
-- These rows have their leaves now.
delete from audit_pending
where organization_id = :org and audit_id <> '' and audit_id <= :last_id;

-- name: audit_tree_node
-- Stores a complete subtree of 16 leaves or more.
insert into audit_node (organization_id, level, position, hash)
values (:org, :level, :position, :hash);

-- name: audit_tree_fetch
-- One complete subtree.
select hash
from audit_node
where organization_id = :org and level = cast(:level as bigint)
    and position = cast(:position as bigint);

-- name: audit_tree_salt
-- The salt of a row.
select salt
from audit
where organization_id = :org and id = :audit_id;
