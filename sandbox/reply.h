/* reply.h - one answer on its way out: status, headers and body, and how it is to be delivered.
 *
 * Made by answer.c, bent by fault.c, sent by server.c. reply_init / reply_clear on the caller's
 * storage; the body may be taken out.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define REPLY_HEADERS 48

typedef enum {
    DELIVER_WHOLE,
    DELIVER_CUT,     /* announces the whole body, sends `bytes` of it and closes */
    DELIVER_ENDLESS, /* sends the body, then `{"a":1},` for ever */
    DELIVER_DRIP,    /* sends `bytes` of the body every `pause_ms` */
    DELIVER_RAW,     /* writes the body as it is to the connection, without a status line */
    DELIVER_NOTHING  /* closes the connection */
} Delivery;

typedef struct {
    unsigned status;
    GString *body;
    GString *text; /* names and values of headers, each with its NUL */
    size_t header_count;
    struct {
        size_t name;
        size_t value;
    } headers[REPLY_HEADERS];
    Delivery delivery;
    size_t bytes;
    unsigned pause_ms;
} Reply;

void reply_init(Reply *reply);
void reply_clear(Reply *reply);

/* Adds a header; what does not fit the table is dropped. */
void reply_add(Reply *reply, const char *name, const char *value);

/* Replaces every header of that name (of any case); NULL removes them. */
void reply_set(Reply *reply, const char *name, const char *value);

const char *reply_header_name(const Reply *reply, size_t index);
const char *reply_header_value(const Reply *reply, size_t index);

/* The value of a header of any case, or NULL. */
const char *reply_find(const Reply *reply, const char *name);
