-- Stored answers to writes, by idempotency key.

-- name: idempotency_begin
-- Takes a key that nobody has, or whose time is over.
insert into idempotency (organization_id, actor, idempotency_key, salt, fingerprint, status, media, body,
    created_at, expires_at)
values (:org, :actor, :key, :salt, :fingerprint, 0, null, null, :now, :expires_at)
on conflict (organization_id, actor, idempotency_key) do update
set salt = excluded.salt, fingerprint = excluded.fingerprint, status = 0, media = null, body = null,
    created_at = excluded.created_at, expires_at = excluded.expires_at
where idempotency.expires_at <= excluded.created_at;

-- name: idempotency_get
-- What is stored under a key.
select actor, idempotency_key, salt, fingerprint, status, media, body, created_at, expires_at
from idempotency
where organization_id = :org and actor = :actor and idempotency_key = :key;

-- name: idempotency_keep
-- Stores the answer, unless the key was taken by somebody else meanwhile.
update idempotency
set status = :status, media = :media, body = :body, expires_at = :expires_at
where organization_id = :org and actor = :actor and idempotency_key = :key
    and status = 0 and created_at = :created_at;

-- name: idempotency_forget
-- Lets go of a key whose request came to nothing.
delete from idempotency
where organization_id = :org and actor = :actor and idempotency_key = :key
    and status = 0 and created_at = :created_at;

-- name: idempotency_prune
-- Removes what is over.
delete from idempotency
where organization_id = :org and expires_at <= :now;
