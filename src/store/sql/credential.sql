-- Sealed credentials; every secret here is ciphertext.

-- name: credential_insert
-- Adds a credential unless the integration has one of its name.
insert into credential (organization_id, id, integration_id, name, fields, metadata, version, expires_at, created_at, updated_at)
values (:org, :id, :integration_id, :name, :fields, :metadata, :version, :expires_at, :created_at,
    :updated_at)
on conflict (organization_id, integration_id, name) do nothing;

-- name: credential_list_for_integration
-- The credentials of one integration.
select id, integration_id, name, fields, metadata, version, expires_at, created_at, updated_at
from credential
where organization_id = :org and integration_id = :integration_id
order by name
limit cast(:limit as bigint);

-- name: credential_replace
-- Replaces a credential whose stored version is the one before.
update credential
set fields = :fields, metadata = :metadata, version = :version, expires_at = :expires_at,
    updated_at = :updated_at
where organization_id = :org and id = :id and version = cast(:version as bigint) - 1;

-- name: credential_delete_all
-- Forgets the credentials of an integration.
delete from credential
where organization_id = :org and integration_id = :integration_id;
