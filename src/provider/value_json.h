/* value_json.h - Values read from JSON and written as JSON.
 *
 * Reading is strict (RFC 8259) and one pass over a copy of the text, in which strings stay where
 * they are: the copy and the items of all containers make one document (value_layout.h).
 */
#pragma once

#include "provider/value_type.h"

/* Text nested deeper than this is no JSON to us. */
#define VALUE_JSON_MAX_DEPTH 512

/* Parses exactly one JSON value. The bytes must have passed provider/scan (size, depth, node
 * count, UTF-8); ERROR_SERVICE_UNAVAILABLE when they are no JSON all the same. A repeated key
 * keeps its last value. */
bool value_parse(const char *bytes, size_t size, Value *value_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Values nested deeper than this are not printed: value_append_json writes null in their place. */
#define VALUE_MAX_DEPTH 256

/* Appends the value as compact JSON: keys sorted by their bytes, whole numbers without exponent
 * up to 1e17, other numbers in the shortest form that reads back the same, not-a-number as null,
 * infinities as the largest double. Equal values give equal bytes; the result is valid UTF-8. */
void value_append_json(GString *out, Value value);
/* The same as a string. Caller frees. */
char *value_to_json(Value value);
