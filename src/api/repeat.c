#include "api/repeat.h"

#include "api/metrics.h"
#include "base/log.h"
#include "base/secmem.h"
#include "store/audit.h"

#include <string.h>

#define FAILED 300 /* from this status on nothing was done */

typedef struct {
    IdempotencyKey key;
    IdempotencyState state;
    Idempotency *stored;
} BeginWork;

/* What the operator does is kept in the installation's name, also when the handler has entered an
 * organization meanwhile. */
static DbScope scope_of(const Call *call) {
    DbScope scope = call->scope;
    if (call->route->access == ACCESS_OPERATOR)
        scope.organization = AUDIT_INSTALLATION;
    return scope;
}

static bool begin_work(DbUnit *unit, void *data, GError **error) {
    BeginWork *work = data;
    g_clear_pointer(&work->stored, idempotency_free);
    return idempotency_begin(unit, &work->key, &work->state, &work->stored, error);
}

static void answer_again(Call *call, const Idempotency *stored) {
    const char *media = stored->media ? stored->media : "application/json";
    if (stored->body)
        reply_set_text(&call->reply, (unsigned)stored->status, media, stored->body);
    else
        reply_set_empty(&call->reply, (unsigned)stored->status);
    reply_set_header(&call->reply, REPEAT_REPLAYED, "true");
    metrics_count(call->desk->metrics, METRIC_REPLAYED);
}

static bool judge(Call *call, BeginWork *work, bool *answered_out, GError **error) {
    switch (work->state) {
    case IDEMPOTENCY_NEW:
        call->begun = g_steal_pointer(&work->stored);
        return true;
    case IDEMPOTENCY_KEPT:
        answer_again(call, work->stored);
        *answered_out = true;
        return true;
    case IDEMPOTENCY_BUSY:
        reply_set_header(&call->reply, "Retry-After", "5");
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "A request with this idempotency key is still being handled.");
    default:
        return call_refuse(call, PROBLEM_UNPROCESSABLE, error, "%s",
                           "This idempotency key was used for another request.");
    }
}

/* Visible ASCII, as the draft of the header wants of a string. */
static bool is_key(const char *key) {
    for (const char *c = key; *c; c++)
        if (!g_ascii_isgraph(*c))
            return false;
    return true;
}

static bool check_key(Call *call, const char *key, GError **error) {
    bool secret = (call->route->flags & ROUTE_SECRET) != 0;
    if (!is_key(key))
        return call_refuse(
            call, PROBLEM_BAD_REQUEST, error, "%s",
            "An Idempotency-Key is of visible characters of ASCII; a UUID is a good one.");
    if (!secret && scope_of(call).organization)
        return true;
    return call_refuse(call, PROBLEM_BAD_REQUEST, error, "%s",
                       "This request takes no Idempotency-Key: its answer is not kept.");
}

bool repeat_begin(Call *call, bool *answered_out, GError **error) {
    const char *key = call_header(call, REPEAT_HEADER);
    *answered_out = false;
    if (!key || strcmp(call->route->method, "GET") == 0)
        return true;
    if (!check_key(call, key, error))
        return false;
    size_t size = 0;
    const char *body = exchange_body(call->exchange, &size);
    g_autoptr(GString) request = g_string_new(call->route->method);
    g_string_append_printf(request, " %s\n", exchange_target(call->exchange));
    g_string_append_len(request, body, (gssize)size);
    BeginWork work = {.key = {.actor = call->caller->id,
                              .key = key,
                              .request = request->str,
                              .request_size = request->len}};
    DbScope scope = scope_of(call);
    bool ok = db_run(call_db(call), &scope, DB_WRITE, begin_work, &work, error) &&
              judge(call, &work, answered_out, error);
    secmem_wipe(request->str, request->len);
    idempotency_free(work.stored);
    return ok;
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    const Call *call = data;
    const Reply *reply = &call->reply;
    if (reply->status >= FAILED)
        return idempotency_forget(unit, call->begun, error);
    IdempotencyAnswer answer = {
        .status = reply->status, .media = reply_header(reply, "Content-Type"), .body = reply->body};
    return idempotency_prune(unit, error) && idempotency_keep(unit, call->begun, &answer, error);
}

/* What was done stays done when the answer cannot be kept. */
void repeat_end(Call *call) {
    DbScope scope = scope_of(call);
    g_autoptr(GError) error = NULL;
    if (!call->begun || db_run(call_db(call), &scope, DB_WRITE, end_work, call, &error))
        return;
    log_line(LOG_WARN, "answer_not_kept", LOG_TEXT("requestId", call->request_id),
             LOG_TEXT("why", error->message));
}
