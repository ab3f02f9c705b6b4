#include "cli/limits.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/session.h"
#include "net/redis.h"
#include "store/provider_limit.h"
#include "sync/budget_view.h"

#include <string.h>

#define RATE_SUFFIX "-rate" /* of the smoothed limit beside a counted one: see connect/sender.c */

/* --- keys ------------------------------------------------------------------------------------- */

/* What stands before the first slash of "github/0/INTEGRATION". Caller frees. */
static char *provider_of(const char *key) {
    return g_strndup(key, strcspn(key, "/"));
}

/* The integration at the end of a key, NULL when the limit is the application's. Caller frees. */
static char *integration_of(const char *key) {
    const char *slash = strrchr(key, '/');
    const char *last = slash ? slash + 1 : key;
    size_t length = strcspn(last, "#");
    if (g_str_has_suffix(last, RATE_SUFFIX))
        length -= strlen(RATE_SUFFIX);
    char *id = g_strndup(last, length);
    if (id_is_valid(id))
        return id;
    g_free(id);
    return NULL;
}

static bool is_operators(const char *key) {
    return strstr(key, "/operator/") != NULL;
}

/* --- JSON ------------------------------------------------------------------------------------- */

/* A time of the keeper as one of ours; 0 when it is over. */
static int64_t ours(const BudgetView *view, int64_t keeper_ms) {
    return keeper_ms > view->now_ms ? clock_now_ms() + keeper_ms - view->now_ms : 0;
}

static void put_rate(Json *json, const char *name, int64_t limit, int64_t window_ms) {
    g_autofree char *text = limit > 0 ? budget_rate_text(limit, window_ms) : NULL;
    json_put_string(json, name, text);
}

static const char *kind_of(const BudgetView *view, int64_t limit) {
    if (limit == 0)
        return "concurrency";
    return view->kind == BUDGET_QUOTA ? "quota" : "rate";
}

static const char *authority_of(const BudgetView *view) {
    if (is_operators(view->key))
        return "operator";
    return view->share.told_limit > 0 ? "provider" : "declared";
}

static void put_state(Json *json, const BudgetView *view) {
    const BudgetShare *share = &view->share;
    BudgetSpec spec = budget_view_spec(view);
    int64_t limit = budget_share_limit(share, &spec);
    int64_t factor = budget_share_factor(share, view->now_ms);
    bool quota = view->kind == BUDGET_QUOTA;
    json_put_string(json, "kind", kind_of(view, limit));
    put_rate(json, "declared", share->limit, share->window_ms);
    put_rate(json, "inForce", limit, share->window_ms);
    json_put_string(json, "authority", authority_of(view));
    if (limit > 0)
        json_put_int(json, "remaining", budget_share_remaining(share, &spec, view->now_ms));
    else
        json_put(json, "remaining", NULL);
    json_put_time(json, "resetAt", ours(view, quota ? share->reset_at : share->spent_until));
    json_put_time(json, "heldUntil", ours(view, share->held_until));
    json_put_real(json, "pace", (double)factor / BUDGET_FACTOR_FULL);
    json_put_time(json, "usedAt", clock_now_ms() + share->touched_at - view->now_ms);
}

static Json *view_json(const BudgetView *view, const GPtrArray *integrations) {
    Json *json = json_new_object();
    g_autofree char *provider = provider_of(view->key);
    g_autofree char *integration = integration_of(view->key);
    json_put_string(json, "key", view->key);
    json_put_string(json, "provider", provider);
    json_put_string(json, "integrationId", integration);
    json_put_string(json, "integration",
                    integration ? integrations_name(integrations, integration) : NULL);
    put_state(json, view);
    return json;
}

static void add_own(Json *list, const char *provider, const char *limit, int64_t set_at) {
    Json *json = json_new_object();
    json_put_string(json, "provider", provider);
    json_put_string(json, "limit", limit);
    json_put_string(json, "origin", set_at > 0 ? "command" : "configuration");
    json_put_time(json, "setAt", set_at);
    json_add(list, json);
}

