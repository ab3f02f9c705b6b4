#include "api/problem.h"

typedef struct {
    unsigned status;
    const char *slug;
    const char *title;
    const char *detail;
    ErrorCode code;
    bool retryable;
} Row;

static const Row rows[PROBLEMS] = {
    [PROBLEM_BAD_REQUEST] = {400, "bad-request", "Bad request",
                             "The request is not as it should be.", ERROR_CONFIGURATION, false},
    [PROBLEM_UNAUTHENTICATED] = {401, "unauthenticated", "Not signed in",
                                 "Send an API token as \"Authorization: Bearer TOKEN\", or log in.",
                                 ERROR_AUTHENTICATION_FAILED, false},
    [PROBLEM_FORBIDDEN] = {403, "forbidden", "Not allowed",
                           "Your role in this organization does not allow this.",
                           ERROR_PERMISSION_DENIED, false},
    [PROBLEM_CSRF] = {403, "csrf", "Not sent by the application",
                      "Requests of a browser that change something carry the header X-CSRF-Token "
                      "with the token of GET /api/session.",
                      ERROR_PERMISSION_DENIED, false},
    [PROBLEM_NOT_FOUND] = {404, "not-found", "Not found", "There is nothing here.",
                           ERROR_CONFIGURATION, false},
    [PROBLEM_METHOD] = {405, "method-not-allowed", "Method not allowed",
                        "The header Allow names the methods that are possible here.",
                        ERROR_CONFIGURATION, false},
    [PROBLEM_CONFLICT] = {409, "conflict", "Conflict",
                          "This does not fit the present state; read it again.",
                          ERROR_CONFIGURATION, false},
    [PROBLEM_PRECONDITION] = {412, "changed-meanwhile", "Changed meanwhile",
                              "The object is no longer the one that If-Match names; read it again.",
                              ERROR_CONFIGURATION, false},
    [PROBLEM_TOO_LARGE] = {413, "too-large", "Too large", "A request's body has at most 1 MiB.",
                           ERROR_CONFIGURATION, false},
    [PROBLEM_TARGET] = {414, "address-too-long", "Address too long",
                        "The address of a request has at most 8,192 bytes.", ERROR_CONFIGURATION,
                        false},
    [PROBLEM_MEDIA_TYPE] = {415, "media-type", "Unsupported media type",
                            "Bodies are sent as application/json.", ERROR_CONFIGURATION, false},
    [PROBLEM_UNPROCESSABLE] = {422, "refused", "Refused", "This cannot be done.",
                               ERROR_CONFIGURATION, false},
    [PROBLEM_TOO_MANY] = {429, "too-many-requests", "Too many requests",
                          "The limit of requests a minute is spent; Retry-After says when there is "
                          "room again.",
                          ERROR_RATE_LIMITED, true},
    [PROBLEM_HEADERS] = {431, "headers-too-large", "Headers too large",
                         "A request has at most 100 headers of 16 KiB in all.", ERROR_CONFIGURATION,
                         false},
    [PROBLEM_INTERNAL] = {500, "internal", "Internal error",
                          "Something failed inside. The log has it under this request id.",
                          ERROR_SERVICE_UNAVAILABLE, false},
    [PROBLEM_UPSTREAM] = {502, "service-failed", "The service failed",
                          "The service did not answer as it should; try again later.",
                          ERROR_SERVICE_UNAVAILABLE, true},
    [PROBLEM_UNAVAILABLE] = {503, "unavailable", "Unavailable", "Try again in a moment.",
                             ERROR_SERVICE_UNAVAILABLE, true},
    [PROBLEM_UPSTREAM_TIMEOUT] = {504, "service-timeout", "The service did not answer",
                                  "The service did not answer in time; try again later.",
                                  ERROR_TIMEOUT, true},
};

/* How errors are told, by whom the work was for. */
static const struct {
    ProblemKind own;
    ProblemKind asked;
    bool hidden; /* the message is for the log only */
} kinds[ERROR_CODES] = {
    [ERROR_AUTHENTICATION_FAILED] = {PROBLEM_UNAUTHENTICATED, PROBLEM_UNPROCESSABLE, false},
    [ERROR_PERMISSION_DENIED] = {PROBLEM_FORBIDDEN, PROBLEM_UNPROCESSABLE, false},
    [ERROR_RATE_LIMITED] = {PROBLEM_TOO_MANY, PROBLEM_UNAVAILABLE, false},
    [ERROR_SERVICE_UNAVAILABLE] = {PROBLEM_UNAVAILABLE, PROBLEM_UPSTREAM, false},
    [ERROR_CONFIGURATION] = {PROBLEM_BAD_REQUEST, PROBLEM_UNPROCESSABLE, false},
    [ERROR_TIMEOUT] = {PROBLEM_UNAVAILABLE, PROBLEM_UPSTREAM_TIMEOUT, false},
    [ERROR_USAGE] = {PROBLEM_BAD_REQUEST, PROBLEM_BAD_REQUEST, false},
    [ERROR_NOT_FOUND] = {PROBLEM_NOT_FOUND, PROBLEM_NOT_FOUND, false},
    [ERROR_CONFLICT] = {PROBLEM_CONFLICT, PROBLEM_CONFLICT, false},
    [ERROR_LIMIT] = {PROBLEM_BAD_REQUEST, PROBLEM_UNPROCESSABLE, false},
    [ERROR_CRYPTO] = {PROBLEM_INTERNAL, PROBLEM_INTERNAL, true},
    [ERROR_DATABASE] = {PROBLEM_INTERNAL, PROBLEM_INTERNAL, true},
    [ERROR_CANCELLED] = {PROBLEM_UNAVAILABLE, PROBLEM_UNAVAILABLE, true},
    [ERROR_INTERNAL] = {PROBLEM_INTERNAL, PROBLEM_INTERNAL, true},
};

