/* An organization is deleted with everything that it has. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/audit.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/membership.h"
#include "store/organization.h"
#include "store/organization_end.h"

static void has_things(DbUnit *unit) {
    AuditActor actor = {.kind = AUDIT_CLI, .name = "mona"};
    AuditEntry entry = {.action = AUDIT_SETTINGS_CHANGED, .actor = &actor};
    Job job = {
        .id = "job-1", .integration_id = INTEGRATION_A, .request = "{}", .definition_sha256 = "d"};
    store_ok(job_insert(unit, &job, &error));
    store_ok(audit_add(unit, &entry, &error));
}

static void is_being_run(DbUnit *unit) {
    JobClaim claim = {.owner = "worker", .lease_ms = 60000};
    g_autoptr(Job) job = NULL;
    store_ok(job_claim_one(unit, ORG_A, "job-1", &claim, &job, &error));
    g_assert_nonnull(job);
}

static char *name_of(DbUnit *unit) {
    g_autoptr(Organization) row = NULL;
    store_ok(organization_get(unit, &row, &error));
    return g_strdup(row->name);
}

static void is_not_deleted_by_another_name(DbUnit *unit) {
    int64_t running = -1;
    store_fails(ERROR_CONFIGURATION, organization_end(unit, "Other", &running, &error));
    g_autofree char *name = name_of(unit);
    g_assert_cmpstr(name, !=, "");
}

static void calls_its_job_off(DbUnit *unit) {
    int64_t running = 0;
    g_autofree char *name = name_of(unit);
    g_autoptr(Job) job = NULL;
    store_ok(organization_end(unit, name, &running, &error));
    g_assert_cmpint(running, ==, 1);
    store_ok(job_get(unit, "job-1", &job, &error));
    g_assert_cmpint(job->cancel_at, >, 0);
}

static void ends(DbUnit *unit) {
    int64_t running = -1;
    g_autofree char *name = name_of(unit);
    store_ok(organization_end(unit, name, &running, &error));
    g_assert_cmpint(running, ==, 0);
}

static void is_gone(DbUnit *unit) {
    g_autoptr(Organization) row = NULL;
    g_autoptr(Integration) integration = NULL;
    store_fails(ERROR_NOT_FOUND, organization_get(unit, &row, &error));
    store_fails(ERROR_NOT_FOUND, integration_get(unit, INTEGRATION_A, &integration, &error));
    int64_t running = -1;
    store_fails(ERROR_NOT_FOUND, organization_end(unit, "A", &running, &error));
}

static void keeps_its_log(DbUnit *unit) {
    AuditFilter filter = {.limit = 10};
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(audit_list(unit, &filter, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
}

static void is_untouched(DbUnit *unit) {
    g_autofree char *name = name_of(unit);
    g_autoptr(Integration) integration = NULL;
    g_assert_cmpstr(name, !=, "");
    store_ok(integration_get(unit, INTEGRATION_B, &integration, &error));
}

static char *ended_name;

static void remembers_name(DbUnit *unit) {
    g_free(ended_name); /* units may run twice */
    ended_name = name_of(unit);
}

static void name_is_free(DbUnit *unit) {
    g_autoptr(Organization) found = NULL;
    g_autoptr(GPtrArray) all = NULL;
    Organization row = {.id = "01890000-0000-7000-8000-0000000000ee", .name = ended_name};
    store_ok(organization_find_by_name(unit, ORG_A, &found, &error));
    g_assert_null(found);
    store_ok(organization_list(unit, NULL, 10, &all, &error));
    g_assert_cmpuint(all->len, ==, 1);
    store_ok(organization_insert(unit, &row, &error));
}

static void only_its_logs_are_left(void) {
    store_in(ORG_A, has_things);
    store_in(ORG_A, remembers_name);
    store_in(ORG_A, is_not_deleted_by_another_name);
    store_in(ORG_A, ends);
    store_in(ORG_A, is_gone);
    store_in(ORG_A, keeps_its_log);
    store_in(ORG_B, is_untouched);
    store_system(name_is_free);
    g_clear_pointer(&ended_name, g_free);
}

static void what_is_being_run_is_called_off_first(void) {
    store_in(ORG_A, has_things);
    store_system(is_being_run);
    store_in(ORG_A, calls_its_job_off);
    store_in(ORG_A, calls_its_job_off);
}

int main(int argc, char **argv) {
    static const StoreTest tests[] = {
        {"only_its_logs_are_left", only_its_logs_are_left},
        {"what_is_being_run_is_called_off_first", what_is_being_run_is_called_off_first},
    };
    return store_main(argc, argv, "organization_end", tests, G_N_ELEMENTS(tests));
}
