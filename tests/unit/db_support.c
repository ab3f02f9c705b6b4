#include "db_support.h"
#include "db/migrate.h"
#include "unit/database_stage.h"
#include <glib/gstdio.h>
#include <stdlib.h>
#include <string.h>

/* Of tests/unit/notes, generated. */
extern const StatementCatalogue notes_catalogue;

const DbScope scope_one = {.organization = "org-1", .actor = "ann", .role = "owner"};
const DbScope scope_two = {.organization = "org-2", .actor = "bob", .role = "owner"};
const DbScope scope_system = {.actor = "scheduler", .system = true};
const DbScope scope_nobody = {.actor = "nobody"};

static int compare_names(const void *a, const void *b) {
    return strcmp(((const StatementText *)a)->name, ((const StatementText *)b)->name);
}

static StatementCatalogue with_own_statements(const MigrationText *migrations) {
    static const char *const own[] = {"schema_migration_exists", "schema_migration_insert",
                                      "schema_migration_list"};
    size_t count = notes_catalogue.statement_count;
    StatementText *statements = g_new0(StatementText, count + G_N_ELEMENTS(own));
    memcpy(statements, notes_catalogue.statements, count * sizeof *statements);
    for (size_t i = 0; i < G_N_ELEMENTS(own); i++)
        statements[count++] = *statement_find(&statement_catalogue, own[i]);
    qsort(statements, count, sizeof *statements, compare_names);
    return (StatementCatalogue){statements, count, migrations, 2};
}

/* The program's own statements about migrations, and those of tests/unit/notes. */
const StatementCatalogue *support_catalogue(void) {
    static MigrationText migrations[2];
    static StatementCatalogue catalogue;
    if (catalogue.statements)
        return &catalogue;
    migrations[0] = statement_catalogue.migrations[0];
    migrations[1] = notes_catalogue.migrations[0];
    migrations[1].version = 1;
    catalogue = with_own_statements(migrations);
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
    fixture->url = stage_database_url(fixture->folder, "notes.db", support_catalogue());
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
    stage_leave(fixture->folder);
    g_free(fixture->folder);
    g_free(fixture->path);
    g_free(fixture->url);
}

char *fixture_empty_url(const Fixture *fixture) {
    return stage_database_url(fixture->folder, "empty.db", NULL);
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
    if (!strstr(error->message, text))
        g_error("\"%s\" does not say \"%s\"", error->message, text);
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

void tally_count(Tally *tally, const GError *error) {
    pthread_mutex_lock(&tally->lock);
    tally->done++;
    if (error) {
        tally->failed++;
        g_free(tally->last_error);
        tally->last_error = g_strdup(error->message);
    }
    pthread_cond_signal(&tally->changed);
    pthread_mutex_unlock(&tally->lock);
}

void tally_wait(Tally *tally, int count) {
    pthread_mutex_lock(&tally->lock);
    while (tally->done < count)
        pthread_cond_wait(&tally->changed, &tally->lock);
    pthread_mutex_unlock(&tally->lock);
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
