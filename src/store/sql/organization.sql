-- Tenants. The name is unique in the installation by a table of its own, because every key of a
-- table with organization_id begins with it.

-- name: organization_name_take
-- Reserves a name.
-- installation
insert into organization_name (name, taken_by)
values (:name, :id)
on conflict (name) do nothing;

-- name: organization_insert
-- Adds an organization.
-- system
insert into organization (organization_id, name, wrapped_key, created_at)
values (:id, :name, :wrapped_key, :created_at)
on conflict (organization_id) do nothing;

-- name: organization_get
-- The organization of the scope.
select organization_id, name, wrapped_key, created_at
from organization
where organization_id = :org and ended_at = 0;

-- name: organization_find_by_name
-- Finds an organization by name or id.
-- system
select organization_id, name, wrapped_key, created_at
from organization
where ended_at = 0 and (organization_id = :name
    or organization_id in (select taken_by from organization_name where name = :name))
order by organization_id
limit 1;

-- name: organization_set_key
-- Replaces the wrapped data key, if it still is the old one.
update organization
set wrapped_key = :new_key
where organization_id = :org and wrapped_key = :old_key;

-- name: organization_name_release
-- Gives a name back.
-- installation
delete from organization_name
where name = :name;

-- name: organization_rename
-- Gives the organization another name.
update organization
set name = :name
where organization_id = :org;

-- name: organization_list
-- Organizations in the order of their ids.
-- system
select organization_id, name, wrapped_key, created_at
from organization
where organization_id > :after and ended_at = 0
order by organization_id
limit cast(:limit as bigint);
