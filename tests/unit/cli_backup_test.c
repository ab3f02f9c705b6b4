/* Backups and what comes out of them: whole, in one file, and into an empty place only. */
#include "base/clock.h"
#include "base/id.h"
#include "store/credential.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/restored.h"
#include "store/user.h"
#include "store/user_session.h"
#include "unit/cli_support.h"

#include <glib/gstdio.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>

/* --- an installation and its backup ----------------------------------------------------------- */

static char *path_of(const char *name) {
    return g_build_filename(desk_folder(), name, NULL);
}

static char *backup(void) {
    char *file = path_of("backup.db");
    g_autofree char *line = g_strdup_printf("backup %s", file);
    g_autoptr(Json) json = desk_json(line, 0);
    g_assert_true(json_member_bool(json, "verified", false));
    return file;
}

/* Into a file of its own, on either engine. */
static Json *restore(const char *file, const char *name) {
    g_autofree char *to = path_of(name);
    g_autofree char *line = g_strdup_printf("restore %s --to sqlite:%s", file, to);
    return desk_json(line, 0);
}

static Db *open_restored(const char *name) {
    g_autofree char *path = path_of(name);
    g_autofree char *url = g_strconcat("sqlite:", path, NULL);
    Db *db = NULL;
    must((db = db_open(url, &error)) != NULL);
    return db;
}

static void run_in(Db *db, const Session *session, DbWork work, void *data) {
    DbScope scope = {.organization = session_scope(session)->organization,
                     .actor = "test",
                     .role = "owner",
                     .system = true};
    must(db_run(db, &scope, DB_WRITE, work, data, &error));
}

typedef struct {
    const char *id;
    Integration *row;
} GetWork;

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    g_clear_pointer(&work->row, integration_free);
    return integration_get(unit, work->id, &work->row, error);
}

static Integration *integration_in(Db *db, const Session *session, const char *id) {
    GetWork work = {.id = id};
    run_in(db, session, get_work, &work);
    return work.row;
}

typedef struct {
    const char *integration_id;
    const char *fields;
} CredentialWork;

static bool credential_work(DbUnit *unit, void *data, GError **error) {
    const CredentialWork *work = data;
    g_autofree char *id = id_new();
    Credential row = {.id = id,
                      .integration_id = work->integration_id,
                      .name = "main",
                      .fields = work->fields,
                      .metadata = "{}"};
    return credential_insert(unit, &row, error);
}

static void give_credential(const Session *session, const char *integration_id,
                            const char *fields) {
    CredentialWork work = {integration_id, fields};
    must(session_run(session, DB_WRITE, credential_work, &work, &error));
}

/* Nothing is left beside the files that were asked for. */
static void no_drafts(void) {
    g_autoptr(GDir) dir = g_dir_open(desk_folder(), 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir))
        g_assert_false(strstr(name, ".part") || strstr(name, "-wal") || strstr(name, ".spool"));
}

/* --- the file --------------------------------------------------------------------------------- */

static void a_backup_is_one_private_file_with_its_checksum(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    g_autofree char *sum = g_strconcat(file, ".sha256", NULL);
    g_autofree char *text = NULL;
    g_autofree char *bytes = NULL;
    gsize size = 0;
    struct stat status;
    must(g_file_get_contents(sum, &text, NULL, &error));
    must(g_file_get_contents(file, &bytes, &size, &error));
    g_autofree char *digest = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (guchar *)bytes, size);
    g_autofree char *line = g_strdup_printf("%s  backup.db\n", digest);
    g_assert_cmpstr(text, ==, line);
    g_assert_cmpint(stat(file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    no_drafts();
}

static void a_backup_stands_in_the_audit_log(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    g_autoptr(Json) json = desk_json("audit --installation --action backup.make", 0);
    const Json *row = json_item(json_member(json, "audit"), 0);
    g_assert_cmpstr(json_text(json_path(row, "target.name")), ==, file);
    g_assert_cmpuint(strlen(json_text(json_path(row, "details.sha256"))), ==, 64);
}

static void a_file_that_is_there_stays(void) {
    g_autoptr(Session) session = desk_session();
    const char *file = desk_file("taken.db", "precious");
    g_autofree char *line = g_strdup_printf("backup %s", file);
    g_autofree char *text = NULL;
    desk_fails(line, 1, "name another one");
    must(g_file_get_contents(file, &text, NULL, &error));
    g_assert_cmpstr(text, ==, "precious");
    desk_file("summed.db.sha256", "a sum");
    g_autofree char *summed = path_of("summed.db");
    g_autofree char *other = g_strdup_printf("backup %s", summed);
    desk_fails(other, 1, "summed.db.sha256");
}

static void what_cannot_be_written_is_told(void) {
    desk_fails("backup x.db", 3, "assay init");
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = path_of("nowhere/backup.db");
    g_autofree char *line = g_strdup_printf("backup %s", file);
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, !=, 0);
    assert_holds(said.err, "nowhere");
    desk_fails("backup", 2, "something is missing");
}

