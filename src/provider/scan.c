#include "provider/scan.h"

#include <string.h>

#include "base/error.h"
#include "provider/path.h"

const ScanLimits scan_default_limits = {
    .max_bytes = 32 << 20,
    .max_nodes = 2000000,
    .max_depth = 64,
};

/* The scanner recurses once a level, so no plan may ask for more than this. */
#define DEPTH_CEILING 512
/* An empty container costs libjq about eight times as much as a scalar. */
#define CONTAINER_NODES 8

#define REPLACEMENT "\xef\xbf\xbd"
#define BYTE_ORDER_MARK "\xef\xbb\xbf"
#define REDACTED "\"[redacted]\""

typedef unsigned char Byte;

/* What a plan says about one place of a body. */
typedef struct ScanNode ScanNode;

typedef struct {
    char *name;
    size_t length;
    ScanNode *node;
} ScanChild;

struct ScanNode {
    bool whole;       /* redact or keep everything here */
    ScanNode *each;   /* for every item, and every member without a child of its own */
    GArray *children; /* of ScanChild */
};

struct ScanPlan {
    ScanNode *redact; /* NULL: nothing */
    ScanNode *keep;   /* NULL: everything */
    ScanLimits limits;
};

static ScanNode *node_new(void) {
    ScanNode *node = g_new0(ScanNode, 1);
    node->children = g_array_new(FALSE, FALSE, sizeof(ScanChild));
    return node;
}

static void node_free(ScanNode *node) {
    if (node == NULL)
        return;
    for (guint i = 0; i < node->children->len; i++) {
        ScanChild *child = &g_array_index(node->children, ScanChild, i);
        g_free(child->name);
        node_free(child->node);
    }
    g_array_free(node->children, TRUE);
    node_free(node->each);
    g_free(node);
}

static ScanNode *node_named(const ScanNode *node, const char *name, size_t length) {
    const ScanChild *child = (const ScanChild *)(const void *)node->children->data;
    for (guint i = 0; i < node->children->len; i++, child++) {
        if (child->length == length && memcmp(child->name, name, length) == 0)
            return child->node;
    }
    return NULL;
}

/* What is said about a member; NULL: nothing. */
static inline const ScanNode *node_member(const ScanNode *node, const char *name, size_t length) {
    if (node == NULL)
        return NULL;
    const ScanNode *named = node_named(node, name, length);
    return named != NULL ? named : node->each;
}

static ScanNode *node_add_child(ScanNode *node, const char *name, size_t length) {
    ScanNode *child = node_named(node, name, length);
    if (child != NULL)
        return child;
    ScanChild added = {.name = g_strndup(name, length), .length = length, .node = node_new()};
    g_array_append_val(node->children, added);
    return added.node;
}

static void node_add_path(ScanNode *node, const Path *path, bool whole) {
    for (size_t i = 0; i < path->count; i++) {
        const PathStep *step = &path->steps[i];
        if (step->kind == PATH_NAME) {
            node = node_add_child(node, step->name, step->length);
            continue;
        }
        if (node->each == NULL)
            node->each = node_new();
        node = node->each;
    }
    node->whole = node->whole || whole;
}

static void node_merge(ScanNode *into, const ScanNode *from) {
    into->whole = into->whole || from->whole;
    if (from->each != NULL) {
        if (into->each == NULL)
            into->each = node_new();
        node_merge(into->each, from->each);
    }
    for (guint i = 0; i < from->children->len; i++) {
        const ScanChild *child = &g_array_index(from->children, ScanChild, i);
        node_merge(node_add_child(into, child->name, child->length), child->node);
    }
}

/* What holds for each member holds for the named ones too, so that one look-up finds all. */
static void node_spread_each(ScanNode *node) {
    if (node->each != NULL)
        node_spread_each(node->each);
    for (guint i = 0; i < node->children->len; i++) {
        ScanNode *child = g_array_index(node->children, ScanChild, i).node;
        if (node->each != NULL)
            node_merge(child, node->each);
        node_spread_each(child);
    }
}

/* Cuts "| type" off a keep path; whether it was there. */
static bool cut_type(char *text) {
    char *bar = strrchr(text, '|');
    if (bar == NULL || strcmp(g_strstrip(bar + 1), "type") != 0)
        return false;
    *bar = '\0';
    return true;
}

static bool add_keep(ScanNode *root, const char *text, GError **error) {
    g_autofree char *copy = g_strdup(text);
    bool type_only = cut_type(copy);
    g_autoptr(Path) path = path_parse(copy, true, error);
    if (path == NULL)
        return false;
    node_add_path(root, path, !type_only);
    return true;
}

