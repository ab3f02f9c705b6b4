#include "cli/doctor_database.h"

#include "base/clock.h"
#include "db/migrate.h"
#include "db/sqlite_file.h"
#include "store/inspection.h"

#define DRIFT_WARN_MS 2000
#define DRIFT_FAIL_MS 30000 /* half a lease */
#define YEAR_2026_MS 1767225600000LL
#define BUSY_MS 5000

static const DbScope everybody = {.actor = "cli", .role = "operator", .system = true};

void doctor_reach(Examination *examination) {
    const Place *place = examination->place;
    g_autoptr(GError) error = NULL;
    if (!place_require(place, &error)) {
        checkup_fail(examination->checkup, "Run `assay init`, or restore a backup.", "%s",
                     error->message);
        return;
    }
    if (!examination->serving)
        examination->db =
            db_open_with(place->database_url, &(DbOptions){.busy_limit_ms = BUSY_MS}, &error);
    if (examination->db)
        checkup_ok(examination->checkup, "%s",
                   place->database_file ? place->database_file : "the server answers");
    else
        checkup_fail(examination->checkup, "Check DATABASE_URL, and that the server runs.", "%s",
                     error->message);
}

void doctor_schema(Examination *examination) {
    int version = -1;
    g_autoptr(GError) error = NULL;
    if (!examination->db)
        return;
    int known = (int)db_catalogue(examination->db)->migration_count - 1;
    if (!migrate_version(examination->db, &version, &error))
        checkup_fail(examination->checkup, "Run the version of Assay that belongs to it.", "%s",
                     error->message);
    else if (version < known)
        checkup_warn(examination->checkup, "Run `assay migrate`; the next start does it as well.",
                     "the schema is version %d, this program knows %d", version, known);
    else
        checkup_ok(examination->checkup, "version %d", version);
}

/* Every page is read: not by a process that has others to answer. */
void doctor_whole(Examination *examination) {
    const char *file = examination->place->database_file;
    g_autoptr(GError) error = NULL;
    if (examination->serving || !file || !g_file_test(file, G_FILE_TEST_EXISTS))
        return;
    if (sqlite_file_check(file, SQLITE_FILE_QUICK, &error))
        checkup_ok(examination->checkup, "every page was read");
    else
        checkup_fail(examination->checkup, "Stop `assay serve` and run `assay restore`.", "%s",
                     error->message);
}

/* --- the server ------------------------------------------------------------------------------- */

static bool server_work(DbUnit *unit, void *data, GError **error) {
    return inspection_server(unit, data, error);
}

static void judge_login(Checkup *checkup, const Inspection *server) {
    static const char advice[] =
        "Make a role for Assay as docs/postgresql.md says under \"Least privileges\".";
    if (server->superuser)
        checkup_warn(checkup, advice, "the user %s is a superuser", server->login);
    else if (server->bypasses)
        checkup_warn(checkup, advice, "the user %s passes by row-level security", server->login);
    else if (server->owned > 0)
        checkup_warn(checkup, advice, "the user %s owns %d tables", server->login,
                     (int)server->owned);
    else
        checkup_ok(checkup, "the user %s has no rights of its own", server->login);
}

static void judge_server(Checkup *checkup, const Inspection *server, bool embedded) {
    checkup_ok(checkup, "%s %s", embedded ? "SQLite" : "PostgreSQL", server->version);
    if (embedded)
        return;
    judge_login(checkup, server);
    if (server->unguarded > 0)
        checkup_fail(checkup,
                     "Restore the database, or force row-level security on them again: somebody "
                     "has switched it off.",
                     "%d tables of organizations are not guarded by row-level security",
                     (int)server->unguarded);
    else
        checkup_ok(checkup, "row-level security is forced on every table of organizations");
}

void doctor_server(Examination *examination) {
    g_auto(Inspection) server = {0};
    g_autoptr(GError) error = NULL;
    if (!examination->db)
        return;
    if (db_run(examination->db, &everybody, DB_READ, server_work, &server, &error))
        judge_server(examination->checkup, &server, examination->place->database_file != NULL);
    else
        checkup_fail(examination->checkup, "Look at the server's log.", "%s", error->message);
}

/* --- clock and leases ------------------------------------------------------------------------- */

static bool work_work(DbUnit *unit, void *data, GError **error) {
    return inspection_work(unit, data, error);
}

static bool read_work(const Examination *examination, Inspection *inspection) {
    g_autoptr(GError) error = NULL;
    if (!examination->db)
        return false;
    if (db_run(examination->db, &everybody, DB_READ, work_work, inspection, &error))
        return true;
    checkup_fail(examination->checkup, "Run `assay migrate`.", "%s", error->message);
    return false;
}

void doctor_clock(Examination *examination) {
    static const char advice[] =
        "Set the clocks of all machines by NTP: leases, tokens and signatures go by them.";
    Checkup *checkup = examination->checkup;
    g_auto(Inspection) inspection = {0};
    int64_t mono = clock_mono_ms();
    if (!read_work(examination, &inspection))
        return;
    int64_t drift = inspection.now_ms - clock_now_ms();
    int64_t away = drift < 0 ? -drift : drift;
    if (clock_now_ms() < YEAR_2026_MS)
        checkup_fail(checkup, advice, "it is before the year 2026 here");
    else if (clock_mono_ms() < mono)
        checkup_fail(checkup, "Look at the machine: this clock never goes back.",
                     "the monotonic clock goes back");
    else if (away > DRIFT_FAIL_MS)
        checkup_fail(checkup, advice, "the database's clock is %lld ms away", (long long)drift);
    else if (away > DRIFT_WARN_MS)
        checkup_warn(checkup, advice, "the database's clock is %lld ms away", (long long)drift);
    else
        checkup_ok(checkup, "as the database's");
}

void doctor_leases(Examination *examination) {
    g_auto(Inspection) inspection = {0};
    if (!read_work(examination, &inspection))
        return;
    if (inspection.dead_leases > 0)
        checkup_warn(examination->checkup,
                     "Start `assay serve`: it goes on with them where they stopped.",
                     "%d runs are leased to workers that are gone", (int)inspection.dead_leases);
    else
        checkup_ok(examination->checkup, "no run waits for a worker that is gone");
}
