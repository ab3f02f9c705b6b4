#include "provider/expr.h"

#include <jq.h>
#include <jv.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "base/error.h"
#include "provider/facts.h"
#include "provider/native.h"
#include "provider/native_parse.h"
#include "provider/value_jq.h"
#include "provider/watchdog.h"

/* Expressions. */

struct Expr {
    char *source;
    Facts *facts;
    ValuePath *path;    /* NULL unless it is a plain path */
    atomic_bool looked; /* tree is known; most expressions of a definition are never evaluated */
    NativeTree *tree;   /* NULL unless it is no path and needs no libjq; see tree_of() */
};

static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;

/* Borrowed; NULL: it is a path, or only libjq can evaluate it. Definitions are shared by threads.
 */
static NativeTree *tree_of(const Expr *expr) {
    if (expr->path != NULL || atomic_load_explicit(&expr->looked, memory_order_acquire))
        return expr->tree;
    Expr *mine = (Expr *)(uintptr_t)expr;
    pthread_mutex_lock(&looking);
    if (!atomic_load_explicit(&mine->looked, memory_order_relaxed)) {
        mine->tree = native_parse(expr->source);
        atomic_store_explicit(&mine->looked, true, memory_order_release);
    }
    pthread_mutex_unlock(&looking);
    return expr->tree;
}

Expr *expr_parse(const char *source, GError **error) {
    if (strlen(source) > EXPR_MAX_SOURCE) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The expression is longer than %d bytes.", EXPR_MAX_SOURCE);
        return NULL;
    }
    if (strspn(source, " \t\n") == strlen(source)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The expression is empty.");
        return NULL;
    }
    g_autoptr(Facts) facts = facts_new(source, error);
    if (facts == NULL)
        return NULL;
    Expr *expr = g_new0(Expr, 1);
    expr->source = g_strdup(source);
    expr->facts = g_steal_pointer(&facts);
    expr->path = value_path_parse(source, NULL);
    return expr;
}

void expr_free(Expr *expr) {
    if (expr == NULL)
        return;
    g_free(expr->source);
    facts_free(expr->facts);
    value_path_free(expr->path);
    native_tree_free(expr->tree);
    g_free(expr);
}

const char *expr_source(const Expr *expr) {
    return expr->source;
}

const ValuePath *expr_plain_path(const Expr *expr) {
    return expr->path;
}

bool expr_is_native(const Expr *expr) {
    return expr->path != NULL || tree_of(expr) != NULL;
}

bool expr_reads_all(const Expr *expr) {
    return expr->facts->reads_all;
}

static const char *const *texts_of(const GPtrArray *list) {
    return (const char *const *)(const void *)list->pdata;
}

const char *const *expr_names(const Expr *expr) {
    return texts_of(expr->facts->names);
}

const char *const *expr_reads(const Expr *expr) {
    return texts_of(expr->facts->reads);
}

const char *const *expr_order_compared(const Expr *expr) {
    return texts_of(expr->facts->order_compared);
}

bool expr_mentions(const Expr *expr, const char *name) {
    return expr->facts->reads_all || g_strv_contains(expr_names(expr), name);
}

/* The rest of a read path behind the top-level name, NULL when it is about another name. */
static const char *below_name(const char *read, const char *name) {
    g_autofree char *plain = g_strdup_printf(".%s", name);
    g_autofree char *quoted = g_strdup_printf(".[\"%s\"]", name);
    const char *prefix = g_str_has_prefix(read, quoted) ? quoted : plain;
    if (!g_str_has_prefix(read, prefix))
        return NULL;
    const char *rest = read + strlen(prefix);
    return strchr(".[ ", *rest) != NULL || *rest == '\0' ? rest : NULL;
}

void expr_add_keep(const Expr *expr, const char *name, GPtrArray *keep) {
    if (expr->facts->reads_all)
        g_ptr_array_add(keep, g_strdup("."));
    const char *const *reads = expr_reads(expr);
    for (size_t i = 0; reads[i] != NULL; i++) {
        const char *rest = below_name(reads[i], name);
        if (rest != NULL)
            g_ptr_array_add(keep, g_strconcat(*rest == '.' ? "" : ".", rest, NULL));
    }
}

bool expr_reads_now(const Expr *expr) {
    return expr->facts->reads_now;
}

