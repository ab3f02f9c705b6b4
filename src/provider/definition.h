/* definition.h - what one provider looks like: the model behind providers/ID.yaml.
 *
 * A Definition is loaded from text (definition_load.h), never changes afterwards and may be read by
 * any thread; its reference count is atomic. All structures below and all texts in them belong to
 * the definition and are borrowed; arrays come with their count beside them. Expressions are parsed
 * when the definition is loaded and compiled by the evaluating thread when first used.
 *
 * What an expression sees is fixed per slot: templates, queries, rows and `where` of a read see
 * {settings, range, NODE: row of that node ...}; response rules {status, headers, body}; checks the
 * typed row; evidence titles, descriptions and metadata the summary and settings.
 */
#pragma once

#include "base/digest.h"
#include "base/outcome.h"
#include "provider/arena.h"
#include "provider/expr.h"
#include "provider/field.h"
#include "provider/scan.h"
#include "provider/summary.h"
#include "provider/template.h"
#include "provider/xml.h"
#include <stddef.h>
#include <stdint.h>

/* --- settings and credential fields ----------------------------------------------------------- */

typedef enum { INPUT_TEXT, INPUT_LIST, INPUT_BOOL, INPUT_INT } InputType;
typedef enum {
    INPUT_FORMAT_NONE,
    INPUT_FORMAT_URL,
    INPUT_FORMAT_HOST,
    INPUT_FORMAT_PEM,
    INPUT_FORMAT_EMAIL,
    INPUT_FORMAT_UUID
} InputFormat;

/* One thing that a person fills in: a setting, or a field of a credential. */
typedef struct {
    const char *name; /* snake_case, unique over settings and credential fields of a definition */
    const char *label;
    const char *help; /* NULL when none */
    const char *pattern;
    const char *fallback; /* the default as text, NULL when none; lists are comma separated */
    InputType type;
    InputFormat format;
    bool optional; /* also true when there is a default */
    bool secret;
    bool advanced;
    bool engine;       /* allow_private, endpoint_url: for the installation operator only */
    int discover_call; /* index of the call that lists choices, -1 when none */
    const Expr *discover_value; /* over one row of that call */
    const Expr *discover_label; /* NULL: the value */
} DefinitionInput;

/* --- credentials ------------------------------------------------------------------------------ */

typedef enum {
    SCHEME_BEARER,
    SCHEME_BASIC,
    SCHEME_HEADER,
    SCHEME_QUERY,
    SCHEME_OAUTH2,
    SCHEME_OAUTH1,
    SCHEME_CLIENT_CREDENTIALS,
    SCHEME_GITHUB_APP,
    SCHEME_GOOGLE_ACCOUNT,
    SCHEME_AWS_KEYS,
    SCHEME_AWS_ROLE,
    SCHEMES
} Scheme;

/* "bearer", "github_app" ... Static storage. */
const char *scheme_name(Scheme scheme);

typedef struct {
    const char *name; /* "read", "full" */
    const char *const *scopes;
    size_t count;
} DefinitionScopes;

typedef struct {
    const char *name; /* "pat" */
    const char *label;
    const char *help;
    Scheme scheme;
    bool supported; /* whether this version can connect with it; others are listed, not offered */
    const DefinitionInput *fields;
    size_t field_count;
    const char
        *granted_header; /* where answers say what the credential may do; NULL when nowhere */
    const char *granted_separator;
    const char *header;        /* scheme header: its name */
    const char *prefix;        /* scheme header: what stands before the credential */
    const char *parameter;     /* scheme query: its name */
    const char *authorize_url; /* the rest is for OAuth schemes */
    const char *token_url;
    const char *revoke_url;
    const DefinitionScopes *scopes;
    size_t scope_count;
    bool pkce;
    const char *rotation; /* "none", "replace", "single_use" */
} DefinitionAuth;

/* --- calls ------------------------------------------------------------------------------------ */

/* A time or a count in a response header, with its unit. */
typedef enum {
    UNIT_SECONDS,
    UNIT_MILLISECONDS,
    UNIT_EPOCH_SECONDS,
    UNIT_EPOCH_MILLISECONDS,
    UNIT_ISO8601,
    UNIT_USED_SIZE, /* "used/size" */
    UNIT_COUNT
} HeaderUnit;

typedef struct {
    const char *header; /* lower case; NULL when not given */
    HeaderUnit unit;
} HeaderValue;

typedef enum {
    LIMIT_CONNECTION = 1,
    LIMIT_APP = 2,
    LIMIT_USER = 4,
    LIMIT_REGION = 8,
    LIMIT_SERVICE = 16
} LimitScope;

