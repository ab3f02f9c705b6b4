/* The lease of a running job: kept by a thread, lost to another claim, called off by a person. */
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "store/job_claim.h"
#include "sync/heartbeat.h"

#include <poll.h>

#define LEASE_MS 60000
#define LOOKS 6000 /* of 50 ms, before a test gives up */

typedef struct {
    Place place;
    Integration *integration;
    Job *job;
    Heartbeat *heartbeat;
} Bed;

static void bed_init(Bed *bed) {
    clock_freeze(1760000000000);
    place_init(&bed->place);
    bed->integration = sync_integration(&bed->place, &scope_a, "acme");
    sync_add_job(&bed->place, &scope_a, "acme", "job-1");
    g_assert_true(sync_claim(&bed->place, &scope_a, "job-1", "worker-1"));
    bed->job = sync_job(&bed->place, &scope_a, "job-1");
    HeartbeatConfig config = {
        .db = bed->place.db, .scope = scope_a, .lease = job_lease(bed->job), .lease_ms = LEASE_MS};
    g_autoptr(GError) error = NULL;
    bed->heartbeat = heartbeat_start(&config, &error);
    g_assert_no_error(error);
}

static void bed_clear(Bed *bed) {
    heartbeat_stop(bed->heartbeat);
    job_free(bed->job);
    integration_free(bed->integration);
    place_clear(&bed->place);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bed, bed_clear)

static int64_t lease_until(const Bed *bed) {
    g_autoptr(Job) job = sync_job(&bed->place, &scope_a, "job-1");
    return job->lease_until;
}

static void await_lease(const Bed *bed, int64_t expected) {
    for (int look = 0; look < LOOKS && lease_until(bed) != expected; look++)
        poll(NULL, 0, 50);
    g_assert_cmpint(lease_until(bed), ==, expected);
}

static void await_state(const Bed *bed, HeartbeatState expected) {
    for (int look = 0; look < LOOKS && heartbeat_state(bed->heartbeat) != expected; look++)
        poll(NULL, 0, 50);
    g_assert_cmpint(heartbeat_state(bed->heartbeat), ==, expected);
}

static void the_lease_is_renewed_in_time(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    clock_advance(HEARTBEAT_MS);
    await_lease(&bed, clock_now_ms() + LEASE_MS);
    g_assert_cmpint(heartbeat_state(bed.heartbeat), ==, HEARTBEAT_HELD);
}

static bool progress_work(DbUnit *unit, void *data, GError **error) {
    char **progress = data;
    g_clear_pointer(progress, g_free);
    return job_progress(unit, "job-1", progress, error);
}

static void how_far_it_is_is_told_with_the_renewal(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    g_autoptr(Json) first = json_of("{\"rows\":1}");
    g_autoptr(Json) second = json_of("{\"rows\":2}");
    g_autofree char *progress = NULL;
    heartbeat_tell(bed.heartbeat, first);
    heartbeat_tell(bed.heartbeat, second);
    clock_advance(HEARTBEAT_MS);
    await_lease(&bed, clock_now_ms() + LEASE_MS);
    must(db_run(bed.place.db, &scope_a, DB_READ, progress_work, &progress, &error));
    g_assert_cmpstr(progress, ==, "{\"rows\":2}");
}

static void a_clock_that_is_set_is_answered_with_a_renewal(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    clock_freeze(clock_now_ms() + 3600000); /* the monotonic one stays where it was */
    await_lease(&bed, clock_now_ms() + LEASE_MS);
    clock_freeze(clock_now_ms() - 2 * 3600000);
    await_lease(&bed, clock_now_ms() + LEASE_MS);
}

static bool release_work(DbUnit *unit, void *data, GError **error) {
    return job_release_owner(unit, data, NULL, error);
}

static void a_job_that_another_has_claimed_is_lost(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    char owner[] = "worker-1";
    DbScope system = {.actor = "test", .system = true};
    must(db_run(bed.place.db, &system, DB_WRITE, release_work, owner, &error));
    g_assert_true(sync_claim(&bed.place, &scope_a, "job-1", "worker-2"));
    await_state(&bed, HEARTBEAT_LOST);
}

static bool cancel_work(DbUnit *unit, void *data, GError **error) {
    return job_cancel(unit, "job-1", data, error);
}

static void a_job_that_was_called_off_is_known_to_be(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    JobCancel how;
    must(db_run(bed.place.db, &scope_a, DB_WRITE, cancel_work, &how, &error));
    g_assert_cmpint(how, ==, JOB_CANCEL_ASKED);
    await_state(&bed, HEARTBEAT_CALLED_OFF);
}

static void it_stops_at_once(void) {
    g_auto(Bed) bed = {0};
    bed_init(&bed);
    g_clear_pointer(&bed.heartbeat, heartbeat_stop);
    heartbeat_stop(NULL);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/sync/heartbeat/the_lease_is_renewed_in_time", the_lease_is_renewed_in_time);
    g_test_add_func("/sync/heartbeat/how_far_it_is_is_told_with_the_renewal",
                    how_far_it_is_is_told_with_the_renewal);
    g_test_add_func("/sync/heartbeat/a_clock_that_is_set_is_answered_with_a_renewal",
                    a_clock_that_is_set_is_answered_with_a_renewal);
    g_test_add_func("/sync/heartbeat/a_job_that_another_has_claimed_is_lost",
                    a_job_that_another_has_claimed_is_lost);
    g_test_add_func("/sync/heartbeat/a_job_that_was_called_off_is_known_to_be",
                    a_job_that_was_called_off_is_known_to_be);
    g_test_add_func("/sync/heartbeat/it_stops_at_once", it_stops_at_once);
    return g_test_run();
}
