/* attempt.h - a credential that is tried at its service for a request: to connect, to connect
 * again, to test.
 *
 * An attempt is an errand (errand.h) and outlives the call that began it, so it keeps what it needs
 * of it. It takes what the caller gave; what comes of it is stored in one unit of work with its
 * entry in the audit log. A failure is an entry of its own.
 */
#pragma once

#include "api/call.h"
#include "api/connect_form.h"
#include "connect/connection.h"

typedef struct {
    Desk *desk;
    char *organization;
    char *actor_id;
    char *actor_name;
    const char *actor_kind;
    const char *role;
    char request_id[CALL_ID_MAX + 1];
    char address[ADDRESS_TEXT_SIZE];
    /* What is tried; set by whoever makes the attempt (attempt_take_form), and owned by it. */
    Definition *definition; /* referenced */
    const DefinitionAuth *auth;
    Json *settings;
    Credentials *credentials;
    bool external_id_made;
    char *name;           /* to be given; NULL: the provider's id */
    char *owner_user_id;  /* to whom it is to belong; NULL: the organization */
    char *integration_id; /* of one that is there; NULL: a new one */
    char *integration;    /* its name */
    int64_t connection;   /* that is tested (store/integration.h) */
    bool may_be_another;  /* account */
} Attempt;

Attempt *attempt_new(const Call *call);
void attempt_free(Attempt *attempt); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Attempt, attempt_free)

/* Moves what was accepted into the attempt. */
void attempt_take_form(Attempt *attempt, ConnectForm *form);

/* Begins the errand; takes the attempt. wish: kind, status and work, whose data is the attempt.
 * Returns true. */
bool attempt_begin(Call *call, Attempt *attempt, const ErrandWish *wish);

/* --- within the errand ------------------------------------------------------------------------ */

bool attempt_ask(Crew *crew, const Attempt *attempt, Json **account_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The scope of who began it; borrows. Runs a unit of work in it. */
DbScope attempt_scope(const Attempt *attempt);
bool attempt_run(const Attempt *attempt, DbMode mode, DbWork work, void *data,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside a unit: writes the audit log. id and name may be NULL; failure is NULL when it went well.
 */
typedef struct {
    AuditAction action;
    const char *id;
    const char *name;
    const GError *failure;
} AttemptEntry;
bool attempt_note(DbUnit *unit, const Attempt *attempt, const AttemptEntry *entry,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Connects: asks the service, has `store` store the connection, which lacks `stored` (what else is
 * to be done in its unit of work), and makes the answer, {success, id, name, status, the account,
 * externalId, jobId}. What fails is told in the audit log as well as can be. `action` is what both
 * are called there. */
typedef struct {
    AuditAction action;
    bool (*store)(const Attempt *attempt, const DbScope *scope, NewConnection *connection,
                  GError **error);
} AttemptWay;
bool attempt_connect(Crew *crew, const Attempt *attempt, const AttemptWay *way, Json **body_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The `noted` of a connection that is to be stored, with its `data`: writes the audit log. */
bool attempt_noted(DbUnit *unit, const Integration *integration, void *data,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Puts the members of the account into an answer. */
void attempt_put_account(Json *reply, const Json *account);

/* The answer, and the members of an account among a shape's fields. */
#define ATTEMPT_ACCOUNT                                                                            \
    SHAPE_FIELD("accountId", ANYTHING, 0, NULL), SHAPE_FIELD("arn", ANYTHING, 0, NULL),            \
        SHAPE_FIELD("user", ANYTHING, 0, NULL), SHAPE_FIELD("organizations", ANYTHING, 0, NULL)
extern const Shape attempt_stored_shape;
