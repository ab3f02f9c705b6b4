/* What is due, when it is due next, and that it is queued once. */
#include "unit/provider_support.h"
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "provider/definition_load.h"
#include "store/evidence.h"
#include "store/job_claim.h"
#include "store/review.h"
#include "sync/queue.h"
#include "sync/schedule.h"

#include <pthread.h>
#include <string.h>

#define NOW "2026-11-20T10:00:00Z" /* a Friday */
#define MINUTE_MS 60000LL
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static Definition *github;

typedef struct {
    Place place;
    Registry *registry;
} Desk;

static int64_t ms(const char *time) {
    int64_t value = 0;
    g_assert_true(clock_parse(time, &value));
    return value;
}

static void set_clock(const char *time) {
    clock_freeze(ms(time));
}

static void desk_init(Desk *desk) {
    set_clock(NOW);
    place_init(&desk->place);
    must((desk->registry = registry_new(NULL, &error)) != NULL);
}

static void desk_clear(Desk *desk) {
    registry_free(desk->registry);
    place_clear(&desk->place);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

/* --- steps ------------------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    int64_t time;
    const char *text;
    Schedule *row;
    Integration *integration;
    GPtrArray *jobs;
} Step;

static bool begin(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    return schedule_begin(unit, step->id, step->time, error);
}

/* An integration that is due at this time. */
static Integration *connected(const Desk *desk, const char *name, int64_t due_at) {
    Integration *integration = sync_integration(&desk->place, &scope_a, name);
    Step step = {.id = name, .time = due_at};
    must(db_run(desk->place.db, &scope_a, DB_WRITE, begin, &step, &error));
    return integration;
}

static bool read_row(DbUnit *unit, void *data, GError **error) {
    Step *step = data;
    g_clear_pointer(&step->row, schedule_free);
    return schedule_get(unit, step->id, &step->row, error);
}

static Schedule *row_of(const Desk *desk, const char *id) {
    Step step = {.id = id};
    must(db_run(desk->place.db, &scope_a, DB_READ, read_row, &step, &error));
    return step.row;
}

static int64_t due_of(const Desk *desk, const char *id) {
    g_autoptr(Schedule) row = row_of(desk, id);
    return row->due_at;
}

static bool read_integration(DbUnit *unit, void *data, GError **error) {
    Step *step = data;
    g_clear_pointer(&step->integration, integration_free);
    return integration_get(unit, step->id, &step->integration, error);
}

static Integration *integration_of(const Desk *desk, const char *id) {
    Step step = {.id = id};
    must(db_run(desk->place.db, &scope_a, DB_READ, read_integration, &step, &error));
    return step.integration;
}

static bool list_jobs(DbUnit *unit, void *data, GError **error) {
    Step *step = data;
    JobFilter filter = {.integration_id = step->id, .limit = STORE_LIST_MAX};
    g_clear_pointer(&step->jobs, g_ptr_array_unref);
    return job_list(unit, &filter, &step->jobs, error);
}

/* All jobs of an integration (NULL: of all), the newest first. */
static GPtrArray *jobs_of(const Desk *desk, const char *id) {
    Step step = {.id = id};
    must(db_run(desk->place.db, &scope_a, DB_READ, list_jobs, &step, &error));
    return step.jobs;
}

static guint count_jobs(const Desk *desk, const char *id) {
    g_autoptr(GPtrArray) jobs = jobs_of(desk, id);
    return jobs->len;
}

static ScheduleTick tick(const Desk *desk) {
    ScheduleTick said = {0};
    must(schedule_tick(desk->place.db, desk->registry, NULL, &said, &error));
    return said;
}

/* The rounds of both organizations are planned by the first tick. */
static void plan_rounds(const Desk *desk) {
    g_assert_cmpint(tick(desk).queued, ==, 0);
}

static bool end_job(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    g_autoptr(Job) job = NULL;
    if (!job_get(unit, step->id, &job, error))
        return false;
    JobLease lease = job_lease(job);
    IntegrationSync sync = {
        .result = "{}", .synced_at = clock_now_ms(), .status = {.status = INTEGRATION_CONNECTED}};
    return job_complete(unit, &lease, "{}", error) &&
           integration_record_sync(unit, job->integration_id, &sync, error);
}

/* The newest job of an integration is run to its end. */
static void run_job(const Desk *desk, const char *integration) {
    g_autoptr(GPtrArray) jobs = jobs_of(desk, integration);
    const Job *job = g_ptr_array_index(jobs, 0);
    g_assert_true(sync_claim(&desk->place, &scope_a, job->id, "host:1"));
    Step step = {.id = job->id};
    must(db_run(desk->place.db, &scope_a, DB_WRITE, end_job, &step, &error));
}

/* --- intervals -------------------------------------------------------------------------------- */

static void what_is_due_is_queued_once(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    g_autoptr(Integration) later = connected(&desk, "later", ms(NOW) + HOUR_MS);
    ScheduleTick first = tick(&desk);
    g_assert_cmpint(first.served, ==, 1);
    g_assert_cmpint(first.queued, ==, 1);
    g_assert_cmpint(first.look_at, ==, ms(NOW) + HOUR_MS);
    g_autoptr(GPtrArray) jobs = jobs_of(&desk, NULL);
    g_assert_cmpuint(jobs->len, ==, 1);
    const Job *job = g_ptr_array_index(jobs, 0);
    g_assert_cmpstr(job->integration_id, ==, "acme");
    g_assert_cmpint(job->priority, ==, JOB_PRIORITY_SCHEDULE);
    g_assert_nonnull(strstr(job->request, "branch_protection"));
    g_assert_cmpint(tick(&desk).served, ==, 0);
    g_assert_cmpuint(count_jobs(&desk, NULL), ==, 1);
}

static void an_interval_is_counted_from_the_planned_time(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    clock_advance(20000); /* the scheduler was a little late */
    tick(&desk);
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 4 * HOUR_MS);
    g_autoptr(Integration) read = integration_of(&desk, "acme");
    g_assert_cmpint(read->next_check_at, ==, ms(NOW) + 4 * HOUR_MS);
}

