/* client.h - the network loop: one NetClient, one thread.
 *
 * A client owns connections, timers and the requests under way, and does nothing outside
 * net_client_step(). A normal life: net_client_new(), requests sent (net/request.h), then
 * net_client_run_until() or one's own loop over net_client_step(), net_client_free().
 * Other threads (the database's) hand results back with net_client_post().
 *
 * Policy: TLS only, plain http for requests with allow_private; HTTP/1.1; redirects are never
 * followed (the answer is judged like any other); no proxy but the configured one, whatever the
 * environment says; requests with allow_private use a pool of connections of their own, so that no
 * connection made under one egress policy serves the other; every socket's address is judged by
 * net/egress.h. Answers are bounded in size, headers and time.
 *
 * Time comes from base/clock.h. With a wait_scale other than 1 the waits for budgets and back-off
 * are cut short by it, and the client's own idea of the time jumps to the end of each wait, so that
 * budgets see the same time as the waits. With a frozen clock, waits end when the test moves it.
 *
 * What went wrong becomes an outcome: no connection, reset -> unavailable; no answer within the
 * time -> timeout; a body that ends early, cannot be decoded or is too large -> broken; a host that
 * is not found, an untrusted certificate, an address that may not be reached -> bad_request.
 * A wait longer than 30 s, for a budget or asked for by the answer, is not slept: the result is
 * rate_limited with retry_at_ms, and the caller parks.
 */
#pragma once

#include "net/request.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *user_agent;   /* NULL: "assay/VERSION" */
    const char *ca_bundle;    /* PEM file; NULL: the system's */
    const char *egress_proxy; /* "http://host:port" of a proxy, without a user name; NULL: none. It
                               * may be at a private address; names are then resolved, and must be
                               * guarded, by the proxy */
    double wait_scale;        /* of back-off and budget waits; 0 means 1.0 (tests: 0.001) */
    unsigned max_host_connections; /* 0: 64 */
    uint64_t seed;                 /* of the jitter; 0: random */
} NetClientConfig;

typedef struct NetClient NetClient;
typedef void (*NetCall)(void *data);

/* ERROR_CONFIGURATION when the proxy is no URL or the CA bundle cannot be read. config may be
 * NULL for defaults; its texts are copied. */
NetClient *net_client_new(const NetClientConfig *config, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends what is under way: done() with ERROR_CANCELLED (and must not send again). Timers and posted
 * work are dropped unrun. No other thread may post any more. */
void net_client_free(NetClient *client);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetClient, net_client_free)

/* Takes the request. done() is never called from within. Returns the ticket for
 * net_client_cancel(). */
uint64_t net_client_send(NetClient *client, NetRequest *request);

/* Ends a request: done() is called by the next step, with ERROR_CANCELLED. False when it is over
 * already. */
bool net_client_cancel(NetClient *client, uint64_t ticket);

/* The same for all that is under way. */
void net_client_cancel_all(NetClient *client);

/* Runs fn once after delay_ms (not scaled). The id is for net_client_cancel_timer(). */
uint64_t net_client_after(NetClient *client, int64_t delay_ms, NetCall fn, void *data);
bool net_client_cancel_timer(NetClient *client, uint64_t id);

/* Runs fn on the client's thread in the order of posting. From any thread; wakes the loop. */
void net_client_post(NetClient *client, NetCall fn, void *data);

/* What waits for a budget that was BUSY asks it again in the next turn. */
void net_client_rouse(NetClient *client, const Budget *budget);

/* The client's own idea of the wall time: ahead of the clock by the waits that were cut short. */
int64_t net_client_now(const NetClient *client);

/* One turn: posted work, due timers, transfers; waits for something to do for at most max_wait_ms
 * (0: not at all; -1: as long as it takes). False only when the loop itself failed
 * (ERROR_INTERNAL). */
bool net_client_step(NetClient *client, int max_wait_ms, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Turns until done says so. */
bool net_client_run_until(NetClient *client, bool (*done)(void *data), void *data,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Requests sent and not done yet, waiting ones included. */
unsigned net_client_active(const NetClient *client);
