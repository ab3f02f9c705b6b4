/* net_support.h - a scripted HTTP peer on 127.0.0.1, and what tests of the network ask it with.
 *
 * The peer runs in a thread of its own. The n-th request that it reads, over all connections, is
 * answered by the n-th step of its script; the last step is played again for ever.
 */
#pragma once

#include "net/client.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* What happens after the bytes of a step were sent. */
typedef enum {
    PEER_KEEP,  /* the connection stays open for the next request */
    PEER_CLOSE, /* it is closed in an orderly way */
    PEER_RESET, /* it is reset */
    PEER_HOLD,  /* it stays open, and nothing ever comes */
    PEER_FLOOD, /* `more` is sent again and again until the client goes away */
    PEER_DRIP   /* `more` is sent again and again, slowly */
} PeerThen;

typedef struct {
    const char *bytes; /* NULL: none */
    size_t size;       /* 0: strlen(bytes) */
    PeerThen then;
    const char *more;
} PeerStep;

typedef struct Peer Peer;

/* steps are borrowed until peer_free(). */
Peer *peer_new(const PeerStep *steps, size_t count);
void peer_free(Peer *peer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Peer, peer_free)

unsigned peer_requests(Peer *peer);
unsigned peer_connections(Peer *peer);
unsigned peer_port(const Peer *peer);
/* Head and body of the n-th request (from 0) as received; "" when there was none. Caller frees. */
char *peer_request(Peer *peer, unsigned n);
/* "http://127.0.0.1:PORT" + path. Caller frees. */
char *peer_url(const Peer *peer, const char *path);

/* What came of a request. */
typedef struct {
    unsigned times_done;
    Outcome outcome;
    int status;
    char *body;
    size_t size;
    char *message; /* of the error; NULL when there was none */
    ErrorCode code;
    char *header; /* value of x-test in the answer */
    unsigned attempts;
    unsigned sent;
    int64_t waited_ms;
    int64_t retry_at_ms;
    GString *log; /* if set, order of completion is written here ... */
    char mark;    /* ... as this character */
} Got;

void got_clear(Got *got);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Got, got_clear)

/* The done callback that fills a Got; data is the Got. */
void got_done(NetResult *result, void *data);

/* A request to the peer with allow_private, whose result goes to got. */
NetRequest *peer_ask(const Peer *peer, const char *method, const char *path, Got *got);

/* A client whose waits are scaled to a thousandth and whose jitter has a fixed seed. */
NetClient *test_client(void);

/* Steps until the client has nothing under way; fails the test when it takes longer than 20 s. */
void drain(NetClient *client);