bool expr_reads_settings(const Expr *expr) {
    return expr->facts->reads_settings;
}

bool expr_has_alternative_true(const Expr *expr) {
    return expr->facts->alternative_true;
}

/* Results. */

void expr_result_clear(ExprResult *result) {
    value_clear(&result->value);
    g_clear_pointer(&result->message, g_free);
    result->outcome = EXPR_NONE;
}

void expr_results_clear(ExprResult *results, size_t count) {
    for (size_t i = 0; i < count; i++)
        expr_result_clear(&results[i]);
}

bool expr_result_bool(const ExprResult *result, bool *truth_out) {
    if (result->outcome != EXPR_ONE || value_kind(result->value) != VALUE_KIND_BOOL)
        return false;
    *truth_out = value_truth(result->value);
    return true;
}

/* Programs. */

/* How much a native evaluation may do in a millisecond of its time limit. */
#define STEPS_PER_MS 10000

struct ExprProgram {
    const Expr *const *leaves; /* a copy of the list; the leaves are borrowed */
    size_t count;
    bool by_jq;            /* nothing is evaluated natively */
    Native **natives;      /* beside the leaves; NULL until evaluated */
    ExprProgram **spares;  /* of native leaves that met a value only libjq can judge */
    size_t compiled_count; /* leaves that need jq, in order */
    bool bare;             /* none of them looks at settings or time: the input is the root alone */
    GPtrArray *names;      /* of the root's members that they read; NULL: any */
    bool regex;            /* any of them may reach Oniguruma */
    unsigned limit_ms;
    jq_state *state; /* NULL until the first evaluation, or when there is nothing to compile */
    Watchdog *watch;
    GString *complaint; /* jq's messages while it compiles */
    GError *failure;    /* why it cannot be used (again) */
};

/* Builtins of jq 1.6 that are replaced, in the order in which they need each other. fromdate
 * refuses fractions and offsets there, ltrimstr and rtrimstr leak when nothing is trimmed, implode
 * aborts the process on a number that is no character, now is the machine's clock. The round trip
 * in fromdate refuses what strptime lets pass, such as the 30th of February. */
static const struct {
    const char *name;
    const char *text;
} prelude[] = {
    {"ltrimstr", "def ltrimstr($x): if type == \"string\" and ($x | type) == \"string\""
                 " and startswith($x) then .[($x | length):] else . end;\n"},
    {"rtrimstr", "def rtrimstr($x): if type == \"string\" and ($x | type) == \"string\""
                 " and endswith($x) then .[:(length - ($x | length))] else . end;\n"},
    {"implode", "def __implode: implode;\n"
                "def implode: if type == \"array\" and all(.[]; type == \"number\" and . >= 0"
                " and . <= 1114111 and (. < 55296 or . > 57343)) then __implode"
                " else error(\"implode needs a list of characters\") end;\n"},
    {"fromdate", NULL},
    {"fromdateiso8601", NULL},
};

static const char fromdate_text[] =
    "def __digits: explode | length > 0 and all(.[]; . >= 48 and . <= 57);\n"
    "def __wrong: error(\"fromdate needs an RFC 3339 time\");\n"
    "def __zone: if . == \"Z\" or . == \"z\" then 0\n"
    "  elif length == 6 and .[3:4] == \":\" and (.[1:3] + .[4:6] | __digits)\n"
    "    and (.[0:1] == \"+\" or .[0:1] == \"-\")\n"
    "  then (.[1:3] | tonumber) as $h | (.[4:6] | tonumber) as $m\n"
    "    | if $h > 23 or $m > 59 then __wrong\n"
    "      else ($h * 60 + $m) * (if .[0:1] == \"-\" then -60 else 60 end) end\n"
    "  else __wrong end;\n"
    "def __fraction: if . == \"\" then 0\n"
    "  elif .[0:1] == \".\" and (.[1:] | __digits) then \"0\" + . | tonumber else __wrong end;\n"
    "def __seconds: . as $text\n"
    "  | (try (strptime(\"%Y-%m-%dT%H:%M:%S\") | mktime) catch __wrong)\n"
    "  | if (\"000\" + strftime(\"%Y-%m-%dT%H:%M:%S\"))[-19:] == $text then . else __wrong end;\n"
    "def fromdateiso8601: if type != \"string\" or length < 20 or (.[10:11] | . != \"T\" and"
    " . != \"t\") then __wrong\n"
    "  else (if endswith(\"Z\") or endswith(\"z\") then 1 else 6 end) as $zone\n"
    "    | (.[0:10] + \"T\" + .[11:19] | __seconds) + (.[19:-$zone] | __fraction)\n"
    "      - (.[-$zone:] | __zone) end;\n"
    "def fromdate: fromdateiso8601;\n";

