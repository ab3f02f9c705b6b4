-- Limits that workers share, and what Redis holds when there is one: states of logins, access tokens,
-- the newest security events. A budget belongs to no organization: an application's limit is of all.

-- What is left of a limit: see net/budget_share.h for the columns. Times are the database's clock.
create table budget (
    budget_key {{id}} not null,
    -- Of budget_authority, when the row was written: a row of another epoch counts as missing.
    epoch {{int}} not null,
    kind {{int}} not null,
    window_ms {{int}} not null,
    limit_calls {{int}} not null,
    told_limit {{int}} not null,
    level_units {{int}} not null,
    level_at {{time}} not null,
    spent_until {{time}} not null,
    remaining {{int}} not null,
    reset_at {{time}} not null,
    heard_at {{time}} not null,
    held_until {{time}} not null,
    factor {{int}} not null,
    factor_at {{time}} not null,
    touched_at {{time}} not null,
    primary key (budget_key)
) {{strict}};

create index budget_by_use on budget (touched_at);

-- Who uses a limit, and what they hold of it.
create table budget_holder (
    budget_key {{id}} not null,
    holder {{id}} not null,
    calls {{int}} not null,
    until_at {{time}} not null,
    primary key (budget_key, holder)
) {{strict}};

create index budget_holder_by_holder on budget_holder (holder);

-- Where limits are counted, for everybody: one row, or none while nobody ever had Redis.
create table budget_authority (
    id {{int}} not null check (id = 1),
    epoch {{int}} not null,
    place {{id}} not null check (place in ('database', 'redis')),
    -- Nothing is granted before: by then nobody holds anything of the place before.
    effective_at {{time}} not null,
    changed_at {{time}} not null,
    primary key (id)
) {{strict}};

-- The operator's own limits, for each connection of a provider.
create table provider_limit (
    provider {{id}} not null,
    limit_calls {{int}} not null check (limit_calls > 0),
    window_ms {{int}} not null check (window_ms > 0),
    set_at {{time}} not null,
    primary key (provider)
) {{strict}};

-- States of authorization requests, as hashes; taken once.
create table oauth_state (
    organization_id {{id}} not null,
    state_hash {{id}} not null,
    content {{text}} not null,
    expires_at {{time}} not null,
    primary key (organization_id, state_hash)
) {{strict}};

create index oauth_state_by_end on oauth_state (organization_id, expires_at);

-- Access tokens, sealed by the vault, for as long as they are valid.
create table token_cache (
    organization_id {{id}} not null,
    integration_id {{id}} not null,
    credential {{id}} not null,
    version {{int}} not null,
    sealed {{text}} not null,
    checksum {{id}} not null,
    expires_at {{time}} not null,
    primary key (organization_id, integration_id, credential)
) {{strict}};

create index token_cache_by_end on token_cache (organization_id, expires_at);

-- The newest security events of an organization; the oldest go.
create table security_event (
    organization_id {{id}} not null,
    id {{id}} not null,
    event {{text}} not null,
    at {{time}} not null,
    primary key (organization_id, id)
) {{strict}};
