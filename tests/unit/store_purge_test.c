/* An integration is removed with everything that came from it. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/error.h"
#include "store/assessment.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/ledger.h"
#include "store/purge.h"
#include "store/review.h"
#include "store/scan.h"
#include "store/schedule.h"

#include <string.h>

#define OWN "{\"n\":1}"
#define SHARED "{\"n\":2}"

static void add_evidence(DbUnit *unit, const char *id, const char *integration,
                         const char *document, const char *text) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(text, strlen(text), hash);
    Evidence row = {.id = id,
                    .integration_id = integration,
                    .evidence_type = "branches",
                    .source = "github",
                    .record = "{}",
                    .document_id = document,
                    .data_sha256 = hash,
                    .completeness = 1,
                    .collected_at = clock_now_ms()};
    store_ok(evidence_insert(unit, &row, NULL, NULL, &error));
}

static void adds(DbUnit *unit) {
    Job job = {
        .id = "job-1", .integration_id = INTEGRATION_A, .request = "{}", .definition_sha256 = "d"};
    Review review = {.evidence_id = "e-1", .state = EVIDENCE_APPROVED, .reviewer = "mona"};
    Assessment assessment = {.id = "a-1",
                             .integration_id = INTEGRATION_A,
                             .check_name = "c",
                             .resource = "r",
                             .result = "pass",
                             .scanner = "s"};
    store_add_integration(unit, "second");
    store_add_document(unit, "own", OWN);
    store_add_document(unit, "shared", SHARED);
    add_evidence(unit, "e-1", INTEGRATION_A, "own", OWN);
    add_evidence(unit, "e-2", INTEGRATION_A, "shared", SHARED);
    add_evidence(unit, "e-3", "second", "shared", SHARED);
    store_ok(review_put(unit, &review, &error));
    store_ok(assessment_insert(unit, &assessment, &error));
    store_ok(scan_call(unit, INTEGRATION_A, &error));
    store_ok(schedule_begin(unit, INTEGRATION_A, START_MS + 1000, &error));
    store_ok(job_insert(unit, &job, &error));
}

static void waits_for_its_job(DbUnit *unit) {
    Purged purged;
    store_fails(ERROR_CONFLICT, purge_integration(unit, INTEGRATION_A, &purged, &error));
}

static void calls_off(DbUnit *unit) {
    JobCancel how;
    store_ok(job_cancel(unit, "job-1", &how, &error));
}

static void purges(DbUnit *unit) {
    Purged purged;
    store_ok(purge_integration(unit, INTEGRATION_A, &purged, &error));
    g_assert_cmpint(purged.jobs, ==, 1);
    g_assert_cmpint(purged.evidence, ==, 2);
    g_assert_cmpint(purged.documents, ==, 1);
    g_assert_cmpint(purged.findings, ==, 0);
    g_assert_cmpint(purged.assessments, ==, 1);
}

static void is_gone(DbUnit *unit) {
    g_autoptr(Evidence) evidence = NULL;
    g_autoptr(Integration) row = NULL;
    g_autoptr(Document) document = NULL;
    g_autoptr(Job) job = NULL;
    store_fails(ERROR_NOT_FOUND, integration_get(unit, INTEGRATION_A, &row, &error));
    store_fails(ERROR_NOT_FOUND, evidence_get(unit, "e-1", &evidence, &error));
    store_fails(ERROR_NOT_FOUND, document_get(unit, "own", &document, &error));
    store_fails(ERROR_NOT_FOUND, job_get(unit, "job-1", &job, &error));
}

static void others_stay(DbUnit *unit) {
    g_autoptr(Evidence) evidence = NULL;
    g_autoptr(Document) document = NULL;
    store_ok(evidence_get(unit, "e-3", &evidence, &error));
    store_ok(document_get(unit, "shared", &document, &error));
    g_assert_cmpint(evidence->ledger_index, ==, 2);
}

static void foreign_stays(DbUnit *unit) {
    Purged purged;
    store_fails(ERROR_NOT_FOUND, purge_integration(unit, INTEGRATION_A, &purged, &error));
}

static void everything_of_it_goes_and_what_is_shared_stays(void) {
    store_in(ORG_A, adds);
    store_in(ORG_B, foreign_stays);
    store_in(ORG_A, waits_for_its_job);
    store_in(ORG_A, calls_off);
    store_in(ORG_A, purges);
    store_in(ORG_A, is_gone);
    store_in(ORG_A, others_stay);
    store_in(ORG_A, foreign_stays);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"everything_of_it_goes_and_what_is_shared_stays",
         everything_of_it_goes_and_what_is_shared_stays},
    };
    return store_main(argc, argv, "purge", tests, G_N_ELEMENTS(tests));
}
