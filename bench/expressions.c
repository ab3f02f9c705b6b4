/* expressions: what the expressions of a definition cost, program by program.
 *
 * The recorded cases of the definition are run as `assay provider test` does it. This program
 * stands between the parts that evaluate and the evaluator (the linker's --wrap), so that it sees
 * every program that a run makes and what it is given. Each is then made again by itself, as a run
 * makes it, and timed over the same inputs.
 *
 *   expressions --definition providers/aws.yaml --cases providers/tests/aws
 *
 * Prints {"expressions", "covered", "start_us", "programs": [{"name", "leaves", "native", "inputs",
 * "compile_us", "row_us", "bytes"}, ...]}. All times are CPU. compile_us is reading the texts and
 * all that the first evaluation costs more than later ones; start_us is libjq's first program ever,
 * which is not in it; bytes is what the heap holds more when the program has been used once.
 */
#include "base/json.h"
#include "base/secmem.h"
#include "net/client.h"
#include "provider/definition_load.h"
#include "provider/expr.h"
#include "sync/exercise.h"

#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define INPUTS_MAX 64     /* of one program */
#define TIMED_US 20000    /* evaluations are repeated for so long */
#define LEAF_BREAK "\x01" /* between the texts of a program's leaves */

typedef struct {
    char *root;
    char *settings; /* NULL: {} */
    int64_t now_ms;
} Input;

/* A program as the runs had it; programs of equal leaves are one. */
typedef struct {
    char *text; /* of the leaves, with breaks between */
    size_t count;
    GPtrArray *inputs; /* Input */
    GHashTable *known; /* texts of roots */
} Seen;

typedef struct {
    double compile_us;
    double row_us;
    size_t bytes;
    bool native;
} Cost;

static pthread_mutex_t seen_mutex = PTHREAD_MUTEX_INITIALIZER;
static GHashTable *seen_by_text;    /* Seen */
static GHashTable *seen_by_program; /* Seen, borrowed, by ExprProgram; NULL: nothing is watched */

/* --- between the parts that evaluate and the evaluator ---------------------------------------- */

ExprProgram *__real_expr_program_new(const Expr *const *leaves, size_t count);
ExprProgram *__wrap_expr_program_new(const Expr *const *leaves, size_t count);
bool __real_expr_program_eval(ExprProgram *program, const ExprInput *input, ExprResult *results,
                              GError **error);
bool __wrap_expr_program_eval(ExprProgram *program, const ExprInput *input, ExprResult *results,
                              GError **error);

static void input_free(void *data) {
    Input *input = data;
    g_free(input->root);
    g_free(input->settings);
    g_free(input);
}

static void seen_free(void *data) {
    Seen *seen = data;
    g_free(seen->text);
    g_ptr_array_unref(seen->inputs);
    g_hash_table_unref(seen->known);
    g_free(seen);
}

static Seen *seen_find(const Expr *const *leaves, size_t count) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        g_string_append(text, i > 0 ? LEAF_BREAK : "");
        g_string_append(text, expr_source(leaves[i]));
    }
    Seen *seen = g_hash_table_lookup(seen_by_text, text->str);
    if (seen == NULL) {
        seen = g_new0(Seen, 1);
        seen->text = g_strdup(text->str);
        seen->count = count;
        seen->inputs = g_ptr_array_new_with_free_func(input_free);
        seen->known = g_hash_table_new(g_str_hash, g_str_equal);
        g_hash_table_insert(seen_by_text, seen->text, seen);
    }
    return seen;
}

ExprProgram *__wrap_expr_program_new(const Expr *const *leaves, size_t count) {
    ExprProgram *program = __real_expr_program_new(leaves, count);
    pthread_mutex_lock(&seen_mutex);
    if (seen_by_program != NULL) {
        /* Also without leaves: it may stand where a program was that is gone. */
        g_hash_table_insert(seen_by_program, program, count > 0 ? seen_find(leaves, count) : NULL);
    }
    pthread_mutex_unlock(&seen_mutex);
    return program;
}

static void keep_input(Seen *seen, const ExprInput *input) {
    g_autofree char *root = value_to_json(input->root);
    if (seen->inputs->len >= INPUTS_MAX || g_hash_table_contains(seen->known, root)) {
        return;
    }
    Input *kept = g_new0(Input, 1);
    kept->root = g_steal_pointer(&root);
    kept->settings = value_is_null(input->settings) ? NULL : value_to_json(input->settings);
    kept->now_ms = input->now_ms;
    g_ptr_array_add(seen->inputs, kept);
    g_hash_table_add(seen->known, kept->root);
}

bool __wrap_expr_program_eval(ExprProgram *program, const ExprInput *input, ExprResult *results,
                              GError **error) {
    pthread_mutex_lock(&seen_mutex);
    Seen *seen = seen_by_program == NULL ? NULL : g_hash_table_lookup(seen_by_program, program);
    if (seen != NULL) {
        keep_input(seen, input);
    }
    pthread_mutex_unlock(&seen_mutex);
    return __real_expr_program_eval(program, input, results, error);
}