static void the_key_is_in_no_backup(void) {
    g_autoptr(Session) session = desk_session();
    const Keyring *keyring = NULL;
    must((keyring = session_keyring(session, &error)) != NULL);
    const Secret *key = keyring_kek(keyring);
    g_autofree char *file = backup();
    g_autofree char *bytes = NULL;
    gsize size = 0;
    must(g_file_get_contents(file, &bytes, &size, &error));
    g_assert_null(memmem(bytes, size, secret_bytes(key), secret_size(key)));
}

/* --- what comes out --------------------------------------------------------------------------- */

static void everything_comes_back(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    give_credential(session, id, "{\"access_token\": \"sealed\"}");
    g_autofree char *file = backup();
    g_autoptr(Json) json = restore(file, "restored.db");
    g_assert_cmpint(json_member_int(json, "organizations", 0), ==, 1);
    g_assert_cmpint(json_member_int(json, "reconnectNeeded", -1), ==, 0);
    g_assert_true(json_member_bool(json, "checksum", false));
    g_autoptr(Db) db = open_restored("restored.db");
    g_autoptr(Integration) row = integration_in(db, session, id);
    g_assert_cmpstr(row->name, ==, "acme");
    g_assert_cmpstr(row->status, ==, INTEGRATION_CONNECTED);
}

static void what_the_operator_did_comes_back(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *first = path_of("first.db");
    g_autofree char *line = g_strdup_printf("backup %s", first);
    g_autoptr(Json) made = desk_json(line, 0);
    g_autofree char *file = backup();
    g_autoptr(Json) json = restore(file, "restored.db");
    g_autofree char *to = path_of("restored.db");
    g_autofree char *url = g_strconcat("sqlite:", to, NULL);
    g_setenv("DATABASE_URL", url, TRUE);
    g_autoptr(Json) audit = desk_json("audit --installation", 0);
    const Json *rows = json_member(audit, "audit");
    g_assert_cmpuint(json_count(rows), ==, 2); /* the second backup is not in itself */
    g_assert_cmpstr(json_member_string(json_item(rows, 0), "action", ""), ==, "backup.restore");
    g_assert_cmpstr(json_member_string(json_item(rows, 1), "action", ""), ==, "backup.make");
}

static void refresh_tokens_want_to_be_verified(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *once = desk_add_integration(session, "once", INTEGRATION_CONNECTED);
    g_autofree char *lasting = desk_add_integration(session, "lasting", INTEGRATION_DEGRADED);
    g_autofree char *paused = desk_add_integration(session, "paused", INTEGRATION_PAUSED);
    give_credential(session, once, "{\"access_token\": \"a\", \"refresh_token\": \"r\"}");
    give_credential(session, lasting, "{\"access_token\": \"a\"}");
    give_credential(session, paused, "{\"refresh_token\": \"r\"}");
    g_autofree char *file = backup();
    g_autoptr(Json) json = restore(file, "restored.db");
    g_assert_cmpint(json_member_int(json, "reconnectNeeded", 0), ==, 2);
    g_autoptr(Db) db = open_restored("restored.db");
    g_autoptr(Integration) one = integration_in(db, session, once);
    g_autoptr(Integration) two = integration_in(db, session, lasting);
    g_autoptr(Integration) three = integration_in(db, session, paused);
    g_assert_cmpstr(one->status, ==, INTEGRATION_RECONNECT_NEEDED);
    g_assert_cmpstr(one->status_reason, ==, RESTORED_REASON);
    assert_holds(one->error_message, "connect it again");
    g_assert_cmpstr(two->status, ==, INTEGRATION_DEGRADED);
    g_assert_cmpstr(three->status, ==, INTEGRATION_PAUSED);
    g_assert_cmpstr(three->health, ==, INTEGRATION_RECONNECT_NEEDED);
    g_autoptr(Integration) before = integration_in(session_db(session), session, once);
    g_assert_cmpstr(before->status, ==, INTEGRATION_CONNECTED);
}

