-- Requests that jobs have sent to services, for figures: sums of the whole installation, without a
-- word about whose they were.

create table service_call (
    provider {{id}} not null,
    outcome {{id}} not null,
    calls {{int}} not null,
    primary key (provider, outcome)
) {{strict}};
