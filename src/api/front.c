#include "api/front.h"

#include "api/call.h"
#include "api/etag.h"
#include "api/gate.h"
#include "api/job_wait.h"
#include "api/lasting.h"
#include "api/metrics.h"
#include "api/repeat.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/log.h"
#include "base/text.h"
#include "vault/ticket.h"

#include <string.h>

#define ERRANDS_RETRY_AFTER "5" /* most tests are over by then */

static const ProblemKind defects[] = {
    [DEFECT_TARGET_TOO_LONG] = PROBLEM_TARGET,   [DEFECT_HEADERS_TOO_LARGE] = PROBLEM_HEADERS,
    [DEFECT_BODY_TOO_LARGE] = PROBLEM_TOO_LARGE, [DEFECT_OVERLOADED] = PROBLEM_UNAVAILABLE,
    [DEFECT_FRAMING] = PROBLEM_BAD_REQUEST,
};

/* On every reply. Pages of the API that are HTML bring their own policy. */
static const struct {
    const char *name;
    const char *value;
} security_headers[] = {
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
    {"Cache-Control", "no-store"},
};

/* --- calls ------------------------------------------------------------------------------------ */

static bool is_request_id(const char *text) {
    size_t length = strlen(text);
    if (text_starts_with(text, TICKET_PREFIX)) /* a token in the wrong header */
        return false;
    for (const char *c = text; *c; c++)
        if (!g_ascii_isalnum(*c) && !strchr("._-", *c))
            return false;
    return length > 0 && length <= CALL_ID_MAX;
}

static Call *call_new(Desk *desk, Exchange *exchange) {
    Call *call = g_new0(Call, 1);
    const char *id = exchange_header(exchange, "X-Request-Id");
    call->desk = desk;
    call->exchange = exchange;
    call->began_us = clock_mono_us();
    if (id && is_request_id(id))
        g_strlcpy(call->request_id, id, sizeof call->request_id);
    else
        id_write(call->request_id);
    call->client = *exchange_client(exchange);
    address_write(&call->client, call->client_text);
    return call;
}

static void call_free(Call *call) {
    call_forget_password(call);
    target_clear(&call->target);
    caller_free(call->caller);
    json_free(call->body);
    if (call->sleep.free_held && call->sleep.held)
        call->sleep.free_held(call->sleep.held);
    idempotency_free(call->begun);
    errand_unref(call->errand);
    g_strfreev(call->jobs.ids);
    if (call->jobs.held && call->jobs.free_held)
        call->jobs.free_held(call->jobs.held);
    reply_clear(&call->reply);
    if (call->wrongs)
        g_ptr_array_unref(call->wrongs);
    g_free(call);
}

/* --- the end ---------------------------------------------------------------------------------- */

static void log_call(const Call *call) {
    unsigned status = call->reply.status;
    bool read = strcmp(exchange_method(call->exchange), "GET") == 0;
    LogLevel level = status >= 500 ? LOG_WARN : status >= 400 || !read ? LOG_INFO : LOG_DEBUG;
    log_line(level, "request", LOG_TEXT("requestId", call->request_id),
             LOG_TEXT("method", exchange_method(call->exchange)),
             LOG_TEXT("route", call->route ? call->route->path : NULL), LOG_INT("status", status),
             LOG_TEXT("caller", call->caller ? call->caller->id : NULL),
             LOG_TEXT("address", call->client_text),
             LOG_INT("us", clock_mono_us() - call->began_us));
}

/* RFC 6797; only where browsers come by https. */
static void add_transport_security(Call *call) {
    if (call->desk->secure)
        reply_set_header(&call->reply, "Strict-Transport-Security", "max-age=31536000");
}

static void add_headers(Call *call) {
    for (size_t i = 0; i < G_N_ELEMENTS(security_headers); i++)
        if (!reply_header(&call->reply, security_headers[i].name))
            reply_set_header(&call->reply, security_headers[i].name, security_headers[i].value);
    add_transport_security(call);
    reply_set_header(&call->reply, "X-Request-Id", call->request_id);
}

/* Objects may be kept by the client and asked for again with their tag. */
static void add_tag(Call *call) {
    Reply *reply = &call->reply;
    bool object = call->route && (call->route->flags & ROUTE_OBJECT) != 0;
    if (!object || reply->status != 200 || !reply->body)
        return;
    if (!reply_header(reply, "ETag")) {
        g_autofree char *tag = etag_of(reply->body, reply->body_size);
        reply_set_header(reply, "ETag", tag);
    }
    const char *known = exchange_header(call->exchange, "If-None-Match");
    reply_set_header(reply, "Cache-Control", "private, no-cache");
    if (known && strcmp(call->route->method, "GET") == 0 &&
        etag_listed(known, reply_header(reply, "ETag"), true))
        reply_set_empty(reply, 304);
}

/* Sends the reply and frees the call. */
static void finish(Call *call) {
    add_tag(call);
    add_headers(call);
    metrics_request(call->desk->metrics, call->route, call->reply.status,
                    clock_mono_us() - call->began_us);
    log_call(call);
    exchange_reply(g_steal_pointer(&call->exchange), &call->reply);
    call_free(call);
}

