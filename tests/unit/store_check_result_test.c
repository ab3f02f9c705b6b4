#include "unit/store_support.h"

#include "store/check_result.h"

static const CheckResult full = {.integration_id = INTEGRATION_A,
                                 .check_id = "type.check",
                                 .evidence_type = "type",
                                 .evidence_id = "evidence-1",
                                 .verdict = "fail",
                                 .reason = "2 of 5 fail.",
                                 .judged = 5,
                                 .passed = 3,
                                 .failed = 2,
                                 .could_not_read = 1,
                                 .not_applicable = 4,
                                 .severity = "high",
                                 .definition_sha256 = "0f",
                                 .checked_at = 100,
                                 .valid_until = 200};

static void stores(DbUnit *unit) {
    store_ok(check_result_upsert(unit, &full, &error));
}

static void assert_only(DbUnit *unit, const CheckResult *expected) {
    CheckResultFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(check_result_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const CheckResult *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->integration_id, ==, expected->integration_id);
    g_assert_cmpstr(row->check_id, ==, expected->check_id);
    g_assert_cmpstr(row->evidence_type, ==, expected->evidence_type);
    g_assert_cmpstr(row->evidence_id, ==, expected->evidence_id);
    g_assert_cmpstr(row->verdict, ==, expected->verdict);
    g_assert_cmpstr(row->reason, ==, expected->reason);
    g_assert_cmpint(row->judged, ==, expected->judged);
    g_assert_cmpint(row->passed, ==, expected->passed);
    g_assert_cmpint(row->failed, ==, expected->failed);
    g_assert_cmpint(row->could_not_read, ==, expected->could_not_read);
    g_assert_cmpint(row->not_applicable, ==, expected->not_applicable);
    g_assert_cmpstr(row->severity, ==, expected->severity);
    g_assert_cmpstr(row->definition_sha256, ==, expected->definition_sha256);
    g_assert_cmpint(row->checked_at, ==, expected->checked_at);
    g_assert_cmpint(row->valid_until, ==, expected->valid_until);
}

static void reads(DbUnit *unit) {
    assert_only(unit, &full);
}

static void every_column_comes_back_as_it_was_stored(void) {
    store_in(ORG_A, stores);
    store_in(ORG_A, reads);
}

static void replaces(DbUnit *unit) {
    CheckResult next = {.integration_id = INTEGRATION_A,
                        .check_id = "type.check",
                        .evidence_type = "type2",
                        .evidence_id = "evidence-2",
                        .verdict = "pass",
                        .judged = 6,
                        .passed = 6,
                        .severity = "low",
                        .definition_sha256 = "1f",
                        .checked_at = 101,
                        .valid_until = 201};
    store_ok(check_result_upsert(unit, &next, &error));
    assert_only(unit, &next);
    store_ok(check_result_upsert(unit, &full, &error));
    assert_only(unit, &next);
}

static void a_later_result_replaces_and_an_earlier_does_not(void) {
    store_in(ORG_A, stores);
    store_in(ORG_A, replaces);
}

static void sees_nothing(DbUnit *unit) {
    CheckResultFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(check_result_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
    store_fails(ERROR_NOT_FOUND, check_result_upsert(unit, &full, &error));
    CheckResult nothing = {.integration_id = INTEGRATION_B};
    store_fails(ERROR_CONFIGURATION, check_result_upsert(unit, &nothing, &error));
}

static void another_organization_sees_and_changes_nothing(void) {
    store_in(ORG_A, stores);
    store_in(ORG_B, sees_nothing);
    store_in(ORG_A, reads);
}

static void stores_three(DbUnit *unit) {
    static const char *const checks[] = {"c.c", "a.a", "b.b"};
    for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
        CheckResult row = full;
        row.check_id = checks[i];
        store_ok(check_result_upsert(unit, &row, &error));
    }
}

static void pages(DbUnit *unit) {
    CheckResultFilter two = {.integration_id = INTEGRATION_A, .limit = 2};
    g_autoptr(GPtrArray) page = NULL;
    store_ok(check_result_list(unit, &two, &page, &error));
    g_assert_cmpuint(page->len, ==, 2);
    const CheckResult *last = g_ptr_array_index(page, 1);
    g_assert_cmpstr(last->check_id, ==, "b.b");
    two.after_integration_id = last->integration_id;
    two.after_check_id = last->check_id;
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(check_result_list(unit, &two, &rest, &error));
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(((const CheckResult *)g_ptr_array_index(rest, 0))->check_id, ==, "c.c");
    CheckResultFilter other = {.integration_id = INTEGRATION_B};
    g_autoptr(GPtrArray) none = NULL;
    store_ok(check_result_list(unit, &other, &none, &error));
    g_assert_cmpuint(none->len, ==, 0);
}

static void results_are_listed_in_pages(void) {
    store_in(ORG_A, stores_three);
    store_in(ORG_A, pages);
}

static const StoreTest tests[] = {
    {"every_column_comes_back_as_it_was_stored", every_column_comes_back_as_it_was_stored},
    {"a_later_result_replaces_and_an_earlier_does_not",
     a_later_result_replaces_and_an_earlier_does_not},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"results_are_listed_in_pages", results_are_listed_in_pages},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "check_result", tests, G_N_ELEMENTS(tests));
}
