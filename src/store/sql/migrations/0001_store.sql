-- The tables of Assay: tenants, connections, the queue of runs, evidence with its ledger, and what
-- was made of it. Times are milliseconds; 0 means never. JSON is text that the database never reads.

create table organization (
    organization_id {{id}} not null,
    name {{id}} not null,
    -- The organization's data key, wrapped by the key-encryption key; '' until one was made.
    wrapped_key {{text}} not null,
    created_at {{time}} not null,
    primary key (organization_id)
) {{strict}};

-- Of the whole installation: the only key that does not begin with an organization.
create table organization_name (
    name {{id}} not null,
    taken_by {{id}} not null,
    primary key (name)
) {{strict}};

create table integration (
    organization_id {{id}} not null,
    id {{id}} not null,
    provider {{id}} not null,
    name {{id}} not null,
    auth {{text}} not null,
    status {{id}} not null,
    status_reason {{text}},
    error_message {{text}},
    settings {{text}} not null,
    account {{text}} not null,
    allow_private {{int}} not null check (allow_private in (0, 1)),
    enabled_checks {{text}},
    evidence_types {{text}},
    scan_schedule {{text}},
    last_sync_at {{time}} not null,
    last_checked_at {{time}} not null,
    next_check_at {{time}} not null,
    last_sync_result {{text}},
    rotation_due_at {{time}} not null,
    owner_user_id {{id}},
    created_at {{time}} not null,
    updated_at {{time}} not null,
    primary key (organization_id, id),
    unique (organization_id, name),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create table credential (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}} not null,
    name {{id}} not null,
    -- JSON object: field -> sealed text; the vault has bound version and expiry into it.
    fields {{text}} not null,
    metadata {{text}} not null,
    version {{int}} not null,
    expires_at {{time}} not null,
    created_at {{time}} not null,
    updated_at {{time}} not null,
    primary key (organization_id, id),
    unique (organization_id, integration_id, name),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

-- Provider definitions by content, installation-wide and immutable.
create table definition_text (
    sha256 {{id}} not null,
    provider {{id}} not null,
    body {{text}} not null,
    created_at {{time}} not null,
    primary key (sha256)
) {{strict}};

-- Rows are small and are updated often; what a job leaves behind is in job_result and journal.
create table job (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}} not null,
    status {{id}} not null
        check (status in ('pending', 'running', 'parked', 'completed', 'failed', 'cancelled')),
    request {{text}} not null,
    definition_sha256 {{id}} not null,
    -- The clock of the run, set at the first claim: a replay sees the same "now".
    run_clock {{time}} not null,
    attempt {{int}} not null,
    journal_batches {{int}} not null,
    -- journal_batches at the last claim: progress since then starts the attempts again.
    journal_mark {{int}} not null,
    priority {{int}} not null,
    -- Claimable from this time on, whatever the status; while running it is the end of the lease.
    due_at {{time}} not null,
    lease_owner {{id}} not null,
    lease_until {{time}} not null,
    fence {{int}} not null,
    created_at {{time}} not null,
    started_at {{time}} not null,
    completed_at {{time}} not null,
    primary key (organization_id, id),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create index job_by_urgency on job (organization_id, priority desc, due_at, id)
    where status in ('pending', 'running', 'parked');
create index job_by_due on job (organization_id, due_at)
    where status in ('pending', 'running', 'parked');
create index job_by_owner on job (lease_owner) where status = 'running';
create index job_by_integration on job (organization_id, integration_id, id);

-- One row per organization. due_at is a lower bound of the due times of its active jobs, so that a
-- claim passes idle organizations by; the largest number means that none is active.
create table job_queue (
    organization_id {{id}} not null,
    served_at {{time}} not null,
    due_at {{time}} not null,
    primary key (organization_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create index job_queue_by_service on job_queue (served_at, organization_id)
    where due_at < 9223372036854775807;

create table job_result (
    organization_id {{id}} not null,
    job_id {{id}} not null,
    result {{text}},
    error {{text}},
    primary key (organization_id, job_id),
    foreign key (organization_id, job_id) references job (organization_id, id)
) {{strict}};

create table journal (
    organization_id {{id}} not null,
    job_id {{id}} not null,
    batch {{int}} not null,
    entries {{int}} not null,
    raw_size {{int}} not null,
    bytes {{blob}} not null,
    primary key (organization_id, job_id, batch),
    foreign key (organization_id, job_id) references job (organization_id, id)
) {{strict}};

create table document (
    organization_id {{id}} not null,
    id {{id}} not null,
    job_id {{id}},
    -- Null while the document is written.
    sha256 {{id}},
    size {{int}} not null,
    created_at {{time}} not null,
    primary key (organization_id, id),
    unique (organization_id, sha256)
) {{strict}};

create index document_unfinished on document (organization_id, created_at) where sha256 is null;

create table document_chunk (
    organization_id {{id}} not null,
    document_id {{id}} not null,
    seq {{int}} not null,
    raw_size {{int}} not null,
    bytes {{blob}} not null,
    primary key (organization_id, document_id, seq),
    foreign key (organization_id, document_id) references document (organization_id, id)
) {{strict}};

create table evidence (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}} not null,
    job_id {{id}},
    evidence_type {{id}} not null,
    source {{id}} not null,
    -- Immutable JSON, verbatim: the ledger's leaf is a hash of salt and these bytes.
    record {{text}} not null,
    salt {{blob}} not null,
    document_id {{id}},
    data_sha256 {{id}},
    completeness {{real}} not null,
    collected_at {{time}} not null,
    valid_from {{time}} not null,
    valid_until {{time}} not null,
    ledger_index {{int}} not null,
    review_state {{id}} not null,
    primary key (organization_id, id),
    unique (organization_id, job_id, evidence_type),
    foreign key (organization_id, integration_id) references integration (organization_id, id),
    foreign key (organization_id, document_id) references document (organization_id, id)
) {{strict}};

