-- Scanners: when an integration is due for them and who has taken it, and what they have found.

-- An integration without a row was never scanned, and is due.
create table scan (
    organization_id {{id}} not null,
    integration_id {{id}} not null,
    due_at {{time}} not null,
    -- The token or user that has taken it, until then; '' nobody.
    scanner {{id}} not null,
    leased_until {{time}} not null,
    scanned_at {{time}} not null,
    primary key (organization_id, integration_id),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create table assessment (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}} not null,
    check_name {{id}} not null,
    resource {{id}} not null,
    result {{id}} not null check (result in ('pass', 'fail', 'could_not_read', 'not_applicable')),
    -- JSON, as the scanner gave it.
    details {{text}},
    scanner {{id}} not null,
    scanner_name {{text}},
    assessed_at {{time}} not null,
    primary key (organization_id, id),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create index assessment_by_integration on assessment (organization_id, integration_id, id);
