#include "cli/provider_form.h"

#include "base/error.h"
#include "cli/output.h"

#include <string.h>

void provider_form_clear(ProviderForm *form) {
    g_clear_pointer(&form->tables, g_ptr_array_unref);
    g_clear_pointer(&form->texts, g_string_chunk_free);
    *form = (ProviderForm){0};
}

static const char *text_of(ProviderForm *form, const Json *json, const char *name) {
    const char *text = json_member_string(json, name, NULL);
    return text ? g_string_chunk_insert_const(form->texts, text) : NULL;
}

/* A text that people are shown. */
static const char *shown(ProviderForm *form, const Json *json, const char *name) {
    const char *text = json_member_string(json, name, NULL);
    g_autofree char *clean = output_text(text);
    return text ? g_string_chunk_insert_const(form->texts, clean) : NULL;
}

static void *table_of(ProviderForm *form, size_t count, size_t size) {
    void *table = g_malloc0_n(MAX(count, 1), size);
    g_ptr_array_add(form->tables, table);
    return table;
}

static InputType type_of(const Json *json) {
    static const struct {
        const char *name;
        InputType type;
    } types[] = {{"list", INPUT_LIST}, {"bool", INPUT_BOOL}, {"int", INPUT_INT}};
    const char *name = json_member_string(json, "type", "");
    for (size_t i = 0; i < G_N_ELEMENTS(types); i++)
        if (strcmp(types[i].name, name) == 0)
            return types[i].type;
    return INPUT_TEXT;
}

static bool read_input(ProviderForm *form, const Json *json, DefinitionInput *input) {
    *input = (DefinitionInput){.name = text_of(form, json, "name"),
                               .label = shown(form, json, "label"),
                               .help = shown(form, json, "help"),
                               .pattern = text_of(form, json, "pattern"),
                               .fallback = shown(form, json, "default"),
                               .type = type_of(json),
                               .optional = !json_member_bool(json, "required", false),
                               .secret = json_member_bool(json, "secret", true),
                               .advanced = json_member_bool(json, "advanced", false),
                               .discover_call = -1};
    return input->name && input->label;
}

static bool read_inputs(ProviderForm *form, const Json *list, const DefinitionInput **inputs_out,
                        size_t *count_out) {
    size_t count = json_count(list);
    DefinitionInput *inputs = table_of(form, count, sizeof *inputs);
    *inputs_out = inputs;
    *count_out = count;
    for (size_t i = 0; i < count; i++)
        if (!read_input(form, json_item(list, i), &inputs[i]))
            return false;
    return true;
}

/* A scheme of a newer server asks for its fields like any other. */
static Scheme scheme_of(const Json *json) {
    const char *name = json_member_string(json, "scheme", "");
    for (int scheme = 0; scheme < SCHEMES; scheme++)
        if (strcmp(scheme_name((Scheme)scheme), name) == 0)
            return (Scheme)scheme;
    return SCHEME_BEARER;
}

static bool read_auth(ProviderForm *form, const Json *json, DefinitionAuth *auth) {
    *auth = (DefinitionAuth){.name = text_of(form, json, "name"),
                             .label = shown(form, json, "label"),
                             .help = shown(form, json, "help"),
                             .scheme = scheme_of(json),
                             .supported = json_member_bool(json, "supported", false)};
    return auth->name && auth->label &&
           read_inputs(form, json_member(json, "fields"), &auth->fields, &auth->field_count);
}

static bool read_auths(ProviderForm *form, const Json *list) {
    size_t count = json_count(list);
    DefinitionAuth *auths = table_of(form, count, sizeof *auths);
    form->definition.auth = auths;
    form->definition.auth_count = count;
    for (size_t i = 0; i < count; i++)
        if (!read_auth(form, json_item(list, i), &auths[i]))
            return false;
    return count > 0;
}

static bool read_whole(ProviderForm *form, const Json *object) {
    Definition *definition = &form->definition;
    definition->id = text_of(form, object, "id");
    definition->name = shown(form, object, "name");
    return definition->id && definition->name &&
           read_inputs(form, json_member(object, "settings"), &definition->settings,
                       &definition->setting_count) &&
           read_auths(form, json_member(object, "auth"));
}

bool provider_form_init(ProviderForm *form, const Json *object, GError **error) {
    *form = (ProviderForm){.texts = g_string_chunk_new(1024),
                           .tables = g_ptr_array_new_with_free_func(g_free)};
    if (read_whole(form, object))
        return true;
    provider_form_clear(form);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                        "the server does not say what this service is connected with; its version "
                        "may be another than that of this program");
    return false;
}