static bool add_redact(ScanNode *root, const char *text, GError **error) {
    g_autoptr(Path) path = path_parse(text, true, error);
    if (path == NULL)
        return false;
    for (size_t i = 0; i < path->count; i++) {
        if (path->steps[i].kind == PATH_INDEX) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "\"%.80s\" redacts one item of a list; use [] for all of them.", text);
            return false;
        }
    }
    node_add_path(root, path, true);
    return true;
}

typedef bool (*AddPathFunc)(ScanNode *root, const char *text, GError **error);

static bool build_tree(const char *const *texts, AddPathFunc add, ScanNode **tree_out,
                       GError **error) {
    ScanNode *root = node_new();
    for (size_t i = 0; texts[i] != NULL; i++) {
        if (!add(root, texts[i], error)) {
            node_free(root);
            return false;
        }
    }
    node_spread_each(root);
    *tree_out = root;
    return true;
}

ScanPlan *scan_plan_new(const char *const *redact, const char *const *keep,
                        const ScanLimits *limits, GError **error) {
    g_autoptr(ScanPlan) plan = g_new0(ScanPlan, 1);
    plan->limits = limits != NULL ? *limits : scan_default_limits;
    plan->limits.max_depth = MIN(plan->limits.max_depth, DEPTH_CEILING);
    if (redact != NULL && redact[0] != NULL &&
        !build_tree(redact, add_redact, &plan->redact, error))
        return NULL;
    if (keep != NULL && !build_tree(keep, add_keep, &plan->keep, error))
        return NULL;
    return g_steal_pointer(&plan);
}

void scan_plan_free(ScanPlan *plan) {
    if (plan == NULL)
        return;
    node_free(plan->redact);
    node_free(plan->keep);
    g_free(plan);
}

/* The pass itself. A sink copies the input in as few pieces as possible: while it is open, the
 * bytes since `from` are still to be copied. */

typedef struct {
    GString *out; /* NULL: nobody wants it, never open */
    const Byte *from;
    bool open;
} Sink;

typedef struct {
    const Byte *start;
    const Byte *p;
    const Byte *end;
    size_t nodes; /* that may still come */
    size_t max_depth;
    Sink recorded;
    Sink kept;
    bool escaped;       /* the last string had an escape */
    const char *reason; /* of a failure */
    ErrorCode code;
} Scanner;

static bool fail(Scanner *s, const char *reason) {
    s->reason = reason;
    s->code = ERROR_SERVICE_UNAVAILABLE;
    return false;
}

static bool fail_limit(Scanner *s, const char *reason) {
    s->reason = reason;
    s->code = ERROR_LIMIT;
    return false;
}

static bool fail_end(Scanner *s) {
    return fail(s, "it ends in the middle");
}

static void sink_open(Sink *sink, const Byte *from) {
    sink->from = from;
    sink->open = sink->out != NULL;
}

static void sink_flush(Sink *sink, const Byte *to) {
    if (!sink->open)
        return;
    g_string_append_len(sink->out, (const char *)sink->from, to - sink->from);
    sink->from = to;
}

