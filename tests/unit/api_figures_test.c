/* Figures of the installation, as Prometheus reads them. */
#include "unit/api_support.h"

#include "base/clock.h"
#include "net/budget.h"
#include "store/budget.h"
#include "store/service_call.h"

#include <string.h>

static const DbScope system_scope = {.actor = "test", .system = true};

static char *read_figures(const Stage *stage) {
    g_auto(Answer) answer =
        stage_ask(stage, &(Ask){.path = "/metrics", .token = stage->operator});
    g_assert_cmpuint(answer.status, ==, 200);
    g_autofree char *type = answer_header(&answer, "Content-Type");
    g_assert_cmpstr(type, ==, "text/plain; version=0.0.4; charset=utf-8");
    return g_strdup(answer.body);
}

static bool add_calls(DbUnit *unit, void *data, GError **error) {
    static const ServiceCall rows[] = {{.provider = "github", .outcome = "ok", .calls = 40},
                                       {.provider = "github", .outcome = "ok", .calls = 2},
                                       {.provider = "aws", .outcome = "rate_limited", .calls = 1}};
    (void)data;
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        if (!service_call_add(unit, &rows[i], error))
            return false;
    return true;
}

static bool add_limit(DbUnit *unit, void *data, GError **error) {
    g_autoptr(BudgetRow) made = NULL;
    int64_t now = 0;
    (void)data;
    if (!budget_clock(unit, 0, &now, error) ||
        !budget_lock(unit, "github/0/\"x\"\\y", now, &made, error))
        return false;
    BudgetRow row = {.budget_key = "github/0/\"x\"\\y",
                     .kind = BUDGET_QUOTA,
                     .window_ms = 3600000,
                     .limit_calls = 5000,
                     .remaining = 1200,
                     .reset_at = now + 600000,
                     .touched_at = now};
    return budget_save(unit, &row, error);
}

static void calls_are_summed_by_provider_and_outcome(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *before = read_figures(&stage);
    g_assert_null(strstr(before, "assay_provider_calls_total"));
    must(db_run(stage.db, &system_scope, DB_WRITE, add_calls, NULL, &error));
    g_autofree char *text = read_figures(&stage);
    g_assert_nonnull(strstr(text, "# TYPE assay_provider_calls_total counter\n"));
    g_assert_nonnull(
        strstr(text, "assay_provider_calls_total{provider=\"github\",outcome=\"ok\"} 42\n"));
    g_assert_nonnull(
        strstr(text, "assay_provider_calls_total{provider=\"aws\",outcome=\"rate_limited\"} 1\n"));
}

static void limits_that_are_known_are_said_to_be(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *text = read_figures(&stage);
    g_assert_nonnull(strstr(text, "assay_limits_reachable{in=\"database\"} 1\n"));
}

static bool move_to_redis(DbUnit *unit, void *data, GError **error) {
    BudgetAuthority wanted = {.epoch = 1, .place = BUDGET_IN_REDIS};
    bool moved = false;
    (void)data;
    return budget_authority_move(unit, &wanted, &moved, error);
}

/* Where the API was given no Redis, or one that nobody answers at. */
static void limits_that_are_counted_elsewhere_are_missing_and_said_to_be(void) {
    static const char *const urls[] = {NULL, "redis://127.0.0.1:9", "unix:/nonexistent/redis"};
    for (size_t i = 0; i < G_N_ELEMENTS(urls); i++) {
        g_auto(Stage) stage;
        if (urls[i])
            stage_init_beside_redis(&stage, urls[i]);
        else
            stage_init(&stage, 0);
        must(db_run(stage.db, &system_scope, DB_WRITE, move_to_redis, NULL, &error));
        g_autofree char *text = read_figures(&stage);
        g_assert_nonnull(strstr(text, "assay_limits_reachable{in=\"redis\"} 0\n"));
        g_assert_nonnull(strstr(text, "assay_jobs{status=\"pending\"} 0\n"));
        g_assert_null(strstr(text, "assay_limit_calls"));
    }
}

/* --- the format ------------------------------------------------------------------------------- */

/* What is known of the families that were read so far. */
typedef struct {
    GHashTable *types; /* family -> type */
    GHashTable *seen;  /* series */
    char *family;      /* of the last TYPE */
} Reader;

