/* Errands on real worker processes: turns, what is announced, what other processes see of it, and
 * the end of the server. Another process is another board and book on the same database. */
#include "api/errand_view.h"
#include "base/clock.h"
#include "base/id.h"
#include "unit/connect_support.h"
#include "unit/database_stage.h"

#include <pthread.h>
#include <string.h>

#define MANY (ERRANDS_RUNNING_OF_ONE + ERRANDS_WAITING_OF_ONE)
#define LIMIT_US (120 * G_USEC_PER_SEC)
#define LONG_MS (60 * 60 * 1000)

/* What the API is to errands. */
typedef struct {
    Pool *pool;
    Alarms *alarms;
    ErrandBook *book;
    Errands *errands;
} Process;

typedef struct {
    Place place;
    char *program;
    char *url;
    Process own;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool open; /* what is held goes on */
} World;

/* One errand and what was told of it; all under the world's lock. */
typedef struct {
    World *world;
    Errand *errand;
    const char *failure; /* or NULL: it succeeds */
    const Crew *crew;    /* that did it */
    unsigned told;
    bool told_end;
    bool held;
    bool begun;
} Thing;

/* --- processes -------------------------------------------------------------------------------- */

static void process_init(Process *process, const World *world, int64_t patience_ms,
                         int64_t renew_ms) {
    process->pool = pool_new(2, 100);
    process->alarms = alarms_new();
    process->book = errand_book_new(world->place.db, process->pool, process->alarms, renew_ms);
    process->errands = errands_new(&(ErrandsConfig){.crew = {.program = world->program,
                                                             .data_dir = world->place.folder,
                                                             .database_url = world->url,
                                                             .keyring = world->place.keyring},
                                                    .alarms = process->alarms,
                                                    .book = process->book,
                                                    .patience_ms = patience_ms});
}

static void process_clear(Process *process) {
    if (!process->pool)
        return;
    errands_stop(process->errands);
    errand_book_stop(process->book);
    pool_free(process->pool);
    errands_free(process->errands);
    errand_book_free(process->book);
    alarms_free(process->alarms);
    *process = (Process){0};
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Process, process_clear)

static void set_open(World *world) {
    pthread_mutex_lock(&world->lock);
    world->open = true;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}

static void world_init(World *world, int64_t patience_ms) {
    place_init(&world->place);
    world->program = g_build_filename(g_getenv("ASSAY_BUILD"), "assay", NULL);
    world->url = stage_url(world->place.folder, "assay.db");
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
    process_init(&world->own, world, patience_ms, 0);
}

static void world_clear(World *world) {
    set_open(world);
    process_clear(&world->own);
    pthread_mutex_destroy(&world->lock);
    pthread_cond_destroy(&world->changed);
    g_free(world->program);
    g_free(world->url);
    place_clear(&world->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

/* --- errands ---------------------------------------------------------------------------------- */

static bool work(Crew *crew, void *data, Json **body_out, GError **error) {
    Thing *thing = data;
    World *world = thing->world;
    pthread_mutex_lock(&world->lock);
    thing->begun = true;
    thing->crew = crew;
    pthread_cond_broadcast(&world->changed);
    while (thing->held && !world->open)
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
    if (thing->failure) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED, thing->failure);
        return false;
    }
    *body_out = json_new_object();
    json_put_bool(*body_out, "success", true);
    return true;
}

static void told(Errand *errand, const ErrandEnd *end, void *data) {
    Thing *thing = data;
    World *world = thing->world;
    g_assert_true(errand == thing->errand);
    pthread_mutex_lock(&world->lock);
    thing->told++;
    thing->told_end = end->ended;
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}

static ErrandQueued begin(World *world, const char *organization, Thing *thing) {
    thing->world = world;
    thing->errand = errand_new(&(ErrandWish){.organization = organization,
                                             .actor = "ada",
                                             .kind = "test",
                                             .status = 200,
                                             .work = work,
                                             .data = thing});
    return errands_begin(world->own.errands, thing->errand, told, thing);
}

static void must_begin(World *world, const char *organization, Thing *thing) {
    g_assert_cmpint(begin(world, organization, thing), ==, ERRAND_QUEUED);
}

static bool has_begun(const Thing *thing) {
    pthread_mutex_lock(&thing->world->lock);
    bool begun = thing->begun;
    pthread_mutex_unlock(&thing->world->lock);
    return begun;
}