create index evidence_by_type
    on evidence (organization_id, integration_id, evidence_type, collected_at, id);

create table ledger_head (
    organization_id {{id}} not null,
    size {{int}} not null,
    -- The hashes of the complete subtrees, the highest first (RFC 6962 section 2.1).
    frontier {{blob}} not null,
    root {{blob}} not null,
    updated_at {{time}} not null,
    primary key (organization_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create table ledger_leaf (
    organization_id {{id}} not null,
    leaf_index {{int}} not null,
    leaf_hash {{blob}} not null,
    evidence_id {{id}} not null,
    primary key (organization_id, leaf_index),
    unique (organization_id, evidence_id)
) {{strict}};

create table check_result (
    organization_id {{id}} not null,
    integration_id {{id}} not null,
    check_id {{id}} not null,
    evidence_type {{id}} not null,
    evidence_id {{id}},
    verdict {{id}} not null,
    reason {{text}},
    judged {{int}} not null,
    passed {{int}} not null,
    failed {{int}} not null,
    could_not_read {{int}} not null,
    not_applicable {{int}} not null,
    severity {{id}} not null,
    definition_sha256 {{id}} not null,
    checked_at {{time}} not null,
    valid_until {{time}} not null,
    primary key (organization_id, integration_id, check_id),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create table finding (
    organization_id {{id}} not null,
    integration_id {{id}} not null,
    check_id {{id}} not null,
    resource {{id}} not null,
    state {{id}} not null check (state in ('open', 'resolved')),
    severity {{id}} not null,
    title {{text}} not null,
    evidence_id {{id}},
    opened_at {{time}} not null,
    last_seen_at {{time}} not null,
    resolved_at {{time}} not null,
    primary key (organization_id, integration_id, check_id, resource),
    foreign key (organization_id, integration_id) references integration (organization_id, id)
) {{strict}};

create index finding_open on finding (organization_id, integration_id, check_id, resource)
    where state = 'open';

create table finding_transition (
    organization_id {{id}} not null,
    id {{id}} not null,
    integration_id {{id}} not null,
    check_id {{id}} not null,
    resource {{id}} not null,
    kind {{id}} not null check (kind in ('opened', 'resolved', 'regressed')),
    evidence_id {{id}},
    at {{time}} not null,
    primary key (organization_id, id),
    foreign key (organization_id, integration_id, check_id, resource)
        references finding (organization_id, integration_id, check_id, resource)
) {{strict}};

create index finding_transition_by_finding
    on finding_transition (organization_id, integration_id, check_id, resource, id);

create table control_status (
    organization_id {{id}} not null,
    framework {{id}} not null,
    control_id {{id}} not null,
    status {{id}} not null,
    verdict_beside {{id}},
    reason {{text}},
    confidence {{real}} not null,
    detail {{text}} not null,
    updated_at {{time}} not null,
    primary key (organization_id, framework, control_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create table control_exception (
    organization_id {{id}} not null,
    framework {{id}} not null,
    control_id {{id}} not null,
    who {{text}} not null,
    why {{text}} not null,
    until_at {{time}} not null,
    created_at {{time}} not null,
    primary key (organization_id, framework, control_id),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};

create table score (
    organization_id {{id}} not null,
    framework {{id}} not null,
    taken_at {{time}} not null,
    met_weight {{real}} not null,
    applicable_weight {{real}} not null,
    score {{real}} not null,
    counts {{text}} not null,
    primary key (organization_id, framework, taken_at),
    foreign key (organization_id) references organization (organization_id)
) {{strict}};
