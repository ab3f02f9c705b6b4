#include "provider/policy.h"

#define VOCABULARY "iam"

static void add_call(const DefinitionCall *call, const char *vocabulary, GPtrArray *names) {
    if (call == NULL)
        return;
    for (size_t i = 0; i < call->need_count; i++) {
        const DefinitionNeed *need = &call->needs[i];
        if (strcmp(need->vocabulary, vocabulary) != 0)
            continue;
        for (size_t n = 0; n < need->count; n++)
            g_ptr_array_add(names, (void *)(uintptr_t)need->names[n]);
    }
}

static void add_type(const EvidenceType *type, const char *vocabulary, GPtrArray *names) {
    for (size_t i = 0; i < type->node_count; i++) {
        const ReadNode *node = &type->nodes[i];
        add_call(node->call, vocabulary, names);
        for (size_t n = 0; n < node->first_count; n++)
            add_call(node->first[n], vocabulary, names);
    }
}

static int compare_texts(const void *a, const void *b) {
    const char *const *first = a;
    const char *const *second = b;
    return strcmp(*first, *second);
}

static void sort_without_doubles(GPtrArray *names) {
    guint kept = 0;
    g_ptr_array_sort(names, compare_texts);
    for (guint i = 0; i < names->len; i++) {
        if (kept == 0 || strcmp(names->pdata[kept - 1], names->pdata[i]) != 0)
            names->pdata[kept++] = names->pdata[i];
    }
    g_ptr_array_set_size(names, (gint)kept);
}

GPtrArray *policy_names(const Definition *definition, const char *vocabulary,
                        const EvidenceType *const *types, size_t type_count) {
    GPtrArray *names = g_ptr_array_new();
    add_call(definition->identity.call, vocabulary, names);
    add_call(definition->identity.organizations_call, vocabulary, names);
    for (size_t i = 0; i < definition->setting_count; i++) {
        if (definition->settings[i].discover_call >= 0)
            add_call(&definition->calls[definition->settings[i].discover_call], vocabulary, names);
    }
    for (size_t i = 0; i < type_count; i++)
        add_type(types[i], vocabulary, names);
    sort_without_doubles(names);
    return names;
}

GPtrArray *policy_vocabularies(const Definition *definition) {
    GPtrArray *names = g_ptr_array_new();
    for (size_t i = 0; i < definition->call_count; i++) {
        const DefinitionCall *call = &definition->calls[i];
        for (size_t n = 0; n < call->need_count; n++)
            g_ptr_array_add(names, (void *)(uintptr_t)call->needs[n].vocabulary);
    }
    sort_without_doubles(names);
    return names;
}

GPtrArray *policy_actions(const Definition *definition, const EvidenceType *const *types,
                          size_t type_count) {
    return policy_names(definition, VOCABULARY, types, type_count);
}

Json *policy_document(const Definition *definition, const EvidenceType *const *types,
                      size_t type_count) {
    g_autoptr(GPtrArray) actions = policy_actions(definition, types, type_count);
    Json *names = json_new_array();
    for (guint i = 0; i < actions->len; i++)
        json_add_string(names, actions->pdata[i]);
    Json *statement = json_new_object();
    json_put_string(statement, "Sid", "AssayReadOnly");
    json_put_string(statement, "Effect", "Allow");
    json_put(statement, "Action", names);
    json_put_string(statement, "Resource", "*");
    Json *statements = json_new_array();
    json_add(statements, statement);
    Json *document = json_new_object();
    json_put_string(document, "Version", "2012-10-17");
    json_put(document, "Statement", statements);
    return document;
}
