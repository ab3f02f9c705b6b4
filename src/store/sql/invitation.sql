-- Memberships offered to e-mail addresses.

-- name: invitation_insert
-- Stores an invitation.
insert into invitation (organization_id, id, email, role, grants, integrations, period_from,
    period_until, token_hash, invited_by, created_at, expires_at, closed_at, accepted_by)
values (:org, :id, :email, :role, :grants, :integrations, :period_from, :period_until, :token_hash,
    :invited_by, :created_at, :expires_at, :closed_at, :accepted_by);

-- name: invitation_replace
-- Closes what is open for an address.
update invitation
set closed_at = :now
where organization_id = :org and email = :email and closed_at = 0;

-- name: invitation_member
-- Whether an address belongs to a member.
select count(*)
from membership
inner join user_account on user_account.id = membership.user_id
where membership.organization_id = :org and user_account.email = :email;

-- name: invitation_open
-- One open invitation, unless who has invited could not do so now (role.h, role_may_assign).
select id, email, role, grants, integrations, period_from, period_until, token_hash, invited_by,
    created_at, expires_at, closed_at, accepted_by
from invitation
where organization_id = :org and id = :id and closed_at = 0
    and expires_at > cast(:now as bigint)
    and (invitation.invited_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = invitation.organization_id
             and membership.user_id = invitation.invited_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and invitation.role <> 'owner'
                     and invitation.grants is null))));

-- name: invitation_list
-- Open invitations in the order of their making: see invitation_open.
select id, email, role, grants, integrations, period_from, period_until, token_hash, invited_by,
    created_at, expires_at, closed_at, accepted_by
from invitation
where organization_id = :org and id > :after and closed_at = 0
    and expires_at > cast(:now as bigint)
    and (invitation.invited_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = invitation.organization_id
             and membership.user_id = invitation.invited_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and invitation.role <> 'owner'
                     and invitation.grants is null))))
order by id
limit cast(:limit as bigint);

-- name: invitation_find_by_token
-- The open invitation of a token, with where it leads: see invitation_open.
-- system
select invitation.organization_id, organization.name, invitation.id, invitation.email,
    invitation.role, invitation.expires_at
from invitation
inner join organization on organization.organization_id = invitation.organization_id
where invitation.token_hash = :token_hash and invitation.closed_at = 0
    and invitation.expires_at > cast(:now as bigint)
    and (invitation.invited_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = invitation.organization_id
             and membership.user_id = invitation.invited_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and invitation.role <> 'owner'
                     and invitation.grants is null))));

-- name: invitation_find_by_email
-- Open invitations of an address, with where they lead: see invitation_open.
-- system
select invitation.organization_id, organization.name, invitation.id, invitation.email,
    invitation.role, invitation.expires_at
from invitation
inner join organization on organization.organization_id = invitation.organization_id
where invitation.email = :email and invitation.closed_at = 0
    and invitation.expires_at > cast(:now as bigint)
    and (invitation.invited_by is null or exists
        (select 1
         from membership
         inner join user_account on user_account.id = membership.user_id
         where membership.organization_id = invitation.organization_id
             and membership.user_id = invitation.invited_by
             and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
             and user_account.disabled_at = 0
             and (membership.role = 'owner'
                 or (membership.role = 'admin' and invitation.role <> 'owner'
                     and invitation.grants is null))))
order by invitation.id
limit cast(:limit as bigint);

-- name: invitation_close
-- Closes an invitation that is open; one caller wins.
update invitation
set closed_at = :now, accepted_by = :accepted_by
where organization_id = :org and id = :id and closed_at = 0
    and expires_at > cast(:now as bigint);
