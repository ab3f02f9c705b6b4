#include "sync/crew.h"

#include "base/error.h"
#include "base/log.h"
#include "sync/message.h"

#include <pthread.h>
#include <sys/socket.h>

#define RESTARTS_MAX 100 /* the job's own attempts end it long before */

struct Crew {
    CrewConfig config; /* with texts of its own */
    char *program;
    char *data_dir;
    char *database_url;
    Station station;
    pthread_mutex_t ending; /* the socket is not closed while crew_interrupt() uses it */
};

static bool start_worker(Crew *crew, GError **error) {
    if (!station_start(&crew->config, &crew->station, error))
        return false;
    if (station_await_ready(&crew->station, error))
        return true;
    station_end(&crew->station);
    return false;
}

bool crew_start(const CrewConfig *config, Crew **crew_out, GError **error) {
    g_autoptr(Crew) crew = g_new0(Crew, 1);
    crew->config = *config;
    crew->config.program = crew->program = g_strdup(config->program);
    crew->config.data_dir = crew->data_dir = g_strdup(config->data_dir);
    crew->config.database_url = crew->database_url = g_strdup(config->database_url);
    crew->station.socket = -1;
    pthread_mutex_init(&crew->ending, NULL);
    if (!start_worker(crew, error))
        return false;
    *crew_out = g_steal_pointer(&crew);
    return true;
}

void crew_free(Crew *crew) {
    if (!crew)
        return;
    station_end(&crew->station);
    pthread_mutex_destroy(&crew->ending);
    g_free(crew->program);
    g_free(crew->data_dir);
    g_free(crew->database_url);
    g_free(crew);
}

/* --- conversations ---------------------------------------------------------------------------- */

typedef struct {
    CrewProgress progress;
    void *data;
} Listener;

static void log_phase(const Json *progress) {
    const char *phase = json_member_string(progress, "phase", NULL);
    if (phase)
        log_line(LOG_DEBUG, "job_phase", LOG_TEXT("phase", phase),
                 LOG_INT("cpuUs", json_member_int(progress, "cpuUs", 0)));
}

/* Reads until the worker is done. ERROR_CANCELLED: the worker has died. */
static bool await_done(Crew *crew, const Listener *listener, Json **done_out, GError **error) {
    for (;;) {
        g_autoptr(Json) message = NULL;
        if (!message_receive(crew->station.socket, &message, error))
            return false;
        const Json *progress = json_member(message, "progress");
        if (progress) {
            log_phase(progress);
            if (listener->progress)
                listener->progress(progress, listener->data);
            continue;
        }
        if (json_member(message, "error")) {
            g_propagate_error(error, message_to_error(json_member(message, "error")));
            return false;
        }
        *done_out = json_ref(json_member(message, "done"));
        return true;
    }
}

void crew_interrupt(Crew *crew) {
    pthread_mutex_lock(&crew->ending);
    if (crew->station.socket >= 0)
        (void)shutdown(crew->station.socket, SHUT_RDWR);
    pthread_mutex_unlock(&crew->ending);
}

static bool worker_died(Crew *crew, const char *doing, GError **error) {
    pthread_mutex_lock(&crew->ending);
    station_end(&crew->station);
    pthread_mutex_unlock(&crew->ending);
    g_clear_error(error);
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "the worker process died while %s", doing);
    return false;
}

bool crew_test(Crew *crew, const CrewTest *test, Json **account_out, GError **error) {
    g_autoptr(Json) request = json_new_object();
    json_put_string(request, "do", "test");
    json_put_string(request, "provider", test->provider);
    json_put_string(request, "auth", test->auth);
    json_put(request, "settings", json_copy_deep(test->settings));
    json_put(request, "fields", station_field_names(test->credentials));
    g_autoptr(GError) failure = NULL;
    const Listener nobody = {0};
    if (message_send(crew->station.socket, request, &failure) &&
        station_send_fields(&crew->station, test->credentials, &failure) &&
        await_done(crew, &nobody, account_out, &failure))
        return true;
    if (error_code_of(failure) == ERROR_CANCELLED)
        return worker_died(crew, "testing the connection", error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

/* A worker that lives may say itself that something was called off. */
static bool has_died(const Crew *crew, const GError *failure) {
    return error_code_of(failure) == ERROR_CANCELLED &&
           (crew->station.socket < 0 || message_peer_gone(crew->station.socket));
}

/* Asks again in a new worker when one dies: what is asked here may be asked twice. */
static bool insist(Crew *crew, const Json *request, const Listener *listener, Json **done_out,
                   GError **error) {
    for (int start = 0; start < RESTARTS_MAX; start++) {
        g_autoptr(GError) failure = NULL;
        if ((crew->station.pid > 0 || start_worker(crew, &failure)) &&
            message_send(crew->station.socket, request, &failure) &&
            await_done(crew, listener, done_out, &failure))
            return true;
        if (!has_died(crew, failure)) {
            g_propagate_error(error, g_steal_pointer(&failure));
            return false;
        }
        station_end(&crew->station);
    }
    return worker_died(crew, "running the sync, again and again", error);
}

static void put_texts(Json *json, const char *key, const char *const *texts) {
    Json *list = json_new_array();
    for (; texts && *texts; texts++)
        json_add_string(list, *texts);
    json_put(json, key, list);
}

static Json *actor_json(const AuditActor *actor) {
    Json *json = json_new_object();
    json_put_string(json, "kind", actor->kind);
    json_put_string(json, "id", actor->id);
    json_put_string(json, "name", actor->name);
    json_put_string(json, "address", actor->address);
    json_put_string(json, "request", actor->request_id);
    return json;
}

bool crew_queue(Crew *crew, const DbScope *scope, const char *integration_id,
                const SyncRequest *wish, Json **queued_out, GError **error) {
    g_autoptr(Json) request = json_new_object();
    json_put_string(request, "do", "queue");
    json_put_string(request, "organization", scope->organization);
    json_put_string(request, "actor", scope->actor);
    json_put_string(request, "role", scope->role);
    json_put_string(request, "integration", integration_id);
    put_texts(request, "evidenceTypes", wish->evidence_types);
    put_texts(request, "controls", wish->controls);
    json_put_int(request, "from", wish->from_ms);
    json_put_int(request, "to", wish->to_ms);
    if (wish->actor)
        json_put(request, "by", actor_json(wish->actor));
    const Listener nobody = {0};
    return insist(crew, request, &nobody, queued_out, error);
}

bool crew_run(Crew *crew, const char *organization_id, const char *job_id, CrewProgress progress,
              void *data, Json **result_out, GError **error) {
    g_autoptr(Json) request = json_new_object();
    json_put_string(request, "do", "run");
    json_put_string(request, "organization", organization_id);
    json_put_string(request, "job", job_id);
    const Listener listener = {progress, data};
    return insist(crew, request, &listener, result_out, error);
}

bool crew_exercise(Crew *crew, const char *definition_file, const char *folder, bool write_golden,
                   Json **report_out, GError **error) {
    g_autoptr(Json) request = json_new_object();
    json_put_string(request, "do", "exercise");
    json_put_string(request, "definition", definition_file);
    json_put_string(request, "folder", folder);
    json_put_bool(request, "golden", write_golden);
    g_autoptr(GError) failure = NULL;
    const Listener nobody = {0};
    if (message_send(crew->station.socket, request, &failure) &&
        await_done(crew, &nobody, report_out, &failure))
        return true;
    if (error_code_of(failure) == ERROR_CANCELLED)
        return worker_died(crew, "testing the definition", error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}
