/* etag.h - entity tags (RFC 9110 section 8.8.3): strong, made of a representation's bytes. */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* "\"...\"" over the bytes. Caller frees. */
char *etag_of(const char *bytes, size_t size);
/* Of the object as it would be sent. */
char *etag_of_json(const Json *json);

/* Whether a header If-None-Match or If-Match has the tag, or is "*". weak: W/ is no difference
 * (If-None-Match, RFC 9110 section 8.8.3.2). */
bool etag_listed(const char *header, const char *tag, bool weak);
