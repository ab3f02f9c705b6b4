-- Sealing walks the audit rows of an organization in the order of their ids: this is the last one
-- it has passed. A row whose id is behind it by then stands in audit_pending by itself; the others
-- are stood for by one row without an id.
alter table audit_head add column walked_id {{id}} not null default '';

-- The leaf's hash stands with the leaf, and only subtrees of 16 leaves and more in audit_node.
alter table audit_leaf add column hash {{blob}};