/* Whether a leaf is part of the jq program. */
static bool is_compiled(const ExprProgram *program, const Expr *leaf) {
    return leaf->path == NULL && (program->by_jq || tree_of(leaf) == NULL);
}

static ExprProgram *program_new(const Expr *const *leaves, size_t count, bool by_jq) {
    ExprProgram *program = g_new0(ExprProgram, 1);
    program->by_jq = by_jq;
    const Expr **copy = g_new(const Expr *, MAX(count, 1));
    for (size_t i = 0; i < count; i++) {
        copy[i] = leaves[i];
        program->compiled_count += is_compiled(program, leaves[i]);
    }
    program->leaves = copy;
    program->count = count;
    program->natives = g_new0(Native *, MAX(count, 1));
    program->spares = g_new0(ExprProgram *, MAX(count, 1));
    program->limit_ms = EXPR_TIME_LIMIT_MS;
    program->complaint = g_string_new(NULL);
    return program;
}

ExprProgram *expr_program_new(const Expr *const *leaves, size_t count) {
    return program_new(leaves, count, false);
}

ExprProgram *expr_program_new_by_jq(const Expr *const *leaves, size_t count) {
    return program_new(leaves, count, true);
}

/* A state that was halted cannot be taken down (libjq aborts); it is kept here for good. */

typedef struct Abandoned {
    jq_state *state;
    struct Abandoned *next;
} Abandoned;

static Abandoned *abandoned;
static pthread_mutex_t abandoned_mutex = PTHREAD_MUTEX_INITIALIZER;

static void abandon(jq_state *state) {
    Abandoned *entry = g_new(Abandoned, 1);
    entry->state = state;
    pthread_mutex_lock(&abandoned_mutex);
    entry->next = abandoned;
    abandoned = entry;
    pthread_mutex_unlock(&abandoned_mutex);
}

void expr_program_free(ExprProgram *program) {
    if (program == NULL)
        return;
    for (size_t i = 0; i < program->count; i++) {
        native_free(program->natives[i]);
        expr_program_free(program->spares[i]);
    }
    g_free(program->natives);
    g_free(program->spares);
    watchdog_free(program->watch);
    if (program->state != NULL)
        jq_teardown(&program->state);
    g_string_free(program->complaint, TRUE);
    g_clear_pointer(&program->names, g_ptr_array_unref);
    g_clear_error(&program->failure);
    g_free((void *)(uintptr_t)program->leaves);
    g_free(program);
}

void expr_program_set_time_limit(ExprProgram *program, unsigned limit_ms) {
    g_assert(program->watch == NULL);
    program->limit_ms = limit_ms;
}

size_t expr_program_count(const ExprProgram *program) {
    return program->count;
}

/* Whether any leaf calls a builtin. */
static bool needs(const ExprProgram *program, const char *builtin) {
    for (size_t i = 0; i < program->count; i++) {
        const Expr *leaf = program->leaves[i];
        if (is_compiled(program, leaf) && facts_calls(leaf->source, builtin))
            return true;
    }
    return false;
}

static void append_prelude(const ExprProgram *program, GString *text) {
    bool dates = false;
    for (size_t i = 0; i < G_N_ELEMENTS(prelude); i++) {
        if (!needs(program, prelude[i].name))
            continue;
        dates = dates || prelude[i].text == NULL;
        if (prelude[i].text != NULL)
            g_string_append(text, prelude[i].text);
    }
    if (dates)
        g_string_append(text, fromdate_text);
}

/* Whether any compiled leaf has a property. */
static bool any_leaf(const ExprProgram *program, bool (*has)(const Expr *)) {
    for (size_t i = 0; i < program->count; i++) {
        if (is_compiled(program, program->leaves[i]) && has(program->leaves[i]))
            return true;
    }
    return false;
}

