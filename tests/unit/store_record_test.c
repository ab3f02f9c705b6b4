#include "unit/store_support.h"

#include "store/control_status.h"
#include "store/job_claim.h"
#include "store/journal.h"
#include "store/record.h"

#include <string.h>

typedef struct {
    const char *name;
    const char *note;
    int64_t count;
    RecordBytes bytes;
} Sample;

static const RecordColumn columns[] = {
    RECORD_COLUMN(Sample, name, RECORD_TEXT, 4),
    RECORD_COLUMN(Sample, note, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Sample, count, RECORD_INT, 0),
    RECORD_COLUMN(Sample, bytes, RECORD_BYTES, 2),
};
static const RecordShape shape = RECORD_SHAPE(Sample, "sample", columns);

static void a_row_within_its_limits_passes(void) {
    Sample row = {.name = "four", .bytes = {"ab", 2}};
    store_ok(record_check(&shape, &row, &error));
    row.note = "";
    row.bytes.size = 0;
    store_ok(record_check(&shape, &row, &error));
}

static void assert_refused(const Sample *row, ErrorCode code, const char *message) {
    g_autoptr(GError) error = NULL;
    g_assert_false(record_check(&shape, row, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_cmpstr(error->message, ==, message);
}

static void a_refusal_names_noun_and_column(void) {
    char note[STORE_NAME_MAX + 2];
    memset(note, 'n', sizeof note);
    note[sizeof note - 1] = 0;
    Sample good = {.name = "four", .bytes = {"ab", 2}};
    Sample row = good;
    row.name = NULL;
    assert_refused(&row, ERROR_CONFIGURATION, "The field name of the sample is missing.");
    row.name = "";
    assert_refused(&row, ERROR_CONFIGURATION, "The field name of the sample is missing.");
    row.name = "fives";
    assert_refused(&row, ERROR_LIMIT, "The field name of the sample is longer than 4 bytes.");
    row = good;
    row.note = note;
    assert_refused(&row, ERROR_LIMIT, "The field note of the sample is longer than 256 bytes.");
    row = good;
    row.bytes = (RecordBytes){"abc", 3};
    assert_refused(&row, ERROR_LIMIT, "The field bytes of the sample is longer than 2 bytes.");
    row.bytes = (RecordBytes){NULL, 0};
    assert_refused(&row, ERROR_CONFIGURATION, "The field bytes of the sample is missing.");
}

static void adds_many(DbUnit *unit) {
    for (int i = 0; i <= STORE_LIST_MAX; i++) {
        g_autofree char *id = g_strdup_printf("C%04d", i);
        ControlStatus row = {
            .framework = "soc2", .control_id = id, .status = "manual", .detail = "{}"};
        store_ok(control_status_upsert(unit, &row, NULL, &error));
    }
}

static void lists_many(DbUnit *unit) {
    static const struct {
        int64_t wish;
        guint rows;
    } cases[] = {{0, STORE_LIST_DEFAULT},
                 {-5, STORE_LIST_DEFAULT},
                 {1, 1},
                 {STORE_LIST_MAX, STORE_LIST_MAX},
                 {INT64_MAX, STORE_LIST_MAX}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        ControlStatusFilter filter = {.framework = "soc2", .limit = cases[i].wish};
        g_autoptr(GPtrArray) rows = NULL;
        store_ok(control_status_list(unit, &filter, &rows, &error));
        g_assert_cmpuint(rows->len, ==, cases[i].rows);
    }
}

static void no_list_is_longer_than_the_largest(void) {
    store_in(ORG_A, adds_many);
    store_in(ORG_A, lists_many);
}

static void claims_job(DbUnit *unit) {
    JobClaim claim = {.owner = "worker-1", .lease_ms = 60000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &claim, &job, &error));
}

static void stores_empty_bytes(DbUnit *unit) {
    JobLease lease = {.job_id = "job-1", .owner = "worker-1", .fence = 1};
    JournalBatch none = {.entries = 0};
    store_fails(ERROR_CONFIGURATION, journal_append(unit, &lease, &none, NULL, &error));
    JournalBatch empty = {.entries = 0, .bytes = {"", 0}};
    store_ok(journal_append(unit, &lease, &empty, NULL, &error));
    g_autoptr(JournalBatch) row = NULL;
    store_ok(journal_read(unit, "job-1", 0, &row, &error));
    g_assert_nonnull(row->bytes.bytes);
    g_assert_cmpuint(row->bytes.size, ==, 0);
}

static void empty_bytes_are_not_missing_bytes(void) {
    store_in(ORG_A, store_adds_job);
    store_system(claims_job);
    store_in(ORG_A, stores_empty_bytes);
}

static const StoreTest tests[] = {
    {"a_row_within_its_limits_passes", a_row_within_its_limits_passes},
    {"a_refusal_names_noun_and_column", a_refusal_names_noun_and_column},
    {"no_list_is_longer_than_the_largest", no_list_is_longer_than_the_largest},
    {"empty_bytes_are_not_missing_bytes", empty_bytes_are_not_missing_bytes},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "record", tests, G_N_ELEMENTS(tests));
}
