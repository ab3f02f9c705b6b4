/* Lock files of owners: who is dead is known at once, who lives is left alone. */
#include "unit/sync_support.h"

#include "base/error.h"
#include "store/budget.h"
#include "sync/owner.h"
#include "unit/database_stage.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* An owner in a process of its own, which is then killed. */
typedef struct {
    char *id;
    pid_t process;
} Victim;

/* Before any thread is started: the child goes on in a copy of this process. */
static void victim_start(Victim *victim, const char *data_dir) {
    int ends[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    victim->process = fork();
    g_assert_cmpint(victim->process, >=, 0);
    if (victim->process == 0) {
        Owner *owner = NULL;
        if (!owner_new(data_dir, &owner, NULL) ||
            write(ends[1], owner_id(owner), strlen(owner_id(owner))) < 1)
            _exit(1);
        close(ends[1]);
        for (;;)
            pause();
    }
    close(ends[1]);
    char id[600];
    ssize_t size = read(ends[0], id, sizeof id - 1);
    close(ends[0]);
    g_assert_cmpint(size, >, 0);
    victim->id = g_strndup(id, (size_t)size);
}

static void victim_kill(const Victim *victim) {
    int status;
    g_assert_cmpint(kill(victim->process, SIGKILL), ==, 0);
    g_assert_cmpint(waitpid(victim->process, &status, 0), ==, victim->process);
}

static char *run_dir(const Place *place) {
    return g_build_filename(place->folder, "run", NULL);
}

static unsigned count_files(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    unsigned count = 0;
    while (dir && g_dir_read_name(dir))
        count++;
    return count;
}

static Owner *owner_in(const char *data_dir) {
    Owner *owner = NULL;
    must(owner_new(data_dir, &owner, &error));
    return owner;
}

static void write_lock(const Place *place, const char *name, const char *content) {
    g_autofree char *dir = run_dir(place);
    g_assert_cmpint(g_mkdir_with_parents(dir, 0700), ==, 0);
    g_autofree char *path = g_build_filename(dir, name, NULL);
    must(g_file_set_contents(path, content, -1, &error));
}

/* --- the lock --------------------------------------------------------------------------------- */

static void an_owner_has_a_name_and_a_private_file(void) {
    g_autofree char *folder = g_dir_make_tmp("assay-owner-XXXXXX", NULL);
    g_autofree char *run = g_build_filename(folder, "run", NULL);
    Owner *owner = owner_in(folder);
    g_assert_true(g_str_has_prefix(owner_id(owner), g_get_host_name()));
    const char *colon = strrchr(owner_id(owner), ':');
    g_assert_nonnull(colon);
    g_assert_cmpuint(strlen(colon + 1), ==, 36);
    g_autofree char *name = g_strconcat(colon + 1, ".lock", NULL);
    g_autofree char *path = g_build_filename(run, name, NULL);
    struct stat status;
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    g_assert_cmpint(stat(run, &status), ==, 0);
    g_assert_cmpuint(status.st_mode & 0777, ==, 0700);
    g_autofree char *content = NULL;
    must(g_file_get_contents(path, &content, NULL, &error));
    g_assert_cmpstr(content, ==, owner_id(owner));
    owner_free(owner);
    g_assert_cmpuint(count_files(run), ==, 0);
    owner_free(NULL);
    g_rmdir(run);
    g_rmdir(folder);
}

static void every_owner_has_its_own_name(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Owner) one = owner_in(place.folder);
    g_autoptr(Owner) two = owner_in(place.folder);
    g_assert_cmpstr(owner_id(one), !=, owner_id(two));
}

static void a_folder_that_cannot_be_made_is_named(void) {
    Owner *owner = NULL;
    must_fail(ERROR_INTERNAL, "/dev/null/run", owner_new("/dev/null", &owner, &error));
    g_assert_null(owner);
}

/* --- the dead and the living ------------------------------------------------------------------ */

static void what_a_killed_owner_held_is_claimable_at_once(void) {
    g_autofree char *folder = g_dir_make_tmp("assay-owner-XXXXXX", NULL);
    Victim victim;
    victim_start(&victim, folder);
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *run = g_build_filename(folder, "run", NULL);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    sync_add_job(&place, &scope_a, "acme", "job");
    g_assert_true(sync_claim(&place, &scope_a, "job", victim.id));
    must(owner_release_dead(folder, place.db, &error));
    g_assert_false(sync_claim(&place, &scope_a, "job", "another"));
    g_assert_cmpuint(count_files(run), ==, 1);
    victim_kill(&victim);
    g_assert_false(sync_claim(&place, &scope_a, "job", "another"));
    must(owner_release_dead(folder, place.db, &error));
    g_assert_true(sync_claim(&place, &scope_a, "job", "another"));
    g_assert_cmpuint(count_files(run), ==, 0);
    g_free(victim.id);
    g_rmdir(run);
    g_rmdir(folder);
}

