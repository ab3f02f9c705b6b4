#include "sync/worker.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/secmem.h"
#include "connect/sender.h"
#include "connect/whoami.h"
#include "db/db.h"
#include "net/client.h"
#include "provider/registry.h"
#include "sync/budget_shared.h"
#include "sync/execute.h"
#include "sync/exercise.h"
#include "sync/message.h"
#include "sync/queue.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define GRACE_MS 1000 /* for ending by itself once the parent is gone */

/* What the parent has said meanwhile. */
typedef enum { GO_ON, STOP_AFTER_JOB, STOP_NOW } Wish;

typedef struct {
    int socket;
    Wish wish;
    bool stuck; /* a job could not be let go of: the end of this process does it */
    char *data_dir;
    Db *db;
    Keyring *keyring;
    Registry *registry;
    Pinned *pinned;
    NetClient *client;
    BudgetSet *budgets;    /* of this process alone: what is tested */
    SharedBudgets *shared; /* of all workers: jobs */
    Secret *redis_url;
    Owner *owner;
    AwsAmbient aws_identity;
    const AwsAmbient *aws; /* NULL: none is offered */
} Worker;

/* What holds no secret, lock or file goes with the process, and faster. */
static void worker_clear(Worker *worker) {
#ifdef ASSAY_SANITIZED
    pinned_free(worker->pinned);
    registry_free(worker->registry);
#endif
    shared_budgets_free(worker->shared);
    net_client_free(worker->client);
    budget_set_free(worker->budgets);
    secret_free(worker->redis_url);
    keyring_free(worker->keyring);
    db_close(worker->db);
    owner_free(worker->owner);
    aws_ambient_clear(&worker->aws_identity);
    g_free(worker->data_dir);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Worker, worker_clear)

static bool limit_memory(GError **error) {
#ifndef ASSAY_SANITIZED
    struct rlimit limit = {WORKER_MEMORY_MAX, WORKER_MEMORY_MAX};
    if (setrlimit(RLIMIT_AS, &limit) != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "cannot limit the memory of a worker");
        return false;
    }
#endif
    (void)error;
    return true;
}

/* --- hello ------------------------------------------------------------------------------------ */

static bool take_key(Worker *worker, const Json *hello, GError **error) {
    if (!json_member_bool(hello, "key", false))
        return true;
    g_autoptr(Secret) key = NULL;
    if (!message_receive_secret(worker->socket, &key, error))
        return false;
    worker->keyring = keyring_from_secret(key, error);
    return worker->keyring != NULL;
}

static bool receive_credentials(Worker *worker, const Json *fields, Credentials *credentials,
                                GError **error) {
    for (size_t i = 0; i < json_count(fields); i++) {
        Secret *secret = NULL;
        if (!message_receive_secret(worker->socket, &secret, error))
            return false;
        credentials_put(credentials, json_text(json_item(fields, i)), secret);
    }
    return true;
}

static bool take_aws(Worker *worker, const Json *hello, GError **error) {
    const Json *aws = json_member(hello, "aws");
    if (!aws)
        return true;
    const Json *fields = json_member(aws, "fields");
    worker->aws = &worker->aws_identity;
    worker->aws_identity.no_metadata = json_member_bool(aws, "noMetadata", true);
    if (json_count(fields) == 0)
        return true;
    worker->aws_identity.environment = credentials_new();
    return receive_credentials(worker, fields, worker->aws_identity.environment, error);
}

static bool take_redis(Worker *worker, const Json *hello, GError **error) {
    return !json_member_bool(hello, "redis", false) ||
           message_receive_secret(worker->socket, &worker->redis_url, error);
}

static bool open_budgets(Worker *worker, const Json *hello, GError **error) {
    double scale = json_member_real(hello, "waitScale", 0);
    SharedBudgetsConfig config = {.client = worker->client,
                                  .db = worker->db,
                                  .owner = owner_id(worker->owner),
                                  .redis_url = worker->redis_url,
                                  .limits = json_member(hello, "limits"),
                                  .scripted = scale > 0 && scale != 1.0};
    worker->shared = shared_budgets_new(&config, error);
    return worker->shared && shared_budgets_read_caps(worker->shared, error);
}