static Json *own_json(const GPtrArray *limits, const Json *configured) {
    Json *list = json_new_array();
    void *iterator = NULL;
    const char *provider;
    Json *value;
    for (guint i = 0; i < limits->len; i++) {
        const ProviderLimit *limit = g_ptr_array_index(limits, i);
        g_autofree char *text = budget_rate_text(limit->limit_calls, limit->window_ms);
        add_own(list, limit->provider, text, limit->set_at);
    }
    while (json_next(configured, &iterator, &provider, &value))
        if (strcmp(provider, "api") != 0)
            add_own(list, provider, json_text(value), 0);
    return list;
}

static Json *overview_json(const BudgetOverview *overview, const GPtrArray *integrations,
                           const Json *configured) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    Json *counted = json_new_object();
    for (guint i = 0; i < overview->views->len; i++)
        json_add(list, view_json(g_ptr_array_index(overview->views, i), integrations));
    json_put(json, "limits", list);
    json_put(json, "operator", own_json(overview->limits, configured));
    json_put_string(counted, "in", overview->authority->place);
    json_put_time(counted, "since", overview->authority->changed_at);
    json_put_bool(counted, "reachable", !overview->unreachable);
    json_put(json, "counted", counted);
    return json;
}

/* --- for people ------------------------------------------------------------------------------- */

static const GridColumn columns[] = {{.title = "SERVICE"},
                                     {.title = "INTEGRATION", .gives_way = true},
                                     {.title = "LIMIT", .gives_way = true},
                                     {.title = "DECLARED", .right = true},
                                     {.title = "IN FORCE", .right = true},
                                     {.title = "SAID BY"},
                                     {.title = "LEFT", .right = true},
                                     {.title = "RESETS"},
                                     {.title = "PACE", .right = true},
                                     {.title = "WAITS UNTIL"},
                                     {0}};

static void add_time(Grid *grid, const Json *item, const char *name) {
    int64_t time = 0;
    const char *text = json_member_string(item, name, NULL);
    g_autofree char *age =
        text && clock_parse(text, &time) ? output_age(time, clock_now_ms()) : NULL;
    grid_add(grid, age);
}

/* What stands between the provider and the integration. Caller frees. */
static char *middle_of(const Json *item) {
    const char *key = json_member_string(item, "key", "");
    const char *first = strchr(key, '/');
    const char *last = strrchr(key, '/');
    g_autofree char *middle =
        first && last > first ? g_strndup(first + 1, (gsize)(last - first - 1)) : g_strdup("");
    return g_strdup_printf("%s%s%s", json_member_string(item, "kind", ""), *middle ? " " : "",
                           middle);
}

static void add_row(Grid *grid, const Json *item) {
    g_autofree char *middle = middle_of(item);
    g_autofree char *left = json_kind(json_member(item, "remaining")) == JSON_KIND_INT
                                ? output_number(json_member_int(item, "remaining", 0))
                                : NULL;
    g_autofree char *pace =
        g_strdup_printf("%d %%", (int)(json_member_real(item, "pace", 1) * 100 + 0.5));
    grid_add(grid, json_member_string(item, "provider", ""));
    grid_add(grid, json_member_string(item, "integration", "all"));
    grid_add(grid, middle);
    grid_add(grid, json_member_string(item, "declared", "-"));
    grid_add(grid, json_member_string(item, "inForce", "-"));
    grid_add(grid, json_member_string(item, "authority", ""));
    grid_add(grid, left);
    add_time(grid, item, "resetAt");
    grid_add(grid, pace);
    add_time(grid, item, "heldUntil");
}

static void print(const Output *output, const Json *json) {
    const Json *list = json_member(json, "limits");
    const Json *own = json_member(json, "operator");
    g_autoptr(Grid) grid = grid_new(columns);
    for (size_t i = 0; i < json_count(list); i++)
        add_row(grid, json_item(list, i));
    if (grid_rows(grid) > 0)
        grid_print(grid, output);
    else
        output_line(output, "Nothing was called yet.");
    for (size_t i = 0; i < json_count(own); i++)
        output_line(output, "Your own limit of %s: %s (%s)",
                    json_member_string(json_item(own, i), "provider", ""),
                    json_member_string(json_item(own, i), "limit", ""),
                    json_member_string(json_item(own, i), "origin", ""));
    output_line(output, "Counted in %s.",
                json_member_string(json_member(json, "counted"), "in", ""));
    if (!json_member_bool(json_member(json, "counted"), "reachable", true))
        output_note(output, "Redis does not answer here: set REDIS_URL as the workers have it.");
}

