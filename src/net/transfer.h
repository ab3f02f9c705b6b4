/* transfer.h - single attempts over libcurl, and the only file that knows it (transfer.c).
 *
 * A TransferEngine has two pools of connections, for requests that may reach private addresses and
 * for all others; they never share a connection. A Transfer is one attempt: transfer_open() takes
 * an idle one of the right pool, transfer_extra() is filled, transfer_start() sends, finished() is
 * called from transfer_engine_step(), and transfer_close() gives it back at any moment. Handles,
 * header lists and body buffers are reused from attempt to attempt.
 *
 * Sockets are watched by one epoll descriptor. A socket stays watched while its connection is idle
 * and is let go when something unexpected happens on it: that saves two system calls a call.
 * Memory that libcurl frees is wiped first, since it has held credentials.
 */
#pragma once

#include "net/request.h"

#include <glib.h>
#include <stdbool.h>

typedef struct TransferEngine TransferEngine;
typedef struct Transfer Transfer;

/* Called once for a started transfer that was not closed; owner is that of transfer_open(). */
typedef void (*TransferFinished)(void *owner);

typedef struct {
    const char *user_agent;
    const char *ca_bundle; /* NULL: the system's */
    const char *proxy;     /* NULL: none */
    unsigned max_host_connections;
    TransferFinished finished;
} TransferConfig;

/* How an attempt without an answer ended. */
typedef struct {
    Outcome outcome;
    bool once_more; /* worth exactly one more try */
} TransferFailure;

TransferEngine *transfer_engine_new(const TransferConfig *config,
                                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* All transfers are closed by then. */
void transfer_engine_free(TransferEngine *engine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TransferEngine, transfer_engine_free)

/* Moves transfers on; waits for at most max_wait_ms (-1: no bound). */
bool transfer_engine_step(TransferEngine *engine, int max_wait_ms,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes the waiting step return. From any thread. */
void transfer_engine_wake(TransferEngine *engine);

/* request is borrowed until the transfer is closed. */
Transfer *transfer_open(TransferEngine *engine, const NetRequest *request, void *owner);

/* The attempt opens a connection of its own. libcurl sends a request again by itself, up to five
 * times, when a kept connection turns out to be dead; an attempt after a failure is one request. */
void transfer_connect_anew(Transfer *transfer);

/* Headers of this attempt only; wiped when it is closed. */
NetHeaders *transfer_extra(Transfer *transfer);

/* ERROR_CONFIGURATION when the host may not be reached. */
bool transfer_start(Transfer *transfer, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void transfer_close(Transfer *transfer);

/* After finished(): the answer; with a failure its body is empty and its status may be 0. */
const NetResponse *transfer_response(const Transfer *transfer);
NetBuffer *transfer_buffer(Transfer *transfer);

/* Whether any byte of the request may have left this machine. */
bool transfer_was_sent(const Transfer *transfer);

/* After finished(): true when there is no usable answer, with the error that says why. */
bool transfer_failed(const Transfer *transfer, TransferFailure *failure_out, GError **error_out);
