#include "comply/mapping.h"

#include "comply/control_id.h"

#include <string.h>

#define NOT_MAPPED (-1)

typedef struct {
    GArray *checks; /* MappedCheck; NULL: none */
    GArray *aside;  /* the same */
} ControlChecks;

struct Mapping {
    const Framework *framework;
    ControlChecks *controls; /* by index of the control */
    GHashTable *changes;     /* "control/provider/type.check" -> const ControlMapping */
};

const char *mapping_origin_name(MappingOrigin origin) {
    static const char *const names[] = {[MAPPING_DEFINITION] = "definition",
                                        [MAPPING_FRAMEWORK] = "framework",
                                        [MAPPING_ORGANIZATION] = "organization"};
    return names[origin];
}

/* --- what the definitions say ----------------------------------------------------------------- */

/* Whether an id is the control's own, and not another name of it. */
static bool is_own_id(const Framework *framework, const FrameworkControl *control,
                      const char *text) {
    g_autofree char *given = control_id_key(text, framework->letter, NULL);
    g_autofree char *own = control_id_key(control->id, framework->letter, NULL);
    return g_strcmp0(given, own) == 0;
}

/* A MappingOrigin, or NOT_MAPPED. */
static int origin_of(const DefinitionCheck *check, const Framework *framework,
                     const FrameworkControl *control) {
    int origin = NOT_MAPPED;
    for (size_t f = 0; f < check->control_count; f++) {
        const CheckControls *named = &check->controls[f];
        if (strcmp(named->framework, framework->id) != 0)
            continue;
        for (size_t i = 0; i < named->count; i++) {
            if (framework_control(framework, named->controls[i]) != control)
                continue;
            if (is_own_id(framework, control, named->controls[i]))
                return MAPPING_DEFINITION;
            origin = MAPPING_FRAMEWORK;
        }
    }
    return origin;
}

/* --- what the organization has changed -------------------------------------------------------- */

static char *change_key(size_t control, const char *provider, const char *check_id) {
    return g_strdup_printf("%zu/%s/%s", control, provider, check_id);
}

static void index_changes(Mapping *mapping, const GPtrArray *changes) {
    mapping->changes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (guint i = 0; changes != NULL && i < changes->len; i++) {
        ControlMapping *change = g_ptr_array_index(changes, i);
        const FrameworkControl *control =
            strcmp(change->framework, mapping->framework->id) == 0
                ? framework_control(mapping->framework, change->control_id)
                : NULL;
        if (control != NULL)
            g_hash_table_replace(mapping->changes,
                                 change_key(control->index, change->provider, change->check_id),
                                 change);
    }
}

static const ControlMapping *change_of(const Mapping *mapping, size_t control,
                                       const MappedCheck *mapped) {
    if (g_hash_table_size(mapping->changes) == 0)
        return NULL;
    g_autofree char *id = g_strdup_printf("%s.%s", mapped->type->name, mapped->check->name);
    g_autofree char *key = change_key(control, mapped->definition->id, id);
    return g_hash_table_lookup(mapping->changes, key);
}

/* --- both ------------------------------------------------------------------------------------- */

static void append(GArray **list, const MappedCheck *mapped) {
    if (*list == NULL)
        *list = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
    g_array_append_vals(*list, mapped, 1);
}

/* A check that names a control twice supports it once. */
static bool is_last(const ControlChecks *checks, const DefinitionCheck *check) {
    const GArray *list = checks->checks;
    return list != NULL && list->len > 0 &&
           g_array_index(list, MappedCheck, list->len - 1).check == check;
}

static void add_own(Mapping *mapping, const FrameworkControl *control, MappedCheck mapped) {
    ControlChecks *checks = &mapping->controls[control->index];
    if (is_last(checks, mapped.check))
        return;
    mapped.origin = (MappingOrigin)origin_of(mapped.check, mapping->framework, control);
    mapped.change = change_of(mapping, control->index, &mapped);
    append(&checks->checks, &mapped);
}

static void add_controls(Mapping *mapping, const CheckControls *named, const MappedCheck *mapped) {
    if (strcmp(named->framework, mapping->framework->id) != 0)
        return;
    for (size_t i = 0; i < named->count; i++) {
        const FrameworkControl *control = framework_control(mapping->framework, named->controls[i]);
        if (control != NULL)
            add_own(mapping, control, *mapped);
    }
}

/* What the organization says besides of a check. */
static void add_changes(Mapping *mapping, const MappedCheck *mapped) {
    GHashTableIter iterator;
    gpointer value;
    g_autofree char *id = g_strdup_printf("%s.%s", mapped->type->name, mapped->check->name);
    g_hash_table_iter_init(&iterator, mapping->changes);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const ControlMapping *change = value;
        if (!change->added || strcmp(change->check_id, id) != 0 ||
            strcmp(change->provider, mapped->definition->id) != 0)
            continue;
        const FrameworkControl *control = framework_control(mapping->framework, change->control_id);
        MappedCheck added = *mapped;
        added.origin = MAPPING_ORGANIZATION;
        added.change = change;
        if (origin_of(mapped->check, mapping->framework, control) == NOT_MAPPED)
            append(&mapping->controls[control->index].checks, &added);
    }
}

