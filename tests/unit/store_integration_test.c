#include "unit/store_support.h"

#include "base/clock.h"
#include "store/integration.h"

#include <string.h>

static const Integration full = {.id = "integration-full",
                                 .provider = "okta",
                                 .name = "people",
                                 .auth = "oauth",
                                 .status = INTEGRATION_DEGRADED,
                                 .status_reason = "reason",
                                 .error_message = "message",
                                 .settings = "{\"a\":1}",
                                 .account = "{\"user\":\"u\"}",
                                 .allow_private = true,
                                 .enabled_checks = "[\"x\"]",
                                 .evidence_types = "[\"y\"]",
                                 .scan_schedule = "4h",
                                 .last_sync_at = 1,
                                 .last_checked_at = 2,
                                 .next_check_at = 3,
                                 .last_sync_result = "{\"b\":2}",
                                 .rotation_due_at = 4,
                                 .owner_user_id = "user-1"};

static void stores_full(DbUnit *unit) {
    store_ok(integration_insert(unit, &full, &error));
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, full.id, &row, &error));
    g_assert_cmpstr(row->id, ==, full.id);
    g_assert_cmpstr(row->provider, ==, "okta");
    g_assert_cmpstr(row->name, ==, "people");
    g_assert_cmpstr(row->auth, ==, "oauth");
    g_assert_cmpstr(row->status, ==, "degraded");
    g_assert_cmpstr(row->status_reason, ==, "reason");
    g_assert_cmpstr(row->error_message, ==, "message");
    g_assert_cmpstr(row->settings, ==, full.settings);
    g_assert_cmpstr(row->account, ==, full.account);
    g_assert_true(row->allow_private);
    g_assert_cmpstr(row->enabled_checks, ==, "[\"x\"]");
    g_assert_cmpstr(row->evidence_types, ==, "[\"y\"]");
    g_assert_cmpstr(row->scan_schedule, ==, "4h");
    g_assert_cmpint(row->last_sync_at, ==, 1);
    g_assert_cmpint(row->last_checked_at, ==, 2);
    g_assert_cmpint(row->next_check_at, ==, 3);
    g_assert_cmpstr(row->last_sync_result, ==, full.last_sync_result);
    g_assert_cmpint(row->rotation_due_at, ==, 4);
    g_assert_cmpstr(row->owner_user_id, ==, "user-1");
    g_assert_cmpint(row->created_at, ==, START_MS);
    g_assert_cmpint(row->updated_at, ==, START_MS);
}

static void every_column_comes_back_as_it_was_stored(void) {
    store_in(ORG_A, stores_full);
}

static void reads_optional(DbUnit *unit) {
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_null(row->status_reason);
    g_assert_null(row->last_sync_result);
    g_assert_null(row->owner_user_id);
    g_assert_false(row->allow_private);
    g_assert_cmpint(row->last_sync_at, ==, 0);
}

static void what_was_not_given_is_null_or_zero(void) {
    store_in(ORG_A, reads_optional);
}

static void sees_nothing_of_a(DbUnit *unit) {
    Integration *row = NULL;
    store_fails(ERROR_NOT_FOUND, integration_get(unit, INTEGRATION_A, &row, &error));
    store_fails(ERROR_NOT_FOUND, integration_find(unit, INTEGRATION_A, &row, &error));
    store_fails(ERROR_NOT_FOUND, integration_require(unit, INTEGRATION_A, &error));
    IntegrationStatus status = {.status = INTEGRATION_PAUSED};
    store_fails(ERROR_NOT_FOUND, integration_update_status(unit, INTEGRATION_A, &status, &error));
    IntegrationSync sync = {.result = "{}", .synced_at = 1};
    store_fails(ERROR_NOT_FOUND, integration_record_sync(unit, INTEGRATION_A, &sync, &error));
    g_assert_null(row);
    IntegrationFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(integration_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpstr(((const Integration *)g_ptr_array_index(rows, 0))->id, ==, INTEGRATION_B);
}

static void is_untouched(DbUnit *unit) {
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpstr(row->status, ==, INTEGRATION_CONNECTED);
    g_assert_null(row->last_sync_result);
}

static void another_organization_sees_and_changes_nothing(void) {
    store_in(ORG_B, sees_nothing_of_a);
    store_in(ORG_A, is_untouched);
}

static void inserts_taken_name(DbUnit *unit) {
    Integration row = full;
    row.name = "acme";
    store_fails(ERROR_CONFLICT, integration_insert(unit, &row, &error));
}

static void a_taken_name_is_a_conflict(void) {
    store_in(ORG_A, inserts_taken_name);
}

static void inserts_bad_rows(DbUnit *unit) {
    Integration nameless = full;
    nameless.name = NULL;
    store_fails(ERROR_CONFIGURATION, integration_insert(unit, &nameless, &error));
    char text[STORE_NAME_MAX + 2];
    memset(text, 'n', sizeof text);
    text[sizeof text - 1] = 0;
    Integration long_name = full;
    long_name.name = text;
    store_fails(ERROR_LIMIT, integration_insert(unit, &long_name, &error));
    Integration *row = NULL;
    store_fails(ERROR_NOT_FOUND, integration_get(unit, full.id, &row, &error));
}

static void missing_and_too_long_texts_are_refused(void) {
    store_in(ORG_A, inserts_bad_rows);
}

static void finds_both_ways(DbUnit *unit) {
    Integration confusing = full;
    confusing.name = INTEGRATION_A;
    store_ok(integration_insert(unit, &confusing, &error));
    g_autoptr(Integration) by_name = NULL;
    store_ok(integration_find(unit, "acme", &by_name, &error));
    g_assert_cmpstr(by_name->id, ==, INTEGRATION_A);
    g_autoptr(Integration) by_id = NULL;
    store_ok(integration_find(unit, INTEGRATION_A, &by_id, &error));
    g_assert_cmpstr(by_id->id, ==, INTEGRATION_A);
}

static void an_id_comes_before_a_name_that_looks_like_it(void) {
    store_in(ORG_A, finds_both_ways);
}

static guint count(DbUnit *unit, const IntegrationFilter *filter) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(integration_list(unit, filter, &rows, &error));
    return rows->len;
}

