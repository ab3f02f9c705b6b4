#include "comply/mapping.h"

#include <string.h>

struct Mapping {
    const Framework *framework;
    GArray **controls; /* of MappedCheck, by index of the control; NULL: none */
};

/* A check that names a control twice supports it once. */
static void add(Mapping *mapping, size_t control, const MappedCheck *mapped) {
    GArray **checks = &mapping->controls[control];
    if (*checks == NULL)
        *checks = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
    if ((*checks)->len > 0 &&
        g_array_index(*checks, MappedCheck, (*checks)->len - 1).check == mapped->check)
        return;
    g_array_append_vals(*checks, mapped, 1);
}

static void add_controls(Mapping *mapping, const CheckControls *controls,
                         const MappedCheck *mapped) {
    if (strcmp(controls->framework, mapping->framework->id) != 0)
        return;
    for (size_t i = 0; i < controls->count; i++) {
        const FrameworkControl *control =
            framework_control(mapping->framework, controls->controls[i]);
        if (control != NULL)
            add(mapping, control->index, mapped);
    }
}

static void add_type(Mapping *mapping, const Definition *definition, const EvidenceType *type) {
    for (size_t i = 0; i < type->check_count; i++) {
        const DefinitionCheck *check = &type->checks[i];
        MappedCheck mapped = {definition, type, check};
        for (size_t j = 0; j < check->control_count; j++)
            add_controls(mapping, &check->controls[j], &mapped);
    }
}

Mapping *mapping_new(const Framework *framework, Registry *registry) {
    Mapping *mapping = g_new0(Mapping, 1);
    mapping->framework = framework;
    mapping->controls = g_new0(GArray *, MAX(framework->control_count, 1));
    const char *const *ids = registry_ids(registry);
    for (size_t i = 0; ids[i] != NULL; i++) {
        const Definition *definition = registry_find(registry, ids[i], NULL);
        for (size_t t = 0; definition != NULL && t < definition->type_count; t++)
            add_type(mapping, definition, &definition->types[t]);
    }
    return mapping;
}

void mapping_free(Mapping *mapping) {
    if (mapping == NULL)
        return;
    for (size_t i = 0; i < mapping->framework->control_count; i++) {
        if (mapping->controls[i] != NULL)
            g_array_unref(mapping->controls[i]);
    }
    g_free(mapping->controls);
    g_free(mapping);
}

const MappedCheck *mapping_checks(const Mapping *mapping, size_t control, size_t *count_out) {
    g_assert(control < mapping->framework->control_count);
    const GArray *checks = mapping->controls[control];
    *count_out = checks == NULL ? 0 : checks->len;
    return checks == NULL ? NULL : (const MappedCheck *)(const void *)checks->data;
}