typedef struct {
    const char *holder;
    int64_t others;
} HoldWork;

static bool hold_work(DbUnit *unit, void *data, GError **error) {
    const HoldWork *work = data;
    BudgetHolder row = {.key = "slack/0/app", .holder = work->holder, .until_at = 100};
    return budget_holder_put(unit, &row, error);
}

static bool others_work(DbUnit *unit, void *data, GError **error) {
    HoldWork *work = data;
    BudgetHolder self = {.key = "slack/0/app", .holder = work->holder};
    int64_t calls = 0;
    return budget_others(unit, &self, 0, &work->others, &calls, error);
}

static void a_killed_owner_shares_no_limit_any_more(void) {
    g_autofree char *folder = g_dir_make_tmp("assay-owner-XXXXXX", NULL);
    Victim victim;
    victim_start(&victim, folder);
    g_auto(Place) place = {0};
    place_init(&place);
    HoldWork dead = {.holder = victim.id};
    HoldWork self = {.holder = "self"};
    must(db_run(place.db, &scope_system, DB_WRITE, hold_work, &dead, &error));
    victim_kill(&victim);
    must(db_run(place.db, &scope_system, DB_READ, others_work, &self, &error));
    g_assert_cmpint(self.others, ==, 1);
    must(owner_release_dead(folder, place.db, &error));
    must(db_run(place.db, &scope_system, DB_READ, others_work, &self, &error));
    g_assert_cmpint(self.others, ==, 0);
    g_autofree char *run = g_build_filename(folder, "run", NULL);
    g_free(victim.id);
    g_rmdir(run);
    g_rmdir(folder);
}

static void a_living_owner_keeps_its_jobs(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    g_autoptr(Owner) owner = owner_in(place.folder);
    sync_add_job(&place, &scope_a, "acme", "job");
    g_assert_true(sync_claim(&place, &scope_a, "job", owner_id(owner)));
    for (int i = 0; i < 3; i++)
        must(owner_release_dead(place.folder, place.db, &error));
    g_assert_false(sync_claim(&place, &scope_a, "job", "another"));
    g_autofree char *run = run_dir(&place);
    g_assert_cmpuint(count_files(run), ==, 1);
}

static void jobs_of_all_organizations_are_let_go(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Integration) a = sync_integration(&place, &scope_a, "acme");
    g_autoptr(Integration) b = sync_integration(&place, &scope_b, "acme");
    sync_add_job(&place, &scope_a, "acme", "job-a");
    sync_add_job(&place, &scope_b, "acme", "job-b");
    g_assert_true(sync_claim(&place, &scope_a, "job-a", "host:dead"));
    g_assert_true(sync_claim(&place, &scope_b, "job-b", "host:dead"));
    write_lock(&place, "dead.lock", "host:dead");
    must(owner_release_dead(place.folder, place.db, &error));
    g_assert_true(sync_claim(&place, &scope_a, "job-a", "another"));
    g_assert_true(sync_claim(&place, &scope_b, "job-b", "another"));
}

/* A container has another host name after each start. */
static void the_id_is_what_the_file_says(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    sync_add_job(&place, &scope_a, "acme", "job");
    g_assert_true(sync_claim(&place, &scope_a, "job", "old-host:0f"));
    write_lock(&place, "0f.lock", "old-host:0f");
    must(owner_release_dead(place.folder, place.db, &error));
    g_assert_true(sync_claim(&place, &scope_a, "job", "another"));
}

static void an_owner_without_a_file_is_left_to_its_lease(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    sync_add_job(&place, &scope_a, "acme", "job");
    g_assert_true(sync_claim(&place, &scope_a, "job", "elsewhere:1"));
    must(owner_release_dead(place.folder, place.db, &error));
    g_autoptr(Owner) owner = owner_in(place.folder);
    must(owner_release_dead(place.folder, place.db, &error));
    g_assert_false(sync_claim(&place, &scope_a, "job", "another"));
}

static void a_folder_that_was_never_used_has_no_dead(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    must(owner_release_dead("/nonexistent/folder", place.db, &error));
    must(owner_release_dead(place.folder, place.db, &error));
}

