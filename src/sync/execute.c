#include "sync/execute.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/run.h"
#include "comply/evaluate.h"
#include "comply/judge.h"
#include "connect/connection.h"
#include "connect/sender.h"
#include "store/audit.h"
#include "store/control_mapping.h"
#include "store/definition_text.h"
#include "store/document.h"
#include "store/integration.h"
#include "store/job_claim.h"
#include "store/service_call.h"
#include "sync/format.h"
#include "sync/heartbeat.h"
#include "sync/schedule.h"
#include "sync/touched.h"

#include <string.h>
#include <sys/resource.h>

#define TURN_MS 250 /* how often the peer and the lease are looked at */
#define REQUEST_MAX (1024 * 1024)

/* All that belongs to one job while it runs. */
typedef struct {
    const ExecuteContext *context;
    DbScope scope;
    const char *job_id;
    Job *job;
    JobLease lease;
    Integration *integration;
    const Definition *definition;
    Json *settings;
    Json *request;
    Sender *sender;
    Cassette *cassette;
    Run *run;
    GPtrArray *evidence; /* ids, in the order of storing */
    GPtrArray *types;    /* of the evidence; borrowed from the definition */
    Json *problems;      /* entries for the result's errors: checks that could not be run */
    int64_t look_at;     /* monotonic */
    bool newer;          /* of a format that this program does not know */
    Heartbeat *heartbeat;
} Execution;

static void execution_clear(Execution *execution) {
    heartbeat_stop(execution->heartbeat);
    run_free(execution->run);
    cassette_free(execution->cassette);
    sender_free(execution->sender);
    json_free(execution->settings);
    json_free(execution->request);
    integration_free(execution->integration);
    job_free(execution->job);
    g_ptr_array_unref(execution->evidence);
    g_ptr_array_unref(execution->types);
    json_free(execution->problems);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Execution, execution_clear)

static const DbScope system_scope = {.actor = "worker", .system = true};

/* --- claim ------------------------------------------------------------------------------------ */

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    Execution *execution = data;
    g_clear_pointer(&execution->job, job_free);
    JobClaim claim = {.owner = owner_id(execution->context->owner), .lease_ms = EXECUTE_LEASE_MS};
    if (!execution->job_id)
        return job_claim(unit, &claim, &execution->job, error);
    return job_claim_one(unit, execution->scope.organization, execution->job_id, &claim,
                         &execution->job, error);
}

static bool claim(Execution *execution, GError **error) {
    if (!db_run(execution->context->db, &system_scope, DB_WRITE, claim_work, execution, error))
        return false;
    const ExecuteContext *context = execution->context;
    if (!execution->job)
        return true;
    execution->scope.organization = execution->job->organization_id;
    execution->lease = job_lease(execution->job);
    if (context->claimed)
        context->claimed(execution->job, context->data);
    return true;
}

typedef struct {
    const char *job_id;
    Job *job;
    JobResult *result;
} EndedWork;

static bool ended_work(DbUnit *unit, void *data, GError **error) {
    EndedWork *work = data;
    g_clear_pointer(&work->job, job_free);
    g_clear_pointer(&work->result, job_result_free);
    if (!job_get(unit, work->job_id, &work->job, error))
        return false;
    bool ended = strcmp(work->job->status, JOB_COMPLETED) == 0 ||
                 strcmp(work->job->status, JOB_FAILED) == 0 ||
                 strcmp(work->job->status, JOB_CANCELLED) == 0;
    return !ended || job_result_get(unit, work->job_id, &work->result, error);
}

static GError *failure_of(const char *text) {
    g_autoptr(Json) json = json_parse(text, strlen(text), REQUEST_MAX, NULL);
    ErrorCode code = error_code_from_name(json_member_string(json, "code", "INTERNAL"));
    return g_error_new_literal(ASSAY_ERROR, (int)code,
                               json_member_string(json, "message", "the job failed"));
}

