#include "comply/mapping.h"

#include <string.h>

/* A control that the organization has changed. */
typedef struct {
    GPtrArray *changes; /* const ControlMapping * */
    GArray *checks;     /* MappedCheck */
    GArray *aside;      /* the same */
} ChangedControl;

struct Mapping {
    const Law *law;
    Law *own;            /* what law is when no registry keeps it */
    GHashTable *changed; /* const FrameworkControl * -> ChangedControl */
};

const char *mapping_origin_name(MappingOrigin origin) {
    static const char *const names[] = {[MAPPING_DEFINITION] = "definition",
                                        [MAPPING_FRAMEWORK] = "framework",
                                        [MAPPING_ORGANIZATION] = "organization"};
    return names[origin];
}

/* --- what the organization has changed -------------------------------------------------------- */

static void changed_free(void *data) {
    ChangedControl *changed = data;
    g_ptr_array_unref(changed->changes);
    g_array_unref(changed->checks);
    g_array_unref(changed->aside);
    g_free(changed);
}

static void note_change(Mapping *mapping, const FrameworkControl *control, ControlMapping *change) {
    ChangedControl *changed = g_hash_table_lookup(mapping->changed, control);
    if (changed == NULL) {
        changed = g_new0(ChangedControl, 1);
        changed->changes = g_ptr_array_new();
        changed->checks = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
        changed->aside = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
        g_hash_table_insert(mapping->changed, (void *)(uintptr_t)control, changed);
    }
    g_ptr_array_add(changed->changes, change);
}

static void note_changes(Mapping *mapping, const GPtrArray *changes) {
    const Framework *framework = law_framework(mapping->law);
    for (guint i = 0; changes != NULL && i < changes->len; i++) {
        ControlMapping *change = g_ptr_array_index(changes, i);
        const FrameworkControl *control = strcmp(change->framework, framework->id) == 0
                                              ? framework_control(framework, change->control_id)
                                              : NULL;
        if (control != NULL)
            note_change(mapping, control, change);
    }
}

static bool is_of(const ControlMapping *change, const MappedCheck *mapped) {
    size_t length = strlen(mapped->type->name);
    return strcmp(change->provider, mapped->definition->id) == 0 &&
           strncmp(change->check_id, mapped->type->name, length) == 0 &&
           change->check_id[length] == '.' &&
           strcmp(change->check_id + length + 1, mapped->check->name) == 0;
}

static const ControlMapping *change_of(const ChangedControl *changed, const MappedCheck *mapped) {
    for (guint i = 0; i < changed->changes->len; i++) {
        const ControlMapping *change = g_ptr_array_index(changed->changes, i);
        if (is_of(change, mapped))
            return change;
    }
    return NULL;
}

/* The check that a change names; false when there is none (any more). */
static bool find_check(const Law *law, const ControlMapping *change, MappedCheck *mapped_out) {
    const char *dot = strchr(change->check_id, '.');
    const Definition *definition = law_definition(law, change->provider);
    if (dot == NULL || definition == NULL)
        return false;
    g_autofree char *name = g_strndup(change->check_id, (size_t)(dot - change->check_id));
    const EvidenceType *type = definition_type(definition, name);
    const DefinitionCheck *check = type == NULL ? NULL : evidence_type_check(type, dot + 1);
    *mapped_out = (MappedCheck){definition, type, check, MAPPING_ORGANIZATION, change};
    return check != NULL;
}

/* --- both ------------------------------------------------------------------------------------- */

static void copy_own(ChangedControl *changed, const Law *law, size_t control) {
    size_t count;
    const MappedCheck *own = law_checks(law, control, &count);
    for (size_t i = 0; i < count; i++) {
        MappedCheck mapped = own[i];
        mapped.change = change_of(changed, &mapped);
        g_array_append_val(changed->checks, mapped);
    }
}

static bool has_check(const GArray *checks, const DefinitionCheck *check) {
    for (guint i = 0; i < checks->len; i++)
        if (g_array_index(checks, MappedCheck, i).check == check)
            return true;
    return false;
}

