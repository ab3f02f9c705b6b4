-- What has happened in an organization, for those who watch it: see event.h. The numbers of an
-- organization have no gaps when they are given; rows that are old or purged are missing later.

create table event (
    organization_id {{id}} not null,
    seq {{int}} not null,
    at {{time}} not null,
    kind {{id}} not null,
    integration_id {{id}},
    job_id {{id}},
    -- JSON: what the event says besides.
    data {{text}} not null,
    primary key (organization_id, seq)
) {{strict}};

-- The last number of an organization, and when it was given: where to look for news.
create table event_head (
    organization_id {{id}} not null,
    seq {{int}} not null,
    at {{time}} not null,
    primary key (organization_id)
) {{strict}};

create index event_head_by_time on event_head (at);
