#include "sandbox/fault.h"

#include "base/error.h"
#include "sandbox/mangle.h"
#include "sandbox/stats.h"

#include <string.h>

#define FAULTS_MAX 1000
#define SIZE_MAX_BYTES (256 * 1024 * 1024)

typedef struct {
    const char *url;
    int64_t now_ms;
} Circumstances;

typedef void (*Apply)(const Fault *fault, const Circumstances *at, Reply *reply);

typedef struct {
    const char *name;
    Apply apply; /* NULL: nothing is done to the answer itself */
    MangleKind mangle;
} Kind;

struct Fault {
    unsigned references;
    int64_t id;
    const Kind *kind;
    char *match;
    char *method;
    int64_t after;
    int64_t times;
    int64_t seen;
    int64_t struck;
    unsigned delay_ms;
    unsigned status; /* 0: not given */
    char *body;
    char *location;
    char *code;
    int64_t bytes; /* -1: not given */
    int64_t size;
    int64_t retry_after;
    int64_t reset_in;
    GPtrArray *fields;
    GPtrArray *header_names;
    GPtrArray *header_values;
};

struct Faults {
    GPtrArray *rules;
    int64_t last_id;
};

bool fault_is_kind(const Fault *fault, const char *kind) {
    return strcmp(fault->kind->name, kind) == 0;
}

static void set_body(Reply *reply, const char *text) {
    g_string_assign(reply->body, text == NULL ? "" : text);
}

static void apply_status(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    reply->status = fault->status == 0 ? 500 : fault->status;
    reply_set(reply, "Link", NULL);
    set_body(reply, fault->body != NULL ? fault->body : "{\"message\":\"Server Error\"}");
}

static void set_number(Reply *reply, const char *name, int64_t number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    reply_set(reply, name, text);
}

static void apply_throttle(const Fault *fault, const Circumstances *at, Reply *reply) {
    reply->status = fault->status == 0 ? 403 : fault->status;
    if (fault->reset_in >= 0) {
        set_number(reply, "x-ratelimit-remaining", 0);
        set_number(reply, "x-ratelimit-reset", at->now_ms / 1000 + fault->reset_in);
        set_body(reply, "{\"message\":\"API rate limit exceeded for user ID 583231.\","
                        "\"documentation_url\":\"https://docs.github.com/rest/overview/"
                        "rate-limits-for-the-rest-api\",\"status\":\"403\"}");
        return;
    }
    set_number(reply, "Retry-After", fault->retry_after < 0 ? 1 : fault->retry_after);
    set_body(reply,
             "{\"documentation_url\":\"https://docs.github.com/free-pro-team@latest/rest/overview/"
             "rate-limits-for-the-rest-api#about-secondary-rate-limits\",\"message\":\"You have "
             "exceeded a secondary rate limit. Please wait a few minutes before you try again.\"}");
}

static void apply_redirect(const Fault *fault, const Circumstances *at, Reply *reply) {
    const char *location = fault->location == NULL ? "/" : fault->location;
    g_autofree char *whole =
        location[0] == '/' ? g_strconcat(at->url, location, NULL) : g_strdup(location);
    reply->status = fault->status == 0 ? 302 : fault->status;
    reply_set(reply, "Location", whole);
    set_body(reply, fault->body != NULL ? fault->body : "{\"message\":\"Moved Permanently\"}");
}

static void apply_close(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)fault;
    (void)at;
    reply->delivery = DELIVER_NOTHING;
}

static void apply_truncate(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    size_t half = reply->body->len / 2;
    reply->delivery = DELIVER_CUT;
    reply->bytes = fault->bytes < 0 ? half : MIN((size_t)fault->bytes, reply->body->len);
}

static void apply_broken_json(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    size_t half = reply->body->len / 2;
    g_string_truncate(reply->body, fault->bytes < 0 ? half : (gsize)fault->bytes);
}

static void apply_drip(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    reply->delivery = DELIVER_DRIP;
    reply->bytes = fault->bytes < 1 ? 1 : (size_t)fault->bytes;
    reply->pause_ms = fault->delay_ms == 0 ? 50 : fault->delay_ms;
}

