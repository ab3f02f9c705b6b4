#include "unit/store_support.h"

#include "base/clock.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/secmem.h"
#include "db/migrate.h"
#include "store/document.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/organization.h"
#include "store/user.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>

static Db *database;
static char *folder;

Db *store_database(void) {
    return database;
}

static bool run_step(DbUnit *unit, void *data, GError **error) {
    (void)error;
    StoreStep step = *(StoreStep *)data;
    step(unit);
    return true;
}

static void run_in(const DbScope *scope, StoreStep step) {
    GError *error = NULL;
    bool done = db_run(database, scope, DB_WRITE, run_step, &step, &error);
    g_assert_no_error(error);
    g_assert_true(done);
}

void store_in(const char *organization, StoreStep step) {
    DbScope scope = {.organization = organization, .actor = "test", .role = "owner"};
    run_in(&scope, step);
}

void store_system(StoreStep step) {
    DbScope scope = {.actor = "test", .system = true};
    run_in(&scope, step);
}

void store_system_fails(StoreStep step) {
    DbScope scope = {.actor = "test", .system = true};
    g_autoptr(GError) error = NULL;
    g_assert_false(db_run(database, &scope, DB_WRITE, run_step, &step, &error));
    g_assert_nonnull(error);
}

static void add_organizations(DbUnit *unit) {
    Organization a = {.id = ORG_A, .name = "Alpha"};
    Organization b = {.id = ORG_B, .name = "Beta"};
    store_ok(organization_insert(unit, &a, &error));
    store_ok(organization_insert(unit, &b, &error));
}

static void insert_integration(DbUnit *unit, const char *id, const char *name) {
    Integration row = {.id = id,
                       .provider = "github",
                       .name = name,
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{}",
                       .account = "{}"};
    store_ok(integration_insert(unit, &row, &error));
}

static void add_integration(DbUnit *unit) {
    bool is_a = g_str_equal(db_unit_scope(unit)->organization, ORG_A);
    insert_integration(unit, is_a ? INTEGRATION_A : INTEGRATION_B, "acme");
}

void store_add_integration(DbUnit *unit, const char *integration_id) {
    insert_integration(unit, integration_id, integration_id);
}

void store_add_job(DbUnit *unit, const char *integration_id, const char *job_id) {
    Job job = {
        .id = job_id, .integration_id = integration_id, .request = "{}", .definition_sha256 = "0f"};
    store_ok(job_insert(unit, &job, &error));
}

static void start(void) {
    clock_freeze(START_MS);
    store_ok((folder = g_dir_make_tmp("assay-store-XXXXXX", &error)) != NULL);
    g_autofree char *url = stage_url(folder, "assay.db");
    DbOptions options = {.rehearse = true};
    store_ok((database = db_open_with(url, &options, &error)) != NULL);
    store_ok(migrate_apply(database, &error));
    store_system(add_organizations);
    store_in(ORG_A, add_integration);
    store_in(ORG_B, add_integration);
}

static void stop(void) {
    g_clear_pointer(&database, db_close);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_unlink(path);
    }
    g_rmdir(folder);
    stage_leave(folder);
    g_clear_pointer(&folder, g_free);
    clock_thaw();
}

static void run_test(const void *data) {
    const StoreTest *test = data;
    start();
    test->run();
    stop();
}

int store_main(int argc, char **argv, const char *noun, const StoreTest *tests, size_t count) {
    g_test_init(&argc, &argv, NULL);
    store_ok(secmem_start(&error));
    for (size_t i = 0; i < count; i++) {
        g_autofree char *path = g_strdup_printf("/store/%s/%s", noun, tests[i].name);
        g_test_add_data_func(path, &tests[i], run_test);
    }
    return g_test_run();
}

void store_add_document(DbUnit *unit, const char *id, const char *text) {
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *stored = NULL;
    g_autoptr(Compressor) compressor = compressor_new();
    g_autoptr(GByteArray) packed = compressor_pack(compressor, text, strlen(text));
    DocumentChunk chunk = {.raw_size = (int64_t)strlen(text), .bytes = {packed->data, packed->len}};
    digest_sha256_hex(text, strlen(text), hash);
    DocumentEnd end = {.id = id, .sha256 = hash, .size = (int64_t)strlen(text)};
    store_ok(document_begin(unit, id, NULL, &error));
    store_ok(document_append_chunk(unit, id, &chunk, &error));
    store_ok(document_finish(unit, &end, &stored, &error));
}

void store_adds_job(DbUnit *unit) {
    store_add_job(unit, INTEGRATION_A, "job-1");
}

void store_claims_job(DbUnit *unit) {
    JobClaim claim = {.owner = "worker-1", .lease_ms = 60000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim(unit, &claim, &job, &error));
    g_assert_nonnull(job);
}

void store_adds_ada(DbUnit *unit) {
    User ada = {.id = "ada", .email = "ada@example.com", .name = "Ada"};
    store_ok(user_insert(unit, &ada, &error));
}

void store_adds_ada_and_eve(DbUnit *unit) {
    User eve = {.id = "eve", .email = "eve@example.com", .name = "Eve"};
    store_adds_ada(unit);
    store_ok(user_insert(unit, &eve, &error));
}

void store_disables_ada(DbUnit *unit) {
    store_ok(user_set_disabled(unit, "ada", true, &error));
}
