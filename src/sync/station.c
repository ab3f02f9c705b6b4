#include "sync/station.h"

#include "base/error.h"
#include "sync/message.h"
#include "sync/twin.h"
#include "sync/worker.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- the process ------------------------------------------------------------------------------ */

/* What a parent has blocked for its own waiting is not inherited; a shielded worker is deaf to what
 * is meant for the whole group. */
static void set_signals(posix_spawnattr_t *attributes, bool shielded) {
    sigset_t mask;
    sigemptyset(&mask);
    if (shielded) {
        sigaddset(&mask, SIGTERM);
        sigaddset(&mask, SIGINT);
        sigaddset(&mask, SIGHUP);
    }
    posix_spawnattr_setsigmask(attributes, &mask);
    posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK);
}

static bool spawn(const StationConfig *config, int socket, pid_t *pid_out, GError **error) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    posix_spawn_file_actions_adddup2(&actions, socket, WORKER_SOCKET);
    set_signals(&attributes, config->shielded);
    char name[] = "assay";
    char command[] = WORKER_COMMAND;
    char *arguments[] = {name, command, NULL};
    const char *program = config->program ? config->program : "/proc/self/exe";
    int failure = posix_spawn(pid_out, program, &actions, &attributes, arguments, environ);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    if (failure == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot start a worker process: %s",
                g_strerror(failure));
    return false;
}

static void reap(Station *station) {
    if (station->socket >= 0)
        close(station->socket);
    station->socket = -1;
    if (station->pid > 0)
        while (waitpid(station->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
    station->pid = 0;
}

void station_end(Station *station) {
    reap(station);
}

void station_kill(Station *station) {
    if (station->pid > 0)
        kill(station->pid, SIGKILL);
    reap(station);
}

/* --- the greeting ----------------------------------------------------------------------------- */

bool station_send_fields(const Station *station, const Credentials *credentials, GError **error) {
    for (size_t i = 0; i < credentials_count(credentials); i++) {
        const Secret *secret = credentials_get(credentials, credentials_field(credentials, i));
        if (!message_send_secret(station->socket, secret, error))
            return false;
    }
    return true;
}

Json *station_field_names(const Credentials *credentials) {
    Json *fields = json_new_array();
    for (size_t i = 0; i < credentials_count(credentials); i++)
        json_add_string(fields, credentials_field(credentials, i));
    return fields;
}

static Json *describe_aws(const AwsAmbient *aws) {
    Json *json = json_new_object();
    json_put(json, "fields",
             aws->environment ? station_field_names(aws->environment) : json_new_array());
    json_put_bool(json, "noMetadata", aws->no_metadata);
    return json;
}

static bool send_secrets(const StationConfig *config, const Station *station, GError **error) {
    if (config->keyring &&
        !message_send_secret(station->socket, keyring_kek(config->keyring), error))
        return false;
    if (config->aws && config->aws->environment &&
        !station_send_fields(station, config->aws->environment, error))
        return false;
    return !config->redis_url || message_send_secret(station->socket, config->redis_url, error);
}

static bool greet(const StationConfig *config, const Station *station, GError **error) {
    g_autoptr(Json) hello = json_new_object();
    json_put_string(hello, "dataDir", config->data_dir);
    json_put_string(hello, "databaseUrl", config->database_url);
    json_put_real(hello, "waitScale", config->wait_scale);
    json_put_bool(hello, "key", config->keyring != NULL);
    if (config->aws)
        json_put(hello, "aws", describe_aws(config->aws));
    json_put_bool(hello, "redis", config->redis_url != NULL);
    if (config->limits)
        json_put(hello, "limits", json_copy_deep(config->limits));
    g_autoptr(Json) message = json_new_object();
    json_put(message, "hello", g_steal_pointer(&hello));
    return message_send(station->socket, message, error) && send_secrets(config, station, error);
}

static bool execute(const StationConfig *config, Station *station, GError **error) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot make a socket pair: %s",
                    g_strerror(errno));
        return false;
    }
    station->socket = sockets[0];
    bool ok = spawn(config, sockets[1], &station->pid, error);
    close(sockets[1]);
    return ok;
}

bool station_start(const StationConfig *config, Station *station_out, GError **error) {
    Station station = {.socket = -1};
    bool alike = !config->program && !config->shielded;
    bool ok =
        (alike && twin_take(&station.socket, &station.pid)) || execute(config, &station, error);
    if (!ok || !greet(config, &station, error)) {
        station_end(&station);
        return false;
    }
    *station_out = station;
    return true;
}

bool station_await_ready(const Station *station, GError **error) {
    g_autoptr(Json) answer = NULL;
    if (!message_receive(station->socket, &answer, error))
        return false;
    if (!json_member(answer, "error"))
        return true;
    g_propagate_error(error, message_to_error(json_member(answer, "error")));
    return false;
}
