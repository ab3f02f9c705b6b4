/* Copies of whole databases: everything arrives, is compared, and nobody else's is touched. */
#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "db/copy.h"
#include "db/copy_table.h"
#include "db/migrate.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/organization.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>

#define START_MS 1760000000000
#define CHUNKS 70 /* more than one page of a table with blobs */

typedef struct {
    char *folder;
    char *from;
    char *to;
    uint64_t told;
    bool verified;
} Desk;

typedef void (*Step)(DbUnit *unit);

#define must(expression)                                                                           \
    do {                                                                                           \
        GError *error = NULL;                                                                      \
        bool succeeded = (expression);                                                             \
        g_assert_no_error(error);                                                                  \
        g_assert_true(succeeded);                                                                  \
    } while (0)

static bool run_step(DbUnit *unit, void *data, GError **error) {
    (void)error;
    (*(Step *)data)(unit);
    return true;
}

static void step_in(const char *url, const char *organization, Step step) {
    DbScope scope = {
        .organization = organization, .actor = "test", .role = "owner", .system = true};
    g_autoptr(Db) db = NULL;
    must((db = db_open(url, &error)) != NULL);
    must(migrate_apply(db, &error));
    must(db_run(db, &scope, DB_WRITE, run_step, &step, &error));
}

/* --- what is copied --------------------------------------------------------------------------- */

static void add_organization(DbUnit *unit) {
    const char *id = db_unit_scope(unit)->organization;
    Organization row = {.id = id, .name = id, .wrapped_key = "wrapped"};
    must(organization_insert(unit, &row, &error));
}

