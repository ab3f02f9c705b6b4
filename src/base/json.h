/* json.h - JSON documents for records, replies, settings and token responses (Jansson inside).
 *
 * A Json is one reference to a value. Functions named new, copy and parse return a reference that
 * the caller owns (g_autoptr(Json) releases it); json_member* and json_item borrow from their
 * parent; json_put* and json_add* with a Json argument TAKE the value. Every growing thing is
 * bounded: parsing has a size and a depth limit. Memory of parsed values is wiped on release, so
 * that token responses may pass through here.
 *
 * Objects keep insertion order when printed unless JSON_SORTED is asked for.
 * Provider bodies do not come here: they are streamed through provider/scan and provider/value.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct json_t Json;

typedef enum {
    JSON_KIND_NULL,
    JSON_KIND_BOOL,
    JSON_KIND_INT,
    JSON_KIND_REAL,
    JSON_KIND_STRING,
    JSON_KIND_ARRAY,
    JSON_KIND_OBJECT
} JsonKind;

typedef enum {
    JSON_COMPACT = 0,
    JSON_SORTED = 1 << 0, /* keys sorted by their bytes */
    JSON_PRETTY = 1 << 1  /* two spaces a level, for people */
} JsonPrint;

/* Deepest nesting that json_parse accepts. */
#define JSON_MAX_DEPTH 64

void json_free(Json *json);
Json *json_ref(Json *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Json, json_free)

/* Parses exactly one value of at most max_size bytes; refuses duplicate keys, NUL and bad UTF-8.
 * ERROR_LIMIT when too large or deep, ERROR_CONFIGURATION when malformed (with line and column). */
Json *json_parse(const char *text, size_t size, size_t max_size,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

Json *json_new_object(void);
Json *json_new_array(void);
Json *json_new_null(void);
Json *json_new_bool(bool value);
Json *json_new_int(int64_t value);
Json *json_new_real(double value);
/* Bad UTF-8 becomes U+FFFD; NULL becomes null. */
Json *json_new_string(const char *text);
/* A deep copy. */
Json *json_copy_deep(const Json *json);

/* Set a member of an object, replacing an earlier one. json_put takes value. A NULL text or value
 * puts null. */
void json_put(Json *object, const char *key, Json *value);
void json_put_string(Json *object, const char *key, const char *text);
void json_put_int(Json *object, const char *key, int64_t value);
void json_put_real(Json *object, const char *key, double value);
void json_put_bool(Json *object, const char *key, bool value);
/* A time in milliseconds as RFC 3339 text; 0 puts null. */
void json_put_time(Json *object, const char *key, int64_t time_ms);
void json_remove(Json *object, const char *key);

/* Append to an array; json_add takes value. */
void json_add(Json *array, Json *value);
void json_add_string(Json *array, const char *text);

JsonKind json_kind(const Json *json);
/* Members of an object, items of an array, else 0. */
size_t json_count(const Json *json);

/* Borrowed; NULL when absent or when the parent is not of that kind (NULL parent allowed). */
Json *json_member(const Json *object, const char *key);
Json *json_item(const Json *array, size_t index);
/* Member by dotted path ("data.organization.id"). Borrowed. */
Json *json_path(const Json *object, const char *path);

/* The value, or the fallback when absent or of another kind. Text is borrowed. */
const char *json_member_string(const Json *object, const char *key, const char *fallback);
int64_t json_member_int(const Json *object, const char *key, int64_t fallback);
bool json_member_bool(const Json *object, const char *key, bool fallback);
double json_member_real(const Json *object, const char *key, double fallback);
const char *json_text(const Json *json); /* NULL unless a string */
int64_t json_integer_or(const Json *json, int64_t fallback);
double json_number_or(const Json *json, double fallback);
bool json_truth(const Json *json); /* true only for the value true */

/* Iterates members: void *it = NULL; while (json_next(object, &it, &key, &value)) ... */
bool json_next(const Json *object, void **iterator, const char **key_out, Json **value_out);

/* Prints a value. Caller frees. */
char *json_print(const Json *json, JsonPrint flags);

/* Appends text as a JSON string literal, quotes included, to out. */
void json_append_quoted(GString *out, const char *text, size_t length);