/* Why a job could not be claimed: it ended, it waits, or somebody else has it. */
static bool explain_unclaimed(const Execution *execution, Json **result_out, GError **error) {
    EndedWork work = {.job_id = execution->job_id};
    bool ok = db_run(execution->context->db, &execution->scope, DB_READ, ended_work, &work, error);
    if (ok && work.result && work.result->result) {
        *result_out =
            json_parse(work.result->result, strlen(work.result->result), REQUEST_MAX, error);
        ok = *result_out != NULL;
    } else if (ok && work.result) {
        g_propagate_error(error, failure_of(work.result->error ? work.result->error : "{}"));
        ok = false;
    } else if (ok && strcmp(work.job->status, JOB_PARKED) == 0) {
        g_autofree char *when = clock_format(work.job->due_at);
        g_set_error(error, ASSAY_ERROR, ERROR_RATE_LIMITED,
                    "the service's limit is spent; this sync can go on at %s", when);
        ok = false;
    } else if (ok) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "a sync of this integration is running already; wait for it");
        ok = false;
    }
    job_free(work.job);
    job_result_free(work.result);
    return ok;
}

/* --- open ------------------------------------------------------------------------------------- */

typedef struct {
    Execution *execution;
    DefinitionText *text;
} LoadWork;

static bool load_work(DbUnit *unit, void *data, GError **error) {
    LoadWork *work = data;
    Execution *execution = work->execution;
    g_clear_pointer(&work->text, definition_text_free);
    g_clear_pointer(&execution->integration, integration_free);
    return integration_get(unit, execution->job->integration_id, &execution->integration, error) &&
           definition_text_get(unit, execution->job->definition_sha256, &work->text, error) &&
           document_sweep(unit, execution->job->id, NULL, error) &&
           job_tell(unit, execution->job->id, JOB_RUNNING, error);
}

static bool parse_texts(Execution *execution, const DefinitionText *text, GError **error) {
    const char *settings = execution->integration->settings;
    const char *request = execution->job->request;
    execution->request = json_parse(request, strlen(request), REQUEST_MAX, error);
    if (!execution->request)
        return false;
    if (format_of(execution->request, text->body) > FORMAT_KNOWN) {
        execution->newer = true;
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "this sync was begun by a newer version of the program, and waits for "
                            "one");
        return false;
    }
    execution->definition = pinned_find(execution->context->pinned, text, error);
    execution->settings = json_parse(settings, strlen(settings), REQUEST_MAX, error);
    return execution->definition && execution->settings;
}

static bool load(Execution *execution, GError **error) {
    LoadWork work = {.execution = execution};
    bool ok = db_run(execution->context->db, &execution->scope, DB_WRITE, load_work, &work, error);
    ok = ok && parse_texts(execution, work.text, error);
    definition_text_free(work.text);
    return ok;
}

/* The account behind a connection, as it said when it was connected; NULL when that is not known.
 * Caller frees. */
static char *account_of(const Integration *integration) {
    g_autoptr(Json) account =
        json_parse(integration->account, strlen(integration->account), REQUEST_MAX, NULL);
    return g_strdup(json_member_string(account, "accountId", NULL));
}

static bool open_sender(Execution *execution, GError **error) {
    const ExecuteContext *context = execution->context;
    const DefinitionAuth *auth =
        definition_auth(execution->definition, execution->integration->auth);
    if (!auth) {
        g_set_error(
            error, ASSAY_ERROR, ERROR_CONFIGURATION,
            "%s has no auth method \"%s\" any more; connect it again with `assay reconnect`",
            execution->definition->name, execution->integration->auth);
        return false;
    }
    g_autofree char *account_id = account_of(execution->integration);
    SenderConfig config = {.client = context->client,
                           .budgets = context->budgets,
                           .account_id = account_id,
                           .definition = execution->definition,
                           .auth = auth,
                           .settings = execution->settings,
                           .integration_id = execution->integration->id,
                           .ambient = context->aws};
    return connection_open(context->db, &execution->scope, context->keyring,
                           execution->integration->id, &config.credentials, error) &&
           sender_new(&config, &execution->sender, error);
}

static void on_stored(const char *type, const char *evidence_id, void *data) {
    Execution *execution = data;
    g_ptr_array_add(execution->types, (void *)(uintptr_t)type);
    g_ptr_array_add(execution->evidence, g_strdup(evidence_id));
}

/* To whoever has started this worker, and through the database to everybody else. */
static void tell(const Execution *execution, const Json *progress) {
    if (execution->context->progress)
        execution->context->progress(progress, execution->context->data);
    if (execution->heartbeat)
        heartbeat_tell(execution->heartbeat, progress);
}