/* --- odd files -------------------------------------------------------------------------------- */

static void odd_files_do_no_harm(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *run = run_dir(&place);
    g_autofree char *large = g_strnfill(5000, 'x');
    write_lock(&place, "empty.lock", "");
    write_lock(&place, "large.lock", large);
    write_lock(&place, ".lock", "x");
    write_lock(&place, "notes.txt", "host:dead");
    g_autofree char *folder = g_build_filename(run, "folder.lock", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    must(owner_release_dead(place.folder, place.db, &error));
    g_autofree char *notes = g_build_filename(run, "notes.txt", NULL);
    g_assert_true(g_file_test(notes, G_FILE_TEST_IS_REGULAR));
    g_assert_true(g_file_test(folder, G_FILE_TEST_IS_DIR));
    g_assert_cmpuint(count_files(run), ==, 2);
}

static void a_link_is_not_followed(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autoptr(Integration) integration = sync_integration(&place, &scope_a, "acme");
    sync_add_job(&place, &scope_a, "acme", "job");
    g_assert_true(sync_claim(&place, &scope_a, "job", "host:living"));
    write_lock(&place, "text", "host:living");
    g_autofree char *run = run_dir(&place);
    g_autofree char *text = g_build_filename(run, "text", NULL);
    g_autofree char *link = g_build_filename(run, "link.lock", NULL);
    g_assert_cmpint(symlink(text, link), ==, 0);
    must(owner_release_dead(place.folder, place.db, &error));
    g_assert_false(sync_claim(&place, &scope_a, "job", "another"));
}

/* What could not be let go is tried again the next time. */
static void the_file_stays_when_the_database_fails(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    write_lock(&place, "dead.lock", "host:dead");
    g_autofree char *url = stage_database_url(place.folder, "empty.db", NULL);
    g_autoptr(Db) empty = NULL;
    must((empty = db_open(url, &error)) != NULL);
    must_fail(ERROR_DATABASE, "", owner_release_dead(place.folder, empty, &error));
    g_autofree char *run = run_dir(&place);
    g_assert_cmpuint(count_files(run), ==, 1);
    must(owner_release_dead(place.folder, place.db, &error));
    g_assert_cmpuint(count_files(run), ==, 0);
}

/* --- at the same moment ----------------------------------------------------------------------- */

typedef struct {
    const Place *place;
    int stop;
} Clearing;

static void *clear_again_and_again(void *data) {
    Clearing *clearing = data;
    while (!g_atomic_int_get(&clearing->stop))
        must(owner_release_dead(clearing->place->folder, clearing->place->db, &error));
    return NULL;
}

/* Between making the file and locking it an owner looks dead to others. */
static void a_new_owner_keeps_its_file_while_others_clear_away(void) {
    g_auto(Place) place = {0};
    place_init(&place);
    g_autofree char *run = run_dir(&place);
    Clearing clearing = {&place, 0};
    pthread_t threads[2];
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, clear_again_and_again, &clearing), ==, 0);
    for (int i = 0; i < 500; i++) {
        Owner *owner = owner_in(place.folder);
        g_autofree char *name = g_strconcat(strrchr(owner_id(owner), ':') + 1, ".lock", NULL);
        g_autofree char *path = g_build_filename(run, name, NULL);
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
        must(owner_release_dead(place.folder, place.db, &error));
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
        owner_free(owner);
    }
    g_atomic_int_set(&clearing.stop, 1);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpuint(count_files(run), ==, 0);
}

#define ADD(name) g_test_add_func("/sync/owner/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    ADD(what_a_killed_owner_held_is_claimable_at_once);
    ADD(an_owner_has_a_name_and_a_private_file);
    ADD(every_owner_has_its_own_name);
    ADD(a_folder_that_cannot_be_made_is_named);
    ADD(a_killed_owner_shares_no_limit_any_more);
    ADD(a_living_owner_keeps_its_jobs);
    ADD(jobs_of_all_organizations_are_let_go);
    ADD(the_id_is_what_the_file_says);
    ADD(an_owner_without_a_file_is_left_to_its_lease);
    ADD(a_folder_that_was_never_used_has_no_dead);
    ADD(odd_files_do_no_harm);
    ADD(a_link_is_not_followed);
    ADD(the_file_stays_when_the_database_fails);
    ADD(a_new_owner_keeps_its_file_while_others_clear_away);
    return g_test_run();
}
