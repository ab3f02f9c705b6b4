-- The settings that a service was last started with, as salted hashes: see settings_mark.h.

create table settings_mark (
    role {{id}} not null,
    salt {{id}} not null,
    hashes {{text}} not null,
    primary key (role)
) {{strict}};
