/* text.h - encodings and checks of plain text and bytes.
 *
 * Nothing here allocates more than a small multiple of its input; callers bound the input first.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Lower-case hexadecimal. Caller frees. */
char *text_hex(const void *bytes, size_t size);

/* Decodes hexadecimal of either case into out; false unless the text is exactly 2 * size digits. */
bool text_unhex(const char *text, void *out, size_t size);

/* base64url without padding (RFC 4648 section 5). Caller frees. */
char *text_base64url(const void *bytes, size_t size);

/* Decodes base64 or base64url, padded or not. Caller frees *out_bytes. False on any other byte. */
bool text_unbase64(const char *text, size_t length, uint8_t **out_bytes, size_t *out_size);

/* Percent-encodes everything but RFC 3986 unreserved characters. Caller frees. */
char *text_percent_encode(const char *text, size_t length);

/* Whether the bytes are well-formed UTF-8 (RFC 3629) with no NUL. */
bool text_is_utf8(const char *text, size_t length);

/* Whether a text shows as what it is, on one line: well-formed, without control characters, line
 * ends and what reorders the text around it (UAX #9). */
bool text_is_plain(const char *text);
/* The same of a text of several lines: line feeds and tabs are allowed. */
bool text_is_plain_lines(const char *text);

/* What a text may hold that people give, and that is stored and shown. */
typedef enum {
    TEXT_BYTES, /* anything: a secret, which is not shown */
    TEXT_LINE,  /* text_is_plain() */
    TEXT_LINES  /* text_is_plain_lines() */
} TextForm;

/* What is wrong with it, as the end of a sentence that begins with what it is; NULL: nothing.
 * Caller frees. */
char *text_fault(const char *text, TextForm form, size_t most);

/* A copy fit for one line of a log or terminal: control characters become '?', length is cut to
 * max bytes on a character boundary with an ellipsis. Caller frees. */
char *text_one_line(const char *text, size_t max);

/* True when text_one_line() would only copy it: short ASCII text without control characters. */
bool text_is_plain_line(const char *text, size_t max);

/* What somebody wrote where a name belongs, as a message may repeat it. Secrets get into wrong
 * places, and messages into logs and stored answers: what does not look like a name (words of
 * letters, with a few digits at most, 60 bytes in all) becomes an ellipsis. Caller frees. */
char *text_name(const char *text);

/* Whether text ends in suffix / begins with prefix. */
bool text_starts_with(const char *text, const char *prefix);

/* Levenshtein distance, bounded: returns limit + 1 as soon as it is larger. For "did you mean". */
unsigned text_distance(const char *a, const char *b, unsigned limit);

/* snake_case to camelCase ("access_token" -> "accessToken") and back. Caller frees. */
char *text_camel(const char *snake);
char *text_snake(const char *camel);