/* The names of the root's members that any compiled leaf reads, borrowed from the leaves, with NULL
 * at the end; NULL when one looks at the root as a whole. */
static GPtrArray *names_read(const ExprProgram *program) {
    if (any_leaf(program, expr_reads_all))
        return NULL;
    GPtrArray *names = g_ptr_array_new();
    for (size_t i = 0; i < program->count; i++) {
        const char *const *read = expr_names(program->leaves[i]);
        for (size_t j = 0; is_compiled(program, program->leaves[i]) && read[j] != NULL; j++)
            g_ptr_array_add(names, (void *)(uintptr_t)read[j]);
    }
    g_ptr_array_add(names, NULL);
    return names;
}

static bool needs_regex(const ExprProgram *program) {
    static const char *const builtins[] = {"capture", "gsub",   "match", "scan",
                                           "split",   "splits", "sub",   "test"};
    for (size_t i = 0; i < G_N_ELEMENTS(builtins); i++) {
        if (needs(program, builtins[i]))
            return true;
    }
    return false;
}

/* One program: the input is [root, settings, now], or the root when no leaf needs more; the output
 * is one item a leaf, either the array of its outputs or an object with its error. Brackets close
 * on a new line, where no comment of a leaf can reach them. $ENV is bound to hide jq's own. What no
 * leaf needs is left out: each binding costs 0.3 us a row, and limit 2 us, so that only leaves that
 * could give outputs without end are cut off at the second. */
static char *program_text(ExprProgram *program) {
    GString *text = g_string_new(NULL);
    append_prelude(program, text);
    g_string_append(text, "{} as $ENV | ");
    bool settings = any_leaf(program, expr_reads_settings);
    bool now = any_leaf(program, expr_reads_now);
    program->bare = !settings && !now;
    if (settings)
        g_string_append(text, ".[1] as $settings | ");
    if (now)
        g_string_append(text, ".[2] as $now | def now: $now; ");
    g_string_append(text, program->bare ? "[" : ".[0] | [");
    const char *separator = "\n";
    for (size_t i = 0; i < program->count; i++) {
        const Expr *leaf = program->leaves[i];
        if (!is_compiled(program, leaf))
            continue;
        bool cut = leaf->facts->generates;
        g_string_append_printf(text, "%s(try [%s%s\n%s] catch {m: .}\n)", separator,
                               cut ? "limit(2; (" : "", leaf->source, cut ? "))" : "");
        separator = ",\n";
    }
    g_string_append(text, "]");
    return g_string_free(text, FALSE);
}

/* jq's messages end in " at <unknown>, line 3:" and a copy of the program, or are totals. */
static void on_message(void *data, jv message) {
    GString *complaint = data;
    if (complaint->len == 0 && jv_get_kind(message) == JV_KIND_STRING) {
        g_auto(GStrv) lines = g_strsplit(jv_string_value(message), "\n", 2);
        char *place = strstr(lines[0], " (Unix shell quoting");
        place = place != NULL ? place : strstr(lines[0], " at <");
        if (place != NULL)
            *place = '\0';
        bool prefixed = g_str_has_prefix(lines[0], "jq: error: ");
        g_string_append(complaint, lines[0] + (prefixed ? strlen("jq: error: ") : 0));
    }
    jv_free(message);
}

/* libjq reads definitions from ~/.jq into every program, which would make results depend on the
 * person's home. */
static bool check_home(GError **error) {
    const char *home = g_getenv("HOME");
    g_autofree char *path = home != NULL ? g_build_filename(home, ".jq", NULL) : NULL;
    if (path == NULL || !g_file_test(path, G_FILE_TEST_EXISTS))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "%s would change what expressions mean; move it away or unset HOME.", path);
    return false;
}

static void stop_state(void *state) {
    jq_halt(state, jv_invalid(), jv_invalid());
}

static bool compile(ExprProgram *program, GError **error) {
    if (!check_home(error))
        return false;
    jq_state *state = jq_init();
    if (state == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "libjq cannot be started.");
        return false;
    }
    jq_set_error_cb(state, on_message, program->complaint);
    g_autofree char *text = program_text(program);
    if (!jq_compile(state, text)) {
        jq_teardown(&state);
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The expression is wrong: %s.",
                    program->complaint->str);
        return false;
    }
    program->watch = watchdog_new(program->limit_ms, stop_state, state);
    if (program->watch == NULL) {
        jq_teardown(&state);
        g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "The watchdog cannot be started.");
        return false;
    }
    program->state = state;
    program->regex = needs_regex(program);
    program->names = names_read(program);
    return true;
}

