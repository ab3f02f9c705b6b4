-- What a database is made of: see schema_part.h.

-- name: schema_part_list
-- Tables, indexes, views and triggers, without what SQLite makes by itself (statistics, and the
-- indexes of constraints).
-- installation
-- dialect: sqlite
select type || ' ' || name as name, sql as text
from sqlite_master
where sql is not null and not (type = 'table' and name in ('sqlite_stat1', 'sqlite_stat4'))
-- dialect: postgres
select 'table ' || relname::text as name, oid::text as text
from pg_catalog.pg_class
where relkind = 'r' and relnamespace = current_schema()::regnamespace
-- dialect: end
order by 1;
