/* aws_operation.h - what an operation of AWS answers, as data.
 *
 *   "iam:ListMFADevices": {"item": LOOKUP or [LOOKUP, ...], "action": "iam:...",
 *        "cases": [{"when": CONDITION, "given": ["parameter", ...], "error": "name"},
 *                  {"body": {...}} or {"list": ...} or {"text": {...}}]}
 *
 * The first case holds whose condition is true of the item (aws_lookup.h) or of the root (the
 * region that was asked, or the account), and of whose given parameters one is there. A single case
 * may be written without "cases". Names of errors are those of "errors" in the data.
 *
 * Operations with verbs and paths have "http": "GET /{Bucket}?encryption" ("{Name+}" at its end
 * takes more than one segment) and, in XML, "root", the element of the answer (with its
 * attributes). "text" is an answer that is JSON whatever the protocol. "native" names one of the
 * things that are done in code (AwsNative); "headers" are added to the answer.
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_list.h"
#include "sandbox/aws_lookup.h"
#include "sandbox/aws_report.h"
#include "sandbox/aws_service.h"

#include <glib.h>
#include <stdbool.h>

#define OPERATION_LOOKUPS 2
#define OPERATION_SEGMENTS 6

typedef enum {
    AWS_PLAIN,
    AWS_ASSUME_ROLE,
    AWS_GENERATE_REPORT,
    AWS_GET_REPORT,
    AWS_NATIVES
} AwsNative;

typedef struct {
    Condition *when;
    GPtrArray *given; /* const char *, borrowed; NULL: always */
    const AwsError *error;
    Template *body;
    Template *text;
    AwsList *list;
} AwsCase;

typedef struct {
    char *name;         /* ListMFADevices */
    char *id;           /* iam:ListMFADevices */
    const char *action; /* the permission that it asks for */
    const AwsService *service;
    const Collection *root; /* NULL: none */
    AwsNative native;
    AwsReport *report;
    size_t lookup_count;
    AwsLookup lookups[OPERATION_LOOKUPS];
    GArray *cases;  /* AwsCase */
    Template *open; /* what stands around the members of an answer */
    Template *close;
    int64_t rate; /* calls a second in a region; 0: not known */
    /* REST: */
    char *method;
    size_t segment_count;
    char *segments[OPERATION_SEGMENTS]; /* "{Name" takes any */
    bool greedy;                        /* the last one takes all that is left */
    char *flag;                         /* of the query; NULL: none */
    GPtrArray *header_names;
    GPtrArray *header_values; /* Template */
} AwsOperation;

typedef struct {
    const AwsLookupScope *lookup;
    const TemplateScope *templates;
    const Collection *region; /* roots */
    const Collection *account;
} AwsOperationScope;

AwsOperation *aws_operation_load(const char *id, const Json *json, const AwsService *service,
                                 const AwsOperationScope *scope,
                                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void aws_operation_free(AwsOperation *operation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AwsOperation, aws_operation_free)

/* Whether verb, path and flag are of this operation; then the path's parameters are added. */
bool aws_operation_matches(const AwsOperation *operation, const char *method, AwsRequest *request);

/* The first case that holds, or NULL. */
const AwsCase *aws_operation_choose(const AwsOperation *operation, Item *item,
                                    const AwsRequest *request);
