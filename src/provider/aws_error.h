/* aws_error.h - what AWS says is wrong: the error code of an answer, and what codes mean.
 *
 * Each protocol puts the code elsewhere: XML answers in an element Code, JSON answers in `__type`
 * or `code`, and REST services in the header x-amzn-errortype, which is always looked at first.
 * Codes come with namespaces and links around them ("com.amazonaws.kms#NotFoundException",
 * "ValidationException:http://..."); what is given here is the bare name.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-troubleshooting.html and the
 * "Common errors" page of each service.
 */
#pragma once

#include "provider/definition.h"

#define AWS_ERROR_CODE_MAX 120
#define AWS_ERROR_REGION_MAX 32

typedef enum {
    AWS_ERROR_NONE,            /* a success, or no AWS call */
    AWS_ERROR_OTHER,           /* a code without a common meaning, or none */
    AWS_ERROR_THROTTLED,       /* ask again later */
    AWS_ERROR_TRANSIENT,       /* the service failed */
    AWS_ERROR_BAD_CREDENTIALS, /* key or signature are not accepted */
    AWS_ERROR_EXPIRED,         /* the session is over: renew it */
    AWS_ERROR_CLOCK,           /* our time differs too much: take the Date header and sign again */
    AWS_ERROR_DENIED,          /* no permission */
    AWS_ERROR_REGION_OFF,      /* the account has not enabled the region */
    AWS_ERROR_WRONG_REGION     /* S3: the bucket is elsewhere */
} AwsErrorClass;

/* An answer as it came. */
typedef struct {
    AwsProtocol protocol;
    unsigned status;
    /* The value of a response header by lower-case name, or NULL. */
    const char *(*header)(void *data, const char *name);
    void *header_data;
    const char *body;
    size_t body_size;
} AwsAnswer;

typedef struct {
    char code[AWS_ERROR_CODE_MAX + 1];     /* "" when the answer has none */
    char region[AWS_ERROR_REGION_MAX + 1]; /* S3: where the bucket is; "" when not told */
    bool time_text; /* the message speaks of a signature that is too old or too new */
} AwsError;

/* Reads the error off an answer; a body that cannot be read has none. */
void aws_error_read(const AwsAnswer *answer, AwsError *error_out);

/* What it means. region is where the request went, NULL when that is not known: keys are not known
 * in a region that must be enabled first and is not. AWS_ERROR_NONE below status 300. */
AwsErrorClass aws_error_class(const AwsError *error, unsigned status, const char *region);

/* The outcome that a class has without a rule that says otherwise; false when the status decides
 * (AWS_ERROR_NONE, AWS_ERROR_OTHER, AWS_ERROR_WRONG_REGION). */
bool aws_error_outcome(AwsErrorClass error_class, Outcome *outcome_out);
