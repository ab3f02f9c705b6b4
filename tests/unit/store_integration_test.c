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

/* --- status and health ------------------------------------------------------------------------ */

typedef enum { FIND_REFUSED, FIND_WELL, TEST_PASSED, PAUSE, RESUME, DISCONNECT, RECONNECT } Step;

static bool take_step(DbUnit *unit, const char *id, Step step, int64_t connection, GError **error) {
    static const char *const wanted[] = {[FIND_REFUSED] = INTEGRATION_RECONNECT_NEEDED,
                                         [FIND_WELL] = INTEGRATION_CONNECTED,
                                         [PAUSE] = INTEGRATION_PAUSED,
                                         [DISCONNECT] = INTEGRATION_DISCONNECTED};
    const Integration again = {
        .id = id, .auth = "pat", .settings = "{}", .account = "{\"user\":\"two\"}"};
    IntegrationStatus status = {.connection = connection};
    switch (step) {
    case TEST_PASSED:
        return integration_pass_test(unit, id, connection, error);
    case RESUME:
        return integration_resume(unit, id, error);
    case RECONNECT:
        return integration_reconnect(unit, &again, error);
    default:
        status.status = wanted[step];
        status.reason = step == FIND_REFUSED ? "refused" : NULL;
        return integration_update_status(unit, id, &status, error);
    }
}

static const struct {
    Step steps[5];
    size_t count;
    const char *status;
    const char *health;
} moves[] = {
    {{FIND_REFUSED}, 1, INTEGRATION_RECONNECT_NEEDED, INTEGRATION_RECONNECT_NEEDED},
    {{FIND_REFUSED, TEST_PASSED}, 2, INTEGRATION_CONNECTED, INTEGRATION_CONNECTED},
    {{FIND_REFUSED, PAUSE, RESUME}, 3, INTEGRATION_RECONNECT_NEEDED, INTEGRATION_RECONNECT_NEEDED},
    {{PAUSE, FIND_REFUSED}, 2, INTEGRATION_PAUSED, INTEGRATION_RECONNECT_NEEDED},
    {{PAUSE, FIND_REFUSED, RESUME}, 3, INTEGRATION_RECONNECT_NEEDED, INTEGRATION_RECONNECT_NEEDED},
    {{FIND_REFUSED, PAUSE, TEST_PASSED}, 3, INTEGRATION_PAUSED, INTEGRATION_CONNECTED},
    {{FIND_REFUSED, PAUSE, PAUSE, RESUME},
     4,
     INTEGRATION_RECONNECT_NEEDED,
     INTEGRATION_RECONNECT_NEEDED},
    {{PAUSE, RECONNECT}, 2, INTEGRATION_PAUSED, INTEGRATION_CONNECTED},
    {{DISCONNECT, TEST_PASSED}, 2, INTEGRATION_DISCONNECTED, INTEGRATION_CONNECTED},
    {{FIND_REFUSED, DISCONNECT, TEST_PASSED, FIND_WELL},
     4,
     INTEGRATION_DISCONNECTED,
     INTEGRATION_RECONNECT_NEEDED},
    {{PAUSE, DISCONNECT, RECONNECT}, 3, INTEGRATION_CONNECTED, INTEGRATION_CONNECTED},
    {{FIND_REFUSED, RECONNECT}, 2, INTEGRATION_CONNECTED, INTEGRATION_CONNECTED},
    {{RESUME}, 1, INTEGRATION_CONNECTED, INTEGRATION_CONNECTED},
};

static void moves_one(DbUnit *unit, size_t number) {
    g_autoptr(Integration) row = NULL;
    g_autofree char *id = g_strdup_printf("move-%zu", number);
    store_add_integration(unit, id);
    for (size_t i = 0; i < moves[number].count; i++)
        store_ok(take_step(unit, id, moves[number].steps[i], 0, &error));
    store_ok(integration_get(unit, id, &row, &error));
    g_assert_cmpstr(row->status, ==, moves[number].status);
    g_assert_cmpstr(row->health, ==, moves[number].health);
    bool refused = strcmp(row->health, INTEGRATION_RECONNECT_NEEDED) == 0;
    bool gone = strcmp(row->status, INTEGRATION_DISCONNECTED) == 0;
    g_assert_cmpstr(row->status_reason, ==, refused && !gone ? "refused" : NULL);
}

