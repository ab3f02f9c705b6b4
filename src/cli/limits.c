#include "cli/limits.h"

#include "base/clock.h"
#include "base/error.h"
#include "cli/access.h"
#include "cli/grid.h"
#include "cli/integrations.h"
#include "cli/session.h"
#include "net/redis.h"
#include "sync/budget_view.h"
#include "sync/limit_choice.h"
#include "sync/limit_object.h"

#include <string.h>

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
    const char *account = json_member_string(item, "accountId", "all");
    grid_add(grid, json_member_string(item, "integration", account));
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

/* The names of integrations, beside their ids. */
static void put_names(const Json *overview, const Json *integrations) {
    const Json *list = json_member(overview, "limits");
    for (size_t i = 0; i < json_count(list); i++) {
        Json *item = json_item(list, i);
        const char *id = json_member_string(item, "integrationId", NULL);
        json_put_string(item, "integration", id ? integrations_called(integrations, id) : NULL);
    }
}

static void tell_all(const CommandCall *call, const Json *overview, const Json *integrations) {
    put_names(overview, integrations);
    output_json(call->output, overview);
    print(call->output, overview);
}

static Json *read_all(Session *session, GError **error) {
    const Secret *url = NULL;
    if (!session_redis_url(session, &url, error))
        return NULL;
    g_autoptr(Redis) redis = url ? redis_new(url, error) : NULL;
    g_auto(BudgetOverview) overview = {0};
    if ((url && !redis) || !budget_overview_read(session_db(session), redis, &overview, error))
        return NULL;
    return limit_overview_object(&overview, session_limits(session));
}

/* A session of an organization, for the names of its integrations. */
static bool run(CommandCall *call, GError **error) {
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    g_autoptr(Json) integrations = session ? integrations_here(session, error) : NULL;
    g_autoptr(Json) overview = integrations ? read_all(session, error) : NULL;
    if (!overview)
        return false;
    tell_all(call, overview, integrations);
    return true;
}

/* The operator need not have a role in an organization; then he sees ids. */
static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(GError) ignored = NULL;
    g_autoptr(Json) overview = remote_get(remote, "/api/limits", NULL, error);
    if (!overview)
        return false;
    g_autoptr(Json) integrations = integrations_there(remote, &ignored);
    tell_all(call, overview, integrations);
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
    .remote = run_remote,
};

/* --- the operator's own ----------------------------------------------------------------------- */

/* The provider's id, of an id or alias. */
static const char *find_provider(Session *session, const CommandCall *call, GError **error) {
    Registry *registry = session_registry(session, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    return definition ? definition->id : NULL;
}

static void tell(const CommandCall *call, const Json *choice) {
    const char *provider = json_member_string(choice, "provider", "");
    const char *limit = json_member_string(choice, "limit", NULL);
    output_json(call->output, choice);
    if (limit)
        output_line(call->output, "%s is called at most %s for each connection.", provider, limit);
    else
        output_line(call->output, "%s has no limit of yours any more.", provider);
    output_note(call->output, "It holds for every sync that begins from now on.");
}

/* Before anything is opened or asked. */
static bool check_rate(const CommandCall *call, GError **error) {
    BudgetSpec spec = {0};
    g_autoptr(GError) failure = NULL;
    if (budget_parse_rate(arguments_word(call->arguments, 1), &spec, &failure))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s", failure->message);
    return false;
}

static bool run_set(CommandCall *call, GError **error) {
    g_autofree char *text = NULL;
    if (!check_rate(call, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    const char *provider = session ? find_provider(session, call, error) : NULL;
    if (!provider || !limit_choose(session_db(session), session_actor(), provider,
                                   arguments_word(call->arguments, 1), &text, error))
        return false;
    g_autoptr(Json) choice = limit_choice_object(provider, text);
    tell(call, choice);
    return true;
}

static bool run_clear(CommandCall *call, GError **error) {
    g_autoptr(Session) session = session_open(call->arguments, SESSION_INSTALLATION, error);
    const char *provider = session ? find_provider(session, call, error) : NULL;
    if (!provider || !limit_forget(session_db(session), session_actor(), provider, error))
        return false;
    g_autoptr(Json) choice = limit_choice_object(provider, NULL);
    tell(call, choice);
    return true;
}

static bool change_there(CommandCall *call, Remote *remote, const char *method, const Json *body,
                         GError **error) {
    g_autofree char *path =
        remote_path("/api/limits/{provider}", arguments_word(call->arguments, 0));
    g_autoptr(Json) choice = remote_send(remote, method, path, body, error);
    if (choice)
        tell(call, choice);
    return choice != NULL;
}

static bool set_there(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) body = json_new_object();
    json_put_string(body, "limit", arguments_word(call->arguments, 1));
    return check_rate(call, error) && change_there(call, remote, "PUT", body, error);
}

static bool clear_there(CommandCall *call, Remote *remote, GError **error) {
    return change_there(call, remote, "DELETE", NULL, error);
}

const Command limits_set_command = {
    .name = "limits set",
    .summary = "call a service less often than it allows",
    .usage = "PROVIDER CALLS/TIME",
    .about = "The limit stands beside those of the definition and of the service, for each\n"
             "connection: it lowers and never raises.",
    .examples = "assay limits set github 2000/1h\n"
                "assay limits set aws 10/1s",
    .least = 2,
    .most = 2,
    .run = run_set,
    .remote = set_there,
};

const Command limits_clear_command = {
    .name = "limits clear",
    .summary = "take your own limit of a service away",
    .usage = "PROVIDER",
    .examples = "assay limits clear github",
    .least = 1,
    .most = 1,
    .run = run_clear,
    .remote = clear_there,
};
