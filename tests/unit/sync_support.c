#include "unit/sync_support.h"

#include "base/clock.h"
#include "store/job_claim.h"

typedef struct {
    const char *organization;
    const char *integration;
    const char *job_id;
    const char *owner;
    Integration *row;
    Job *job;
} Work;

static bool add_integration(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    Integration integration = {.id = work->integration,
                               .provider = "github",
                               .name = work->integration,
                               .auth = "pat",
                               .status = INTEGRATION_CONNECTED,
                               .settings = "{}",
                               .account = "{}"};
    g_clear_pointer(&work->row, integration_free);
    return integration_insert(unit, &integration, error) &&
           integration_get(unit, work->integration, &work->row, error);
}

Integration *sync_integration(const Place *place, const DbScope *scope, const char *name) {
    Work work = {.integration = name};
    must(db_run(place->db, scope, DB_WRITE, add_integration, &work, &error));
    return work.row;
}

static bool add_job(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    Job job = {.id = work->job_id,
               .integration_id = work->integration,
               .request = "{}",
               .definition_sha256 = "0f"};
    return job_insert(unit, &job, error);
}

void sync_add_job(const Place *place, const DbScope *scope, const char *integration_id,
                  const char *job_id) {
    Work work = {.integration = integration_id, .job_id = job_id};
    must(db_run(place->db, scope, DB_WRITE, add_job, &work, &error));
}

static bool claim(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    JobClaim claim = {.owner = work->owner, .lease_ms = 3600000};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, work->organization, work->job_id, &claim, &work->job, error);
}

bool sync_claim(const Place *place, const DbScope *scope, const char *job_id, const char *owner) {
    Work work = {.organization = scope->organization, .job_id = job_id, .owner = owner};
    DbScope system = {.organization = scope->organization, .actor = "test", .system = true};
    must(db_run(place->db, &system, DB_WRITE, claim, &work, &error));
    bool claimed = work.job != NULL;
    job_free(work.job);
    return claimed;
}

static bool park(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    g_autoptr(Job) job = NULL;
    if (!job_get(unit, work->job_id, &job, error))
        return false;
    JobLease lease = job_lease(job);
    return job_park(unit, &lease, clock_now_ms() + 3600000, error);
}

void sync_park(const Place *place, const DbScope *scope, const char *job_id) {
    Work work = {.job_id = job_id};
    must(db_run(place->db, scope, DB_WRITE, park, &work, &error));
}

static bool get(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    g_clear_pointer(&work->job, job_free);
    return job_get(unit, work->job_id, &work->job, error);
}

Job *sync_job(const Place *place, const DbScope *scope, const char *job_id) {
    Work work = {.job_id = job_id};
    must(db_run(place->db, scope, DB_READ, get, &work, &error));
    return work.job;
}
