#include "comply/reach.h"

struct Reach {
    const Definition *definition;
    GHashTable *controls; /* const DefinitionCheck * -> GArray of ControlRef */
};

static void unref_list(void *list) {
    g_array_unref(list);
}

static void add(Reach *reach, const DefinitionCheck *check, ControlRef ref) {
    GArray *list = g_hash_table_lookup(reach->controls, check);
    if (list == NULL) {
        list = g_array_new(FALSE, FALSE, sizeof(ControlRef));
        g_hash_table_insert(reach->controls, (void *)(uintptr_t)check, list);
    }
    g_array_append_val(list, ref);
}

static void add_control(Reach *reach, const Mapping *mapping, ControlRef ref) {
    size_t count;
    const MappedCheck *checks = mapping_checks(mapping, ref.control->index, &count);
    for (size_t i = 0; i < count; i++)
        if (checks[i].definition == reach->definition)
            add(reach, checks[i].check, ref);
}

static void add_framework(Reach *reach, const Mapping *mapping, const Framework *framework) {
    for (size_t i = 0; i < framework->control_count; i++)
        add_control(reach, mapping, (ControlRef){framework, &framework->controls[i]});
}

Reach *reach_new(const Definition *definition, Registry *registry, const GPtrArray *changes) {
    Reach *reach = g_new0(Reach, 1);
    reach->definition = definition;
    reach->controls = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, unref_list);
    bool known = registry_find(registry, definition->id, NULL) == definition;
    for (const char *const *id = framework_ids(); *id != NULL; id++) {
        const Framework *framework = framework_find(*id, NULL);
        if (framework == NULL)
            continue;
        g_autoptr(Mapping) mapping = known ? mapping_new(framework, registry, changes)
                                           : mapping_of(framework, definition, changes);
        add_framework(reach, mapping, framework);
    }
    return reach;
}

void reach_free(Reach *reach) {
    if (reach == NULL)
        return;
    g_hash_table_unref(reach->controls);
    g_free(reach);
}

const ControlRef *reach_controls(const Reach *reach, const DefinitionCheck *check,
                                 size_t *count_out) {
    const GArray *list = g_hash_table_lookup(reach->controls, check);
    *count_out = list == NULL ? 0 : list->len;
    return list == NULL ? NULL : (const ControlRef *)(const void *)list->data;
}
