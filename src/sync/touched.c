#include "sync/touched.h"

#include "comply/framework.h"

static void add_controls(const DefinitionCheck *check, GHashTable *controls) {
    for (size_t f = 0; f < check->control_count; f++) {
        const CheckControls *mapped = &check->controls[f];
        for (size_t i = 0; i < mapped->count; i++)
            if (framework_control_known(NULL, mapped->framework, mapped->controls[i]))
                g_hash_table_add(controls,
                                 g_strdup_printf("%s:%s", mapped->framework, mapped->controls[i]));
    }
}

size_t touched_controls(const Definition *definition, const Json *evidence_types) {
    g_autoptr(GHashTable) controls = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < json_count(evidence_types); i++) {
        const char *name = json_text(json_item(evidence_types, i));
        const EvidenceType *type = name ? definition_type(definition, name) : NULL;
        for (size_t c = 0; type && c < type->check_count; c++)
            add_controls(&type->checks[c], controls);
    }
    return g_hash_table_size(controls);
}
