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
    ADD(tests_of_connections_are_kept_for_a_day);
    return g_test_run();
}