static bool open_data(Worker *worker, const Json *hello, GError **error) {
    worker->data_dir = g_strdup(json_member_string(hello, "dataDir", NULL));
    const char *url = json_member_string(hello, "databaseUrl", NULL);
    g_autofree char *providers =
        worker->data_dir ? g_build_filename(worker->data_dir, "providers", NULL) : NULL;
    worker->registry = registry_new(providers, error);
    if (!worker->registry)
        return false;
    worker->pinned = pinned_new(worker->registry);
    if (!url)
        return true;
    worker->db = db_open(url, error);
    return worker->db && owner_new(worker->data_dir, &worker->owner, error) &&
           open_budgets(worker, hello, error);
}

static bool say_hello(Worker *worker, GError **error) {
    g_autoptr(Json) message = NULL;
    if (!message_receive(worker->socket, &message, error))
        return false;
    const Json *hello = json_member(message, "hello");
    if (json_member(hello, "clockOffset"))
        clock_set_offset(json_member_int(hello, "clockOffset", 0));
    NetClientConfig config = {.wait_scale = json_member_real(hello, "waitScale", 0)};
    worker->client = net_client_new(&config, error);
    worker->budgets = budget_set_new(&budget_memory, NULL);
    return worker->client && take_key(worker, hello, error) && take_aws(worker, hello, error) &&
           take_redis(worker, hello, error) && open_data(worker, hello, error);
}

/* --- test ------------------------------------------------------------------------------------- */

/* All frames of the request are taken off the socket before anything can fail. */
static bool do_test(Worker *worker, const Json *request, Json **done_out, GError **error) {
    g_autoptr(Credentials) credentials = credentials_new();
    if (!receive_credentials(worker, json_member(request, "fields"), credentials, error))
        return false;
    const Definition *definition =
        registry_find(worker->registry, json_member_string(request, "provider", ""), error);
    if (!definition)
        return false;
    const DefinitionAuth *auth =
        definition_auth(definition, json_member_string(request, "auth", ""));
    if (!auth) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, "no such auth method");
        return false;
    }
    const Json *settings = json_member(request, "settings");
    SenderConfig config = {.client = worker->client,
                           .budgets = worker->budgets,
                           .definition = definition,
                           .auth = auth,
                           .settings = settings,
                           .integration_id = "test",
                           .credentials = g_steal_pointer(&credentials),
                           .ambient = worker->aws};
    g_autoptr(Sender) sender = NULL;
    return sender_new(&config, &sender, error) &&
           whoami_fetch(worker->client, sender, definition, settings, done_out, error);
}

/* --- queue ------------------------------------------------------------------------------------ */

static bool need_data(const Worker *worker, GError **error) {
    if (worker->db && worker->keyring)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                        "this worker has no database or no key");
    return false;
}

typedef struct {
    const char *id;
    Integration *integration;
} FindWork;

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_clear_pointer(&work->integration, integration_free);
    return integration_get(unit, work->id, &work->integration, error);
}

/* Ends in NULL. The caller frees the array; the texts are the JSON's. */
static const char **texts_of(const Json *list) {
    const char **texts = g_new0(const char *, json_count(list) + 1);
    for (size_t i = 0; i < json_count(list); i++)
        texts[i] = json_text(json_item(list, i));
    return texts;
}

static bool queue_for(const Worker *worker, const DbScope *scope, const Integration *integration,
                      const SyncRequest *wish, Json **done_out, GError **error) {
    const Definition *definition = registry_find(worker->registry, integration->provider, error);
    g_autofree char *job = NULL;
    if (!definition || !queue_sync(worker->db, scope, integration, definition, wish, &job, error))
        return false;
    *done_out = json_new_object();
    json_put_string(*done_out, "job", job);
    json_put_string(*done_out, "provider", definition->name);
    return true;
}

static AuditActor actor_of(const Json *json) {
    return (AuditActor){.kind = json_member_string(json, "kind", AUDIT_SYSTEM),
                        .id = json_member_string(json, "id", NULL),
                        .name = json_member_string(json, "name", NULL),
                        .address = json_member_string(json, "address", NULL),
                        .request_id = json_member_string(json, "request", NULL)};
}