typedef struct {
    const char *integration_id;
    Job *job;
} JobWork;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    JobWork *work = data;
    g_clear_pointer(&work->job, job_free);
    JobClaim claim = {.owner = "elsewhere:1", .lease_ms = 3600000};
    return job_claim(unit, &claim, &work->job, error);
}

static bool job_work(DbUnit *unit, void *data, GError **error) {
    const JobWork *work = data;
    g_autofree char *id = id_new();
    Job job = {.id = id,
               .integration_id = work->integration_id,
               .request = "{}",
               .definition_sha256 = "0f"};
    return job_insert(unit, &job, error);
}

static void a_running_job_goes_on_at_once(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    JobWork work = {.integration_id = id};
    run_in(session_db(session), session, job_work, &work);
    run_in(session_db(session), session, claim_work, &work);
    g_assert_nonnull(work.job);
    g_autoptr(Job) leased = g_steal_pointer(&work.job);
    g_autofree char *file = backup();
    g_autoptr(Json) json = restore(file, "restored.db");
    g_autoptr(Db) db = open_restored("restored.db");
    run_in(db, session, claim_work, &work);
    g_assert_nonnull(work.job);
    g_autoptr(Job) again = work.job;
    g_assert_cmpstr(again->id, ==, leased->id);
    g_assert_cmpint(again->fence, >, leased->fence);
}

static bool session_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    User user = {.id = "u", .email = "ada@example.com", .name = "Ada"};
    UserSession row = {.id = "s",
                       .user_id = "u",
                       .token_hash = "hash",
                       .address = "127.0.0.1",
                       .expires_at = clock_now_ms() + 3600000};
    return user_insert(unit, &user, error) && user_session_insert(unit, &row, error);
}

static bool live_work(DbUnit *unit, void *data, GError **error) {
    bool *live = data;
    g_autoptr(GPtrArray) rows = NULL;
    if (!user_session_list(unit, "u", &rows, error))
        return false;
    *live = rows->len > 0;
    return true;
}

static void nobody_is_logged_in_afterwards(void) {
    g_autoptr(Session) session = desk_session();
    bool live = false;
    run_in(session_db(session), session, session_work, NULL);
    run_in(session_db(session), session, live_work, &live);
    g_assert_true(live);
    g_autofree char *file = backup();
    g_autoptr(Json) json = restore(file, "restored.db");
    g_autoptr(Db) db = open_restored("restored.db");
    run_in(db, session, live_work, &live);
    g_assert_false(live);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void a_place_that_is_used_is_refused(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    g_autofree char *line = g_strdup_printf("restore %s", file);
    desk_fails(line, 1, "not empty");
}

static void a_changed_byte_is_noticed(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    g_autofree char *to = path_of("restored.db");
    g_autofree char *line = g_strdup_printf("restore %s --to sqlite:%s", file, to);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    must(g_file_get_contents(file, &bytes, &size, &error));
    bytes[size / 2] ^= 1;
    must(g_file_set_contents(file, bytes, (gssize)size, &error));
    desk_fails(line, 1, "damaged or changed");
    g_assert_false(g_file_test(to, G_FILE_TEST_EXISTS));
}

static void a_torn_file_without_a_checksum_is_noticed(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    g_autofree char *sum = g_strconcat(file, ".sha256", NULL);
    g_autofree char *to = path_of("restored.db");
    g_autofree char *line = g_strdup_printf("restore %s --to sqlite:%s", file, to);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    g_assert_cmpint(g_remove(sum), ==, 0);
    must(g_file_get_contents(file, &bytes, &size, &error));
    memset(bytes + 8192, 0x5a, size - 8192);
    must(g_file_set_contents(file, bytes, (gssize)size, &error));
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, !=, 0);
    g_assert_false(g_file_test(to, G_FILE_TEST_EXISTS));
    no_drafts();
}

/* As somebody would who has the file, and leaves no checksum beside it. */
static void tamper(const char *file, const char *sql) {
    g_autofree char *sum = g_strconcat(file, ".sha256", NULL);
    sqlite3 *handle = NULL;
    g_assert_cmpint(sqlite3_open(file, &handle), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_exec(handle, sql, NULL, NULL, NULL), ==, SQLITE_OK);
    g_assert_cmpint(sqlite3_close(handle), ==, SQLITE_OK);
    (void)g_remove(sum);
}

