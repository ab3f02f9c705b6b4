-- What an organization has changed in the mapping of checks to controls: see control_mapping.h.

create table control_mapping (
    organization_id {{id}} not null,
    framework {{id}} not null,
    control_id {{id}} not null,
    provider {{id}} not null,
    -- "type.check"
    check_id {{id}} not null,
    -- 1: the check supports the control, too; 0: it is set aside.
    added {{int}} not null check (added in (0, 1)),
    who {{text}} not null,
    why {{text}} not null,
    created_at {{time}} not null,
    primary key (organization_id, framework, control_id, provider, check_id)
) {{strict}};
