-- People, programs with tokens, and the audit log. What has no organization_id belongs to the
-- installation.

create table user_account (
    id {{id}} not null,
    email {{id}} not null,
    name {{text}} not null,
    password_hash {{text}},
    password_changed_at {{time}} not null,
    disabled_at {{time}} not null,
    last_login_at {{time}} not null,
    created_at {{time}} not null,
    updated_at {{time}} not null,
    primary key (id),
    unique (email)
) {{strict}};

create table membership (
    organization_id {{id}} not null,
    user_id {{id}} not null,
    role {{id}} not null check (role in ('owner', 'admin', 'member', 'auditor', 'scanner')),
    grants {{text}},
    integrations {{text}},
    period_from {{time}} not null,
    period_until {{time}} not null,
    expires_at {{time}} not null,
    created_at {{time}} not null,
    updated_at {{time}} not null,
    primary key (organization_id, user_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create index membership_by_user on membership (user_id, organization_id);

create table invitation (
    organization_id {{id}} not null,
    id {{id}} not null,
    email {{id}} not null,
    role {{id}} not null check (role in ('owner', 'admin', 'member', 'auditor', 'scanner')),
    grants {{text}},
    integrations {{text}},
    period_from {{time}} not null,
    period_until {{time}} not null,
    token_hash {{id}} not null,
    invited_by {{id}},
    created_at {{time}} not null,
    expires_at {{time}} not null,
    closed_at {{time}} not null,
    accepted_by {{id}},
    primary key (organization_id, id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create index invitation_by_token on invitation (token_hash);
create index invitation_open on invitation (organization_id, email) where closed_at = 0;

-- One row at most: the link that makes the first user.
create table setup_token (
    name {{id}} not null check (name = 'setup'),
    token_hash {{id}} not null,
    created_at {{time}} not null,
    expires_at {{time}} not null,
    primary key (name)
) {{strict}};

-- A key is "user:" and a hash of the e-mail address, or "address:" and where it came from.
create table login_attempt (
    source {{id}} not null,
    failures {{int}} not null,
    last_at {{time}} not null,
    locked_until {{time}} not null,
    primary key (source)
) {{strict}};

create index login_attempt_by_age on login_attempt (last_at);

create table user_session (
    id {{id}} not null,
    user_id {{id}} not null,
    token_hash {{id}} not null,
    address {{text}} not null,
    agent {{text}},
    created_at {{time}} not null,
    last_seen_at {{time}} not null,
    expires_at {{time}} not null,
    primary key (id),
    unique (token_hash),
    foreign key (user_id) references user_account (id)
) {{strict}};

create index user_session_by_user on user_session (user_id, id);

create table api_token (
    id {{id}} not null,
    name {{text}} not null,
    token_hash {{id}} not null,
    hint {{text}} not null,
    operator {{int}} not null check (operator in (0, 1)),
    created_by {{id}},
    created_at {{time}} not null,
    expires_at {{time}} not null,
    revoked_at {{time}} not null,
    last_used_at {{time}} not null,
    primary key (id),
    unique (token_hash)
) {{strict}};

-- What a token may in one organization.
create table api_token_access (
    organization_id {{id}} not null,
    token_id {{id}} not null,
    role {{id}} not null check (role in ('owner', 'admin', 'member', 'auditor', 'scanner')),
    grants {{text}},
    integrations {{text}},
    period_from {{time}} not null,
    period_until {{time}} not null,
    expires_at {{time}} not null,
    created_at {{time}} not null,
    revoked_at {{time}} not null,
    primary key (organization_id, token_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create index api_token_access_by_token on api_token_access (token_id, organization_id);

-- The audit log. Its organization may be 'installation', so it refers to no organization; and it
-- outlives those that are deleted. Rows are inserted, and never changed or deleted.
create table audit (
    organization_id {{id}} not null,
    id {{id}} not null,
    at {{time}} not null,
    action {{id}} not null,
    actor_id {{id}},
    actor_name {{id}},
    target_id {{id}},
    target_name {{id}},
    result {{id}} not null check (result in ('ok', 'denied', 'failed')),
    -- Whether the activity of the organization shows it.
    for_people {{int}} not null check (for_people in (0, 1)),
    -- Immutable JSON, verbatim: the leaf of the tree is a hash of salt and these bytes.
    record {{text}} not null,
    salt {{blob}} not null,
    primary key (organization_id, id)
) {{strict}};

-- Rows are written far more often than searched: filters walk the primary key, whose ids begin with
-- their time, and have no indexes of their own.
create index audit_for_people on audit (organization_id, id) where for_people = 1;

-- Rows that have no leaf yet.
create table audit_pending (
    organization_id {{id}} not null,
    audit_id {{id}} not null,
    primary key (organization_id, audit_id)
) {{strict}};

create table audit_head (
    organization_id {{id}} not null,
    size {{int}} not null,
    -- The hashes of the complete subtrees, the highest first (RFC 6962 section 2.1).
    frontier {{blob}} not null,
    root {{blob}} not null,
    updated_at {{time}} not null,
    primary key (organization_id)
) {{strict}};

create table audit_leaf (
    organization_id {{id}} not null,
    leaf_index {{int}} not null,
    audit_id {{id}} not null,
    primary key (organization_id, leaf_index),
    unique (organization_id, audit_id)
) {{strict}};

-- Every complete subtree, so that a proof reads a few rows: level 0 are the leaves.
create table audit_node (
    organization_id {{id}} not null,
    level {{int}} not null,
    position {{int}} not null,
    hash {{blob}} not null,
    primary key (organization_id, level, position)
) {{strict}};

-- No statement of the program changes these; here the database refuses it as well, on PostgreSQL
-- twice: the owner of the tables is held to it too.
-- dialect: sqlite
create trigger audit_keeps_rows before delete on audit
begin
    select raise(abort, 'audit rows are not deleted');
end;
create trigger audit_keeps_values before update on audit
begin
    select raise(abort, 'audit rows are not changed');
end;
create trigger audit_leaf_keeps_rows before delete on audit_leaf
begin
    select raise(abort, 'audit leaves are not deleted');
end;
create trigger audit_leaf_keeps_values before update on audit_leaf
begin
    select raise(abort, 'audit leaves are not changed');
end;
create trigger audit_node_keeps_rows before delete on audit_node
begin
    select raise(abort, 'audit nodes are not deleted');
end;
create trigger audit_node_keeps_values before update on audit_node
begin
    select raise(abort, 'audit nodes are not changed');
end;
-- dialect: postgres
create function audit_refuse() returns trigger language plpgsql as '
begin
    raise exception ''rows of % are neither changed nor deleted'', tg_table_name;
end';
revoke update, delete on audit from assay_app;
revoke update, delete on audit_leaf from assay_app;
revoke update, delete on audit_node from assay_app;
create trigger audit_keeps before update or delete or truncate on audit
    for each statement execute function audit_refuse();
create trigger audit_leaf_keeps before update or delete or truncate on audit_leaf
    for each statement execute function audit_refuse();
create trigger audit_node_keeps before update or delete or truncate on audit_node
    for each statement execute function audit_refuse();
-- dialect: end
