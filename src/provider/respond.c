#include "provider/respond.h"

#include "base/clock.h"
#include "provider/condition.h"
#include "provider/envelope.h"

/* No header makes a run wait longer than this, in milliseconds: a day. */
#define MAX_WAIT_MS (INT64_C(24) * 3600 * 1000)

/* One list of rules: those of a call, of a service, or of all calls. */
typedef struct {
    const ResponseRule *rules;
    size_t count;
    Condition **conditions; /* beside the rules; NULL until the list is first asked */
    ScanPlan *body;         /* what the rules read of a body */
} RuleList;

struct Responder {
    Definition *definition;
    RuleList common;
    RuleList *services;
    RuleList *calls;
    ConditionPool *pool; /* of all lists */
};

/* One answer and what is known of it. */
typedef struct {
    const RespondAnswer *answer;
    const DefinitionCall *call; /* NULL: none */
    AwsError error;
} Case;

static void gather(ConditionPool *pool, const RuleList *list) {
    for (size_t i = 0; i < list->count; i++) {
        if (list->rules[i].when != NULL)
            condition_pool_add(pool, list->rules[i].when);
    }
}

Responder *responder_new(const Definition *definition) {
    Responder *responder = g_new0(Responder, 1);
    responder->definition = definition_ref(definition);
    responder->common.rules = definition->responses;
    responder->common.count = definition->response_count;
    responder->services = g_new0(RuleList, definition->service_count + 1);
    for (size_t i = 0; i < definition->service_count; i++) {
        responder->services[i].rules = definition->services[i].responses;
        responder->services[i].count = definition->services[i].response_count;
    }
    responder->calls = g_new0(RuleList, definition->call_count + 1);
    for (size_t i = 0; i < definition->call_count; i++) {
        responder->calls[i].rules = definition->calls[i].responses;
        responder->calls[i].count = definition->calls[i].response_count;
    }
    responder->pool = condition_pool_new();
    gather(responder->pool, &responder->common);
    for (size_t i = 0; i < definition->service_count; i++)
        gather(responder->pool, &responder->services[i]);
    for (size_t i = 0; i < definition->call_count; i++)
        gather(responder->pool, &responder->calls[i]);
    return responder;
}

static void list_clear(RuleList *list) {
    for (size_t i = 0; list->conditions != NULL && i < list->count; i++)
        condition_free(list->conditions[i]);
    g_free(list->conditions);
    scan_plan_free(list->body);
}

void responder_free(Responder *responder) {
    if (responder == NULL)
        return;
    for (size_t i = 0; i < responder->definition->call_count; i++)
        list_clear(&responder->calls[i]);
    for (size_t i = 0; i < responder->definition->service_count; i++)
        list_clear(&responder->services[i]);
    g_free(responder->services);
    list_clear(&responder->common);
    condition_pool_free(responder->pool);
    g_free(responder->calls);
    definition_free(responder->definition);
    g_free(responder);
}

/* --- header values ---------------------------------------------------------------------------- */

static bool parse_number(const char *text, double *number_out) {
    char *end = NULL;
    double number = g_ascii_strtod(text, &end);
    if (end == text || end[strspn(end, " \t")] != '\0' || !(number >= 0 && number < 9e15))
        return false;
    *number_out = number;
    return true;
}

static bool parse_used_size(const char *text, int64_t *used_out, int64_t *size_out) {
    const char *slash = strchr(text, '/');
    double used;
    double size;
    if (slash == NULL)
        return false;
    g_autofree char *first = g_strndup(text, (size_t)(slash - text));
    if (!parse_number(first, &used) || !parse_number(slash + 1, &size))
        return false;
    *used_out = (int64_t)used;
    *size_out = (int64_t)size;
    return true;
}

bool respond_header_value(const HeaderValue *spec, const RespondAnswer *answer, int64_t *value_out,
                          int64_t *size_out) {
    const char *text =
        spec->header == NULL ? NULL : answer->header(answer->header_data, spec->header);
    if (text == NULL)
        return false;
    if (spec->unit == UNIT_ISO8601)
        return clock_parse(text, value_out);
    if (spec->unit == UNIT_USED_SIZE)
        return parse_used_size(text, value_out, size_out);
    static const struct {
        double factor;
        bool from_now;
    } units[] = {
        [UNIT_SECONDS] = {1000, true},
        [UNIT_MILLISECONDS] = {1, true},
        [UNIT_EPOCH_SECONDS] = {1000, false},
        [UNIT_EPOCH_MILLISECONDS] = {1, false},
        [UNIT_ISO8601] = {0, false},
        [UNIT_USED_SIZE] = {0, false},
        [UNIT_COUNT] = {1, false},
    };
    double number;
    if (!parse_number(text, &number))
        return false;
    number *= units[spec->unit].factor;
    *value_out = (int64_t)MIN(number, 9e15) + (units[spec->unit].from_now ? answer->now_ms : 0);
    return true;
}

