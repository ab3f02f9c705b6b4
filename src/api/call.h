/* call.h - one request while it is being answered: what handlers see and say.
 *
 * A handler runs on a thread of the pool (or, for routes that are answered at once, where the
 * request was read). The caller is known, has entered an organization and has the role that the
 * route asks for; the body fits its schema. The handler answers through call_answer() or fails with
 * an error, of which a problem document is made. What must be checked of a single object
 * (somebody's own integration, an auditor's period) is the handler's: call_may().
 *
 * A handler that has to wait for a worker gives an errand (errand.h), one that waits for jobs names
 * them (call_wait_jobs), and returns; the connection sleeps meanwhile.
 */
#pragma once

#include "api/caller.h"
#include "api/desk.h"
#include "api/errand.h"
#include "api/pool.h"
#include "api/problem.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/server.h"
#include "api/target.h"
#include "present/roll.h"
#include "store/idempotency.h"
#include "vault/password_queue.h"

#define CALL_ID_MAX 64 /* of a request id */

/* A password that somebody sent, to be verified or hashed elsewhere (vault/password_queue.h). */
typedef struct {
    Secret *password;
    const char *hash;    /* it is held against; NULL: nobody's, it matches never */
    bool make;           /* make a hash instead */
    RouteHandler resume; /* goes on with the call when that is done */
    void *held;          /* the handler's own, for resume */
    GDestroyNotify free_held;
} CallPassword;

/* Something else that takes a while on a thread of somebody else's. */
typedef struct {
    /* Called when the handler has returned. When it succeeds, front_wake() is called once, from
     * any thread, and the call may be gone already. */
    bool (*begin)(Call *call, GError **error);
    RouteHandler resume; /* goes on with the call then */
    void *held;          /* the handler's own, for both */
    GDestroyNotify free_held;
} CallSleep;

/* Jobs that a call waits for (api/job_wait.h). */
typedef struct {
    char **ids;          /* owned; ends in NULL */
    RouteHandler resume; /* goes on with the call when they have ended, or patience has */
    void *held;          /* the handler's own, for resume */
    GDestroyNotify free_held;
    bool ended; /* all of them */
    int64_t until_ms;
    int64_t pause_ms; /* until the next look */
} CallJobs;

struct Call {
    Desk *desk;
    Exchange *exchange; /* NULL once it was replied to */
    const Route *route; /* NULL: none fitted */
    const char *values[ROUTE_PARAMETERS_MAX];
    Target target;
    char request_id[CALL_ID_MAX + 1];
    int64_t began_us;
    PoolSeat *seat; /* while a handler runs */
    Address client;
    char client_text[ADDRESS_TEXT_SIZE];
    Caller *caller; /* NULL: a public route */
    DbScope scope;
    Json *body;         /* an object; empty when there was none */
    Idempotency *begun; /* the idempotency key, NULL: none */
    Errand *errand;     /* to be waited for */
    CallJobs jobs;      /* to be waited for when it has `resume` */
    /* The service that is asked on the caller's behalf, of the pool's registry: errors are its own
     * from then on. NULL: none. */
    const Definition *service;
    CallPassword asked; /* to be waited for when it has `resume`; password and hash are owned */
    char *asked_hash;
    bool password_matches; /* what came of it */
    char *password_hash;   /* a new one to be stored, or NULL */
    GError *password_error;
    CallSleep sleep; /* to be begun, or under way, when it has `resume` */
    Reply reply;
    /* What a failed handler has said besides its error. */
    bool refused;
    Problem refusal;
    bool denied;       /* the caller may not do this; to be noted */
    GPtrArray *wrongs; /* ShapeWrong */
};

/* --- what was asked --------------------------------------------------------------------------- */

/* A parameter of the path. */
const char *call_parameter(const Call *call, const char *name);
/* A parameter of the query, or NULL when it is absent or empty. */
const char *call_query(const Call *call, const char *name);
const char *call_header(const Call *call, const char *name);

/* limit: 1 to 1,000, by default 100; ERROR_USAGE. */
bool call_limit(Call *call, int64_t *limit_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A cursor that is an id; NULL when there is none. ERROR_USAGE when it is no id. */
bool call_cursor(Call *call, const char **cursor_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* A time of the query in milliseconds, 0 when absent. ERROR_USAGE. */
bool call_time(Call *call, const char *name, int64_t *time_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- who asks --------------------------------------------------------------------------------- */

/* Whether the caller may do what the route is for to this resource. */
bool call_may(const Call *call, const RoleResource *resource);
/* ... and fails with PROBLEM_FORBIDDEN. */
bool call_require(Call *call, const RoleResource *resource,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool call_is_operator(const Call *call);
/* For the audit log; borrows from the call. */
AuditActor call_actor(const Call *call);

/* --- work ------------------------------------------------------------------------------------- */

/* Runs a unit of work in the caller's scope. */
bool call_run(Call *call, DbMode mode, DbWork work, void *data,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;
Db *call_db(const Call *call);
/* The definitions, of this thread. */
Registry *call_registry(Call *call, GError **error);

/* --- answers ---------------------------------------------------------------------------------- */

/* Takes the object. Returns true, so that a handler can end with it. */
bool call_answer(Call *call, unsigned status, Json *take);
/* {"success": true}, where there is nothing else to say. Returns true. */
bool call_answer_success(Call *call);
/* The page of a roll that the query asks for. */
bool call_answer_roll(Call *call, const Roll *roll, GError **error);
/* {"NAME": list, "nextCursor": cursor or null}; takes the list. */
bool call_answer_list(Call *call, const char *name, Json *take, const char *next_cursor);

/* Fails with this kind of problem. Returns false. */
bool call_refuse(Call *call, ProblemKind kind, GError **error, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* Says what is wrong with the body; the handler then fails with ERROR_USAGE. */
bool call_wrong(Call *call, GError **error, const char *pointer, const char *format, ...)
    G_GNUC_PRINTF(4, 5);
/* Takes back what was refused and found wrong so far: a unit of work runs again. */
void call_forget_refusal(Call *call);
/* If-Match against the object as it is now: PROBLEM_PRECONDITION when it is another. */
bool call_unchanged(Call *call, const Json *now, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Lets the call wait for an errand, which it takes. Returns true. */
bool call_wait(Call *call, Errand *errand);

/* Lets the call sleep until the jobs have ended or patience has; then resume is called like a
 * handler and finds jobs.ended and jobs.held. Takes ids and held. Returns true. */
bool call_wait_jobs(Call *call, const CallJobs *wish);

/* Lets the call sleep until the password was looked at; then resume is called like a handler, on
 * another thread, and finds password_matches, password_hash and asked.held. Takes held. Returns
 * true. */
bool call_ask_password(Call *call, const CallPassword *wish);
/* Wipes what was asked, so that something else can be; asked.held is freed. */
void call_forget_password(Call *call);

/* Lets the call sleep until front_wake(). Takes held, which lives as long as the call. Returns
 * true; a call sleeps once. */
bool call_sleep(Call *call, const CallSleep *wish);
