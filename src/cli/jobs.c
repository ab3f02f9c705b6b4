#include "cli/jobs.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/listing.h"
#include "cli/mark.h"
#include "cli/session.h"
#include "cli/shortfall.h"
#include "present/job_object.h"
#include "sync/queue.h"

#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

/* Jobs with what came of them, as the API's objects. */
typedef struct {
    JobFilter filter;
    const char *id; /* only this one, or NULL: by the filter */
    Json *list;
} ReadWork;

static bool read_result(DbUnit *unit, const Job *job, JobResult **result_out, GError **error) {
    g_autoptr(GError) none = NULL;
    *result_out = NULL;
    if (job->completed_at == 0 || job_result_get(unit, job->id, result_out, &none))
        return true;
    if (error_code_of(none) == ERROR_NOT_FOUND)
        return true; /* pruned */
    g_propagate_error(error, g_steal_pointer(&none));
    return false;
}

static bool add_job(DbUnit *unit, const Job *job, Json *list, GError **error) {
    g_autoptr(JobResult) result = NULL;
    if (!read_result(unit, job, &result, error))
        return false;
    json_add(list, job_object(job, result, NULL));
    return true;
}

static bool read_one(DbUnit *unit, ReadWork *work, GError **error) {
    g_autoptr(Job) job = NULL;
    return job_get(unit, work->id, &job, error) && add_job(unit, job, work->list, error);
}

static bool read_work(DbUnit *unit, void *data, GError **error) {
    ReadWork *work = data;
    g_autoptr(GPtrArray) jobs = NULL;
    json_free(work->list);
    work->list = json_new_array();
    if (work->id)
        return read_one(unit, work, error);
    if (!job_list(unit, &work->filter, &jobs, error))
        return false;
    for (guint i = 0; i < jobs->len; i++)
        if (!add_job(unit, g_ptr_array_index(jobs, i), work->list, error))
            return false;
    return true;
}

/* An unknown id says what to do. */
static bool explain_unknown(const char *id, GError *failure, GError **error) {
    if (error_code_of(failure) == ERROR_NOT_FOUND) {
        g_autofree char *shown = output_text(id);
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no job \"%s\"; `assay jobs list` shows those there are", shown);
        g_error_free(failure);
    } else {
        g_propagate_error(error, failure);
    }
    return false;
}

/* The job's object; the caller owns it. */
static Json *read_job(const Session *session, const char *id, GError **error) {
    ReadWork work = {.id = id};
    GError *failure = NULL;
    bool ok = session_run(session, DB_READ, read_work, &work, &failure);
    g_autoptr(Json) list = work.list;
    if (ok)
        return json_ref(json_item(list, 0));
    (void)explain_unknown(id, failure, error);
    return NULL;
}

/* The same of a server, or what it answers when it was told to do something to the job. */
static Json *ask_for_job(Remote *remote, const char *method, const char *pattern, const char *id,
                         GError **error) {
    GError *failure = NULL;
    g_autofree char *path = remote_path(pattern, id);
    Json *answer = method ? remote_send(remote, method, path, NULL, &failure)
                          : remote_get(remote, path, NULL, &failure);
    if (!answer)
        (void)explain_unknown(id, failure, error);
    return answer;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "ID"},
                                     {.title = "INTEGRATION"},
                                     {.title = "STATUS"},
                                     {.title = "FOR"},
                                     {.title = "WHAT", .gives_way = true},
                                     {.title = "WHEN"},
                                     {.title = "COLLECTED", .right = true},
                                     {.title = "FAILED", .right = true},
                                     {0}};

static const char *cause_of(const Json *job) {
    int64_t priority = json_member_int(job, "priority", 0);
    if (priority >= JOB_PRIORITY_PERSON)
        return "a person";
    return priority <= JOB_PRIORITY_RENEWAL ? "renewal" : "schedule";
}

static char *types_of(const Json *job) {
    const Json *types = json_member(job, "evidenceTypes");
    size_t count = json_count(types);
    if (count == 1)
        return g_strdup(json_text(json_item(types, 0)));
    return g_strdup_printf("%zu evidence types", count);
}

