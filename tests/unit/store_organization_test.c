#include "unit/store_support.h"

#include "store/organization.h"

static void reads_own(DbUnit *unit) {
    g_autoptr(Organization) row = NULL;
    store_ok(organization_get(unit, &row, &error));
    g_assert_cmpstr(row->id, ==, ORG_A);
    g_assert_cmpstr(row->name, ==, "Alpha");
    g_assert_cmpstr(row->wrapped_key, ==, "");
    g_assert_cmpint(row->created_at, ==, START_MS);
}

static void a_scope_reads_its_own_organization(void) {
    store_in(ORG_A, reads_own);
}

static void reads_missing(DbUnit *unit) {
    Organization *row = NULL;
    store_fails(ERROR_NOT_FOUND, organization_get(unit, &row, &error));
    g_assert_null(row);
}

static void a_scope_without_a_row_is_not_found(void) {
    store_in("org-c", reads_missing);
}

static void finds(DbUnit *unit) {
    g_autoptr(Organization) by_name = NULL;
    store_ok(organization_find_by_name(unit, "Beta", &by_name, &error));
    g_assert_cmpstr(by_name->id, ==, ORG_B);
    g_autoptr(Organization) by_id = NULL;
    store_ok(organization_find_by_name(unit, ORG_A, &by_id, &error));
    g_assert_cmpstr(by_id->name, ==, "Alpha");
    g_autoptr(Organization) none = NULL;
    store_ok(organization_find_by_name(unit, "beta", &none, &error));
    g_assert_null(none);
}

static void the_system_finds_by_name_or_id(void) {
    store_system(finds);
}

static void inserts_taken(DbUnit *unit) {
    Organization same_name = {.id = "org-c", .name = "Alpha"};
    store_fails(ERROR_CONFLICT, organization_insert(unit, &same_name, &error));
    Organization nameless = {.id = "org-c", .name = ""};
    store_fails(ERROR_CONFIGURATION, organization_insert(unit, &nameless, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(organization_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
}

static void a_taken_name_is_a_conflict(void) {
    store_system(inserts_taken);
}

static void inserts_taken_id(DbUnit *unit) {
    Organization same_id = {.id = ORG_A, .name = "Gamma"};
    store_fails(ERROR_CONFLICT, organization_insert(unit, &same_id, &error));
}

static void a_taken_id_is_a_conflict(void) {
    store_system(inserts_taken_id);
}

static void lists(DbUnit *unit) {
    g_autoptr(GPtrArray) first = NULL;
    store_ok(organization_list(unit, NULL, 1, &first, &error));
    g_assert_cmpuint(first->len, ==, 1);
    const Organization *row = g_ptr_array_index(first, 0);
    g_assert_cmpstr(row->id, ==, ORG_A);
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(organization_list(unit, row->id, 0, &rest, &error));
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(((const Organization *)g_ptr_array_index(rest, 0))->id, ==, ORG_B);
}

static void organizations_are_listed_in_pages(void) {
    store_system(lists);
}

static void sets_key(DbUnit *unit) {
    store_ok(organization_set_key(unit, "", "wrapped-1", &error));
    store_fails(ERROR_CONFLICT, organization_set_key(unit, "", "wrapped-2", &error));
    g_autoptr(Organization) row = NULL;
    store_ok(organization_get(unit, &row, &error));
    g_assert_cmpstr(row->wrapped_key, ==, "wrapped-1");
}

static void key_is_untouched(DbUnit *unit) {
    g_autoptr(Organization) row = NULL;
    store_ok(organization_get(unit, &row, &error));
    g_assert_cmpstr(row->wrapped_key, ==, "");
}

static void the_key_is_set_once_by_compare_and_swap(void) {
    store_in(ORG_A, sets_key);
    store_in(ORG_B, key_is_untouched);
}

static void renames(DbUnit *unit) {
    store_fails(ERROR_CONFLICT, organization_rename(unit, "Beta", &error));
    store_fails(ERROR_CONFIGURATION, organization_rename(unit, "", &error));
    store_ok(organization_rename(unit, "Alpha", &error));
    store_ok(organization_rename(unit, "Gamma", &error));
    g_autoptr(Organization) row = NULL;
    store_ok(organization_get(unit, &row, &error));
    g_assert_cmpstr(row->name, ==, "Gamma");
}

static void takes_old_name(DbUnit *unit) {
    Organization row = {.id = "org-c", .name = "Alpha"};
    store_ok(organization_insert(unit, &row, &error));
    g_autoptr(Organization) found = NULL;
    store_ok(organization_find_by_name(unit, "Gamma", &found, &error));
    g_assert_cmpstr(found->id, ==, ORG_A);
}

static void renames_missing(DbUnit *unit) {
    store_fails(ERROR_NOT_FOUND, organization_rename(unit, "Delta", &error));
}

static void a_renamed_organization_gives_its_old_name_back(void) {
    store_in(ORG_A, renames);
    store_system(takes_old_name);
    store_in("org-z", renames_missing);
}

static const StoreTest tests[] = {
    {"a_scope_reads_its_own_organization", a_scope_reads_its_own_organization},
    {"a_scope_without_a_row_is_not_found", a_scope_without_a_row_is_not_found},
    {"the_system_finds_by_name_or_id", the_system_finds_by_name_or_id},
    {"a_taken_name_is_a_conflict", a_taken_name_is_a_conflict},
    {"a_taken_id_is_a_conflict", a_taken_id_is_a_conflict},
    {"organizations_are_listed_in_pages", organizations_are_listed_in_pages},
    {"a_renamed_organization_gives_its_old_name_back",
     a_renamed_organization_gives_its_old_name_back},
    {"the_key_is_set_once_by_compare_and_swap", the_key_is_set_once_by_compare_and_swap},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "organization", tests, G_N_ELEMENTS(tests));
}
