#include "unit/store_support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "store/document.h"
#include "store/job.h"

#include <string.h>

static void append(DbUnit *unit, const char *id, int64_t seq, const char *bytes) {
    DocumentChunk chunk = {
        .seq = seq, .raw_size = (int64_t)strlen(bytes), .bytes = {bytes, strlen(bytes)}};
    store_ok(document_append_chunk(unit, id, &chunk, &error));
}

static char *finish(DbUnit *unit, const char *id, const char *whole) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex(whole, strlen(whole), sha256);
    DocumentEnd end = {.id = id, .sha256 = sha256, .size = (int64_t)strlen(whole)};
    char *stored = NULL;
    store_ok(document_finish(unit, &end, &stored, &error));
    return stored;
}

static void writes_one(DbUnit *unit) {
    store_ok(document_begin(unit, "document-1", "job-1", &error));
    append(unit, "document-1", 0, "{\"details\":[");
    append(unit, "document-1", 1, "]}");
    g_autofree char *id = finish(unit, "document-1", "{\"details\":[]}");
    g_assert_cmpstr(id, ==, "document-1");
}

static void assert_chunk(DbUnit *unit, const char *id, int64_t seq, const char *expected) {
    g_autoptr(DocumentChunk) chunk = NULL;
    store_ok(document_read_chunk(unit, id, seq, &chunk, &error));
    if (!expected) {
        g_assert_null(chunk);
        return;
    }
    g_assert_cmpint(chunk->seq, ==, seq);
    g_assert_cmpint(chunk->raw_size, ==, (gint64)strlen(expected));
    g_assert_cmpuint(chunk->bytes.size, ==, strlen(expected));
    g_assert_cmpint(memcmp(chunk->bytes.bytes, expected, chunk->bytes.size), ==, 0);
}

static void reads_one(DbUnit *unit) {
    g_autoptr(Document) row = NULL;
    store_ok(document_get(unit, "document-1", &row, &error));
    g_assert_cmpint(row->size, ==, 14);
    g_assert_cmpstr(row->job_id, ==, "job-1");
    g_assert_cmpint(row->created_at, ==, START_MS);
    assert_chunk(unit, "document-1", 0, "{\"details\":[");
    assert_chunk(unit, "document-1", 1, "]}");
    assert_chunk(unit, "document-1", 2, NULL);
}

static void chunks_come_back_in_their_order(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_A, reads_one);
}

static void sees_nothing(DbUnit *unit) {
    Document *row = NULL;
    store_fails(ERROR_NOT_FOUND, document_get(unit, "document-1", &row, &error));
    assert_chunk(unit, "document-1", 0, NULL);
    store_ok(document_begin(unit, "document-2", NULL, &error));
    append(unit, "document-2", 0, "{\"details\":[]}");
    g_autofree char *id = finish(unit, "document-2", "{\"details\":[]}");
    g_assert_cmpstr(id, ==, "document-2");
}

static void another_organization_sees_nothing_and_shares_nothing(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_B, sees_nothing);
}

static void writes_equal(DbUnit *unit) {
    store_ok(document_begin(unit, "document-2", NULL, &error));
    append(unit, "document-2", 0, "{\"details\"");
    append(unit, "document-2", 1, ":[]}");
    g_autofree char *id = finish(unit, "document-2", "{\"details\":[]}");
    g_assert_cmpstr(id, ==, "document-1");
    Document *row = NULL;
    store_fails(ERROR_NOT_FOUND, document_get(unit, "document-2", &row, &error));
    store_ok(document_begin(unit, "document-2", NULL, &error));
    append(unit, "document-2", 0, "the chunks are gone, too");
}

static void equal_documents_are_stored_once(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_A, writes_equal);
    store_in(ORG_A, reads_one);
}

static void writes_out_of_order(DbUnit *unit) {
    store_ok(document_begin(unit, "document-1", NULL, &error));
    DocumentChunk chunk = {.seq = 1, .raw_size = 1, .bytes = {"x", 1}};
    store_fails(ERROR_CONFLICT, document_append_chunk(unit, "document-1", &chunk, &error));
    append(unit, "document-1", 0, "x");
    chunk.seq = 0;
    store_fails(ERROR_CONFLICT, document_append_chunk(unit, "document-1", &chunk, &error));
    chunk.seq = 2;
    store_fails(ERROR_CONFLICT, document_append_chunk(unit, "document-1", &chunk, &error));
    append(unit, "document-1", 1, "y");
}