static void on_progress(const char *type, uint64_t rows, uint64_t calls, void *data) {
    const Execution *execution = data;
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "provider", execution->definition->name);
    json_put_string(json, "evidenceType", type);
    json_put_int(json, "rows", (int64_t)rows);
    json_put_int(json, "calls", (int64_t)calls);
    tell(execution, json);
}

/* Processor time of this worker so far, in microseconds. */
static int64_t cpu_us(void) {
    struct rusage used;
    if (getrusage(RUSAGE_SELF, &used) != 0)
        return 0;
    return (used.ru_utime.tv_sec + used.ru_stime.tv_sec) * G_USEC_PER_SEC + used.ru_utime.tv_usec +
           used.ru_stime.tv_usec;
}

static void tell_phase(const Execution *execution, const char *phase) {
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "provider", execution->definition->name);
    json_put_string(json, "phase", phase);
    json_put_int(json, "cpuUs", cpu_us());
    tell(execution, json);
}

static bool open_run(Execution *execution, GError **error) {
    const ExecuteContext *context = execution->context;
    CassetteConfig cassette = {.place = {context->client, context->db, execution->scope},
                               .lease = execution->lease};
    if (!cassette_open(&cassette, &execution->cassette, error))
        return false;
    const Json *types = json_member(execution->request, "evidenceTypes");
    g_autofree const char **names = g_new0(const char *, json_count(types) + 1);
    for (size_t i = 0; i < json_count(types); i++)
        names[i] = json_text(json_item(types, i));
    RunConfig config = {.client = context->client,
                        .db = context->db,
                        .scope = execution->scope,
                        .definition = execution->definition,
                        .settings = execution->settings,
                        .evidence_types = names,
                        .integration_id = execution->integration->id,
                        .job_id = execution->job->id,
                        .clock_ms = execution->job->run_clock,
                        .from_ms = json_member_int(execution->request, "from", 0),
                        .to_ms = json_member_int(execution->request, "to", 0),
                        .lease = &execution->lease,
                        .cassette = execution->cassette,
                        .hold = !execution->job_id && job_may_retry(execution->job),
                        .sender = execution->sender,
                        .observer = {on_stored, on_progress, execution}};
    return run_new(&config, &execution->run, error);
}

/* --- collect ---------------------------------------------------------------------------------- */

/* Whether the lease is held and somebody wants the work. */
static bool may_go_on(const Execution *execution, GError **error) {
    HeartbeatState state = heartbeat_state(execution->heartbeat);
    if (state == HEARTBEAT_LOST)
        job_set_lost(error);
    else if (state == HEARTBEAT_CALLED_OFF)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the sync was called off");
    if (state != HEARTBEAT_HELD)
        return false;
    if (!execution->context->wanted || execution->context->wanted(execution->context->data))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "the sync was interrupted");
    return false;
}

/* Looks around a few times a second; never once a call. */
static bool turn(Execution *execution, GError **error) {
    int64_t now = clock_mono_ms();
    if (now >= execution->look_at) {
        execution->look_at = now + TURN_MS;
        if (!may_go_on(execution, error))
            return false;
    }
    return net_client_step(execution->context->client, TURN_MS, error);
}

static bool collect(Execution *execution, GError **error) {
    tell_phase(execution, "collecting");
    run_start(execution->run);
    while (!run_is_over(execution->run))
        if (!turn(execution, error))
            return false;
    const GError *failure = run_error(execution->run);
    if (!failure && run_parked_until(execution->run) == 0)
        failure = run_held(execution->run);
    if (!failure)
        return true;
    g_propagate_error(error, g_error_copy(failure));
    return false;
}

/* --- the end ---------------------------------------------------------------------------------- */

typedef struct {
    const Execution *execution;
    const char *result;
    const Json *told; /* the result or the error, for the audit log */
    IntegrationStatus status;
    int64_t park_until; /* 0: complete */
} EndWork;

/* Who asked for the run is in the log already; this is what came of it. */
static bool note_end(DbUnit *unit, const EndWork *work, GError **error) {
    static const char *const counts[] = {"evidenceCollected", "evidenceFailed"};
    const Integration *integration = work->execution->integration;
    const AuditActor actor = {.kind = AUDIT_SYSTEM};
    const char *code = json_member_string(work->told, "code", NULL);
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "jobId", work->execution->job->id);
    for (size_t i = 0; !code && i < G_N_ELEMENTS(counts); i++)
        json_put_int(details, counts[i], json_member_int(work->told, counts[i], 0));
    if (code)
        json_put_string(details, "code", code);
    AuditEntry entry = {.action = AUDIT_SYNC_COMPLETED,
                        .actor = &actor,
                        .result = code ? AUDIT_FAILED : AUDIT_OK,
                        .target_kind = "integration",
                        .target_id = integration ? integration->id : NULL,
                        .target_name = integration ? integration->name : NULL,
                        .details = details};
    return audit_add(unit, &entry, error);
}

