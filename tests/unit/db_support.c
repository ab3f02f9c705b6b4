#include "db_support.h"
#include "db/migrate.h"
#include <glib/gstdio.h>
#include <string.h>

#define PARAMETERS(name, ...) static const char *const name[] = {__VA_ARGS__}

PARAMETERS(id_bytes, "org", "id", "bytes");
PARAMETERS(id_body, "org", "id", "body");
PARAMETERS(org_id, "org", "id");
PARAMETERS(only_org, "org");
PARAMETERS(org_by, "org", "by");
PARAMETERS(name_value, "name", "value");
PARAMETERS(only_name, "name");
PARAMETERS(five_kinds, "text", "integer", "real", "blob", "nothing");

#define NO_POSTGRES ""
#define STATEMENT(name, kind, sql, parameters)                                                     \
    { name, "of the tests", kind, sql, NO_POSTGRES, parameters, G_N_ELEMENTS(parameters) }
#define STATEMENT_BARE(name, kind, sql)                                                            \
    { name, "of the tests", kind, sql, NO_POSTGRES, NULL, 0 }

static const StatementText notes[] = {
    STATEMENT("blob_get", STATEMENT_TENANT,
              "select bytes from blob where organization_id = ?1 and id = ?2", org_id),
    STATEMENT("blob_insert", STATEMENT_TENANT,
              "insert into blob (organization_id, id, bytes) values (?1, ?2, ?3)", id_bytes),
    STATEMENT("cast_all", STATEMENT_INSTALLATION, "select ?1, ?2, ?3, ?4, ?5", five_kinds),
    STATEMENT("counter_add", STATEMENT_TENANT,
              "insert into counter (organization_id, value) values (?1, ?2)"
              " on conflict (organization_id) do update set value = counter.value + excluded.value",
              org_by),
    STATEMENT("counter_get", STATEMENT_TENANT,
              "select value from counter where organization_id = ?1", only_org),
    STATEMENT_BARE("integrity", STATEMENT_INSTALLATION, "pragma integrity_check"),
    STATEMENT("note_body", STATEMENT_TENANT,
              "select body from note where organization_id = ?1 and id = ?2", org_id),
    STATEMENT_BARE("note_broken", STATEMENT_INSTALLATION, "select nothing from nowhere"),
    STATEMENT("note_count", STATEMENT_TENANT,
              "select count(*) from note where organization_id = ?1", only_org),
    STATEMENT("note_delete", STATEMENT_TENANT, "delete from note where organization_id = ?1",
              only_org),
    STATEMENT("note_insert", STATEMENT_TENANT,
              "insert into note (organization_id, id, body) values (?1, ?2, ?3)", id_body),
    STATEMENT("note_list", STATEMENT_TENANT,
              "select id, body from note where organization_id = ?1 order by id", only_org),
    STATEMENT_BARE("note_list_everywhere", STATEMENT_SYSTEM,
                   "select organization_id, id from note order by organization_id, id"),
    STATEMENT("note_read_other", STATEMENT_SYSTEM,
              "select id from note where organization_id <> ?1", only_org),
    STATEMENT("setting_get", STATEMENT_INSTALLATION, "select value from setting where name = ?1",
              only_name),
    STATEMENT("setting_put", STATEMENT_INSTALLATION,
              "insert into setting (name, value) values (?1, ?2)"
              " on conflict (name) do update set value = excluded.value",
              name_value),
};

static const char schema[] =
    "create table note (organization_id text not null, id text not null, body text not null,"
    " primary key (organization_id, id)) strict;"
    "create table blob (organization_id text not null, id text not null, bytes blob not null,"
    " primary key (organization_id, id)) strict;"
    "create table counter (organization_id text not null primary key, value integer not null)"
    " strict;"
    "create table setting (name text not null primary key, value text not null) strict;";

const DbScope scope_one = {.organization = "org-1", .actor = "ann", .role = "owner"};
const DbScope scope_two = {.organization = "org-2", .actor = "bob", .role = "owner"};
const DbScope scope_system = {.actor = "scheduler", .system = true};
const DbScope scope_nobody = {.actor = "nobody"};

static int compare_names(const void *a, const void *b) {
    return strcmp(((const StatementText *)a)->name, ((const StatementText *)b)->name);
}

