-- What `assay doctor` asks the database (store/inspection.c).

-- name: inspection_server
-- Version, login role, whether it is a superuser, passes by row-level security, how many tables it
-- owns, and how many tables of organizations are not guarded.
-- installation
select
-- dialect: sqlite
    sqlite_version(), '', 0, 0, 0, 0
-- dialect: postgres
    current_setting('server_version'), cast(session_user as text),
    cast((select count(*) from pg_catalog.pg_roles
          where rolname = session_user and rolsuper) as bigint),
    cast((select count(*) from pg_catalog.pg_roles
          where rolname = session_user and rolbypassrls) as bigint),
    cast((select count(*) from pg_catalog.pg_class
          where relkind = 'r' and relnamespace = cast('public' as regnamespace)
              and pg_get_userbyid(relowner) = session_user) as bigint),
    cast((select count(*) from pg_catalog.pg_class
          where relkind = 'r' and relnamespace = cast('public' as regnamespace)
              and exists
                  (select 1 from pg_catalog.pg_attribute
                   where attrelid = pg_class.oid and attname = 'organization_id'
                       and not attisdropped)
              and not (relrowsecurity and relforcerowsecurity)) as bigint)
-- dialect: end
;

-- name: inspection_leases
-- Runs whose lease is over since a time, and nobody has taken them on.
-- system
select count(*)
from job
where status = 'running' and lease_owner <> '' and lease_until < cast(:before as bigint);