/* The time that tells most: the end, else the begin, else when it can be claimed. */
static char *when_of(const Json *job) {
    static const char *const keys[] = {"completedAt", "startedAt", "dueAt"};
    bool waits = strcmp(json_member_string(job, "status", ""), JOB_PARKED) == 0 ||
                 strcmp(json_member_string(job, "status", ""), JOB_PENDING) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        int64_t time = 0;
        const char *text = json_member_string(job, keys[i], NULL);
        bool began_before = waits && strcmp(keys[i], "startedAt") == 0;
        if (text && !began_before && clock_parse(text, &time))
            return output_age(time, clock_now_ms());
    }
    return g_strdup("");
}

static void add_count(Grid *grid, const Json *job, const char *key) {
    const Json *result = json_member(job, "result");
    g_autofree char *count =
        json_member(result, key) ? output_number(json_member_int(result, key, 0)) : NULL;
    grid_add(grid, count);
}

static void add_row(Grid *grid, const Json *job, const Json *integrations) {
    g_autofree char *types = types_of(job);
    g_autofree char *when = when_of(job);
    grid_add(grid, json_member_string(job, "id", ""));
    grid_add(grid, integrations_called(integrations, json_member_string(job, "integrationId", "")));
    mark_add(grid, json_member_string(job, "status", ""), NULL);
    grid_add(grid, cause_of(job));
    grid_add(grid, types);
    grid_add(grid, when);
    add_count(grid, job, "evidenceCollected");
    add_count(grid, job, "evidenceFailed");
}

static void print_list(const Output *output, const Json *integrations, const Json *reply) {
    const Json *list = json_member(reply, "jobs");
    g_autoptr(Grid) grid = grid_new(columns);
    if (json_count(list) == 0) {
        output_line(output, "There is no such job.");
        output_note(output, json_count(integrations) == 0 ? "Next: assay connect github"
                                                          : "Next: assay sync INTEGRATION");
        return;
    }
    for (size_t i = 0; i < json_count(list); i++)
        add_row(grid, json_item(list, i), integrations);
    grid_print(grid, output);
    const char *cursor = json_member_string(reply, "nextCursor", NULL);
    if (cursor)
        output_note(output, "There is more: --cursor %s", cursor);
}

static char *list_text(const Json *list) {
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < json_count(list); i++)
        g_string_append_printf(text, "%s%s", i > 0 ? ", " : "", json_text(json_item(list, i)));
    return g_string_free(text, FALSE);
}

static void print_result(const Output *output, const Json *job) {
    const Json *result = json_member(job, "result");
    if (json_kind(result) == JSON_KIND_OBJECT) {
        g_autofree char *counts =
            g_strdup_printf("%" G_GINT64_FORMAT " collected, %" G_GINT64_FORMAT
                            " failed, %" G_GINT64_FORMAT " controls updated",
                            json_member_int(result, "evidenceCollected", 0),
                            json_member_int(result, "evidenceFailed", 0),
                            json_member_int(result, "controlsUpdated", 0));
        output_field(output, "result", counts);
        shortfall_print(output, json_member(result, "errors"));
    }
    output_field(output, "error", json_member_string(json_member(job, "error"), "message", NULL));
}

static void print_job(const Output *output, const Json *job, const char *integration) {
    g_autofree char *types = list_text(json_member(job, "evidenceTypes"));
    g_autofree char *status = mark_text(json_member_string(job, "status", ""), NULL);
    g_autofree char *attempt = g_strdup_printf("%" G_GINT64_FORMAT " of %d",
                                               json_member_int(job, "attempt", 0), JOB_ATTEMPTS);
    const struct {
        const char *title;
        const char *value;
    } fields[] = {
        {"integration", integration},
        {"status", status},
        {"for", cause_of(job)},
        {"evidence", types},
        {"attempt", attempt},
        {"created", json_member_string(job, "createdAt", NULL)},
        {"due", json_member_string(job, "dueAt", NULL)},
        {"started", json_member_string(job, "startedAt", NULL)},
        {"ended", json_member_string(job, "completedAt", NULL)},
    };
    output_line(output, "Job %s", json_member_string(job, "id", ""));
    for (size_t i = 0; i < G_N_ELEMENTS(fields); i++)
        output_field(output, fields[i].title, fields[i].value);
    if (json_member_string(job, "calledOffAt", NULL) &&
        !json_member_string(job, "completedAt", NULL))
        output_line(output, "  It was called off; its worker ends it within seconds.");
    print_result(output, job);
}

