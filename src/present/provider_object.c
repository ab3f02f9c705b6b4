#include "present/provider_object.h"

#include "comply/framework.h"

#include <string.h>

static Json *texts_json(const char *const *texts, size_t count) {
    Json *list = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_add_string(list, texts[i]);
    return list;
}

static Json *input_json(const DefinitionInput *input) {
    static const char *const types[] = {"text", "list", "bool", "int"};
    Json *json = json_new_object();
    json_put_string(json, "name", input->name);
    json_put_string(json, "label", input->label);
    json_put_string(json, "help", input->help);
    json_put_string(json, "type", types[input->type]);
    json_put_string(json, "default", input->fallback);
    json_put_string(json, "pattern", input->pattern);
    json_put_bool(json, "required", !input->optional && !input->fallback);
    json_put_bool(json, "secret", input->secret);
    json_put_bool(json, "advanced", input->advanced || input->engine);
    return json;
}

static Json *auth_json(const DefinitionAuth *auth) {
    Json *json = json_new_object();
    Json *fields = json_new_array();
    json_put_string(json, "name", auth->name);
    json_put_string(json, "label", auth->label);
    json_put_string(json, "help", auth->help);
    json_put_string(json, "scheme", scheme_name(auth->scheme));
    json_put_bool(json, "supported", auth->supported);
    for (size_t i = 0; i < auth->field_count; i++)
        json_add(fields, input_json(&auth->fields[i]));
    json_put(json, "fields", fields);
    return json;
}

static Json *check_json(const DefinitionCheck *check) {
    Json *json = json_new_object();
    Json *controls = json_new_object();
    json_put_string(json, "name", check->name);
    json_put_string(json, "title", check->title);
    json_put_string(json, "severity", severity_name(check->severity));
    json_put_string(json, "remediation", check->remediation);
    for (size_t i = 0; i < check->control_count; i++)
        json_put(controls, check->controls[i].framework,
                 texts_json(check->controls[i].controls, check->controls[i].count));
    json_put(json, "controls", controls);
    return json;
}

Json *provider_needs(const EvidenceType *type) {
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    evidence_type_needs(type, NULL, names);
    Json *list = json_new_array();
    for (guint i = 0; i < names->len; i++)
        json_add_string(list, g_ptr_array_index(names, i));
    return list;
}

static Json *type_json(const EvidenceType *type) {
    Json *json = json_new_object();
    Json *checks = json_new_array();
    json_put_string(json, "name", type->name);
    json_put_string(json, "title", template_text(type->title));
    json_put_string(json, "type", type->type);
    json_put(json, "needs", provider_needs(type));
    for (size_t i = 0; i < type->check_count; i++)
        json_add(checks, check_json(&type->checks[i]));
    json_put(json, "checks", checks);
    return json;
}

/* --- controls --------------------------------------------------------------------------------- */

static void mark_named(const CheckControls *named, const Framework *framework, bool *marks) {
    for (size_t i = 0; i < named->count; i++) {
        const FrameworkControl *control = framework_control(framework, named->controls[i]);
        if (control)
            marks[control->index] = true;
    }
}

static void mark_type(const EvidenceType *type, const Framework *framework, bool *marks) {
    for (size_t c = 0; c < type->check_count; c++) {
        const DefinitionCheck *check = &type->checks[c];
        for (size_t f = 0; f < check->control_count; f++)
            if (strcmp(check->controls[f].framework, framework->id) == 0)
                mark_named(&check->controls[f], framework, marks);
    }
}

/* As the framework writes their ids, and in its order. */
static Json *mapped_ids(const Definition *definition, const Framework *framework) {
    Json *ids = json_new_array();
    g_autofree bool *marks = g_new0(bool, framework->control_count);
    for (size_t t = 0; t < definition->type_count; t++)
        mark_type(&definition->types[t], framework, marks);
    for (size_t i = 0; i < framework->control_count; i++)
        if (marks[i])
            json_add_string(ids, framework->controls[i].id);
    return ids;
}

static Json *controls_mapped(const Definition *definition) {
    Json *json = json_new_object();
    for (const char *const *id = framework_ids(); *id; id++) {
        const Framework *framework = framework_find(*id, NULL);
        Json *ids = framework ? mapped_ids(definition, framework) : NULL;
        if (json_count(ids) > 0)
            json_put(json, *id, ids);
        else
            json_free(ids);
    }
    return json;
}

/* --- the whole -------------------------------------------------------------------------------- */

static void put_card(Json *json, const Definition *definition) {
    json_put_string(json, "id", definition->id);
    json_put_string(json, "name", definition->name);
    json_put_string(json, "category", definition->category);
    json_put_string(json, "summary", definition->summary);
    json_put_string(json, "docs", definition->docs);
    json_put(json, "aliases", texts_json(definition->aliases, definition->alias_count));
    json_put(json, "controlsMapped", controls_mapped(definition));
}

Json *provider_object(const Definition *definition) {
    Json *json = json_new_object();
    Json *settings = json_new_array();
    Json *auth = json_new_array();
    Json *types = json_new_array();
    put_card(json, definition);
    json_put_string(json, "sha256", definition->sha256);
    json_put_string(json, "setup", definition->setup);
    json_put_time(json, "checkedAt", definition->checked_ms);
    json_put(json, "hosts", texts_json(definition->hosts, definition->host_count));
    for (size_t i = 0; i < definition->setting_count; i++)
        json_add(settings, input_json(&definition->settings[i]));
    for (size_t i = 0; i < definition->auth_count; i++)
        json_add(auth, auth_json(&definition->auth[i]));
    for (size_t i = 0; i < definition->type_count; i++)
        json_add(types, type_json(&definition->types[i]));
    json_put(json, "settings", settings);
    json_put(json, "auth", auth);
    json_put(json, "evidenceTypes", types);
    return json;
}

Json *provider_card(const Definition *definition) {
    Json *json = json_new_object();
    Json *types = json_new_array();
    put_card(json, definition);
    for (size_t i = 0; i < definition->type_count; i++)
        json_add_string(types, definition->types[i].name);
    json_put(json, "evidenceTypes", types);
    return json;
}
