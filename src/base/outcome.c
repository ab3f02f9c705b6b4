#include "base/outcome.h"

typedef struct {
    const char *name;
    ErrorCode code;
    bool retryable;
} OutcomeRow;

static const OutcomeRow rows[OUTCOMES] = {
    [OUTCOME_OK] = {"ok", ERROR_INTERNAL, false},
    [OUTCOME_ABSENT] = {"absent", ERROR_INTERNAL, false},
    [OUTCOME_FORBIDDEN] = {"forbidden", ERROR_PERMISSION_DENIED, false},
    [OUTCOME_UNLICENSED] = {"unlicensed", ERROR_CONFIGURATION, false},
    [OUTCOME_AUTH_EXPIRED] = {"auth_expired", ERROR_AUTHENTICATION_FAILED, false},
    [OUTCOME_RATE_LIMITED] = {"rate_limited", ERROR_RATE_LIMITED, true},
    [OUTCOME_UNAVAILABLE] = {"unavailable", ERROR_SERVICE_UNAVAILABLE, true},
    [OUTCOME_TIMEOUT] = {"timeout", ERROR_TIMEOUT, true},
    [OUTCOME_BROKEN] = {"broken", ERROR_SERVICE_UNAVAILABLE, true},
    [OUTCOME_ENDLESS] = {"endless", ERROR_CONFIGURATION, false},
    [OUTCOME_BAD_REQUEST] = {"bad_request", ERROR_CONFIGURATION, false},
};

const char *outcome_name(Outcome outcome) {
    return outcome < OUTCOMES ? rows[outcome].name : "unknown";
}

bool outcome_from_name(const char *name, Outcome *outcome_out) {
    if (g_strcmp0(name, "invalid") == 0)
        name = rows[OUTCOME_BROKEN].name;
    for (Outcome outcome = 0; outcome < OUTCOMES; outcome++) {
        if (g_strcmp0(rows[outcome].name, name) == 0) {
            *outcome_out = outcome;
            return true;
        }
    }
    return false;
}

ErrorCode outcome_error_code(Outcome outcome) {
    return outcome < OUTCOMES ? rows[outcome].code : ERROR_INTERNAL;
}

bool outcome_retryable(Outcome outcome) {
    return outcome < OUTCOMES && rows[outcome].retryable;
}

bool outcome_judgeable(Outcome outcome) {
    return outcome == OUTCOME_OK || outcome == OUTCOME_ABSENT;
}