static bool do_queue(Worker *worker, const Json *request, Json **done_out, GError **error) {
    if (!need_data(worker, error))
        return false;
    DbScope scope = {.organization = json_member_string(request, "organization", ""),
                     .actor = json_member_string(request, "actor", ""),
                     .role = json_member_string(request, "role", "")};
    g_autofree const char **types = texts_of(json_member(request, "evidenceTypes"));
    g_autofree const char **controls = texts_of(json_member(request, "controls"));
    const Json *by = json_member(request, "by");
    AuditActor actor = actor_of(by);
    SyncRequest wish = {.evidence_types = types,
                        .controls = controls,
                        .actor = by ? &actor : NULL,
                        .from_ms = json_member_int(request, "from", 0),
                        .to_ms = json_member_int(request, "to", 0),
                        .data_dir = worker->data_dir};
    FindWork find = {.id = json_member_string(request, "integration", "")};
    bool ok = db_run(worker->db, &scope, DB_READ, find_work, &find, error) &&
              queue_for(worker, &scope, find.integration, &wish, done_out, error);
    integration_free(find.integration);
    return ok;
}

/* --- run -------------------------------------------------------------------------------------- */

static void send_progress(const Json *progress, void *data) {
    const Worker *worker = data;
    g_autoptr(Json) message = json_new_object();
    json_put(message, "progress", json_copy_deep(progress));
    g_autoptr(GError) ignored = NULL; /* a parent that is gone is noticed by is_wanted() */
    if (!message_send(worker->socket, message, &ignored))
        return;
}

static Wish wish_named(const Json *stop) {
    const char *name = json_text(stop);
    return name && strcmp(name, "now") == 0 ? STOP_NOW : STOP_AFTER_JOB;
}

/* Takes what the parent says while work is under way: {"stop": ...}, or that it has gone. */
static void hear(Worker *worker) {
    while (worker->wish != STOP_NOW && message_waits(worker->socket)) {
        g_autoptr(Json) message = NULL;
        g_autoptr(GError) gone = NULL;
        if (!message_receive(worker->socket, &message, &gone))
            worker->wish = STOP_NOW;
        else if (json_member(message, "stop"))
            worker->wish = wish_named(json_member(message, "stop"));
    }
}

static bool is_wanted(void *data) {
    Worker *worker = data;
    hear(worker);
    return worker->wish != STOP_NOW;
}

static ExecuteContext context_of(Worker *worker) {
    return (ExecuteContext){.db = worker->db,
                            .keyring = worker->keyring,
                            .registry = worker->registry,
                            .pinned = worker->pinned,
                            .client = worker->client,
                            .budgets = shared_budgets_set(worker->shared),
                            .owner = worker->owner,
                            .aws = worker->aws,
                            .data_dir = worker->data_dir,
                            .progress = send_progress,
                            .wanted = is_wanted,
                            .data = worker};
}

/* The operator may have set another since; what cannot be read stays as it was. */
static void read_caps(Worker *worker) {
    g_autoptr(GError) ignored = NULL;
    if (!shared_budgets_read_caps(worker->shared, &ignored))
        return;
}

static bool do_run(Worker *worker, const Json *request, Json **done_out, GError **error) {
    if (!need_data(worker, error))
        return false;
    ExecuteContext context = context_of(worker);
    read_caps(worker);
    return execute_job(&context, json_member_string(request, "organization", ""),
                       json_member_string(request, "job", ""), done_out, error);
}

/* --- work ------------------------------------------------------------------------------------- */

static void tell(Worker *worker, const char *key, Json *value) {
    g_autoptr(Json) message = json_new_object();
    json_put(message, key, value);
    g_autoptr(GError) gone = NULL; /* noticed by hear() */
    if (!message_send(worker->socket, message, &gone))
        worker->wish = STOP_NOW;
}

static void tell_claimed(const Job *job, void *data) {
    Json *json = json_new_object();
    json_put_string(json, "organization", job->organization_id);
    json_put_string(json, "job", job->id);
    json_put_string(json, "integration", job->integration_id);
    json_put_int(json, "attempt", job->attempt);
    tell(data, "claimed", json);
}

static void tell_ended(Worker *worker, const ExecuteReport *report) {
    Json *json = json_new_object();
    json_put_string(json, "outcome", execute_outcome_name(report->outcome));
    if (report->result)
        json_put(json, "result", json_copy_deep(report->result));
    if (report->failure)
        json_put(json, "error", message_from_error(report->failure));
    tell(worker, "ended", json);
}

/* libjq and the allocator keep what a large run has used. */
static bool is_worn(void) {
    struct rusage used;
    return getrusage(RUSAGE_SELF, &used) == 0 && used.ru_maxrss > WORKER_WORN_KB;
}

