#include "collect/ask.h"

#include "base/error.h"
#include "connect/refusal.h"
#include "provider/envelope.h"

#include <string.h>

#define TRIP_AFTER 25  /* transient failures in a row after which the service counts as down */
#define CONCURRENCY 16 /* of a service that declares none */

#define SPARE_MAX 64                 /* asks that are kept for the next ones */
#define SPARE_BUFFER_MAX (64 * 1024) /* with buffers up to this size */
#define BUFFER_ROOM 512              /* of a new buffer: most answers are small */

typedef struct {
    Run *run;
    Reading *reading;
    AskAnswered answered;
    RenderedRequest request;
    GString *opened;   /* body without its envelope */
    GString *recorded; /* body, mended and redacted */
    GString *kept;     /* the projection that the run reads */
    bool scanned;
    char *problem; /* why the body could not be read */
} Ask;

/* Response headers that are kept with a recording: paging reads the first, people the others. */
static const char *const kept_headers[] = {"link", "date", "etag", "x-request-id"};

static Ask *ask_take(Run *run) {
    Ask *ask = g_queue_pop_head(&run->spare_asks);
    if (ask)
        return ask;
    ask = g_new0(Ask, 1);
    ask->run = run;
    ask->opened = g_string_sized_new(BUFFER_ROOM);
    ask->recorded = g_string_sized_new(BUFFER_ROOM);
    ask->kept = g_string_sized_new(BUFFER_ROOM);
    return ask;
}

static void ask_destroy(Ask *ask) {
    g_string_free(ask->opened, TRUE);
    g_string_free(ask->recorded, TRUE);
    if (ask->kept)
        g_string_free(ask->kept, TRUE);
    g_free(ask);
}

/* Empties a buffer for the next use; one that was taken or has grown large is replaced. */
static GString *renew(GString *buffer) {
    if (buffer && buffer->allocated_len <= SPARE_BUFFER_MAX)
        return g_string_truncate(buffer, 0);
    if (buffer)
        g_string_free(buffer, TRUE);
    return g_string_sized_new(BUFFER_ROOM);
}

/* Asks come by the ten thousand: they and their buffers serve again. */
static void ask_free(Ask *ask) {
    Run *run = ask->run;
    rendered_request_clear(&ask->request);
    g_clear_pointer(&ask->problem, g_free);
    if (run->spare_asks.length >= SPARE_MAX) {
        ask_destroy(ask);
        return;
    }
    *ask = (Ask){.run = run,
                 .opened = renew(ask->opened),
                 .recorded = renew(ask->recorded),
                 .kept = renew(ask->kept)};
    g_queue_push_head(&run->spare_asks, ask);
}

static const PlanNode *node_of(const Reading *reading) {
    return &reading->run->plan->nodes[reading->node];
}

static CassetteKey key_of(const Ask *ask) {
    return (CassetteKey){.node = node_of(ask->reading)->path,
                         .method = ask->request.method,
                         .url = ask->request.url,
                         .body = ask->request.body};
}

/* --- answers ---------------------------------------------------------------------------------- */

static void give(Ask *ask, const Answer *answer) {
    Reading *reading = ask->reading;
    reading->run->calls++;
    reading->asking = false;
    ask->answered(reading, answer);
    ask_free(ask);
}

static void give_failure(Ask *ask, Outcome outcome, const char *message) {
    Answer answer = {
        .outcome = outcome, .message = message, .url = ask->request.url, .kept = &ask->kept};
    give(ask, &answer);
}

static bool redact(const Ask *ask, GString *text) {
    const Sender *sender = ask->reading->run->config.sender;
    return sender && sender_redact(sender, text);
}

static Outcome scan(Ask *ask, const char *body, size_t size) {
    g_string_truncate(ask->recorded, 0);
    g_string_truncate(ask->kept, 0);
    g_clear_pointer(&ask->problem, g_free);
    ask->scanned = true;
    if (size == 0)
        return OUTCOME_OK;
    g_autoptr(GError) error = NULL;
    if (scan_body(node_of(ask->reading)->scan, body, size, ask->recorded, ask->kept, &error)) {
        if (redact(ask, ask->recorded)) /* else it is in no part of it either */
            (void)redact(ask, ask->kept);
        return OUTCOME_OK;
    }
    ask->problem = g_strdup(error->message);
    return OUTCOME_BROKEN;
}

typedef bool (*Opener)(const DefinitionCall *, const char *, size_t, GString *, GError **);

