#include "cli/organizations_delete.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/access.h"
#include "cli/prompt.h"
#include "store/organization.h"
#include "store/organization_end.h"
#include "sync/owner.h"

#include <poll.h>
#include <string.h>

#define PATIENCE_MS 20000 /* runs that are called off end within seconds */
#define LOOK_MS 500

/* --- is it meant ------------------------------------------------------------------------------ */

static bool is_meant(const CommandCall *call, GError **error) {
    const char *name = arguments_word(call->arguments, 0);
    if (arguments_flag(call->arguments, "yes"))
        return true;
    if (!prompt_possible(&prompt_standard)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "nobody is there to be asked: run this on a terminal, or give --yes");
        return false;
    }
    g_autofree char *shown = output_text(name);
    g_autofree char *question = g_strdup_printf(
        "Credentials, evidence, findings, settings and the key of %s are deleted, for good.\n"
        "Type its name to go on: ",
        shown);
    g_autofree char *line = prompt_line(&prompt_standard, question, error);
    if (line && strcmp(line, name) != 0)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED,
                            "that is another name; nothing was deleted");
    return line && strcmp(line, name) == 0;
}

/* --- while runs end --------------------------------------------------------------------------- */

/* Deletes it; *busy_out: runs were called off and have to end first. */
typedef bool (*Attempt)(void *data, bool *busy_out, GError **error);

/* Tests do not wait as long as people do; not in releases. */
static int64_t patience_ms(void) {
#ifdef ASSAY_TEST_HOOKS
    const char *patience = g_getenv("ASSAY_TEST_PATIENCE_MS");
    if (patience)
        return g_ascii_strtoll(patience, NULL, 10);
#endif
    return PATIENCE_MS;
}

static bool insist(const CommandCall *call, Attempt attempt, void *data, GError **error) {
    int64_t until = clock_mono_ms() + patience_ms();
    bool told = false;
    for (;;) {
        bool busy = false;
        if (!attempt(data, &busy, error))
            return false;
        if (!busy)
            return true;
        if (!told)
            output_note(call->output, "Its runs were called off; they end within seconds.");
        told = true;
        if (clock_mono_ms() >= until)
            break;
        poll(NULL, 0, LOOK_MS);
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "nothing was deleted: runs that were called off have not ended yet; do "
                        "this again in a moment");
    return false;
}

static void tell(const CommandCall *call) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", true);
    output_json(call->output, json);
    output_line(call->output, "The organization %s was deleted.",
                arguments_word(call->arguments, 0));
    output_note(call->output, "Its audit log stays, and says who did it.");
}

/* --- here ------------------------------------------------------------------------------------- */

typedef struct {
    const Session *session;
    const char *name;
    Organization *row;
    int64_t running;
} EndWork;

static void end_work_clear(EndWork *work) {
    g_clear_pointer(&work->row, organization_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(EndWork, end_work_clear)

static bool find_work(DbUnit *unit, void *data, GError **error) {
    EndWork *work = data;
    end_work_clear(work);
    if (!organization_find_by_name(unit, work->name, &work->row, error))
        return false;
    if (!work->row)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no organization \"%s\"; `assay organizations list` shows all",
                    work->name);
    return work->row != NULL;
}

static bool note_work(DbUnit *unit, void *data, GError **error) {
    const EndWork *work = data;
    AuditEntry entry = {.action = AUDIT_ORGANIZATION_DELETED,
                        .actor = session_actor(),
                        .target_kind = "organization",
                        .target_id = work->row->id,
                        .target_name = work->row->name};
    return audit_add(unit, &entry, error);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    EndWork *work = data;
    return organization_end(unit, work->name, &work->running, error) &&
           (work->running > 0 || note_work(unit, work, error));
}

static bool end_here(void *data, bool *busy_out, GError **error) {
    EndWork *work = data;
    Db *db = session_db(work->session);
    DbScope own = {.organization = work->row->id, .actor = "cli", .role = "owner"};
    if (!owner_release_dead(session_place(work->session)->data_dir, db, error) ||
        !db_run(db, &own, DB_WRITE, end_work, work, error))
        return false;
    *busy_out = work->running > 0;
    return true;
}

/* The organization's own log has nobody left to read it: the installation's says it, too. */
static bool tell_installation(EndWork *work, GError **error) {
    DbScope scope = {
        .organization = AUDIT_INSTALLATION, .actor = "cli", .role = "none", .system = true};
    return db_run(session_db(work->session), &scope, DB_WRITE, note_work, work, error);
}

static bool run(CommandCall *call, GError **error) {
    g_auto(EndWork) work = {.name = arguments_word(call->arguments, 0)};
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    work.session = session;
    if (!session || !session_run(session, DB_READ, find_work, &work, error) ||
        !is_meant(call, error) || !insist(call, end_here, &work, error) ||
        !tell_installation(&work, error))
        return false;
    tell(call);
    return true;
}

/* --- there ------------------------------------------------------------------------------------ */

typedef struct {
    Remote *remote;
    const char *path;
} EndThere;

static bool end_there(void *data, bool *busy_out, GError **error) {
    const EndThere *end = data;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Json) reply = remote_send(end->remote, "DELETE", end->path, NULL, &failure);
    *busy_out = failure && error_code_of(failure) == ERROR_CONFLICT;
    if (failure && !*busy_out)
        g_propagate_error(error, g_steal_pointer(&failure));
    return reply || *busy_out;
}

/* As an owner of it: whoever is in several organizations means the one that he names. */
static bool run_there(CommandCall *call, Remote *remote, GError **error) {
    const char *name = arguments_word(call->arguments, 0);
    g_autofree char *path = remote_path("/api/organization?confirm={name}", name);
    EndThere end = {remote, path};
    remote_enter(remote, name);
    g_autoptr(Json) found = remote_get(remote, "/api/organization", NULL, error);
    if (!found || !is_meant(call, error) || !insist(call, end_there, &end, error))
        return false;
    tell(call);
    return true;
}

static const Option options[] = {{"yes", OPTION_FLAG, NULL, "without asking"}, {0}};

const Command organizations_delete_command = {
    .name = "organizations delete",
    .summary = "delete an organization with everything that it has",
    .usage = "NAME [--yes]",
    .about = "Asks for the name once more. Runs that go on are called off first. What stays: the\n"
             "leaves of the ledger, which are salted hashes, the audit log, and people's accounts.",
    .examples = "assay organizations delete acme\n"
                "assay organizations delete acme --yes --server https://assay.example.com",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
    .remote = run_there,
};
