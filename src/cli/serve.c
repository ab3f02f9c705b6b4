#include "cli/serve.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "cli/session.h"
#include "sync/roster.h"
#include "sync/supervisor.h"

#include <string.h>
#include <unistd.h>

#define WORKERS 4

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

/* A service says what it does, unless it was told otherwise. */
static void set_log_level(void) {
    if (!g_getenv("ASSAY_LOG"))
        log_set_level(LOG_INFO);
}

static bool read_config(const Arguments *arguments, const Role *role, SupervisorConfig *config,
                        GError **error) {
    int64_t workers = arguments_count(arguments, "workers", WORKERS);
    if (workers > ROSTER_POSTS_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--workers is at most %d", ROSTER_POSTS_MAX);
        return false;
    }
    const char *grace = arguments_text(arguments, "grace");
    config->workers = role->works ? (unsigned)workers : 0;
    config->grace_ms = SUPERVISOR_GRACE_MS;
    if (!grace || clock_parse_duration(grace, &config->grace_ms))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--grace is a duration such as 30s or 2m");
    return false;
}

/* For scripts and service managers: printed when signals are taken and work is looked for. */
static void say_ready(const Output *output, const Role *role, const SupervisorConfig *config) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "ready", true);
    json_put_string(json, "role", role->name);
    json_put_int(json, "workers", config->workers);
    json_put_int(json, "pid", getpid());
    json_put_string(json, "data", config->station.data_dir);
    output_json(output, json);
    output_line(output, "assay serve is ready: role %s, %u workers, data in %s", role->name,
                config->workers, config->station.data_dir);
    fflush(output->result);
    log_line(LOG_INFO, "serve_ready", LOG_TEXT("role", role->name),
             LOG_INT("workers", config->workers), LOG_TEXT("version", ASSAY_VERSION));
}

static bool serve(CommandCall *call, const Role *role, const SupervisorConfig *config,
                  GError **error) {
    g_autoptr(Supervisor) supervisor = supervisor_new(config, error);
    if (!supervisor)
        return false;
    say_ready(call->output, role, config);
    bool ok = supervisor_run(supervisor, error);
    log_line(LOG_INFO, "serve_ended", LOG_INT("ok", ok));
    return ok;
}

static bool run(CommandCall *call, GError **error) {
    SupervisorConfig config = {0};
    const Role *role = role_named(arguments_text(call->arguments, "role"), error);
    if (!role || !read_config(call->arguments, role, &config, error))
        return false;
    set_log_level();
    supervisor_take_signals();
    g_autoptr(Session) session = session_open(call->arguments, SESSION_MAKE, error);
    if (!session || !session_station(session, &config.station, error))
        return false;
    config.db = session_db(session);
    config.providers_dir = session_place(session)->providers_dir;
    return serve(call, role, &config, error);
}

static const Option options[] = {
    {"role", OPTION_TEXT, "ROLE", "api, worker or all (all)"},
    {"workers", OPTION_COUNT, "N", "worker processes, started when there is work (4)"},
    {"grace", OPTION_TEXT, "TIME", "what running jobs get to end in when the service stops (30s)"},
    {0}};

const Command serve_command = {
    .name = "serve",
    .summary = "run as a service: schedules, collection, the API",
    .usage = "[--role api|worker|all] [--workers N] [--grace TIME]",
    .about = "Prints one line when it is ready, and logs JSON lines on standard error. SIGTERM\n"
             "takes no further jobs and lets those under way end within the grace; what has not\n"
             "ended by then goes on where it stopped with the next start. A second signal ends\n"
             "at once. SIGHUP reads the definitions again.",
    .examples = "assay serve\n"
                "assay serve --role worker --workers 8 --grace 2m\n"
                "assay serve --json --data /var/lib/assay",
    .options = options,
    .most = 0,
    .run = run,
};
