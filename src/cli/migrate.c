#include "cli/migrate.h"

#include "base/error.h"
#include "cli/place.h"
#include "cli/progress.h"
#include "db/copy.h"
#include "db/migrate.h"

#include <string.h>

#define FROM_ENVIRONMENT "env:"

/* --- the schema ------------------------------------------------------------------------------- */

static bool bring_up(const char *url, int *before_out, int *after_out, GError **error) {
    g_autoptr(Db) db = db_open(url, error);
    return db && migrate_version(db, before_out, error) && migrate_apply(db, error) &&
           migrate_version(db, after_out, error);
}

static bool run_schema(const CommandCall *call, const Place *place, GError **error) {
    int before = -1;
    int after = -1;
    if (!bring_up(place->database_url, &before, &after, error))
        return false;
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_int(json, "schemaVersion", after);
    json_put_int(json, "applied", after - before);
    output_json(call->output, json);
    if (after > before)
        output_line(call->output, "Applied %d migrations: the schema is now version %d.",
                    after - before, after);
    else
        output_line(call->output, "The schema is version %d; nothing was to be done.", after);
    return true;
}

/* --- a whole database ------------------------------------------------------------------------- */

/* A URL as it was given, or out of the environment: it may hold a password, and arguments can be
 * seen by everybody on the machine. */
static const char *url_of(const char *given, GError **error) {
    if (!g_str_has_prefix(given, FROM_ENVIRONMENT))
        return given;
    const char *name = given + strlen(FROM_ENVIRONMENT);
    const char *url = g_getenv(name);
    if (!url || *url == '\0')
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "the environment variable %s is not set",
                    name);
    return url && *url != '\0' ? url : NULL;
}

static void show(const CopyProgress *copied, void *data) {
    g_autofree char *rows = output_number((int64_t)copied->rows);
    g_autofree char *message = g_strdup_printf(
        "%s %s, %s rows", copied->verifying ? "comparing" : "copying", copied->table, rows);
    g_autoptr(Json) report = json_new_object();
    json_put_string(report, "message", message);
    progress_show(report, data);
}

static void print(const Output *output, const CopyReport *report) {
    g_autofree char *rows = output_number((int64_t)report->rows);
    output_line(output,
                "Copied %s rows of %d organizations in %d tables, and found every one of them the "
                "same in both databases.",
                rows, (int)report->organizations, (int)report->tables);
    output_note(output, "Next: set DATABASE_URL to the new database wherever Assay runs; the "
                        "encryption key stays as it is.");
}

static bool run_copy(const CommandCall *call, const char *from, const char *to, GError **error) {
    Progress progress;
    CopyReport report = {0};
    progress_init(&progress, call->output, "Database");
    CopyPlan plan = {.from = from, .to = to, .told = show, .data = &progress};
    bool ok = copy_database(&plan, &report, error);
    progress_clear(&progress);
    if (!ok)
        return false;
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    json_put_int(json, "organizations", (int64_t)report.organizations);
    json_put_int(json, "tables", (int64_t)report.tables);
    json_put_int(json, "rows", (int64_t)report.rows);
    json_put_bool(json, "verified", true);
    output_json(call->output, json);
    print(call->output, &report);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    const char *from = arguments_text(call->arguments, "from");
    const char *to = arguments_text(call->arguments, "to");
    g_auto(Place) place = {0};
    if (!place_init(&place, call->arguments, error))
        return false;
    if (!from && !to)
        return (!place.database_file || place_require(&place, error)) &&
               run_schema(call, &place, error);
    if (!to) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--from wants --to: the database to copy into");
        return false;
    }
    from = url_of(from ? from : place.database_url, error);
    to = from ? url_of(to, error) : NULL;
    if (!to)
        return false;
    if (strcmp(from, to) == 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--from and --to are the same database");
        return false;
    }
    return run_copy(call, from, to, error);
}

static const Option options[] = {
    {"from", OPTION_TEXT, "URL", "the database to copy; without it the one in use"},
    {"to", OPTION_TEXT, "URL", "the database to copy into; its schema is made"},
    {0}};

const Command migrate_command = {
    .name = "migrate",
    .summary = "bring the schema up to date, or copy a database into another",
    .usage = "[--from URL] [--to URL]",
    .about = "Without --to, applies what is missing in the database of DATABASE_URL: run it with\n"
             "the owner's role before a new version starts. With --to, copies everything and then\n"
             "compares both databases row by row; `assay serve` must not run. A copy that was cut\n"
             "short goes on when it is run again. A URL with a password is better given as\n"
             "env:NAME, or without it: PGPASSWORD and ~/.pgpass are obeyed.",
    .examples = "assay migrate\n"
                "assay migrate --from sqlite:/var/lib/assay/assay.db --to postgres://db/assay\n"
                "assay migrate --to env:NEW_DATABASE_URL --json",
    .options = options,
    .run = run,
};
