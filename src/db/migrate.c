#include "db/migrate.h"
#include "base/clock.h"
#include "base/text.h"
#include "db/driver.h"
#include <string.h>

static const DbScope installation = {.actor = "migrate", .system = true};

typedef struct {
    const StatementCatalogue *catalogue;
    size_t applied; /* how many; the next migration has this number */
} Progress;

static bool table_exists(DbUnit *unit, bool *exists_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "schema_migration_exists");
    if (!db_step(statement, exists_out, error))
        return false;
    if (*exists_out)
        db_reset(statement);
    return true;
}

/* A migration of a newer program: what only adds is not in the way of this one. */
static bool check_newer(const StatementCatalogue *catalogue, DbStatement *row, GError **error) {
    const char *name = db_column_text(row, 1);
    if (name && !text_starts_with(name, MIGRATE_CONTRACT))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "the database has schema %" G_GINT64_FORMAT
                " and this program knows %zu, which cannot go on with it: run a newer version of "
                "Assay",
                db_column_int(row, 0), catalogue->migration_count - 1);
    return false;
}

/* One row of schema_migration against what this program knows under that number. */
static bool check_applied(const StatementCatalogue *catalogue, DbStatement *row, GError **error) {
    int64_t version = db_column_int(row, 0);
    if (version >= 0 && (uint64_t)version >= catalogue->migration_count)
        return check_newer(catalogue, row, error);
    const MigrationText *known = &catalogue->migrations[version];
    const char *sha256 = db_column_text(row, 2);
    if (sha256 && strcmp(sha256, known->sha256) == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "migration %d (%s) was changed after it was applied: run the version of Assay that "
                "made this database",
                known->version, known->name);
    return false;
}

static bool check_all_applied(DbUnit *unit, Progress *progress, GError **error) {
    DbStatement *statement = db_prepare(unit, "schema_migration_list");
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        if (!check_applied(progress->catalogue, statement, error))
            return false;
        /* They were applied in order; a gap means that somebody edited the table. */
        if ((uint64_t)db_column_int(statement, 0) != progress->applied) {
            g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                        "migration %zu is missing among those applied: restore the database",
                        progress->applied);
            return false;
        }
        progress->applied++;
    }
}

static bool read_progress(DbUnit *unit, void *data, GError **error) {
    Progress *progress = data;
    bool exists = false;
    progress->applied = 0;
    if (!table_exists(unit, &exists, error))
        return false;
    return !exists || check_all_applied(unit, progress, error);
}

static bool remember(DbUnit *unit, const MigrationText *migration, GError **error) {
    DbStatement *statement = db_prepare(unit, "schema_migration_insert");
    db_bind_int(statement, "version", migration->version);
    db_bind_text(statement, "name", migration->name);
    db_bind_text(statement, "sha256", migration->sha256);
    db_bind_int(statement, "applied_at", clock_now_ms());
    return db_exec(statement, error);
}

/* Looks again under the write lock: another program may have been faster. */
static bool apply_missing(DbUnit *unit, void *data, GError **error) {
    Progress *progress = data;
    if (!driver_lock_schema(unit, error) || !read_progress(unit, progress, error))
        return false;
    for (; progress->applied < progress->catalogue->migration_count; progress->applied++) {
        const MigrationText *migration = &progress->catalogue->migrations[progress->applied];
        if (!driver_migrate(unit, migration, error) || !remember(unit, migration, error))
            return false;
    }
    return true;
}

bool migrate_apply(Db *db, GError **error) {
    Progress progress = {.catalogue = db_catalogue(db)};
    if (!db_run(db, &installation, DB_READ, read_progress, &progress, error))
        return false;
    if (progress.applied >= progress.catalogue->migration_count)
        return true;
    return db_run(db, &installation, DB_WRITE, apply_missing, &progress, error);
}

bool migrate_version(Db *db, int *version_out, GError **error) {
    Progress progress = {.catalogue = db_catalogue(db)};
    if (!db_run(db, &installation, DB_READ, read_progress, &progress, error))
        return false;
    *version_out = (int)progress.applied - 1;
    return true;
}