static void lists_filtered(DbUnit *unit) {
    store_ok(integration_insert(unit, &full, &error));
    IntegrationFilter okta = {.provider = "okta"};
    g_assert_cmpuint(count(unit, &okta), ==, 1);
    IntegrationFilter connected = {.status = INTEGRATION_CONNECTED};
    g_assert_cmpuint(count(unit, &connected), ==, 1);
    IntegrationFilter neither = {.provider = "okta", .status = INTEGRATION_CONNECTED};
    g_assert_cmpuint(count(unit, &neither), ==, 0);
    IntegrationFilter first = {.limit = 1};
    g_assert_cmpuint(count(unit, &first), ==, 1);
    IntegrationFilter rest = {.after_id = INTEGRATION_A};
    g_assert_cmpuint(count(unit, &rest), ==, 1);
    IntegrationFilter behind = {.after_id = full.id};
    g_assert_cmpuint(count(unit, &behind), ==, 0);
}

static void lists_are_filtered_and_paged(void) {
    store_in(ORG_A, lists_filtered);
}

static void updates(DbUnit *unit) {
    IntegrationStatus status = {
        .status = INTEGRATION_RECONNECT_NEEDED, .reason = "expired", .error_message = "Reconnect."};
    store_ok(integration_update_status(unit, INTEGRATION_A, &status, &error));
    IntegrationSync sync = {.result = "{\"n\":1}",
                            .synced_at = 77,
                            .status = {.status = INTEGRATION_DEGRADED,
                                       .reason = "PERMISSION_DENIED",
                                       .error_message = "Some was not read."}};
    store_ok(integration_record_sync(unit, INTEGRATION_A, &sync, &error));
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpstr(row->status, ==, INTEGRATION_DEGRADED);
    g_assert_cmpstr(row->status_reason, ==, "PERMISSION_DENIED");
    g_assert_cmpstr(row->error_message, ==, "Some was not read.");
    g_assert_cmpstr(row->last_sync_result, ==, "{\"n\":1}");
    g_assert_cmpint(row->last_sync_at, ==, 77);
    g_assert_cmpint(row->last_checked_at, ==, 77);
    g_assert_cmpint(row->created_at, ==, START_MS);
    g_assert_cmpint(row->updated_at, ==, START_MS + 1000);
}

static void status_and_sync_are_recorded(void) {
    clock_advance(1000);
    store_in(ORG_A, updates);
}

static void syncs_while(DbUnit *unit, const char *set_by_people) {
    IntegrationStatus status = {.status = set_by_people};
    store_ok(integration_update_status(unit, INTEGRATION_A, &status, &error));
    IntegrationSync sync = {
        .result = "{}", .synced_at = 78, .status = {.status = INTEGRATION_CONNECTED}};
    store_ok(integration_record_sync(unit, INTEGRATION_A, &sync, &error));
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpstr(row->status, ==, set_by_people);
    g_assert_cmpint(row->last_sync_at, ==, 78);
}

static void syncs_while_paused_and_disconnected(DbUnit *unit) {
    syncs_while(unit, INTEGRATION_PAUSED);
    syncs_while(unit, INTEGRATION_DISCONNECTED);
}

static void a_run_that_ends_late_does_not_resume_what_people_paused(void) {
    store_in(ORG_A, syncs_while_paused_and_disconnected);
}

static const StoreTest tests[] = {
    {"every_column_comes_back_as_it_was_stored", every_column_comes_back_as_it_was_stored},
    {"what_was_not_given_is_null_or_zero", what_was_not_given_is_null_or_zero},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"a_taken_name_is_a_conflict", a_taken_name_is_a_conflict},
    {"missing_and_too_long_texts_are_refused", missing_and_too_long_texts_are_refused},
    {"an_id_comes_before_a_name_that_looks_like_it", an_id_comes_before_a_name_that_looks_like_it},
    {"lists_are_filtered_and_paged", lists_are_filtered_and_paged},
    {"status_and_sync_are_recorded", status_and_sync_are_recorded},
    {"a_run_that_ends_late_does_not_resume_what_people_paused",
     a_run_that_ends_late_does_not_resume_what_people_paused},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "integration", tests, G_N_ELEMENTS(tests));
}
