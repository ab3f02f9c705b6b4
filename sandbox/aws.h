/* aws.h - AWS on one endpoint: which service and operation a request is for, whether it is signed
 * as it must be, and the answer.
 *
 * A client sends everything here (endpoint_url). The service is told from the credential scope of
 * the signature, without one from X-Amz-Target, the Version of a form, else it is S3; the operation
 * from X-Amz-Target, Action, or verb, path and flag of the query.
 *
 * For faults and counts a request's path is its operation ("iam:ListMFADevices"), with region and
 * parameters behind it: "iam:ListMFADevices?UserName=user-7", "ec2:DescribeVpcs?region=eu-west-1".
 *
 * Life: aws_new() compiles the data; aws_call_new() takes one request apart, aws_call_answer()
 * answers it, perhaps later. Not thread-safe.
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_identity.h"
#include "sandbox/fault.h"
#include "sandbox/field.h"
#include "sandbox/reply.h"
#include "sandbox/request.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Aws Aws;
typedef struct AwsCall AwsCall;

typedef struct {
    Json *data;           /* taken */
    Constants *constants; /* taken; has account, partition, regions */
    uint64_t seed;
    uint64_t page_max; /* rows of a page at most; 0: as the service has it */
    uint64_t polls;    /* a credential report is in progress for so many calls */
    bool keep_rates;   /* the documented calls a second are enforced */
    bool tell_date;    /* the sandbox's clock is not the true one: it says its Date itself */
    AwsIdentityOptions identity;
} AwsOptions;

Aws *aws_new(const AwsOptions *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_free(Aws *aws);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Aws, aws_free)

/* Forgets sessions, reports and counts. */
void aws_reset(Aws *aws);

/* Calls with the access key of the command line, and with all sessions. */
uint64_t aws_calls(const Aws *aws, bool session);

AwsCall *aws_call_new(Aws *aws, const ServiceRequest *incoming);
void aws_call_free(AwsCall *call);

/* The path, region and parameters as above; and the permission that is asked for, or NULL. */
const char *aws_call_label(const AwsCall *call);
const char *aws_call_action(const AwsCall *call);

/* "iam:ListMFADevices", or "" when there is no such operation. */
const char *aws_call_operation(const AwsCall *call);

/* Answers; the fault (or NULL) bends the answer. url is the sandbox's. */
void aws_call_answer(Aws *aws, AwsCall *call, const ServiceRequest *request, const Fault *fault,
                     Reply *reply);
