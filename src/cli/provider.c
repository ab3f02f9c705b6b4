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

const Command provider_list_command = {
    .name = "provider list",
    .summary = "the services that can be connected",
    .usage = "",
    .examples = "assay provider list\nassay provider list --json",
    .run = run_list,
};

/* --- show ------------------------------------------------------------------------------------- */

static void print_input(const Output *output, const DefinitionInput *input, const char *option) {
    g_autofree char *what = g_strdup_printf("--%s %s", option, input->name);
    const char *need = input->fallback ? " (default " : input->optional ? " (optional)" : "";
    output_line(output, "  %-34s %s%s%s%s%s%s", what, input->label, input->help ? ": " : "",
                input->help ? input->help : "", need, input->fallback ? input->fallback : "",
                input->fallback ? ")" : "");
}

static void print_auth(const Output *output, const DefinitionAuth *auth) {
    output_line(output, "  %s: %s%s", auth->name, auth->label,
                auth->supported ? "" : " (not in this version)");
    for (size_t i = 0; auth->supported && i < auth->field_count; i++)
        print_input(output, &auth->fields[i], auth->fields[i].secret ? "credential" : "set");
}

static void print_check(const Output *output, const DefinitionCheck *check) {
    g_autoptr(GString) controls = g_string_new(NULL);
    for (size_t i = 0; i < check->control_count; i++) {
        for (size_t c = 0; c < check->controls[i].count; c++)
            g_string_append_printf(controls, "%s%s:%s", controls->len > 0 ? ", " : "",
                                   check->controls[i].framework, check->controls[i].controls[c]);
    }
    output_line(output, "    %-8s %s", severity_name(check->severity), check->title);
    output_line(output, "             %s", controls->str);
}

static void print_type(const Output *output, const EvidenceType *type) {
    g_autoptr(Json) list = provider_needs(type);
    g_autofree char *needs = join(list);
    output_tone(output, TONE_STRONG, "  %s: %s", type->name, template_text(type->title));
    if (*needs != '\0')
        output_line(output, "    needs    %s", needs);
    for (size_t i = 0; i < type->check_count; i++)
        print_check(output, &type->checks[i]);
}

static void print_definition(const Output *output, const Definition *definition) {
    output_tone(output, TONE_STRONG, "%s (%s)", definition->name, definition->id);
    output_line(output, "%s\n%s\n\nSettings", definition->summary, definition->docs);
    for (size_t i = 0; i < definition->setting_count; i++)
        print_input(output, &definition->settings[i], "set");
    output_line(output, "\nWays to sign in");
    for (size_t i = 0; i < definition->auth_count; i++)
        print_auth(output, &definition->auth[i]);
    output_line(output, "\nEvidence, its checks and the controls they support");
    for (size_t i = 0; i < definition->type_count; i++)
        print_type(output, &definition->types[i]);
    if (definition->setup)
        output_line(output, "\nSetup\n%s", definition->setup);
    output_note(output, "Next: assay connect %s", definition->id);
}

static bool run_show(CommandCall *call, GError **error) {
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    if (!definition)
        return false;
    g_autoptr(Json) json = provider_object(definition);
    output_json(call->output, json);
    if (!call->output->json)
        print_definition(call->output, definition);
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
};
