#include "cli/serve.h"

#include "base/error.h"
#include "base/log.h"
#include "cli/serve_api.h"
#include "cli/serve_settings.h"
#include "cli/session.h"
#include "cli/settings_change.h"
#include "sync/supervisor.h"

#include <string.h>
#include <unistd.h>

/* What a process does of all that there is to do. */
typedef struct {
    const char *name;
    bool answers; /* the API */
    bool works;   /* jobs and schedules */
} Role;

static const Role roles[] = {
    {"all", true, true},
    {"worker", false, true},
    {"api", true, false},
};

static const Role *role_named(const char *name, GError **error) {
    for (size_t i = 0; i < G_N_ELEMENTS(roles); i++)
        if (!name || strcmp(roles[i].name, name) == 0)
            return &roles[i];
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--role is api, worker or all");
    return NULL;
}

static const char *const flags[] = {"workers", "grace", "listen", NULL};

static bool check_flags(const Arguments *arguments, GError **error) {
    for (const char *const *flag = flags; *flag; flag++)
        if (!config_check_flag(*flag, arguments_text(arguments, *flag), error))
            return false;
    return true;
}

static bool set_flags(Config *settings, const Arguments *arguments, GError **error) {
    for (const char *const *flag = flags; *flag; flag++)
        if (!config_set_flag(settings, *flag, arguments_text(arguments, *flag), error))
            return false;
    return true;
}

static SupervisorTuning tuning_of(const ServeState *state) {
    const Config *settings = state->config;
    return (SupervisorTuning){.lookout = {.schedule = state->schedule,
                                          .retention = {.responses_days = config_number(
                                                            settings, "retention.responses_days"),
                                                        .evidence_years = config_number(
                                                            settings, "retention.evidence_years")}},
                              .grace_ms = config_number(settings, "grace"),
                              .limits = state->limits};
}

/* For scripts and service managers: printed when signals are taken, work is looked for and requests
 * are answered. address is the API's, or NULL. */
static void say_ready(const Output *output, const Role *role, const SupervisorConfig *config,
                      const char *address, Json *json) {
    json_put_bool(json, "ready", true);
    json_put_string(json, "role", role->name);
    json_put_int(json, "workers", config->workers);
    json_put_int(json, "pid", getpid());
    json_put_string(json, "data", config->station.data_dir);
    json_put_string(json, "api", address);
    output_json(output, json);
    output_line(output, "assay serve is ready: role %s, %u workers, data in %s", role->name,
                config->workers, config->station.data_dir);
    fflush(output->result);
    log_line(LOG_INFO, "serve_ready", LOG_TEXT("role", role->name),
             LOG_INT("workers", config->workers), LOG_TEXT("version", ASSAY_VERSION));
}

/* What the parts of the service tell each other. */
typedef struct {
    const Role *role;
    Db *db;
    ServeSettings *settings;
    Supervisor *supervisor;
    ApiServer *api; /* NULL: this role does not answer */
} Service;

static void tell_progress(const char *organization_id, const char *job_id, const Json *progress,
                          void *data) {
    const Service *service = data;
    if (service->api)
        api_progress(service->api, organization_id, job_id, progress);
}

static void tell_queued(void *data) {
    const Service *service = data;
    supervisor_look(service->supervisor);
}

/* The API comes first: it is the one that may refuse. */
static bool take(const ServeState *state, void *data, GError **error) {
    const Service *service = data;
    const SupervisorTuning tuning = tuning_of(state);
    if (service->api && !serve_api_take(service->api, state, error))
        return false;
    supervisor_tune(service->supervisor, &tuning);
    return true;
}

static void reload(void *data) {
    const Service *service = data;
    if (serve_settings_reload(service->settings, take, data))
        settings_change_tell(service->db, serve_settings_now(service->settings)->config,
                             service->role->name);
}

static bool start_api(CommandCall *call, const ServeApi *wish, Service *service, char **address_out,
                      Json *ready, GError **error) {
    if (!serve_api_start(wish, &service->api, error))
        return false;
    *address_out = serve_api_address(wish, service->api);
    return serve_api_show_setup(service->api, call->output, ready, error);
}

static bool serve(CommandCall *call, Session *session, const Service *wanted,
                  SupervisorConfig config, GError **error) {
    Service service = *wanted;
    const Role *role = service.role;
    g_autofree char *address = NULL;
    g_autoptr(Json) ready = json_new_object();
    config.progress = tell_progress;
    config.reload = reload;
    config.data = &service;
    g_autoptr(Supervisor) supervisor = supervisor_new(&config, error);
    if (!supervisor)
        return false;
    service.supervisor = supervisor;
    ServeApi wish = {.session = session,
                     .settings = service.settings,
                     .station = &config.station,
                     .queued = tell_queued,
                     .data = &service};
    bool ok = !role->answers || start_api(call, &wish, &service, &address, ready, error);
    if (ok) {
        say_ready(call->output, role, &config, address, ready);
        ok = supervisor_run(supervisor, error);
    }
    api_stop(g_steal_pointer(&service.api));
    log_line(LOG_INFO, "serve_ended", LOG_INT("ok", ok));
    return ok;
}

static bool run(CommandCall *call, GError **error) {
    SupervisorConfig config = {0};
    const Role *role = role_named(arguments_text(call->arguments, "role"), error);
    if (!role || !check_flags(call->arguments, error))
        return false;
    supervisor_take_signals();
    /* Goes after the session: its database may still have to note what has changed. */
    g_autoptr(ServeSettings) settings = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_MAKE, error);
    if (!session || !set_flags(session_config(session), call->arguments, error) ||
        !session_station(session, &config.station, error))
        return false;
    if (!settings_change_note(session_db(session), session_config(session), role->name, error))
        return false;
    settings = serve_settings_new(session_config(session));
    config.tuning = tuning_of(serve_settings_now(settings));
    config.workers = role->works ? (unsigned)config_number(session_config(session), "workers") : 0;
    config.db = session_db(session);
    config.providers_dir = session_place(session)->providers_dir;
    const Service service = {.role = role, .db = config.db, .settings = settings};
    return serve(call, session, &service, config, error);
}

static const Option options[] = {
    {"role", OPTION_TEXT, "ROLE", "api, worker or all (all)"},
    {"listen", OPTION_TEXT, "ADDRESS", "where the API listens (127.0.0.1:8080)"},
    {"workers", OPTION_TEXT, "N", "worker processes, started when there is work (4)"},
    {"grace", OPTION_TEXT, "TIME", "what running jobs get to end in when the service stops (30s)"},
    {0}};

const Command serve_command = {
    .name = "serve",
    .summary = "run as a service: schedules, collection, the API",
    .usage = "[--role api|worker|all] [--listen ADDRESS] [--workers N] [--grace TIME]",
    .about = "Prints one line when it is ready, and logs JSON lines on standard error. SIGTERM\n"
             "takes no further jobs and lets those under way end within the grace; what has not\n"
             "ended by then goes on where it stopped with the next start. A second signal ends\n"
             "at once. SIGHUP reads the definitions again, and of the file of settings what\n"
             "`assay config` shows as live.",
    .examples = "assay serve\n"
                "assay serve --role worker --workers 8 --grace 2m\n"
                "assay serve --json --data /var/lib/assay",
    .options = options,
    .most = 0,
    .run = run,
};
