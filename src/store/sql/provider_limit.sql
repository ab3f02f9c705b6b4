-- The operator's own limits: see provider_limit.h.

-- name: provider_limit_list
-- The operator's own limits.
-- installation
select provider, limit_calls, window_ms, set_at
from provider_limit
order by provider;

-- name: provider_limit_put
-- Sets the operator's own limit for a provider.
-- installation
insert into provider_limit (provider, limit_calls, window_ms, set_at)
values (:provider, :limit_calls, :window_ms, :set_at)
on conflict (provider) do update
set limit_calls = excluded.limit_calls, window_ms = excluded.window_ms, set_at = excluded.set_at;

-- name: provider_limit_drop
-- Takes the operator's own limit for a provider away.
-- installation
delete from provider_limit
where provider = :provider;