static void reader_clear(Reader *reader) {
    g_hash_table_unref(reader->types);
    g_hash_table_unref(reader->seen);
    g_free(reader->family);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_clear)

static void read_comment(Reader *reader, const char *line, const char *before) {
    g_auto(GStrv) words = g_strsplit(line, " ", 4);
    if (strcmp(words[1], "HELP") == 0) {
        g_assert_cmpuint(strlen(words[3]), >, 5);
        return;
    }
    g_autofree char *help = g_strdup_printf("# HELP %s ", words[2]);
    g_assert_cmpstr(words[1], ==, "TYPE");
    g_assert_true(before && g_str_has_prefix(before, help));
    g_assert_true(
        g_strv_contains(((const char *const[]){"counter", "gauge", "histogram", NULL}), words[3]));
    g_assert_true(g_hash_table_insert(reader->types, g_strdup(words[2]), g_strdup(words[3])));
    g_free(reader->family);
    reader->family = g_strdup(words[2]);
    bool counter = strcmp(words[3], "counter") == 0;
    g_assert_true(counter == g_str_has_suffix(words[2], "_total"));
    g_assert_true(g_regex_match_simple("^assay_[a-z][a-z0-9_]*$", words[2], 0, 0));
}

/* https://prometheus.io/docs/instrumenting/exposition_formats/ */
static void read_sample(Reader *reader, const char *line) {
    static const char form[] = "^([a-z_]+)((?:\\{[a-z_]+=\"(?:[^\"\\\\]|\\\\[\\\\n\"])*\""
                               "(?:,[a-z_]+=\"(?:[^\"\\\\]|\\\\[\\\\n\"])*\")*\\})?) "
                               "(-?[0-9.]+(?:e[+-]?[0-9]+)?)$";
    g_autoptr(GRegex) regex = g_regex_new(form, 0, 0, NULL);
    g_autoptr(GMatchInfo) match = NULL;
    if (!g_regex_match(regex, line, 0, &match))
        g_error("no sample: %s", line);
    g_autofree char *name = g_match_info_fetch(match, 1);
    g_autofree char *labels = g_match_info_fetch(match, 2);
    if (!g_str_has_prefix(name, reader->family))
        g_error("%s stands under %s", name, reader->family);
    const char *type = g_hash_table_lookup(reader->types, reader->family);
    const char *rest = name + strlen(reader->family);
    bool part =
        strcmp(rest, "_bucket") == 0 || strcmp(rest, "_sum") == 0 || strcmp(rest, "_count") == 0;
    g_assert_true(*rest == '\0' ? strcmp(type, "histogram") != 0
                                : part && strcmp(type, "histogram") == 0);
    if (!g_hash_table_add(reader->seen, g_strconcat(name, labels, NULL)))
        g_error("twice: %s", line);
}

static void every_figure_is_as_prometheus_wants_it(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &system_scope, DB_WRITE, add_calls, NULL, &error));
    must(db_run(stage.db, &system_scope, DB_WRITE, add_limit, NULL, &error));
    g_auto(Answer) some = stage_get(&stage, ROLE_OWNER, "/api/jobs");
    g_autofree char *text = read_figures(&stage);
    g_assert_true(g_str_has_suffix(text, "\n"));
    g_auto(Reader)
        reader = {.types = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                  .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (guint i = 0; lines[i] && lines[i + 1]; i++) {
        if (lines[i][0] == '#')
            read_comment(&reader, lines[i], i > 0 ? lines[i - 1] : NULL);
        else
            read_sample(&reader, lines[i]);
    }
    g_assert_cmpuint(g_hash_table_size(reader.types), >, 15);
}

static const ApiTest tests[] = {
    {"calls_are_summed_by_provider_and_outcome", calls_are_summed_by_provider_and_outcome},
    {"limits_that_are_known_are_said_to_be", limits_that_are_known_are_said_to_be},
    {"limits_that_are_counted_elsewhere_are_missing_and_said_to_be",
     limits_that_are_counted_elsewhere_are_missing_and_said_to_be},
    {"every_figure_is_as_prometheus_wants_it", every_figure_is_as_prometheus_wants_it},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "figures", tests, G_N_ELEMENTS(tests));
}
