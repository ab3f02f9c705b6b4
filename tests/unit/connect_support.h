/* connect_support.h - a database with two organizations, a keyring, and a sender's surroundings,
 * for the tests of connect/ and sync/.
 */
#pragma once

#include "connect/credentials.h"
#include "connect/sender.h"
#include "db/db.h"
#include "provider/definition.h"
#include "vault/keyring.h"

#include <glib.h>
#include <stdbool.h>

#define ORG_A "org-a"
#define ORG_B "org-b"

/* The secret that must turn up nowhere. (With capitals: the scripted peer looks at requests in a
 * copy in lower case.) */
#define PLANTED "Planted-Token-4242"

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

/* Starts the secret memory and the test program. */
void connect_test_init(int *argc, char ***argv);

Secret *secret_of(const char *text);
Json *json_of(const char *text);
/* Credentials with one field; owned by the caller. */
Credentials *credentials_of(const char *field, const char *text);

/* Parts of a definition (provider_support.h): one call, `users`, and one evidence type of it. */
extern const char small_calls[];
extern const char small_evidence[];

/* --- a database ------------------------------------------------------------------------------- */

typedef struct {
    char *folder;
    Db *db; /* migrated; runs every unit twice */
    Keyring *keyring;
} Place;

void place_init(Place *place);
void place_clear(Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* The scopes of the organizations, and of the scheduler. */
extern const DbScope scope_a;
extern const DbScope scope_b;
extern const DbScope scope_system;

/* --- a sender's surroundings ------------------------------------------------------------------ */

typedef struct {
    NetClient *client;
    BudgetSet *budgets;
    Definition *definition;
    Json *settings; /* allow_private is true */
} Wire;

/* `http` and `identity` are parts of a definition as in provider_support.h; `calls` are lines to
 * add to those of small_calls. NULL for none. */
void wire_init(Wire *wire, const char *http, const char *identity, const char *calls);
void wire_clear(Wire *wire);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Wire, wire_clear)

/* A sender with this token for an integration; owned by the caller. */
Sender *wire_sender(const Wire *wire, const char *integration_id, const char *token);