/* What is recorded has no envelope, so only answers of the service itself are opened. */
static Outcome open_and_scan(Ask *ask, const char *body, size_t size, Opener opener) {
    const DefinitionCall *call = ask->reading->call;
    if (size == 0 || !envelope_has(call))
        return scan(ask, body, size);
    g_autoptr(GError) error = NULL;
    g_string_truncate(ask->opened, 0);
    if (opener(call, body, size, ask->opened, &error))
        return scan(ask, ask->opened->str, ask->opened->len);
    (void)scan(ask, "", 0);
    ask->problem = g_strdup(error->message);
    return OUTCOME_BROKEN;
}

static Outcome inspect(const char *body, size_t size, void *data) {
    return open_and_scan(data, body, size, envelope_open);
}

/* --- from the cassette ------------------------------------------------------------------------ */

/* The value of "name: value\n" lines. */
static const char *recorded_header(void *data, const char *name) {
    const GHashTable *headers = data;
    return g_hash_table_lookup((GHashTable *)(uintptr_t)headers, name);
}

static GHashTable *split_headers(const char *lines) {
    GHashTable *headers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    while (*lines != '\0') {
        const char *colon = strstr(lines, ": ");
        const char *end = strchr(lines, '\n');
        if (!colon || !end || colon > end)
            break;
        g_hash_table_insert(headers, g_strndup(lines, (gsize)(colon - lines)),
                            g_strndup(colon + 2, (gsize)(end - colon - 2)));
        lines = end + 1;
    }
    return headers;
}

static void replay(Ask *ask, const Recording *recording) {
    if (recording->outcome == OUTCOME_OK &&
        scan(ask, recording->body, recording->body_size) != OUTCOME_OK) {
        give_failure(ask, OUTCOME_BROKEN, ask->problem);
        return;
    }
    g_autoptr(GHashTable) headers = split_headers(recording->headers);
    g_autofree char *message = g_strdup(*recording->message ? recording->message : NULL);
    g_autofree char *url = g_strdup(recording->url);
    Answer answer = {.outcome = recording->outcome,
                     .then = recording->then,
                     .message = message,
                     .url = url,
                     .kept = &ask->kept,
                     .header = recorded_header,
                     .header_data = headers,
                     .size = recording->body_size,
                     .replayed = true};
    give(ask, &answer);
}

/* --- from the service ------------------------------------------------------------------------- */

static const char *live_header(void *data, const char *name) {
    return net_headers_get(data, name);
}

/* Final answers of the service itself; what may be different a minute later is not kept. */
static bool is_recordable(const SenderReply *reply) {
    static const bool final[OUTCOMES] = {[OUTCOME_OK] = true,
                                         [OUTCOME_ABSENT] = true,
                                         [OUTCOME_FORBIDDEN] = true,
                                         [OUTCOME_UNLICENSED] = true,
                                         [OUTCOME_BAD_REQUEST] = true};
    return reply->status > 0 && final[reply->outcome];
}

static void append_header(GString *lines, const char *name, const char *value) {
    g_string_append(lines, name);
    g_string_append(lines, ": ");
    g_string_append(lines, value);
    g_string_append_c(lines, '\n');
}

static void record(Ask *ask, const SenderReply *reply) {
    if (!ask->scanned &&
        open_and_scan(ask, reply->body, reply->body_size, envelope_open_error) != OUTCOME_OK)
        g_string_truncate(ask->recorded, 0);
    GString *headers = g_string_truncate(ask->opened, 0); /* it has been scanned */
    for (size_t i = 0; i < G_N_ELEMENTS(kept_headers); i++) {
        const char *value = net_headers_get(reply->headers, kept_headers[i]);
        if (value)
            append_header(headers, kept_headers[i], value);
    }
    (void)redact(ask, headers);
    CassetteKey key = key_of(ask);
    Recording recording = {.status = reply->status,
                           .outcome = reply->outcome,
                           .then = reply->then,
                           .url = reply->url,
                           .message = reply->message,
                           .headers = headers->str,
                           .body = ask->recorded->str,
                           .body_size = ask->recorded->len};
    cassette_append(ask->reading->run->config.cassette, &key, &recording);
    run_flush_soon(ask->reading->run);
}

static void trip(Run *run, Outcome outcome, const char *message) {
    run->tripped = outcome;
    g_free(run->tripped_message);
    run->tripped_message = g_strdup(message);
}