/* --- one program by itself -------------------------------------------------------------------- */

static double cpu_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static size_t heap_bytes(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static bool read_value(const char *text, Value *value_out) {
    g_autoptr(GError) error = NULL;
    if (text == NULL || value_parse(text, strlen(text), value_out, &error)) {
        return true;
    }
    fprintf(stderr, "expressions: %s\n", error->message);
    return false;
}

static bool read_inputs(const Seen *seen, ExprInput *inputs) {
    bool read = true;
    for (guint i = 0; i < seen->inputs->len; i++) {
        const Input *kept = g_ptr_array_index(seen->inputs, i);
        inputs[i].now_ms = kept->now_ms;
        read = read_value(kept->root, &inputs[i].root) &&
               read_value(kept->settings, &inputs[i].settings) && read;
    }
    return read;
}

static bool evaluate(ExprProgram *program, const ExprInput *input, ExprResult *results) {
    g_autoptr(GError) error = NULL;
    if (!expr_program_eval(program, input, results, &error)) {
        fprintf(stderr, "expressions: %s\n", error->message);
        return false;
    }
    expr_results_clear(results, expr_program_count(program));
    return true;
}

static bool parse_leaves(char *const *texts, const Expr **leaves, Cost *cost) {
    cost->native = true;
    for (size_t i = 0; texts[i] != NULL; i++) {
        g_autoptr(GError) error = NULL;
        Expr *leaf = expr_parse(texts[i], &error);
        if (leaf == NULL) {
            fprintf(stderr, "expressions: %s\n", error->message);
            return false;
        }
        leaves[i] = leaf;
        cost->native = cost->native && (expr_plain_path(leaf) != NULL || expr_is_native(leaf));
    }
    return true;
}

/* The mean over all inputs, each as often as the others. */
static bool time_rows(ExprProgram *program, const ExprInput *inputs, size_t count,
                      ExprResult *results, double *row_us_out) {
    double begin = cpu_us();
    size_t rounds = 0;
    do {
        for (size_t i = 0; i < count; i++) {
            if (!evaluate(program, &inputs[i], results)) {
                return false;
            }
        }
        rounds++;
    } while (cpu_us() - begin < TIMED_US);
    *row_us_out = (cpu_us() - begin) / (double)(rounds * count);
    return true;
}

static bool measure(const Seen *seen, Cost *cost) {
    g_auto(GStrv) texts = g_strsplit(seen->text, LEAF_BREAK, -1);
    g_autofree const Expr **leaves = g_new0(const Expr *, seen->count);
    g_autofree ExprInput *inputs = g_new0(ExprInput, seen->inputs->len);
    g_autofree ExprResult *results = g_new0(ExprResult, seen->count);
    if (!read_inputs(seen, inputs)) {
        return false;
    }
    size_t bytes = heap_bytes();
    double begin = cpu_us();
    if (!parse_leaves(texts, leaves, cost)) {
        return false;
    }
    g_autoptr(ExprProgram) program = expr_program_new(leaves, seen->count);
    bool good = evaluate(program, &inputs[0], results);
    cost->compile_us = cpu_us() - begin;
    cost->bytes = heap_bytes() - bytes;
    good = good && time_rows(program, inputs, seen->inputs->len, results, &cost->row_us);
    double first_us = 0;
    good = good && time_rows(program, inputs, 1, results, &first_us);
    cost->compile_us = MAX(cost->compile_us - first_us, 0);
    for (guint i = 0; i < seen->inputs->len; i++) {
        value_clear(&inputs[i].root);
        value_clear(&inputs[i].settings);
    }
    g_clear_pointer(&program, expr_program_free);
    for (size_t i = 0; i < seen->count; i++) {
        expr_free((Expr *)(uintptr_t)leaves[i]);
    }
    return good;
}

/* --- all of them ------------------------------------------------------------------------------ */

static bool run_cases(const char *definition, const char *cases) {
    g_autoptr(GError) error = NULL;
    g_autoptr(NetClient) client = net_client_new(NULL, &error);
    g_autoptr(Json) report = NULL;
    const Exercise exercise = {.client = client, .definition_file = definition, .folder = cases};
    seen_by_text = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, seen_free);
    seen_by_program = g_hash_table_new(NULL, NULL);
    if (client == NULL || !exercise_run(&exercise, &report, &error)) {
        fprintf(stderr, "expressions: %s\n", error->message);
        return false;
    }
    pthread_mutex_lock(&seen_mutex);
    g_clear_pointer(&seen_by_program, g_hash_table_unref);
    pthread_mutex_unlock(&seen_mutex);
    return true;
}

