#include "present/policy_object.h"

#include "base/error.h"
#include "provider/policy.h"

/* --- the types -------------------------------------------------------------------------------- */

static const EvidenceType *find_type(const Definition *definition, const char *name,
                                     GError **error) {
    const EvidenceType *type = definition_type(definition, name);
    if (!type)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "%s has no such evidence type; `assay provider show %s` lists them",
                    definition->name, definition->id);
    return type;
}

static bool is_among(const EvidenceType *const *types, size_t count, const EvidenceType *type) {
    for (size_t i = 0; i < count; i++)
        if (types[i] == type)
            return true;
    return false;
}

const EvidenceType **policy_types(const Definition *definition, const char *const *names,
                                  size_t *count_out, GError **error) {
    size_t most = names ? g_strv_length((char **)(uintptr_t)names) : definition->type_count;
    g_autofree const EvidenceType **types = g_new0(const EvidenceType *, MAX(most, 1));
    size_t count = 0;
    for (size_t i = 0; i < most; i++) {
        const EvidenceType *type =
            names ? find_type(definition, names[i], error) : &definition->types[i];
        if (!type)
            return NULL;
        if (!is_among(types, count, type))
            types[count++] = type;
    }
    *count_out = count;
    return g_steal_pointer(&types);
}

/* --- the object ------------------------------------------------------------------------------- */

static Json *names_json(const GPtrArray *names) {
    Json *list = json_new_array();
    for (guint i = 0; i < names->len; i++)
        json_add_string(list, names->pdata[i]);
    return list;
}

static Json *needs_json(const Definition *definition, const EvidenceType *const *types,
                        size_t count) {
    g_autoptr(GPtrArray) vocabularies = policy_vocabularies(definition);
    Json *needs = json_new_object();
    for (guint i = 0; i < vocabularies->len; i++) {
        const char *vocabulary = vocabularies->pdata[i];
        g_autoptr(GPtrArray) names = policy_names(definition, vocabulary, types, count);
        json_put(needs, vocabulary, names_json(names));
    }
    return needs;
}

Json *policy_object(const Definition *definition, const EvidenceType *const *types, size_t count) {
    Json *json = json_new_object();
    Json *named = json_new_array();
    for (size_t i = 0; i < count; i++)
        json_add_string(named, types[i]->name);
    json_put_string(json, "provider", definition->id);
    json_put(json, "evidenceTypes", named);
    json_put(json, "needs", needs_json(definition, types, count));
    if (definition->service_count > 0)
        json_put(json, "policy", policy_document(definition, types, count));
    return json;
}