Problem problem_of_error(const GError *error, bool asked_a_service) {
    ErrorCode code = error_code_of(error);
    bool one_of_six = code <= ERROR_TIMEOUT;
    return (Problem){.kind = asked_a_service ? kinds[code].asked : kinds[code].own,
                     .detail = kinds[code].hidden ? NULL : error->message,
                     .code = code,
                     .has_code = one_of_six};
}

unsigned problem_status(ProblemKind kind) {
    return rows[kind].status;
}

static Json *wrongs_json(const GPtrArray *wrongs) {
    Json *list = json_new_array();
    for (guint i = 0; i < wrongs->len; i++) {
        const ShapeWrong *wrong = g_ptr_array_index(wrongs, i);
        Json *json = json_new_object();
        json_put_string(json, "pointer", wrong->pointer);
        json_put_string(json, "detail", wrong->detail);
        json_add(list, json);
    }
    return list;
}

Json *problem_json(const Problem *problem) {
    const Row *row = &rows[problem->kind];
    ErrorCode code = problem->has_code ? problem->code : row->code;
    bool retryable = problem->has_code ? error_code_retryable(code) : row->retryable;
    g_autofree char *type = g_strconcat("urn:assay:problem:", row->slug, NULL);
    Json *json = json_new_object();
    json_put_string(json, "type", type);
    json_put_string(json, "title", problem->title ? problem->title : row->title);
    json_put_int(json, "status", row->status);
    json_put_string(json, "detail", problem->detail ? problem->detail : row->detail);
    if (problem->instance)
        json_put_string(json, "instance", problem->instance);
    json_put_string(json, "code", error_code_name(code));
    json_put_bool(json, "retryable", retryable);
    if (problem->request_id)
        json_put_string(json, "requestId", problem->request_id);
    if (problem->wrongs && problem->wrongs->len > 0)
        json_put(json, "errors", wrongs_json(problem->wrongs));
    return json;
}

void problem_reply(const Problem *problem, Reply *reply) {
    g_autoptr(Json) json = problem_json(problem);
    reply_set_json(reply, rows[problem->kind].status, json);
    reply_set_header(reply, "Content-Type", "application/problem+json");
    reply_set_header(reply, "Cache-Control", "no-store");
}

/* --- schema ----------------------------------------------------------------------------------- */

static const char *const codes[] = {"AUTHENTICATION_FAILED",
                                    "PERMISSION_DENIED",
                                    "RATE_LIMITED",
                                    "SERVICE_UNAVAILABLE",
                                    "CONFIGURATION_ERROR",
                                    "TIMEOUT",
                                    NULL};
static const ShapeField wrong_fields[] = {
    SHAPE_FIELD("pointer", STRING, SHAPE_REQUIRED, "JSON Pointer (RFC 6901) into the body."),
    SHAPE_FIELD("detail", STRING, SHAPE_REQUIRED, "What is wrong there."),
    {0}};
static const Shape wrong_shape = {.fields = wrong_fields};
static const ShapeField fields[] = {
    SHAPE_FIELD("type", STRING, SHAPE_REQUIRED, "What happened, exactly."),
    SHAPE_FIELD("title", STRING, SHAPE_REQUIRED, "The same, for people."),
    SHAPE_FIELD("status", INTEGER, SHAPE_REQUIRED, "The status of the reply."),
    SHAPE_FIELD("detail", STRING, SHAPE_REQUIRED, "What is wrong and what to do."),
    SHAPE_FIELD("instance", STRING, 0, "The path that was asked."),
    SHAPE_FIELD("code", STRING, SHAPE_REQUIRED, "One of the six codes.", .words = codes),
    SHAPE_FIELD("retryable", BOOLEAN, SHAPE_REQUIRED,
                "Whether the same request may succeed later."),
    SHAPE_FIELD("requestId", STRING, 0, "Names the request in the log."),
    SHAPE_FIELD("errors", ARRAY, 0, "What is wrong with the body.", .of = &wrong_shape),
    {0}};
const Shape problem_shape = {
    .name = "Problem", .about = "A problem document (RFC 9457).", .fields = fields};
