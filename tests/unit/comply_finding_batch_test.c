/* Changes of findings in bounded units of work. */
#include "unit/comply_support.h"

#include "comply/finding_batch.h"
#include "store/event.h"
#include "store/finding.h"

#include <string.h>

#define ONE "integration-one"

static const FindingCheck check = {
    .id = "branches.protected", .title = "The branch is protected", .severity = "high"};
static const FindingCheck other = {
    .id = "branches.signed", .title = "Commits are signed", .severity = "low"};

static FindingPlace place_at(int64_t at) {
    return (FindingPlace){.db = comply_db(),
                          .scope = comply_scope(),
                          .integration_id = ONE,
                          .evidence_id = "evidence-one",
                          .at = at};
}

static bool append(const char *resource, void *data, GError **error) {
    (void)error;
    g_string_append_printf(data, "%s ", resource);
    return true;
}

static void assert_open(const char *check_id, const char *expected) {
    FindingPlace place = place_at(START_MS);
    g_autoptr(GString) names = g_string_new(NULL);
    comply_ok(finding_each_open(&place, check_id, append, names, &error));
    g_assert_cmpstr(names->str, ==, expected);
}

static void nothing_is_written_before_the_batch_is_full(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    for (int i = 0; i < FINDING_BATCH_SIZE - 1; i++) {
        g_autofree char *name = g_strdup_printf("r%04d", i);
        comply_ok(finding_batch_fail(batch, &check, name, &error));
    }
    g_assert_cmpint(finding_batch_counts(batch)->opened, ==, 0);
    assert_open(check.id, "");
    comply_ok(finding_batch_fail(batch, &check, "last", &error));
    g_assert_cmpint(finding_batch_counts(batch)->opened, ==, FINDING_BATCH_SIZE);
}

static void what_is_left_is_written_by_flushing(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    comply_ok(finding_batch_flush(batch, &error));
    comply_ok(finding_batch_fail(batch, &check, "b", &error));
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_ok(finding_batch_fail(batch, &other, "c", &error));
    comply_ok(finding_batch_flush(batch, &error));
    assert_open(check.id, "a b ");
    assert_open(other.id, "c ");
    comply_ok(finding_batch_resolve(batch, &check, "b", &error));
    comply_ok(finding_batch_resolve(batch, &check, "unknown", &error));
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_ok(finding_batch_flush(batch, &error));
    assert_open(check.id, "a ");
    const FindingCounts *counts = finding_batch_counts(batch);
    g_assert_cmpint(counts->opened, ==, 3);
    g_assert_cmpint(counts->resolved, ==, 1);
    g_assert_cmpint(counts->refreshed, ==, 1);
    g_assert_cmpint(counts->regressed, ==, 0);
}

static void what_was_not_flushed_is_forgotten(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    FindingBatch *batch = finding_batch_new(&place);
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    finding_batch_free(batch);
    assert_open(check.id, "");
}

static void a_batch_that_cannot_be_written_fails_as_a_whole(void) {
    FindingPlace place = place_at(START_MS); /* nobody added the integration */
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_fails(ERROR_NOT_FOUND, finding_batch_flush(batch, &error));
    g_assert_cmpint(finding_batch_counts(batch)->opened, ==, 0);
}

typedef struct {
    FindingBatch *batch;
    int seen;
} Resolving;

static bool resolve_each(const char *resource, void *data, GError **error) {
    Resolving *resolving = data;
    resolving->seen++;
    return finding_batch_resolve(resolving->batch, &check, resource, error);
}

/* Resolving what is walked does not make the walk lose its place. */
static void open_findings_are_walked_while_they_are_resolved(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    for (int i = 0; i < 2500; i++) {
        g_autofree char *name = g_strdup_printf("r%04d", i);
        comply_ok(finding_batch_fail(batch, &check, name, &error));
    }
    comply_ok(finding_batch_flush(batch, &error));
    Resolving resolving = {batch, 0};
    comply_ok(finding_each_open(&place, check.id, resolve_each, &resolving, &error));
    comply_ok(finding_batch_flush(batch, &error));
    g_assert_cmpint(resolving.seen, ==, 2500);
    g_assert_cmpint(finding_batch_counts(batch)->resolved, ==, 2500);
    assert_open(check.id, "");
}

static bool stop(const char *resource, void *data, GError **error) {
    (void)resource;
    ++*(int *)data;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "enough");
    return false;
}

static void a_walk_may_be_stopped(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_ok(finding_batch_fail(batch, &check, "b", &error));
    comply_ok(finding_batch_flush(batch, &error));
    int seen = 0;
    comply_fails(ERROR_CANCELLED, finding_each_open(&place, check.id, stop, &seen, &error));
    g_assert_cmpint(seen, ==, 1);
}

