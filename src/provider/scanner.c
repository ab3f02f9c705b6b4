#include "provider/scanner.h"

#include <stdint.h>
#include <string.h>

/* An empty container costs libjq about eight times as much as a scalar. */
#define CONTAINER_NODES 8

#define REPLACEMENT "\xef\xbf\xbd"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"

bool scanner_fail(Scanner *s, const char *reason) {
    s->reason = reason;
    s->code = ERROR_SERVICE_UNAVAILABLE;
    return false;
}

bool scanner_fail_limit(Scanner *s, const char *reason) {
    s->reason = reason;
    s->code = ERROR_LIMIT;
    return false;
}

static bool fail_end(Scanner *s) {
    return scanner_fail(s, "it ends in the middle");
}

void sink_open(Sink *sink, const Byte *from) {
    sink->from = from;
    sink->open = sink->out != NULL;
}

static void sink_flush(Sink *sink, const Byte *to) {
    if (!sink->open)
        return;
    g_string_append_len(sink->out, (const char *)sink->from, to - sink->from);
    sink->from = to;
}

void sink_close(Sink *sink, const Byte *to) {
    sink_flush(sink, to);
    sink->open = false;
}

static void sink_replace(Sink *sink, const Byte *from, const Byte *to, const char *text) {
    if (!sink->open)
        return;
    sink_flush(sink, from);
    g_string_append(sink->out, text);
    sink->from = to;
}

void scanner_replace(Scanner *s, const Byte *from, const Byte *to, const char *text) {
    sink_replace(&s->recorded, from, to, text);
    sink_replace(&s->kept, from, to, text);
}

static inline void scanner_space(Scanner *s) {
    while (s->p < s->end && (*s->p == ' ' || *s->p == '\n' || *s->p == '\r' || *s->p == '\t'))
        s->p++;
}

/* Strings. */

#define EVERY_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The first byte at or after p that is a quote, a backslash, a control character or not ASCII.
 * Eight bytes at a time: borrows run towards higher bytes only, so the lowest mark is exact. */
