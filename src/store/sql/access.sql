-- Who may see an organization at this moment: see access.h.

-- name: access_list
-- Live sessions of members and live tokens, by their ids.
select listed.id, listed.role, listed.grants, listed.integrations, listed.period_from,
    listed.period_until
from
    (select user_session.id as id, membership.role as role, membership.grants as grants,
        membership.integrations as integrations, membership.period_from as period_from,
        membership.period_until as period_until
     from membership
     inner join user_account on user_account.id = membership.user_id
     inner join user_session on user_session.user_id = membership.user_id
     where membership.organization_id = :org
         and (membership.expires_at = 0 or membership.expires_at > cast(:now as bigint))
         and user_account.disabled_at = 0
         and user_session.expires_at > cast(:now as bigint)
         and user_session.last_seen_at > cast(:idle_since as bigint)
     union all
     select api_token.id as id, api_token_access.role as role, api_token_access.grants as grants,
        api_token_access.integrations as integrations,
        api_token_access.period_from as period_from,
        api_token_access.period_until as period_until
     from api_token_access
     inner join api_token on api_token.id = api_token_access.token_id
     where api_token_access.organization_id = :org and api_token_access.revoked_at = 0
         and (api_token_access.expires_at = 0
             or api_token_access.expires_at > cast(:now as bigint))
         and api_token.revoked_at = 0
         and (api_token.expires_at = 0 or api_token.expires_at > cast(:now as bigint))
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
                          and api_token_access.grants is null))))) as listed
where listed.id > :after
order by listed.id
limit cast(:limit as bigint);
