#include "sync/touched.h"

#include "comply/reach.h"

static void add_controls(const Reach *reach, const DefinitionCheck *check, GHashTable *controls) {
    size_t count;
    const ControlRef *refs = reach_controls(reach, check, &count);
    for (size_t i = 0; i < count; i++)
        g_hash_table_add(controls, (void *)(uintptr_t)refs[i].control);
}

size_t touched_controls(const TouchedPlace *place, const Json *evidence_types) {
    g_autoptr(GHashTable) controls = g_hash_table_new(g_direct_hash, g_direct_equal);
    g_autoptr(Reach) reach = reach_new(place->definition, place->registry, place->changes);
    for (size_t i = 0; i < json_count(evidence_types); i++) {
        const char *name = json_text(json_item(evidence_types, i));
        const EvidenceType *type = name ? definition_type(place->definition, name) : NULL;
        for (size_t c = 0; type && c < type->check_count; c++)
            add_controls(reach, &type->checks[c], controls);
    }
    return g_hash_table_size(controls);
}