static void missed_times_run_once_and_the_next_counts_from_now(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    clock_advance(3 * DAY_MS - 90 * MINUTE_MS);
    int64_t up = clock_now_ms();
    while (tick(&desk).served > 0)
        continue;
    g_assert_cmpuint(count_jobs(&desk, "acme"), ==, 1);
    g_assert_cmpint(due_of(&desk, "acme"), >=, up + 4 * HOUR_MS);
    g_assert_cmpint(due_of(&desk, "acme"), <=, up + 4 * HOUR_MS + SCHEDULE_JITTER_MS);
}

static void a_run_still_under_way_is_joined(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    clock_advance(4 * HOUR_MS);
    ScheduleTick second = tick(&desk);
    g_assert_cmpint(second.served, ==, 1);
    g_assert_cmpint(second.queued, ==, 0);
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 8 * HOUR_MS);
    run_job(&desk, "acme");
    clock_advance(4 * HOUR_MS);
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    g_assert_cmpuint(count_jobs(&desk, "acme"), ==, 2);
}

static void a_large_backlog_is_served_in_batches(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    for (int i = 0; i < 120; i++) {
        g_autofree char *name = g_strdup_printf("n%03d", i);
        g_autoptr(Integration) one = connected(&desk, name, ms(NOW));
    }
    ScheduleTick first = tick(&desk);
    g_assert_cmpint(first.queued, ==, 50);
    g_assert_cmpint(first.look_at, <=, clock_now_ms());
    g_assert_cmpint(tick(&desk).queued, ==, 50);
    ScheduleTick last = tick(&desk);
    g_assert_cmpint(last.queued, ==, 20);
    g_assert_cmpint(last.look_at, >, clock_now_ms());
    g_assert_cmpuint(count_jobs(&desk, NULL), ==, 120);
}

static bool set_status(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    IntegrationStatus status = {.status = step->text};
    return integration_update_status(unit, step->id, &status, error);
}

static void only_what_is_connected_somehow_is_queued(void) {
    static const struct {
        const char *status;
        guint jobs;
    } cases[] = {{INTEGRATION_CONNECTED, 1},
                 {INTEGRATION_DEGRADED, 1},
                 {INTEGRATION_RECONNECT_NEEDED, 1},
                 {INTEGRATION_PAUSED, 0},
                 {INTEGRATION_DISCONNECTED, 0}};
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Integration) one = connected(&desk, cases[i].status, ms(NOW));
        Step step = {.id = cases[i].status, .text = cases[i].status};
        must(db_run(desk.place.db, &scope_a, DB_WRITE, set_status, &step, &error));
    }
    g_assert_cmpint(tick(&desk).served, ==, G_N_ELEMENTS(cases));
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_cmpuint(count_jobs(&desk, cases[i].status), ==, cases[i].jobs);
}

