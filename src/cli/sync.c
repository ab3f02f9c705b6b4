#include "cli/sync.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/access.h"
#include "cli/integrations.h"
#include "cli/progress.h"
#include "cli/session.h"
#include "cli/shortfall.h"
#include "present/job_object.h"
#include "store/job.h"
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

static void print(const Output *output, const Json *result, const char *name) {
    g_autofree char *collected = output_number(json_member_int(result, "evidenceCollected", 0));
    g_autofree char *failed = output_number(json_member_int(result, "evidenceFailed", 0));
    g_autofree char *controls = output_number(json_member_int(result, "controlsUpdated", 0));
    const char *parked = json_member_string(result, "parkedUntil", NULL);
    output_line(output, "%s: %s collected, %s failed, %s controls updated.", name, collected,
                failed, controls);
    shortfall_print(output, json_member(result, "errors"));
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
    SyncRequest wish = *request;
    wish.actor = session_actor();
    return crew &&
           crew_queue(crew, session_scope(session), integration->id, &wish, queued_out, error);
}

static void tell(CommandCall *call, const Json *result, const char *job_id, const char *name) {
    g_autoptr(Json) reply = sync_reply(result, job_id);
    output_json(call->output, reply);
    print(call->output, result, name);
    call->status = sync_exit_status(result);
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
    tell(call, result, json_member_string(queued, "job", ""), integration->name);
    return true;
}

/* --- the same on a server --------------------------------------------------------------------- */

static void put_texts(Json *json, const char *name, const char *const *texts) {
    Json *list = texts && texts[0] ? json_new_array() : NULL;
    for (size_t i = 0; list && texts[i]; i++)
        json_add_string(list, texts[i]);
    if (list)
        json_put(json, name, list);
}

static Json *body_of(const SyncRequest *request) {
    Json *body = json_new_object();
    Json *range = json_new_object();
    put_texts(body, "evidenceTypes", request->evidence_types);
    put_texts(body, "controlIds", request->controls);
    if (request->from_ms)
        json_put_time(range, "start", request->from_ms);
    if (request->to_ms)
        json_put_time(range, "end", request->to_ms);
    json_put(body, "dateRange", range);
    return body;
}

static Json *ask_for_sync(Remote *remote, const Json *integration, const SyncRequest *request,
                          GError **error) {
    g_autoptr(Json) body = body_of(request);
    g_autofree char *path =
        remote_path("/api/integrations/{id}/sync", json_member_string(integration, "id", ""));
    return remote_send(remote, "POST", path, body, error);
}

/* Whoever waits no longer has lost nothing: the job is the server's. */
static void explain_lost(const Remote *remote, const char *job_id, GError *failure,
                         GError **error) {
    ErrorCode code = error_code_of(failure);
    if (!error_code_retryable(code)) {
        g_propagate_error(error, failure);
        return;
    }
    g_set_error(error, ASSAY_ERROR, (int)code,
                "%s does not answer any more (%s). The job goes on when it is there again; `assay "
                "jobs show %s` says how far it is",
                remote_address(remote), failure->message, job_id);
    g_error_free(failure);
}

static Json *wait_for_job(CommandCall *call, Remote *remote, const char *job_id, const char *name,
                          GError **error) {
    Progress progress;
    GError *failure = NULL;
    g_autoptr(Json) report = json_new_object();
    json_put_string(report, "message", "waits for a worker");
    progress_init(&progress, call->output, name);
    progress_show(report, &progress);
    Json *job = remote_wait(remote, job_id, progress_show, &progress, &failure);
    progress_clear(&progress);
    if (!job)
        explain_lost(remote, job_id, failure, error);
    return job;
}

/* Of a job that is parked: what it has stored so far. */
static Json *result_so_far(Remote *remote, const Json *job, GError **error) {
    const char *id = json_member_string(job, "id", "");
    const RemoteField query[] = {{"integrationId", json_member_string(job, "integrationId", NULL)},
                                 {"from", json_member_string(job, "createdAt", NULL)},
                                 {0}};
    g_autoptr(Json) evidence = remote_list(remote, "/api/evidence", query, "evidence", error);
    int64_t count = 0;
    if (!evidence)
        return NULL;
    for (size_t i = 0; i < json_count(evidence); i++)
        count += strcmp(json_member_string(json_item(evidence, i), "jobId", ""), id) == 0;
    g_autoptr(Json) stored = json_new_object();
    json_put_int(stored, "evidenceCollected", count);
    json_put_string(stored, "parkedUntil", json_member_string(job, "dueAt", NULL));
    return job_result_object(stored);
}

/* What came of a job that nobody runs any more; the caller owns it. */
static Json *result_of(Remote *remote, const Json *job, GError **error) {
    Json *result = json_member(job, "result");
    const Json *why = json_member(job, "error");
    if (json_kind(result) == JSON_KIND_OBJECT)
        return json_ref(result);
    if (strcmp(json_member_string(job, "status", ""), JOB_PARKED) == 0)
        return result_so_far(remote, job, error);
    g_set_error(error, ASSAY_ERROR,
                (int)error_code_from_name(json_member_string(why, "code", "INTERNAL")), "%s",
                json_member_string(why, "message", "The run ended without a result."));
    return NULL;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    SyncRequest request;
    if (!read_request(call->arguments, &request, error))
        return false;
    g_autoptr(Json) integration =
        remote_integration(remote, arguments_word(call->arguments, 0), error);
    g_autoptr(Json) queued =
        integration ? ask_for_sync(remote, integration, &request, error) : NULL;
    const char *name = json_member_string(integration, "name", "");
    const char *job_id = json_member_string(queued, "jobId", "");
    g_autoptr(Json) job = queued ? wait_for_job(call, remote, job_id, name, error) : NULL;
    g_autoptr(Json) result = job ? result_of(remote, job, error) : NULL;
    if (!result)
        return false;
    tell(call, result, job_id, name);
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
    .remote = run_remote,
};
