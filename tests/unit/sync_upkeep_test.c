/* What is removed when its time is over, and what the operator has set. */
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "store/document.h"
#include "store/errand_row.h"
#include "store/evidence.h"
#include "sync/upkeep.h"

#define START_MS INT64_C(1760000000000)
#define DAY_MS (24 * 3600 * (int64_t)1000)

static bool keep_up(const Place *place, const Retention *retention) {
    bool more = true;
    must(upkeep_run(place->db, retention, &more, &error));
    return more;
}

/* --- jobs ------------------------------------------------------------------------------------- */

static bool complete_work(DbUnit *unit, void *data, GError **error) {
    const Job *job = data;
    JobLease lease = job_lease(job);
    return job_complete(unit, &lease, "{}", error);
}

static void run_job(const Place *place, const char *id) {
    g_autoptr(Integration) integration = sync_integration(place, &scope_a, id);
    sync_add_job(place, &scope_a, integration->id, id);
    g_assert_true(sync_claim(place, &scope_a, id, "worker"));
    g_autoptr(Job) job = sync_job(place, &scope_a, id);
    must(db_run(place->db, &scope_a, DB_WRITE, complete_work, job, &error));
}

static bool find_job_work(DbUnit *unit, void *data, GError **error) {
    Job *job = NULL;
    bool found = job_get(unit, data, &job, error);
    job_free(job);
    return found;
}

static bool has_job(const Place *place, const char *id) {
    g_autofree char *copy = g_strdup(id);
    return db_run(place->db, &scope_a, DB_READ, find_job_work, copy, NULL);
}

static void jobs_are_kept_for_as_long_as_is_set(void) {
    const Retention usual = {0};
    const Retention short_one = {.responses_days = 10};
    g_auto(Place) place;
    clock_freeze(START_MS);
    place_init(&place);
    run_job(&place, "job-1");
    clock_advance(11 * DAY_MS);
    keep_up(&place, &usual);
    g_assert_true(has_job(&place, "job-1"));
    keep_up(&place, &short_one);
    g_assert_false(has_job(&place, "job-1"));
    run_job(&place, "job-2");
    clock_advance(399 * DAY_MS);
    keep_up(&place, &usual);
    g_assert_true(has_job(&place, "job-2"));
    clock_advance(2 * DAY_MS);
    g_assert_false(keep_up(&place, &usual));
    g_assert_false(has_job(&place, "job-2"));
    clock_thaw();
}

/* --- evidence --------------------------------------------------------------------------------- */

typedef struct {
    const char *integration_id;
    char id[ID_SIZE];
    bool has_document;
} EvidenceWork;

static bool add_work(DbUnit *unit, void *data, GError **error) {
    const EvidenceWork *work = data;
    g_autofree char *document = NULL;
    DocumentEnd end = {.id = work->id, .sha256 = work->id, .size = 0};
    Evidence row = {.id = work->id,
                    .integration_id = work->integration_id,
                    .evidence_type = "branches",
                    .source = "github",
                    .record = "{}",
                    .completeness = 1,
                    .collected_at = clock_now_ms(),
                    .data_sha256 = work->id};
    if (!document_begin(unit, work->id, NULL, error) ||
        !document_finish(unit, &end, &document, error))
        return false;
    row.document_id = document;
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    EvidenceWork *work = data;
    g_autoptr(Evidence) row = NULL;
    if (!evidence_get(unit, work->id, &row, error))
        return false;
    work->has_document = row->document_id != NULL;
    return true;
}

static bool has_document(const Place *place, EvidenceWork *work) {
    must(db_run(place->db, &scope_a, DB_READ, look_work, work, &error));
    return work->has_document;
}