/* Job after job, until nothing is due, somebody says stop, or the process is worn. */
static bool do_work(Worker *worker, const Json *request, Json **done_out, GError **error) {
    if (!need_data(worker, error))
        return false;
    ExecuteContext context = context_of(worker);
    context.claimed = tell_claimed;
    int64_t most = json_member_int(request, "jobs", 1), jobs = 0;
    bool idle = false;
    while (!idle && jobs < most && worker->wish == GO_ON && !is_worn()) {
        g_auto(ExecuteReport) report = {0};
        read_caps(worker);
        if (!execute_next(&context, &report, error)) {
            worker->stuck = true;
            return false;
        }
        idle = report.outcome == EXECUTE_NOTHING;
        if (idle || report.outcome == EXECUTE_PARKED)
            shared_budgets_settle(worker->shared);
        if (!idle)
            tell_ended(worker, &report);
        jobs += !idle;
        hear(worker);
    }
    *done_out = json_new_object();
    json_put_int(*done_out, "jobs", jobs);
    json_put_bool(*done_out, "worn", is_worn());
    return true;
}

static bool do_exercise(Worker *worker, const Json *request, Json **done_out, GError **error) {
    Exercise exercise = {.client = worker->client,
                         .definition_file = json_member_string(request, "definition", ""),
                         .folder = json_member_string(request, "folder", ""),
                         .write_golden = json_member_bool(request, "golden", false)};
    return exercise_run(&exercise, done_out, error);
}

/* --- the loop --------------------------------------------------------------------------------- */

typedef bool (*WorkerFunction)(Worker *worker, const Json *request, Json **done_out,
                               GError **error);

static const struct {
    const char *name;
    WorkerFunction function;
} functions[] = {
    {"test", do_test}, {"queue", do_queue},       {"run", do_run},
    {"work", do_work}, {"exercise", do_exercise},
};

static WorkerFunction function_named(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(functions); i++)
        if (strcmp(functions[i].name, name) == 0)
            return functions[i].function;
    return NULL;
}

static Json *answer_of(const char *key, Json *value) {
    Json *message = json_new_object();
    json_put(message, key, value);
    return message;
}

static bool serve_one(Worker *worker, GError **error) {
    g_autoptr(Json) request = NULL;
    if (!message_receive(worker->socket, &request, error))
        return false;
    if (json_member(request, "stop"))
        return true; /* it crossed the end of the work that it was meant for */
    WorkerFunction function = function_named(json_member_string(request, "do", ""));
    g_autoptr(GError) failure = NULL;
    Json *done = NULL;
    g_autoptr(Json) answer = NULL;
    if (!function)
        failure = g_error_new_literal(ASSAY_ERROR, ERROR_INTERNAL, "an unknown request");
    if (function && function(worker, request, &done, &failure))
        answer = answer_of("done", done);
    else
        answer = answer_of("error", message_from_error(failure));
    return message_send(worker->socket, answer, error) && !worker->stuck;
}

static bool serve(Worker *worker, GError **error) {
    g_autoptr(GError) failure = NULL;
    bool ready = say_hello(worker, &failure);
    g_autoptr(Json) answer = ready ? answer_of("ready", json_new_bool(true))
                                   : answer_of("error", message_from_error(failure));
    if (!message_send(worker->socket, answer, error) || !ready)
        return false;
    while (serve_one(worker, error))
        continue;
    return false;
}

/* --- the parent ------------------------------------------------------------------------------- */

/* Whatever it waits for, a worker does not outlive its parent: the work is lost with the parent or
 * goes on with the next claim, which the lock of a living worker would hold up. */
static void *watch_parent(void *data) {
    (void)data; /* nothing of the main thread, which may be over before this one */
    struct pollfd parent = {.fd = WORKER_SOCKET, .events = POLLRDHUP};
    while (poll(&parent, 1, -1) < 0 && errno == EINTR)
        continue;
    poll(NULL, 0, GRACE_MS);
    _exit(EXIT_SUCCESS);
}

static bool start_watching(void) {
    pthread_t thread;
    return pthread_create(&thread, NULL, watch_parent, NULL) == 0 && pthread_detach(thread) == 0;
}

int worker_main(void) {
    g_autoptr(GError) error = NULL;
    g_auto(Worker) worker = {.socket = WORKER_SOCKET};
    /* Expressions must not find anything in the environment. */
    if (clearenv() != 0 || !limit_memory(&error))
        return EXIT_FAILURE;
    if (!start_watching())
        return EXIT_FAILURE;
    if (!serve(&worker, &error) && error_code_of(error) == ERROR_CANCELLED)
        return EXIT_SUCCESS; /* the parent closed the socket */
    return EXIT_FAILURE;
}
