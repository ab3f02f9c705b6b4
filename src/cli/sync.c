#include "cli/sync.h"

#include "base/error.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "present/job_object.h"
#include "sync/follow.h"

#include <string.h>

/* --- the reply -------------------------------------------------------------------------------- */

Json *sync_reply(const Json *result, const char *job_id) {
    Json *reply = job_result_object(result);
    json_put_string(reply, "jobId", job_id);
    return reply;
}

static bool is_refused(const Json *entry) {
    return strcmp(json_member_string(entry, "code", ""),
                  error_code_name(ERROR_AUTHENTICATION_FAILED)) == 0;
}

static bool is_retryable(const Json *entry) {
    return json_member_bool(entry, "retryable", false);
}

static bool all_errors(const Json *errors, bool (*test)(const Json *entry)) {
    for (size_t i = 0; i < json_count(errors); i++)
        if (!test(json_item(errors, i)))
            return false;
    return true;
}

int sync_exit_status(const Json *result) {
    const Json *errors = json_member(result, "errors");
    if (json_member_string(result, "parkedUntil", NULL))
        return STATUS_LATER;
    if (json_count(errors) == 0)
        return STATUS_DONE;
    if (all_errors(errors, is_refused))
        return STATUS_AUTHENTICATION;
    bool nothing = json_member_int(result, "evidenceCollected", 0) == 0;
    return nothing && all_errors(errors, is_retryable) ? STATUS_LATER : STATUS_PARTLY;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {
    {.title = "NOT WHOLE"}, {.title = "WHY"}, {.title = "WHAT TO DO", .gives_way = true}, {0}};

static void print_errors(const Output *output, const Json *errors) {
    g_autoptr(Grid) grid = grid_new(columns);
    for (size_t i = 0; i < json_count(errors); i++) {
        const Json *entry = json_item(errors, i);
        grid_add(grid, json_member_string(entry, "evidenceType", "-"));
        grid_add_tone(grid, TONE_UNREAD, json_member_string(entry, "code", ""));
        grid_add(grid, json_member_string(entry, "message", ""));
    }
    if (json_count(errors) > 0)
        grid_print(grid, output);
}

static void print(const Output *output, const Json *result, const char *name) {
    g_autofree char *collected = output_number(json_member_int(result, "evidenceCollected", 0));
    g_autofree char *failed = output_number(json_member_int(result, "evidenceFailed", 0));
    g_autofree char *controls = output_number(json_member_int(result, "controlsUpdated", 0));
    const char *parked = json_member_string(result, "parkedUntil", NULL);
    output_line(output, "%s: %s collected, %s failed, %s controls updated.", name, collected,
                failed, controls);
    print_errors(output, json_member(result, "errors"));
    if (parked)
        output_note(output,
                    "The service's limit is spent. Run `assay sync %s` again after %s: it "
                    "goes on where it stopped.",
                    name, parked);
    else
        output_note(output, "Next: assay controls, or assay findings");
}

/* --- the run ---------------------------------------------------------------------------------- */

static bool read_request(const Arguments *arguments, SyncRequest *request, GError **error) {
    *request = (SyncRequest){.evidence_types = arguments_list(arguments, "evidence"),
                             .controls = arguments_list(arguments, "controls"),
                             .from_ms = arguments_time(arguments, "from"),
                             .to_ms = arguments_time(arguments, "to")};
    if (request->from_ms == 0 || request->to_ms == 0 || request->from_ms < request->to_ms)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--from must be earlier than --to");
    return false;
}

/* Runs the job here, or waits for whoever runs it: a service, or the same command elsewhere. */
static bool run_or_follow(Session *session, const char *job_id, Progress *progress,
                          Json **result_out, GError **error) {
    const DbScope *scope = session_scope(session);
    Crew *crew = session_crew(session, error);
    while (crew) {
        g_autoptr(GError) failure = NULL;
        if (crew_run(crew, scope->organization, job_id, progress_show, progress, result_out,
                     &failure))
            return true;
        if (error_code_of(failure) != ERROR_CONFLICT) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        if (!follow_job(session_db(session), scope, job_id, progress_show, progress, error))
            return false;
    }
    return false;
}

static bool run_job(CommandCall *call, Session *session, const Json *queued, Json **result_out,
                    GError **error) {
    Progress progress;
    progress_init(&progress, call->output, json_member_string(queued, "provider", ""));
    bool ok =
        run_or_follow(session, json_member_string(queued, "job", ""), &progress, result_out, error);
    progress_clear(&progress);
    return ok;
}

/* The worker reads the definition, so that it is read once. */
static bool queue(Session *session, const Integration *integration, const SyncRequest *request,
                  Json **queued_out, GError **error) {
    Crew *crew = session_crew(session, error);
    return crew &&
           crew_queue(crew, session_scope(session), integration->id, request, queued_out, error);
}

static bool run(CommandCall *call, GError **error) {
    SyncRequest request;
    g_autoptr(Integration) integration = NULL;
    g_autoptr(Json) queued = NULL;
    g_autoptr(Json) result = NULL;
    if (!read_request(call->arguments, &request, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session ||
        !integrations_find(session, arguments_word(call->arguments, 0), &integration, error) ||
        !queue(session, integration, &request, &queued, error) ||
        !run_job(call, session, queued, &result, error))
        return false;
    g_autoptr(Json) reply = sync_reply(result, json_member_string(queued, "job", ""));
    output_json(call->output, reply);
    print(call->output, result, integration->name);
    call->status = sync_exit_status(result);
    return true;
}

static const Option options[] = {
    {"evidence", OPTION_LIST, "TYPE,...", "only these evidence types"},
    {"controls", OPTION_LIST, "ID,...", "only what supports these controls: CC8.1, soc2:CC7.1"},
    {"from", OPTION_TIME, "TIME", "logs from this time on, or for so long: 30d"},
    {"to", OPTION_TIME, "TIME", "logs before this time"},
    {0}};

const Command sync_command = {
    .name = "sync",
    .summary = "collect evidence from an integration now",
    .usage = "INTEGRATION [--evidence TYPE,...] [--controls ID,...] [--from TIME] [--to TIME]",
    .about = "Collects, judges, and updates findings and controls. A run that was interrupted\n"
             "goes on where it stopped. Exit status: 0 all collected, 4 the credential is\n"
             "refused, 5 partly collected, 6 try later.",
    .examples = "assay sync acme\n"
                "assay sync acme --evidence branch_protection\n"
                "assay sync acme --controls CC8.1,iso27001_2022:8.32 --json",
    .options = options,
    .least = 1,
    .most = 1,
    .worker = true,
    .run = run,
};
