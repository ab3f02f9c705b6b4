#include "sandbox/condition.h"

#include "base/error.h"

#include <string.h>

typedef struct {
    FieldRef ref;
    GPtrArray *any_of; /* char * */
} Clause;

struct Condition {
    GArray *clauses;
};

static void clear_clause(gpointer data) {
    g_ptr_array_unref(((Clause *)data)->any_of);
}

static char *value_text(const Json *json) {
    return json_text(json) != NULL ? g_strdup(json_text(json)) : json_print(json, JSON_COMPACT);
}

static GPtrArray *load_values(const Json *json) {
    GPtrArray *values = g_ptr_array_new_with_free_func(g_free);
    if (json_kind(json) != JSON_KIND_ARRAY) {
        g_ptr_array_add(values, value_text(json));
        return values;
    }
    for (size_t i = 0; i < json_count(json); i++) {
        g_ptr_array_add(values, value_text(json_item(json, i)));
    }
    return values;
}

Condition *condition_compile(const Json *json, const Collection *collection, GError **error) {
    g_autoptr(Condition) condition = g_new0(Condition, 1);
    condition->clauses = g_array_new(FALSE, FALSE, sizeof(Clause));
    g_array_set_clear_func(condition->clauses, clear_clause);
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        Clause clause = {0};
        if (collection == NULL || !field_find(collection, key, &clause.ref)) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "A condition asks for the field %s, which is not there.", key);
            return NULL;
        }
        clause.any_of = load_values(value);
        g_array_append_val(condition->clauses, clause);
    }
    return g_steal_pointer(&condition);
}

void condition_free(Condition *condition) {
    if (condition != NULL) {
        g_array_unref(condition->clauses);
        g_free(condition);
    }
}

static bool equals(const char *text, size_t length, FieldValue value) {
    return length == value.length && memcmp(text, value.text, length) == 0;
}

static bool clause_holds(const Clause *clause, Item *item) {
    FieldValue value = item_value(item, clause->ref);
    for (guint i = 0; i < clause->any_of->len; i++) {
        const char *text = g_ptr_array_index(clause->any_of, i);
        if (equals(text, strlen(text), value)) {
            return true;
        }
    }
    return false;
}

bool condition_holds(const Condition *condition, Item *item) {
    for (guint i = 0; condition != NULL && i < condition->clauses->len; i++) {
        if (!clause_holds(&g_array_index(condition->clauses, Clause, i), item)) {
            return false;
        }
    }
    return true;
}

bool condition_lists(const char *list, FieldValue value) {
    while (true) {
        size_t length = strcspn(list, ",");
        if (equals(list, length, value)) {
            return true;
        }
        if (list[length] == '\0') {
            return false;
        }
        list += length + 1;
    }
}
