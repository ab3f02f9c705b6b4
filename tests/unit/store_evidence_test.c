#include "unit/store_support.h"

#include "base/digest.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/job_claim.h"
#include "store/ledger.h"
#include "store/merkle.h"

#include <string.h>

static const JobLease lease = {.job_id = "job-1", .owner = "worker-1", .fence = 1};

static Evidence sample(const char *id, const char *type) {
    return (Evidence){.id = id,
                      .integration_id = INTEGRATION_A,
                      .job_id = "job-1",
                      .evidence_type = type,
                      .source = "github",
                      .record = "{\"id\": 1 }",
                      .completeness = 0.5,
                      .collected_at = 10,
                      .valid_from = 11,
                      .valid_until = 12};
}

static void insert(DbUnit *unit, const Evidence *row) {
    store_ok(evidence_insert(unit, row, NULL, NULL, &error));
}

static int64_t ledger_size(DbUnit *unit) {
    LedgerHead head;
    store_ok(ledger_head(unit, &head, &error));
    return head.size;
}

static void stores_with_document(DbUnit *unit) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex("data", 4, sha256);
    DocumentChunk chunk = {.seq = 0, .raw_size = 4, .bytes = {"data", 4}};
    DocumentEnd end = {.id = "document-1", .sha256 = sha256, .size = 4};
    g_autofree char *document_id = NULL;
    store_ok(document_begin(unit, "document-1", NULL, &error));
    store_ok(document_append_chunk(unit, "document-1", &chunk, &error));
    store_ok(document_finish(unit, &end, &document_id, &error));
    Evidence row = sample("evidence-1", "branch_protection");
    row.document_id = document_id;
    row.data_sha256 = sha256;
    insert(unit, &row);
}

static void reads_with_document(DbUnit *unit) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex("data", 4, sha256);
    g_autoptr(Evidence) row = NULL;
    store_ok(evidence_get(unit, "evidence-1", &row, &error));
    g_assert_cmpstr(row->integration_id, ==, INTEGRATION_A);
    g_assert_cmpstr(row->job_id, ==, "job-1");
    g_assert_cmpstr(row->evidence_type, ==, "branch_protection");
    g_assert_cmpstr(row->source, ==, "github");
    g_assert_cmpstr(row->record, ==, "{\"id\": 1 }");
    g_assert_cmpuint(row->salt.size, ==, EVIDENCE_SALT_SIZE);
    g_assert_cmpstr(row->document_id, ==, "document-1");
    g_assert_cmpstr(row->data_sha256, ==, sha256);
    g_assert_cmpfloat(row->completeness, ==, 0.5);
    g_assert_cmpint(row->collected_at, ==, 10);
    g_assert_cmpint(row->valid_from, ==, 11);
    g_assert_cmpint(row->valid_until, ==, 12);
    g_assert_cmpint(row->ledger_index, ==, 0);
    g_assert_cmpstr(row->review_state, ==, EVIDENCE_COLLECTED);
}

static void every_column_comes_back_as_it_was_stored(void) {
    store_in(ORG_A, stores_with_document);
    store_in(ORG_A, reads_with_document);
}

static void leaf_is_of_the_record(DbUnit *unit) {
    g_autoptr(Evidence) row = NULL;
    store_ok(evidence_get(unit, "evidence-1", &row, &error));
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    uint8_t hash[DIGEST_SIZE];
    ledger_leaf_input(row->salt, (RecordBytes){row->record, strlen(row->record)}, input);
    merkle_leaf_hash(input, sizeof input, hash);
    g_autoptr(GPtrArray) leaves = NULL;
    store_ok(ledger_leaves(unit, row->ledger_index, 1, &leaves, &error));
    g_assert_cmpuint(leaves->len, ==, 1);
    const LedgerLeaf *leaf = g_ptr_array_index(leaves, 0);
    g_assert_cmpstr(leaf->evidence_id, ==, "evidence-1");
    g_assert_cmpint(memcmp(leaf->leaf_hash.bytes, hash, DIGEST_SIZE), ==, 0);
}

static void the_ledger_holds_the_leaf_of_the_record(void) {
    store_in(ORG_A, stores_with_document);
    store_in(ORG_A, leaf_is_of_the_record);
}

