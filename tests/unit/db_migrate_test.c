/* Migrations: applied once, in order, checked, all or nothing. */
#include "base/clock.h"
#include "db/migrate.h"
#include "db_support.h"
#include "unit/database_stage.h"
#include <pthread.h>
#include <string.h>

/* A migration that both engines read alike. */
#define SAME(version, name, sha256, sql)                                                           \
    { version, name, sha256, sql, sql }

/* The notes catalogue with other migrations. */
static StatementCatalogue with_migrations(const MigrationText *migrations, size_t count) {
    StatementCatalogue catalogue = *support_catalogue();
    catalogue.migrations = migrations;
    catalogue.migration_count = count;
    return catalogue;
}

static Db *open_unmigrated(const char *url, const StatementCatalogue *catalogue) {
    g_autoptr(GError) error = NULL;
    const DbOptions options = {.catalogue = catalogue};
    Db *db = db_open_with(url, &options, &error);
    g_assert_no_error(error);
    return db;
}

static int version_of(Db *db) {
    g_autoptr(GError) error = NULL;
    int version = -2;
    bool read = migrate_version(db, &version, &error);
    g_assert_no_error(error);
    g_assert_true(read);
    return version;
}

static void expect_migrate_error(Db *db, const char *text) {
    g_autoptr(GError) error = NULL;
    g_assert_false(migrate_apply(db, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_DATABASE);
    if (!strstr(error->message, text))
        g_error("\"%s\" does not say \"%s\"", error->message, text);
}

static void empty_database_has_no_version(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *url = fixture_empty_url(&f);
    g_autoptr(Db) db = open_unmigrated(url, support_catalogue());
    g_assert_cmpint(version_of(db), ==, -1);
    g_assert_true(migrate_apply(db, NULL));
    g_assert_cmpint(version_of(db), ==, 1);
    g_clear_pointer(&db, db_close);
    fixture_clear(&f);
}

static void applying_again_changes_nothing(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "body"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
    g_assert_true(migrate_apply(f.db, NULL));
    fixture_close(&f);
    fixture_open(&f);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static void later_migrations_are_added(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    const MigrationText migrations[] = {
        support_catalogue()->migrations[0],
        support_catalogue()->migrations[1],
        SAME(2, "index", "b2", "create index note_by_body on note (organization_id, body);"),
        SAME(3, "column", "b3", "alter table note add column kind text;"),
    };
    StatementCatalogue catalogue = with_migrations(migrations, 4);
    f.db = open_unmigrated(f.url, &catalogue);
    g_assert_cmpint(version_of(f.db), ==, 1);
    g_assert_true(migrate_apply(f.db, NULL));
    g_assert_cmpint(version_of(f.db), ==, 3);
    fixture_clear(&f);
}

/* The version before, which knows two migrations less than have been applied. */
static void open_as_older(Fixture *f, const char *newest) {
    fixture_init(f);
    fixture_close(f);
    const MigrationText migrations[] = {
        support_catalogue()->migrations[0],
        support_catalogue()->migrations[1],
        SAME(2, "column", "b2", "alter table note add column kind text;"),
        SAME(3, newest, "b3", "create table more (id text not null);"),
    };
    StatementCatalogue newer = with_migrations(migrations, 4);
    f->db = open_unmigrated(f->url, &newer);
    g_assert_true(migrate_apply(f->db, NULL));
    fixture_close(f);
    f->db = open_unmigrated(f->url, support_catalogue());
}

static void an_older_program_goes_on_with_what_was_only_added_to(void) {
    Fixture f;
    open_as_older(&f, "more");
    g_assert_true(migrate_apply(f.db, NULL));
    g_assert_cmpint(version_of(f.db), ==, 3);
    Note note = {"n", "body"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static void an_older_program_refuses_what_was_taken_away_from(void) {
    Fixture f;
    open_as_older(&f, "contract_more");
    expect_migrate_error(f.db, "has schema 3 and this program knows 1, which cannot go on with it");
    fixture_clear(&f);
}

static void changed_migration_is_refused(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    MigrationText migrations[] = {support_catalogue()->migrations[0],
                                  support_catalogue()->migrations[1]};
    migrations[1].sha256 = "other";
    StatementCatalogue catalogue = with_migrations(migrations, 2);
    f.db = open_unmigrated(f.url, &catalogue);
    expect_migrate_error(f.db, "migration 1 (notes) was changed after it was applied");
    fixture_clear(&f);
}

static void failing_migration_leaves_nothing_behind(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    const MigrationText migrations[] = {
        support_catalogue()->migrations[0],
        support_catalogue()->migrations[1],
        SAME(2, "fine", "b2", "create table fine (id text not null);"),
        SAME(3, "broken", "b3", "create table half (id text not null); create nonsense;"),
    };
    StatementCatalogue catalogue = with_migrations(migrations, 4);
    f.db = open_unmigrated(f.url, &catalogue);
    expect_migrate_error(f.db, "migration 3 (broken)");
    g_assert_cmpint(version_of(f.db), ==, 1);
    fixture_close(&f);
    /* Had the table of migration 2 stayed, this would fail. */
    StatementCatalogue repaired = with_migrations(migrations, 3);
    f.db = open_unmigrated(f.url, &repaired);
    g_assert_true(migrate_apply(f.db, NULL));
    g_assert_cmpint(version_of(f.db), ==, 2);
    fixture_clear(&f);
}

static bool forget_first(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    return db_exec(db_prepare(unit, "forget_first"), error);
}

#define FORGET_FIRST "delete from schema_migration where version = 0"

/* On PostgreSQL no unit may do that. */
static void forget_first_migration(Fixture *f) {
    static const StatementText statements[] = {{"forget_first", "Drops a row.",
                                                STATEMENT_INSTALLATION, FORGET_FIRST, FORGET_FIRST,
                                                NULL, 0}};
    StatementCatalogue catalogue = *support_catalogue();
    catalogue.statements = statements;
    catalogue.statement_count = 1;
    f->db = open_unmigrated(f->url, &catalogue);
    if (stage_is_postgres()) {
        expect_error(f->db, &scope_system, DB_WRITE, forget_first, NULL, ERROR_DATABASE,
                     "the role may not do this");
        g_free(stage_database_ask(f->url, FORGET_FIRST));
    } else {
        expect_run(f->db, &scope_system, DB_WRITE, forget_first, NULL);
    }
    fixture_close(f);
}

static void gap_in_the_table_is_noticed(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    forget_first_migration(&f);
    f.db = open_unmigrated(f.url, support_catalogue());
    expect_migrate_error(f.db, "migration 0 is missing");
    fixture_clear(&f);
}

static void *apply_thread(void *url) {
    g_autoptr(Db) db = support_open(url, NULL);
    return NULL;
}

static void programs_that_start_at_once_apply_once(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *url = fixture_empty_url(&f);
    pthread_t threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, apply_thread, url), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_autoptr(Db) db = open_unmigrated(url, support_catalogue());
    g_assert_cmpint(version_of(db), ==, 1);
    g_clear_pointer(&db, db_close);
    fixture_clear(&f);
}

static bool read_applied_at(DbUnit *unit, void *int64_out, GError **error) {
    bool row = false;
    DbStatement *statement = db_prepare(unit, "applied_at");
    if (!db_step(statement, &row, error))
        return false;
    *(int64_t *)int64_out = db_column_int(statement, 0);
    return true;
}

#define APPLIED_AT "select min(applied_at) from schema_migration"

static void time_of_application_is_remembered(void) {
    static const StatementText statements[] = {
        {"applied_at", "When.", STATEMENT_INSTALLATION, APPLIED_AT, APPLIED_AT, NULL, 0}};
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    g_autofree char *url = fixture_empty_url(&f);
    clock_freeze(1763625600000);
    db_close(support_open(url, NULL));
    clock_thaw();
    StatementCatalogue catalogue = *support_catalogue();
    catalogue.statements = statements;
    catalogue.statement_count = 1;
    f.db = open_unmigrated(url, &catalogue);
    int64_t applied_at = 0;
    expect_run(f.db, &scope_system, DB_READ, read_applied_at, &applied_at);
    g_assert_cmpint(applied_at, ==, 1763625600000);
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/migrate/" #name, name)
    ADD(empty_database_has_no_version);
    ADD(applying_again_changes_nothing);
    ADD(later_migrations_are_added);
    ADD(an_older_program_goes_on_with_what_was_only_added_to);
    ADD(an_older_program_refuses_what_was_taken_away_from);
    ADD(changed_migration_is_refused);
    ADD(failing_migration_leaves_nothing_behind);
    ADD(gap_in_the_table_is_noticed);
    ADD(programs_that_start_at_once_apply_once);
    ADD(time_of_application_is_remembered);
    return g_test_run();
}
