/* Whoever looks for work is told when there is some. */
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "sync/lookout.h"

#include <poll.h>
#include <stdatomic.h>

#define LOOKS 2400 /* of 50 ms: two minutes, for a machine that is very busy */

static void count(void *data) {
    atomic_fetch_add((atomic_uint *)data, 1);
}

static void await(atomic_uint *calls, unsigned expected) {
    for (int look = 0; look < LOOKS && atomic_load(calls) < expected; look++)
        poll(NULL, 0, 50);
    g_assert_cmpuint(atomic_load(calls), >=, expected);
}

/* By the channel alone: nothing polls here. */
static void a_job_that_is_stored_is_told_on_its_channel(void) {
    atomic_uint calls = 0;
    g_auto(Place) place;
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    DbListener *listener = NULL;
    must((listener = db_listen(place.db, JOB_CHANNEL, count, &calls, &error)) != NULL);
    await(&calls, 1);
    sync_add_job(&place, &scope_a, "acme", "job-1");
    await(&calls, 2);
    db_listen_end(listener);
}

static void a_lookout_calls_for_what_is_due(void) {
    atomic_uint calls = 0;
    g_auto(Place) place;
    place_init(&place);
    g_autofree char *providers = g_build_filename(place.folder, "providers", NULL);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    LookoutConfig config = {.db = place.db,
                            .data_dir = place.folder,
                            .providers_dir = providers,
                            .due = count,
                            .data = &calls};
    Lookout *lookout = NULL;
    must((lookout = lookout_start(&config, &error)) != NULL);
    sync_add_job(&place, &scope_a, "acme", "job-1");
    await(&calls, 1);
    lookout_stop(lookout);
    lookout_stop(NULL);
}

static bool complete_work(DbUnit *unit, void *data, GError **error) {
    JobLease lease = job_lease(data);
    return job_complete(unit, &lease, "{}", error);
}

static bool find_job_work(DbUnit *unit, void *data, GError **error) {
    Job *job = NULL;
    bool found = job_get(unit, data, &job, error);
    job_free(job);
    return found;
}

static bool has_job(const Place *place) {
    static char id[] = "job-1";
    return db_run(place->db, &scope_a, DB_READ, find_job_work, id, NULL);
}

/* A job that has ended, eleven days ago. */
static void add_old_job(const Place *place) {
    g_autoptr(Integration) integration = sync_integration(place, &scope_a, "acme");
    sync_add_job(place, &scope_a, "acme", "job-1");
    g_assert_true(sync_claim(place, &scope_a, "job-1", "worker"));
    g_autoptr(Job) job = sync_job(place, &scope_a, "job-1");
    must(db_run(place->db, &scope_a, DB_WRITE, complete_work, job, &error));
    clock_advance(11 * 24 * 3600 * INT64_C(1000));
}

static void what_is_kept_for_less_long_is_removed_with_the_reload(void) {
    const LookoutTuning shorter = {.retention = {.responses_days = 10}};
    atomic_uint calls = 0;
    g_auto(Place) place;
    clock_freeze(INT64_C(1760000000000));
    place_init(&place);
    g_autofree char *providers = g_build_filename(place.folder, "providers", NULL);
    add_old_job(&place);
    LookoutConfig config = {.db = place.db,
                            .data_dir = place.folder,
                            .providers_dir = providers,
                            .due = count,
                            .data = &calls};
    Lookout *lookout = NULL;
    must((lookout = lookout_start(&config, &error)) != NULL);
    g_assert_true(has_job(&place));
    lookout_tune(lookout, &shorter);
    lookout_reload(lookout);
    for (int look = 0; look < LOOKS && has_job(&place); look++)
        poll(NULL, 0, 50);
    g_assert_false(has_job(&place));
    lookout_stop(lookout);
    clock_thaw();
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define ADD(name) g_test_add_func("/sync/lookout/" #name, name)
    ADD(a_job_that_is_stored_is_told_on_its_channel);
    ADD(a_lookout_calls_for_what_is_due);
    ADD(what_is_kept_for_less_long_is_removed_with_the_reload);
    return g_test_run();
}
