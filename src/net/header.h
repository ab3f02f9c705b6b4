/* header.h - a list of HTTP header fields (RFC 9110 section 5).
 *
 * Order and repetition are kept; names compare without case. All text lives in one buffer of the
 * list, bounded at birth, so that a list is reused from call to call without allocating. Pointers
 * into a list are borrowed and valid until the list is next changed.
 *
 * Lists that carried credentials are emptied with net_headers_wipe().
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

typedef struct NetHeaders NetHeaders;

typedef struct {
    const char *name;
    const char *value;
} NetHeader;

/* An empty list that refuses to hold more than max_bytes of names and values. */
NetHeaders *net_headers_new(size_t max_bytes);
/* Wipes and frees; NULL allowed. */
void net_headers_free(NetHeaders *headers);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(NetHeaders, net_headers_free)

/* Changes the bound of an empty list. */
void net_headers_limit(NetHeaders *headers, size_t max_bytes);

/* Appends a field. ERROR_CONFIGURATION when the name is no token or the value holds a control
 * character (a line break would start another field), ERROR_LIMIT when the list would be too
 * large. The message names the field and never its value. */
bool net_headers_add(NetHeaders *headers, const char *name, const char *value,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As net_headers_add, and removes earlier fields of that name. */
bool net_headers_set(NetHeaders *headers, const char *name, const char *value,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Appends one received line ("Name: value", with or without CRLF). The name is stored in lower
 * case, blanks around the value are dropped. Lines that are no field are left out. False when the
 * list would pass its bound. */
bool net_headers_add_line(NetHeaders *headers, const char *line,
                          size_t length) G_GNUC_WARN_UNUSED_RESULT;

/* The value of the first field of that name, or NULL. */
const char *net_headers_get(const NetHeaders *headers, const char *name);

/* The n-th (from 0) value among the fields of that name, or NULL. */
const char *net_headers_get_nth(const NetHeaders *headers, const char *name, size_t nth);

size_t net_headers_count(const NetHeaders *headers);

/* The field at an index below net_headers_count(). */
NetHeader net_headers_at(const NetHeaders *headers, size_t index);

/* Removes all fields; wipe overwrites their text as well. */
void net_headers_clear(NetHeaders *headers);
void net_headers_wipe(NetHeaders *headers);
