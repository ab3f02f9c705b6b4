/* Reviews of evidence: who said what, and what approved evidence covers. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/review.h"

#include <string.h>

static void add_evidence(DbUnit *unit, const char *id, const char *integration, const char *type) {
    Evidence row = {.id = id,
                    .integration_id = integration,
                    .evidence_type = type,
                    .source = "github",
                    .record = "{}",
                    .completeness = 1,
                    .collected_at = clock_now_ms()};
    store_ok(evidence_insert(unit, &row, NULL, NULL, &error));
}

static void adds(DbUnit *unit) {
    store_add_integration(unit, "second");
    store_add_integration(unit, "third");
    add_evidence(unit, "e-1", INTEGRATION_A, "branches");
    add_evidence(unit, "e-2", INTEGRATION_A, "branches");
    add_evidence(unit, "e-3", INTEGRATION_A, "alerts");
    add_evidence(unit, "e-4", "second", "alerts");
    add_evidence(unit, "e-5", "third", "alerts");
}

static void put(DbUnit *unit, const char *id, const char *state) {
    Review review = {.evidence_id = id, .state = state, .reviewer = "mona", .note = "looked at"};
    store_ok(review_put(unit, &review, &error));
}

static void nobody_has_reviewed(DbUnit *unit) {
    g_autoptr(Review) review = NULL;
    store_ok(review_get(unit, "e-1", &review, &error));
    g_assert_null(review);
}

static void approves(DbUnit *unit) {
    put(unit, "e-1", EVIDENCE_APPROVED);
    g_autoptr(Review) review = NULL;
    g_autoptr(Evidence) evidence = NULL;
    store_ok(review_get(unit, "e-1", &review, &error));
    g_assert_cmpstr(review->state, ==, EVIDENCE_APPROVED);
    g_assert_cmpstr(review->reviewer, ==, "mona");
    g_assert_cmpstr(review->note, ==, "looked at");
    g_assert_cmpint(review->reviewed_at, ==, START_MS);
    store_ok(evidence_get(unit, "e-1", &evidence, &error));
    g_assert_cmpstr(evidence->review_state, ==, EVIDENCE_APPROVED);
    g_assert_cmpstr(evidence->record, ==, "{}");
}

static void rejects(DbUnit *unit) {
    Review later = {.evidence_id = "e-1", .state = EVIDENCE_REJECTED, .reviewer = "otto"};
    store_ok(review_put(unit, &later, &error));
    g_autoptr(Review) review = NULL;
    g_autoptr(Evidence) evidence = NULL;
    store_ok(review_get(unit, "e-1", &review, &error));
    g_assert_cmpstr(review->state, ==, EVIDENCE_REJECTED);
    g_assert_cmpstr(review->reviewer, ==, "otto");
    g_assert_null(review->note);
    g_assert_cmpint(review->reviewed_at, ==, START_MS + 5);
    store_ok(evidence_get(unit, "e-1", &evidence, &error));
    g_assert_cmpstr(evidence->review_state, ==, EVIDENCE_REJECTED);
}

static void a_later_review_replaces_an_earlier_one(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, nobody_has_reviewed);
    store_in(ORG_A, approves);
    clock_advance(5);
    store_in(ORG_A, rejects);
}

static void reviews_badly(DbUnit *unit) {
    g_autofree char *essay = g_strnfill(STORE_SENTENCE_MAX + 1, 'x');
    const struct {
        Review review;
        ErrorCode code;
    } cases[] = {
        {{.evidence_id = "e-9", .state = EVIDENCE_APPROVED, .reviewer = "mona"}, ERROR_NOT_FOUND},
        {{.evidence_id = "e-1", .state = EVIDENCE_COLLECTED, .reviewer = "mona"},
         ERROR_CONFIGURATION},
        {{.evidence_id = "e-1", .state = "fine", .reviewer = "mona"}, ERROR_CONFIGURATION},
        {{.evidence_id = "e-1", .reviewer = "mona"}, ERROR_CONFIGURATION},
        {{.evidence_id = "e-1", .state = EVIDENCE_APPROVED}, ERROR_CONFIGURATION},
        {{.evidence_id = "e-1", .state = EVIDENCE_APPROVED, .reviewer = "m", .note = essay},
         ERROR_LIMIT},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        store_fails(cases[i].code, review_put(unit, &cases[i].review, &error));
    nobody_has_reviewed(unit);
}

static void reviews_of_another(DbUnit *unit) {
    Review review = {.evidence_id = "e-1", .state = EVIDENCE_APPROVED, .reviewer = "mallory"};
    store_fails(ERROR_NOT_FOUND, review_put(unit, &review, &error));
    nobody_has_reviewed(unit);
}

static void what_is_no_review_changes_nothing(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, reviews_badly);
    store_in(ORG_B, reviews_of_another);
}

static void assert_texts(const GPtrArray *texts, const char *const *expected, guint count) {
    g_assert_cmpuint(texts->len, ==, count);
    for (guint i = 0; i < count; i++)
        g_assert_cmpstr(g_ptr_array_index(texts, i), ==, expected[i]);
}

static void covers(DbUnit *unit) {
    static const char *const types[] = {"alerts", "branches"};
    static const char *const integrations[] = {INTEGRATION_A, "second"};
    put(unit, "e-2", EVIDENCE_APPROVED);
    put(unit, "e-1", EVIDENCE_APPROVED);
    put(unit, "e-3", EVIDENCE_APPROVED);
    put(unit, "e-4", EVIDENCE_APPROVED);
    put(unit, "e-5", EVIDENCE_REJECTED);
    g_autoptr(GPtrArray) of_a = NULL;
    g_autoptr(GPtrArray) of_third = NULL;
    g_autoptr(GPtrArray) approved = NULL;
    g_autoptr(GPtrArray) behind = NULL;
    store_ok(review_approved_types(unit, INTEGRATION_A, &of_a, &error));
    assert_texts(of_a, types, 2);
    store_ok(review_approved_types(unit, "third", &of_third, &error));
    g_assert_cmpuint(of_third->len, ==, 0);
    store_ok(review_approved_integrations(unit, NULL, 0, &approved, &error));
    assert_texts(approved, integrations, 2);
    store_ok(review_approved_integrations(unit, INTEGRATION_A, 1, &behind, &error));
    assert_texts(behind, &integrations[1], 1);
}

static void covers_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) approved = NULL;
    store_ok(review_approved_integrations(unit, NULL, 0, &approved, &error));
    g_assert_cmpuint(approved->len, ==, 0);
}

static void approved_evidence_says_what_to_renew(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, covers);
    store_in(ORG_B, covers_nothing);
}

static const StoreTest tests[] = {
    {"a_later_review_replaces_an_earlier_one", a_later_review_replaces_an_earlier_one},
    {"what_is_no_review_changes_nothing", what_is_no_review_changes_nothing},
    {"approved_evidence_says_what_to_renew", approved_evidence_says_what_to_renew},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "review", tests, G_N_ELEMENTS(tests));
}
