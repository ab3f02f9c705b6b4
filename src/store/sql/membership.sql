-- What users are in organizations.

-- name: membership_insert
-- Makes a user a member.
insert into membership (organization_id, user_id, role, grants, integrations, period_from,
    period_until, expires_at, created_at, updated_at)
values (:org, :user_id, :role, :grants, :integrations, :period_from, :period_until, :expires_at,
    :created_at, :updated_at)
on conflict (organization_id, user_id) do nothing;

-- name: membership_find
-- The membership of a user that has not ended.
select user_id, role, grants, integrations, period_from, period_until, expires_at, created_at,
    updated_at
from membership
where organization_id = :org and user_id = :user_id
    and (expires_at = 0 or expires_at > cast(:now as bigint));

-- name: membership_get
-- The membership of a user, ended or not.
select user_id, role, grants, integrations, period_from, period_until, expires_at, created_at,
    updated_at
from membership
where organization_id = :org and user_id = :user_id;

-- name: membership_lock
-- Keeps other changes of members away until the unit ends.
select organization_id
from organization
where organization_id = :org
-- dialect: sqlite
-- dialect: postgres
for update
-- dialect: end
;

-- name: membership_other_owners
-- Owners besides a user that can still do something.
select count(*)
from membership
inner join user_account on user_account.id = membership.user_id
where membership.organization_id = :org and membership.user_id <> :user_id
    and membership.role = 'owner' and membership.expires_at = 0 and user_account.disabled_at = 0;

-- name: membership_update
-- Replaces what a member may.
update membership
set role = :role, grants = :grants, integrations = :integrations, period_from = :period_from,
    period_until = :period_until, expires_at = :expires_at, updated_at = :updated_at
where organization_id = :org and user_id = :user_id;

-- name: membership_delete
-- Ends a membership.
delete from membership
where organization_id = :org and user_id = :user_id;

-- name: membership_member
-- One member with his user.
select membership.user_id, user_account.email, user_account.name, membership.role,
    membership.grants, membership.integrations, membership.period_from, membership.period_until,
    membership.expires_at, user_account.disabled_at, user_account.last_login_at,
    membership.created_at
from membership
inner join user_account on user_account.id = membership.user_id
where membership.organization_id = :org and membership.user_id = :user_id;

-- name: membership_list
-- Members with their users.
select membership.user_id, user_account.email, user_account.name, membership.role,
    membership.grants, membership.integrations, membership.period_from, membership.period_until,
    membership.expires_at, user_account.disabled_at, user_account.last_login_at,
    membership.created_at
from membership
inner join user_account on user_account.id = membership.user_id
where membership.organization_id = :org and membership.user_id > :after
order by membership.user_id
limit cast(:limit as bigint);

-- name: membership_list_of_user
-- The memberships of a user that have not ended, with their organizations.
-- system
select membership.organization_id, organization.name, membership.role, membership.grants,
    membership.integrations, membership.period_from, membership.period_until, membership.expires_at
from membership
inner join organization on organization.organization_id = membership.organization_id
where membership.user_id = :user_id
    and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
order by organization.name
limit cast(:limit as bigint);
