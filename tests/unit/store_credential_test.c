#include "unit/store_support.h"

#include "base/clock.h"
#include "store/credential.h"

static const Credential main_credential = {.id = "credential-1",
                                           .integration_id = INTEGRATION_A,
                                           .name = "main",
                                           .fields = "{\"access_token\":\"v1.sealed\"}",
                                           .metadata = "{\"scopes\":[\"repo\"]}",
                                           .expires_at = 5};

static void inserts(DbUnit *unit) {
    store_ok(credential_insert(unit, &main_credential, &error));
}

static void reads(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(credential_list_for_integration(unit, INTEGRATION_A, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const Credential *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->id, ==, "credential-1");
    g_assert_cmpstr(row->integration_id, ==, INTEGRATION_A);
    g_assert_cmpstr(row->name, ==, "main");
    g_assert_cmpstr(row->fields, ==, main_credential.fields);
    g_assert_cmpstr(row->metadata, ==, main_credential.metadata);
    g_assert_cmpint(row->version, ==, 1);
    g_assert_cmpint(row->expires_at, ==, 5);
    g_assert_cmpint(row->created_at, ==, START_MS);
    g_assert_cmpint(row->updated_at, ==, START_MS);
}

static void a_credential_comes_back_as_it_was_stored(void) {
    store_in(ORG_A, inserts);
    store_in(ORG_A, reads);
}

static void sees_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(credential_list_for_integration(unit, INTEGRATION_A, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
    Credential next = main_credential;
    next.version = 2;
    store_fails(ERROR_CONFLICT, credential_replace(unit, &next, &error));
    Credential foreign = main_credential;
    foreign.id = "credential-2";
    store_fails(ERROR_NOT_FOUND, credential_insert(unit, &foreign, &error));
}

static void another_organization_sees_and_changes_nothing(void) {
    store_in(ORG_A, inserts);
    store_in(ORG_B, sees_nothing);
    store_in(ORG_A, reads);
}

static void inserts_second(DbUnit *unit) {
    Credential bot = main_credential;
    bot.id = "credential-2";
    store_fails(ERROR_CONFLICT, credential_insert(unit, &bot, &error));
    bot.name = "bot";
    store_ok(credential_insert(unit, &bot, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(credential_list_for_integration(unit, INTEGRATION_A, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    g_assert_cmpstr(((const Credential *)g_ptr_array_index(rows, 0))->name, ==, "bot");
}

static void an_integration_has_one_credential_of_a_name(void) {
    store_in(ORG_A, inserts);
    store_in(ORG_A, inserts_second);
}

static void replaces(DbUnit *unit) {
    Credential next = main_credential;
    next.fields = "{\"access_token\":\"v1.other\"}";
    next.metadata = "{}";
    next.version = 2;
    next.expires_at = 9;
    store_ok(credential_replace(unit, &next, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(credential_list_for_integration(unit, INTEGRATION_A, &rows, &error));
    const Credential *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->fields, ==, next.fields);
    g_assert_cmpstr(row->metadata, ==, "{}");
    g_assert_cmpint(row->version, ==, 2);
    g_assert_cmpint(row->expires_at, ==, 9);
    g_assert_cmpint(row->created_at, ==, START_MS);
    g_assert_cmpint(row->updated_at, ==, START_MS + 60);
}

static void replaces_from_an_old_version(DbUnit *unit) {
    Credential late = main_credential;
    late.fields = "{\"access_token\":\"v1.late\"}";
    late.version = 2;
    store_fails(ERROR_CONFLICT, credential_replace(unit, &late, &error));
    late.version = 4;
    store_fails(ERROR_CONFLICT, credential_replace(unit, &late, &error));
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(credential_list_for_integration(unit, INTEGRATION_A, &rows, &error));
    const Credential *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->fields, ==, "{\"access_token\":\"v1.other\"}");
}

static void only_the_first_of_two_replacements_wins(void) {
    store_in(ORG_A, inserts);
    clock_advance(60);
    store_in(ORG_A, replaces);
    store_in(ORG_A, replaces_from_an_old_version);
}

static const StoreTest tests[] = {
    {"a_credential_comes_back_as_it_was_stored", a_credential_comes_back_as_it_was_stored},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"an_integration_has_one_credential_of_a_name", an_integration_has_one_credential_of_a_name},
    {"only_the_first_of_two_replacements_wins", only_the_first_of_two_replacements_wins},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "credential", tests, G_N_ELEMENTS(tests));
}
