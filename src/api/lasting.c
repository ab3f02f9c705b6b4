#include "api/lasting.h"

#include "api/etag.h"
#include "api/metrics.h"

#include <string.h>

/* An answer as it is kept. */
typedef struct {
    RecallItem item;
    char *tag;
    size_t size;
    char body[];
} Lasting;

static void lasting_free(RecallItem *item) {
    Lasting *lasting = (Lasting *)item;
    g_free(lasting->tag);
    g_free(lasting);
}

/* Roles and limits are of the caller in this organization. */
static char *key_of(const Call *call) {
    return g_strjoin("\n", "answer", call->caller->id, call->scope.organization,
                     exchange_target(call->exchange), NULL);
}

static bool may_last(const Call *call) {
    return (call->route->flags & ROUTE_LASTING) && call->caller && call->scope.organization;
}

bool lasting_answer(Call *call) {
    if (!may_last(call))
        return false;
    g_autofree char *key = key_of(call);
    RecallMark now;
    Lasting *lasting = (Lasting *)recall_find(call->desk->recall, key, &now);
    if (!lasting)
        return false;
    reply_set_bytes(&call->reply, 200, "application/json", lasting->body, lasting->size);
    reply_set_header(&call->reply, "ETag", lasting->tag);
    metrics_count(call->desk->metrics, METRIC_RECALLED);
    recall_item_unref(&lasting->item);
    return true;
}

/* As of the moment in which the caller was looked for: his role has its part in the answer. */
void lasting_keep(Call *call) {
    Reply *reply = &call->reply;
    if (!may_last(call) || reply->status != 200 || !reply->body)
        return;
    g_autofree char *key = key_of(call);
    Lasting *lasting = g_malloc(sizeof *lasting + reply->body_size);
    recall_item_init(&lasting->item, sizeof *lasting + reply->body_size, lasting_free);
    lasting->tag = etag_of(reply->body, reply->body_size);
    lasting->size = reply->body_size;
    memcpy(lasting->body, reply->body, reply->body_size);
    reply_set_header(reply, "ETag", lasting->tag);
    recall_keep(call->desk->recall, key, &call->caller->mark, &lasting->item);
    recall_item_unref(&lasting->item);
}
