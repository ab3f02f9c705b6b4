-- The one-time link by which the first user is made.

-- name: setup_offer
-- Stores the token in place of an earlier one.
-- installation
insert into setup_token (name, token_hash, created_at, expires_at)
values ('setup', :token_hash, :now, :expires_at)
on conflict (name) do update
set token_hash = excluded.token_hash, created_at = excluded.created_at,
    expires_at = excluded.expires_at;

-- name: setup_is_open
-- Whether the token is the one that is offered, and nobody is there yet.
-- installation
select count(*)
from setup_token
where name = 'setup' and token_hash = :token_hash and expires_at > cast(:now as bigint)
    and not exists (select 1 from user_account);

-- name: setup_redeem
-- Uses the token up; one caller wins.
-- installation
delete from setup_token
where name = 'setup' and token_hash = :token_hash and expires_at > cast(:now as bigint)
    and not exists (select 1 from user_account);