/* --- several schedulers ----------------------------------------------------------------------- */

#define SCHEDULERS 4
#define MANY 60

typedef struct {
    Db *db;
    int64_t queued;
} Scheduler;

static void *schedule_all(void *data) {
    Scheduler *scheduler = data;
    g_autoptr(Registry) registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    ScheduleTick said;
    do {
        must(schedule_tick(scheduler->db, registry, NULL, &said, &error));
        scheduler->queued += said.queued;
    } while (said.served > 0);
    return NULL;
}

static void several_schedulers_queue_each_time_once(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    for (int i = 0; i < MANY; i++) {
        g_autofree char *name = g_strdup_printf("n%03d", i);
        g_autoptr(Integration) one = connected(&desk, name, ms(NOW));
    }
    Scheduler schedulers[SCHEDULERS];
    pthread_t threads[SCHEDULERS];
    int64_t queued = 0;
    for (int i = 0; i < SCHEDULERS; i++) {
        schedulers[i] = (Scheduler){.db = desk.place.db};
        g_assert_cmpint(pthread_create(&threads[i], NULL, schedule_all, &schedulers[i]), ==, 0);
    }
    for (int i = 0; i < SCHEDULERS; i++) {
        pthread_join(threads[i], NULL);
        queued += schedulers[i].queued;
    }
    g_assert_cmpint(queued, ==, MANY);
    g_assert_cmpuint(count_jobs(&desk, NULL), ==, MANY);
}

static bool claim_only(DbUnit *unit, void *data, GError **error) {
    GPtrArray **rows = data;
    const ScheduleClaim claim = {.hold_ms = SCHEDULE_HOLD_MS, .limit = 10};
    g_clear_pointer(rows, g_ptr_array_unref);
    return schedule_claim(unit, &claim, rows, error);
}