/* The program's own statements about migrations, and those above. */
const StatementCatalogue *support_catalogue(void) {
    static StatementText statements[G_N_ELEMENTS(notes) + 3];
    static MigrationText migrations[2];
    static StatementCatalogue catalogue;
    static const char *const own[] = {"schema_migration_exists", "schema_migration_insert",
                                      "schema_migration_list"};
    if (catalogue.statements)
        return &catalogue;
    memcpy(statements, notes, sizeof notes);
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        statements[G_N_ELEMENTS(notes) + i] = *statement_find(&statement_catalogue, own[i]);
    qsort(statements, G_N_ELEMENTS(statements), sizeof statements[0], compare_names);
    migrations[0] = statement_catalogue.migrations[0];
    migrations[1] = (MigrationText){1, "notes", "b1", schema, NO_POSTGRES};
    catalogue = (StatementCatalogue){statements, G_N_ELEMENTS(statements), migrations, 2};
    return &catalogue;
}

Db *support_open(const char *url, const DbOptions *options) {
    g_autoptr(GError) error = NULL;
    DbOptions with_catalogue = options ? *options : (DbOptions){0};
    if (!with_catalogue.catalogue)
        with_catalogue.catalogue = support_catalogue();
    Db *db = db_open_with(url, &with_catalogue, &error);
    g_assert_no_error(error);
    bool migrated = migrate_apply(db, &error);
    g_assert_no_error(error);
    g_assert_true(migrated);
    return db;
}

void fixture_open(Fixture *fixture) {
    fixture->db = support_open(fixture->url, NULL);
}

void fixture_close(Fixture *fixture) {
    db_close(g_steal_pointer(&fixture->db));
}

void fixture_init(Fixture *fixture) {
    fixture->folder = g_dir_make_tmp("assay-db-XXXXXX", NULL);
    g_assert_nonnull(fixture->folder);
    fixture->path = g_build_filename(fixture->folder, "notes.db", NULL);
    fixture->url = g_strconcat("sqlite:", fixture->path, NULL);
    fixture_open(fixture);
}

void fixture_clear(Fixture *fixture) {
    fixture_close(fixture);
    g_autoptr(GDir) folder = g_dir_open(fixture->folder, 0, NULL);
    for (const char *name; folder && (name = g_dir_read_name(folder));) {
        g_autofree char *path = g_build_filename(fixture->folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->url);
}

void expect_run(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data) {
    g_autoptr(GError) error = NULL;
    bool done = db_run(db, scope, mode, work, data, &error);
    g_assert_no_error(error);
    g_assert_true(done);
}

void expect_error(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data,
                  ErrorCode code, const char *text) {
    g_autoptr(GError) error = NULL;
    g_assert_false(db_run(db, scope, mode, work, data, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, text));
}

bool insert_note(DbUnit *unit, void *data, GError **error) {
    const Note *note = data;
    DbStatement *statement = db_prepare(unit, "note_insert");
    db_bind_text(statement, "id", note->id);
    db_bind_text(statement, "body", note->body);
    return db_exec(statement, error);
}

bool add_to_counter(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "counter_add");
    db_bind_int(statement, "by", 1);
    return db_exec(statement, error);
}

static bool read_one(DbUnit *unit, const char *name, int64_t *value_out, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    bool row = false;
    if (!db_step(statement, &row, error))
        return false;
    *value_out = row ? db_column_int(statement, 0) : 0;
    return true;
}

bool read_counter(DbUnit *unit, void *int64_out, GError **error) {
    return read_one(unit, "counter_get", int64_out, error);
}

bool count_notes(DbUnit *unit, void *int64_out, GError **error) {
    return read_one(unit, "note_count", int64_out, error);
}

bool check_integrity(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "integrity");
    bool row = false;
    if (!db_step(statement, &row, error))
        return false;
    g_assert_cmpstr(db_column_text(statement, 0), ==, "ok");
    return true;
}

int64_t support_note_count(Db *db, const DbScope *scope) {
    int64_t count = -1;
    expect_run(db, scope, DB_READ, count_notes, &count);
    return count;
}

int64_t support_counter(Db *db, const DbScope *scope) {
    int64_t value = -1;
    expect_run(db, scope, DB_READ, read_counter, &value);
    return value;
}