static void apply_endless(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    reply->delivery = DELIVER_ENDLESS;
    set_body(reply, fault->body != NULL ? fault->body : "[");
}

static void repeat(Reply *reply, const char *piece, size_t size) {
    size_t length = strlen(piece);
    for (size_t done = 0; done + length <= size; done += length) {
        g_string_append_len(reply->body, piece, (gssize)length);
    }
}

static bool is_xml(const Reply *reply) {
    return reply->body->str[0] == '<';
}

static void apply_deep(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    const char *piece = is_xml(reply) ? "<a>" : "[";
    set_body(reply, NULL);
    repeat(reply, piece, fault->size < 0 ? 1000000 : (size_t)fault->size);
}

static void apply_nodes(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    bool xml = is_xml(reply);
    set_body(reply, xml ? "<a>" : "[");
    repeat(reply, xml ? "<b/>" : "{},", fault->size < 0 ? 1024 * 1024 : (size_t)fault->size);
    g_string_append(reply->body, xml ? "</a>" : "{}]");
}

static void apply_huge_header(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    g_autofree char *body = g_strdup(reply->body->str);
    reply->delivery = DELIVER_RAW;
    g_string_printf(reply->body,
                    "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: "
                    "%zu\r\nConnection: close\r\nX-Huge: ",
                    strlen(body));
    repeat(reply, "a", fault->size < 0 ? 1024 * 1024 : (size_t)fault->size);
    g_string_append(reply->body, "\r\n\r\n");
    g_string_append(reply->body, body);
}

static void apply_raw(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    reply->delivery = DELIVER_RAW;
    set_body(reply, fault->body);
}

/* Where the service has no form of its own for it. */
static void apply_refusal(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    static const struct {
        const char *kind;
        unsigned status;
        const char *message;
    } refusals[] = {{"denied", 403, "Forbidden"}, {"expired", 401, "Bad credentials"}};
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "code", fault->code);
    json_put_string(json, "message", fault->body == NULL ? "Bad Request" : fault->body);
    reply->status = fault->status == 0 ? 400 : fault->status;
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        if (fault_is_kind(fault, refusals[i].kind)) {
            reply->status = refusals[i].status;
            json_put_string(json, "message", refusals[i].message);
            json_remove(json, "code");
        }
    }
    g_autofree char *text = json_print(json, JSON_COMPACT);
    set_body(reply, text);
}

static void apply_mangle(const Fault *fault, const Circumstances *at, Reply *reply) {
    (void)at;
    mangle_body(reply->body, fault->kind->mangle, fault->fields);
}

static const Kind kinds[] = {
    {.name = "status", .apply = apply_status},
    {.name = "delay"},
    {.name = "hold"},
    {.name = "throttle", .apply = apply_throttle},
    {.name = "redirect", .apply = apply_redirect},
    {.name = "close", .apply = apply_close},
    {.name = "truncate", .apply = apply_truncate},
    {.name = "broken_json", .apply = apply_broken_json},
    {.name = "slow_drip", .apply = apply_drip},
    {.name = "endless", .apply = apply_endless},
    {.name = "endless_pages"},
    {.name = "loop"},
    {.name = "deep", .apply = apply_deep},
    {.name = "nodes", .apply = apply_nodes},
    {.name = "huge_header", .apply = apply_huge_header},
    {.name = "raw", .apply = apply_raw},
    {.name = "surrogate", .apply = apply_mangle, .mangle = MANGLE_SURROGATE},
    {.name = "big_int", .apply = apply_mangle, .mangle = MANGLE_BIG_INT},
    {.name = "wrong_types", .apply = apply_mangle, .mangle = MANGLE_WRONG_TYPES},
    {.name = "denied", .apply = apply_refusal},
    {.name = "expired", .apply = apply_refusal},
    {.name = "code", .apply = apply_refusal},
    {.name = "missing_fields", .apply = apply_mangle, .mangle = MANGLE_MISSING_FIELDS},
};

static const char *const known_keys[] = {
    "match",  "method",  "kind",  "after",    "times", "delay_ms", "status",      "body",
    "fields", "headers", "bytes", "location", "size",  "reset_in", "retry_after", "code",
};