/* One budget. A field that was not given is 0. */
typedef struct {
    unsigned scope; /* LimitScope bits */
    int64_t
        rate_count; /* smoothed: rate_count calls per rate_window_ms, in bursts up to rate_burst */
    int64_t rate_window_ms;
    int64_t rate_burst;
    int64_t quota_count; /* counted to the provider's reset */
    int64_t quota_window_ms;
    int64_t concurrency;
    HeaderValue limit; /* unit UNIT_COUNT, or UNIT_USED_SIZE */
    HeaderValue remaining;
    HeaderValue reset;
} DefinitionLimit;

typedef enum { THEN_DEFAULT, THEN_NOT_APPLICABLE, THEN_COULD_NOT_READ } RespondThen;

typedef struct {
    uint16_t low; /* inclusive */
    uint16_t high;
} StatusRange;

typedef struct {
    const StatusRange *statuses; /* none: any status */
    size_t status_count;
    const char *const *codes;   /* AWS error codes, NULL-terminated; NULL: any */
    const Expr *when;           /* NULL: always; sees {status, headers, body, code} */
    const char *const *headers; /* lower-case names that `when` looks at */
    size_t header_count;
    bool when_body; /* whether `when` looks at the body */
    Outcome is;
    HeaderValue until; /* how long to wait, told by a header */
    int64_t wait_ms;   /* how long to wait, told here; 0 when not given */
    RespondThen then;
} ResponseRule;

typedef enum {
    PAGE_NONE,
    PAGE_LINK,
    PAGE_TOKEN,
    PAGE_NEXT_URL,
    PAGE_NUMBER,
    PAGE_OFFSET
} PageStyle;
typedef enum { SEND_QUERY, SEND_BODY, SEND_FORM } PageSend;

typedef struct {
    PageStyle style;
    PageSend send;         /* where the cursor, number or offset goes */
    const char *name;      /* the query parameter, body member or form parameter that carries it */
    const Expr *from;      /* token, next_url: the next cursor in the body; null or "" is the end */
    const Expr *until;     /* true on the last page; NULL when the cursor tells */
    const char *size_name; /* number, offset: the parameter that carries the size, may be NULL */
    int64_t size;          /* number, offset: rows a full page has */
    int64_t first;         /* number: the first page's number (1), offset: 0 */
    int64_t max_pages;     /* caps; never 0 */
    int64_t max_rows;
    int64_t max_bytes;
} PageSpec;

typedef struct {
    const char *name;
    const Template *value;
} NamedTemplate;

/* The permissions a call needs, in one of the vendor's vocabularies ("scope", "permission"). */
typedef struct {
    const char *vocabulary;
    const char *const *names;
    size_t count;
} DefinitionNeed;

/* --- AWS services ----------------------------------------------------------------------------- */

typedef enum {
    PROTOCOL_NONE, /* not an AWS call */
    PROTOCOL_QUERY,
    PROTOCOL_EC2,
    PROTOCOL_REST_XML,
    PROTOCOL_REST_JSON,
    PROTOCOL_JSON
} AwsProtocol;

#define AWS_PARTITIONS 3

/* One service of a definition. Hosts and regions of a global service are fixed by partition, in the
 * order aws, aws-us-gov, aws-cn (see aws_endpoint.h); a regional service has a host template over
 * {region, suffix}. */
typedef struct {
    const char *name;    /* "iam": what `aws: iam.ListUsers` names */
    const char *action;  /* prefix of its IAM actions: its name unless told otherwise */
    const char *sign_as; /* signing name: its name unless told otherwise */
    AwsProtocol protocol;
    const char *version;                        /* query, ec2 */
    const char *target;                         /* json: prefix of X-Amz-Target */
    const char *json_version;                   /* "1.1" */
    const char *hosts[AWS_PARTITIONS];          /* global services; NULL when regional */
    const char *global_regions[AWS_PARTITIONS]; /* signing regions of a global service */
    const Template *host;                       /* regional services */
    bool s3;                                    /* signing and addressing rules of S3 */
    const PageSpec *page; /* for its calls with rows; NULL: none. Where the token goes is the
                             protocol's: calls carry their own copy */
    const ResponseRule *responses;
    size_t response_count;
    const DefinitionLimit *limits;
    size_t limit_count;
} DefinitionService;

/* How the bytes of an answer become JSON. */
typedef enum { DECODE_JSON, DECODE_XML, DECODE_CSV } CallDecode;

/* Asked again until an expression over the answer is true. */
typedef struct {
    const Expr *until;
    int64_t every_ms;
    int64_t for_ms;
} CallPoll;