/* A refused credential is refused for every call; a service that is down is left alone. */
static void watch_health(Run *run, const SenderReply *reply) {
    if (reply->outcome == OUTCOME_AUTH_EXPIRED)
        trip(run, reply->outcome, reply->message);
    if (reply->outcome != OUTCOME_UNAVAILABLE && reply->outcome != OUTCOME_TIMEOUT)
        run->failures_in_row = 0;
    else if (++run->failures_in_row >= TRIP_AFTER)
        trip(run, reply->outcome, reply->message);
}

static void on_reply(const SenderReply *reply, void *data) {
    Ask *ask = data;
    Run *run = ask->reading->run;
    run->in_flight--;
    run_wake(run);
    if (reply->outcome == OUTCOME_RATE_LIMITED && reply->retry_at_ms > 0) {
        run->parked_until = MAX(run->parked_until, reply->retry_at_ms);
        ask_free(ask);
        return;
    }
    watch_health(run, reply);
    if (is_recordable(reply))
        record(ask, reply);
    if (reply->outcome != OUTCOME_OK)
        g_string_truncate(ask->kept, 0);
    g_autofree char *message = ask->problem && reply->outcome == OUTCOME_BROKEN
                                   ? g_strdup_printf("%s: the answer could not be read: %s",
                                                     run->config.definition->name, ask->problem)
                                   : g_strdup(reply->message);
    Answer answer = {.outcome = reply->outcome,
                     .then = reply->then,
                     .message = message,
                     .url = reply->url,
                     .kept = &ask->kept,
                     .header = live_header,
                     .header_data = (void *)(uintptr_t)reply->headers,
                     .size = reply->body_size};
    give(ask, &answer);
}

/* --- the queue -------------------------------------------------------------------------------- */

void ask_next(Reading *reading, AskAnswered answered) {
    Run *run = reading->run;
    Ask *ask = ask_take(run);
    ask->reading = reading;
    ask->answered = answered;
    reading->asking = true;
    Value environment = reading->parent ? reading->parent->environment : run->base;
    g_autoptr(GError) error = NULL;
    if (!render_call(run->render, reading->call, environment, reading->page, &ask->request,
                     &error)) {
        ask->request = (RenderedRequest){0};
        ask->problem = g_strdup(error->message);
    }
    g_queue_push_tail(&run->asks, ask);
    run_wake(run);
}

static void send_ask(Run *run, Ask *ask) {
    if (!run->config.sender) {
        give_failure(ask, OUTCOME_BAD_REQUEST,
                     "no recorded answer for this request; record it first");
        return;
    }
    g_autoptr(GError) error = NULL;
    SenderWish wish = {.call = ask->reading->call,
                       .rendered = &ask->request,
                       .inspect = inspect,
                       .done = on_reply,
                       .data = ask};
    if (!sender_send(run->config.sender, &wish, &error)) {
        give_failure(ask, OUTCOME_BAD_REQUEST, error->message);
        return;
    }
    run->in_flight++;
}

static void work_off(Run *run, Ask *ask) {
    if (!ask->request.url) {
        give_failure(ask, OUTCOME_BAD_REQUEST, ask->problem);
        return;
    }
    CassetteKey key = key_of(ask);
    bool found = false;
    Recording recording;
    if (!cassette_find(run->config.cassette, &key, &found, &recording, &run->error)) {
        ask_free(ask);
        return;
    }
    if (found)
        replay(ask, &recording);
    else if (run->tripped != OUTCOME_OK)
        give_failure(ask, run->tripped, run->tripped_message);
    else
        send_ask(run, ask);
}

/* As many as the service takes at once, and as many that wait for their turn. What was handed out
 * is asked even when the credential is refused or the service is down, so it must not be all. */
static unsigned in_flight_max(const Run *run) {
    int64_t concurrency = 0;
    for (size_t i = 0; i < run->config.definition->limit_count; i++)
        concurrency = MAX(concurrency, run->config.definition->limits[i].concurrency);
    return 2 * (concurrency > 0 ? (unsigned)concurrency : CONCURRENCY);
}

void ask_pump(Run *run) {
    unsigned most = in_flight_max(run);
    Ask *ask;
    while (!run->error && run->parked_until == 0 && run->in_flight < most &&
           (ask = g_queue_pop_head(&run->asks)) != NULL)
        work_off(run, ask);
}

void ask_drop_all(Run *run) {
    Ask *ask;
    while ((ask = g_queue_pop_head(&run->asks)) != NULL)
        ask_free(ask);
    while ((ask = g_queue_pop_head(&run->spare_asks)) != NULL)
        ask_destroy(ask);
}
