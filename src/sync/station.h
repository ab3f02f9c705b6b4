/* station.h - one worker process as its parent sees it: started, greeted, ended.
 *
 * A worker is this program, executed again with the hidden subcommand "worker" and a socket pair
 * (sync/worker.h has the messages), or the twin that a command has started (sync/twin.h). What it
 * may not find in the environment, the database or its arguments travels over that socket: the
 * key-encryption key, the AWS identity that was taken out of the environment, and the address of
 * Redis.
 *
 * station_start() does not wait for the worker: {"ready": true} or an error is the first message
 * that comes. Whoever ends a station waits until the process is gone, so that its lock file is free
 * afterwards.
 */
#pragma once

#include "base/json.h"
#include "base/log.h"
#include "base/secmem.h"
#include "connect/aws_identity.h"
#include "connect/credentials.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>
#include <sys/types.h>

/* What every worker of a parent is given; texts are borrowed. */
typedef struct {
    const char *program;  /* path of the executable; NULL: this one */
    const char *data_dir; /* where lock files live */
    const char *database_url;
    const Keyring *keyring; /* borrowed; may be NULL for work that opens nothing */
    const AwsAmbient
        *aws; /* borrowed; the installation's own AWS identity; NULL: none is offered */
    const Secret *redis_url; /* borrowed; NULL: there is no Redis */
    const Json *limits;      /* borrowed; provider -> "30/1m", of the configuration; NULL: none */
    double wait_scale;       /* of the worker's waits between attempts; 0: 1.0 (tests) */
    bool shielded; /* signals to the whole group (^C, a service manager) do not end it: the
                      parent tells its workers when to stop */
} StationConfig;

typedef struct {
    int socket; /* -1: no process */
    pid_t pid;
} Station;

/* Starts the process and sends the greeting; false leaves no process behind. */
bool station_start(const StationConfig *config, Station *station_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Waits for the answer to the greeting. */
bool station_await_ready(const Station *station, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Closes the socket, which ends an idle worker at once and a busy one soon, and waits for it. */
void station_end(Station *station);

/* The same without mercy. */
void station_kill(Station *station);

/* The names of fields, and their values as one secret frame each. */
Json *station_field_names(const Credentials *credentials);
bool station_send_fields(const Station *station, const Credentials *credentials,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