/* The path that was asked, of ids and names; NULL when it could not be read. */
static char *shown_path(const Call *call) {
    char **segments = call->target.segments;
    if (!segments)
        return NULL;
    g_autoptr(GString) path = g_string_new(NULL);
    for (; *segments; segments++) {
        g_autofree char *shown =
            id_is_valid(*segments) ? g_strdup(*segments) : text_name(*segments);
        g_string_append_printf(path, "/%s", shown);
    }
    return g_strdup(path->str);
}

static void fail(Call *call, ProblemKind kind) {
    g_autofree char *path = shown_path(call);
    Problem problem = {.kind = kind, .instance = path, .request_id = call->request_id};
    problem_reply(&problem, &call->reply);
}

/* "Invalid AWS credentials"; NULL when it was something else. */
static char *refused_credential(const Call *call, const GError *error) {
    bool refused = call->service && error_code_of(error) == ERROR_AUTHENTICATION_FAILED;
    return refused ? g_strdup_printf("Invalid %s credentials", call->service->name) : NULL;
}

static void fail_with(Call *call, const GError *error) {
    Problem problem = problem_of_error(error, call->service != NULL);
    g_autofree char *title = refused_credential(call, error);
    g_autofree char *path = shown_path(call);
    problem.title = title;
    if (call->refused) {
        problem = call->refusal;
        problem.detail = error->message;
    }
    call->denied = call->caller && problem.kind == PROBLEM_FORBIDDEN;
    if (problem_status(problem.kind) >= 500)
        log_line(LOG_ERROR, "request_failed", LOG_TEXT("requestId", call->request_id),
                 LOG_TEXT("route", call->route ? call->route->path : NULL),
                 LOG_TEXT("why", error->message));
    problem.instance = path;
    problem.request_id = call->request_id;
    problem.wrongs = call->wrongs;
    problem_reply(&problem, &call->reply);
}

/* On a thread of the pool: what is written down comes before the reply. */
static void settle(Call *call) {
    if (call->denied)
        gate_note_denied(call);
    repeat_end(call);
    finish(call);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void end_wait(PoolSeat *seat, void *data) {
    Call *call = data;
    (void)seat;
    if (call->reply.status == 202)
        errand_announce(call->errand);
    settle(call);
}

static void answer_later(Call *call, const Errand *errand) {
    if (atomic_load(&call->desk->stopping)) {
        fail(call, PROBLEM_UNAVAILABLE);
        return;
    }
    g_autofree char *events = g_strdup_printf("/api/jobs/%s/events", errand_id(errand));
    g_autofree char *location = g_strdup_printf("/api/jobs/%s", errand_id(errand));
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "jobId", errand_id(errand));
    json_put_string(json, "events", events);
    reply_set_json(&call->reply, 202, json);
    reply_set_header(&call->reply, "Location", location);
    metrics_count(call->desk->metrics, METRIC_WAITS_LEFT);
}

/* On a thread of the errands or the alarms: the rest, which writes, is the pool's. */
static void told(Errand *errand, const ErrandEnd *end, void *data) {
    Call *call = data;
    if (end->ended && end->error)
        fail_with(call, end->error);
    else if (end->ended)
        reply_set_json(&call->reply, errand_status(errand), end->body);
    else
        answer_later(call, errand);
    pool_insist(call->desk->pool, end_wait, call);
}

static void resume(PoolSeat *seat, void *data);
static void resume_jobs(PoolSeat *seat, void *data);

/* On a thread of the queue. */
static void password_told(void *data, const PasswordResult *result) {
    Call *call = data;
    call->password_matches = result->matches;
    call->password_hash = g_strdup(result->new_hash);
    call->password_error = result->error ? g_error_copy(result->error) : NULL;
    pool_insist(call->desk->pool, resume, call);
}

static bool begin_password(Call *call, GError **error) {
    PasswordTask task = {.password = call->asked.password,
                         .hash = call->asked_hash,
                         .make = call->asked.make,
                         .done = password_told,
                         .data = call};
    if (password_queue_submit(call->desk->passwords, &task, error))
        return true;
    reply_set_header(&call->reply, "Retry-After", "1");
    return false;
}

/* The call may be gone when this returns true. */
static bool begin_errand(Call *call, GError **error) {
    g_autoptr(Errand) errand = errand_ref(call->errand);
    ErrandQueued how = errands_begin(call->desk->errands, errand, told, call);
    if (how == ERRAND_QUEUED)
        return true;
    reply_set_header(&call->reply, "Retry-After", ERRANDS_RETRY_AFTER);
    return how == ERRAND_QUEUE_OWN_FULL
               ? call_refuse(call, PROBLEM_TOO_MANY, error, "%s",
                             "Too many connections of this organization are being tested; try "
                             "again in a moment.")
               : call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s",
                             "Too many connections are being tested; try again in a moment.");
}

/* The same. */
static bool begin_wait(Call *call, GError **error) {
    if (call->asked.resume)
        return begin_password(call, error);
    if (call->sleep.resume)
        return call->sleep.begin(call, error);
    if (call->jobs.resume) {
        job_wait_begin(call, resume_jobs);
        return true;
    }
    return begin_errand(call, error);
}

