/* desk.h - what all parts of the API work with.
 *
 * Made and cleared by api.c; everybody else borrows. Members never change while the server runs
 * but for the tuning (desk_tuning()), and each is safe for any thread by itself.
 */
#pragma once

#include "api/api.h"
#include "api/route.h"

#include <stdatomic.h>

typedef struct {
    ApiConfig config;                  /* with defaults filled in */
    _Atomic(const ApiTuning *) tuning; /* what holds now; config.tuning is the first */
    char *public_url;
    bool secure;                /* public_url is https */
    const Route *const *tables; /* ends in NULL */
    struct Server *server;
    struct Pool *pool;
    struct Alarms *alarms;
    struct Limiter *limiter;   /* by token or user */
    struct Limiter *strangers; /* by address: who is not, or wrongly, signed in */
    struct Limiter *denials;   /* by token or user: refusals that are written down */
    struct Metrics *metrics;
    struct Errands *errands;
    struct ErrandBook *errand_book;
    struct Watch *watch;
    struct Feed *feed;
    struct TokenUse *token_use;
    struct Recall *recall;
    struct PasswordQueue *passwords;
    struct Openid *openid; /* NULL: no single sign-on */
    struct Ephemeral *ephemeral;
    struct Redis *redis; /* for figures; NULL: there is none */
    char *openapi;       /* the document, printed */
    char *openapi_tag;
    char *reference; /* the page */
    char *reference_policy;
    atomic_bool stopping;
} Desk;

/* What holds now. Lives as long as the desk; whoever looks twice may see two. */
static inline const ApiTuning *desk_tuning(const Desk *desk) {
    return atomic_load(&((Desk *)(uintptr_t)desk)->tuning);
}