/* Each of the units that let go of the job ends with this: one of them commits. */
static bool count_calls(DbUnit *unit, const Execution *execution, GError **error) {
    for (Outcome outcome = 0; execution->sender && outcome < OUTCOMES; outcome++) {
        ServiceCall call = {.provider = execution->definition->id,
                            .outcome = outcome_name(outcome),
                            .calls = sender_counts(execution->sender)->by_outcome[outcome]};
        if (call.calls > 0 && !service_call_add(unit, &call, error))
            return false;
    }
    return true;
}

/* A run of some evidence types only moves no schedule. */
static bool collects_all(const Execution *execution) {
    return execution->integration->evidence_types ||
           json_count(json_member(execution->request, "evidenceTypes")) ==
               execution->definition->type_count;
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    const EndWork *work = data;
    const Execution *execution = work->execution;
    if (work->park_until > 0)
        return job_park(unit, &execution->lease, work->park_until, error) &&
               count_calls(unit, execution, error);
    int64_t now = clock_now_ms();
    IntegrationSync sync = {.result = work->result, .synced_at = now, .status = work->status};
    sync.status.connection = execution->integration->connection;
    return job_complete(unit, &execution->lease, work->result, error) &&
           integration_record_sync(unit, execution->integration->id, &sync, error) &&
           (!collects_all(execution) ||
            schedule_note_run(unit, execution->integration, execution->definition, error)) &&
           note_end(unit, work, error) && count_calls(unit, execution, error);
}

/* connected when all was read; reconnect_needed when the credential is refused; else degraded. */
static IntegrationStatus status_after(const Json *result) {
    const Json *errors = json_member(result, "errors");
    IntegrationStatus status = {.status = INTEGRATION_CONNECTED};
    for (size_t i = 0; i < json_count(errors); i++) {
        const Json *entry = json_item(errors, i);
        bool refused = g_str_equal(json_member_string(entry, "code", ""),
                                   error_code_name(ERROR_AUTHENTICATION_FAILED));
        if (status.reason && !refused)
            continue;
        status.status = refused ? INTEGRATION_RECONNECT_NEEDED : INTEGRATION_DEGRADED;
        status.reason = json_member_string(entry, "code", "");
        status.error_message = json_member_string(entry, "message", "");
    }
    return status;
}

static void add_problem(Execution *execution, const char *type, const char *problem) {
    Json *entry = json_new_object();
    json_put_string(entry, "evidenceType", type);
    json_put_string(entry, "code", error_code_name(ERROR_CONFIGURATION));
    json_put_string(entry, "message", problem);
    json_put_bool(entry, "retryable", false);
    json_add(execution->problems, entry);
}

/* Beside what could not be read, the result tells what could not be judged. */
static void put_problems(const Execution *execution, const Json *result) {
    Json *errors = json_member(result, "errors");
    for (size_t i = 0; i < json_count(execution->problems); i++)
        json_add(errors, json_copy_deep(json_item(execution->problems, i)));
}

static bool judge(Execution *execution, GError **error) {
    const ExecuteContext *context = execution->context;
    tell_phase(execution, "judging");
    for (guint i = 0; i < execution->evidence->len; i++) {
        g_auto(JudgeReport) report = {0};
        if (!may_go_on(execution, error) ||
            !judge_evidence(context->db, &execution->scope, execution->definition,
                            g_ptr_array_index(execution->evidence, i), &report, error))
            return false;
        if (report.problem)
            add_problem(execution, g_ptr_array_index(execution->types, i), report.problem);
    }
    size_t changed = 0;
    return evaluate_controls(context->db, &execution->scope, context->registry, NULL,
                             clock_now_ms(), &changed, error);
}

static bool park(Execution *execution, Json **result_out, GError **error) {
    EndWork work = {.execution = execution, .park_until = run_parked_until(execution->run)};
    if (!db_run(execution->context->db, &execution->scope, DB_WRITE, end_work, &work, error))
        return false;
    Json *result = run_result(execution->run);
    json_put_int(result, "controlsUpdated", 0);
    json_put_time(result, "parkedUntil", work.park_until);
    *result_out = result;
    return true;
}