/* --- looking ---------------------------------------------------------------------------------- */

/* Of a session of an organization, for the names of its integrations. */
static bool read_all(Session *session, Json **json_out, GError **error) {
    const Secret *url = NULL;
    if (!session_redis_url(session, &url, error))
        return false;
    g_autoptr(Redis) redis = url ? redis_new(url, error) : NULL;
    g_autoptr(GPtrArray) integrations = NULL;
    g_auto(BudgetOverview) overview = {0};
    if ((url && !redis) || !integrations_read(session, &integrations, error) ||
        !budget_overview_read(session_db(session), redis, &overview, error))
        return false;
    *json_out = overview_json(&overview, integrations, session_limits(session));
    return true;
}

static bool run(CommandCall *call, GError **error) {
    g_autoptr(Json) json = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !read_all(session, &json, error))
        return false;
    output_json(call->output, json);
    print(call->output, json);
    return true;
}

const Command limits_command = {
    .name = "limits",
    .summary = "how often services may be called, and what is left of it",
    .usage = "",
    .about = "Limits are shared by all workers. A service's own headers are believed before what\n"
             "the definition declares; PACE is what is left of the speed after answers that said\n"
             "\"too many\".",
    .examples = "assay limits\n"
                "assay limits --json",
    .run = run,
};

/* --- the operator's own ----------------------------------------------------------------------- */

static bool put_work(DbUnit *unit, void *data, GError **error) {
    return provider_limit_put(unit, data, error);
}

static bool drop_work(DbUnit *unit, void *data, GError **error) {
    return provider_limit_drop(unit, data, error);
}

/* The provider's id, of an id or alias. */
static const char *find_provider(Session *session, const CommandCall *call, GError **error) {
    Registry *registry = session_registry(session, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    return definition ? definition->id : NULL;
}

static void tell(const CommandCall *call, const char *provider, const char *limit) {
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "provider", provider);
    json_put_string(json, "limit", limit);
    output_json(call->output, json);
    if (limit)
        output_line(call->output, "%s is called at most %s for each connection.", provider, limit);
    else
        output_line(call->output, "%s has no limit of yours any more.", provider);
    output_note(call->output, "It holds for every sync that begins from now on.");
}

static bool run_set(CommandCall *call, GError **error) {
    BudgetSpec spec = {0};
    g_autoptr(GError) failure = NULL;
    if (!budget_parse_rate(arguments_word(call->arguments, 1), &spec, &failure)) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s", failure->message);
        return false;
    }
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    const char *provider = session ? find_provider(session, call, error) : NULL;
    if (!provider)
        return false;
    ProviderLimit limit = {
        .provider = provider, .limit_calls = spec.limit, .window_ms = spec.window_ms};
    if (!session_run(session, DB_WRITE, put_work, &limit, error))
        return false;
    g_autofree char *text = budget_rate_text(spec.limit, spec.window_ms);
    tell(call, provider, text);
    return true;
}

static bool run_clear(CommandCall *call, GError **error) {
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    const char *provider = session ? find_provider(session, call, error) : NULL;
    if (!provider || !session_run(session, DB_WRITE, drop_work, (void *)(uintptr_t)provider, error))
        return false;
    tell(call, provider, NULL);
    return true;
}

const Command limits_set_command = {
    .name = "limits set",
    .summary = "call a service less often than it allows",
    .usage = "PROVIDER CALLS/TIME",
    .about = "The limit stands beside those of the definition and of the service, for each\n"
             "connection: it lowers and never raises.",
    .examples = "assay limits set slack 30/1m\n"
                "assay limits set github 2000/1h",
    .least = 2,
    .most = 2,
    .run = run_set,
};

const Command limits_clear_command = {
    .name = "limits clear",
    .summary = "take your own limit of a service away",
    .usage = "PROVIDER",
    .examples = "assay limits clear slack",
    .least = 1,
    .most = 1,
    .run = run_clear,
};
