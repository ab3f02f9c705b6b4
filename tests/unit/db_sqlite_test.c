/* The embedded engine: opening, threads, other processes, kill -9, a full disk. */
#include "db/migrate.h"
#include "db_support.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* --- Opening ------------------------------------------------------------------------------- */

static void expect_open_error(const char *url, ErrorCode code, const char *text) {
    g_autoptr(GError) error = NULL;
    g_assert_null(db_open(url, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    if (!strstr(error->message, text))
        g_error("\"%s\" does not say \"%s\"", error->message, text);
}

static void new_database_is_private(void) {
    Fixture f;
    fixture_init(&f);
    static const char *const suffixes[] = {"", "-wal", "-shm", "-turn"};
    for (size_t i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autofree char *path = g_strconcat(f.path, suffixes[i], NULL);
        struct stat status;
        g_assert_cmpint(stat(path, &status), ==, 0);
        g_assert_cmpuint(status.st_mode & 0777, ==, 0600);
    }
    fixture_clear(&f);
}

static void urls_that_name_no_file_are_refused(void) {
    expect_open_error("sqlite:", ERROR_CONFIGURATION, "sqlite:PATH");
    expect_open_error("sqlite::memory:", ERROR_CONFIGURATION, "sqlite:PATH");
    expect_open_error("mysql://x", ERROR_CONFIGURATION, "sqlite:PATH");
    expect_open_error("", ERROR_CONFIGURATION, "sqlite:PATH");
}

static void missing_folder_is_named(void) {
    expect_open_error("sqlite:/nonexistent/assay.db", ERROR_CONFIGURATION,
                      "folder /nonexistent of the database does not exist");
}

static void folder_is_no_database(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *url = g_strconcat("sqlite:", f.folder, NULL);
    expect_open_error(url, ERROR_CONFIGURATION, "cannot be opened");
    g_autofree char *turn = g_strconcat(f.folder, "-turn", NULL);
    g_unlink(turn);
    fixture_clear(&f);
}

static void other_file_is_left_as_it_is(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    g_autofree char *text = g_strnfill(5000, 'x');
    g_assert_true(g_file_set_contents(f.path, text, -1, NULL));
    expect_open_error(f.url, ERROR_CONFIGURATION, "not a database");
    g_autofree char *after = NULL;
    g_assert_true(g_file_get_contents(f.path, &after, NULL, NULL));
    g_assert_cmpstr(after, ==, text);
    g_assert_cmpint(g_file_set_contents(f.path, "", 0, NULL), ==, TRUE);
    fixture_clear(&f);
}

/* Bytes 68 to 71 of a database are its application id
 * (https://www.sqlite.org/fileformat.html#application_id). */
static void database_of_another_program_is_refused(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    int file = open(f.path, O_WRONLY);
    g_assert_cmpint(pwrite(file, "Fossil", 4, 68), ==, 4);
    close(file);
    expect_open_error(f.url, ERROR_CONFIGURATION, "another program");
    fixture_clear(&f);
}

/* In a process of its own: root may write everything, so it becomes somebody else. */
static void read_only_file_is_refused_in_a_child(void) {
    const char *path = g_getenv("ASSAY_TEST_READ_ONLY");
    g_autofree char *url = g_strconcat("sqlite:", path, NULL);
    if (geteuid() == 0)
        g_assert_cmpint(setresuid(65534, 65534, 65534), ==, 0);
    expect_open_error(url, ERROR_CONFIGURATION, "write access");
}

static void read_only_file_is_refused(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    g_autofree char *turn = g_strconcat(f.path, "-turn", NULL);
    g_assert_cmpint(g_chmod(f.folder, 0755), ==, 0);
    g_assert_cmpint(g_chmod(f.path, 0444), ==, 0);
    g_assert_cmpint(g_chmod(turn, 0666), ==, 0);
    g_setenv("ASSAY_TEST_READ_ONLY", f.path, TRUE);
    g_test_trap_subprocess("/db/sqlite/read_only_file_is_refused/subprocess/child", 0,
                           G_TEST_SUBPROCESS_INHERIT_STDERR);
    g_test_trap_assert_passed();
    g_chmod(f.folder, 0700);
    fixture_clear(&f);
}

/* --- Readers ------------------------------------------------------------------------------- */

/* How many descriptors of this process are the database. */
static unsigned count_connections(const Fixture *f) {
    g_autoptr(GDir) folder = g_dir_open("/proc/self/fd", 0, NULL);
    unsigned count = 0;
    for (const char *name; (name = g_dir_read_name(folder));) {
        g_autofree char *link = g_build_filename("/proc/self/fd", name, NULL);
        g_autofree char *target = g_file_read_link(link, NULL);
        count += g_strcmp0(target, f->path) == 0;
    }
    return count;
}

static void reads_one_after_the_other_share_a_connection(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    fixture_open(&f);
    for (int i = 0; i < 100; i++) {
        g_assert_cmpint(support_counter(f.db, &scope_one), ==, 0);
        g_assert_cmpuint(count_connections(&f), ==, 2);
    }
    fixture_clear(&f);
}

typedef struct {
    Fixture *fixture;
    pthread_barrier_t together;
} Meeting;

static bool meet(DbUnit *unit, void *data, GError **error) {
    int64_t count;
    pthread_barrier_wait(data);
    return read_counter(unit, &count, error);
}

static void *read_together(void *data) {
    Meeting *meeting = data;
    expect_run(meeting->fixture->db, &scope_one, DB_READ, meet, &meeting->together);
    return NULL;
}

static void reads_at_the_same_time_do_not_wait_for_each_other(void) {
    Fixture f;
    fixture_init(&f);
    Meeting meeting = {.fixture = &f};
    pthread_t threads[2];
    pthread_barrier_init(&meeting.together, NULL, G_N_ELEMENTS(threads));
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, read_together, &meeting), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpuint(count_connections(&f), ==, 3);
    pthread_barrier_destroy(&meeting.together);
    fixture_clear(&f);
}

/* The first reader is opened with the first read: until then nobody has noticed. */
static void read_of_a_database_that_cannot_be_opened_any_more_fails(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    const DbOptions options = {.catalogue = support_catalogue()};
    g_autoptr(GError) error = NULL;
    Db *db = db_open_with(f.url, &options, &error);
    g_assert_no_error(error);
    g_autofree char *aside = g_strconcat(f.path, ".aside", NULL);
    g_assert_cmpint(g_rename(f.path, aside), ==, 0);
    int64_t count;
    expect_error(db, &scope_one, DB_READ, read_counter, &count, ERROR_CONFIGURATION,
                 "cannot be opened");
    g_assert_cmpint(g_rename(aside, f.path), ==, 0);
    expect_run(db, &scope_one, DB_READ, read_counter, &count);
    db_close(db);
    fixture_clear(&f);
}

/* --- Content ------------------------------------------------------------------------------- */

static void content_outlives_the_process(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "body"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
    fixture_close(&f);
    g_autofree char *log = g_strconcat(f.path, "-wal", NULL);
    g_assert_false(g_file_test(log, G_FILE_TEST_EXISTS));
    fixture_open(&f);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static bool delete_all(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    return db_exec(db_prepare(unit, "note_delete"), error);
}

static void deleted_text_is_gone_from_the_file(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "a-body-to-be-forgotten"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
    expect_run(f.db, &scope_one, DB_WRITE, delete_all, NULL);
    fixture_close(&f);
    g_autofree char *bytes = NULL;
    size_t size = 0;
    g_assert_true(g_file_get_contents(f.path, &bytes, &size, NULL));
    g_assert_null(memmem(bytes, size, note.body, strlen(note.body)));
    fixture_clear(&f);
}

/* --- Children: this program again, as "db_sqlite_test --child KIND PATH" --------------------- */

static bool count_work(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    return add_to_counter(unit, NULL, error);
}

/* Counter, notes and acknowledgements grow together: a sound database has as many of one as of the
 * other, and at least what was acknowledged. */
static bool add_note_and_count(DbUnit *unit, void *data, GError **error) {
    Note note = {data, "written by a child"};
    return insert_note(unit, &note, error) && add_to_counter(unit, NULL, error);
}

static int child_write(Db *db, int limit) {
    for (int i = 0; i < limit; i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *id = g_strdup_printf("%d-%d", (int)getpid(), i);
        if (!db_run(db, &scope_one, DB_WRITE, add_note_and_count, id, &error)) {
            g_printerr("%s\n", error->message);
            return 1;
        }
        if (write(STDOUT_FILENO, ".", 1) != 1)
            return 1;
    }
    return 0;
}

#define BLOB_SIZE (64 * 1024)

typedef struct {
    Tally *tally;
    char id[24];
} Heavy;

static bool heavy_work(DbUnit *unit, void *data, GError **error) {
    Heavy *heavy = data;
    g_autofree char *bytes = g_strnfill(BLOB_SIZE, 'b');
    DbStatement *statement = db_prepare(unit, "blob_insert");
    db_bind_text(statement, "id", heavy->id);
    db_bind_blob(statement, "bytes", bytes, BLOB_SIZE);
    return db_exec(statement, error) && add_to_counter(unit, NULL, error);
}

static void heavy_done(void *data, const GError *error) {
    tally_count(((Heavy *)data)->tally, error);
}

/* Fills a disk of 2 MiB in groups; says how many units were reported as committed. */
static int child_fill(Db *db) {
    const struct rlimit limit = {2 << 20, 2 << 20};
    signal(SIGXFSZ, SIG_IGN);
    g_assert_cmpint(setrlimit(RLIMIT_FSIZE, &limit), ==, 0);
    Tally tally = TALLY_INIT;
    Heavy heavies[64];
    for (int i = 0; i < 64; i++) {
        heavies[i].tally = &tally;
        g_snprintf(heavies[i].id, sizeof heavies[i].id, "%d", i);
        const DbJob job = {.scope = scope_one,
                           .mode = DB_WRITE,
                           .work = heavy_work,
                           .done = heavy_done,
                           .data = &heavies[i]};
        g_assert_true(db_submit(db, &job, NULL));
    }
    tally_wait(&tally, 64);
    g_assert_nonnull(tally.last_error);
    if (!strstr(tally.last_error, "no space is left on its disk"))
        g_error("%s", tally.last_error);
    g_free(tally.last_error);
    g_print("%d", tally.done - tally.failed);
    return 0;
}

/* Keeps the write lock busy: there is always a group waiting for the one that commits. */
static int child_flood(Db *db) {
    const DbJob job = {.scope = scope_one, .mode = DB_WRITE, .work = count_work};
    for (;;) {
        while (db_submit(db, &job, NULL))
            ;
        expect_run(db, &scope_one, DB_WRITE, add_to_counter, NULL);
        if (write(STDOUT_FILENO, ".", 1) != 1)
            return 1;
    }
}

static int child_main(const char *kind, const char *path) {
    g_autofree char *url = g_strconcat("sqlite:", path, NULL);
    g_autoptr(Db) db = support_open(url, NULL);
    if (strcmp(kind, "endless") == 0)
        return child_write(db, G_MAXINT);
    if (strcmp(kind, "fifty") == 0)
        return child_write(db, 50);
    if (strcmp(kind, "flood") == 0)
        return child_flood(db);
    return strcmp(kind, "fill") == 0 ? child_fill(db) : 2;
}

typedef struct {
    GPid pid;
    int output;
} Child;

static void child_start(Child *child, const char *kind, const char *path) {
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    char child_flag[] = "--child";
    g_autofree char *kind_copy = g_strdup(kind), *path_copy = g_strdup(path);
    char *arguments[] = {self, child_flag, kind_copy, path_copy, NULL};
    g_autoptr(GError) error = NULL;
    g_spawn_async_with_pipes(NULL, arguments, NULL, G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL,
                             &child->pid, NULL, &child->output, NULL, &error);
    g_assert_no_error(error);
}

/* Reads until count bytes or the end; returns how many came. */
static int child_read(const Child *child, char *buffer, int count) {
    int length = 0;
    while (length < count) {
        ssize_t got = read(child->output, buffer + length, (size_t)(count - length));
        if (got <= 0)
            break;
        length += (int)got;
    }
    return length;
}

static int child_end(Child *child) {
    int status = 0;
    while (waitpid(child->pid, &status, 0) < 0 && errno == EINTR)
        ;
    close(child->output);
    return status;
}

static void killed_writer_leaves_a_sound_database(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    int64_t acknowledged = 0;
    for (int round = 0; round < 8; round++) {
        Child child;
        char buffer[64];
        child_start(&child, "endless", f.path);
        int wanted = 1 + round * 7;
        g_assert_cmpint(child_read(&child, buffer, wanted), ==, wanted);
        acknowledged += wanted;
        kill(child.pid, SIGKILL);
        int status = child_end(&child);
        g_assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        fixture_open(&f);
        expect_run(f.db, &scope_one, DB_READ, check_integrity, NULL);
        int64_t count = support_note_count(f.db, &scope_one);
        g_assert_cmpint(count, >=, acknowledged);
        g_assert_cmpint(count, ==, support_counter(f.db, &scope_one));
        acknowledged = count;
        fixture_close(&f);
    }
    fixture_clear(&f);
}

static void processes_write_side_by_side(void) {
    Fixture f;
    fixture_init(&f);
    Child children[3];
    for (int i = 0; i < 3; i++)
        child_start(&children[i], "fifty", f.path);
    for (int i = 0; i < 50; i++)
        expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    for (int i = 0; i < 3; i++) {
        char buffer[64];
        g_assert_cmpint(child_read(&children[i], buffer, 64), ==, 50);
        g_assert_cmpint(child_end(&children[i]), ==, 0);
    }
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 150);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, 200);
    fixture_clear(&f);
}