void fault_unref(Fault *fault) {
    if (fault == NULL || --fault->references > 0) {
        return;
    }
    g_free(fault->match);
    g_free(fault->method);
    g_free(fault->body);
    g_free(fault->location);
    g_free(fault->code);
    g_clear_pointer(&fault->fields, g_ptr_array_unref);
    g_clear_pointer(&fault->header_names, g_ptr_array_unref);
    g_clear_pointer(&fault->header_values, g_ptr_array_unref);
    g_free(fault);
}

static void destroy_fault(gpointer data) {
    fault_unref(data);
}

Faults *faults_new(void) {
    Faults *faults = g_new0(Faults, 1);
    faults->rules = g_ptr_array_new_with_free_func(destroy_fault);
    return faults;
}

void faults_free(Faults *faults) {
    if (faults != NULL) {
        g_ptr_array_unref(faults->rules);
        g_free(faults);
    }
}

void faults_clear(Faults *faults) {
    g_ptr_array_set_size(faults->rules, 0);
}

static bool refuse(GError **error, const char *what, const char *value) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "A fault has %s \"%s\".", what, value);
    return false;
}

static bool check_keys(const Json *rule, GError **error) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(rule, &iterator, &key, &value)) {
        bool known = false;
        for (size_t i = 0; i < G_N_ELEMENTS(known_keys); i++) {
            known = known || strcmp(known_keys[i], key) == 0;
        }
        if (!known) {
            return refuse(error, "the unknown member", key);
        }
    }
    return true;
}

static const Kind *find_kind(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (strcmp(kinds[i].name, name) == 0) {
            return &kinds[i];
        }
    }
    return NULL;
}

static void load_lists(Fault *fault, const Json *rule) {
    const Json *fields = json_member(rule, "fields");
    if (fields != NULL) {
        fault->fields = g_ptr_array_new_with_free_func(g_free);
    }
    for (size_t i = 0; i < json_count(fields); i++) {
        g_ptr_array_add(fault->fields, g_strdup(json_text(json_item(fields, i))));
    }
    fault->header_names = g_ptr_array_new_with_free_func(g_free);
    fault->header_values = g_ptr_array_new_with_free_func(g_free);
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json_member(rule, "headers"), &iterator, &key, &value)) {
        g_ptr_array_add(fault->header_names, g_strdup(key));
        g_ptr_array_add(fault->header_values,
                        g_strdup(json_text(value) == NULL ? "" : json_text(value)));
    }
}

static char *load_body(const Json *body) {
    if (body == NULL) {
        return NULL;
    }
    return json_text(body) != NULL ? g_strdup(json_text(body)) : json_print(body, JSON_COMPACT);
}

static int64_t load_number(const Json *rule, const char *name, int64_t fallback) {
    return CLAMP(json_member_int(rule, name, fallback), -1, SIZE_MAX_BYTES);
}

bool faults_add(Faults *faults, const Json *rule, int64_t *id_out, GError **error) {
    const char *kind = json_member_string(rule, "kind", "");
    if (json_kind(rule) != JSON_KIND_OBJECT || faults->rules->len == FAULTS_MAX) {
        return refuse(error, "no place:", "it is no object, or there are too many");
    }
    if (!check_keys(rule, error)) {
        return false;
    }
    if (find_kind(kind) == NULL) {
        return refuse(error, "no known kind:", kind);
    }
    Fault *fault = g_new0(Fault, 1);
    fault->references = 1;
    fault->id = ++faults->last_id;
    fault->kind = find_kind(kind);
    fault->match = g_strdup(json_member_string(rule, "match", "*"));
    fault->method = g_strdup(json_member_string(rule, "method", NULL));
    fault->after = load_number(rule, "after", 0);
    fault->times = load_number(rule, "times", -1);
    fault->delay_ms = (unsigned)MAX(load_number(rule, "delay_ms", 0), 0);
    fault->status = (unsigned)MAX(load_number(rule, "status", 0), 0);
    fault->bytes = load_number(rule, "bytes", -1);
    fault->size = load_number(rule, "size", -1);
    fault->retry_after = load_number(rule, "retry_after", -1);
    fault->reset_in = load_number(rule, "reset_in", -1);
    fault->location = g_strdup(json_member_string(rule, "location", NULL));
    fault->code = g_strdup(json_member_string(rule, "code", NULL));
    fault->body = load_body(json_member(rule, "body"));
    load_lists(fault, rule);
    g_ptr_array_add(faults->rules, fault);
    *id_out = fault->id;
    return true;
}

