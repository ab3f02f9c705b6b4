/* Several workers at once: every job is run once, and of one integration never two. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "store/job_claim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define WORKERS 4
#define INTEGRATIONS 3 /* of each organization */
#define JOBS 12        /* of each integration */
#define ALL (2 * INTEGRATIONS * JOBS)

static atomic_int running[2 * INTEGRATIONS];
static atomic_int done;

/* --- the work --------------------------------------------------------------------------------- */

static void add_all(DbUnit *unit) {
    const char *organization = db_unit_scope(unit)->organization;
    for (int i = 0; i < INTEGRATIONS; i++) {
        g_autofree char *integration = g_strdup_printf("%s-%d", organization, i);
        store_add_integration(unit, integration);
        for (int j = 0; j < JOBS; j++) {
            g_autofree char *id = g_strdup_printf("%s/%02d", integration, j);
            store_add_job(unit, integration, id);
        }
    }
}

/* Which of the counters is the integration's: "org-a-1" is 1, "org-b-0" is 3. */
static atomic_int *counter_of(const char *integration) {
    int organization = integration[4] - 'a';
    int number = integration[6] - '0';
    return &running[organization * INTEGRATIONS + number];
}

typedef struct {
    const char *owner;
    Job *job;
    const char *id;
    JobCancel how;
} Work;

static bool claim(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    JobClaim wish = {.owner = work->owner, .lease_ms = 60000};
    g_clear_pointer(&work->job, job_free);
    return job_claim(unit, &wish, &work->job, error);
}

static bool complete(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    JobLease lease = job_lease(work->job);
    return job_complete(unit, &lease, "{}", error);
}

static bool retry(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    JobLease lease = job_lease(work->job);
    return job_retry(unit, &lease, clock_now_ms(), error);
}

static const DbScope system_scope = {.actor = "test", .system = true};

static void run_unit(const DbScope *scope, DbWork function, Work *work) {
    store_ok(db_run(store_database(), scope, DB_WRITE, function, work, &error));
}

/* Runs a claimed job: every third attempt fails first. */
static void run_job(Work *work) {
    DbScope scope = {.organization = work->job->organization_id, .actor = "test"};
    atomic_int *counter = counter_of(work->job->integration_id);
    g_assert_cmpint(atomic_fetch_add(counter, 1), ==, 0);
    bool fails = work->job->attempt == 1 && work->job->id[strlen(work->job->id) - 1] % 3 == 0;
    atomic_fetch_sub(counter, 1);
    run_unit(&scope, fails ? retry : complete, work);
    atomic_fetch_add(&done, !fails);
}

static guint count(DbUnit *unit, const char *status) {
    g_autoptr(GPtrArray) jobs = NULL;
    JobFilter filter = {.status = status, .limit = STORE_LIST_MAX};
    store_ok(job_list(unit, &filter, &jobs, &error));
    return jobs->len;
}

static bool count_active(DbUnit *unit, void *data, GError **error) {
    (void)error;
    *(guint *)data = count(unit, JOB_PENDING) + count(unit, JOB_RUNNING);
    return true;
}

static bool all_have_come_to_an_end(void) {
    static const char *const organizations[] = {ORG_A, ORG_B};
    guint active = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(organizations) && active == 0; i++) {
        DbScope scope = {.organization = organizations[i], .actor = "test"};
        store_ok(db_run(store_database(), &scope, DB_READ, count_active, &active, &error));
    }
    return active == 0;
}

static void *work_on(void *data) {
    Work work = {.owner = data};
    do {
        run_unit(&system_scope, claim, &work);
        if (work.job)
            run_job(&work);
    } while (work.job || !all_have_come_to_an_end());
    return NULL;
}

static void start_workers(pthread_t *threads) {
    static char names[WORKERS][16];
    atomic_store(&done, 0);
    for (int i = 0; i < WORKERS; i++) {
        g_snprintf(names[i], sizeof names[i], "worker-%d", i);
        g_assert_cmpint(pthread_create(&threads[i], NULL, work_on, names[i]), ==, 0);
    }
}

static void await_workers(const pthread_t *threads) {
    for (int i = 0; i < WORKERS; i++)
        pthread_join(threads[i], NULL);
}

/* --- what must be so afterwards --------------------------------------------------------------- */

static void all_are_completed(DbUnit *unit) {
    g_assert_cmpuint(count(unit, JOB_COMPLETED), ==, INTEGRATIONS * JOBS);
    g_assert_cmpuint(count(unit, NULL), ==, INTEGRATIONS * JOBS);
}

static void nothing_runs(DbUnit *unit) {
    static const char *const organizations[] = {ORG_A, ORG_B};
    for (size_t i = 0; i < G_N_ELEMENTS(organizations); i++) {
        DbStatement *statement = db_prepare(unit, "job_queue_lock");
        db_bind_text(statement, "organization", organizations[i]);
        bool found = false;
        store_ok(db_step(statement, &found, &error));
        g_assert_cmpint(db_column_int(statement, 1), ==, 0);
        db_reset(statement);
    }
}

static void every_job_is_run_once_and_of_an_integration_one_at_a_time(void) {
    pthread_t threads[WORKERS];
    store_in(ORG_A, add_all);
    store_in(ORG_B, add_all);
    start_workers(threads);
    await_workers(threads);
    g_assert_cmpint(atomic_load(&done), ==, ALL);
    store_in(ORG_A, all_are_completed);
    store_in(ORG_B, all_are_completed);
    store_system(nothing_runs);
}

/* --- calling off beside them ------------------------------------------------------------------ */

static bool cancel(DbUnit *unit, void *data, GError **error) {
    Work *work = data;
    return job_cancel(unit, work->id, &work->how, error);
}

/* What was not being run ends at once. What runs is left to its worker, which here completes it all
 * the same, or fails so that the next claim ends it. */
static void call_off_some(const char *organization) {
    DbScope scope = {.organization = organization, .actor = "test"};
    for (int i = 0; i < INTEGRATIONS; i++)
        for (int j = JOBS - 1; j >= 0; j -= 2) {
            g_autofree char *id = g_strdup_printf("%s-%d/%02d", organization, i, j);
            Work work = {.id = id};
            g_autoptr(GError) error = NULL;
            if (!db_run(store_database(), &scope, DB_WRITE, cancel, &work, &error))
                g_assert_error(error, ASSAY_ERROR, ERROR_CONFLICT);
        }
}

static void all_have_ended(DbUnit *unit) {
    g_assert_cmpuint(count(unit, JOB_COMPLETED) + count(unit, JOB_CANCELLED), ==,
                     INTEGRATIONS * JOBS);
}

static void jobs_that_are_called_off_beside_the_workers_end_once(void) {
    pthread_t threads[WORKERS];
    store_in(ORG_A, add_all);
    store_in(ORG_B, add_all);
    start_workers(threads);
    call_off_some(ORG_A);
    call_off_some(ORG_B);
    await_workers(threads);
    store_in(ORG_A, all_have_ended);
    store_in(ORG_B, all_have_ended);
    store_system(nothing_runs);
}

static const StoreTest tests[] = {
    {"every_job_is_run_once_and_of_an_integration_one_at_a_time",
     every_job_is_run_once_and_of_an_integration_one_at_a_time},
    {"jobs_that_are_called_off_beside_the_workers_end_once",
     jobs_that_are_called_off_beside_the_workers_end_once},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "job_race", tests, G_N_ELEMENTS(tests));
}