/* --- jobs list -------------------------------------------------------------------------------- */

static bool check_status(const char *status, GError **error) {
    static const char *const statuses[] = {JOB_PENDING,   JOB_RUNNING, JOB_PARKED,
                                           JOB_COMPLETED, JOB_FAILED,  JOB_CANCELLED};
    g_autoptr(GString) known = g_string_new(NULL);
    for (size_t i = 0; status && i < G_N_ELEMENTS(statuses); i++) {
        if (strcmp(status, statuses[i]) == 0)
            return true;
        g_string_append_printf(known, "%s%s", i > 0 ? ", " : "", statuses[i]);
    }
    if (!status)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--status wants one of %s", known->str);
    return false;
}

/* The cursor is the id of the last one shown; one more than wanted was read. */
static Json *list_reply(const Json *read, int64_t limit) {
    Json *reply = json_new_object();
    Json *list = json_new_array();
    size_t shown = MIN(json_count(read), (size_t)limit);
    for (size_t i = 0; i < shown; i++)
        json_add(list, json_ref(json_item(read, i)));
    const Json *last = json_count(read) > shown ? json_item(read, shown - 1) : NULL;
    json_put(reply, "jobs", list);
    json_put_string(reply, "nextCursor", last ? json_member_string(last, "id", NULL) : NULL);
    return reply;
}

static const Option list_options[] = {
    {"integration", OPTION_TEXT, "NAME", "of this integration, by name or id"},
    {"status", OPTION_TEXT, "STATUS", "pending, running, parked, completed, failed or cancelled"},
    {"limit", OPTION_COUNT, "N", "at most so many (50, and never more than 999)"},
    {"cursor", OPTION_TEXT, "CURSOR", "go on behind a nextCursor"},
    {0}};

static const Listing listing = {.path = "/api/jobs",
                                .options = list_options,
                                .usual = 50,
                                .most = STORE_LIST_MAX - 1,
                                .print = print_list};

static bool run_list(CommandCall *call, GError **error) {
    ReadWork work = {0};
    g_autoptr(Integration) integration = NULL;
    int64_t limit = listing_limit(&listing, call->arguments);
    if (!check_status(arguments_text(call->arguments, "status"), error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !listing_integration(call, session, &integration, error))
        return false;
    work.filter = (JobFilter){.integration_id = integration ? integration->id : NULL,
                              .status = arguments_text(call->arguments, "status"),
                              .before_id = arguments_text(call->arguments, "cursor"),
                              .limit = limit + 1};
    bool ok = session_run(session, DB_READ, read_work, &work, error);
    g_autoptr(Json) list = work.list;
    g_autoptr(Json) reply = ok ? list_reply(list, limit) : NULL;
    return reply && listing_show(call, &listing, session, reply, error);
}

static bool list_there(CommandCall *call, Remote *remote, GError **error) {
    return check_status(arguments_text(call->arguments, "status"), error) &&
           listing_there(call, &listing, remote, error);
}

const Command jobs_list_command = {
    .name = "jobs list",
    .summary = "runs that wait, go on or have ended, the newest first",
    .usage = "[--integration NAME] [--status STATUS] [--limit N] [--cursor CURSOR]",
    .examples = "assay jobs list\n"
                "assay jobs list --status running\n"
                "assay jobs list --integration acme --json",
    .options = list_options,
    .run = run_list,
    .remote = list_there,
};

/* --- jobs show -------------------------------------------------------------------------------- */

static void show(const CommandCall *call, const Json *job, const Json *integrations) {
    output_json(call->output, job);
    print_job(call->output, job,
              integrations_called(integrations, json_member_string(job, "integrationId", "")));
}

static bool show_here(CommandCall *call, const Session *session, const char *id, GError **error) {
    g_autoptr(Json) job = read_job(session, id, error);
    g_autoptr(Json) integrations = job ? integrations_here(session, error) : NULL;
    if (integrations)
        show(call, job, integrations);
    return integrations != NULL;
}

static bool show_there(CommandCall *call, Remote *remote, const Json *job, GError **error) {
    g_autoptr(Json) integrations = job ? integrations_there(remote, error) : NULL;
    if (integrations)
        show(call, job, integrations);
    return integrations != NULL;
}

static bool run_show(CommandCall *call, GError **error) {
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    return session && show_here(call, session, arguments_word(call->arguments, 0), error);
}

static bool ask_to_show(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) job =
        ask_for_job(remote, NULL, "/api/jobs/{id}", arguments_word(call->arguments, 0), error);
    return show_there(call, remote, job, error);
}