static void a_chunk_out_of_order_is_a_conflict(void) {
    store_in(ORG_A, writes_out_of_order);
}

static void writes_too_much(DbUnit *unit) {
    store_ok(document_begin(unit, "document-1", NULL, &error));
    g_autofree char *bytes = g_malloc0(DOCUMENT_CHUNK_STORED + 1);
    DocumentChunk raw = {.seq = 0, .raw_size = DOCUMENT_CHUNK_RAW + 1, .bytes = {bytes, 1}};
    store_fails(ERROR_LIMIT, document_append_chunk(unit, "document-1", &raw, &error));
    DocumentChunk stored = {.seq = 0, .raw_size = 1, .bytes = {bytes, DOCUMENT_CHUNK_STORED + 1}};
    store_fails(ERROR_LIMIT, document_append_chunk(unit, "document-1", &stored, &error));
    DocumentChunk largest = {
        .seq = 0, .raw_size = DOCUMENT_CHUNK_RAW, .bytes = {bytes, DOCUMENT_CHUNK_STORED}};
    store_ok(document_append_chunk(unit, "document-1", &largest, &error));
}

static void a_chunk_has_a_largest_size(void) {
    store_in(ORG_A, writes_too_much);
}

static void changes_finished(DbUnit *unit) {
    DocumentChunk chunk = {.seq = 2, .raw_size = 1, .bytes = {"x", 1}};
    store_fails(ERROR_CONFLICT, document_append_chunk(unit, "document-1", &chunk, &error));
    store_fails(ERROR_CONFLICT, document_begin(unit, "document-1", NULL, &error));
    DocumentEnd end = {.id = "document-1", .sha256 = "00", .size = 14};
    char *id = NULL;
    store_fails(ERROR_CONFLICT, document_finish(unit, &end, &id, &error));
}

static void a_finished_document_cannot_be_changed(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_A, changes_finished);
    store_in(ORG_A, reads_one);
}

static void finishes_short(DbUnit *unit) {
    store_ok(document_begin(unit, "document-1", NULL, &error));
    append(unit, "document-1", 0, "half");
    DocumentEnd end = {.id = "document-1", .sha256 = "00", .size = 8};
    char *id = NULL;
    store_fails(ERROR_INTERNAL, document_finish(unit, &end, &id, &error));
    Document *row = NULL;
    store_fails(ERROR_NOT_FOUND, document_get(unit, "document-1", &row, &error));
    assert_chunk(unit, "document-1", 0, NULL);
}

static void a_document_with_a_chunk_missing_is_not_finished(void) {
    store_in(ORG_A, finishes_short);
}

static void leaves_unfinished(DbUnit *unit) {
    store_ok(document_begin(unit, "left-by-1", "job-1", &error));
    append(unit, "left-by-1", 0, "x");
    store_ok(document_begin(unit, "left-by-2", "job-2", &error));
    append(unit, "left-by-2", 0, "x");
}

static void sweeps_job(DbUnit *unit) {
    int64_t removed = -1;
    store_ok(document_sweep(unit, "job-1", &removed, &error));
    g_assert_cmpint(removed, ==, 1);
    append(unit, "left-by-2", 1, "still being written");
    DocumentChunk chunk = {.seq = 1, .raw_size = 1, .bytes = {"x", 1}};
    store_fails(ERROR_CONFLICT, document_append_chunk(unit, "left-by-1", &chunk, &error));
}

static void sweeps_nothing(DbUnit *unit) {
    int64_t removed = -1;
    store_ok(document_sweep(unit, "job-1", &removed, &error));
    g_assert_cmpint(removed, ==, 0);
}

static void a_sweep_removes_unfinished_documents_only(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_A, leaves_unfinished);
    clock_advance(1000);
    store_in(ORG_B, sweeps_nothing);
    store_in(ORG_A, sweeps_job);
    store_in(ORG_A, reads_one);
}

