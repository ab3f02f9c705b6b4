/* Stamps: the same as long as nobody commits, another one as soon as somebody has. */
#include "db_support.h"
#include "unit/database_stage.h"
#include <pthread.h>
#include <string.h>

/* Another process is this program with these arguments: its name, "--note", URL, id. */
#define OTHER "--note"

#define WRITES 200

static DbStamp stamp_of(const Db *db) {
    DbStamp stamp;
    g_assert_true(db_stamp(db, &stamp));
    return stamp;
}

static bool is_now(const Db *db, const DbStamp *before) {
    DbStamp now = stamp_of(db);
    return memcmp(now.bytes, before->bytes, sizeof now.bytes) == 0;
}

static void write_note(Db *db, const char *id) {
    Note note = {id, "body"};
    expect_run(db, &scope_one, DB_WRITE, insert_note, &note);
}

static void a_server_has_no_stamps(void) {
    Fixture f;
    DbStamp stamp;
    fixture_init(&f);
    g_assert_true(db_stamp(f.db, &stamp) != stage_is_postgres());
    fixture_clear(&f);
}

static void reading_leaves_the_stamp(void) {
    Fixture f;
    fixture_init(&f);
    write_note(f.db, "1");
    DbStamp before = stamp_of(f.db);
    for (int i = 0; i < 10; i++)
        g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    g_assert_true(is_now(f.db, &before));
    fixture_clear(&f);
}

static void every_commit_makes_another_stamp(void) {
    Fixture f;
    fixture_init(&f);
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 50; i++) {
        char id[16];
        g_snprintf(id, sizeof id, "%d", i);
        write_note(f.db, id);
        DbStamp stamp = stamp_of(f.db);
        char *text = g_base64_encode(stamp.bytes, sizeof stamp.bytes);
        g_assert_true(g_hash_table_add(seen, text));
    }
    fixture_clear(&f);
}

static bool write_and_fail(DbUnit *unit, void *data, GError **error) {
    if (!insert_note(unit, data, error))
        return false;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT, "changed its mind");
    return false;
}

static void what_is_rolled_back_leaves_the_stamp(void) {
    Fixture f;
    Note note = {"1", "body"};
    fixture_init(&f);
    write_note(f.db, "0");
    DbStamp before = stamp_of(f.db);
    expect_error(f.db, &scope_one, DB_WRITE, write_and_fail, &note, ERROR_CONFLICT, "its mind");
    g_assert_true(is_now(f.db, &before));
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static void a_commit_of_another_connection_is_seen_at_once(void) {
    Fixture f;
    fixture_init(&f);
    Db *other = support_open(f.url, NULL);
    DbStamp before = stamp_of(f.db);
    g_assert_true(is_now(other, &before));
    write_note(other, "1");
    g_assert_false(is_now(f.db, &before));
    before = stamp_of(f.db);
    g_assert_true(is_now(other, &before));
    db_close(other);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static void write_in_another_process(const Fixture *f, const char *id) {
    g_autoptr(GError) error = NULL;
    int status = -1;
    char program[] = "/proc/self/exe";
    char wish[] = OTHER;
    g_autofree char *url = g_strdup(f->url);
    g_autofree char *name = g_strdup(id);
    char *arguments[] = {program, wish, url, name, NULL};
    g_assert_true(g_spawn_sync(NULL, arguments, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                               &status, &error));
    g_assert_no_error(error);
    g_assert_true(g_spawn_check_wait_status(status, NULL));
}

static void a_commit_of_another_process_is_seen_at_once(void) {
    Fixture f;
    fixture_init(&f);
    for (int i = 0; i < 5; i++) {
        char id[16];
        g_snprintf(id, sizeof id, "%d", i);
        DbStamp before = stamp_of(f.db);
        write_in_another_process(&f, id);
        g_assert_false(is_now(f.db, &before));
        g_assert_cmpint(support_note_count(f.db, &scope_one), ==, i + 1);
    }
    fixture_clear(&f);
}

/* The log is written back and begun anew every 1,000 pages: nobody may see an old stamp then. */
static void no_stamp_comes_again_when_the_log_is_begun_anew(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *body = g_strnfill(400 * 1024, 'x');
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (int i = 0; i < 40; i++) {
        char id[16];
        g_snprintf(id, sizeof id, "%d", i);
        Note note = {id, body};
        expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
        DbStamp stamp = stamp_of(f.db);
        g_assert_true(g_hash_table_add(seen, g_base64_encode(stamp.bytes, sizeof stamp.bytes)));
    }
    fixture_clear(&f);
}

typedef struct {
    Db *db;
    int64_t told; /* how many notes the reader has been told of; atomic */
} Race;

static void *write_on(void *data) {
    Race *race = data;
    for (int i = 0; i < WRITES; i++) {
        char id[16];
        g_snprintf(id, sizeof id, "%d", i);
        write_note(race->db, id);
        __atomic_store_n(&race->told, i + 1, __ATOMIC_RELEASE);
    }
    return NULL;
}

/* What was read after a stamp was taken is remembered with it; when the stamp is found again, it
 * has all that had been reported as done by then. */
static void what_is_remembered_with_a_stamp_is_never_older_than_what_was_reported(void) {
    Fixture f;
    pthread_t writer;
    fixture_init(&f);
    Race race = {.db = f.db};
    g_assert_cmpint(pthread_create(&writer, NULL, write_on, &race), ==, 0);
    DbStamp stamp = {{0}};
    int64_t remembered = -1;
    for (int64_t told = 0; told < WRITES;) {
        DbStamp now;
        told = __atomic_load_n(&race.told, __ATOMIC_ACQUIRE);
        bool known = db_stamp(f.db, &now);
        if (known && memcmp(now.bytes, stamp.bytes, sizeof now.bytes) == 0) {
            g_assert_cmpint(remembered, >=, told);
        } else if (known) {
            stamp = now;
            remembered = support_note_count(f.db, &scope_one);
            g_assert_cmpint(remembered, >=, told);
        }
    }
    pthread_join(writer, NULL);
    fixture_clear(&f);
}

static int be_the_other_process(char **argv) {
    Db *db = support_open(argv[2], NULL);
    write_note(db, argv[3]);
    db_close(db);
    return 0;
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], OTHER) == 0)
        return be_the_other_process(argv);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/stamp/a_server_has_no_stamps", a_server_has_no_stamps);
    if (stage_is_postgres())
        return g_test_run();
    g_test_add_func("/stamp/reading_leaves_the_stamp", reading_leaves_the_stamp);
    g_test_add_func("/stamp/every_commit_makes_another_stamp", every_commit_makes_another_stamp);
    g_test_add_func("/stamp/what_is_rolled_back_leaves_the_stamp",
                    what_is_rolled_back_leaves_the_stamp);
    g_test_add_func("/stamp/a_commit_of_another_connection_is_seen_at_once",
                    a_commit_of_another_connection_is_seen_at_once);
    g_test_add_func("/stamp/a_commit_of_another_process_is_seen_at_once",
                    a_commit_of_another_process_is_seen_at_once);
    g_test_add_func("/stamp/no_stamp_comes_again_when_the_log_is_begun_anew",
                    no_stamp_comes_again_when_the_log_is_begun_anew);
    g_test_add_func("/stamp/what_is_remembered_with_a_stamp_is_never_older_than_what_was_reported",
                    what_is_remembered_with_a_stamp_is_never_older_than_what_was_reported);
    return g_test_run();
}