bool fault_matches(const Fault *fault, const char *match) {
    return match == NULL || strcmp(fault->match, match) == 0;
}

void faults_remove(Faults *faults, const char *kind, const char *match) {
    for (guint i = faults->rules->len; i > 0; i--) {
        const Fault *fault = g_ptr_array_index(faults->rules, i - 1);
        if (strcmp(fault->kind->name, kind) == 0 && fault_matches(fault, match)) {
            g_ptr_array_remove_index(faults->rules, i - 1);
        }
    }
}

Json *faults_describe(const Faults *faults) {
    Json *list = json_new_array();
    for (guint i = 0; i < faults->rules->len; i++) {
        const Fault *fault = g_ptr_array_index(faults->rules, i);
        Json *row = json_new_object();
        json_put_int(row, "id", fault->id);
        json_put_string(row, "match", fault->match);
        json_put_string(row, "kind", fault->kind->name);
        json_put_int(row, "seen", fault->seen);
        json_put_int(row, "struck", fault->struck);
        json_add(list, row);
    }
    Json *json = json_new_object();
    json_put(json, "faults", list);
    return json;
}

typedef struct {
    const char *method;
    const char *target;
    const char *path;
    const char *alias;
} Struck;

static bool concerns(const Fault *fault, const Struck *request) {
    if (fault->method != NULL && strcmp(fault->method, request->method) != 0) {
        return false;
    }
    if (strchr(fault->match, '?') != NULL) {
        return stats_glob(fault->match, request->target);
    }
    return stats_glob(fault->match, request->path) ||
           (request->alias != NULL && stats_glob(fault->match, request->alias));
}

Fault *faults_strike(Faults *faults, const char *method, const char *target, const char *alias) {
    if (faults->rules->len == 0) {
        return NULL;
    }
    g_autofree char *path = g_strndup(target, strcspn(target, "?"));
    const Struck request = {method, target, path, alias};
    for (guint i = 0; i < faults->rules->len; i++) {
        Fault *fault = g_ptr_array_index(faults->rules, i);
        if (!concerns(fault, &request)) {
            continue;
        }
        fault->seen++;
        if (fault->seen > fault->after && (fault->times < 0 || fault->struck < fault->times)) {
            fault->struck++;
            fault->references++;
            return fault;
        }
    }
    return NULL;
}

unsigned fault_delay_ms(const Fault *fault) {
    return fault->kind->apply == apply_drip ? 0 : fault->delay_ms;
}

bool fault_is_hold(const Fault *fault) {
    return fault_is_kind(fault, "hold");
}

bool fault_is_loop(const Fault *fault) {
    return fault_is_kind(fault, "loop");
}

bool fault_is_endless_pages(const Fault *fault) {
    return fault_is_kind(fault, "endless_pages");
}

unsigned fault_status(const Fault *fault) {
    return fault->status;
}

const char *fault_code(const Fault *fault) {
    return fault->code;
}

const char *fault_body(const Fault *fault) {
    return fault->body;
}

int64_t fault_retry_after(const Fault *fault) {
    return fault->retry_after;
}

void fault_apply_headers(const Fault *fault, Reply *reply) {
    for (guint i = 0; i < fault->header_names->len; i++) {
        reply_set(reply, g_ptr_array_index(fault->header_names, i),
                  g_ptr_array_index(fault->header_values, i));
    }
}

void fault_apply(const Fault *fault, const char *url, int64_t now_ms, Reply *reply) {
    const Circumstances at = {.url = url, .now_ms = now_ms};
    if (fault->kind->apply != NULL) {
        fault->kind->apply(fault, &at, reply);
    }
    fault_apply_headers(fault, reply);
}
