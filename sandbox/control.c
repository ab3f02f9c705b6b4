#include "sandbox/control.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

#define WAIT_DEFAULT_MS 10000
#define WAIT_MAX_MS 600000

typedef struct {
    Service *service;
    const ControlRequest *request;
    const Target *target;
    const Json *body; /* an empty object when there is none */
    Reply *reply;
    ControlWish *wish;
} Control;

typedef void (*Handler)(Control *control);

static void set_json(Reply *reply, Json *json) {
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_string_assign(reply->body, text);
    json_free(json);
}

static void refuse(Reply *reply, unsigned status, const char *message) {
    Json *json = json_new_object();
    json_put_string(json, "error", message);
    reply->status = status;
    set_json(reply, json);
}

static bool add_fault(Control *control, const Json *rule, Json *ids) {
    g_autoptr(GError) error = NULL;
    int64_t id;
    if (!faults_add(control->service->faults, rule, &id, &error)) {
        refuse(control->reply, 400, error->message);
        return false;
    }
    json_add(ids, json_new_int(id));
    return true;
}

static void post_faults(Control *control) {
    g_autoptr(Json) ids = json_new_array();
    bool many = json_kind(control->body) == JSON_KIND_ARRAY;
    size_t count = many ? json_count(control->body) : 1;
    for (size_t i = 0; i < count; i++) {
        if (!add_fault(control, many ? json_item(control->body, i) : control->body, ids)) {
            return;
        }
    }
    Json *json = json_new_object();
    json_put(json, "ids", g_steal_pointer(&ids));
    set_json(control->reply, json);
}

static void get_faults(Control *control) {
    set_json(control->reply, faults_describe(control->service->faults));
}

static void delete_faults(Control *control) {
    faults_clear(control->service->faults);
    control->wish->release = true;
}

static void post_hold(Control *control) {
    g_autoptr(Json) rule = json_copy_deep(control->body);
    g_autoptr(Json) ids = json_new_array();
    json_put_string(rule, "kind", "hold");
    (void)add_fault(control, rule, ids);
}

static void post_release(Control *control) {
    const char *match = json_member_string(control->body, "match", NULL);
    faults_remove(control->service->faults, "hold", match);
    control->wish->release = true;
    control->wish->match = g_strdup(match);
}

static Json *describe_tokens(const Service *service) {
    Json *list = json_new_array();
    for (guint i = 0; i < service->tokens->len; i++) {
        const Token *token = g_ptr_array_index(service->tokens, i);
        json_add(list, json_new_int((int64_t)token->calls));
    }
    if (service->aws != NULL) {
        json_add(list, json_new_int((int64_t)aws_calls(service->aws, false)));
        json_add(list, json_new_int((int64_t)aws_calls(service->aws, true)));
    }
    return list;
}

void control_stats(const Service *service, unsigned held, Reply *reply) {
    Json *json = stats_describe(service->stats);
    json_put_int(json, "held", held);
    json_put(json, "byToken", describe_tokens(service));
    set_json(reply, json);
}

static void get_stats(Control *control) {
    control_stats(control->service, control->request->held, control->reply);
}

static void get_requests(Control *control) {
    const char *match = target_parameter(control->target, "match");
    const char *order = target_parameter(control->target, "order");
    const Stats *stats = control->service->stats;
    bool log = order != NULL && strcmp(order, "log") == 0;
    set_json(control->reply, log ? stats_log(stats, match) : stats_lines(stats, match));
}

static void get_wait(Control *control) {
    ControlWish *wish = control->wish;
    wish->wait = true;
    wish->wanted_requests = target_number(control->target, "requests", UINT64_MAX, 0);
    wish->wanted_held = target_number(control->target, "held", UINT32_MAX, 0);
    wish->timeout_ms =
        (int64_t)target_number(control->target, "timeout_ms", WAIT_MAX_MS, WAIT_DEFAULT_MS);
}

static void post_limit(Control *control) {
    int64_t now = clock_now_ms();
    for (guint i = 0; i < control->service->tokens->len; i++) {
        Token *token = g_ptr_array_index(control->service->tokens, i);
        Window *window = &token->announced;
        window->limit = MAX(json_member_int(control->body, "limit", window->limit), 0);
        token->secondary.limit =
            MAX(json_member_int(control->body, "secondary", token->secondary.limit), 0);
        int64_t reset_in = json_member_int(control->body, "reset_in", -1);
        int64_t remaining = json_member_int(control->body, "remaining", -1);
        window_refresh(window, now);
        if (reset_in >= 0) {
            window->reset_ms = now + CLAMP(reset_in, 0, 86400) * 1000;
        }
        if (remaining >= 0) {
            window->used = MAX(window->limit - remaining, 0);
        }
    }
}

static void post_reset(Control *control) {
    service_reset(control->service);
    control->wish->release = true;
}

static const struct {
    const char *method;
    const char *name;
    Handler handler;
} handlers[] = {
    {"POST", "faults", post_faults},     {"GET", "faults", get_faults},
    {"DELETE", "faults", delete_faults}, {"POST", "hold", post_hold},
    {"POST", "release", post_release},   {"GET", "stats", get_stats},
    {"GET", "requests", get_requests},   {"GET", "wait", get_wait},
    {"POST", "limit", post_limit},       {"POST", "reset", post_reset},
};

static Handler find_handler(const ControlRequest *request, const Target *target) {
    for (size_t i = 0; target->segment_count == 2 && i < G_N_ELEMENTS(handlers); i++) {
        if (strcmp(handlers[i].method, request->method) == 0 &&
            strcmp(handlers[i].name, target->segments[1]) == 0) {
            return handlers[i].handler;
        }
    }
    return NULL;
}

static Json *read_body(const ControlRequest *request, GError **error) {
    if (request->body_size == 0) {
        return json_new_object();
    }
    return json_parse(request->body, request->body_size, CONTROL_BODY_MAX, error);
}

void control_answer(Service *service, const ControlRequest *request, Reply *reply,
                    ControlWish *wish) {
    Target target;
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) body = read_body(request, &error);
    bool sound = target_init(&target, request->target);
    Handler handler = sound ? find_handler(request, &target) : NULL;
    Control control = {.service = service,
                       .request = request,
                       .target = &target,
                       .body = body,
                       .reply = reply,
                       .wish = wish};
    reply_add(reply, "Content-Type", "application/json");
    g_string_assign(reply->body, "{\"ok\":true}");
    if (body == NULL) {
        refuse(reply, 400, error != NULL ? error->message : "The body is no JSON object.");
    } else if (handler == NULL) {
        refuse(reply, 404, "There is no such call; see sandbox/README.md.");
    } else {
        handler(&control);
    }
    target_clear(&target);
}
