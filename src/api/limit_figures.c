#include "api/limit_figures.h"

#include "api/metrics.h"
#include "sync/budget_view.h"

#include <string.h>

typedef double (*Figure)(const BudgetView *view);

static double in_force(const BudgetView *view) {
    BudgetSpec spec = budget_view_spec(view);
    return (double)budget_share_limit(&view->share, &spec);
}

static double remaining(const BudgetView *view) {
    BudgetSpec spec = budget_view_spec(view);
    return (double)budget_share_remaining(&view->share, &spec, view->now_ms);
}

static double pace(const BudgetView *view) {
    return (double)budget_share_factor(&view->share, view->now_ms) / BUDGET_FACTOR_FULL;
}

static const struct {
    const char *name;
    const char *help;
    Figure figure;
} figures[] = {
    {"assay_limit_calls", "Calls that a limit allows in its window.", in_force},
    {"assay_limit_remaining", "Calls that are left.", remaining},
    {"assay_limit_pace", "1: full; less after a provider has asked for fewer calls.", pace},
};

/* A limit of calls at once has no window, and nothing that is left of it. */
static bool is_shown(const BudgetView *view) {
    return in_force(view) > 0;
}

static char *labels_of(const BudgetView *view) {
    g_autofree char *key = g_strescape(view->key, NULL);
    return g_strdup_printf("provider=\"%.*s\",limit=\"%s\"", (int)strcspn(key, "/"), key, key);
}

static void write_keeper(const BudgetOverview *overview, GString *out) {
    g_autofree char *labels = g_strdup_printf("in=\"%s\"", overview->authority->place);
    metrics_sample(out, &(MetricSample){.name = "assay_limits_reachable",
                                        .help = "Whether limits are known: 0 when they are counted "
                                                "in Redis, and it does not answer here.",
                                        .type = "gauge",
                                        .labels = labels,
                                        .value = overview->unreachable ? 0 : 1});
}

bool limit_figures_write(Db *db, Redis *redis, GString *out, GError **error) {
    g_auto(BudgetOverview) overview = {0};
    if (!budget_overview_read_some(db, redis, LIMIT_FIGURES_MAX, &overview, error))
        return false;
    write_keeper(&overview, out);
    guint count = MIN(overview.views->len, LIMIT_FIGURES_MAX);
    for (size_t f = 0; f < G_N_ELEMENTS(figures); f++) {
        const char *help = figures[f].help;
        for (guint i = 0; i < count; i++) {
            const BudgetView *view = g_ptr_array_index(overview.views, i);
            if (!is_shown(view))
                continue;
            g_autofree char *labels = labels_of(view);
            metrics_sample(out, &(MetricSample){.name = figures[f].name,
                                                .help = help,
                                                .type = "gauge",
                                                .labels = labels,
                                                .value = figures[f].figure(view)});
            help = NULL;
        }
    }
    return true;
}
