#include "sync/limit_object.h"

#include "base/clock.h"
#include "base/id.h"
#include "provider/aws_endpoint.h"
#include "store/provider_limit.h"

#include <string.h>

#define RATE_SUFFIX "-rate" /* of the smoothed limit beside a counted one: see connect/sender.c */

/* --- keys ------------------------------------------------------------------------------------- */

/* What stands before the first slash of "github/0/INTEGRATION". Caller frees. */
static char *provider_of(const char *key) {
    return g_strndup(key, strcspn(key, "/"));
}

/* Whose the limit is: an integration, an account of AWS, or "app". Caller frees. */
static char *owner_of(const char *key) {
    const char *slash = strrchr(key, '/');
    const char *last = slash ? slash + 1 : key;
    size_t length = strcspn(last, "#");
    if (g_str_has_suffix(last, RATE_SUFFIX))
        length -= strlen(RATE_SUFFIX);
    return g_strndup(last, length);
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

static Json *view_json(const BudgetView *view) {
    Json *json = json_new_object();
    g_autofree char *provider = provider_of(view->key);
    g_autofree char *owner = owner_of(view->key);
    json_put_string(json, "key", view->key);
    json_put_string(json, "provider", provider);
    json_put_string(json, "integrationId", id_is_valid(owner) ? owner : NULL);
    json_put_string(json, "accountId", aws_account_is_id(owner) ? owner : NULL);
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

Json *limit_overview_object(const BudgetOverview *overview, const Json *configured) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    Json *counted = json_new_object();
    for (guint i = 0; i < overview->views->len; i++)
        json_add(list, view_json(g_ptr_array_index(overview->views, i)));
    json_put(json, "limits", list);
    json_put(json, "operator", own_json(overview->limits, configured));
    json_put_string(counted, "in", overview->authority->place);
    json_put_time(counted, "since", overview->authority->changed_at);
    json_put_bool(counted, "reachable", !overview->unreachable);
    json_put(json, "counted", counted);
    return json;
}

Json *limit_choice_object(const char *provider, const char *limit) {
    Json *json = json_new_object();
    json_put_string(json, "provider", provider);
    json_put_string(json, "limit", limit);
    return json;
}
