/* aws_signer.h - AWS Signature Version 4 for one access key.
 *
 * An AwsSigner keeps what can be kept between requests: the signing keys of the day, one for each
 * region and service, and the memory in which requests are put into canonical form. Signing one
 * request therefore allocates nothing once the first few have been signed. Everything it holds is
 * wiped when it is freed. It belongs to one thread.
 *
 * What is signed is what goes over the wire: the host as the URL writes it (with its port unless
 * that is the scheme's own), every header that is given except those that connections and proxies
 * change on the way, and the body. A signature is good for five minutes and for one host, so each
 * attempt and each redirect is signed again.
 *
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 */
#pragma once

#include "base/digest.h"
#include "base/secmem.h"
#include "net/header.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define AWS_SIGNER_MAX_HEADERS 64 /* of one request */

typedef struct AwsSigner AwsSigner;

typedef struct {
    const char *method; /* as it is sent */
    const char *url;    /* as it is sent: percent-encoded once */
    const NetHeader *headers;
    size_t header_count;
    const void *body;
    size_t body_size;
    const char *region;
    const char *service; /* the signing name: "access-analyzer", "s3" for S3 Control ... */
    bool s3; /* the path is not normalised and encoded only once; the body's hash is a header */
    int64_t now_ms; /* wall time, corrected by the clock skew that the service has told */
} AwsSigning;

/* A signer for this access key. The key id is copied; the secret, and the session token when it is
 * not NULL, are borrowed and must outlive the signer. */
AwsSigner *aws_signer_new(const char *key_id, const Secret *secret, const Secret *session_token);
void aws_signer_free(AwsSigner *signer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsSigner, aws_signer_free)

/* Adds to out what authorises the request: x-amz-date, x-amz-security-token (of temporary
 * credentials), x-amz-content-sha256 (S3) and authorization. All are signed along with the headers
 * that are given. ERROR_CONFIGURATION when the URL cannot be read, the region or service is no
 * name, or a header is given that the signer makes; ERROR_LIMIT when there are too many headers or
 * out is full, in which case some may have been added. */
bool aws_sign(AwsSigner *signer, const AwsSigning *what, NetHeaders *out,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The SHA-256 of the canonical request that was signed last: what a service that refuses a
 * signature names in its answer. Nothing secret can be read off it. */
void aws_signer_canonical_hash(const AwsSigner *signer, char out[DIGEST_HEX_SIZE]);

/* The signing key of a secret for a day ("20150830"), region and service. The caller wipes it. */
void aws_signer_derive(const Secret *secret, const char *date, const char *region,
                       const char *service, uint8_t out[DIGEST_SIZE]);