static void moves_all(DbUnit *unit) {
    for (size_t i = 0; i < G_N_ELEMENTS(moves); i++)
        moves_one(unit, i);
}

static void nobody_comes_back_in_better_health_than_he_went(void) {
    store_in(ORG_A, moves_all);
}

static void refuses_when_disconnected(DbUnit *unit) {
    store_ok(take_step(unit, INTEGRATION_A, DISCONNECT, 0, &error));
    store_fails(ERROR_CONFLICT, take_step(unit, INTEGRATION_A, PAUSE, 0, &error));
}

static void refuses_to_resume(DbUnit *unit) {
    store_fails(ERROR_CONFLICT, take_step(unit, INTEGRATION_A, RESUME, 0, &error));
}

static void what_is_disconnected_is_neither_paused_nor_resumed(void) {
    store_in(ORG_A, refuses_when_disconnected);
    store_in(ORG_A, refuses_to_resume);
}

static void finds_late(DbUnit *unit) {
    g_autoptr(Integration) row = NULL;
    IntegrationSync sync = {.result = "{}",
                            .synced_at = 5,
                            .status = {.status = INTEGRATION_RECONNECT_NEEDED, .connection = 1}};
    store_ok(take_step(unit, INTEGRATION_A, FIND_REFUSED, 1, &error));
    store_ok(take_step(unit, INTEGRATION_A, RECONNECT, 0, &error));
    store_ok(take_step(unit, INTEGRATION_A, FIND_REFUSED, 1, &error));
    store_ok(integration_record_sync(unit, INTEGRATION_A, &sync, &error));
    store_ok(integration_get(unit, INTEGRATION_A, &row, &error));
    g_assert_cmpint(row->connection, ==, 2);
    g_assert_cmpstr(row->status, ==, INTEGRATION_CONNECTED);
    g_assert_cmpstr(row->account, ==, "{\"user\":\"two\"}");
    g_assert_cmpint(row->last_sync_at, ==, 5);
    store_ok(take_step(unit, INTEGRATION_A, FIND_REFUSED, 2, &error));
    g_autoptr(Integration) then = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &then, &error));
    g_assert_cmpstr(then->status, ==, INTEGRATION_RECONNECT_NEEDED);
    store_ok(take_step(unit, INTEGRATION_A, RECONNECT, 0, &error));
    store_ok(take_step(unit, INTEGRATION_A, FIND_REFUSED, 3, &error));
    store_ok(take_step(unit, INTEGRATION_A, TEST_PASSED, 2, &error));
    g_autoptr(Integration) last = NULL;
    store_ok(integration_get(unit, INTEGRATION_A, &last, &error));
    g_assert_cmpstr(last->status, ==, INTEGRATION_RECONNECT_NEEDED);
}

static void what_was_found_of_an_earlier_connection_is_not_believed(void) {
    store_in(ORG_A, finds_late);
}

static void shares(DbUnit *unit) {
    int64_t shared = 0;
    store_ok(integration_insert(unit, &full, &error));
    store_ok(integration_share_all(unit, "user-2", &shared, &error));
    g_assert_cmpint(shared, ==, 0);
    store_ok(integration_share_all(unit, "user-1", &shared, &error));
    g_assert_cmpint(shared, ==, 1);
    g_autoptr(Integration) row = NULL;
    store_ok(integration_get(unit, full.id, &row, &error));
    g_assert_null(row->owner_user_id);
}

static void what_belonged_to_a_user_is_made_everybodys(void) {
    store_in(ORG_A, shares);
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
    {"nobody_comes_back_in_better_health_than_he_went",
     nobody_comes_back_in_better_health_than_he_went},
    {"what_is_disconnected_is_neither_paused_nor_resumed",
     what_is_disconnected_is_neither_paused_nor_resumed},
    {"what_was_found_of_an_earlier_connection_is_not_believed",
     what_was_found_of_an_earlier_connection_is_not_believed},
    {"what_belonged_to_a_user_is_made_everybodys", what_belonged_to_a_user_is_made_everybodys},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "integration", tests, G_N_ELEMENTS(tests));
}
