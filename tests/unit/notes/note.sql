-- The statements of the tests of the db floor (db_support.h).

-- name: note_insert
-- Adds a note.
insert into note (organization_id, id, body) values (:org, :id, :body);

-- name: note_body
-- One note.
select body from note where organization_id = :org and id = :id;

-- name: note_list
-- All notes of the organization.
select id, body from note where organization_id = :org order by id;

-- name: note_count
-- How many.
select count(*) from note where organization_id = :org;

-- name: note_delete
-- Deletes them.
delete from note where organization_id = :org;

-- name: note_list_everywhere
-- All notes of all.
-- system
select organization_id, id from note order by organization_id, id;

-- name: note_read_other
-- The notes of others.
-- system
select id from note where organization_id <> :org;

-- name: note_broken
-- Reads what is not there.
-- installation
select nothing from nowhere;

-- name: note_many
-- As many rows as wanted, of about a kilobyte.
-- installation
-- dialect: sqlite
with recursive counted (n) as
    (select 1 union all select n + 1 from counted where n < :count)
select n, printf('%.*c', 1000, 'x') from counted
-- dialect: postgres
select n, repeat('x', 1000) from generate_series(1, cast(:count as bigint)) n
-- dialect: end
;

-- name: blob_insert
-- Adds bytes.
insert into blob (organization_id, id, bytes) values (:org, :id, :bytes);

-- name: blob_get
-- The bytes.
select bytes from blob where organization_id = :org and id = :id;

-- name: counter_add
-- Counts on.
insert into counter (organization_id, value) values (:org, :by)
on conflict (organization_id) do update set value = counter.value + excluded.value;

-- name: counter_get
-- The count.
select value from counter where organization_id = :org;

-- name: counter_set
-- Another count.
update counter set value = :value where organization_id = :org;

-- name: setting_get
-- One setting.
-- installation
select value from setting where name = :name;

-- name: setting_put
-- Sets one.
-- installation
insert into setting (name, value) values (:name, :value)
on conflict (name) do update set value = excluded.value;

-- name: cast_all
-- Gives the parameters back.
-- installation
select cast(:text as {{text}}), cast(:integer as {{int}}), cast(:real as {{real}}),
    cast(:blob as {{blob}}), cast(:nothing as {{text}});

-- name: integrity
-- Whether the file is sound.
-- installation
-- dialect: sqlite
pragma integrity_check
-- dialect: postgres
select 'ok'
-- dialect: end
;