typedef struct {
    const char *name;
    unsigned line;
    size_t index;                     /* in Definition.calls */
    bool post;                        /* otherwise GET */
    const DefinitionService *service; /* NULL: not an AWS call */
    const char *operation;            /* "ListUsers" */
    const NamedTemplate *params;      /* query, ec2: form parameters */
    size_t param_count;
    const Expr *region; /* where a regional service is asked, `.region.regionName` unless told
                           otherwise; null or NULL: the region that the partition begins with */
    const Template *host_prefix; /* stands before the service's host, "\(.caller.Account)."; NULL */
    CallDecode decode;
    const ValuePath *decode_from; /* csv: where the base64 text is in the answer; NULL: the body is
                                     the table */
    const XmlPlan *xml;           /* which elements are arrays and maps; NULL: no XML */
    const CallPoll *poll;         /* NULL: asked once */
    const Template *path;         /* begins with '/' */
    const NamedTemplate *query;
    size_t query_count;
    const NamedTemplate *headers; /* added to, or in place of, those of all calls */
    size_t header_count;
    const Expr *json;      /* the body of a post; NULL when none ({} for the protocol json) */
    const ValuePath *rows; /* where the array of rows is; NULL: the answer is the only row */
    const PageSpec *page;  /* NULL: never more than one answer */
    const ResponseRule *responses; /* before those of all calls */
    size_t response_count;
    const DefinitionNeed *needs;
    size_t need_count;
    const char *const *redact; /* secret paths of the answer, as scan.h has them; NULL-terminated */
    const char *const *keep; /* what is kept of a row, NULL-terminated; NULL: what is read of it */
    const ScanPlan *scan;    /* redact and keep, for answers outside of a read plan */
    const char *const *mentions; /* nodes that path, query, headers and body look at */
    size_t mention_count;
} DefinitionCall;

typedef struct {
    const DefinitionCall *call; /* NULL: no such call, then the connection cannot be tested */
    const Expr *user;           /* over the answer; NULL when not given */
    const Expr *account_id;
    const Expr *arn;
    const Expr *organizations; /* over the answer, or over each row of organizations_call */
    const DefinitionCall *organizations_call; /* NULL: the same answer */
} DefinitionIdentity;

/* --- evidence --------------------------------------------------------------------------------- */

typedef enum { READ_ROWS, READ_COLLECT, READ_FOLD } ReadMode;

#define READ_NO_PARENT (-1)

/* One node of a read graph. Every row of the parent starts one read of the call. The nodes from the
 * root to row_of are the chain that makes rows; every other node hangs on the chain (or on another
 * such node, or is a root of its own: a side read, done before any row leaves) and adds one value
 * to the row: an answer, null when it is absent, an array (collect), an object (fold), or what an
 * index has for the row. */
typedef struct {
    const char *name;
    unsigned line;
    const DefinitionCall *call; /* NULL: rows come from `each` */
    int parent;                 /* index of the node named by `for`, READ_NO_PARENT for a root */
    ReadMode mode;
    bool list;         /* READ_ROWS of a call with rows; a call without rows gives one row, or null
                          when absent */
    const Expr *where; /* rows kept, after they were counted; NULL: all. Sees what a row sees, the
                          new row under the node's name */
    const char *where_text;
    const Expr *each; /* rows are this expression's array over the environment: no call */
    const char *each_text;
    const Expr *given; /* an array: the rows, without a call (at most one for a call without rows);
                          null: the call is made */
    const char *given_text;
    const DefinitionCall *const *first; /* further calls, tried in order while absent */
    size_t first_count;
    const Expr *index_on;    /* index: key of one row of the list; NULL: no index */
    const char *index_text;  /* of index_on */
    const Expr *index_key;   /* index: key looked up, over the environment of a row of `for` */
    int index_per;           /* index: the node once per row of which the list is read: one above,
                                or a root of one row; READ_NO_PARENT: once per run */
    int64_t collect;         /* READ_COLLECT: at most so many rows, as one array */
    const SummaryPlan *fold; /* READ_FOLD: reducers over the rows of one parent row */
    const char *fold_text;   /* canonical text, for comparing */
} ReadNode;

/* One member of a row given as a map. */
typedef struct {
    const char *name;
    const Expr *expr;
    uint64_t nodes; /* bit per read node that the expression looks at */
} RowField;

typedef enum { SEVERITY_LOW, SEVERITY_MEDIUM, SEVERITY_HIGH, SEVERITY_CRITICAL } Severity;

/* "low" ... "critical". Static storage. */
const char *severity_name(Severity severity);

typedef enum { REQUIRE_ALL, REQUIRE_MORE_THAN, REQUIRE_AT_LEAST } RequireKind;

typedef struct {
    const char *framework; /* "soc2" */
    const char *const *controls;
    size_t count;
} CheckControls;