static int month_number(const char *name) {
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (int month = 0; month < 12; month++) {
        if (strncmp(months + 3 * month, name, 3) == 0)
            return month + 1;
    }
    return 0;
}

/* An IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
static bool parse_http_date(const char *text, int64_t *time_out) {
    static const char shape[] = "aaa, 00 aaa 0000 00:00:00 GMT";
    if (strlen(text) != strlen(shape))
        return false;
    for (size_t i = 0; shape[i] != '\0'; i++) {
        bool fits = shape[i] == '0'   ? g_ascii_isdigit(text[i])
                    : shape[i] == 'a' ? g_ascii_isalpha(text[i])
                                      : text[i] == shape[i];
        if (!fits)
            return false;
    }
    g_autofree char *iso = g_strdup_printf("%.4s-%02d-%.2sT%.8sZ", text + 12,
                                           month_number(text + 8), text + 5, text + 17);
    return clock_parse(iso, time_out);
}

/* Milliseconds that Retry-After asks for; 0 without one. */
static int64_t retry_after(const RespondAnswer *answer) {
    const char *text = answer->header(answer->header_data, "retry-after");
    double seconds;
    int64_t date;
    if (text == NULL)
        return 0;
    if (parse_number(text, &seconds))
        return (int64_t)(MIN(seconds, 1e9) * 1000);
    if (parse_http_date(text, &date))
        return MAX(date - answer->now_ms, 0);
    return 0;
}

/* --- rules ------------------------------------------------------------------------------------ */

static void prepare(RuleList *list, ConditionPool *pool) {
    g_autoptr(GPtrArray) keep = g_ptr_array_new_with_free_func(g_free);
    list->conditions = g_new0(Condition *, list->count);
    for (size_t i = 0; i < list->count; i++) {
        const Expr *when = list->rules[i].when;
        if (when == NULL)
            continue;
        list->conditions[i] = condition_new(when, pool);
        if (list->rules[i].when_body)
            expr_add_keep(when, "body", keep);
    }
    g_ptr_array_add(keep, NULL);
    list->body = scan_plan_new(NULL, (const char *const *)keep->pdata, NULL, NULL);
}

static bool has_status(const ResponseRule *rule, unsigned status) {
    for (size_t i = 0; i < rule->status_count; i++) {
        if (status >= rule->statuses[i].low && status <= rule->statuses[i].high)
            return true;
    }
    return rule->status_count == 0;
}

static bool has_code(const ResponseRule *rule, const char *code) {
    return rule->codes == NULL || g_strv_contains(rule->codes, code);
}

static bool open_body(const Case *asked, GString *json) {
    const RespondAnswer *answer = asked->answer;
    bool success = answer->status < 300;
    return (success ? envelope_open : envelope_open_error)(asked->call, answer->body,
                                                           answer->body_size, json, NULL);
}

static Value parse_body(const RuleList *list, const Case *asked) {
    g_autoptr(GString) opened = g_string_new(NULL);
    g_autoptr(GString) kept = g_string_new(NULL);
    const char *bytes = asked->answer->body;
    size_t size = asked->answer->body_size;
    Value body;
    if (asked->call != NULL && envelope_has(asked->call)) {
        if (!open_body(asked, opened))
            return value_new_null();
        bytes = opened->str;
        size = opened->len;
    }
    if (list->body == NULL || !scan_body(list->body, bytes, size, NULL, kept, NULL) ||
        !value_parse(kept->str, kept->len, &body, NULL))
        return value_new_null();
    return body;
}

/* {status, headers, body, code}: the headers that rules name, the body only when they look at it.
 */
