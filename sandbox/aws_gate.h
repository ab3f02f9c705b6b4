/* aws_gate.h - whether a request to AWS is let in: signed by a known key, in time, for this region.
 *
 * The order is AWS's: what is missing, the key, the token, the time, the scope, the signature, and
 * whether the session still lives.
 */
#pragma once

#include "sandbox/aws_identity.h"
#include "sandbox/aws_request.h"
#include "sandbox/aws_service.h"

#include <glib.h>
#include <stdint.h>

#define AWS_TIME_SIZE 17 /* "20261120T075000Z" */

typedef struct {
    AwsIdentities *identities;
    GHashTable *regions;       /* those that are on, by name */
    const char *global_region; /* where services are reached whose answers have no region */
    GString *scratch;
} AwsGate;

typedef struct {
    const AwsRequest *request;
    const AwsService *service;
    const ServiceRequest *incoming;
    int64_t now_ms;
} AwsVisit;

/* AWS_NO_ERROR, or why not; the identity, as soon as it is known. */
AwsErrorKind aws_gate_check(const AwsGate *gate, const AwsVisit *visit, AwsIdentity **identity_out);

/* "20261120T075000Z" */
void aws_gate_time(int64_t time_ms, char out[AWS_TIME_SIZE]);