/* --- what nobody finishes --------------------------------------------------------------------- */

static void leave(DbUnit *unit, const char *id, const char *job_id) {
    store_ok(document_begin(unit, id, job_id, &error));
    append(unit, id, 0, "x");
}

/* Of a job that waits, of one that was called off, of one that is gone, and of none. */
static void leaves_many(DbUnit *unit) {
    JobCancel how;
    store_add_job(unit, INTEGRATION_A, "job-1");
    store_add_job(unit, INTEGRATION_A, "job-2");
    store_ok(job_cancel(unit, "job-2", &how, &error));
    leave(unit, "of-waiting", "job-1");
    leave(unit, "of-ended", "job-2");
    leave(unit, "of-ended-too", "job-2");
    leave(unit, "of-gone", "job-3");
    leave(unit, "of-none", NULL);
}

static bool is_being_written(DbUnit *unit, const char *document) {
    DocumentChunk chunk = {.seq = 1, .raw_size = 1, .bytes = {"y", 1}};
    g_autoptr(GError) gone = NULL;
    bool written = document_append_chunk(unit, document, &chunk, &gone);
    g_assert_true(written || g_error_matches(gone, ASSAY_ERROR, ERROR_CONFLICT));
    return written;
}

static void prunes_some(DbUnit *unit) {
    int64_t removed = -1;
    bool due = false;
    store_ok(document_left_due(unit, START_MS, &due, &error));
    g_assert_true(due);
    store_ok(document_left_prune(unit, START_MS, 2, &removed, &error));
    g_assert_cmpint(removed, ==, 2);
    store_ok(document_left_prune(unit, START_MS, 2, &removed, &error));
    g_assert_cmpint(removed, ==, 1);
    store_ok(document_left_due(unit, START_MS, &due, &error));
    g_assert_false(due);
}

static void finds_what_may_be_written(DbUnit *unit) {
    g_assert_true(is_being_written(unit, "of-waiting"));
    g_assert_true(is_being_written(unit, "of-none"));
    g_assert_false(is_being_written(unit, "of-ended"));
    g_assert_false(is_being_written(unit, "of-ended-too"));
    g_assert_false(is_being_written(unit, "of-gone"));
}

/* Whoever writes without a job has so long. */
static void prunes_jobless(DbUnit *unit) {
    int64_t removed = -1;
    store_ok(document_left_prune(unit, START_MS + 1, 3, &removed, &error));
    g_assert_cmpint(removed, ==, 1);
}

static void nothing_is_left_there(DbUnit *unit) {
    bool due = true;
    int64_t removed = -1;
    store_ok(document_left_due(unit, INT64_MAX, &due, &error));
    g_assert_false(due);
    store_ok(document_left_prune(unit, INT64_MAX, 3, &removed, &error));
    g_assert_cmpint(removed, ==, 0);
}

static void what_nobody_will_finish_is_pruned(void) {
    store_in(ORG_A, writes_one);
    store_in(ORG_A, leaves_many);
    store_in(ORG_B, nothing_is_left_there);
    store_in(ORG_A, prunes_some);
    store_in(ORG_A, finds_what_may_be_written);
    store_in(ORG_A, prunes_jobless);
    store_in(ORG_A, reads_one);
}

static const StoreTest tests[] = {
    {"chunks_come_back_in_their_order", chunks_come_back_in_their_order},
    {"another_organization_sees_nothing_and_shares_nothing",
     another_organization_sees_nothing_and_shares_nothing},
    {"equal_documents_are_stored_once", equal_documents_are_stored_once},
    {"a_chunk_out_of_order_is_a_conflict", a_chunk_out_of_order_is_a_conflict},
    {"a_chunk_has_a_largest_size", a_chunk_has_a_largest_size},
    {"a_finished_document_cannot_be_changed", a_finished_document_cannot_be_changed},
    {"a_document_with_a_chunk_missing_is_not_finished",
     a_document_with_a_chunk_missing_is_not_finished},
    {"a_sweep_removes_unfinished_documents_only", a_sweep_removes_unfinished_documents_only},
    {"what_nobody_will_finish_is_pruned", what_nobody_will_finish_is_pruned},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "document", tests, G_N_ELEMENTS(tests));
}