static void sink_close(Sink *sink, const Byte *to) {
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

static void replace(Scanner *s, const Byte *from, const Byte *to, const char *text) {
    sink_replace(&s->recorded, from, to, text);
    sink_replace(&s->kept, from, to, text);
}

static inline void skip_space(Scanner *s) {
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
        replace(s, s->p, s->p + 1, REPLACEMENT);
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
        return fail(s, "a \\u escape is not four digits");
    if (is_high(unit) && is_low(escaped_unit(s->p + 6, s->end))) {
        s->p += 12;
        return true;
    }
    if (unit == 0 || is_high(unit) || is_low(unit))
        replace(s, s->p, s->p + 6, REPLACEMENT);
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
        return fail(s, "an escape is unknown");
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
            return fail(s, "a string has a control character");
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
    replace(s, start, s->p, quoted);
}

static bool scan_number(Scanner *s) {
    const Byte *start = s->p;
    const Byte *digits = start + (*start == '-');
    const Byte *p = digit_run(digits, s->end);
    if (p == digits || (*digits == '0' && p > digits + 1))
        return fail(s, "a number is malformed");
    bool whole = true;
    if (p < s->end && *p == '.') {
        const Byte *fraction = p + 1;
        p = digit_run(fraction, s->end);
        whole = false;
        if (p == fraction)
            return fail(s, "a number is malformed");
    }
    if (p < s->end && (*p == 'e' || *p == 'E')) {
        const Byte *exponent = p + 1;
        exponent += exponent < s->end && (*exponent == '+' || *exponent == '-');
        p = digit_run(exponent, s->end);
        whole = false;
        if (p == exponent)
            return fail(s, "a number is malformed");
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
        return fail(s, "a word is not true, false or null");
    s->p += length;
    return true;
}

/* Containers. */

/* Moves to the next item of a container, over a comma when it is not the first. *more_out: false
 * when the closing bracket was there and is passed. */
static bool next_item(Scanner *s, Byte close, bool first, bool *more_out) {
    skip_space(s);
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
        return fail(s, "a comma or closing bracket is missing");
    s->p++;
    skip_space(s);
    return s->p < s->end ? true : fail_end(s);
}

/* Passes a key and its colon; the scanner stands on the value. */
static bool scan_key(Scanner *s, const Byte **end_out) {
    if (*s->p != '"')
        return fail(s, "a name is not a string");
    if (!scan_string(s))
        return false;
    *end_out = s->p;
    skip_space(s);
    if (s->p == s->end)
        return fail_end(s);
    if (*s->p != ':')
        return fail(s, "a colon is missing");
    s->p++;
    skip_space(s);
    return s->p < s->end ? true : fail_end(s);
}

static bool enter(Scanner *s, size_t depth) {
    if (depth > s->max_depth)
        return fail_limit(s, "it is nested too deeply");
    if (s->nodes < CONTAINER_NODES)
        return fail_limit(s, "it has too many values");
    s->nodes -= CONTAINER_NODES;
    s->p++;
    return true;
}

static bool scan_scalar(Scanner *s) {
    if (s->nodes == 0)
        return fail_limit(s, "it has too many values");
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

static bool skip_value(Scanner *s, size_t depth);

static bool skip_object(Scanner *s, size_t depth) {
    bool more = true;
    const Byte *key_end;
    for (bool first = true;; first = false) {
        if (!next_item(s, '}', first, &more))
            return false;
        if (!more)
            return true;
        if (!scan_key(s, &key_end) || !skip_value(s, depth))
            return false;
    }
}

static bool skip_array(Scanner *s, size_t depth) {
    bool more = true;
    for (bool first = true;; first = false) {
        if (!next_item(s, ']', first, &more))
            return false;
        if (!more)
            return true;
        if (!skip_value(s, depth))
            return false;
    }
}

/* A value about which the plan says nothing: the sinks stay as they are. depth is that of the
 * container around it. */
static bool skip_value(Scanner *s, size_t depth) {
    if (*s->p == '{')
        return enter(s, depth + 1) && skip_object(s, depth + 1);
    if (*s->p == '[')
        return enter(s, depth + 1) && skip_array(s, depth + 1);
    return scan_scalar(s);
}

/* A value about which the plan says something. In a projection (keep is not NULL) the kept sink is
 * open when a value begins and when it ends, and closed between a container's kept parts. */

typedef struct {
    const ScanNode *redact;
    const ScanNode *keep;
} Rules;

static bool walk_value(Scanner *s, Rules rules, size_t depth);

/* The name that a key, [key, key_end) with quotes, spells. *decoded holds it when it was escaped,
 * so that "t\u006fken" is no way around a redaction. */
static const char *key_name(const Scanner *s, const Byte *key, const Byte *key_end, Value *decoded,
                            size_t *length_out) {
    size_t size = (size_t)(key_end - key);
    if (s->escaped && value_parse((const char *)key, size, decoded, NULL)) {
        *length_out = value_length(*decoded);
        return value_text(*decoded);
    }
    *length_out = size - 2;
    return (const char *)key + 1;
}

/* What the plan says about a member. */
static Rules member_rules(const Scanner *s, Rules rules, const Byte *key, const Byte *key_end) {
    g_auto(Value) decoded = VALUE_NONE;
    size_t length;
    const char *name = key_name(s, key, key_end, &decoded, &length);
    return (Rules){
        .redact = node_member(rules.redact, name, length),
        .keep = node_member(rules.keep, name, length),
    };
}

/* One item of an array of which only parts are kept. */
static bool walk_item(Scanner *s, Rules rules, size_t depth, bool *any) {
    if (rules.keep == NULL)
        return walk_value(s, rules, depth);
    if (*any && s->kept.out != NULL)
        g_string_append_c(s->kept.out, ',');
    *any = true;
    sink_open(&s->kept, s->p);
    if (!walk_value(s, rules, depth))
        return false;
    sink_close(&s->kept, s->p);
    return true;
}

/* Keys with bad text are mended in the kept output too: it is opened before the key is read and
 * taken back when the member is not kept. */
static bool walk_member(Scanner *s, Rules rules, size_t depth, bool *any) {
    const Byte *key = s->p, *key_end = key;
    bool project = rules.keep != NULL && s->kept.out != NULL;
    gsize before = project ? s->kept.out->len : 0;
    if (project && *any)
        g_string_append_c(s->kept.out, ',');
    if (project)
        sink_open(&s->kept, key);
    if (!scan_key(s, &key_end))
        return false;
    Rules inner = member_rules(s, rules, key, key_end);
    if (!project)
        return walk_value(s, inner, depth);
    if (inner.keep == NULL) {
        s->kept.open = false;
        g_string_truncate(s->kept.out, before);
        return walk_value(s, inner, depth);
    }
    *any = true;
    if (!walk_value(s, inner, depth))
        return false;
    sink_close(&s->kept, s->p);
    return true;
}

static bool walk_items(Scanner *s, Rules rules, Byte close, size_t depth) {
    bool any = false, more = true;
    Rules each = {
        .redact = rules.redact != NULL ? rules.redact->each : NULL,
        .keep = rules.keep != NULL ? rules.keep->each : NULL,
    };
    for (bool first = true;; first = false) {
        if (!next_item(s, close, first, &more))
            return false;
        if (!more)
            return true;
        if (!(close == '}' ? walk_member(s, rules, depth, &any) : walk_item(s, each, depth, &any)))
            return false;
    }
}

static bool walk_container(Scanner *s, Rules rules, Byte close, size_t depth) {
    if (!enter(s, depth))
        return false;
    if (rules.keep != NULL)
        sink_close(&s->kept, s->p);
    if (!walk_items(s, rules, close, depth))
        return false;
    if (rules.keep != NULL)
        sink_open(&s->kept, s->p - 1);
    return true;
}

static bool redact_value(Scanner *s, size_t depth) {
    const Byte *start = s->p;
    Sink recorded = s->recorded, kept = s->kept;
    s->recorded.open = s->kept.open = false;
    if (!skip_value(s, depth))
        return false;
    s->recorded = recorded;
    s->kept = kept;
    if (*start != 'n')
        replace(s, start, s->p, REDACTED);
    return true;
}

static bool walk_value(Scanner *s, Rules rules, size_t depth) {
    if (rules.redact != NULL && rules.redact->whole)
        return redact_value(s, depth);
    if (rules.keep != NULL && rules.keep->whole)
        rules.keep = NULL;
    if (rules.redact == NULL && rules.keep == NULL)
        return skip_value(s, depth);
    if (*s->p == '{')
        return walk_container(s, rules, '}', depth + 1);
    if (*s->p == '[')
        return walk_container(s, rules, ']', depth + 1);
    return scan_scalar(s);
}

static void scanner_init(Scanner *s, const char *bytes, size_t size, const ScanLimits *limits) {
    const Byte *start = (const Byte *)bytes;
    *s = (Scanner){
        .start = start,
        .p = start,
        .end = start + size,
        .nodes = limits->max_nodes,
        .max_depth = limits->max_depth,
    };
}

/* The position is told, the text never: it is the provider's. */
static bool report(const Scanner *s, GError **error) {
    g_set_error(error, ASSAY_ERROR, s->code, "The answer cannot be read at byte %zu of %zu: %s.",
                (size_t)(s->p - s->start), (size_t)(s->end - s->start), s->reason);
    return false;
}

static bool begin(Scanner *s) {
    size_t mark = sizeof BYTE_ORDER_MARK - 1;
    if ((size_t)(s->end - s->p) >= mark && memcmp(s->p, BYTE_ORDER_MARK, mark) == 0)
        s->p += mark;
    sink_open(&s->recorded, s->p);
    sink_open(&s->kept, s->p);
    skip_space(s);
    return s->p < s->end ? true : fail(s, "it is empty");
}

static bool finish(Scanner *s) {
    skip_space(s);
    if (s->p != s->end)
        return fail(s, "something follows the value");
    sink_close(&s->recorded, s->end);
    sink_close(&s->kept, s->end);
    return true;
}

bool scan_body(const ScanPlan *plan, const char *bytes, size_t size, GString *recorded_out,
               GString *kept_out, GError **error) {
    Scanner s;
    scanner_init(&s, bytes, size, &plan->limits);
    if (size > plan->limits.max_bytes) {
        fail_limit(&s, "it is too large");
        return report(&s, error);
    }
    gsize recorded_before = recorded_out != NULL ? recorded_out->len : 0;
    gsize kept_before = kept_out != NULL ? kept_out->len : 0;
    s.recorded.out = recorded_out;
    s.kept.out = kept_out;
    Rules rules = {.redact = plan->redact, .keep = plan->keep};
    if (begin(&s) && walk_value(&s, rules, 0) && finish(&s))
        return true;
    if (recorded_out != NULL)
        g_string_truncate(recorded_out, recorded_before);
    if (kept_out != NULL)
        g_string_truncate(kept_out, kept_before);
    return report(&s, error);
}

/* Splitting into rows. */

typedef struct {
    Scanner scanner;
    const ScanRows *rows;
    const Path *path;
    int64_t count; /* -1: no array met so far */
    GError *error; /* of the callback */
} Splitter;

static bool split_value(Splitter *split, size_t step, size_t depth);

static bool split_array(Splitter *split, size_t depth) {
    Scanner *s = &split->scanner;
    if (split->count >= 0)
        return fail(s, "it has the list twice");
    split->count = 0;
    if (!enter(s, depth))
        return false;
    sink_close(&s->recorded, s->p);
    bool more = true;
    for (bool first = true;; first = false) {
        if (!next_item(s, ']', first, &more))
            return false;
        if (!more)
            break;
        const Byte *start = s->p;
        if (!skip_value(s, depth))
            return false;
        split->count++;
        if (!split->rows->row((const char *)start, (size_t)(s->p - start), split->rows->data,
                              &split->error))
            return false;
    }
    sink_open(&s->recorded, s->p - 1);
    return true;
}

static bool is_named(const Scanner *s, const PathStep *step, const Byte *key, const Byte *key_end) {
    g_auto(Value) decoded = VALUE_NONE;
    size_t length;
    const char *name = key_name(s, key, key_end, &decoded, &length);
    return length == step->length && memcmp(name, step->name, length) == 0;
}

static bool split_object(Splitter *split, size_t step, size_t depth) {
    Scanner *s = &split->scanner;
    const PathStep *wanted = &split->path->steps[step];
    bool more = true;
    if (!enter(s, depth))
        return false;
    for (bool first = true;; first = false) {
        if (!next_item(s, '}', first, &more))
            return false;
        if (!more)
            return true;
        const Byte *key = s->p, *key_end = key;
        if (!scan_key(s, &key_end))
            return false;
        if (!(is_named(s, wanted, key, key_end) ? split_value(split, step + 1, depth)
                                                : skip_value(s, depth)))
            return false;
    }
}

static bool split_item(Splitter *split, size_t step, size_t depth) {
    Scanner *s = &split->scanner;
    int64_t wanted = split->path->steps[step].index;
    bool more = true;
    if (!enter(s, depth))
        return false;
    for (int64_t index = 0;; index++) {
        if (!next_item(s, ']', index == 0, &more))
            return false;
        if (!more)
            return true;
        if (!(index == wanted ? split_value(split, step + 1, depth) : skip_value(s, depth)))
            return false;
    }
}

static bool split_value(Splitter *split, size_t step, size_t depth) {
    Scanner *s = &split->scanner;
    bool here = step == split->path->count;
    PathStepKind kind = here ? PATH_EACH : split->path->steps[step].kind;
    if (*s->p == '[' && here)
        return split_array(split, depth + 1);
    if (*s->p == '[' && kind == PATH_INDEX)
        return split_item(split, step, depth + 1);
    if (*s->p == '{' && kind == PATH_NAME)
        return split_object(split, step, depth + 1);
    return skip_value(s, depth);
}

/* What was scanned once is only bounded in depth: the plan's limits held it already. */
static const ScanLimits split_limits = {
    .max_bytes = SIZE_MAX, .max_nodes = SIZE_MAX, .max_depth = DEPTH_CEILING};

bool scan_rows(const ScanRows *rows, const char *bytes, size_t size, int64_t *count_out,
               GError **error) {
    g_autoptr(Path) path = path_parse(value_path_text(rows->path), false, error);
    if (path == NULL)
        return false;
    Splitter split = {.rows = rows, .path = path, .count = -1};
    Scanner *s = &split.scanner;
    scanner_init(s, bytes, size, &split_limits);
    s->recorded.out = rows->rest;
    gsize before = rows->rest != NULL ? rows->rest->len : 0;
    if (begin(s) && split_value(&split, 0, 0) && finish(s)) {
        if (count_out != NULL)
            *count_out = split.count;
        return true;
    }
    if (rows->rest != NULL)
        g_string_truncate(rows->rest, before);
    if (split.error == NULL)
        return report(s, error);
    g_propagate_error(error, split.error);
    return false;
}