static void what_a_dead_scheduler_held_is_served_by_another(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    g_autoptr(GPtrArray) rows = NULL;
    must(db_run(desk.place.db, &scope_system, DB_WRITE, claim_only, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    g_assert_cmpint(tick(&desk).served, ==, 0);
    clock_advance(SCHEDULE_HOLD_MS);
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 4 * HOUR_MS);
}

static bool change_provider(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    Integration row = {.id = step->id,
                       .provider = "forgotten",
                       .name = step->id,
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{}",
                       .account = "{}"};
    return integration_insert(unit, &row, error) &&
           schedule_begin(unit, step->id, step->time, error);
}

static void what_cannot_be_served_waits_and_holds_up_nobody(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    Step step = {.id = "aaa", .time = ms(NOW)};
    must(db_run(desk.place.db, &scope_a, DB_WRITE, change_provider, &step, &error));
    g_autoptr(Integration) acme = connected(&desk, "bbb", ms(NOW));
    ScheduleTick said = tick(&desk);
    g_assert_cmpint(said.served, ==, 2);
    g_assert_cmpint(said.queued, ==, 1);
    g_assert_cmpint(due_of(&desk, "aaa"), ==, ms(NOW) + HOUR_MS);
}

/* --- rules that people choose ----------------------------------------------------------------- */

static bool edit_work(DbUnit *unit, void *data, GError **error) {
    return schedule_edit(unit, data, error);
}

static bool edited(const Desk *desk, ScheduleEdit edit, GError **error) {
    return db_run(desk->place.db, &scope_a, DB_WRITE, edit_work, &edit, error);
}

static bool chosen(const Desk *desk, const Integration *integration, const ScheduleWish *wish,
                   GError **error) {
    return edited(desk,
                  (ScheduleEdit){.integration = integration, .definition = github, .wish = wish},
                  error);
}

static bool paused(const Desk *desk, const Integration *integration, SchedulePause pause,
                   GError **error) {
    return edited(desk,
                  (ScheduleEdit){.integration = integration, .definition = github, .pause = pause},
                  error);
}

/* The daily round. */
static bool daily(const Desk *desk, ScheduleEdit edit, GError **error) {
    edit.round = SCHEDULE_DAILY;
    return edited(desk, edit, error);
}

#define PAUSED ((ScheduleEdit){.pause = SCHEDULE_PAUSE_BEGIN})

static void choose(const Desk *desk, const char *id, const ScheduleWish *wish) {
    g_autoptr(Integration) integration = integration_of(desk, id);
    must(chosen(desk, integration, wish, &error));
}

static void refuse(const Desk *desk, const char *id, const ScheduleWish *wish, const char *part) {
    g_autoptr(Integration) integration = integration_of(desk, id);
    must_fail(ERROR_USAGE, part, chosen(desk, integration, wish, &error));
}

static void a_chosen_interval_holds_until_the_default_is_chosen_again(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    choose(&desk, "acme", &(ScheduleWish){.every = "2h"});
    int64_t due = due_of(&desk, "acme");
    g_assert_cmpint(due, >=, ms(NOW) + 2 * HOUR_MS);
    g_assert_cmpint(due, <=, ms(NOW) + 2 * HOUR_MS + SCHEDULE_JITTER_MS);
    g_autoptr(Integration) chosen = integration_of(&desk, "acme");
    g_assert_cmpstr(chosen->scan_schedule, ==, "2h");
    clock_freeze(due);
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    g_assert_cmpint(due_of(&desk, "acme"), ==, due + 2 * HOUR_MS);
    choose(&desk, "acme", &(ScheduleWish){0});
    g_autoptr(Integration) usual = integration_of(&desk, "acme");
    g_assert_null(usual->scan_schedule);
    g_assert_cmpint(due_of(&desk, "acme"), >=, due + 4 * HOUR_MS);
}

static void a_chosen_expression_comes_at_its_times_in_its_zone(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    ScheduleWish wish = {.cron = "0 6 * * 1-5", .time_zone = "Europe/Berlin"};
    choose(&desk, "acme", &wish);
    int64_t monday = ms("2026-11-23T05:00:00Z");
    int64_t due = due_of(&desk, "acme");
    g_assert_cmpint(due, >=, monday);
    g_assert_cmpint(due, <=, monday + SCHEDULE_JITTER_MS);
    int64_t jitter = due - monday;
    clock_freeze(due);
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    g_assert_cmpint(due_of(&desk, "acme"), ==, monday + DAY_MS + jitter);
}

static void a_missed_expression_runs_once(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    choose(&desk, "acme", &(ScheduleWish){.cron = "0 6 * * *"});
    set_clock("2026-12-01T13:00:00Z");
    while (tick(&desk).served > 0)
        continue;
    g_assert_cmpuint(count_jobs(&desk, "acme"), ==, 1);
    g_assert_cmpint(due_of(&desk, "acme"), >=, ms("2026-12-02T06:00:00Z"));
    g_assert_cmpint(due_of(&desk, "acme"), <=, ms("2026-12-02T06:10:00Z"));
}

static void wishes_out_of_range_are_told_the_range(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    static const struct {
        ScheduleWish wish;
        const char *part;
    } cases[] = {
        {{.every = "59m"}, "out of range: GitHub is collected every 1h to 24h"},
        {{.every = "25h"}, "every 1h to 24h"},
        {{.every = "0h"}, "1h to 24h"},
        {{.every = "often"}, "a number with its unit"},
        {{.every = "4"}, "a number with its unit"},
        {{.every = "-4h"}, "a number with its unit"},
        {{.cron = "*/30 * * * *"}, "too often: GitHub is collected every 1h to 24h"},
        {{.cron = "0 25 * * *"}, "the hour"},
        {{.cron = "0 6 * *"}, "five fields"},
        {{.cron = "0 0 30 2 *"}, "never comes"},
        {{.cron = "0 6 * * *", .time_zone = "Mars/Olympus"}, "time zone"},
        {{.every = "4h", .cron = "0 6 * * *"}, "not both"},
        {{.every = "4h", .time_zone = "UTC"}, "belongs to a cron expression"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        refuse(&desk, "acme", &cases[i].wish, cases[i].part);
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW));
}

static void jitter_is_bounded_stable_and_not_the_same_for_all(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    int64_t least = INT64_MAX;
    int64_t most = 0;
    for (int i = 0; i < 30; i++) {
        g_autofree char *name = g_strdup_printf("n%03d", i);
        g_autoptr(Integration) one = connected(&desk, name, ms(NOW));
        choose(&desk, name, &(ScheduleWish){.every = "1h"});
        int64_t jitter = due_of(&desk, name) - ms(NOW) - HOUR_MS;
        choose(&desk, name, &(ScheduleWish){.every = "1h"});
        g_assert_cmpint(due_of(&desk, name) - ms(NOW) - HOUR_MS, ==, jitter);
        least = MIN(least, jitter);
        most = MAX(most, jitter);
    }
    g_assert_cmpint(least, >=, 0);
    g_assert_cmpint(most, <=, 6 * MINUTE_MS); /* a tenth of an hour */
    g_assert_cmpint(most - least, >, 2 * MINUTE_MS);
}

static bool note_run(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    return schedule_note_run(unit, step->integration, github, error);
}

static void notes_run(const Desk *desk, const char *id) {
    Step step = {.id = id, .integration = integration_of(desk, id)};
    must(db_run(desk->place.db, &scope_a, DB_WRITE, note_run, &step, &error));
    integration_free(step.integration);
}

static void a_run_that_was_asked_for_puts_the_next_off(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW) + HOUR_MS);
    notes_run(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 4 * HOUR_MS);
    clock_advance(10 * MINUTE_MS); /* the run of the schedule itself takes a while */
    notes_run(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 4 * HOUR_MS);
    choose(&desk, "acme", &(ScheduleWish){.cron = "0 11 * * *"});
    int64_t due = due_of(&desk, "acme");
    notes_run(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), ==, due); /* the clock on the wall */
}