static bool mapping_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **changes = data;
    g_clear_pointer(changes, g_ptr_array_unref);
    return control_mapping_list(unit, NULL, changes, error);
}

static bool put_touched(const Execution *execution, Json *result, GError **error) {
    GPtrArray *read = NULL;
    bool ok =
        db_run(execution->context->db, &execution->scope, DB_READ, mapping_work, &read, error);
    g_autoptr(GPtrArray) changes = read;
    if (!ok)
        return false;
    const Json *types = json_member(execution->request, "evidenceTypes");
    const TouchedPlace place = {execution->context->registry, execution->definition, changes};
    json_put_int(result, "controlsUpdated", (int64_t)touched_controls(&place, types));
    return true;
}

static bool complete(Execution *execution, Json **result_out, GError **error) {
    if (!judge(execution, error))
        return false;
    g_autoptr(Json) result = run_result(execution->run);
    put_problems(execution, result);
    if (!put_touched(execution, result, error))
        return false;
    g_autofree char *text = json_print(result, JSON_COMPACT);
    EndWork work = {
        .execution = execution, .result = text, .told = result, .status = status_after(result)};
    if (!db_run(execution->context->db, &execution->scope, DB_WRITE, end_work, &work, error))
        return false;
    *result_out = g_steal_pointer(&result);
    tell_phase(execution, "done");
    return true;
}

/* --- failure ---------------------------------------------------------------------------------- */

static bool fail_work(DbUnit *unit, void *data, GError **error) {
    const EndWork *work = data;
    return job_fail(unit, &work->execution->lease, work->result, error) &&
           note_end(unit, work, error) && count_calls(unit, work->execution, error);
}

static bool interrupt_work(DbUnit *unit, void *data, GError **error) {
    const Execution *execution = data;
    return job_park(unit, &execution->lease, clock_now_ms(), error) &&
           count_calls(unit, execution, error);
}

static bool decline_work(DbUnit *unit, void *data, GError **error) {
    const Execution *execution = data;
    return job_park(unit, &execution->lease, clock_now_ms() + FORMAT_DECLINE_MS, error);
}

static bool call_off_work(DbUnit *unit, void *data, GError **error) {
    const Execution *execution = data;
    return job_end_cancelled(unit, &execution->lease, error) && count_calls(unit, execution, error);
}

/* What was answered is kept for whoever goes on. */
static void keep_answers(Execution *execution) {
    g_clear_pointer(&execution->run, run_free);
    if (execution->cassette)
        cassette_flush(execution->cassette);
    g_clear_pointer(&execution->cassette, cassette_free);
}

/* A job that was called off ends, another is let go of, to be claimed again at once. */
static bool interrupt(Execution *execution, bool called_off, GError **error) {
    keep_answers(execution);
    return db_run(execution->context->db, &execution->scope, DB_WRITE,
                  called_off ? call_off_work : interrupt_work, execution, error);
}

static bool retry_work(DbUnit *unit, void *data, GError **error) {
    const Execution *execution = data;
    int64_t due_at = clock_now_ms() + job_retry_delay_ms(execution->job);
    return job_retry(unit, &execution->lease, due_at, error) && count_calls(unit, execution, error);
}

static bool give_up(Execution *execution, const GError *failure, GError **error) {
    ErrorCode code = error_code_of(failure);
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "code", error_code_name(code));
    json_put_string(json, "message", failure->message);
    json_put_bool(json, "retryable", error_code_retryable(code));
    g_autofree char *text = json_print(json, JSON_COMPACT);
    EndWork work = {.execution = execution, .result = text, .told = json};
    return db_run(execution->context->db, &execution->scope, DB_WRITE, fail_work, &work, error);
}

/* A database that was away, a disk that was full, a service that did not answer in time: another
 * attempt may fare better. */
static bool may_retry(const Execution *execution, ErrorCode code) {
    return (code == ERROR_DATABASE || error_code_retryable(code)) && job_may_retry(execution->job);
}

/* A failure that another attempt would meet again ends the job; whoever lost the lease leaves it to
 * the one who has it, and whoever is not wanted any more to the next claim. */
