-- The tables of the tests of the db floor.
create table note (
    organization_id {{id}} not null,
    id {{id}} not null,
    body {{text}} not null,
    primary key (organization_id, id)
) {{strict}};

create table blob (
    organization_id {{id}} not null,
    id {{id}} not null,
    bytes {{blob}} not null,
    primary key (organization_id, id)
) {{strict}};

create table counter (
    organization_id {{id}} not null primary key,
    value {{int}} not null
) {{strict}};

create table setting (
    name {{id}} not null primary key,
    value {{text}} not null
) {{strict}};

-- As in the program's own migration of this name.
-- dialect: sqlite
-- dialect: postgres
create table commit_mark (
    session {{id}} not null primary key,
    number {{int}} not null,
    fenced {{int}} not null,
    at {{time}} not null
) {{strict}};
-- dialect: end