static void add_type(Mapping *mapping, const Definition *definition, const EvidenceType *type) {
    for (size_t i = 0; i < type->check_count; i++) {
        const DefinitionCheck *check = &type->checks[i];
        MappedCheck mapped = {.definition = definition, .type = type, .check = check};
        for (size_t j = 0; j < check->control_count; j++)
            add_controls(mapping, &check->controls[j], &mapped);
        if (g_hash_table_size(mapping->changes) > 0)
            add_changes(mapping, &mapped);
    }
}

/* --- the law ---------------------------------------------------------------------------------- */

static bool is_aside(const MappedCheck *mapped) {
    return mapped->origin != MAPPING_ORGANIZATION && mapped->change != NULL &&
           !mapped->change->added;
}

/* Whether a check of this one's type remains that the definition names. */
static bool keeps_one(const GArray *checks, const MappedCheck *mapped) {
    for (guint i = 0; i < checks->len; i++) {
        const MappedCheck *other = &g_array_index(checks, MappedCheck, i);
        if (other->type == mapped->type && other->origin != MAPPING_ORGANIZATION &&
            !is_aside(other))
            return true;
    }
    return false;
}

static void set_aside(ControlChecks *checks) {
    GArray *all = g_steal_pointer(&checks->checks);
    for (guint i = 0; i < all->len; i++) {
        const MappedCheck *mapped = &g_array_index(all, MappedCheck, i);
        bool aside = is_aside(mapped) && keeps_one(all, mapped);
        append(aside ? &checks->aside : &checks->checks, mapped);
    }
    g_array_unref(all);
}

/* --- life ------------------------------------------------------------------------------------- */

static Mapping *begin(const Framework *framework, const GPtrArray *changes) {
    Mapping *mapping = g_new0(Mapping, 1);
    mapping->framework = framework;
    mapping->controls = g_new0(ControlChecks, MAX(framework->control_count, 1));
    index_changes(mapping, changes);
    return mapping;
}

static void add_definition(Mapping *mapping, const Definition *definition) {
    for (size_t i = 0; i < definition->type_count; i++)
        add_type(mapping, definition, &definition->types[i]);
}

static Mapping *finish(Mapping *mapping) {
    for (size_t i = 0; i < mapping->framework->control_count; i++)
        if (mapping->controls[i].checks != NULL)
            set_aside(&mapping->controls[i]);
    return mapping;
}

Mapping *mapping_new(const Framework *framework, Registry *registry, const GPtrArray *changes) {
    Mapping *mapping = begin(framework, changes);
    const char *const *ids = registry_ids(registry);
    for (size_t i = 0; ids[i] != NULL; i++) {
        const Definition *definition = registry_find(registry, ids[i], NULL);
        if (definition != NULL)
            add_definition(mapping, definition);
    }
    return finish(mapping);
}

Mapping *mapping_of(const Framework *framework, const Definition *definition,
                    const GPtrArray *changes) {
    Mapping *mapping = begin(framework, changes);
    add_definition(mapping, definition);
    return finish(mapping);
}

void mapping_free(Mapping *mapping) {
    if (mapping == NULL)
        return;
    for (size_t i = 0; i < mapping->framework->control_count; i++) {
        g_clear_pointer(&mapping->controls[i].checks, g_array_unref);
        g_clear_pointer(&mapping->controls[i].aside, g_array_unref);
    }
    g_hash_table_unref(mapping->changes);
    g_free(mapping->controls);
    g_free(mapping);
}

static const MappedCheck *items_of(const GArray *list, size_t *count_out) {
    *count_out = list == NULL ? 0 : list->len;
    return list == NULL ? NULL : (const MappedCheck *)(const void *)list->data;
}

const MappedCheck *mapping_checks(const Mapping *mapping, size_t control, size_t *count_out) {
    g_assert(control < mapping->framework->control_count);
    return items_of(mapping->controls[control].checks, count_out);
}

const MappedCheck *mapping_set_aside(const Mapping *mapping, size_t control, size_t *count_out) {
    g_assert(control < mapping->framework->control_count);
    return items_of(mapping->controls[control].aside, count_out);
}

/* --- one evidence type ------------------------------------------------------------------------ */

static bool is_added(const GPtrArray *changes, const Definition *definition, const ControlRef *ref,
                     const char *check_id) {
    for (guint i = 0; changes != NULL && i < changes->len; i++) {
        const ControlMapping *change = g_ptr_array_index(changes, i);
        if (change->added && strcmp(change->check_id, check_id) == 0 &&
            strcmp(change->provider, definition->id) == 0 &&
            strcmp(change->framework, ref->framework->id) == 0 &&
            framework_control(ref->framework, change->control_id) == ref->control)
            return true;
    }
    return false;
}

/* Setting checks aside leaves each type one. */
bool mapping_supports(const Definition *definition, const EvidenceType *type, const ControlRef *ref,
                      const GPtrArray *changes) {
    for (size_t i = 0; i < type->check_count; i++) {
        const DefinitionCheck *check = &type->checks[i];
        g_autofree char *id = g_strdup_printf("%s.%s", type->name, check->name);
        if (origin_of(check, ref->framework, ref->control) != NOT_MAPPED ||
            is_added(changes, definition, ref, id))
            return true;
    }
    return false;
}
