/* Data of old evidence go; its record stays. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/evidence_prune.h"

#include <string.h>

#define DAY_MS (24 * 3600 * (int64_t)1000)
#define OLD_1 "0190aaaa-0000-7000-8000-000000000001"
#define OLD_2 "0190aaaa-0000-7000-8000-000000000002"
#define OLD_AT ((int64_t)0x0190aaaa0000)
#define YOUNG "01f0aaaa-0000-7000-8000-000000000001"
#define YOUNG_AT ((int64_t)0x01f0aaaa0000)

static void add(DbUnit *unit, const char *id, int64_t at, const char *document, const char *text) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(text, strlen(text), hash);
    Evidence row = {.id = id,
                    .integration_id = INTEGRATION_A,
                    .evidence_type = "branches",
                    .source = "github",
                    .record = "{}",
                    .document_id = document,
                    .data_sha256 = hash,
                    .completeness = 1,
                    .collected_at = at};
    store_ok(evidence_insert(unit, &row, NULL, NULL, &error));
}

static void adds(DbUnit *unit) {
    store_add_document(unit, "own", "{\"n\":1}");
    store_add_document(unit, "shared", "{\"n\":2}");
    add(unit, OLD_1, OLD_AT, "own", "{\"n\":1}");
    add(unit, OLD_2, OLD_AT, "shared", "{\"n\":2}");
    add(unit, YOUNG, YOUNG_AT, "shared", "{\"n\":2}");
}

static bool is_due(DbUnit *unit, int64_t before_ms) {
    bool due = false;
    store_ok(evidence_prune_due(unit, before_ms, &due, &error));
    return due;
}

static int64_t prune(DbUnit *unit, int64_t before_ms, int64_t limit) {
    int64_t removed = -1;
    store_ok(evidence_prune(unit, before_ms, limit, &removed, &error));
    return removed;
}

static void assert_document(DbUnit *unit, const char *id, const char *document) {
    g_autoptr(Evidence) row = NULL;
    store_ok(evidence_get(unit, id, &row, &error));
    g_assert_cmpstr(row->document_id, ==, document);
    g_assert_nonnull(row->data_sha256);
}

static void nothing_is_old(DbUnit *unit) {
    g_assert_false(is_due(unit, OLD_AT));
    g_assert_cmpint(prune(unit, OLD_AT, 10), ==, 0);
    g_assert_cmpint(prune(unit, 0, 10), ==, 0);
    g_assert_cmpint(prune(unit, -DAY_MS, 10), ==, 0);
    assert_document(unit, OLD_1, "own");
}

static void the_old_go(DbUnit *unit) {
    g_autoptr(Document) document = NULL;
    g_assert_true(is_due(unit, OLD_AT + DAY_MS));
    g_assert_cmpint(prune(unit, OLD_AT + DAY_MS, 10), ==, 2);
    assert_document(unit, OLD_1, NULL);
    assert_document(unit, OLD_2, NULL);
    assert_document(unit, YOUNG, "shared");
    store_fails(ERROR_NOT_FOUND, document_get(unit, "own", &document, &error));
    store_ok(document_get(unit, "shared", &document, &error));
    g_assert_false(is_due(unit, OLD_AT + DAY_MS));
}

static void foreign_is_left(DbUnit *unit) {
    g_assert_false(is_due(unit, YOUNG_AT + DAY_MS));
    g_assert_cmpint(prune(unit, YOUNG_AT + DAY_MS, 10), ==, 0);
}

static void records_stay_and_documents_that_nobody_younger_has_go(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, nothing_is_old);
    store_in(ORG_B, foreign_is_left);
    store_in(ORG_A, the_old_go);
}

static void one_by_one(DbUnit *unit) {
    g_assert_cmpint(prune(unit, YOUNG_AT + DAY_MS, 1), ==, 1);
    g_assert_cmpint(prune(unit, YOUNG_AT + DAY_MS, 1), ==, 1);
    g_assert_cmpint(prune(unit, YOUNG_AT + DAY_MS, 1), ==, 0);
    assert_document(unit, YOUNG, NULL);
}

static void a_unit_removes_no_more_than_its_limit(void) {
    store_in(ORG_A, adds);
    store_in(ORG_A, one_by_one);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"records_stay_and_documents_that_nobody_younger_has_go",
         records_stay_and_documents_that_nobody_younger_has_go},
        {"a_unit_removes_no_more_than_its_limit", a_unit_removes_no_more_than_its_limit},
    };
    return store_main(argc, argv, "evidence_prune", tests, G_N_ELEMENTS(tests));
}