/* What a check says of its findings is where to look first, not what is true. */
static void a_check_that_had_none_open_finds_those_that_are(void) {
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    FindingCheck fresh = check;
    fresh.none_open = true;
    for (int round = 0; round < 2; round++) {
        comply_ok(finding_batch_fail(batch, &fresh, "a", &error));
        comply_ok(finding_batch_flush(batch, &error));
    }
    comply_ok(finding_batch_resolve(batch, &check, "a", &error));
    comply_ok(finding_batch_fail(batch, &fresh, "a", &error));
    comply_ok(finding_batch_flush(batch, &error));
    const FindingCounts *counts = finding_batch_counts(batch);
    g_assert_cmpint(counts->opened, ==, 1);
    g_assert_cmpint(counts->refreshed, ==, 1);
    g_assert_cmpint(counts->resolved, ==, 1);
    g_assert_cmpint(counts->regressed, ==, 1);
}

/* --- events ----------------------------------------------------------------------------------- */

static bool read_events(DbUnit *unit, void *data, GError **error) {
    GPtrArray **events = data;
    g_clear_pointer(events, g_ptr_array_unref);
    return event_list(unit, 0, STORE_LIST_MAX, events, error);
}

/* The states and resources of the events of findings, by spaces. */
static char *told_findings(guint *count_out) {
    GPtrArray *events = NULL;
    GString *text = g_string_new(NULL);
    *count_out = 0;
    comply_ok(db_run(comply_db(), comply_scope(), DB_READ, read_events, &events, &error));
    for (guint i = 0; i < events->len; i++) {
        const Event *event = g_ptr_array_index(events, i);
        if (strcmp(event->kind, EVENT_FINDING) != 0)
            continue;
        g_autoptr(Json) data = json_parse(event->data, strlen(event->data), STORE_JSON_MAX, NULL);
        g_assert_cmpstr(event->integration_id, ==, ONE);
        g_assert_cmpstr(event->job_id, ==, "job-one");
        g_assert_cmpstr(json_member_string(data, "evidenceId", ""), ==, "evidence-one");
        g_string_append_printf(text, "%s %s, ", json_member_string(data, "state", ""),
                               json_member_string(data, "resource", ""));
        ++*count_out;
    }
    g_ptr_array_unref(events);
    return g_string_free(text, FALSE);
}

static void what_moves_is_told_and_what_stays_is_not(void) {
    guint count;
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    place.job_id = "job-one";
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_ok(finding_batch_fail(batch, &check, "b", &error));
    comply_ok(finding_batch_flush(batch, &error));
    comply_ok(finding_batch_fail(batch, &check, "a", &error));
    comply_ok(finding_batch_resolve(batch, &check, "b", &error));
    comply_ok(finding_batch_resolve(batch, &check, "unknown", &error));
    comply_ok(finding_batch_flush(batch, &error));
    comply_ok(finding_batch_fail(batch, &check, "b", &error));
    comply_ok(finding_batch_flush(batch, &error));
    g_autofree char *told = told_findings(&count);
    g_assert_cmpstr(told, ==, "opened a, opened b, resolved b, regressed b, ");
}

static void nobody_is_told_of_thousands(void) {
    guint count;
    comply_add_integration(ONE, "alpha");
    FindingPlace place = place_at(START_MS);
    place.job_id = "job-one";
    g_autoptr(FindingBatch) batch = finding_batch_new(&place);
    for (int i = 0; i < FINDING_BATCH_SIZE + 300; i++) {
        g_autofree char *name = g_strdup_printf("r%04d", i);
        comply_ok(finding_batch_fail(batch, &check, name, &error));
    }
    comply_ok(finding_batch_flush(batch, &error));
    g_autofree char *told = told_findings(&count);
    g_assert_cmpuint(count, ==, FINDING_EVENTS_MAX);
}

static const ComplyTest tests[] = {
    {"nothing_is_written_before_the_batch_is_full", nothing_is_written_before_the_batch_is_full},
    {"what_is_left_is_written_by_flushing", what_is_left_is_written_by_flushing},
    {"what_was_not_flushed_is_forgotten", what_was_not_flushed_is_forgotten},
    {"a_batch_that_cannot_be_written_fails_as_a_whole",
     a_batch_that_cannot_be_written_fails_as_a_whole},
    {"open_findings_are_walked_while_they_are_resolved",
     open_findings_are_walked_while_they_are_resolved},
    {"a_walk_may_be_stopped", a_walk_may_be_stopped},
    {"what_moves_is_told_and_what_stays_is_not", what_moves_is_told_and_what_stays_is_not},
    {"nobody_is_told_of_thousands", nobody_is_told_of_thousands},
    {"a_check_that_had_none_open_finds_those_that_are",
     a_check_that_had_none_open_finds_those_that_are},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "finding_batch", tests, G_N_ELEMENTS(tests));
}