static void await(const Thing *thing, bool (*is_so)(const Thing *thing)) {
    World *world = thing->world;
    pthread_mutex_lock(&world->lock);
    while (!is_so(thing))
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
}

static bool is_begun(const Thing *thing) {
    return thing->begun;
}

static bool is_told(const Thing *thing) {
    return thing->told > 0;
}

static void let_go(Thing *things, size_t count) {
    for (size_t i = 0; i < count; i++)
        errand_unref(things[i].errand);
}

/* --- what is seen of them --------------------------------------------------------------------- */

static ErrandView *seen_in(const Process *process, const char *organization, const char *id) {
    ErrandView *view = NULL;
    must(errand_view_read(process->errands, organization, id, &view, &error));
    return view;
}

static const char *status_of(const ErrandView *view) {
    return json_member_string(view->object, "status", "");
}

static const char *problem_of(const ErrandView *view) {
    return json_member_string(json_member(view->object, "error"), "message", "");
}

static void assert_same(const ErrandView *one, const ErrandView *other) {
    g_autofree char *first = json_print(one->object, JSON_SORTED);
    g_autofree char *second = json_print(other->object, JSON_SORTED);
    g_assert_cmpstr(first, ==, second);
}

/* What another process sees of its end. */
static ErrandView *await_end(const Process *process, const char *id) {
    int64_t begun_us = clock_mono_us();
    for (;;) {
        g_autoptr(ErrandView) view = seen_in(process, ORG_A, id);
        g_assert_nonnull(view);
        if (view->ended)
            return g_steal_pointer(&view);
        g_assert_cmpint(clock_mono_us() - begun_us, <, LIMIT_US);
        g_usleep(5000);
    }
}

/* --- turns ------------------------------------------------------------------------------------ */

static void what_hangs_in_one_organization_does_not_hold_up_another(void) {
    g_auto(World) world = {0};
    Thing hanging[ERRAND_THREADS] = {0};
    Thing other = {0};
    world_init(&world, LONG_MS);
    for (size_t i = 0; i < G_N_ELEMENTS(hanging); i++) {
        hanging[i].held = true;
        must_begin(&world, ORG_A, &hanging[i]);
    }
    for (size_t i = 0; i < ERRANDS_RUNNING_OF_ONE; i++)
        await(&hanging[i], is_begun);
    must_begin(&world, ORG_B, &other);
    await(&other, is_told);
    g_assert_true(other.told_end);
    for (size_t i = ERRANDS_RUNNING_OF_ONE; i < G_N_ELEMENTS(hanging); i++)
        g_assert_false(has_begun(&hanging[i]));
    set_open(&world);
    for (size_t i = 0; i < G_N_ELEMENTS(hanging); i++) {
        await(&hanging[i], is_told);
        g_assert_true(hanging[i].told_end);
    }
    process_clear(&world.own);
    g_assert_cmpuint(other.told, ==, 1);
    let_go(hanging, G_N_ELEMENTS(hanging));
    let_go(&other, 1);
}

static void an_organization_with_too_many_is_refused_and_others_are_not(void) {
    g_auto(World) world = {0};
    Thing hanging[MANY] = {0};
    Thing much = {.held = true};
    Thing other = {0};
    world_init(&world, LONG_MS);
    for (size_t i = 0; i < ERRANDS_RUNNING_OF_ONE; i++) {
        hanging[i].held = true;
        must_begin(&world, ORG_A, &hanging[i]);
        await(&hanging[i], is_begun);
    }
    for (size_t i = ERRANDS_RUNNING_OF_ONE; i < MANY; i++)
        must_begin(&world, ORG_A, &hanging[i]);
    g_assert_cmpint(begin(&world, ORG_A, &much), ==, ERRAND_QUEUE_OWN_FULL);
    must_begin(&world, ORG_B, &other);
    await(&other, is_told);
    set_open(&world);
    for (size_t i = 0; i < MANY; i++)
        await(&hanging[i], is_told);
    process_clear(&world.own);
    g_assert_cmpuint(much.told, ==, 0);
    let_go(hanging, MANY);
    let_go(&much, 1);
    let_go(&other, 1);
}