static void processes_open_a_new_database_at_once(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *path = g_build_filename(f.folder, "new.db", NULL);
    Child children[4];
    for (int i = 0; i < 4; i++)
        child_start(&children[i], "fifty", path);
    for (int i = 0; i < 4; i++) {
        char buffer[64];
        g_assert_cmpint(child_read(&children[i], buffer, 64), ==, 50);
        g_assert_cmpint(child_end(&children[i]), ==, 0);
    }
    fixture_clear(&f);
}

static void busy_process_does_not_starve_another(void) {
    Fixture f;
    fixture_init(&f);
    Child child;
    char byte;
    child_start(&child, "flood", f.path);
    g_assert_cmpint(child_read(&child, &byte, 1), ==, 1);
    for (int i = 0; i < 10; i++)
        expect_run(f.db, &scope_two, DB_WRITE, add_to_counter, NULL);
    kill(child.pid, SIGKILL);
    child_end(&child);
    g_assert_cmpint(support_counter(f.db, &scope_two), ==, 10);
    fixture_clear(&f);
}

static void full_disk_keeps_what_was_committed(void) {
    Fixture f;
    fixture_init(&f);
    fixture_close(&f);
    Child child;
    char buffer[16] = {0};
    child_start(&child, "fill", f.path);
    g_assert_cmpint(child_read(&child, buffer, sizeof buffer - 1), >, 0);
    g_assert_cmpint(child_end(&child), ==, 0);
    fixture_open(&f);
    expect_run(f.db, &scope_one, DB_READ, check_integrity, NULL);
    int64_t committed = g_ascii_strtoll(buffer, NULL, 10);
    g_assert_cmpint(committed, >, 0);
    g_assert_cmpint(committed, <, 64);
    g_assert_cmpint(support_counter(f.db, &scope_one), ==, committed);
    expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
    fixture_clear(&f);
}

