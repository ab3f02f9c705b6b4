/* postgres_error.h - how the errors of PostgreSQL read, and which of them pass by themselves.
 *
 * By SQLSTATE (https://www.postgresql.org/docs/15/errcodes-appendix.html). The server's own words
 * are repeated only in classes where they name objects and never a value; the others are told by
 * their number and the name of a constraint.
 */
#pragma once

#include "base/error.h"

/* What a connection said last. */
typedef struct {
    char state[6];    /* SQLSTATE; "" when there is none because the connection is lost */
    char *said;       /* the server's primary message; may hold a value */
    char *constraint; /* that was broken; may be NULL */
    bool is_lost;     /* the connection cannot be used any more */
} PostgresFailure;

typedef enum {
    RETRY_NEVER,
    RETRY_AGAIN,     /* the transaction was lost: another one may succeed */
    RETRY_LOCK,      /* so, after a long wait for a lock */
    RETRY_ONCE,      /* on a new connection: what this one has prepared is stale */
    RETRY_RECONNECT, /* the connection is lost, or the server is not the one that it was */
} PostgresRetry;

void postgres_failure_clear(PostgresFailure *failure);

/* writes: whether the unit was one that writes. */
PostgresRetry postgres_retry(const PostgresFailure *failure, bool writes);

/* what: the statement's name or what was being done; label: which database. */
void postgres_set_error(GError **error, const PostgresFailure *failure, const char *what,
                        const char *label);
