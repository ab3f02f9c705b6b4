#include "cli/provider.h"

#include "base/text.h"
#include "cli/grid.h"
#include "cli/mark.h"
#include "cli/place.h"
#include "present/provider_object.h"

#include <string.h>

Registry *provider_registry(const Arguments *arguments, GError **error) {
    g_auto(Place) place = {0};
    return place_init(&place, arguments, error) ? registry_new(place.providers_dir, error) : NULL;
}

/* --- list ------------------------------------------------------------------------------------- */

/* A definition whose file is wrong is listed with what is wrong. */
static Json *broken_json(const char *id, const GError *error) {
    Json *json = json_new_object();
    json_put_string(json, "id", id);
    json_put(json, "error", output_error_json(error));
    return json;
}

static Json *list_json(Registry *registry) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    json_put(json, "providers", list);
    json_put(json, "nextCursor", NULL);
    for (const char *const *id = registry_ids(registry); *id; id++) {
        g_autoptr(GError) error = NULL;
        const Definition *definition = registry_find(registry, *id, &error);
        json_add(list, definition ? provider_card(definition) : broken_json(*id, error));
    }
    return json;
}

static char *join(const Json *texts) {
    GString *joined = g_string_new(NULL);
    for (size_t i = 0; i < json_count(texts); i++)
        g_string_append_printf(joined, "%s%s", i > 0 ? ", " : "", json_text(json_item(texts, i)));
    return g_string_free(joined, FALSE);
}

static const GridColumn columns[] = {{.title = "ID"},
                                     {.title = "NAME"},
                                     {.title = "CATEGORY"},
                                     {.title = "EVIDENCE", .gives_way = true},
                                     {0}};

static void print_list(const Output *output, const Json *json) {
    g_autoptr(Grid) grid = grid_new(columns);
    const Json *list = json_member(json, "providers");
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        const Json *error = json_member(item, "error");
        g_autofree char *types = join(json_member(item, "evidenceTypes"));
        grid_add(grid, json_member_string(item, "id", ""));
        grid_add(grid, json_member_string(item, "name", ""));
        grid_add(grid, json_member_string(item, "category", ""));
        grid_add_tone(grid, error ? TONE_BAD : TONE_PLAIN,
                      error ? json_member_string(error, "message", "") : types);
    }
    grid_print(grid, output);
    output_note(output, "Next: assay provider show ID, or assay connect ID");
}

static bool run_list(CommandCall *call, GError **error) {
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    if (!registry)
        return false;
    g_autoptr(Json) json = list_json(registry);
    output_json(call->output, json);
    if (!call->output->json)
        print_list(call->output, json);
    return true;
}

static bool ask_list(CommandCall *call, Remote *remote, GError **error) {
    g_autoptr(Json) json = remote_get(remote, "/api/providers", NULL, error);
    if (!json)
        return false;
    output_json(call->output, json);
    if (!call->output->json)
        print_list(call->output, json);
    return true;
}

const Command provider_list_command = {
    .name = "provider list",
    .summary = "the services that can be connected",
    .usage = "",
    .examples = "assay provider list\nassay provider list --json",
    .run = run_list,
    .remote = ask_list,
};

/* --- show ------------------------------------------------------------------------------------- */

static void print_input(const Output *output, const Json *input) {
    bool secret = json_member_bool(input, "secret", false);
    const char *help = json_member_string(input, "help", NULL);
    const char *fallback = json_member_string(input, "default", NULL);
    bool optional = !json_member_bool(input, "required", true);
    g_autofree char *what = g_strdup_printf("--%s %s", secret ? "credential" : "set",
                                            json_member_string(input, "name", ""));
    g_autofree char *need = fallback ? g_strdup_printf(" (default %s)", fallback) : NULL;
    output_line(output, "  %-34s %s%s%s%s", what, json_member_string(input, "label", ""),
                help ? ": " : "", help ? help : "",
                need       ? need
                : optional ? " (optional)"
                           : "");
}

static void print_inputs(const Output *output, const Json *inputs) {
    for (size_t i = 0; i < json_count(inputs); i++)
        print_input(output, json_item(inputs, i));
}

static void print_auth(const Output *output, const Json *auth) {
    bool supported = json_member_bool(auth, "supported", true);
    output_line(output, "  %s: %s%s", json_member_string(auth, "name", ""),
                json_member_string(auth, "label", ""), supported ? "" : " (not in this version)");
    if (supported)
        print_inputs(output, json_member(auth, "fields"));
}

static void print_check(const Output *output, const Json *check) {
    g_autoptr(GString) text = g_string_new(NULL);
    void *iterator = NULL;
    const char *framework = NULL;
    Json *controls = NULL;
    while (json_next(json_member(check, "controls"), &iterator, &framework, &controls))
        for (size_t i = 0; i < json_count(controls); i++)
            g_string_append_printf(text, "%s%s:%s", text->len > 0 ? ", " : "", framework,
                                   json_text(json_item(controls, i)));
    output_line(output, "    %-8s %s", json_member_string(check, "severity", ""),
                json_member_string(check, "title", ""));
    output_line(output, "             %s", text->str);
}

static void print_type(const Output *output, const Json *type) {
    g_autofree char *needs = join(json_member(type, "needs"));
    const Json *checks = json_member(type, "checks");
    output_tone(output, TONE_STRONG, "  %s: %s", json_member_string(type, "name", ""),
                json_member_string(type, "title", ""));
    if (*needs != '\0')
        output_line(output, "    needs    %s", needs);
    for (size_t i = 0; i < json_count(checks); i++)
        print_check(output, json_item(checks, i));
}

static void print_provider(const Output *output, const Json *json) {
    const char *id = json_member_string(json, "id", "");
    const char *setup = json_member_string(json, "setup", NULL);
    const Json *auth = json_member(json, "auth");
    const Json *types = json_member(json, "evidenceTypes");
    output_tone(output, TONE_STRONG, "%s (%s)", json_member_string(json, "name", ""), id);
    output_line(output, "%s\n%s\n\nSettings", json_member_string(json, "summary", ""),
                json_member_string(json, "docs", ""));
    print_inputs(output, json_member(json, "settings"));
    output_line(output, "\nWays to sign in");
    for (size_t i = 0; i < json_count(auth); i++)
        print_auth(output, json_item(auth, i));
    output_line(output, "\nEvidence, its checks and the controls they support");
    for (size_t i = 0; i < json_count(types); i++)
        print_type(output, json_item(types, i));
    if (setup)
        output_line(output, "\nSetup\n%s", setup);
    output_note(output, "Next: assay connect %s", id);
}

static void tell(const Output *output, const Json *json) {
    output_json(output, json);
    if (!output->json)
        print_provider(output, json);
}

static bool run_show(CommandCall *call, GError **error) {
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    if (!definition)
        return false;
    g_autoptr(Json) json = provider_object(definition);
    tell(call->output, json);
    return true;
}

static bool ask_show(CommandCall *call, Remote *remote, GError **error) {
    g_autofree char *path = remote_path("/api/providers/{id}", arguments_word(call->arguments, 0));
    g_autoptr(Json) json = remote_get(remote, path, NULL, error);
    if (!json)
        return false;
    tell(call->output, json);
    return true;
}

const Command provider_show_command = {
    .name = "provider show",
    .summary = "settings, evidence, checks and needed permissions of a service",
    .usage = "PROVIDER",
    .examples = "assay provider show github",
    .least = 1,
    .most = 1,
    .run = run_show,
    .remote = ask_show,
};
