/* outcome.h - the classes of a provider's answer, one vocabulary for the network, the definitions
 * and the evidence.
 *
 * What each class means to users (error code, retry) is the table in outcome.c; what it means to a
 * check's verdict is decided in comply/.
 */
#pragma once

#include "base/error.h"

typedef enum {
    OUTCOME_OK,
    OUTCOME_ABSENT,       /* readable, and not configured */
    OUTCOME_FORBIDDEN,    /* we may not look */
    OUTCOME_UNLICENSED,   /* the customer's plan does not have it */
    OUTCOME_AUTH_EXPIRED, /* the credential is no longer accepted */
    OUTCOME_RATE_LIMITED,
    OUTCOME_UNAVAILABLE, /* the service failed */
    OUTCOME_TIMEOUT,     /* no answer in time */
    OUTCOME_BROKEN,      /* an answer that cannot be read (truncated, not JSON, too deep) */
    OUTCOME_ENDLESS,     /* a list that loops or passes a cap */
    OUTCOME_BAD_REQUEST, /* a setting or the request itself is wrong */
    OUTCOMES
} Outcome;

/* "ok", "absent", "forbidden", ... as written in definitions and cassettes. Static storage. */
const char *outcome_name(Outcome outcome);

/* Finds an outcome by its name. "invalid" is accepted for broken. False when there is none. */
bool outcome_from_name(const char *name, Outcome *outcome_out);

/* The error code that users see. OUTCOME_OK and OUTCOME_ABSENT have none: ERROR_INTERNAL. */
ErrorCode outcome_error_code(Outcome outcome);

/* Whether the same request may be sent again by itself: rate_limited, unavailable, timeout; a
 * broken body once more. */
bool outcome_retryable(Outcome outcome);

/* Whether rows that depend on a read with this outcome can be judged: ok and absent. */
bool outcome_judgeable(Outcome outcome);
