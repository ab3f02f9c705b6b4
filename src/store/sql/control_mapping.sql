-- What an organization has changed in the mapping of checks to controls: see control_mapping.h.

-- name: control_mapping_insert
-- Stores a change.
insert into control_mapping (organization_id, framework, control_id, provider, check_id, added,
    who, why, created_at)
values (:org, :framework, :control_id, :provider, :check_id, :added, :who, :why, :created_at);

-- name: control_mapping_clear
-- Forgets the changes of a control.
delete from control_mapping
where organization_id = :org and framework = :framework and control_id = :control_id;

-- name: control_mapping_list
-- The changes of a framework, or of all.
select framework, control_id, provider, check_id, added, who, why, created_at
from control_mapping
where organization_id = :org
    and (cast(:framework as text) = '' or framework = :framework)
order by framework, control_id, provider, check_id
limit cast(:limit as bigint);

-- name: control_mapping_count
-- How many changes there are.
select count(*)
from control_mapping
where organization_id = :org;
