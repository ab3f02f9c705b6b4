#include "unit/store_support.h"

#include "store/finding.h"

#include <string.h>

#define CHECK "branch_protection.default_branch_protected"

static const FindingKey key = {INTEGRATION_A, CHECK, "acme/web"};

static FindingFailure failure_at(const char *resource, int64_t at) {
    return (FindingFailure){.key = {INTEGRATION_A, CHECK, resource},
                            .severity = "high",
                            .title = "The default branch is protected",
                            .evidence_id = "evidence-1",
                            .at = at};
}

static void fail(DbUnit *unit, const char *resource, int64_t at, FindingChange expected) {
    FindingFailure failure = failure_at(resource, at);
    FindingChange change = FINDING_UNCHANGED;
    store_ok(finding_fail(unit, &failure, &change, &error));
    g_assert_cmpint(change, ==, expected);
}

static void resolve(DbUnit *unit, int64_t at, FindingChange expected) {
    FindingChange change = FINDING_NOW_OPEN;
    store_ok(finding_resolve(unit, &key, "evidence-2", at, &change, &error));
    g_assert_cmpint(change, ==, expected);
}

static Finding *only_finding(DbUnit *unit) {
    FindingFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(finding_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    return g_ptr_array_steal_index(rows, 0);
}

/* The kinds and times of the transitions, joined: "opened@1 resolved@2". */
static void assert_history(DbUnit *unit, const char *expected) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(finding_transitions(unit, &key, 0, &rows, &error));
    g_autoptr(GString) history = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const FindingTransition *row = g_ptr_array_index(rows, i);
        g_assert_cmpstr(row->resource, ==, "acme/web");
        g_string_append_printf(history, "%s%s@%" G_GINT64_FORMAT, i ? " " : "", row->kind,
                               (gint64)row->at);
    }
    g_assert_cmpstr(history->str, ==, expected);
}

static void opens(DbUnit *unit) {
    fail(unit, "acme/web", 1, FINDING_NOW_OPEN);
    g_autoptr(Finding) row = only_finding(unit);
    g_assert_cmpstr(row->integration_id, ==, INTEGRATION_A);
    g_assert_cmpstr(row->check_id, ==, CHECK);
    g_assert_cmpstr(row->resource, ==, "acme/web");
    g_assert_cmpstr(row->state, ==, FINDING_OPEN);
    g_assert_cmpstr(row->severity, ==, "high");
    g_assert_cmpstr(row->title, ==, "The default branch is protected");
    g_assert_cmpstr(row->evidence_id, ==, "evidence-1");
    g_assert_cmpint(row->opened_at, ==, 1);
    g_assert_cmpint(row->last_seen_at, ==, 1);
    g_assert_cmpint(row->resolved_at, ==, 0);
    assert_history(unit, "opened@1");
}

static void a_first_fail_opens_a_finding(void) {
    store_in(ORG_A, opens);
}

static void refreshes(DbUnit *unit) {
    FindingFailure worse = failure_at("acme/web", 2);
    worse.severity = "critical";
    FindingChange change = FINDING_UNCHANGED;
    store_ok(finding_fail(unit, &worse, &change, &error));
    g_assert_cmpint(change, ==, FINDING_REFRESHED);
    g_autoptr(Finding) row = only_finding(unit);
    g_assert_cmpstr(row->severity, ==, "critical");
    g_assert_cmpint(row->opened_at, ==, 1);
    g_assert_cmpint(row->last_seen_at, ==, 2);
    assert_history(unit, "opened@1");
}

static void a_repeated_fail_only_refreshes(void) {
    store_in(ORG_A, opens);
    store_in(ORG_A, refreshes);
}

static void resolves(DbUnit *unit) {
    resolve(unit, 5, FINDING_NOW_RESOLVED);
    resolve(unit, 6, FINDING_UNCHANGED);
    g_autoptr(Finding) row = only_finding(unit);
    g_assert_cmpstr(row->state, ==, FINDING_RESOLVED);
    g_assert_cmpstr(row->evidence_id, ==, "evidence-2");
    g_assert_cmpint(row->resolved_at, ==, 5);
    g_assert_cmpint(row->last_seen_at, ==, 1);
    assert_history(unit, "opened@1 resolved@5");
}

static void resolving_twice_is_one_transition(void) {
    store_in(ORG_A, opens);
    store_in(ORG_A, resolves);
}

static void regresses(DbUnit *unit) {
    fail(unit, "acme/web", 9, FINDING_NOW_REOPEN);
    g_autoptr(Finding) row = only_finding(unit);
    g_assert_cmpstr(row->state, ==, FINDING_OPEN);
    g_assert_cmpint(row->opened_at, ==, 9);
    g_assert_cmpint(row->resolved_at, ==, 0);
    assert_history(unit, "opened@1 resolved@5 regressed@9");
}

static void a_fail_after_resolved_is_a_regression(void) {
    store_in(ORG_A, opens);
    store_in(ORG_A, resolves);
    store_in(ORG_A, regresses);
}

static void resolves_nothing(DbUnit *unit) {
    resolve(unit, 5, FINDING_UNCHANGED);
    assert_history(unit, "");
}

static void resolving_what_never_failed_changes_nothing(void) {
    store_in(ORG_A, resolves_nothing);
}

