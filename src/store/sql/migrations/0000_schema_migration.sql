-- The table that remembers which migrations were applied. It is made before all others, each time
-- migrations are looked at, hence "if not exists".
create table if not exists schema_migration (
    version {{int}} not null primary key,
    name {{text}} not null,
    sha256 {{text}} not null, -- of the migration's file
    applied_at {{time}} not null
) {{strict}};