static void stores_equal_records(DbUnit *unit) {
    Evidence first = sample("evidence-1", "one");
    Evidence second = sample("evidence-2", "two");
    insert(unit, &first);
    insert(unit, &second);
    g_autoptr(GPtrArray) leaves = NULL;
    store_ok(ledger_leaves(unit, 0, 0, &leaves, &error));
    g_assert_cmpuint(leaves->len, ==, 2);
    const LedgerLeaf *a = g_ptr_array_index(leaves, 0);
    const LedgerLeaf *b = g_ptr_array_index(leaves, 1);
    g_assert_cmpint(memcmp(a->leaf_hash.bytes, b->leaf_hash.bytes, DIGEST_SIZE), !=, 0);
}

static void equal_records_have_leaves_that_tell_nothing(void) {
    store_in(ORG_A, stores_equal_records);
}

static void replays(DbUnit *unit) {
    Evidence row = sample("evidence-2", "branch_protection");
    row.record = "{\"id\": 2}";
    g_autoptr(Evidence) stored = NULL;
    store_ok(evidence_insert(unit, &row, NULL, &stored, &error));
    g_assert_cmpstr(stored->id, ==, "evidence-1");
    g_assert_cmpstr(stored->record, ==, "{\"id\": 1 }");
    g_assert_cmpint(ledger_size(unit), ==, 1);
    Evidence *none = NULL;
    store_fails(ERROR_NOT_FOUND, evidence_get(unit, "evidence-2", &none, &error));
}

static void a_replayed_job_stores_one_record_and_one_leaf(void) {
    store_in(ORG_A, stores_with_document);
    store_in(ORG_A, replays);
    store_in(ORG_A, reads_with_document);
}

static void stores_without_job(DbUnit *unit) {
    Evidence first = sample("evidence-1", "import");
    Evidence second = sample("evidence-2", "import");
    first.job_id = second.job_id = NULL;
    insert(unit, &first);
    g_autoptr(Evidence) stored = NULL;
    store_ok(evidence_insert(unit, &second, NULL, &stored, &error));
    g_assert_cmpstr(stored->id, ==, "evidence-2");
    g_assert_null(stored->job_id);
    g_assert_cmpint(stored->ledger_index, ==, 1);
    g_assert_cmpint(ledger_size(unit), ==, 2);
}

static void records_without_a_job_are_never_replays(void) {
    store_in(ORG_A, stores_without_job);
}

static void stores_with_stale_lease(DbUnit *unit) {
    JobLease stale = lease;
    stale.fence = 7;
    Evidence row = sample("evidence-1", "x");
    store_fails(ERROR_CONFLICT, evidence_insert(unit, &row, &stale, NULL, &error));
    g_assert_cmpint(ledger_size(unit), ==, 0);
    Evidence *none = NULL;
    store_fails(ERROR_NOT_FOUND, evidence_get(unit, "evidence-1", &none, &error));
    store_ok(evidence_insert(unit, &row, &lease, NULL, &error));
    g_assert_cmpint(ledger_size(unit), ==, 1);
}

static void a_stale_fence_stores_nothing(void) {
    store_in(ORG_A, store_adds_job);
    store_system(store_claims_job);
    store_in(ORG_A, stores_with_stale_lease);
}