static void an_integration_without_a_schedule_gets_one_with_its_first_run(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = sync_integration(&desk.place, &scope_a, "acme");
    notes_run(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), ==, ms(NOW) + 4 * HOUR_MS);
}

/* --- pausing ---------------------------------------------------------------------------------- */

static void pause_it(const Desk *desk, const char *id) {
    g_autoptr(Integration) integration = integration_of(desk, id);
    must(paused(desk, integration, SCHEDULE_PAUSE_BEGIN, &error));
}

static void resume_it(const Desk *desk, const char *id) {
    g_autoptr(Integration) integration = integration_of(desk, id);
    must(paused(desk, integration, SCHEDULE_PAUSE_END, &error));
}

static void a_paused_integration_does_not_run_and_its_jobs_are_called_off(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    tick(&desk);
    pause_it(&desk, "acme");
    g_autoptr(GPtrArray) jobs = jobs_of(&desk, "acme");
    g_assert_cmpstr(((Job *)g_ptr_array_index(jobs, 0))->status, ==, JOB_CANCELLED);
    g_autoptr(Integration) paused = integration_of(&desk, "acme");
    g_assert_cmpstr(paused->status, ==, INTEGRATION_PAUSED);
    g_assert_cmpint(paused->next_check_at, ==, 0);
    set_clock("2026-11-25T08:00:00Z");
    while (tick(&desk).served > 0)
        continue;
    g_assert_cmpuint(count_jobs(&desk, "acme"), ==, 1);
}

static void a_resumed_integration_is_due_at_once_when_it_missed_a_time(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    tick(&desk);
    run_job(&desk, "acme");
    pause_it(&desk, "acme");
    clock_advance(HOUR_MS);
    resume_it(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), >=, ms(NOW) + 4 * HOUR_MS);
    pause_it(&desk, "acme");
    clock_advance(9 * HOUR_MS);
    resume_it(&desk, "acme");
    g_assert_cmpint(due_of(&desk, "acme"), ==, clock_now_ms());
    g_autoptr(Integration) resumed = integration_of(&desk, "acme");
    g_assert_cmpstr(resumed->status, ==, INTEGRATION_CONNECTED);
}

static void resuming_what_is_not_paused_changes_no_status(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    Step step = {.id = "acme", .text = INTEGRATION_RECONNECT_NEEDED};
    must(db_run(desk.place.db, &scope_a, DB_WRITE, set_status, &step, &error));
    resume_it(&desk, "acme");
    g_autoptr(Integration) read = integration_of(&desk, "acme");
    g_assert_cmpstr(read->status, ==, INTEGRATION_RECONNECT_NEEDED);
}

