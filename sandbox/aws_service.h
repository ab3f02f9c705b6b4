/* aws_service.h - AWS services as data: protocols, the forms of their errors, how they page.
 *
 *   "protocols": {"query": {"errors": {"denied": ERROR, ...}}, ...}
 *   "services": {"iam": {"protocol": "query", "version": "2010-05-08", "namespace": "https://...",
 *       "signing": "iam", "target": "prefix of X-Amz-Target", "root": "account" or "region",
 *       "global": "us-east-1", "item": "member", "page": PAGING, "errors": {...},
 *       "error_prefix": "namespace#", "error_text": "Message", "skew": 300}}
 *
 * ERROR is {"status", "code", "message"}; the message may have ${variables} (template.h). The kinds
 * of errors that the sandbox gives by itself are AwsErrorKind; a service's own go before its
 * protocol's.
 *
 * PAGING is {"token", "next", "more", "size", "default", "min", "max"}: names of the parameters and
 * members; without "size" there is one page.
 */
#pragma once

#include "base/json.h"
#include "sandbox/template.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum {
    AWS_QUERY,
    AWS_EC2,
    AWS_REST_XML,
    AWS_REST_JSON,
    AWS_JSON,
    AWS_PROTOCOLS
} AwsProtocol;

typedef enum {
    AWS_NO_ERROR,
    AWS_MISSING_AUTHENTICATION,
    AWS_INCOMPLETE_SIGNATURE,
    AWS_UNKNOWN_KEY,
    AWS_BAD_TOKEN,
    AWS_BAD_SIGNATURE,
    AWS_UNSIGNED_HEADER,
    AWS_EXPIRED,
    AWS_SKEWED_LATE,
    AWS_SKEWED_EARLY,
    AWS_WRONG_SCOPE,
    AWS_REGION_OFF,
    AWS_DENIED,
    AWS_THROTTLED,
    AWS_INTERNAL,
    AWS_MALFORMED,
    AWS_UNKNOWN_OPERATION,
    AWS_MISSING_PARAMETER,
    AWS_INVALID_PARAMETER,
    AWS_INVALID_TOKEN,
    AWS_ERROR_KINDS
} AwsErrorKind;

typedef struct {
    unsigned status;
    const char *code; /* borrowed from the data */
    Template *message;
} AwsError;

typedef struct {
    const char *token;
    const char *next;
    const char *more; /* NULL: none */
    const char *size;
    uint64_t fallback;
    uint64_t min;
    uint64_t max;
} AwsPaging;

typedef struct {
    char *name;
    AwsProtocol protocol;
    const char *version;
    const char *name_space;
    const char *signing;
    const char *target;
    const char *global; /* the region that signs; NULL: regional */
    const char *item;
    const char *error_prefix;
    const char *error_text;
    bool regional_root;
    int64_t skew_ms;
    const Json *page;
    AwsError *errors[AWS_ERROR_KINDS];
    GHashTable *operations; /* AwsOperation by name */
    GPtrArray *routes;      /* AwsOperation with a verb and path, in their order; not owned */
} AwsService;

/* Loads one service; protocol_data is the member "protocols". */
AwsService *aws_service_load(const char *name, const Json *json, const Json *protocol_data,
                             const TemplateScope *scope, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_service_free(AwsService *service);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsService, aws_service_free)

AwsError *aws_error_load(const Json *json, const TemplateScope *scope,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_error_free(AwsError *error);

void aws_paging_load(const Json *json, AwsPaging *paging_out);

bool aws_protocol_is_xml(AwsProtocol protocol);
const char *aws_protocol_media_type(AwsProtocol protocol);
