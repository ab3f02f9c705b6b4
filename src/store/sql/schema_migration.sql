-- Which migrations were applied (db/migrate.c).

-- name: schema_migration_exists
-- One row when the table schema_migration is there.
-- installation
select 1
-- dialect: sqlite
from sqlite_master
where type = 'table' and name = 'schema_migration'
-- dialect: postgres
from pg_catalog.pg_class
where oid = to_regclass('schema_migration')
-- dialect: end
;

-- name: schema_migration_list
-- Every applied migration, oldest first.
-- installation
select version, name, sha256
from schema_migration
order by version;

-- name: schema_migration_insert
-- Remembers that a migration was applied.
-- installation
insert into schema_migration (version, name, sha256, applied_at)
values (:version, :name, :sha256, :applied_at);
