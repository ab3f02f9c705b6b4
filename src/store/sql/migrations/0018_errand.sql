-- Tests of connections that took longer than whoever asked for them waited, so that every process
-- can say what became of them: see errand_row.h.

create table errand (
    organization_id {{id}} not null,
    id {{id}} not null,
    kind {{id}} not null,
    -- Null: it makes a new one.
    integration_id {{id}},
    -- The user or token that asked.
    actor_id {{id}} not null,
    status {{id}} not null,
    -- JSON, once it has ended: the answer, or what was wrong.
    result {{text}},
    problem {{text}},
    started_at {{time}} not null,
    ended_at {{time}} not null,
    -- While it is under way: when its process is taken for dead.
    lease_until {{time}} not null,
    expires_at {{time}} not null,
    primary key (organization_id, id)
) {{strict}};

create index errand_by_end on errand (organization_id, expires_at);