static Value make_root(const RuleList *list, const Case *asked) {
    const RespondAnswer *answer = asked->answer;
    const char *code = asked->error.code;
    bool body = false;
    Value headers = value_new_object();
    for (size_t i = 0; i < list->count; i++) {
        const ResponseRule *rule = &list->rules[i];
        if (rule->when == NULL || !has_status(rule, answer->status))
            continue;
        body |= rule->when_body;
        for (size_t h = 0; h < rule->header_count; h++) {
            const char *text = answer->header(answer->header_data, rule->headers[h]);
            if (text != NULL)
                value_put(&headers, rule->headers[h], value_new_string(text));
        }
    }
    Value root = value_new_object();
    value_put(&root, "status", value_new_number(answer->status));
    value_put(&root, "headers", headers);
    value_put(&root, "body", body ? parse_body(list, asked) : value_new_null());
    value_put(&root, "code", value_new_string(code[0] != '\0' ? code : NULL));
    return root;
}

/* The first rule for the status whose `when` holds. The answer is looked at once, and only when a
 * rule asks. */
static const ResponseRule *find_rule(RuleList *list, ConditionPool *pool, const Case *asked) {
    const RespondAnswer *answer = asked->answer;
    g_auto(Value) root = VALUE_NONE;
    for (size_t i = 0; i < list->count; i++) {
        const ResponseRule *rule = &list->rules[i];
        if (!has_status(rule, answer->status) || !has_code(rule, asked->error.code))
            continue;
        if (rule->when == NULL)
            return rule;
        if (list->conditions == NULL)
            prepare(list, pool);
        if (value_kind(root) == VALUE_KIND_NONE)
            root = make_root(list, asked);
        ExprInput input = {root, VALUE_NONE, answer->now_ms};
        if (condition_holds(list->conditions[i], &input))
            return rule;
    }
    return NULL;
}

/* --- the class -------------------------------------------------------------------------------- */

static Outcome default_outcome(unsigned status) {
    static const struct {
        unsigned low;
        unsigned high;
        Outcome outcome;
    } table[] = {
        {200, 299, OUTCOME_OK},           {304, 304, OUTCOME_OK},
        {401, 401, OUTCOME_AUTH_EXPIRED}, {403, 403, OUTCOME_FORBIDDEN},
        {408, 408, OUTCOME_TIMEOUT},      {429, 429, OUTCOME_RATE_LIMITED},
        {500, 599, OUTCOME_UNAVAILABLE},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        if (status >= table[i].low && status <= table[i].high)
            return table[i].outcome;
    }
    return OUTCOME_BAD_REQUEST;
}

/* Several waits may apply; the longest wins. */
static int64_t wait_of(const ResponseRule *rule, const RespondAnswer *answer) {
    int64_t wait = retry_after(answer);
    if (rule != NULL) {
        int64_t until;
        int64_t size;
        wait = MAX(wait, rule->wait_ms);
        if (respond_header_value(&rule->until, answer, &until, &size))
            wait = MAX(wait, until - answer->now_ms);
    }
    return CLAMP(wait, 0, MAX_WAIT_MS);
}

static const ResponseRule *decide(Responder *responder, const Case *asked) {
    const DefinitionCall *call = asked->call;
    const ResponseRule *rule = NULL;
    if (call != NULL)
        rule = find_rule(&responder->calls[call->index], responder->pool, asked);
    if (rule == NULL && call != NULL && call->service != NULL)
        rule = find_rule(&responder->services[call->service - responder->definition->services],
                         responder->pool, asked);
    return rule != NULL ? rule : find_rule(&responder->common, responder->pool, asked);
}

static AwsErrorClass read_error(Case *asked) {
    const RespondAnswer *answer = asked->answer;
    AwsAnswer aws = {.protocol = asked->call->service->protocol,
                     .status = answer->status,
                     .header = answer->header,
                     .header_data = answer->header_data,
                     .body = answer->body,
                     .body_size = answer->body_size};
    aws_error_read(&aws, &asked->error);
    return aws_error_class(&asked->error, answer->status, answer->region);
}

RespondClass respond_classify(Responder *responder, const DefinitionCall *call,
                              const RespondAnswer *answer) {
    Case asked = {.answer = answer, .call = call};
    RespondClass class = {.aws = AWS_ERROR_NONE};
    if (call != NULL && call->service != NULL)
        class.aws = read_error(&asked);
    const ResponseRule *rule = decide(responder, &asked);
    class.ruled = rule != NULL;
    class.then = rule != NULL ? rule->then : THEN_DEFAULT;
    if (rule != NULL)
        class.outcome = rule->is;
    else if (!aws_error_outcome(class.aws, &class.outcome))
        class.outcome = default_outcome(answer->status);
    if (class.outcome == OUTCOME_RATE_LIMITED || class.outcome == OUTCOME_UNAVAILABLE)
        class.wait_ms = wait_of(rule, answer);
    return class;
}
