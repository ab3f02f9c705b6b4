/* server.h - HTTP: connections in, whole requests up, replies down (libmicrohttpd inside).
 *
 * A few threads, each with an epoll set, read requests. When one is there as a whole, `handle` is
 * called in such a thread; it must not wait. It replies at once, or leaves the exchange to somebody
 * else, and the connection sleeps (suspended, no thread held) until exchange_reply() is called.
 *
 * What an exchange owns is valid until it was replied to, and not a moment longer: whoever replies
 * takes what he still needs out of it first.
 *
 * Limits from birth: headers, target and body of a request, connections in all and per address,
 * bytes of bodies in memory, in all and per client, and the time that a request may take to arrive,
 * and a reply to be read, however slowly its bytes drip. Requests past a limit still reach
 * `handle`, which sees the defect and answers it in the API's own words.
 *
 * With a certificate it answers TLS 1.2 and 1.3 (libgnutls inside libmicrohttpd) and nothing else.
 *
 * Life: server_new (listens), server_start (answers), server_quiesce (no new connections),
 * everything is replied to, server_free.
 */
#pragma once

#include "api/address.h"
#include "api/reply.h"
#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define SERVER_BODY_MAX (1024 * 1024)
#define SERVER_HEADERS_MAX 100
#define SERVER_HEADER_BYTES_MAX (16 * 1024)

typedef struct Server Server;
typedef struct Exchange Exchange;

typedef enum {
    DEFECT_NONE,
    DEFECT_TARGET_TOO_LONG,
    DEFECT_HEADERS_TOO_LARGE,
    DEFECT_BODY_TOO_LARGE,
    DEFECT_OVERLOADED, /* too many bytes of bodies in memory, of all or of this client */
    DEFECT_FRAMING     /* proxies could read it in another way (RFC 9112, 6.3 and 11.2) */
} Defect;

typedef struct {
    const char *listen;        /* "127.0.0.1:8080", "[::1]:8080", ":8080"; port 0: a free one */
    const AddressSet *trusted; /* borrowed; not counted per address; see server_trust() */
    unsigned threads;
    unsigned connections;
    unsigned connections_per_address;
    int64_t request_ms;      /* in which headers, and then the body, must arrive; 0: 30 s */
    int64_t reply_ms;        /* in which a reply that is no stream must be read; 0: 5 minutes */
    int64_t idle_ms;         /* after which a connection that asks nothing is closed; 0: 75 s */
    const char *certificate; /* PEM, the chain; NULL: plain HTTP. Copied */
    Secret *key;             /* PEM; referred to */
    void (*handle)(Exchange *exchange, void *data);
    void *data;
} ServerConfig;

/* Listens; what connects waits. ERROR_CONFIGURATION when the address cannot be listened on. */
bool server_new(const ServerConfig *config, Server **server_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Begins to answer. ERROR_CONFIGURATION when the certificate and its key cannot be used. */
bool server_start(Server *server, GError **error) G_GNUC_WARN_UNUSED_RESULT;
uint16_t server_port(const Server *server);

/* Others are trusted from the next connection and request on. Borrowed until server_free(), and so
 * is what was trusted before: a thread may be looking at it. */
void server_trust(Server *server, const AddressSet *trusted);

/* Closes connections that take too long; to be called about once a second. */
void server_sweep(Server *server);

/* Takes no new connections, ends all streams; replies say Connection: close from now on. */
void server_quiesce(Server *server);
/* Waits until all requests that arrived whole are answered whole, at most so long. Whether they
 * are. */
bool server_wait(Server *server, int64_t most_ms);
/* Stops. Everything must have been replied to: see server_quiesce(). */
void server_free(Server *server);

typedef struct {
    unsigned connections; /* open now */
    unsigned begun;       /* requests whose first line has come and that are not over */
    unsigned exchanges;   /* requests that are not yet answered whole, streams among them */
    uint64_t refused;     /* connections refused for their number */
    uint64_t timed_out;   /* closed because a request did not arrive in time */
    size_t bodies;        /* bytes of bodies in memory */
} ServerFigures;
ServerFigures server_figures(Server *server);

/* --- one exchange ----------------------------------------------------------------------------- */

const char *exchange_method(const Exchange *exchange);
/* As sent, with the query. */
const char *exchange_target(const Exchange *exchange);
/* The first header of this name, or NULL. Of those that must not be there twice there is one. */
const char *exchange_header(const Exchange *exchange, const char *name);
/* NUL-terminated beyond its size; "" when there is none. */
const char *exchange_body(const Exchange *exchange, size_t *size_out);
/* Who asks: the peer, or whom trusted proxies say that they forward for. */
const Address *exchange_client(const Exchange *exchange);
Defect exchange_defect(const Exchange *exchange);

/* Replies; takes what the reply owns (it is empty afterwards). Any thread, once. */
void exchange_reply(Exchange *exchange, Reply *reply);