static bool stopped(ExprProgram *program) {
    g_set_error(&program->failure, ASSAY_ERROR, ERROR_TIMEOUT,
                "An expression ran for more than %u ms and was stopped; the definition must be"
                " changed.",
                program->limit_ms);
    return false;
}

/* Only what the leaves read: all else would be copied for nothing. */
static jv program_input(const ExprProgram *program, const ExprInput *input) {
    jv root = program->names != NULL ? value_to_jq_only(input->root, texts_of(program->names))
                                     : value_to_jq(input->root);
    if (program->bare)
        return root;
    bool set = value_kind(input->settings) != VALUE_KIND_NONE;
    return JV_ARRAY(root, set ? value_to_jq(input->settings) : jv_object(),
                    jv_number((double)input->now_ms / 1000));
}

/* Oniguruma initializes itself lazily and unsafely, so that programs with regular expressions are
 * run by one thread at a time. */
static pthread_mutex_t regex_mutex = PTHREAD_MUTEX_INITIALIZER;

static void lock_regex(const ExprProgram *program) {
    if (program->regex)
        pthread_mutex_lock(&regex_mutex);
}

static void unlock_regex(const ExprProgram *program) {
    if (program->regex)
        pthread_mutex_unlock(&regex_mutex);
}

/* Runs the compiled leaves; *outcomes_out is the array of their outcomes, or invalid with a
 * message when an error passed by all of them. */
static bool run(ExprProgram *program, const ExprInput *input, jv *outcomes_out) {
    jv root = program_input(program, input);
    lock_regex(program);
    watchdog_begin(program->watch);
    jq_start(program->state, root, 0);
    jv first = jq_next(program->state);
    jv next = jv_is_valid(first) ? jq_next(program->state) : jv_null();
    while (jv_is_valid(first) && jv_is_valid(next)) {
        jv_free(next);
        next = jq_next(program->state);
    }
    jv_free(next);
    bool in_time = watchdog_end(program->watch);
    unlock_regex(program);
    if (!in_time) {
        jv_free(first);
        abandon(g_steal_pointer(&program->state));
        return stopped(program);
    }
    *outcomes_out = first;
    return true;
}

/* Takes the message. */
static char *message_text(jv message) {
    g_auto(Value) value = value_take_jq(message);
    return value_kind(value) == VALUE_KIND_STRING ? g_strdup(value_text(value))
                                                  : value_to_json(value);
}

/* Reads one leaf's outcome, which it consumes. */
static void fill_compiled(ExprResult *result, jv outcome) {
    if (jv_get_kind(outcome) == JV_KIND_ARRAY) {
        int outputs = jv_array_length(jv_copy(outcome));
        result->outcome = outputs == 0 ? EXPR_NONE : outputs == 1 ? EXPR_ONE : EXPR_MANY;
        if (outputs > 0)
            result->value = value_take_jq(jv_array_get(jv_copy(outcome), 0));
    } else {
        jv message = jv_is_valid(outcome) ? jv_object_get(jv_copy(outcome), jv_string("m"))
                                          : jv_invalid_get_msg(jv_copy(outcome));
        result->outcome = EXPR_FAILED;
        result->message = message_text(message);
    }
    jv_free(outcome);
}

static void fill_path(ExprResult *result, const ValuePath *path, Value root) {
    if (value_path_get(path, root, &result->value)) {
        result->outcome = EXPR_ONE;
        return;
    }
    result->outcome = EXPR_FAILED;
    result->message = g_strdup_printf("%s meets a value of another kind", value_path_text(path));
}

static bool fail_again(const ExprProgram *program, GError **error) {
    g_propagate_error(error, g_error_copy(program->failure));
    return false;
}

/* Asks libjq about a leaf whose values only libjq can judge. */
static bool fill_by_jq(ExprProgram *program, size_t index, const ExprInput *input,
                       ExprResult *result) {
    if (program->spares[index] == NULL) {
        program->spares[index] = expr_program_new_by_jq(&program->leaves[index], 1);
        program->spares[index]->limit_ms = program->limit_ms;
    }
    return expr_program_eval(program->spares[index], input, result, &program->failure);
}

