#include "provider/scan.h"

#include <string.h>

#include "base/error.h"
#include "provider/path.h"
#include "provider/scan_tree.h"
#include "provider/scanner.h"

const ScanLimits scan_default_limits = {
    .max_bytes = 32 << 20,
    .max_nodes = 2000000,
    .max_depth = 64,
};

#define REDACTED "\"[redacted]\""

struct ScanPlan {
    ScanNode *redact; /* NULL: nothing */
    ScanNode *keep;   /* NULL: everything */
    ScanLimits limits;
};

ScanPlan *scan_plan_new(const char *const *redact, const char *const *keep,
                        const ScanLimits *limits, GError **error) {
    g_autoptr(ScanPlan) plan = g_new0(ScanPlan, 1);
    plan->limits = limits != NULL ? *limits : scan_default_limits;
    plan->limits.max_depth = MIN(plan->limits.max_depth, SCANNER_MAX_DEPTH);
    if (redact != NULL && redact[0] != NULL) {
        plan->redact = scan_tree_new(redact, SCAN_TREE_REDACT, error);
        if (plan->redact == NULL)
            return NULL;
    }
    if (keep != NULL) {
        plan->keep = scan_tree_new(keep, SCAN_TREE_KEEP, error);
        if (plan->keep == NULL)
            return NULL;
    }
    return g_steal_pointer(&plan);
}

void scan_plan_free(ScanPlan *plan) {
    if (plan == NULL)
        return;
    scan_tree_free(plan->redact);
    scan_tree_free(plan->keep);
    g_free(plan);
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
        .redact = scan_tree_member(rules.redact, name, length),
        .keep = scan_tree_member(rules.keep, name, length),
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
    if (!scanner_key(s, &key_end))
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
        if (!scanner_next(s, close, first, &more))
            return false;
        if (!more)
            return true;
        if (!(close == '}' ? walk_member(s, rules, depth, &any) : walk_item(s, each, depth, &any)))
            return false;
    }
}

static bool walk_container(Scanner *s, Rules rules, Byte close, size_t depth) {
    if (!scanner_enter(s, depth))
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
    if (!scanner_skip(s, depth))
        return false;
    s->recorded = recorded;
    s->kept = kept;
    if (*start != 'n')
        scanner_replace(s, start, s->p, REDACTED);
    return true;
}

static bool walk_value(Scanner *s, Rules rules, size_t depth) {
    if (rules.redact != NULL && rules.redact->whole)
        return redact_value(s, depth);
    if (rules.keep != NULL && rules.keep->whole)
        rules.keep = NULL;
    if (rules.redact == NULL && rules.keep == NULL)
        return scanner_skip(s, depth);
    if (*s->p == '{')
        return walk_container(s, rules, '}', depth + 1);
    if (*s->p == '[')
        return walk_container(s, rules, ']', depth + 1);
    return scanner_scalar(s);
}

bool scan_body(const ScanPlan *plan, const char *bytes, size_t size, GString *recorded_out,
               GString *kept_out, GError **error) {
    Scanner s;
    scanner_init(&s, bytes, size);
    s.nodes = plan->limits.max_nodes;
    s.max_depth = plan->limits.max_depth;
    if (size > plan->limits.max_bytes) {
        scanner_fail_limit(&s, "it is too large");
        return scanner_report(&s, error);
    }
    gsize recorded_before = recorded_out != NULL ? recorded_out->len : 0;
    gsize kept_before = kept_out != NULL ? kept_out->len : 0;
    s.recorded.out = recorded_out;
    s.kept.out = kept_out;
    Rules rules = {.redact = plan->redact, .keep = plan->keep};
    if (scanner_begin(&s) && walk_value(&s, rules, 0) && scanner_finish(&s))
        return true;
    if (recorded_out != NULL)
        g_string_truncate(recorded_out, recorded_before);
    if (kept_out != NULL)
        g_string_truncate(kept_out, kept_before);
    return scanner_report(&s, error);
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
        return scanner_fail(s, "it has the list twice");
    split->count = 0;
    if (!scanner_enter(s, depth))
        return false;
    sink_close(&s->recorded, s->p);
    bool more = true;
    for (bool first = true;; first = false) {
        if (!scanner_next(s, ']', first, &more))
            return false;
        if (!more)
            break;
        const Byte *start = s->p;
        if (!scanner_skip(s, depth))
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
    if (!scanner_enter(s, depth))
        return false;
    for (bool first = true;; first = false) {
        if (!scanner_next(s, '}', first, &more))
            return false;
        if (!more)
            return true;
        const Byte *key = s->p, *key_end = key;
        if (!scanner_key(s, &key_end))
            return false;
        if (!(is_named(s, wanted, key, key_end) ? split_value(split, step + 1, depth)
                                                : scanner_skip(s, depth)))
            return false;
    }
}

static bool split_item(Splitter *split, size_t step, size_t depth) {
    Scanner *s = &split->scanner;
    int64_t wanted = split->path->steps[step].index;
    bool more = true;
    if (!scanner_enter(s, depth))
        return false;
    for (int64_t index = 0;; index++) {
        if (!scanner_next(s, ']', index == 0, &more))
            return false;
        if (!more)
            return true;
        if (!(index == wanted ? split_value(split, step + 1, depth) : scanner_skip(s, depth)))
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
    return scanner_skip(s, depth);
}

bool scan_rows(const ScanRows *rows, const char *bytes, size_t size, int64_t *count_out,
               GError **error) {
    Splitter split = {.rows = rows, .path = value_path_steps(rows->path), .count = -1};
    Scanner *s = &split.scanner;
    scanner_init(s, bytes, size); /* what was scanned once is only bounded in depth */
    s->recorded.out = rows->rest;
    gsize before = rows->rest != NULL ? rows->rest->len : 0;
    if (scanner_begin(s) && split_value(&split, 0, 0) && scanner_finish(s)) {
        if (count_out != NULL)
            *count_out = split.count;
        return true;
    }
    if (rows->rest != NULL)
        g_string_truncate(rows->rest, before);
    if (split.error == NULL)
        return scanner_report(s, error);
    g_propagate_error(error, split.error);
    return false;
}
