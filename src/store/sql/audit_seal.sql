-- Which audit rows are which leaves of the audit tree.

-- name: audit_seal_insert
-- Stores what a unit has sealed.
insert into audit_seal (organization_id, first_index, first_id, last_id, audit_ids, leaf_hashes)
values (:org, :first_index, :first_id, :last_id, :audit_ids, :leaf_hashes);

-- name: audit_seal_of_row
-- The seals that a row may be in.
select first_index, audit_ids, leaf_hashes
from audit_seal
where organization_id = :org and last_id >= :audit_id and first_id <= :audit_id
order by last_id;

-- name: audit_seal_of_leaf
-- The seal that a leaf is in, if it is there.
select first_index, audit_ids, leaf_hashes
from audit_seal
where organization_id = :org and first_index <= cast(:leaf_index as bigint)
order by first_index desc
limit 1;
