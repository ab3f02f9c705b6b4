/* What a database is made of, and where two of them differ. */
#include "unit/store_support.h"

#include "store/schema_part.h"

#include <string.h>

static const SchemaPart table_a = {"table a", "create table a (x)"};
static const SchemaPart other_a = {"table a", "create table a (y)"};
static const SchemaPart table_b = {"table b", "create table b (x)"};
static const SchemaPart trigger_c = {"trigger c", "create trigger c"};

static GPtrArray *parts_of(const SchemaPart *const *parts) {
    GPtrArray *list = g_ptr_array_new();
    for (; *parts; parts++)
        g_ptr_array_add(list, (void *)(uintptr_t)*parts);
    return list;
}

static void differ(const SchemaPart *const *one, const SchemaPart *const *two, const char *wanted) {
    g_autoptr(GPtrArray) parts = parts_of(one);
    g_autoptr(GPtrArray) others = parts_of(two);
    g_assert_cmpstr(schema_part_difference(parts, others), ==, wanted);
    g_assert_cmpstr(schema_part_difference(others, parts), ==, wanted);
}

static void the_first_difference_is_named_from_either_side(void) {
    const SchemaPart *none[] = {NULL};
    const SchemaPart *a[] = {&table_a, NULL};
    const SchemaPart *changed[] = {&other_a, NULL};
    const SchemaPart *a_b[] = {&table_a, &table_b, NULL};
    const SchemaPart *a_c[] = {&table_a, &trigger_c, NULL};
    const SchemaPart *all[] = {&table_a, &table_b, &trigger_c, NULL};
    differ(none, none, NULL);
    differ(all, all, NULL);
    differ(a, none, "table a");
    differ(a, changed, "table a");
    differ(a, a_b, "table b");
    differ(all, a_c, "table b");
    differ(a_b, all, "trigger c");
    differ(a_b, a_c, "table b");
}

static const SchemaPart *find(const GPtrArray *parts, const char *name) {
    for (guint i = 0; i < parts->len; i++)
        if (strcmp(((const SchemaPart *)g_ptr_array_index(parts, i))->name, name) == 0)
            return g_ptr_array_index(parts, i);
    return NULL;
}

static void lists(DbUnit *unit) {
    g_autoptr(GPtrArray) parts = NULL;
    g_autoptr(GPtrArray) again = NULL;
    store_ok(schema_part_list(unit, &parts, &error));
    store_ok(schema_part_list(unit, &again, &error));
    g_assert_nonnull(find(parts, "table organization"));
    g_assert_nonnull(find(parts, "table audit"));
    g_assert_null(find(parts, "table sqlite_stat1"));
    g_assert_null(schema_part_difference(parts, again));
    for (guint i = 0; i < parts->len; i++)
        g_assert_cmpstr(((const SchemaPart *)g_ptr_array_index(parts, i))->text, !=, "");
}

static void a_database_tells_what_it_is_made_of(void) {
    store_system(lists);
    store_in(ORG_A, lists);
}

static const StoreTest tests[] = {
    {"the_first_difference_is_named_from_either_side",
     the_first_difference_is_named_from_either_side},
    {"a_database_tells_what_it_is_made_of", a_database_tells_what_it_is_made_of},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "schema_part", tests, G_N_ELEMENTS(tests));
}