typedef struct {
    const char *name;
    unsigned line;
    const char *title;
    Severity severity;
    const Expr *resource; /* text that names what was judged; over the typed row */
    const Expr *applies;  /* NULL: every row */
    const Expr *pass;     /* one boolean */
    uint64_t nodes;       /* reads it depends on: `reads:`, or those of the fields it looks at */
    RequireKind require;
    double require_percent;
    const char *remediation;
    const CheckControls *controls;
    size_t control_count;
} DefinitionCheck;

#define READ_MAX_NODES 64

typedef struct {
    const char *name;
    unsigned line;
    size_t index;          /* in Definition.types */
    const Template *title; /* titles, descriptions and metadata see the summary and the settings */
    const Template *description;
    const char *type; /* "config", "report", "log", "policy" ... */
    int64_t valid_for_ms;
    int64_t range_ms;      /* the default window of a log; 0: no window */
    const Expr *metadata;  /* one object, sees roots of one value too; NULL: {} */
    const ReadNode *nodes; /* parents before their children */
    size_t node_count;
    size_t row_of;      /* the node whose rows become rows of evidence */
    const Expr *row;    /* row given as one program; NULL when row_fields are given */
    uint64_t row_nodes; /* all nodes that rows look at */
    const RowField *row_fields;
    size_t row_field_count;
    const FieldSet *fields;
    const SummaryPlan *summary; /* NULL: no members besides details */
    const DefinitionCheck *checks;
    size_t check_count;
} EvidenceType;

typedef struct {
    const char *event;
    const EvidenceType *const *types;
    size_t count;
} WebhookRefresh;

typedef struct {
    const char *scheme; /* "hmac_sha256"; NULL when the provider has no webhooks */
    const char *header;
    const char *prefix;
    const char *event_header;
    const WebhookRefresh *refresh;
    size_t refresh_count;
} DefinitionWebhooks;

/* Where an expression stands, for the full check of its syntax. */
typedef struct {
    const Expr *expr;
    unsigned line;
    unsigned column;
} DefinitionExpr;

/* --- the whole -------------------------------------------------------------------------------- */

typedef struct {
    char sha256[DIGEST_HEX_SIZE]; /* of the file's bytes */
    const char *text;             /* the file itself, as stored and pinned by jobs */
    size_t text_size;
    const char *id;
    const char *name;
    const char *icon;
    const char *category;
    const char *summary;
    const char *docs;
    const char *setup; /* Markdown, NULL when none */
    int64_t checked_ms;
    const char *const *aliases;
    size_t alias_count;
    const char *const *hosts;
    size_t host_count;
    const DefinitionInput *settings; /* the engine's own last */
    size_t setting_count;
    const DefinitionAuth *auth;
    size_t auth_count;
    const DefinitionService *services;
    size_t service_count;
    const Expr *base_url; /* sees {settings}; NULL when every call belongs to an AWS service */
    const NamedTemplate *headers;
    size_t header_count;
    const DefinitionLimit *limits;
    size_t limit_count;
    const ResponseRule *responses;
    size_t response_count;
    DefinitionIdentity identity;
    const DefinitionCall *calls;
    size_t call_count;
    const EvidenceType *types;
    size_t type_count;
    DefinitionWebhooks webhooks;
    int64_t schedule_ms;
    int64_t schedule_min_ms;
    int64_t schedule_max_ms;
    const DefinitionExpr *exprs; /* all expressions of the file */
    size_t expr_count;
} Definition;

/* For definition_load.h: a definition whose parts live in the arena, which it takes. */
Definition *definition_new(Arena *arena);

Definition *definition_ref(const Definition *definition);
void definition_free(Definition *definition); /* drops one reference */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Definition, definition_free)

/* Finders; NULL when there is none. Borrowed. */
const DefinitionInput *definition_setting(const Definition *definition, const char *name);
const DefinitionAuth *definition_auth(const Definition *definition, const char *name);
const DefinitionCall *definition_call(const Definition *definition, const char *name);
const EvidenceType *definition_type(const Definition *definition, const char *name);
const DefinitionInput *auth_field(const DefinitionAuth *auth, const char *name);
const DefinitionCheck *evidence_type_check(const EvidenceType *type, const char *name);
/* The node of this name or -1. */
int evidence_type_node(const EvidenceType *type, const char *name);

/* Whether text fits the input: type, format, pattern. ERROR_CONFIGURATION says what is expected;
 * the message never holds the text of a secret. */
bool input_check(const DefinitionInput *input, const char *text,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends to names (GPtrArray of borrowed text, no doubles) the permissions of the given vocabulary
 * that the type's calls need; NULL for all vocabularies. */
void evidence_type_needs(const EvidenceType *type, const char *vocabulary, GPtrArray *names);
