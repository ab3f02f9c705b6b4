/* api.h - the JSON API over HTTP: what `assay serve` starts and stops.
 *
 * One ApiServer listens on one address and answers the routes of api/routes.h. It runs threads of
 * its own and returns at once; the caller keeps what the configuration borrows alive until
 * api_stop() has returned. What is queued here (a sync) is run by whoever runs workers: `queued` is
 * called after the job was committed, so that it is claimed at once and not with the next look.
 *
 * Connecting and testing run in worker processes of the API itself (sync/crew.h), so that a
 * credential that was sent here goes to the worker's socket and nowhere else.
 */
#pragma once

#include "base/json.h"
#include "base/secmem.h"
#include "connect/aws_identity.h"
#include "db/db.h"
#include "sync/schedule.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct ApiServer ApiServer;

/* Single sign-on at an identity provider (connect/openid.h). */
typedef struct {
    const char *issuer; /* NULL: there is none */
    const char *client_id;
    Secret *client_secret; /* NULL: a public client */
    bool allow_private;    /* it may have a private address */
} ApiSignOn;

/* What may change while the server runs. */
typedef struct {
    /* Addresses and networks ("10.0.0.0/8") whose X-Forwarded-For is believed; ends in NULL. */
    const char *const *trusted_proxies;
    unsigned requests_a_minute; /* of one token or user; 0: 1,000 */
    ScheduleDefaults schedule;  /* the times of rounds that nobody has set */
    const Json *limits;         /* of the configuration: provider -> "30/1m"; NULL: none */
    int64_t rotation_days;      /* of credentials that are connected; 0: they are never due */
} ApiTuning;

typedef struct {
    const char *listen;     /* "127.0.0.1:8080", "[::1]:8080", ":8080" (all); port 0: a free one */
    const char *public_url; /* where people and browsers reach it; NULL: listen, as http or https */
    const char *certificate; /* PEM, for TLS; NULL: plain HTTP. Copied */
    Secret *certificate_key; /* PEM; referred to */
    ApiTuning tuning;
    unsigned connections;             /* at once; 0: 4,096 */
    unsigned connections_per_address; /* at once, of no trusted proxy; 0: 2,048 */
    unsigned threads;                 /* for work on the database; 0: 4 */
    int64_t patience_ms;  /* how long a request waits for a test of a connection; 0: 25 s */
    int64_t heartbeat_ms; /* of streams of events; 0: 15 s */

    /* All borrowed until api_stop(). */
    Db *db;
    const char *data_dir;
    const char *database_url;  /* for worker processes */
    const char *providers_dir; /* definitions of the operator; may not exist */
    const Keyring *keyring;
    const AwsAmbient *aws; /* the installation's own AWS identity; NULL: none is offered */
    ApiSignOn sign_on;
    const Secret *redis_url; /* NULL: there is no Redis */
    double wait_scale;       /* of worker processes' waits; 0: 1.0 (tests) */

    /* Called from threads of the server; each may be NULL. */
    void (*queued)(void *data); /* a job was queued */
    /* The effective settings with their origin, for GET /api/configuration; the caller owns it. */
    Json *(*configuration)(void *data);
    /* What is found wrong with the installation, for GET /api/installation/doctor; network: the
     * hosts of services may be asked. Waits; the caller owns it. */
    Json *(*doctor)(bool network, void *data);
    void *data;
} ApiConfig;

/* Listens and begins to answer. ERROR_CONFIGURATION when the address is wrong or taken. */
bool api_start(const ApiConfig *config, ApiServer **server_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Another tuning from the next request on; borrowed until api_stop(), as those before it are. One
 * thread at a time. ERROR_CONFIGURATION when a proxy is no address, and then nothing has changed.
 */
bool api_tune(ApiServer *server, const ApiTuning *tuning, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Takes no new connections, lets what is being answered end (streams are ended, long waits answered
 * with 503, at most 10 s in all), and frees the server. NULL allowed. */
void api_stop(ApiServer *api);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ApiServer, api_stop)

/* The one-time link by which the first user is made, which replaces an earlier one; NULL when there
 * are users. Holds a secret: to be shown to whoever starts the server, not to be logged. The caller
 * frees it with secmem_free_text(). */
bool api_setup_link(const ApiServer *server, char **link_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The port that it listens on. */
uint16_t api_port(const ApiServer *server);

/* Progress of a running job ({phase, evidenceType, rows, calls, message}), for those who watch it.
 * Any thread. */
void api_progress(ApiServer *server, const char *organization_id, const char *job_id,
                  const Json *progress);