static void what_is_disconnected_is_neither_paused_nor_resumed(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW));
    Step step = {.id = "acme", .text = INTEGRATION_DISCONNECTED};
    must(db_run(desk.place.db, &scope_a, DB_WRITE, set_status, &step, &error));
    g_autoptr(Integration) gone = integration_of(&desk, "acme");
    must_fail(ERROR_CONFLICT, "acme is disconnected",
              paused(&desk, gone, SCHEDULE_PAUSE_BEGIN, &error));
    must_fail(ERROR_CONFLICT, "connect it again", paused(&desk, gone, SCHEDULE_PAUSE_END, &error));
}

/* --- rounds of the organization --------------------------------------------------------------- */

static void rounds_are_planned_and_not_run_when_they_are_new(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Integration) acme = connected(&desk, "acme", ms(NOW) + 4 * HOUR_MS);
    ScheduleTick said = tick(&desk);
    g_assert_cmpint(said.served, ==, 4); /* two organizations */
    g_assert_cmpint(said.queued, ==, 0);
    int64_t daily = due_of(&desk, SCHEDULE_DAILY);
    int64_t weekly = due_of(&desk, SCHEDULE_WEEKLY);
    g_assert_cmpint(daily, >=, ms("2026-11-21T09:00:00Z"));
    g_assert_cmpint(daily, <=, ms("2026-11-21T09:10:00Z"));
    g_assert_cmpint(weekly, >=, ms("2026-11-22T00:00:00Z"));
    g_assert_cmpint(weekly, <=, ms("2026-11-22T00:10:00Z"));
}

static void the_daily_sync_runs_what_has_not_run_that_day(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) often = connected(&desk, "often", ms("2026-11-21T08:00:00Z"));
    g_autoptr(Integration) rare = connected(&desk, "rare", ms(NOW));
    choose(&desk, "rare", &(ScheduleWish){.cron = "0 6 * * 5"});
    set_clock("2026-11-21T08:00:00Z");
    g_assert_cmpint(tick(&desk).queued, ==, 1);
    run_job(&desk, "often");
    set_clock("2026-11-21T09:10:00Z");
    while (tick(&desk).served > 0)
        continue;
    g_assert_cmpuint(count_jobs(&desk, "often"), ==, 1);
    g_assert_cmpuint(count_jobs(&desk, "rare"), ==, 1);
    g_assert_cmpint(due_of(&desk, "rare"), >=, ms("2026-11-27T06:00:00Z"));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), >=, ms("2026-11-22T09:00:00Z"));
}

static bool add_approved(DbUnit *unit, void *data, GError **error) {
    const Step *step = data;
    g_autofree char *id = g_strconcat(step->id, step->text, NULL);
    Evidence evidence = {.id = id,
                         .integration_id = step->id,
                         .evidence_type = step->text,
                         .source = "github",
                         .record = "{}",
                         .completeness = 1};
    Review review = {.evidence_id = id, .state = EVIDENCE_APPROVED, .reviewer = "mona"};
    return evidence_insert(unit, &evidence, NULL, NULL, error) && review_put(unit, &review, error);
}

static void approve(const Desk *desk, const char *integration, const char *type) {
    Step step = {.id = integration, .text = type};
    must(db_run(desk->place.db, &scope_a, DB_WRITE, add_approved, &step, &error));
}

static void the_weekly_renewal_collects_what_approved_evidence_covers(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    g_autoptr(Integration) a = connected(&desk, "a", ms("2026-11-29T00:00:00Z"));
    g_autoptr(Integration) b = connected(&desk, "b", ms("2026-11-29T00:00:00Z"));
    g_autoptr(Integration) c = connected(&desk, "c", ms("2026-11-29T00:00:00Z"));
    approve(&desk, "a", "security_alerts");
    approve(&desk, "a", "a_type_of_the_past");
    approve(&desk, "c", "branch_protection");
    pause_it(&desk, "c");
    must(daily(&desk, PAUSED, &error));
    set_clock("2026-11-22T00:10:00Z");
    int64_t queued = 0;
    ScheduleTick said;
    do {
        said = tick(&desk);
        queued += said.queued;
    } while (said.served > 0);
    g_assert_cmpint(queued, ==, 1);
    g_autoptr(GPtrArray) jobs = jobs_of(&desk, NULL);
    const Job *job = g_ptr_array_index(jobs, 0);
    g_assert_cmpuint(jobs->len, ==, 1);
    g_assert_cmpstr(job->integration_id, ==, "a");
    g_assert_cmpint(job->priority, ==, JOB_PRIORITY_RENEWAL);
    g_assert_nonnull(strstr(job->request, "[\"security_alerts\"]"));
    g_assert_cmpint(due_of(&desk, SCHEDULE_WEEKLY), >=, ms("2026-11-29T00:00:00Z"));
}