static void data_of_evidence_are_kept_for_as_long_as_is_set(void) {
    const Retention usual = {0};
    const Retention one = {.evidence_years = 1};
    g_auto(Place) place;
    clock_freeze(START_MS);
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    EvidenceWork work = {.integration_id = integration->id};
    id_write(work.id);
    must(db_run(place.db, &scope_a, DB_WRITE, add_work, &work, &error));
    clock_advance(366 * DAY_MS);
    keep_up(&place, &usual);
    g_assert_true(has_document(&place, &work));
    g_assert_false(keep_up(&place, &one));
    g_assert_false(has_document(&place, &work));
    clock_thaw();
}

/* --- what was left half written ----------------------------------------------------------------
 */

typedef struct {
    const char *job_id; /* the document's id as well */
    bool there;
} LeftWork;

static bool begin_work(DbUnit *unit, void *data, GError **error) {
    const LeftWork *work = data;
    DocumentChunk chunk = {.seq = 0, .raw_size = 1, .bytes = {"x", 1}};
    return document_begin(unit, work->job_id, work->job_id, error) &&
           document_append_chunk(unit, work->job_id, &chunk, error);
}

/* Begins it once more: that is refused while it is there, and undone otherwise. */
static bool look_for_work(DbUnit *unit, void *data, GError **error) {
    LeftWork *work = data;
    g_autoptr(GError) there = NULL;
    work->there = !document_begin(unit, work->job_id, work->job_id, &there);
    g_assert_true(!there || g_error_matches(there, ASSAY_ERROR, ERROR_CONFLICT));
    return work->there || document_sweep(unit, work->job_id, NULL, error);
}

static void begin_document(const Place *place, const DbScope *scope, const char *job_id) {
    LeftWork work = {.job_id = job_id};
    must(db_run(place->db, scope, DB_WRITE, begin_work, &work, &error));
}

static bool is_being_written(const Place *place, const DbScope *scope, const char *job_id) {
    LeftWork work = {.job_id = job_id};
    must(db_run(place->db, scope, DB_WRITE, look_for_work, &work, &error));
    return work.there;
}

static bool fail_work(DbUnit *unit, void *data, GError **error) {
    const Job *job = data;
    JobLease lease = job_lease(job);
    return job_fail(unit, &lease, "{}", error);
}

static bool cancel_work(DbUnit *unit, void *data, GError **error) {
    const Job *job = data;
    JobCancel how;
    return job_cancel(unit, job->id, &how, error);
}

static bool end_cancelled_work(DbUnit *unit, void *data, GError **error) {
    const Job *job = data;
    JobLease lease = job_lease(job);
    return cancel_work(unit, data, error) && job_end_cancelled(unit, &lease, error);
}

static bool park_work(DbUnit *unit, void *data, GError **error) {
    const Job *job = data;
    JobLease lease = job_lease(job);
    return job_park(unit, &lease, clock_now_ms() + DAY_MS, error);
}

static bool stay_work(DbUnit *unit, void *data, GError **error) {
    (void)unit, (void)data, (void)error;
    return true;
}

/* How a job that has begun a document goes on, and whether the document stays. */
static const struct {
    const char *job_id;
    DbWork end;
    bool stays;
} ends[] = {
    {"job-completed", complete_work, false},
    {"job-failed", fail_work, false},
    {"job-called-off", end_cancelled_work, false},
    {"job-parked", park_work, true},
    {"job-running", stay_work, true},
};

static void what_ended_jobs_left_half_written_goes(void) {
    const Retention usual = {0};
    g_auto(Place) place;
    clock_freeze(START_MS);
    place_init(&place);
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        const char *id = ends[i].job_id;
        g_autoptr(Integration) integration = sync_integration(&place, &scope_a, id);
        sync_add_job(&place, &scope_a, integration->id, id);
        g_assert_true(sync_claim(&place, &scope_a, id, "worker"));
        g_autoptr(Job) job = sync_job(&place, &scope_a, id);
        begin_document(&place, &scope_a, id);
        must(db_run(place.db, &scope_a, DB_WRITE, ends[i].end, job, &error));
    }
    g_assert_false(keep_up(&place, &usual));
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_test_message("%s", ends[i].job_id);
        g_assert_true(is_being_written(&place, &scope_a, ends[i].job_id) == ends[i].stays);
    }
    g_assert_false(keep_up(&place, &usual));
    clock_thaw();
}