/* --- Reads that are waited for -------------------------------------------------------------- */

static bool note_thread(DbUnit *unit, void *thread_out, GError **error) {
    int64_t count = 0;
    *(pthread_t *)thread_out = pthread_self();
    return count_notes(unit, &count, error);
}

static void a_read_that_is_waited_for_changes_no_thread(void) {
    Fixture f;
    fixture_init(&f);
    pthread_t reader = 0;
    pthread_t writer = pthread_self();
    expect_run(f.db, &scope_one, DB_READ, note_thread, &reader);
    expect_run(f.db, &scope_one, DB_WRITE, note_thread, &writer);
    g_assert_true(pthread_equal(reader, pthread_self()));
    g_assert_false(pthread_equal(writer, pthread_self()));
    g_assert_true(db_reads_here(f.db));
    fixture_clear(&f);
}

#define READING 8  /* at a time, at most */
#define WAITING 24 /* more than can */

typedef struct {
    Db *db;
    pthread_mutex_t lock;
    pthread_cond_t full;
    int inside, entered;
} Hall;

/* The first stay until as many are inside as can be. */
static bool stay(DbUnit *unit, void *data, GError **error) {
    Hall *hall = data;
    int64_t count = 0;
    pthread_mutex_lock(&hall->lock);
    hall->entered++;
    g_assert_cmpint(++hall->inside, <=, READING);
    pthread_cond_broadcast(&hall->full);
    while (hall->entered < READING)
        pthread_cond_wait(&hall->full, &hall->lock);
    hall->inside--;
    pthread_mutex_unlock(&hall->lock);
    return count_notes(unit, &count, error);
}