static void fails_badly(DbUnit *unit) {
    char longest[FINDING_RESOURCE_MAX + 2];
    memset(longest, 'r', sizeof longest);
    longest[FINDING_RESOURCE_MAX + 1] = 0;
    FindingFailure failure = failure_at(longest, 1);
    store_fails(ERROR_LIMIT, finding_fail(unit, &failure, NULL, &error));
    failure = failure_at("", 1);
    store_fails(ERROR_CONFIGURATION, finding_fail(unit, &failure, NULL, &error));
    longest[FINDING_RESOURCE_MAX] = 0;
    failure = failure_at(longest, 1);
    store_ok(finding_fail(unit, &failure, NULL, &error));
}

static void a_resource_has_a_name_of_bounded_length(void) {
    store_in(ORG_A, fails_badly);
}

static void sees_nothing(DbUnit *unit) {
    FindingFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(finding_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
    FindingKey first = {INTEGRATION_A, CHECK, NULL};
    g_autoptr(GPtrArray) keys = NULL;
    store_ok(finding_open_keys(unit, &first, 0, &keys, &error));
    g_assert_cmpuint(keys->len, ==, 0);
    assert_history(unit, "");
    resolve(unit, 5, FINDING_UNCHANGED);
    FindingFailure foreign = failure_at("acme/web", 5);
    store_fails(ERROR_NOT_FOUND, finding_fail(unit, &foreign, NULL, &error));
    foreign.likely_new = true;
    store_fails(ERROR_NOT_FOUND, finding_fail(unit, &foreign, NULL, &error));
}

static void is_open(DbUnit *unit) {
    g_autoptr(Finding) row = only_finding(unit);
    g_assert_cmpstr(row->state, ==, FINDING_OPEN);
    assert_history(unit, "opened@1");
}

static void another_organization_sees_and_changes_nothing(void) {
    store_in(ORG_A, opens);
    store_in(ORG_B, sees_nothing);
    store_in(ORG_A, is_open);
}

static void opens_many(DbUnit *unit) {
    fail(unit, "c", 1, FINDING_NOW_OPEN);
    fail(unit, "a", 1, FINDING_NOW_OPEN);
    fail(unit, "B", 1, FINDING_NOW_OPEN);
    fail(unit, "acme/web", 1, FINDING_NOW_OPEN);
    resolve(unit, 2, FINDING_NOW_RESOLVED);
    FindingFailure other = failure_at("z", 1);
    other.key.check_id = "other.check";
    other.severity = "low";
    store_ok(finding_fail(unit, &other, NULL, &error));
}

static void pages_keys(DbUnit *unit) {
    FindingKey from = {INTEGRATION_A, CHECK, NULL};
    g_autoptr(GPtrArray) page = NULL;
    store_ok(finding_open_keys(unit, &from, 2, &page, &error));
    g_assert_cmpuint(page->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(page, 0), ==, "B");
    g_assert_cmpstr(g_ptr_array_index(page, 1), ==, "a");
    from.resource = g_ptr_array_index(page, 1);
    g_autoptr(GPtrArray) rest = NULL;
    store_ok(finding_open_keys(unit, &from, 2, &rest, &error));
    g_assert_cmpuint(rest->len, ==, 1);
    g_assert_cmpstr(g_ptr_array_index(rest, 0), ==, "c");
}

static void open_resources_come_in_pages_by_their_bytes(void) {
    store_in(ORG_A, opens_many);
    store_in(ORG_A, pages_keys);
}

static guint count(DbUnit *unit, const FindingFilter *filter) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(finding_list(unit, filter, &rows, &error));
    return rows->len;
}

static void lists_filtered(DbUnit *unit) {
    g_assert_cmpuint(count(unit, &(FindingFilter){0}), ==, 5);
    g_assert_cmpuint(count(unit, &(FindingFilter){.state = FINDING_OPEN}), ==, 4);
    g_assert_cmpuint(count(unit, &(FindingFilter){.state = FINDING_RESOLVED}), ==, 1);
    g_assert_cmpuint(count(unit, &(FindingFilter){.severity = "low"}), ==, 1);
    g_assert_cmpuint(count(unit, &(FindingFilter){.check_id = CHECK}), ==, 4);
    g_assert_cmpuint(count(unit, &(FindingFilter){.integration_id = INTEGRATION_B}), ==, 0);
    g_assert_cmpuint(count(unit, &(FindingFilter){.limit = 3}), ==, 3);
    g_assert_cmpuint(count(unit, &(FindingFilter){.after = {INTEGRATION_A, CHECK, "a"}}), ==, 3);
    g_assert_cmpuint(count(unit, &(FindingFilter){.after = {INTEGRATION_A, CHECK, "c"}}), ==, 1);
}

static void lists_are_filtered_and_paged(void) {
    store_in(ORG_A, opens_many);
    store_in(ORG_A, lists_filtered);
}

static const StoreTest tests[] = {
    {"a_first_fail_opens_a_finding", a_first_fail_opens_a_finding},
    {"a_repeated_fail_only_refreshes", a_repeated_fail_only_refreshes},
    {"resolving_twice_is_one_transition", resolving_twice_is_one_transition},
    {"a_fail_after_resolved_is_a_regression", a_fail_after_resolved_is_a_regression},
    {"resolving_what_never_failed_changes_nothing", resolving_what_never_failed_changes_nothing},
    {"a_resource_has_a_name_of_bounded_length", a_resource_has_a_name_of_bounded_length},
    {"another_organization_sees_and_changes_nothing",
     another_organization_sees_and_changes_nothing},
    {"open_resources_come_in_pages_by_their_bytes", open_resources_come_in_pages_by_their_bytes},
    {"lists_are_filtered_and_paged", lists_are_filtered_and_paged},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "finding", tests, G_N_ELEMENTS(tests));
}