static void a_job_that_is_called_off_later_leaves_nothing(void) {
    const Retention usual = {0};
    g_auto(Place) place;
    clock_freeze(START_MS);
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    sync_add_job(&place, &scope_a, integration->id, "job-1");
    g_assert_true(sync_claim(&place, &scope_a, "job-1", "worker"));
    begin_document(&place, &scope_a, "job-1");
    sync_park(&place, &scope_a, "job-1");
    keep_up(&place, &usual);
    g_assert_true(is_being_written(&place, &scope_a, "job-1"));
    g_autoptr(Job) job = sync_job(&place, &scope_a, "job-1");
    must(db_run(place.db, &scope_a, DB_WRITE, cancel_work, job, &error));
    keep_up(&place, &usual);
    g_assert_false(is_being_written(&place, &scope_a, "job-1"));
    clock_thaw();
}

typedef struct {
    int first, end;
} ManyWork;

static bool many_work(DbUnit *unit, void *data, GError **error) {
    const ManyWork *work = data;
    for (int i = work->first; i < work->end; i++) {
        g_autofree char *id = g_strdup_printf("left-%d", i);
        if (!document_begin(unit, id, "job-gone", error))
            return false;
    }
    return true;
}

static void what_was_left_goes_a_batch_at_a_time(void) {
    const Retention usual = {0};
    g_auto(Place) place;
    clock_freeze(START_MS);
    place_init(&place);
    ManyWork many = {0, 450};
    must(db_run(place.db, &scope_a, DB_WRITE, many_work, &many, &error));
    g_assert_true(keep_up(&place, &usual));
    g_assert_true(keep_up(&place, &usual));
    g_assert_false(keep_up(&place, &usual));
    g_assert_false(is_being_written(&place, &scope_a, "left-449"));
    clock_thaw();
}

/* --- tests of connections --------------------------------------------------------------------- */

static const char errand_id[] = "01890000-0000-7000-8000-0000000e0001";

static bool announce_work(DbUnit *unit, void *data, GError **error) {
    ErrandRow row = {.id = errand_id,
                     .kind = "test",
                     .actor_id = "ada",
                     .status = ERRAND_RUNNING,
                     .started_at = clock_now_ms()};
    (void)data;
    return errand_row_insert(unit, &row, error);
}

static bool due_work(DbUnit *unit, void *data, GError **error) {
    return errand_row_due(unit, data, error);
}

static void tests_of_connections_are_kept_for_a_day(void) {
    const Retention usual = {0};
    g_auto(Place) place;
    bool due = false;
    clock_freeze(START_MS);
    place_init(&place);
    must(db_run(place.db, &scope_a, DB_WRITE, announce_work, NULL, &error));
    clock_advance(ERRAND_ROW_KEEP_MS);
    must(db_run(place.db, &scope_a, DB_READ, due_work, &due, &error));
    g_assert_true(due);
    g_assert_false(keep_up(&place, &usual));
    must(db_run(place.db, &scope_a, DB_READ, due_work, &due, &error));
    g_assert_false(due);
    clock_thaw();
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define ADD(name) g_test_add_func("/sync/upkeep/" #name, name)
    ADD(jobs_are_kept_for_as_long_as_is_set);
    ADD(data_of_evidence_are_kept_for_as_long_as_is_set);
    ADD(what_ended_jobs_left_half_written_goes);
    ADD(a_job_that_is_called_off_later_leaves_nothing);
    ADD(what_was_left_goes_a_batch_at_a_time);
    ADD(tests_of_connections_are_kept_for_a_day);
    return g_test_run();
}
