/* aws_signature.h - AWS Signature Version 4, as the side that verifies it computes it.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 *
 * A signing key follows from a secret and a scope and may be kept as long as the scope's day; with
 * its two padded blocks (RFC 2104) ready, a signature costs four hashes. Nothing here keeps state.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AWS_SIGNATURE_HEX 65 /* 64 digits and the final NUL */
#define AWS_BLOCK 64

typedef struct {
    uint8_t inner[AWS_BLOCK];
    uint8_t outer[AWS_BLOCK];
} AwsSigningKey;

typedef struct {
    const char *date; /* yyyymmdd */
    const char *region;
    const char *service;
} AwsScope;

typedef struct {
    const char *method;
    const char *target;         /* path and query as they were sent */
    const char *signed_headers; /* "host;x-amz-date", as the client names them */
    const char *payload_hash;   /* in hexadecimal, or UNSIGNED-PAYLOAD */
    const char *time;           /* x-amz-date */
    const AwsScope *scope;
    bool s3; /* the path is encoded once and not normalised */
    const char *(*header)(void *data, const char *name);
    void *data;
} AwsSigned;

/* Derives the key of a scope. */
void aws_signing_key(const char *secret, const AwsScope *scope, AwsSigningKey *key_out);

/* The signature that a request must have. False when a header that is said to be signed is not
 * there. scratch is overwritten and may be used for one request after the other. */
bool aws_signature(const AwsSigned *request, const AwsSigningKey *key, GString *scratch,
                   char hex_out[AWS_SIGNATURE_HEX]);

/* Appends the canonical request that is hashed and signed; false as above. */
bool aws_canonical_request(const AwsSigned *request, GString *out);