static void add_integration(DbUnit *unit) {
    Integration row = {.id = "integration",
                       .provider = "github",
                       .name = "acme",
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{\"name\": \"Zoë\"}",
                       .account = "{}"};
    must(integration_insert(unit, &row, &error));
    for (int i = 0; i < 600; i++) {
        g_autofree char *id = g_strdup_printf("job-%04d", i);
        Job job = {.id = id,
                   .integration_id = "integration",
                   .request = "{}",
                   .definition_sha256 = "0f",
                   .priority = i};
        must(job_insert(unit, &job, &error));
    }
}

static void add_evidence(DbUnit *unit) {
    g_autofree char *document_id = NULL;
    must(document_begin(unit, "document", NULL, &error));
    for (int i = 0; i < CHUNKS; i++) {
        char bytes[] = {'a', '\0', (char)i, (char)0xff};
        DocumentChunk chunk = {.seq = i, .raw_size = 4, .bytes = {bytes, sizeof bytes}};
        must(document_append_chunk(unit, "document", &chunk, &error));
    }
    DocumentEnd end = {.id = "document", .sha256 = "sha", .size = 4 * CHUNKS};
    must(document_finish(unit, &end, &document_id, &error));
    Evidence row = {.id = "evidence",
                    .integration_id = "integration",
                    .evidence_type = "users",
                    .source = "github",
                    .record = "{\"id\": 1 }",
                    .completeness = 0.1,
                    .document_id = document_id,
                    .data_sha256 = "sha",
                    .collected_at = 10};
    must(evidence_insert(unit, &row, NULL, NULL, &error));
}

static void fill(Desk *desk) {
    const char *const organizations[] = {"org-a", "org-b"};
    for (size_t i = 0; i < G_N_ELEMENTS(organizations); i++) {
        step_in(desk->from, organizations[i], add_organization);
        step_in(desk->from, organizations[i], add_integration);
    }
    step_in(desk->from, "org-b", add_evidence);
}

/* --- copying ---------------------------------------------------------------------------------- */

static void tell(const CopyProgress *progress, void *data) {
    Desk *desk = data;
    g_assert_nonnull(progress->table);
    g_assert_cmpuint(progress->rows, >=, progress->verifying == desk->verified ? desk->told : 0);
    desk->told = progress->rows;
    desk->verified = progress->verifying;
}

static bool copy(Desk *desk, CopyReport *report, GError **error) {
    CopyPlan plan = {.from = desk->from, .to = desk->to, .told = tell, .data = desk};
    desk->told = 0;
    desk->verified = false;
    return copy_database(&plan, report, error);
}

static void copy_fails(Desk *desk, ErrorCode code, const char *part) {
    CopyReport report = {0};
    g_autoptr(GError) error = NULL;
    g_assert_false(copy(desk, &report, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_nonnull(strstr(error->message, part));
    g_assert_cmpuint(report.rows, ==, 0);
}

static void desk_init(Desk *desk) {
    clock_freeze(START_MS);
    *desk = (Desk){0};
    must((desk->folder = g_dir_make_tmp("assay-copy-XXXXXX", &error)) != NULL);
    desk->from = g_strdup_printf("sqlite:%s/from.db", desk->folder);
    desk->to = stage_database_url(desk->folder, "to.db", NULL);
}

static void desk_clear(Desk *desk) {
    g_autoptr(GDir) dir = g_dir_open(desk->folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(desk->folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(desk->folder), ==, 0);
    stage_leave(desk->folder);
    g_free(desk->folder);
    g_free(desk->from);
    g_free(desk->to);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

/* --- tests ------------------------------------------------------------------------------------ */

static void finds_everything(DbUnit *unit) {
    g_autoptr(Integration) row = NULL;
    g_autoptr(Evidence) evidence = NULL;
    g_autoptr(Job) job = NULL;
    must(integration_get(unit, "integration", &row, &error));
    g_assert_cmpstr(row->settings, ==, "{\"name\": \"Zoë\"}");
    must(job_get(unit, "job-0599", &job, &error));
    g_assert_cmpint(job->priority, ==, 599);
    must(evidence_get(unit, "evidence", &evidence, &error));
    g_assert_cmpfloat(evidence->completeness, ==, 0.1);
    g_assert_cmpuint(evidence->salt.size, ==, EVIDENCE_SALT_SIZE);
    g_assert_cmpstr(evidence->document_id, ==, "document");
}

static void every_row_arrives_and_is_compared(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
    g_assert_cmpuint(report.organizations, ==, 2);
    g_assert_cmpuint(report.tables, ==, copy_table_count);
    /* The organizations, their names, integrations, jobs and queue rows; chunks and the rest. */
    g_assert_cmpuint(report.rows, >=, 2 * (1 + 1 + 1 + 600 + 1) + CHUNKS + 2);
    g_assert_true(desk.verified);
    g_assert_cmpuint(desk.told, ==, report.rows);
    step_in(desk.to, "org-b", finds_everything);
}

static void an_empty_database_gives_an_empty_one(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    g_autoptr(Db) db = NULL;
    must((db = db_open(desk.from, &error)) != NULL);
    must(migrate_apply(db, &error));
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
    g_assert_cmpuint(report.rows, ==, 0);
}

static void a_copy_that_was_cut_short_goes_on(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    step_in(desk.to, "org-a", add_organization);
    step_in(desk.to, "org-a", add_integration);
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
    must(copy(&desk, &report, &error));
    step_in(desk.to, "org-b", finds_everything);
}

static void a_target_of_others_is_refused(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    step_in(desk.to, "org-c", add_organization);
    copy_fails(&desk, ERROR_CONFLICT, "holds organization org-c");
}

static void add_another_job(DbUnit *unit) {
    Job job = {.id = "job-9999",
               .integration_id = "integration",
               .request = "{}",
               .definition_sha256 = "0f"};
    must(job_insert(unit, &job, &error));
}

static void a_row_too_many_is_found(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
    step_in(desk.to, "org-a", add_another_job);
    report = (CopyReport){0};
    copy_fails(&desk, ERROR_CONFLICT, "table job is not the same");
}

static void degrade_integration(DbUnit *unit) {
    IntegrationStatus status = {.status = INTEGRATION_DEGRADED, .reason = "slow"};
    must(integration_update_status(unit, "integration", &status, &error));
}

static void a_row_that_differs_is_found(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
    step_in(desk.to, "org-b", degrade_integration);
    copy_fails(&desk, ERROR_CONFLICT, "table integration is not the same");
}

static void claim(DbUnit *unit) {
    g_autoptr(Job) job = NULL;
    must(job_claim(unit, &(JobClaim){.owner = "worker", .lease_ms = 1000}, &job, &error));
    g_assert_nonnull(job);
}

static void a_source_that_is_worked_on_is_refused(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    fill(&desk);
    step_in(desk.from, "org-a", claim);
    copy_fails(&desk, ERROR_CONFLICT, "1 jobs are being run");
    clock_freeze(START_MS + 1001); /* the lease is over: nobody works any more */
    CopyReport report = {0};
    must(copy(&desk, &report, &error));
}

static void a_source_without_schema_is_told_what_to_do(void) {
    g_auto(Desk) desk;
    desk_init(&desk);
    copy_fails(&desk, ERROR_CONFIGURATION, "run `assay migrate` on it first");
}

#define TEST(name)                                                                                 \
    { "/store/copy/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(every_row_arrives_and_is_compared),
        TEST(an_empty_database_gives_an_empty_one),
        TEST(a_copy_that_was_cut_short_goes_on),
        TEST(a_target_of_others_is_refused),
        TEST(a_row_too_many_is_found),
        TEST(a_row_that_differs_is_found),
        TEST(a_source_that_is_worked_on_is_refused),
        TEST(a_source_without_schema_is_told_what_to_do),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