static void *visit(void *data) {
    Hall *hall = data;
    expect_run(hall->db, &scope_one, DB_READ, stay, hall);
    return NULL;
}

static void reads_beyond_the_connections_wait_their_turn(void) {
    Fixture f;
    fixture_init(&f);
    Hall hall = {.db = f.db, .lock = PTHREAD_MUTEX_INITIALIZER, .full = PTHREAD_COND_INITIALIZER};
    pthread_t threads[WAITING];
    for (int i = 0; i < WAITING; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, visit, &hall), ==, 0);
    for (int i = 0; i < WAITING; i++)
        pthread_join(threads[i], NULL);
    g_assert_cmpint(hall.entered, ==, WAITING);
    g_assert_cmpint(hall.inside, ==, 0);
    fixture_clear(&f);
}

static void a_read_sees_what_was_committed_before_it(void) {
    Fixture f;
    fixture_init(&f);
    for (int64_t i = 1; i <= 50; i++) {
        int64_t now = 0;
        expect_run(f.db, &scope_one, DB_WRITE, add_to_counter, NULL);
        expect_run(f.db, &scope_one, DB_READ, read_counter, &now);
        g_assert_cmpint(now, ==, i);
    }
    fixture_clear(&f);
}

static bool write_in_a_read(DbUnit *unit, void *data, GError **error) {
    return insert_note(unit, data, error);
}