static inline const Byte *plain_run(const Byte *p, const Byte *end) {
    while (end - p >= 8) {
        uint64_t word;
        memcpy(&word, p, sizeof word);
        word = GUINT64_FROM_LE(word);
        uint64_t quote = word ^ EVERY_BYTE('"');
        uint64_t slash = word ^ EVERY_BYTE('\\');
        uint64_t special = word | ((quote - EVERY_BYTE(1)) & ~quote) |
                           ((slash - EVERY_BYTE(1)) & ~slash) | ((word - EVERY_BYTE(0x20)) & ~word);
        special &= EVERY_BYTE(0x80);
        if (special != 0)
            return p + (__builtin_ctzll(special) >> 3);
        p += 8;
    }
    while (p < end && *p >= 0x20 && *p < 0x80 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static inline bool is_continuation(Byte byte) {
    return (byte & 0xc0) == 0x80;
}

/* The length of the well-formed sequence at p (RFC 3629 section 4), 0 when there is none. */
static size_t utf8_length(const Byte *p, const Byte *end) {
    size_t left = (size_t)(end - p);
    if (p[0] >= 0xc2 && p[0] <= 0xdf)
        return left >= 2 && is_continuation(p[1]) ? 2 : 0;
    if (p[0] >= 0xe0 && p[0] <= 0xef) {
        Byte low = p[0] == 0xe0 ? 0xa0 : 0x80;
        Byte high = p[0] == 0xed ? 0x9f : 0xbf;
        return left >= 3 && p[1] >= low && p[1] <= high && is_continuation(p[2]) ? 3 : 0;
    }
    if (p[0] < 0xf0 || p[0] > 0xf4)
        return 0;
    Byte low = p[0] == 0xf0 ? 0x90 : 0x80;
    Byte high = p[0] == 0xf4 ? 0x8f : 0xbf;
    return left >= 4 && p[1] >= low && p[1] <= high && is_continuation(p[2]) &&
                   is_continuation(p[3])
               ? 4
               : 0;
}

static void scan_not_ascii(Scanner *s) {
    size_t length = utf8_length(s->p, s->end);
    if (length == 0) {
        scanner_replace(s, s->p, s->p + 1, REPLACEMENT);
        length = 1;
    }
    s->p += length;
}

/* The value of four hexadecimal digits, -1 when they are not. */
static int hex4(const Byte *p, const Byte *end) {
    if (end - p < 4)
        return -1;
    int value = 0;
    for (int i = 0; i < 4; i++) {
        int digit = g_ascii_xdigit_value((char)p[i]);
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The unit of the escape "\uXXXX" at p, -1 when there is none. */
static int escaped_unit(const Byte *p, const Byte *end) {
    return end - p >= 6 && p[0] == '\\' && p[1] == 'u' ? hex4(p + 2, end) : -1;
}

static bool is_high(int unit) {
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit) {
    return unit >= 0xdc00 && unit <= 0xdfff;
}

/* "\uXXXX" at p: pairs of surrogates pass, a lone one and NUL are replaced (libjq's own handling
 * of both is undefined or ends strings early). */
static bool scan_unicode_escape(Scanner *s) {
    int unit = escaped_unit(s->p, s->end);
    if (unit < 0)
        return scanner_fail(s, "a \\u escape is not four digits");
    if (is_high(unit) && is_low(escaped_unit(s->p + 6, s->end))) {
        s->p += 12;
        return true;
    }
    if (unit == 0 || is_high(unit) || is_low(unit))
        scanner_replace(s, s->p, s->p + 6, REPLACEMENT);
    s->p += 6;
    return true;
}

static bool scan_escape(Scanner *s) {
    s->escaped = true;
    if (s->end - s->p < 2)
        return fail_end(s);
    switch (s->p[1]) {
    case 'u':
        return scan_unicode_escape(s);
    case '"':
    case '\\':
    case '/':
    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        s->p += 2;
        return true;
    default:
        return scanner_fail(s, "an escape is unknown");
    }
}

/* A string whose opening quote is at p. */
static bool scan_string(Scanner *s) {
    s->escaped = false;
    s->p++;
    for (;;) {
        s->p = plain_run(s->p, s->end);
        if (s->p == s->end)
            return fail_end(s);
        if (*s->p == '"')
            break;
        if (*s->p >= 0x80) {
            scan_not_ascii(s);
        } else if (*s->p != '\\') {
            return scanner_fail(s, "a string has a control character");
        } else if (!scan_escape(s)) {
            return false;
        }
    }
    s->p++;
    return true;
}

/* Scalars. */

static inline const Byte *digit_run(const Byte *p, const Byte *end) {
    while (p < end && *p >= '0' && *p <= '9')
        p++;
    return p;
}

#define LARGEST_EXACT "9007199254740992" /* 2^53 */

static void mend_integer(Scanner *s, const Byte *start, const Byte *digits) {
    size_t length = (size_t)(s->p - digits);
    size_t limit = sizeof LARGEST_EXACT - 1;
    if (length < limit || (length == limit && memcmp(digits, LARGEST_EXACT, limit) <= 0))
        return;
    g_autofree char *quoted = g_strdup_printf("\"%.*s\"", (int)(s->p - start), (const char *)start);
    scanner_replace(s, start, s->p, quoted);
}

static bool scan_number(Scanner *s) {
    const Byte *start = s->p;
    const Byte *digits = start + (*start == '-');
    const Byte *p = digit_run(digits, s->end);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return scanner_fail(s, "a number is malformed");
    bool whole = true;
    if (p < s->end && *p == '.') {
        const Byte *fraction = p + 1;
        p = digit_run(fraction, s->end);
        whole = false;
        if (p == fraction)
            return scanner_fail(s, "a number is malformed");
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        const Byte *exponent = p + 1;
        exponent += exponent < s->end && (*exponent == '+' || *exponent == '-');
        p = digit_run(exponent, s->end);
        whole = false;
        if (p == exponent)
            return scanner_fail(s, "a number is malformed");
    }
    s->p = p;
    if (whole)
        mend_integer(s, start, digits);
    return true;
}

static bool scan_word(Scanner *s, const char *word, size_t length) {
    if ((size_t)(s->end - s->p) < length)
        return fail_end(s);
    if (memcmp(s->p, word, length) != 0)
        return scanner_fail(s, "a word is not true, false or null");
    s->p += length;
    return true;
}

/* Containers. */

bool scanner_next(Scanner *s, Byte close, bool first, bool *more_out) {
    scanner_space(s);
    if (s->p == s->end)
        return fail_end(s);
    *more_out = *s->p != close;
    if (!*more_out) {
        s->p++;
        return true;
    }
    if (first)
        return true;
    if (*s->p != ',')
        return scanner_fail(s, "a comma or closing bracket is missing");
    s->p++;
    scanner_space(s);
    return s->p < s->end ? true : fail_end(s);
}

bool scanner_key(Scanner *s, const Byte **end_out) {
    if (*s->p != '"')
        return scanner_fail(s, "a name is not a string");
    if (!scan_string(s))
        return false;
    *end_out = s->p;
    scanner_space(s);
    if (s->p == s->end)
        return fail_end(s);
    if (*s->p != ':')
        return scanner_fail(s, "a colon is missing");
    s->p++;
    scanner_space(s);
    return s->p < s->end ? true : fail_end(s);
}

bool scanner_enter(Scanner *s, size_t depth) {
    if (depth > s->max_depth)
        return scanner_fail_limit(s, "it is nested too deeply");
    if (s->nodes < CONTAINER_NODES)
        return scanner_fail_limit(s, "it has too many values");
    s->nodes -= CONTAINER_NODES;
    s->p++;
    return true;
}

bool scanner_scalar(Scanner *s) {
    if (s->nodes == 0)
        return scanner_fail_limit(s, "it has too many values");
    s->nodes--;
    switch (*s->p) {
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true", 4);
    case 'f':
        return scan_word(s, "false", 5);
    case 'n':
        return scan_word(s, "null", 4);
    default:
        return scan_number(s);
    }
}

static bool skip_object(Scanner *s, size_t depth) {
    bool more = true;
    const Byte *key_end;
    for (bool first = true;; first = false) {
        if (!scanner_next(s, '}', first, &more))
            return false;
        if (!more)
            return true;
        if (!scanner_key(s, &key_end) || !scanner_skip(s, depth))
            return false;
    }
}

static bool skip_array(Scanner *s, size_t depth) {
    bool more = true;
    for (bool first = true;; first = false) {
        if (!scanner_next(s, ']', first, &more))
            return false;
        if (!more)
            return true;
        if (!scanner_skip(s, depth))
            return false;
    }
}

bool scanner_skip(Scanner *s, size_t depth) {
    if (*s->p == '{')
        return scanner_enter(s, depth + 1) && skip_object(s, depth + 1);
    if (*s->p == '[')
        return scanner_enter(s, depth + 1) && skip_array(s, depth + 1);
    return scanner_scalar(s);
}

/* Beginning and end. */

void scanner_init(Scanner *s, const char *bytes, size_t size) {
    const Byte *start = (const Byte *)bytes;
    *s = (Scanner){
        .start = start,
        .p = start,
        .end = start + size,
        .nodes = SIZE_MAX,
        .max_depth = SCANNER_MAX_DEPTH,
    };
}

bool scanner_report(const Scanner *s, GError **error) {
    g_set_error(error, ASSAY_ERROR, s->code, "The answer cannot be read at byte %zu of %zu: %s.",
                (size_t)(s->p - s->start), (size_t)(s->end - s->start), s->reason);
    return false;
}

bool scanner_begin(Scanner *s) {
    size_t mark = sizeof BYTE_ORDER_MARK - 1;
    if ((size_t)(s->end - s->p) >= mark && memcmp(s->p, BYTE_ORDER_MARK, mark) == 0)
        s->p += mark;
    sink_open(&s->recorded, s->p);
    sink_open(&s->kept, s->p);
    scanner_space(s);
    return s->p < s->end ? true : scanner_fail(s, "it is empty");
}

bool scanner_finish(Scanner *s) {
    scanner_space(s);
    if (s->p != s->end)
        return scanner_fail(s, "something follows the value");
    sink_close(&s->recorded, s->end);
    sink_close(&s->kept, s->end);
    return true;
}
