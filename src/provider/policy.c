#include "provider/policy.h"

#define VOCABULARY "iam"

static void add_call(const DefinitionCall *call, GPtrArray *actions) {
    if (call == NULL)
        return;
    for (size_t i = 0; i < call->need_count; i++) {
        const DefinitionNeed *need = &call->needs[i];
        if (strcmp(need->vocabulary, VOCABULARY) != 0)
            continue;
        for (size_t n = 0; n < need->count; n++)
            g_ptr_array_add(actions, (void *)(uintptr_t)need->names[n]);
    }
}

static void add_type(const EvidenceType *type, GPtrArray *actions) {
    for (size_t i = 0; i < type->node_count; i++) {
        const ReadNode *node = &type->nodes[i];
        add_call(node->call, actions);
        for (size_t n = 0; n < node->first_count; n++)
            add_call(node->first[n], actions);
    }
}

static int compare_texts(const void *a, const void *b) {
    const char *const *first = a;
    const char *const *second = b;
    return strcmp(*first, *second);
}

static void drop_doubles(GPtrArray *actions) {
    guint kept = 0;
    for (guint i = 0; i < actions->len; i++) {
        if (kept == 0 || strcmp(actions->pdata[kept - 1], actions->pdata[i]) != 0)
            actions->pdata[kept++] = actions->pdata[i];
    }
    g_ptr_array_set_size(actions, (gint)kept);
}

GPtrArray *policy_actions(const Definition *definition, const EvidenceType *const *types,
                          size_t type_count) {
    GPtrArray *actions = g_ptr_array_new();
    add_call(definition->identity.call, actions);
    add_call(definition->identity.organizations_call, actions);
    for (size_t i = 0; i < definition->setting_count; i++) {
        if (definition->settings[i].discover_call >= 0)
            add_call(&definition->calls[definition->settings[i].discover_call], actions);
    }
    for (size_t i = 0; i < type_count; i++)
        add_type(types[i], actions);
    g_ptr_array_sort(actions, compare_texts);
    drop_doubles(actions);
    return actions;
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