static void what_the_schema_has_more_or_less_is_refused(void) {
    static const struct {
        const char *sql;
        const char *found;
    } cases[] = {
        {"create trigger evil after insert on audit begin update organization set name = 'x'; end",
         "trigger evil"},
        {"create view evil as select * from credential", "view evil"},
        {"create index evil on organization (created_at)", "index evil"},
        {"drop table evidence", "evidence"},
        {"drop trigger audit_keeps_values", "trigger audit_keeps_values"},
        {"alter table user_account add column evil text", "table user_account"},
    };
    g_autoptr(Session) session = desk_session();
    g_autofree char *to = path_of("restored.db");
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *file = backup();
        g_autofree char *line = g_strdup_printf("restore %s --to sqlite:%s", file, to);
        tamper(file, cases[i].sql);
        desk_fails(line, 1, cases[i].found);
        g_assert_false(g_file_test(to, G_FILE_TEST_EXISTS));
        no_drafts();
        g_assert_cmpint(g_remove(file), ==, 0);
    }
}

static void statistics_of_the_engine_are_no_difference(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *file = backup();
    tamper(file, "analyze");
    g_autoptr(Json) json = restore(file, "restored.db");
    g_assert_true(json_member_bool(json, "success", false));
}

static void what_is_no_backup_is_refused(void) {
    const char *file = desk_file("letter.txt", "Dear Sirs, this is a letter and nothing else.");
    g_autofree char *line = g_strdup_printf("restore %s", file);
    desk_fails(line, 2, "no backup of Assay");
    desk_fails("restore /nowhere/backup.db", 3, "cannot be opened");
    desk_fails("restore x.db --to env:NOT_SET_HERE", 2, "NOT_SET_HERE");
}

static void a_missing_key_is_told(void) {
    g_autofree char *file = NULL;
    {
        g_autoptr(Session) session = desk_session();
        const Keyring *keyring = NULL;
        must((keyring = session_keyring(session, &error)) != NULL);
        g_autoptr(Json) made = desk_json("organizations create other", 0);
        file = backup();
    }
    g_autofree char *to = path_of("restored.db");
    g_autofree char *own = g_build_filename(desk_data(), "encryption.key", NULL);
    g_autofree char *line = g_strdup_printf("restore %s --to sqlite:%s", file, to);
    g_assert_cmpint(g_remove(own), ==, 0);
    g_autoptr(Json) json = desk_json(line, 0);
    g_assert_cmpstr(json_member_string(json, "key", ""), ==, "missing");
    g_auto(Said) said = {0};
    g_assert_cmpint(g_remove(to), ==, 0);
    said = desk_run(line);
    assert_holds(said.err, "put the encryption key back");
}

static const DeskTest tests[] = {
    {"a_backup_is_one_private_file_with_its_checksum",
     a_backup_is_one_private_file_with_its_checksum},
    {"a_backup_stands_in_the_audit_log", a_backup_stands_in_the_audit_log},
    {"a_file_that_is_there_stays", a_file_that_is_there_stays},
    {"what_cannot_be_written_is_told", what_cannot_be_written_is_told},
    {"the_key_is_in_no_backup", the_key_is_in_no_backup},
    {"everything_comes_back", everything_comes_back},
    {"what_the_operator_did_comes_back", what_the_operator_did_comes_back},
    {"refresh_tokens_want_to_be_verified", refresh_tokens_want_to_be_verified},
    {"a_running_job_goes_on_at_once", a_running_job_goes_on_at_once},
    {"nobody_is_logged_in_afterwards", nobody_is_logged_in_afterwards},
    {"a_place_that_is_used_is_refused", a_place_that_is_used_is_refused},
    {"a_changed_byte_is_noticed", a_changed_byte_is_noticed},
    {"a_torn_file_without_a_checksum_is_noticed", a_torn_file_without_a_checksum_is_noticed},
    {"what_the_schema_has_more_or_less_is_refused", what_the_schema_has_more_or_less_is_refused},
    {"statistics_of_the_engine_are_no_difference", statistics_of_the_engine_are_no_difference},
    {"what_is_no_backup_is_refused", what_is_no_backup_is_refused},
    {"a_missing_key_is_told", a_missing_key_is_told},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "backup", tests, G_N_ELEMENTS(tests));
}
