-- Tokens of programs, and what they may in each organization.

-- name: api_token_insert
-- Adds a token.
-- installation
insert into api_token (id, name, token_hash, hint, operator, created_by, created_at, expires_at,
    revoked_at, last_used_at)
values (:id, :name, :token_hash, :hint, :operator, :created_by, :created_at, :expires_at,
    :revoked_at, :last_used_at);

-- name: api_token_get
-- One token, also one that has ended.
-- installation
select id, name, token_hash, hint, operator, created_by, created_at, expires_at, revoked_at,
    last_used_at
from api_token
where id = :id;

-- name: api_token_find
-- The live token of a hash.
-- installation
select id, name, token_hash, hint, operator, created_by, created_at, expires_at, revoked_at,
    last_used_at
from api_token
where token_hash = :token_hash and revoked_at = 0
    and (expires_at = 0 or expires_at > cast(:now as bigint));

-- name: api_token_list_all
-- Tokens of the installation in the order of their making.
-- installation
select id, name, token_hash, hint, operator, created_by, created_at, expires_at, revoked_at,
    last_used_at
from api_token
where id > :after
order by id
limit cast(:limit as bigint);

-- name: api_token_revoke
-- Revokes a token.
-- installation
update api_token
set revoked_at = :now
where id = :id and revoked_at = 0;

-- name: api_token_used
-- Moves the time of last use forward.
-- installation
update api_token
set last_used_at = :at
where id = :id and last_used_at < cast(:at as bigint);

-- name: api_token_allow
-- Lets a token reach the organization.
insert into api_token_access (organization_id, token_id, role, grants, integrations, period_from,
    period_until, expires_at, created_at, created_by, revoked_at)
values (:org, :user_id, :role, :grants, :integrations, :period_from, :period_until, :expires_at,
    :created_at, :created_by, 0)
on conflict (organization_id, token_id) do nothing;

-- name: api_token_find_access
-- What a token may in the organization; nothing when who gave it could not give it now (role.h,
-- role_may_assign).
select token_id, role, grants, integrations, period_from, period_until, expires_at, created_at
from api_token_access
where organization_id = :org and token_id = :token_id and revoked_at = 0
    and (expires_at = 0 or expires_at > cast(:now as bigint))
    and (api_token_access.created_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = api_token_access.organization_id
             and membership.user_id = api_token_access.created_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and api_token_access.role <> 'owner'
                     and api_token_access.grants is null))));

-- name: api_token_maker
-- Who gave the token its access to the organization.
select created_by
from api_token_access
where organization_id = :org and token_id = :token_id;

-- name: api_token_list_reach
-- The organizations that a token reaches, and until when, its maker's membership regarded: see
-- api_token_find_access.
-- system
select api_token_access.organization_id, organization.name, api_token_access.role,
    api_token_access.grants, api_token_access.integrations, api_token_access.period_from,
    api_token_access.period_until,
    coalesce(
        (select case when api_token_access.expires_at = 0
                 or membership.expires_at < api_token_access.expires_at then membership.expires_at
             else api_token_access.expires_at end
         from membership
         where membership.organization_id = api_token_access.organization_id
             and membership.user_id = api_token_access.created_by
             and membership.expires_at <> 0),
        api_token_access.expires_at)
from api_token_access
inner join organization on organization.organization_id = api_token_access.organization_id
where api_token_access.token_id = :token_id and api_token_access.revoked_at = 0
    and (api_token_access.expires_at = 0 or api_token_access.expires_at > cast(:now as bigint))
    and (api_token_access.created_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = api_token_access.organization_id
             and membership.user_id = api_token_access.created_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and api_token_access.role <> 'owner'
                     and api_token_access.grants is null))))
order by organization.name
limit cast(:limit as bigint);

-- name: api_token_list
-- Tokens that reach the organization, in the order of their making.
select api_token.id, api_token.name, api_token.hint, api_token_access.role,
    api_token_access.grants, api_token_access.integrations, api_token_access.period_from,
    api_token_access.period_until, api_token.created_by, api_token_access.created_at,
    case when api_token_access.expires_at = 0 then api_token.expires_at
        else api_token_access.expires_at end,
    case when api_token_access.revoked_at = 0 then api_token.revoked_at
        else api_token_access.revoked_at end,
    api_token.last_used_at
from api_token_access
inner join api_token on api_token.id = api_token_access.token_id
where api_token_access.organization_id = :org and api_token_access.token_id > :after
order by api_token_access.token_id
limit cast(:limit as bigint);

-- name: api_token_disallow
-- Ends the access of a token to the organization.
update api_token_access
set revoked_at = :now
where organization_id = :org and token_id = :token_id and revoked_at = 0;