static void fill_outputs(ExprResult *result, const NativeOutputs *outputs) {
    result->outcome = outputs->count == 0 ? EXPR_NONE : outputs->count == 1 ? EXPR_ONE : EXPR_MANY;
    result->value = outputs->first;
}

/* The meter is shared by all leaves: the limit is that of the whole program. False when the
 * program has failed. */
static bool fill_native(ExprProgram *program, size_t index, const ExprInput *input,
                        NativeMeter *meter, ExprResult *result) {
    const NativeInput seen = {input->root, input->settings, (double)input->now_ms / 1000};
    NativeOutputs outputs;
    if (program->natives[index] == NULL)
        program->natives[index] = native_new(tree_of(program->leaves[index]));
    switch (native_eval(program->natives[index], &seen, meter, &outputs)) {
    case NATIVE_DONE:
        fill_outputs(result, &outputs);
        return true;
    case NATIVE_UNABLE:
        return fill_by_jq(program, index, input, result);
    case NATIVE_STOPPED:
        return stopped(program);
    default:
        result->outcome = EXPR_FAILED;
        result->message = g_steal_pointer(&meter->message);
        return true;
    }
}

/* The leaves that libjq has no part in. */
static bool fill_others(ExprProgram *program, const ExprInput *input, ExprResult *results) {
    NativeMeter meter = {.steps = (int64_t)program->limit_ms * STEPS_PER_MS};
    bool good = true;
    for (size_t i = 0; good && i < program->count; i++) {
        const Expr *leaf = program->leaves[i];
        if (leaf->path != NULL)
            fill_path(&results[i], leaf->path, input->root);
        else if (!is_compiled(program, leaf))
            good = fill_native(program, i, input, &meter, &results[i]);
    }
    g_free(meter.message);
    return good;
}

/* Reads the outcomes of the compiled leaves, which it consumes. */
static void fill_all_compiled(const ExprProgram *program, jv outcomes, ExprResult *results) {
    bool told = jv_get_kind(outcomes) == JV_KIND_ARRAY;
    int at = 0;
    for (size_t i = 0; i < program->count; i++) {
        if (is_compiled(program, program->leaves[i]))
            fill_compiled(&results[i],
                          told ? jv_array_get(jv_copy(outcomes), at++) : jv_copy(outcomes));
    }
    jv_free(outcomes);
}

static bool eval_compiled(ExprProgram *program, const ExprInput *input, ExprResult *results) {
    jv outcomes;
    if (program->compiled_count == 0)
        return true;
    if (program->state == NULL && !compile(program, &program->failure))
        return false;
    if (!run(program, input, &outcomes))
        return false;
    fill_all_compiled(program, outcomes, results);
    return true;
}

bool expr_program_eval(ExprProgram *program, const ExprInput *input, ExprResult *results,
                       GError **error) {
    if (program->failure != NULL)
        return fail_again(program, error);
    for (size_t i = 0; i < program->count; i++)
        results[i] = (ExprResult){0};
    if (eval_compiled(program, input, results) && fill_others(program, input, results))
        return true;
    expr_results_clear(results, program->count);
    return fail_again(program, error);
}

bool expr_check(const Expr *expr, GError **error) {
    g_autoptr(ExprProgram) program = expr_program_new_by_jq(&expr, 1);
    return expr->path != NULL || compile(program, error);
}

static bool single(const Expr *expr, ExprResult *result, Value *value_out, GError **error) {
    static const char *const troubles[] = {
        [EXPR_NONE] = "gives no value",
        [EXPR_MANY] = "gives more than one value",
        [EXPR_FAILED] = "cannot be computed",
    };
    if (result->outcome == EXPR_ONE) {
        *value_out = value_take(&result->value);
        return true;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The expression %s %s.", expr->source,
                troubles[result->outcome]);
    return false;
}

bool expr_eval_once(const Expr *expr, const ExprInput *input, Value *value_out, GError **error) {
    g_autoptr(ExprProgram) program = expr_program_new(&expr, 1);
    g_auto(ExprResult) result = {0};
    return expr_program_eval(program, input, &result, error) &&
           single(expr, &result, value_out, error);
}
