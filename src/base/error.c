#include "base/error.h"

typedef struct {
    const char *name;
    bool retryable;
    int exit_status;
} ErrorRow;

static const ErrorRow rows[ERROR_CODES] = {
    [ERROR_AUTHENTICATION_FAILED] = {"AUTHENTICATION_FAILED", false, 4},
    [ERROR_PERMISSION_DENIED] = {"PERMISSION_DENIED", false, 4},
    [ERROR_RATE_LIMITED] = {"RATE_LIMITED", true, 6},
    [ERROR_SERVICE_UNAVAILABLE] = {"SERVICE_UNAVAILABLE", true, 6},
    [ERROR_CONFIGURATION] = {"CONFIGURATION_ERROR", false, 2},
    [ERROR_TIMEOUT] = {"TIMEOUT", true, 6},
    [ERROR_USAGE] = {"USAGE", false, 2},
    [ERROR_NOT_FOUND] = {"NOT_FOUND", false, 3},
    [ERROR_CONFLICT] = {"CONFLICT", false, 1},
    [ERROR_LIMIT] = {"LIMIT", false, 2},
    [ERROR_CRYPTO] = {"CRYPTO", false, 1},
    [ERROR_DATABASE] = {"DATABASE", false, 1},
    [ERROR_CANCELLED] = {"CANCELLED", false, 1},
    [ERROR_INTERNAL] = {"INTERNAL", false, 1},
};

static const ErrorRow *row_of(ErrorCode code) {
    return code < ERROR_CODES ? &rows[code] : &rows[ERROR_INTERNAL];
}

GQuark error_domain(void) {
    return g_quark_from_static_string("assay-error");
}

const char *error_code_name(ErrorCode code) {
    return row_of(code)->name;
}

ErrorCode error_code_from_name(const char *name) {
    for (ErrorCode code = 0; code < ERROR_CODES; code++) {
        if (g_strcmp0(rows[code].name, name) == 0)
            return code;
    }
    return ERROR_INTERNAL;
}

bool error_code_retryable(ErrorCode code) {
    return row_of(code)->retryable;
}

int error_code_exit_status(ErrorCode code) {
    return row_of(code)->exit_status;
}

ErrorCode error_code_of(const GError *error) {
    if (error == NULL || error->domain != ASSAY_ERROR || error->code < 0 ||
        error->code >= ERROR_CODES)
        return ERROR_INTERNAL;
    return (ErrorCode)error->code;
}

void error_start(void) {
    g_error_free(g_error_new_literal(ASSAY_ERROR, ERROR_INTERNAL, "start"));
}