static void add_others(ChangedControl *changed, const Law *law) {
    for (guint i = 0; i < changed->changes->len; i++) {
        const ControlMapping *change = g_ptr_array_index(changed->changes, i);
        MappedCheck mapped;
        if (change->added && find_check(law, change, &mapped) &&
            !has_check(changed->checks, mapped.check))
            g_array_append_val(changed->checks, mapped);
    }
}

/* Types and checks of a definition are arrays. */
static int compare(const void *a, const void *b) {
    const MappedCheck *left = a;
    const MappedCheck *right = b;
    int order = strcmp(left->definition->id, right->definition->id);
    if (order == 0)
        order = (left->type > right->type) - (left->type < right->type);
    return order != 0 ? order : (left->check > right->check) - (left->check < right->check);
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

static void set_aside(ChangedControl *changed) {
    g_autoptr(GArray) all = g_steal_pointer(&changed->checks);
    changed->checks = g_array_new(FALSE, FALSE, sizeof(MappedCheck));
    for (guint i = 0; i < all->len; i++) {
        const MappedCheck *mapped = &g_array_index(all, MappedCheck, i);
        bool aside = is_aside(mapped) && keeps_one(all, mapped);
        g_array_append_vals(aside ? changed->aside : changed->checks, mapped, 1);
    }
}

/* --- life ------------------------------------------------------------------------------------- */

static Mapping *make(const Law *law, const GPtrArray *changes) {
    Mapping *mapping = g_new0(Mapping, 1);
    mapping->law = law;
    mapping->changed = g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, changed_free);
    note_changes(mapping, changes);
    GHashTableIter iterator;
    gpointer control, data;
    g_hash_table_iter_init(&iterator, mapping->changed);
    while (g_hash_table_iter_next(&iterator, &control, &data)) {
        ChangedControl *changed = data;
        copy_own(changed, law, ((const FrameworkControl *)control)->index);
        add_others(changed, law);
        g_array_sort(changed->checks, compare);
        set_aside(changed);
    }
    return mapping;
}

Mapping *mapping_new(const Framework *framework, Registry *registry, const GPtrArray *changes) {
    return make(law_of(framework, registry), changes);
}

Mapping *mapping_of(const Framework *framework, const Definition *definition,
                    const GPtrArray *changes) {
    Law *law = law_new(framework, definition);
    Mapping *mapping = make(law, changes);
    mapping->own = law;
    return mapping;
}

void mapping_free(Mapping *mapping) {
    if (mapping == NULL)
        return;
    g_hash_table_unref(mapping->changed);
    law_free(mapping->own);
    g_free(mapping);
}

/* NULL when the organization has changed nothing there. */
static const ChangedControl *changed_control(const Mapping *mapping, size_t control) {
    const Framework *framework = law_framework(mapping->law);
    g_assert(control < framework->control_count);
    return g_hash_table_lookup(mapping->changed, &framework->controls[control]);
}

static const MappedCheck *items_of(const GArray *list, size_t *count_out) {
    *count_out = list->len;
    return (const MappedCheck *)(const void *)list->data;
}

const MappedCheck *mapping_checks(const Mapping *mapping, size_t control, size_t *count_out) {
    const ChangedControl *changed = changed_control(mapping, control);
    return changed != NULL ? items_of(changed->checks, count_out)
                           : law_checks(mapping->law, control, count_out);
}

const MappedCheck *mapping_set_aside(const Mapping *mapping, size_t control, size_t *count_out) {
    const ChangedControl *changed = changed_control(mapping, control);
    if (changed != NULL)
        return items_of(changed->aside, count_out);
    *count_out = 0;
    return NULL;
}

/* --- one evidence type ------------------------------------------------------------------------ */

static bool is_named(const DefinitionCheck *check, const ControlRef *ref) {
    for (size_t f = 0; f < check->control_count; f++) {
        const CheckControls *named = &check->controls[f];
        for (size_t i = 0; strcmp(named->framework, ref->framework->id) == 0 && i < named->count;
             i++)
            if (framework_control(ref->framework, named->controls[i]) == ref->control)
                return true;
    }
    return false;
}

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
        if (is_named(check, ref) || is_added(changes, definition, ref, id))
            return true;
    }
    return false;
}
