-- What a unit has sealed is one row, instead of one for each leaf: the ids of the audit rows in
-- their order, and beside them the hashes of their leaves, which begin at first_index.
create table audit_seal (
    organization_id {{id}} not null,
    first_index {{int}} not null,
    first_id {{id}} not null,
    last_id {{id}} not null,
    audit_ids {{text}} not null,
    leaf_hashes {{blob}} not null,
    primary key (organization_id, first_index),
    unique (organization_id, last_id)
) {{strict}};

-- The first leaves had their hashes among the nodes.
insert into audit_seal (organization_id, first_index, first_id, last_id, audit_ids, leaf_hashes)
select audit_leaf.organization_id, audit_leaf.leaf_index, audit_leaf.audit_id, audit_leaf.audit_id,
    audit_leaf.audit_id,
    coalesce(audit_leaf.hash,
        (select audit_node.hash
         from audit_node
         where audit_node.organization_id = audit_leaf.organization_id and audit_node.level = 0
             and audit_node.position = audit_leaf.leaf_index))
from audit_leaf;

drop table audit_leaf;

-- dialect: sqlite
create trigger audit_seal_keeps_rows before delete on audit_seal
begin
    select raise(abort, 'audit seals are not deleted');
end;
create trigger audit_seal_keeps_values before update on audit_seal
begin
    select raise(abort, 'audit seals are not changed');
end;
-- dialect: postgres
revoke update, delete on audit_seal from assay_app;
create trigger audit_seal_keeps before update or delete or truncate on audit_seal
    for each statement execute function audit_refuse();
-- dialect: end
