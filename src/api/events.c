#include "api/events.h"

#include "api/call.h"
#include "api/feed.h"

#include <string.h>

#define RETRY_AFTER "15" /* a stream that is gone is noticed by the heartbeat */

/* Of all organizations unless one is named, wherever a request may name it. */
static bool enter(Call *call, GError **error) {
    static const char *const names[] = {"organizationId", "companyId", "accountId"};
    const char *wanted = call_header(call, "X-Assay-Organization");
    for (size_t i = 0; !wanted && i < G_N_ELEMENTS(names); i++)
        wanted = call_query(call, names[i]);
    if (wanted)
        return caller_enter(call->caller, wanted, error);
    return call->caller->reach->len > 0 ||
           call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                       "You are in no organization: there is nothing to be seen.");
}

static bool watch(Call *call, GError **error) {
    if (!enter(call, error))
        return false;
    if (strcmp(exchange_method(call->exchange), "HEAD") == 0) {
        reply_set_text(&call->reply, 200, "text/event-stream", "");
        return true;
    }
    Stream *stream =
        feed_open(call->desk->feed, call->caller, call_header(call, "Last-Event-ID"), error);
    if (!stream) {
        reply_set_header(&call->reply, "Retry-After", RETRY_AFTER);
        return false;
    }
    reply_take_stream(&call->reply, 200, "text/event-stream", stream);
    reply_set_header(&call->reply, "X-Accel-Buffering", "no");
    return true;
}

const Route event_routes[] = {
    {.method = "GET",
     .path = "/api/events",
     .id = "watch",
     .tag = "Events",
     .summary = "All that happens in one's organizations, as server-sent events: progress, "
                "evidence, finding, done, integration, schedule.",
     .access = ACCESS_SIGNED_IN,
     .flags = ROUTE_STREAM,
     .handle = watch,
     .media = "text/event-stream"},
    {0}};