static void a_read_changes_nothing_and_the_next_one_succeeds(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "body"};
    int64_t count = -1;
    for (int i = 0; i < 3; i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(db_run(f.db, &scope_one, DB_READ, write_in_a_read, &note, &error));
        g_assert_nonnull(error);
        expect_run(f.db, &scope_one, DB_READ, count_notes, &count);
        g_assert_cmpint(count, ==, 0);
    }
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "--child") == 0)
        return child_main(argv[2], argv[3]);
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/sqlite/" #name, name)
    ADD(a_read_that_is_waited_for_changes_no_thread);
    ADD(reads_beyond_the_connections_wait_their_turn);
    ADD(a_read_sees_what_was_committed_before_it);
    ADD(a_read_changes_nothing_and_the_next_one_succeeds);
    ADD(new_database_is_private);
    ADD(urls_that_name_no_file_are_refused);
    ADD(missing_folder_is_named);
    ADD(folder_is_no_database);
    ADD(other_file_is_left_as_it_is);
    ADD(database_of_another_program_is_refused);
    ADD(read_only_file_is_refused);
    ADD(reads_one_after_the_other_share_a_connection);
    ADD(reads_at_the_same_time_do_not_wait_for_each_other);
    ADD(read_of_a_database_that_cannot_be_opened_any_more_fails);
    ADD(content_outlives_the_process);
    ADD(deleted_text_is_gone_from_the_file);
    ADD(killed_writer_leaves_a_sound_database);
    ADD(processes_write_side_by_side);
    ADD(processes_open_a_new_database_at_once);
    ADD(busy_process_does_not_starve_another);
    ADD(full_disk_keeps_what_was_committed);
    g_test_add_func("/db/sqlite/read_only_file_is_refused/subprocess/child",
                    read_only_file_is_refused_in_a_child);
    return g_test_run();
}
