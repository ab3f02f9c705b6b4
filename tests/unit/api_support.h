/* api_support.h - a running API on a temporary database, and a client that speaks plain HTTP.
 *
 * A Stage has two organizations (ORG_A, ORG_B), each with one integration named "acme", tokens for
 * every role in ORG_A, one of ORG_B's owner, and the operator's. Requests go over real sockets.
 */
#pragma once

#include "api/api.h"
#include "api/stream.h"
#include "base/json.h"
#include "store/role.h"

#include <glib.h>
#include <pthread.h>
#include <stdbool.h>

#define ORG_A "01890000-0000-7000-8000-00000000000a"
#define ORG_B "01890000-0000-7000-8000-00000000000b"
#define INTEGRATION_A "01890000-0000-7000-8000-0000000000aa"
#define INTEGRATION_B "01890000-0000-7000-8000-0000000000bb"

typedef struct {
    char *folder;
    Db *db;
    Keyring *keyring;
    ApiServer *api;
    Secret *redis_url;   /* or NULL */
    char *tokens[ROLES]; /* of ORG_A, by role; the scanner's names INTEGRATION_A */
    char *stranger;      /* owner of ORG_B */
    char *operator;      /* of the installation, without a role */
    char *both;          /* owner of both organizations */
    unsigned queued;     /* jobs that were announced */
} Stage;

/* requests_a_minute 0: so many that nobody meets the limit. */
void stage_init(Stage *stage, unsigned requests_a_minute);
/* Requests wait no longer than this. */
void stage_init_hasty(Stage *stage, int64_t patience_ms);
/* Streams of events have their heartbeat so often. */
void stage_init_beating(Stage *stage, int64_t heartbeat_ms);
/* With so many connections at once. */
void stage_init_narrow(Stage *stage, unsigned connections);
/* Limits may be counted in this Redis. */
void stage_init_beside_redis(Stage *stage, const char *url);
void stage_clear(Stage *stage);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stage, stage_clear)

/* A unit of work that writes in the organization, as the system may. */
bool stage_run(const Stage *stage, const char *organization, DbWork work, void *data,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* Another integration of ORG_A. */
void stage_add_integration(const Stage *stage, const char *id, const char *name);

typedef struct {
    const char *method; /* NULL: GET */
    const char *path;
    const char *token;   /* or NULL */
    const char *headers; /* "Name: value\r\n", or NULL */
    const char *body;    /* or NULL */
} Ask;

typedef struct {
    unsigned status;
    char *head; /* status line and headers */
    char *body;
    Json *json; /* of the body; NULL: it is none */
} Answer;

void answer_clear(Answer *answer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

/* One request on a connection of its own. */
Answer stage_ask(const Stage *stage, const Ask *ask);
/* GET as a role of ORG_A. */
Answer stage_get(const Stage *stage, Role role, const char *path);
/* With a JSON body, as a role of ORG_A. */
Answer stage_send(const Stage *stage, Role role, const char *method, const char *path,
                  const char *body);

/* A connection to the server, for whoever wants to misbehave; close() it. */
int stage_connect(const Stage *stage);
void stage_write(int connection, const char *text);
/* Reads one reply; for_head: it has no body. */
Answer stage_read(int connection, bool for_head);

/* The value of a header of the answer, or NULL. Caller frees. */
char *answer_header(const Answer *answer, const char *name);
/* Text at a dotted path of the body; "" when there is none. */
const char *answer_text(const Answer *answer, const char *path);

/* A connection that reads a stream as slowly as it likes. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t woken;
    bool asleep;
} SlowReader;

/* Attaches itself to the stream; lives as long as that. */
void slow_reader_init(SlowReader *reader, Stream *stream);
/* Waits until there is something to read, or the end. */
void slow_reader_await(SlowReader *reader);

/* Asserts that an answer of success has the form that the route promises. */
void assert_form(const char *method, const char *path, const Answer *answer);

/* Asserts status and, for problems, code and media type. */
void assert_problem(const Answer *answer, unsigned status, const char *code);

#define must(expression)                                                                           \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool succeeded = (expression);                                                             \
        g_assert_no_error(error);                                                                  \
        g_assert_true(succeeded);                                                                  \
    } while (0)

typedef struct {
    const char *name;
    void (*run)(void);
} ApiTest;

/* Registers the tests under /api/NOUN/ and runs them; the result of main. There are no workers:
 * what would start one fails. */
int api_main(int argc, char **argv, const char *noun, const ApiTest *tests, size_t count);
