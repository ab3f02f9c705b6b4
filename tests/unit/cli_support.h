/* cli_support.h - command lines run in this process, on a data directory of their own.
 *
 * A Desk is a temporary data directory with a clean environment around it. desk_run() runs a
 * command line as main() would and keeps what it printed. The test program is also the worker
 * that commands start: desk_main() looks after that.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/integration.h"

#include <glib.h>
#include <stdbool.h>

/* The secret that must turn up nowhere. */
#define PLANTED "planted-token-4242"

/* The expression uses &error as its last argument and must succeed. */
#define must(expression)                                                                           \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool succeeded = (expression);                                                             \
        g_assert_no_error(error);                                                                  \
        g_assert_true(succeeded);                                                                  \
    } while (0)

/* ... and must fail with this code and a message that holds this text, and no secret. */
#define must_fail(expected, part, expression)                                                      \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool succeeded = (expression);                                                             \
        g_assert_false(succeeded);                                                                 \
        g_assert_error(error, ASSAY_ERROR, (int)(expected));                                       \
        assert_holds(error->message, part);                                                        \
        assert_lacks(error->message, PLANTED);                                                     \
        g_error_free(error);                                                                       \
    } while (0)

void assert_holds(const char *text, const char *part);
void assert_lacks(const char *text, const char *part);

typedef struct {
    const char *name; /* a sentence about behaviour */
    void (*run)(void);
} DeskTest;

/* Registers the tests under /cli/NOUN/, each with a fresh desk, and runs them; the result of main.
 * As a worker process it is the worker. */
int desk_main(int argc, char **argv, const char *noun, const DeskTest *tests, size_t count);

/* The data directory of the running test, which does not exist yet, and the folder around it. */
const char *desk_data(void);
const char *desk_folder(void);

/* A file in the folder with this text. Borrowed until the test ends. */
const char *desk_file(const char *name, const char *text);

typedef struct {
    int status;
    char *out; /* standard output */
    char *err; /* standard error */
} Said;

/* Runs a line of words separated by spaces, such as "sync acme --json". */
Said desk_run(const char *line);
void said_clear(Said *said);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Said, said_clear)

/* Runs a line with --json; asserts the status and that standard output is one object, which the
 * caller owns, and that no secret was said. */
Json *desk_json(const char *line, int status);

/* Asserts that the line fails with this status, and that the one sentence holds the text. */
void desk_fails(const char *line, int status, const char *part);

/* The line with a credential in a file of its own: PLANTED. Caller frees. */
char *desk_with_token(const char *line);
/* As desk_json(), done, with a password in the environment, in NEW_PASSWORD. */
Json *desk_json_with_password(const char *line, const char *password);

/* A session on the desk's data, made when it is missing; owned by the caller. */
Session *desk_session(void);

/* Adds an integration of this name to provider github with no credential; its id, owned by the
 * caller. */
char *desk_add_integration(const Session *session, const char *name, const char *status);

/* Serves the desk's data over the API until the test ends, to a token of this role ("owner"), which
 * is the operator's as well when asked for. */
void desk_serve(const char *role, bool operator);

/* The line, asked of that server: with --server and --token. Borrowed until the test ends. */
const char *desk_there(const char *line);

/* Asserts that the line fails there as desk_fails() says. */
void desk_fails_there(const char *line, int status, const char *part);

/* Asserts that the line says the same on the data directory and asked of the server, for people and
 * as JSON, with this status. Freeze the clock first when ages or qualities are shown. */
void desk_same(const char *line, int status);

/* Asserts that both ways refuse the line with this status, and in the same words; of the codes that
 * scripts see, the API has fewer. No secret is said. */
void desk_refuse_same(const char *line, int status);

/* The entries of this action in the log of the organization, newest first; there are so many. The
 * caller owns the list. */
Json *desk_noted(const char *action, size_t count);

/* Asserts that there are two entries of this action: one of the command line and then one of the
 * server, about the same thing and with the same details. */
void desk_noted_same(const char *action);

Json *json_of(const char *text);
/* The text at a dotted path; "" when there is none. */
const char *json_text_at(const Json *json, const char *path);

/* An output into memory. */
typedef struct {
    Output output;
    char *out;
    size_t out_size;
    char *err;
    size_t err_size;
} Screen;

void screen_init(Screen *screen);
void screen_flush(Screen *screen);
void screen_clear(Screen *screen);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Screen, screen_clear)