static void sees_nothing(DbUnit *unit) {
    Evidence *none = NULL;
    store_fails(ERROR_NOT_FOUND, evidence_get(unit, "evidence-1", &none, &error));
    g_autoptr(Evidence) latest = NULL;
    store_ok(evidence_latest(unit, INTEGRATION_A, "branch_protection", &latest, &error));
    g_assert_null(latest);
    EvidenceFilter all = {0};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(evidence_list(unit, &all, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 0);
    g_assert_cmpint(ledger_size(unit), ==, 0);
    Evidence foreign = sample("evidence-3", "x");
    store_fails(ERROR_NOT_FOUND, evidence_insert(unit, &foreign, NULL, NULL, &error));
    foreign.integration_id = INTEGRATION_B;
    foreign.document_id = "document-1";
    store_fails(ERROR_NOT_FOUND, evidence_insert(unit, &foreign, NULL, NULL, &error));
    g_assert_cmpint(ledger_size(unit), ==, 0);
}

static void another_organization_sees_and_refers_to_nothing(void) {
    store_in(ORG_A, stores_with_document);
    store_in(ORG_B, sees_nothing);
}

static void stores_wrong_hash(DbUnit *unit) {
    Evidence row = sample("evidence-2", "x");
    row.document_id = "document-1";
    row.data_sha256 = "00";
    store_fails(ERROR_INTERNAL, evidence_insert(unit, &row, NULL, NULL, &error));
    row.data_sha256 = NULL;
    store_fails(ERROR_INTERNAL, evidence_insert(unit, &row, NULL, NULL, &error));
    row = sample("evidence-2", "x");
    row.record = "";
    store_fails(ERROR_CONFIGURATION, evidence_insert(unit, &row, NULL, NULL, &error));
    g_assert_cmpint(ledger_size(unit), ==, 1);
}

static void a_record_must_name_its_documents_hash(void) {
    store_in(ORG_A, stores_with_document);
    store_in(ORG_A, stores_wrong_hash);
}

static void stores_several(DbUnit *unit) {
    static const struct {
        const char *id;
        const char *type;
        const char *job;
        int64_t at;
    } rows[] = {{"evidence-1", "one", "job-1", 100},
                {"evidence-2", "two", "job-1", 100},
                {"evidence-3", "one", "job-2", 300},
                {"evidence-4", "one", "job-3", 200}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        Evidence row = sample(rows[i].id, rows[i].type);
        row.job_id = rows[i].job;
        row.collected_at = rows[i].at;
        row.source = i == 1 ? "okta" : "github";
        insert(unit, &row);
    }
}

/* The ids of a listing, joined: "4 3 2 1". */
static void assert_lists(DbUnit *unit, const EvidenceFilter *filter, const char *expected) {
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(evidence_list(unit, filter, &rows, &error));
    g_autoptr(GString) ids = g_string_new(NULL);
    for (guint i = 0; i < rows->len; i++) {
        const Evidence *row = g_ptr_array_index(rows, i);
        g_string_append_printf(ids, "%s%s", i ? " " : "", row->id + strlen("evidence-"));
    }
    g_assert_cmpstr(ids->str, ==, expected);
}

static void lists_filtered(DbUnit *unit) {
    assert_lists(unit, &(EvidenceFilter){0}, "4 3 2 1");
    assert_lists(unit, &(EvidenceFilter){.source = "okta"}, "2");
    assert_lists(unit, &(EvidenceFilter){.evidence_type = "one"}, "4 3 1");
    assert_lists(unit, &(EvidenceFilter){.integration_id = INTEGRATION_A}, "4 3 2 1");
    assert_lists(unit, &(EvidenceFilter){.integration_id = INTEGRATION_B}, "");
    assert_lists(unit, &(EvidenceFilter){.from_ms = 200}, "4 3");
    assert_lists(unit, &(EvidenceFilter){.from_ms = 200, .to_ms = 300}, "4");
    assert_lists(unit, &(EvidenceFilter){.to_ms = 200}, "2 1");
    assert_lists(unit, &(EvidenceFilter){.limit = 2}, "4 3");
    assert_lists(unit, &(EvidenceFilter){.limit = 2, .before_id = "evidence-3"}, "2 1");
}

static void lists_are_filtered_and_paged(void) {
    store_in(ORG_A, stores_several);
    store_in(ORG_A, lists_filtered);
}

static void reads_latest(DbUnit *unit) {
    g_autoptr(Evidence) latest = NULL;
    store_ok(evidence_latest(unit, INTEGRATION_A, "one", &latest, &error));
    g_assert_cmpstr(latest->id, ==, "evidence-3");
    g_autoptr(Evidence) none = NULL;
    store_ok(evidence_latest(unit, INTEGRATION_A, "three", &none, &error));
    g_assert_null(none);
}

static void the_latest_is_the_one_collected_last(void) {
    store_in(ORG_A, stores_several);
    store_in(ORG_A, reads_latest);
}

static const StoreTest tests[] = {
    {"every_column_comes_back_as_it_was_stored", every_column_comes_back_as_it_was_stored},
    {"the_ledger_holds_the_leaf_of_the_record", the_ledger_holds_the_leaf_of_the_record},
    {"equal_records_have_leaves_that_tell_nothing", equal_records_have_leaves_that_tell_nothing},
    {"a_replayed_job_stores_one_record_and_one_leaf",
     a_replayed_job_stores_one_record_and_one_leaf},
    {"records_without_a_job_are_never_replays", records_without_a_job_are_never_replays},
    {"a_stale_fence_stores_nothing", a_stale_fence_stores_nothing},
    {"another_organization_sees_and_refers_to_nothing",
     another_organization_sees_and_refers_to_nothing},
    {"a_record_must_name_its_documents_hash", a_record_must_name_its_documents_hash},
    {"lists_are_filtered_and_paged", lists_are_filtered_and_paged},
    {"the_latest_is_the_one_collected_last", the_latest_is_the_one_collected_last},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "evidence", tests, G_N_ELEMENTS(tests));
}