static void one_worker_process_does_for_those_that_follow_one_another(void) {
    g_auto(World) world = {0};
    Thing things[3] = {0};
    world_init(&world, LONG_MS);
    for (size_t i = 0; i < G_N_ELEMENTS(things); i++) {
        must_begin(&world, i == 1 ? ORG_B : ORG_A, &things[i]);
        await(&things[i], is_told);
        g_assert_true(things[i].crew == things[0].crew);
    }
    process_clear(&world.own);
    let_go(things, G_N_ELEMENTS(things));
}

/* --- announced -------------------------------------------------------------------------------- */

static void what_ends_in_time_is_no_row(void) {
    g_auto(World) world = {0};
    g_auto(Process) other = {0};
    Thing thing = {0};
    world_init(&world, LONG_MS);
    process_init(&other, &world, LONG_MS, 0);
    must_begin(&world, ORG_A, &thing);
    await(&thing, is_told);
    g_assert_true(thing.told_end);
    g_autoptr(ErrandView) own = seen_in(&world.own, ORG_A, errand_id(thing.errand));
    g_autoptr(ErrandView) none = seen_in(&other, ORG_A, errand_id(thing.errand));
    g_assert_nonnull(own);
    g_assert_null(none);
    process_clear(&world.own);
    let_go(&thing, 1);
}

static void what_was_announced_is_known_in_every_process(void) {
    g_auto(World) world = {0};
    g_auto(Process) other = {0};
    Thing thing = {.held = true};
    world_init(&world, 1);
    process_init(&other, &world, LONG_MS, 0);
    must_begin(&world, ORG_A, &thing);
    await(&thing, is_told);
    g_assert_false(thing.told_end);
    errand_announce(thing.errand);
    const char *id = errand_id(thing.errand);
    g_autoptr(ErrandView) under_way = seen_in(&other, ORG_A, id);
    g_autoptr(ErrandView) foreign = seen_in(&other, ORG_B, id);
    g_assert_null(foreign);
    g_assert_false(under_way->ended);
    g_assert_cmpstr(status_of(under_way), ==, "running");
    g_assert_cmpint(under_way->created_ms, ==, errand_created_ms(thing.errand));
    set_open(&world);
    g_autoptr(ErrandView) ended = await_end(&other, id);
    g_assert_cmpstr(status_of(ended), ==, "completed");
    g_assert_true(json_member_bool(json_member(ended->object, "result"), "success", false));
    /* A process that was started later, too: what is seen is the same. */
    process_clear(&world.own);
    g_autoptr(ErrandView) later = seen_in(&other, ORG_A, id);
    assert_same(later, ended);
    g_assert_cmpuint(thing.told, ==, 1);
    let_go(&thing, 1);
}

static void what_was_wrong_is_known_in_every_process(void) {
    g_auto(World) world = {0};
    g_auto(Process) other = {0};
    Thing thing = {.held = true, .failure = "The service refuses the credential."};
    world_init(&world, 1);
    process_init(&other, &world, LONG_MS, 0);
    must_begin(&world, ORG_A, &thing);
    await(&thing, is_told);
    errand_announce(thing.errand);
    set_open(&world);
    g_autoptr(ErrandView) ended = await_end(&other, errand_id(thing.errand));
    g_autoptr(ErrandView) own = seen_in(&world.own, ORG_A, errand_id(thing.errand));
    g_assert_cmpstr(status_of(ended), ==, "failed");
    g_assert_cmpstr(problem_of(ended), ==, thing.failure);
    assert_same(own, ended);
    process_clear(&world.own);
    let_go(&thing, 1);
}

static void one_that_ends_while_it_is_announced_is_known_with_its_end(void) {
    g_auto(World) world = {0};
    g_auto(Process) other = {0};
    Thing things[20] = {0};
    world_init(&world, 1);
    process_init(&other, &world, LONG_MS, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(things); i++)
        if (begin(&world, i % 2 ? ORG_B : ORG_A, &things[i]) == ERRAND_QUEUED)
            errand_announce(things[i].errand);
    for (size_t i = 0; i < G_N_ELEMENTS(things); i += 2) {
        g_autoptr(ErrandView) ended = await_end(&other, errand_id(things[i].errand));
        g_assert_cmpstr(status_of(ended), ==, "completed");
    }
    process_clear(&world.own);
    let_go(things, G_N_ELEMENTS(things));
}

/* --- ends of processes ------------------------------------------------------------------------ */

