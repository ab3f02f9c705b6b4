-- Answers to writes that came with an Idempotency-Key, kept so that the same request sent again is
-- answered again and not done again.

create table idempotency (
    organization_id {{id}} not null,
    -- The user or token that sent it: keys of one caller mean nothing to another.
    actor {{id}} not null,
    idempotency_key {{id}} not null,
    -- What was asked: SHA-256 over a salt, method, path and body.
    salt {{blob}} not null,
    fingerprint {{id}} not null,
    -- 0 while the request is being handled.
    status {{int}} not null,
    media {{text}},
    body {{text}},
    created_at {{time}} not null,
    -- While it is being handled: when the handler is taken for dead. Then: when it is forgotten.
    expires_at {{time}} not null,
    primary key (organization_id, actor, idempotency_key)
) {{strict}};

create index idempotency_by_end on idempotency (organization_id, expires_at);
