#include "comply/law.h"

#include "comply/control_id.h"

#include <string.h>

struct Law {
    const Framework *framework;
    GPtrArray *definitions; /* borrowed, in alphabetic order */
    GArray **checks;        /* of MappedCheck, by index of the control; NULL: none */
};

/* --- one definition --------------------------------------------------------------------------- */

/* Whether an id is the control's own, and not another name of it. */
static bool is_own_id(const Framework *framework, const FrameworkControl *control,
                      const char *text) {
    if (strcmp(text, control->id) == 0)
        return true;
    g_autofree char *given = control_id_key(text, framework->letter, NULL);
    g_autofree char *own = control_id_key(control->id, framework->letter, NULL);
    return g_strcmp0(given, own) == 0;
}

/* A check that names a control twice supports it once, and best by its own id. */
static void add_check(GArray **list, const MappedCheck *mapped) {
    if (*list == NULL)
        *list = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
    MappedCheck *last =
        (*list)->len > 0 ? &g_array_index(*list, MappedCheck, (*list)->len - 1) : NULL;
    if (last == NULL || last->check != mapped->check)
        g_array_append_vals(*list, mapped, 1);
    else if (mapped->origin == MAPPING_DEFINITION)
        last->origin = MAPPING_DEFINITION;
}

static void add_named(Law *law, const CheckControls *named, MappedCheck mapped) {
    if (strcmp(named->framework, law->framework->id) != 0)
        return;
    for (size_t i = 0; i < named->count; i++) {
        const char *id = named->controls[i];
        const FrameworkControl *control = framework_control(law->framework, id);
        if (control == NULL)
            continue;
        bool own = is_own_id(law->framework, control, id);
        mapped.origin = own ? MAPPING_DEFINITION : MAPPING_FRAMEWORK;
        add_check(&law->checks[control->index], &mapped);
    }
}

static void add_type(Law *law, const Definition *definition, const EvidenceType *type) {
    for (size_t i = 0; i < type->check_count; i++) {
        const DefinitionCheck *check = &type->checks[i];
        MappedCheck mapped = {.definition = definition, .type = type, .check = check};
        for (size_t j = 0; j < check->control_count; j++)
            add_named(law, &check->controls[j], mapped);
    }
}

static void add_definition(Law *law, const Definition *definition) {
    g_ptr_array_add(law->definitions, (void *)(uintptr_t)definition);
    for (size_t i = 0; i < definition->type_count; i++)
        add_type(law, definition, &definition->types[i]);
}

/* --- life ------------------------------------------------------------------------------------- */

static Law *begin(const Framework *framework) {
    Law *law = g_new0(Law, 1);
    law->framework = framework;
    law->definitions = g_ptr_array_new();
    law->checks = g_new0(GArray *, MAX(framework->control_count, 1));
    return law;
}

Law *law_new(const Framework *framework, const Definition *definition) {
    Law *law = begin(framework);
    add_definition(law, definition);
    return law;
}

void law_free(Law *law) {
    if (law == NULL)
        return;
    for (size_t i = 0; i < law->framework->control_count; i++)
        g_clear_pointer(&law->checks[i], g_array_unref);
    g_ptr_array_unref(law->definitions);
    g_free(law->checks);
    g_free(law);
}

static Law *of_all(const Framework *framework, Registry *registry) {
    Law *law = begin(framework);
    const char *const *ids = registry_ids(registry);
    for (size_t i = 0; ids[i] != NULL; i++) {
        const Definition *definition = registry_find(registry, ids[i], NULL);
        if (definition != NULL)
            add_definition(law, definition);
    }
    return law;
}

static void free_law(void *law) {
    law_free(law);
}

static void free_laws(void *laws) {
    g_hash_table_unref(laws);
}

const Law *law_of(const Framework *framework, Registry *registry) {
    GHashTable *laws = registry_kept(registry);
    if (laws == NULL) {
        laws = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_law);
        registry_keep(registry, laws, free_laws);
    }
    Law *law = g_hash_table_lookup(laws, framework);
    if (law == NULL) {
        law = of_all(framework, registry);
        g_hash_table_insert(laws, (void *)(uintptr_t)framework, law);
    }
    return law;
}

/* --- asking ----------------------------------------------------------------------------------- */

const Framework *law_framework(const Law *law) {
    return law->framework;
}

const MappedCheck *law_checks(const Law *law, size_t control, size_t *count_out) {
    g_assert(control < law->framework->control_count);
    const GArray *list = law->checks[control];
    *count_out = list == NULL ? 0 : list->len;
    return list == NULL ? NULL : (const MappedCheck *)(const void *)list->data;
}

const Definition *law_definition(const Law *law, const char *id) {
    for (guint i = 0; i < law->definitions->len; i++) {
        const Definition *definition = g_ptr_array_index(law->definitions, i);
        if (strcmp(definition->id, id) == 0)
            return definition;
    }
    return NULL;
}