static void a_server_that_stops_says_what_did_not_end(void) {
    g_auto(World) world = {0};
    g_auto(Process) other = {0};
    Thing things[ERRANDS_RUNNING_OF_ONE + 1] = {0};
    world_init(&world, 1);
    process_init(&other, &world, LONG_MS, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(things); i++) {
        things[i].held = true;
        must_begin(&world, ORG_A, &things[i]);
        await(&things[i], is_told);
        errand_announce(things[i].errand);
    }
    const Thing *last = &things[ERRANDS_RUNNING_OF_ONE];
    for (size_t i = 0; i < ERRANDS_RUNNING_OF_ONE; i++)
        await(&things[i], is_begun);
    errands_stop(world.own.errands);
    set_open(&world);
    process_clear(&world.own);
    g_autoptr(ErrandView) lost = seen_in(&other, ORG_A, errand_id(last->errand));
    g_autoptr(ErrandView) ended = seen_in(&other, ORG_A, errand_id(things[0].errand));
    g_assert_false(last->begun);
    g_assert_cmpstr(status_of(lost), ==, "failed");
    g_assert_cmpstr(problem_of(lost), ==, ERRAND_LOST);
    g_assert_cmpstr(status_of(ended), ==, "completed");
    let_go(things, G_N_ELEMENTS(things));
}

static ErrandRow row_of(const char *id) {
    return (ErrandRow){.id = id,
                       .kind = "connect",
                       .actor_id = "ada",
                       .status = ERRAND_RUNNING,
                       .started_at = clock_now_ms()};
}

static void a_process_that_died_leaves_a_failure(void) {
    g_auto(World) world = {0};
    char id[ID_SIZE];
    id_write(id);
    ErrandRow row = row_of(id);
    world_init(&world, LONG_MS);
    errand_book_open(world.own.book, ORG_A, &row);
    g_autoptr(ErrandView) before = seen_in(&world.own, ORG_A, id);
    g_assert_false(before->ended);
    errand_book_stop(world.own.book);
    clock_set_offset(2 * ERRAND_ROW_LEASE_MS);
    g_autoptr(ErrandView) after = seen_in(&world.own, ORG_A, id);
    clock_set_offset(0);
    g_assert_true(after->ended);
    g_assert_cmpstr(status_of(after), ==, "failed");
    g_assert_cmpstr(problem_of(after), ==, ERRAND_LOST);
    g_assert_nonnull(json_member_string(after->object, "completedAt", NULL));
}

static void a_process_that_lives_renews_its_own(void) {
    g_auto(World) world = {0};
    g_auto(Process) busy = {0};
    char id[ID_SIZE];
    int64_t begun_us = clock_mono_us();
    id_write(id);
    ErrandRow row = row_of(id);
    world_init(&world, LONG_MS);
    process_init(&busy, &world, LONG_MS, 5);
    errand_book_open(busy.book, ORG_A, &row);
    clock_set_offset(2 * ERRAND_ROW_LEASE_MS);
    for (bool ended = true; ended;) {
        g_autoptr(ErrandView) view = seen_in(&world.own, ORG_A, id);
        ended = view->ended;
        g_assert_cmpint(clock_mono_us() - begun_us, <, LIMIT_US);
    }
    row.status = ERRAND_COMPLETED;
    row.result = "{}";
    row.ended_at = clock_now_ms();
    errand_book_close(busy.book, ORG_A, &row);
    clock_set_offset(9 * ERRAND_ROW_LEASE_MS);
    g_autoptr(ErrandView) view = seen_in(&world.own, ORG_A, id);
    clock_set_offset(0);
    g_assert_cmpstr(status_of(view), ==, "completed");
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define TEST(name) g_test_add_func("/api/errand/" #name, name)
    TEST(what_hangs_in_one_organization_does_not_hold_up_another);
    TEST(an_organization_with_too_many_is_refused_and_others_are_not);
    TEST(one_worker_process_does_for_those_that_follow_one_another);
    TEST(what_ends_in_time_is_no_row);
    TEST(what_was_announced_is_known_in_every_process);
    TEST(what_was_wrong_is_known_in_every_process);
    TEST(one_that_ends_while_it_is_announced_is_known_with_its_end);
    TEST(a_server_that_stops_says_what_did_not_end);
    TEST(a_process_that_died_leaves_a_failure);
    TEST(a_process_that_lives_renews_its_own);
    return g_test_run();
}
