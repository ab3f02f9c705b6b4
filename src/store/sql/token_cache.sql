-- Sealed access tokens: see token_cache.h.

-- name: token_cache_put
-- Keeps a sealed token.
insert into token_cache (organization_id, integration_id, credential, version, sealed, checksum,
    expires_at)
values (:org, :integration_id, :credential, :version, :sealed, :checksum, :expires_at)
on conflict (organization_id, integration_id, credential) do update
set version = excluded.version, sealed = excluded.sealed, checksum = excluded.checksum,
    expires_at = excluded.expires_at
where excluded.version >= token_cache.version;

-- name: token_cache_get
-- A sealed token that is still valid.
select integration_id, credential, version, sealed, checksum, expires_at
from token_cache
where organization_id = :org and integration_id = :integration_id and credential = :credential
    and version = cast(:version as bigint) and expires_at > cast(:now as bigint);

-- name: token_cache_drop
-- Forgets the tokens of a credential.
delete from token_cache
where organization_id = :org and integration_id = :integration_id and credential = :credential;

-- name: token_cache_sweep
-- Forgets tokens that are valid no more.
delete from token_cache
where organization_id = :org and expires_at <= cast(:now as bigint);
