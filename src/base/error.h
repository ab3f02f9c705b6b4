/* error.h - the one error domain of Assay.
 *
 * Every fallible function reports through a GError of the domain ASSAY_ERROR, as its last
 * argument. The code is for the machine, the message is one sentence for a person: it names what
 * failed and what to do next, and never carries a secret or a provider's response body. Callers
 * add context on the way up with g_prefix_error().
 *
 * The first six codes are the integration error codes that users see; the others never leave the
 * program by name except through the exit status of the command line.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define ASSAY_ERROR (error_domain())

typedef enum {
    ERROR_AUTHENTICATION_FAILED, /* the provider refused the credential */
    ERROR_PERMISSION_DENIED,     /* the credential works but may not read this */
    ERROR_RATE_LIMITED,          /* a limit is spent; try again later */
    ERROR_SERVICE_UNAVAILABLE,   /* the provider failed or answered with rubbish */
    ERROR_CONFIGURATION,         /* a setting, definition or request is wrong */
    ERROR_TIMEOUT,               /* no answer in time */
    ERROR_USAGE,                 /* the command line is wrong */
    ERROR_NOT_FOUND,             /* no such object in this organization */
    ERROR_CONFLICT,              /* the name is taken, or somebody was faster */
    ERROR_LIMIT,                 /* an input is larger or deeper than allowed */
    ERROR_CRYPTO,                /* a key is wrong or missing, or sealed data was altered */
    ERROR_DATABASE,              /* the database failed */
    ERROR_CANCELLED,             /* the work was called off before it ended */
    ERROR_INTERNAL,              /* everything else */
    ERROR_CODES
} ErrorCode;

GQuark error_domain(void);

/* Once, before there are threads: GLib makes a lock with the first error, in a way that
 * ThreadSanitizer does not see through. */
void error_start(void);

/* The stable name of a code, such as "PERMISSION_DENIED". Static storage. */
const char *error_code_name(ErrorCode code);

/* The code with this name, or ERROR_INTERNAL when there is none. */
ErrorCode error_code_from_name(const char *name);

/* Whether a later try of the same work may succeed: RATE_LIMITED, SERVICE_UNAVAILABLE, TIMEOUT. */
bool error_code_retryable(ErrorCode code);

/* The exit status of the command line for a code: 1 internal, 2 usage or definition, 3 not found,
 * 4 authentication or permission, 6 try later. */
int error_code_exit_status(ErrorCode code);

/* The ErrorCode of an error; ERROR_INTERNAL for errors of another domain. */
ErrorCode error_code_of(const GError *error);