static Definition *load(const char *path) {
    g_autofree char *text = NULL;
    gsize size = 0;
    g_autoptr(GError) error = NULL;
    Definition *definition = NULL;
    if (g_file_get_contents(path, &text, &size, &error)) {
        definition = definition_load(path, text, size, NULL, &error);
    }
    if (definition == NULL) {
        fprintf(stderr, "expressions: %s\n", error->message);
    }
    return definition;
}

/* The longest leaf: short ones stand in many places. */
static char *longest_leaf(const Seen *seen) {
    g_auto(GStrv) leaves = g_strsplit(seen->text, LEAF_BREAK, -1);
    const char *longest = leaves[0];
    for (char **leaf = leaves; *leaf != NULL; leaf++) {
        longest = strlen(*leaf) > strlen(longest) ? *leaf : longest;
    }
    return g_strdup(longest);
}

/* "iam_users:512": the part of the file and the line where the program's longest leaf stands. */
static char *name_of(const Definition *definition, const Seen *seen) {
    g_autofree char *longest = longest_leaf(seen);
    for (size_t i = 0; i < definition->expr_count; i++) {
        if (strcmp(expr_source(definition->exprs[i].expr), longest) != 0) {
            continue;
        }
        const char *part = "calls";
        for (size_t type = 0; type < definition->type_count; type++) {
            if (definition->types[type].line <= definition->exprs[i].line) {
                part = definition->types[type].name;
            }
        }
        return g_strdup_printf("%s:%u", part, definition->exprs[i].line);
    }
    return g_strdup("generated");
}

/* How many of the definition's expressions were in some program. */
static int64_t count_covered(const Definition *definition) {
    g_autoptr(GHashTable) texts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, seen_by_text);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const Seen *seen = value;
        g_auto(GStrv) leaves = g_strsplit(seen->text, LEAF_BREAK, -1);
        for (char **leaf = leaves; seen->inputs->len > 0 && *leaf != NULL; leaf++) {
            g_hash_table_add(texts, g_strdup(*leaf));
        }
    }
    int64_t covered = 0;
    for (size_t i = 0; i < definition->expr_count; i++) {
        covered += g_hash_table_contains(texts, expr_source(definition->exprs[i].expr)) ? 1 : 0;
    }
    return covered;
}

static bool add_program(const Definition *definition, const Seen *seen, Json *programs) {
    Cost cost = {0};
    if (!measure(seen, &cost)) {
        return false;
    }
    g_autofree char *name = name_of(definition, seen);
    Json *json = json_new_object();
    json_put_string(json, "name", name);
    json_put_int(json, "leaves", (int64_t)seen->count);
    json_put_bool(json, "native", cost.native);
    json_put_int(json, "inputs", seen->inputs->len);
    json_put_real(json, "compile_us", cost.compile_us);
    json_put_real(json, "row_us", cost.row_us);
    json_put_int(json, "bytes", (int64_t)cost.bytes);
    json_add(programs, json);
    return true;
}

static double start_libjq(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Expr) expr = expr_parse("[.a] | sort_by(.b)", &error);
    double begin = cpu_us();
    if (expr == NULL || !expr_check(expr, &error)) {
        fprintf(stderr, "expressions: %s\n", error->message);
    }
    return cpu_us() - begin;
}

static bool measure_all(const char *path, double start_us) {
    g_autoptr(Definition) definition = load(path);
    if (definition == NULL) {
        return false;
    }
    Json *programs = json_new_array();
    g_autoptr(Json) json = json_new_object();
    json_put_int(json, "expressions", (int64_t)definition->expr_count);
    json_put_int(json, "covered", count_covered(definition));
    json_put_real(json, "start_us", start_us);
    json_put(json, "programs", programs);
    GHashTableIter iterator;
    gpointer value;
    g_hash_table_iter_init(&iterator, seen_by_text);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const Seen *seen = value;
        if (seen->inputs->len > 0 && !add_program(definition, seen, programs)) {
            return false;
        }
    }
    g_autofree char *text = json_print(json, JSON_COMPACT);
    puts(text);
    return true;
}

int main(int argc, char **argv) {
    g_autofree char *definition = NULL;
    g_autofree char *cases = NULL;
    const GOptionEntry entries[] = {
        {"definition", 0, 0, G_OPTION_ARG_FILENAME, &definition, "The definition", "FILE"},
        {"cases", 0, 0, G_OPTION_ARG_FILENAME, &cases, "Its recorded cases", "FOLDER"},
        {NULL, 0, 0, 0, NULL, NULL, NULL}};
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GError) error = NULL;
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || definition == NULL ||
        cases == NULL) {
        fputs("expressions: give --definition and --cases; see --help\n", stderr);
        return 2;
    }
    if (!secmem_start(&error)) {
        fprintf(stderr, "expressions: %s\n", error->message);
        return 1;
    }
    double start_us = start_libjq();
    bool done = run_cases(definition, cases) && measure_all(definition, start_us);
    g_clear_pointer(&seen_by_text, g_hash_table_unref);
    return done ? 0 : 1;
}