/* --- handling --------------------------------------------------------------------------------- */

/* After a handler: true when the reply is there, or the call waits for something and is no longer
 * ours. */
static bool end_or_wait(Call *call, bool *waits_out, GError **error) {
    *waits_out = call->errand || call->asked.resume || call->jobs.resume || call->sleep.resume;
    if (!*waits_out)
        return true;
    call->seat = NULL;
    if (begin_wait(call, error))
        return true;
    *waits_out = false;
    return false;
}

static bool work(Call *call, bool *waits_out, GError **error) {
    bool answered = false;
    if (!gate_pass(call, error) || !repeat_begin(call, &answered, error))
        return false;
    if (answered || lasting_answer(call))
        return true;
    if (!call->route->handle(call, error) || !end_or_wait(call, waits_out, error))
        return false;
    if (!*waits_out)
        lasting_keep(call);
    return true;
}

static void handle(PoolSeat *seat, void *data) {
    Call *call = data;
    g_autoptr(GError) error = NULL;
    bool waits = false;
    call->seat = seat;
    bool ok = work(call, &waits, &error);
    if (waits)
        return;
    if (!ok)
        fail_with(call, error);
    settle(call);
}

/* Goes on with a call that has waited; takes the error of what it waited for. */
static void go_on(PoolSeat *seat, Call *call, RouteHandler handler, GError *failure) {
    g_autoptr(GError) error = failure;
    bool waits = false;
    call->seat = seat;
    bool ok = !error && handler(call, &error) && end_or_wait(call, &waits, &error);
    if (waits)
        return;
    if (!ok)
        fail_with(call, error);
    settle(call);
}

/* The password was looked at. */
static void resume(PoolSeat *seat, void *data) {
    Call *call = data;
    RouteHandler handler = g_steal_pointer(&call->asked.resume);
    go_on(seat, call, handler, g_steal_pointer(&call->password_error));
}

/* The jobs have ended, or patience has. */
static void resume_jobs(PoolSeat *seat, void *data) {
    Call *call = data;
    RouteHandler handler = g_steal_pointer(&call->jobs.resume);
    GError *error = NULL;
    if (!call->jobs.ended && atomic_load(&call->desk->stopping))
        (void)call_refuse(call, PROBLEM_UNAVAILABLE, &error, "%s", "The server is stopping.");
    else if (!call->jobs.ended)
        metrics_count(call->desk->metrics, METRIC_WAITS_LEFT);
    go_on(seat, call, handler, error);
}

static void wake_up(PoolSeat *seat, void *data) {
    Call *call = data;
    RouteHandler handler = g_steal_pointer(&call->sleep.resume);
    go_on(seat, call, handler, NULL);
}

void front_wake(Call *call) {
    pool_insist(call->desk->pool, wake_up, call);
}

static void handle_at_once(Call *call) {
    g_autoptr(GError) error = NULL;
    if (!call->route->handle(call, &error))
        fail_with(call, error);
    finish(call);
}

/* --- arrival ---------------------------------------------------------------------------------- */

static void answer_no_route(Call *call, const char *allow) {
    bool options = allow && strcmp(exchange_method(call->exchange), "OPTIONS") == 0;
    if (options)
        reply_set_empty(&call->reply, 204);
    else
        fail(call, allow ? PROBLEM_METHOD : PROBLEM_NOT_FOUND);
    if (allow)
        reply_set_header(&call->reply, "Allow", allow);
    finish(call);
}

/* Callers with a session may have to be written down, which waits. */
static bool needs_no_waiting(const Call *call) {
    return (call->route->flags & ROUTE_BRIEF) && db_reads_here(call->desk->config.db) &&
           caller_shows_token(exchange_header(call->exchange, "Authorization"));
}

static void route(Call *call) {
    RouteMatch match;
    route_find(call->desk->tables, exchange_method(call->exchange), call->target.segments, &match);
    g_autofree char *allow = match.allow;
    call->route = match.route;
    memcpy(call->values, match.values, sizeof call->values);
    if (!call->route) {
        answer_no_route(call, allow);
    } else if (call->route->flags & ROUTE_AT_ONCE) {
        handle_at_once(call);
    } else if (needs_no_waiting(call)) {
        handle(NULL, call);
    } else if (!pool_submit(call->desk->pool, handle, call)) {
        reply_set_header(&call->reply, "Retry-After", "1");
        fail(call, PROBLEM_UNAVAILABLE);
        finish(call);
    }
}

void front_handle(Exchange *exchange, void *desk) {
    Call *call = call_new(desk, exchange);
    g_autoptr(GError) error = NULL;
    Defect defect = exchange_defect(exchange);
    if (defect != DEFECT_NONE) {
        fail(call, defects[defect]);
        finish(call);
    } else if (!target_init(&call->target, exchange_target(exchange), &error)) {
        fail(call, error_code_of(error) == ERROR_LIMIT ? PROBLEM_TARGET : PROBLEM_BAD_REQUEST);
        finish(call);
    } else {
        route(call);
    }
}
