/* Whoever looks for work is told when there is some. */
#include "unit/sync_support.h"

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

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define ADD(name) g_test_add_func("/sync/lookout/" #name, name)
    ADD(a_job_that_is_stored_is_told_on_its_channel);
    ADD(a_lookout_calls_for_what_is_due);
    return g_test_run();
}
