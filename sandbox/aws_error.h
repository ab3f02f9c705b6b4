/* aws_error.h - errors in the envelope of a service's protocol. */
#pragma once

#include "sandbox/aws_service.h"
#include "sandbox/reply.h"

typedef struct {
    const AwsService *service;
    unsigned status;
    const char *code;
    const char *message; /* already escaped for the protocol */
    const char *request_id;
    const char *bucket; /* of S3, or NULL; escaped */
    const char *region; /* where an S3 bucket is, or NULL */
    bool bare;          /* no body: the answer to HEAD */
} AwsErrorReply;

/* Fills status, headers and body. */
void aws_error_render(const AwsErrorReply *error, Reply *reply);

/* Appends text, escaped as the service's bodies need it. */
void aws_error_escape(const AwsService *service, const char *text, GString *out);