const Command jobs_show_command = {
    .name = "jobs show",
    .summary = "one run: what it collects, how it stands, what came of it",
    .usage = "ID",
    .examples = "assay jobs show 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d\n"
                "assay jobs show 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d --json",
    .least = 1,
    .most = 1,
    .run = run_show,
    .remote = ask_to_show,
};

/* --- jobs cancel ------------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    JobCancel how;
} CancelWork;

static bool cancel_work(DbUnit *unit, void *data, GError **error) {
    CancelWork *work = data;
    AuditEntry entry = {.action = AUDIT_JOB_CANCELLED,
                        .actor = session_actor(),
                        .target_kind = "job",
                        .target_id = work->id};
    return job_cancel(unit, work->id, &work->how, error) && audit_add(unit, &entry, error);
}

static void say_cancelled(const CommandCall *call) {
    output_note(call->output, "What it had stored stays. Next: assay jobs retry %s",
                arguments_word(call->arguments, 0));
}

static bool run_cancel(CommandCall *call, GError **error) {
    CancelWork work = {.id = arguments_word(call->arguments, 0)};
    GError *failure = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session)
        return false;
    if (!session_run(session, DB_WRITE, cancel_work, &work, &failure))
        return explain_unknown(work.id, failure, error);
    if (!show_here(call, session, work.id, error))
        return false;
    say_cancelled(call);
    return true;
}

static bool ask_to_cancel(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) job = ask_for_job(remote, "POST", "/api/jobs/{id}/cancel",
                                      arguments_word(call->arguments, 0), error);
    if (!show_there(call, remote, job, error))
        return false;
    say_cancelled(call);
    return true;
}

const Command jobs_cancel_command = {
    .name = "jobs cancel",
    .summary = "call a run off, also while it goes on",
    .usage = "ID",
    .about = "A run that waits ends at once, one that goes on within seconds. What it had stored\n"
             "stays. To keep an integration from being collected: assay schedule pause.",
    .examples = "assay jobs cancel 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d",
    .least = 1,
    .most = 1,
    .run = run_cancel,
    .remote = ask_to_cancel,
};

/* --- jobs retry ------------------------------------------------------------------------------- */

static bool run_retry(CommandCall *call, GError **error) {
    g_autofree char *job_id = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    g_autoptr(Json) job =
        session ? read_job(session, arguments_word(call->arguments, 0), error) : NULL;
    Registry *registry = job ? session_registry(session, error) : NULL;
    if (!registry ||
        !queue_retry(session_db(session), session_scope(session), registry, session_actor(),
                     json_member_string(job, "id", ""), &job_id, error) ||
        !show_here(call, session, job_id, error))
        return false;
    output_note(call->output,
                "A worker of `assay serve` runs it; `assay sync` of its integration does so now.");
    return true;
}

static bool ask_to_retry(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) queued = ask_for_job(remote, "POST", "/api/jobs/{id}/retry",
                                         arguments_word(call->arguments, 0), error);
    const Json *job = json_member(queued, "job");
    if (!show_there(call, remote, job, error))
        return false;
    output_note(call->output, "A worker there runs it. Next: assay jobs show %s",
                json_member_string(job, "id", ""));
    return true;
}

const Command jobs_retry_command = {
    .name = "jobs retry",
    .summary = "run again what failed or was called off, or go on with what waits",
    .usage = "ID",
    .about =
        "A run that waits (for a limit, or for its next attempt) is due at once. For one that\n"
        "has ended a new one is queued that collects the same.",
    .examples = "assay jobs retry 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d",
    .least = 1,
    .most = 1,
    .run = run_retry,
    .remote = ask_to_retry,
};