static bool settle(Execution *execution, const GError *failure, ExecuteOutcome *outcome_out,
                   GError **error) {
    ErrorCode code = error_code_of(failure);
    bool called_off =
        execution->heartbeat && heartbeat_state(execution->heartbeat) == HEARTBEAT_CALLED_OFF;
    g_clear_pointer(&execution->heartbeat, heartbeat_stop);
    *outcome_out = EXECUTE_LOST;
    if (code == ERROR_CONFLICT)
        return true;
    *outcome_out = called_off ? EXECUTE_CALLED_OFF : EXECUTE_RELEASED;
    if (code == ERROR_CANCELLED)
        return interrupt(execution, called_off, error);
    *outcome_out = EXECUTE_DECLINED;
    if (execution->newer)
        return db_run(execution->context->db, &execution->scope, DB_WRITE, decline_work, execution,
                      error);
    *outcome_out = EXECUTE_RETRIED;
    if (may_retry(execution, code)) {
        keep_answers(execution);
        return db_run(execution->context->db, &execution->scope, DB_WRITE, retry_work, execution,
                      error);
    }
    *outcome_out = EXECUTE_FAILED;
    return give_up(execution, failure, error);
}

static bool run_claimed(Execution *execution, ExecuteOutcome *outcome_out, Json **result_out,
                        GError **error) {
    HeartbeatConfig heartbeat = {.db = execution->context->db,
                                 .scope = execution->scope,
                                 .lease = execution->lease,
                                 .lease_ms = EXECUTE_LEASE_MS};
    execution->heartbeat = heartbeat_start(&heartbeat, error);
    if (!execution->heartbeat || !load(execution, error) || !open_sender(execution, error) ||
        !open_run(execution, error) || !collect(execution, error))
        return false;
    bool parks = run_parked_until(execution->run) > 0;
    *outcome_out = parks ? EXECUTE_PARKED : EXECUTE_COMPLETED;
    return parks ? park(execution, result_out, error) : complete(execution, result_out, error);
}

static void execution_init(Execution *execution, const ExecuteContext *context) {
    *execution = (Execution){
        .context = context,
        .scope = {.actor = "worker", .role = "worker"},
        .evidence = g_ptr_array_new_with_free_func(g_free),
        .types = g_ptr_array_new(),
        .problems = json_new_array(),
    };
}

bool execute_job(const ExecuteContext *context, const char *organization_id, const char *job_id,
                 Json **result_out, GError **error) {
    g_auto(Execution) execution;
    execution_init(&execution, context);
    execution.scope.organization = organization_id;
    execution.job_id = job_id;
    if (!owner_release_dead(context->data_dir, context->db, error) || !claim(&execution, error))
        return false;
    if (!execution.job)
        return explain_unclaimed(&execution, result_out, error);
    g_autoptr(GError) failure = NULL;
    ExecuteOutcome outcome;
    if (run_claimed(&execution, &outcome, result_out, &failure))
        return true;
    g_autoptr(GError) unsettled = NULL; /* the first failure is the one to report */
    if (!settle(&execution, failure, &outcome, &unsettled))
        g_clear_error(&unsettled);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

bool execute_next(const ExecuteContext *context, ExecuteReport *report_out, GError **error) {
    g_auto(Execution) execution;
    execution_init(&execution, context);
    if (!claim(&execution, error))
        return false;
    ExecuteReport report = {.outcome = EXECUTE_NOTHING};
    if (execution.job &&
        !run_claimed(&execution, &report.outcome, &report.result, &report.failure) &&
        !settle(&execution, report.failure, &report.outcome, error)) {
        g_clear_error(&report.failure);
        return false;
    }
    *report_out = report;
    return true;
}

void execute_report_clear(ExecuteReport *report) {
    json_free(report->result);
    g_clear_error(&report->failure);
    *report = (ExecuteReport){0};
}

const char *execute_outcome_name(ExecuteOutcome outcome) {
    static const char *const names[] = {
        [EXECUTE_NOTHING] = "nothing",   [EXECUTE_COMPLETED] = "completed",
        [EXECUTE_PARKED] = "parked",     [EXECUTE_RETRIED] = "retried",
        [EXECUTE_RELEASED] = "released", [EXECUTE_LOST] = "lost",
        [EXECUTE_FAILED] = "failed",     [EXECUTE_CALLED_OFF] = "cancelled",
        [EXECUTE_DECLINED] = "declined",
    };
    return names[outcome];
}