static void renewals_go_beyond_one_page(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    plan_rounds(&desk);
    for (int i = 0; i < 101; i++) {
        g_autofree char *name = g_strdup_printf("n%03d", i);
        g_autoptr(Integration) one = connected(&desk, name, ms("2026-11-29T00:00:00Z"));
        approve(&desk, name, "security_alerts");
    }
    must(daily(&desk, PAUSED, &error));
    set_clock("2026-11-22T00:10:00Z");
    while (tick(&desk).served > 0)
        continue;
    g_assert_cmpuint(count_jobs(&desk, NULL), ==, 101);
}

static void rounds_follow_the_installation_until_the_organization_chooses(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    ScheduleDefaults defaults = {.daily_sync = "30 7 * * *", .time_zone = "Asia/Kathmandu"};
    ScheduleTick said = {0};
    must(schedule_tick(desk.place.db, desk.registry, &defaults, &said, &error));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), >=, ms("2026-11-21T01:45:00Z"));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), <=, ms("2026-11-21T01:55:00Z"));
    ScheduleWish wish = {.cron = "0 5 * * *", .time_zone = "Europe/Berlin"};
    must(daily(&desk, (ScheduleEdit){.defaults = &defaults, .wish = &wish}, &error));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), >=, ms("2026-11-21T04:00:00Z"));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), <=, ms("2026-11-21T04:10:00Z"));
    ScheduleWish interval = {.every = "4h"};
    must_fail(ERROR_USAGE, "no interval",
              daily(&desk, (ScheduleEdit){.defaults = &defaults, .wish = &interval}, &error));
    must(daily(&desk, PAUSED, &error));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), ==, SCHEDULE_NEVER);
    must(daily(&desk, (ScheduleEdit){.defaults = &defaults, .pause = SCHEDULE_PAUSE_END}, &error));
    g_assert_cmpint(due_of(&desk, SCHEDULE_DAILY), >=, ms("2026-11-21T04:00:00Z"));
}

#define ADD(name) g_test_add_func("/sync/schedule/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    github = support_github();
    ADD(what_is_due_is_queued_once);
    ADD(an_interval_is_counted_from_the_planned_time);
    ADD(missed_times_run_once_and_the_next_counts_from_now);
    ADD(a_run_still_under_way_is_joined);
    ADD(a_large_backlog_is_served_in_batches);
    ADD(only_what_is_connected_somehow_is_queued);
    ADD(several_schedulers_queue_each_time_once);
    ADD(what_a_dead_scheduler_held_is_served_by_another);
    ADD(what_cannot_be_served_waits_and_holds_up_nobody);
    ADD(a_chosen_interval_holds_until_the_default_is_chosen_again);
    ADD(a_chosen_expression_comes_at_its_times_in_its_zone);
    ADD(a_missed_expression_runs_once);
    ADD(wishes_out_of_range_are_told_the_range);
    ADD(jitter_is_bounded_stable_and_not_the_same_for_all);
    ADD(a_run_that_was_asked_for_puts_the_next_off);
    ADD(an_integration_without_a_schedule_gets_one_with_its_first_run);
    ADD(a_paused_integration_does_not_run_and_its_jobs_are_called_off);
    ADD(a_resumed_integration_is_due_at_once_when_it_missed_a_time);
    ADD(resuming_what_is_not_paused_changes_no_status);
    ADD(what_is_disconnected_is_neither_paused_nor_resumed);
    ADD(rounds_are_planned_and_not_run_when_they_are_new);
    ADD(the_daily_sync_runs_what_has_not_run_that_day);
    ADD(the_weekly_renewal_collects_what_approved_evidence_covers);
    ADD(renewals_go_beyond_one_page);
    ADD(rounds_follow_the_installation_until_the_organization_chooses);
    int failed = g_test_run();
    definition_free(github);
    return failed;
}
