/* assay doctor: sound installations are told sound, and each fault by name, with what to do. */
#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"
#include "cli/checkup.h"
#include "store/inspection.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/organization.h"
#include "unit/cli_support.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>

static void open_key(Session *session) {
    must(session_keyring(session, &error) != NULL);
}

/* The first finding of a check with this status; NULL when there is none. */
static const Json *finding(const Json *json, const char *check, const char *status) {
    const Json *list = json_member(json, "findings");
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        if (strcmp(json_member_string(item, "check", ""), check) == 0 &&
            strcmp(json_member_string(item, "status", ""), status) == 0)
            return item;
    }
    return NULL;
}

static void assert_found(const Json *json, const char *check, const char *status,
                         const char *part) {
    const Json *item = finding(json, check, status);
    if (!item)
        g_error("no %s of %s", status, check);
    assert_holds(json_member_string(item, "message", ""), part);
    if (strcmp(status, "ok") != 0)
        g_assert_nonnull(json_member_string(item, "advice", NULL));
}

/* --- all is well ------------------------------------------------------------------------------ */

static void a_sound_installation_has_no_errors(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autoptr(Json) json = desk_json("doctor", 0);
    static const char *const sound[] = {"data directory", "file modes", "disk", "database",
                                        "server",         "schema",     "key",  "clock",
                                        "leases",         "redis"};
    g_assert_true(json_member_bool(json, "healthy", false));
    g_assert_cmpint(json_member_int(json, "errors", -1), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(sound); i++)
        if (!finding(json, sound[i], "ok"))
            g_error("nothing is said about %s", sound[i]);
    if (!stage_is_postgres())
        assert_found(json, "integrity", "ok", "every page");
}

static void people_read_a_table_and_what_to_do(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_auto(Said) said = desk_run("doctor");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "CHECK");
    assert_holds(said.out, "✓ ok");
    assert_holds(said.out, "◐ warning");
    assert_holds(said.out, "Run `assay keys export FILE`");
}

static void the_doctor_changes_nothing(void) {
    g_autoptr(Json) json = desk_json("doctor", 1);
    g_assert_nonnull(finding(json, "data directory", "error"));
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

/* --- the key ---------------------------------------------------------------------------------- */

static void a_key_that_was_exported_is_no_warning(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autoptr(Json) before = desk_json("doctor", 0);
    assert_found(before, "key", "warning", "never exported");
    g_autofree char *line = g_strdup_printf("keys export %s/key --force", desk_folder());
    g_autoptr(Json) exported = desk_json(line, 0);
    g_autoptr(Json) after = desk_json("doctor", 0);
    g_assert_null(finding(after, "key", "warning"));
}

static void a_lost_key_is_an_error(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *file = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpint(g_remove(file), ==, 0);
    g_autoptr(Json) json = desk_json("doctor", 1);
    assert_found(json, "key", "error", "no encryption key");
    g_assert_false(json_member_bool(json, "healthy", true));
}

static bool seal_work(DbUnit *unit, void *data, GError **error) {
    return organization_set_key(unit, "", data, error);
}

static void a_key_that_opens_nothing_is_an_error(void) {
    g_autoptr(Session) session = desk_session();
    const Keyring *keyring = NULL;
    g_autoptr(DataKey) key = NULL;
    g_autofree char *wrapped = NULL;
    must((keyring = session_keyring(session, &error)) != NULL);
    must(keyring_make_data_key(keyring, session_scope(session)->organization, &wrapped, &key,
                               &error));
    must(session_run(session, DB_WRITE, seal_work, wrapped, &error));
    g_autoptr(Json) right = desk_json("doctor", 0);
    assert_found(right, "key", "ok", "of 1 organization");
    g_setenv("ENCRYPTION_KEY", "abababababababababababababababababababababababababababababababab",
             TRUE);
    g_autoptr(Json) wrong = desk_json("doctor", 1);
    assert_found(wrong, "key", "error", "\"default\"");
    assert_found(wrong, "settings", "warning", "ENCRYPTION_KEY");
}

/* --- files ------------------------------------------------------------------------------------ */

static void files_that_others_may_read_are_an_error(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *file = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpint(g_chmod(file, 0644), ==, 0);
    g_autoptr(Json) json = desk_json("doctor", 1);
    assert_found(json, "file modes", "error", "encryption.key");
    assert_found(json, "key", "error", "chmod 600");
}

static void a_directory_that_others_may_enter_is_a_warning(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_assert_cmpint(g_chmod(desk_data(), 0755), ==, 0);
    g_autoptr(Json) json = desk_json("doctor", 0);
    assert_found(json, "data directory", "warning", "0755");
}

/* --- the database ----------------------------------------------------------------------------- */

static void a_database_that_is_away_is_told_and_the_rest_is_looked_at(void) {
    g_setenv("DATABASE_URL", "postgres://nobody@127.0.0.1:1/none", TRUE);
    g_assert_cmpint(g_mkdir_with_parents(desk_data(), 0700), ==, 0);
    g_autoptr(Json) json = desk_json("doctor", 1);
    g_assert_nonnull(finding(json, "database", "error"));
    g_assert_nonnull(finding(json, "disk", "ok"));
    g_assert_null(finding(json, "schema", "ok"));
    g_unsetenv("DATABASE_URL");
}

static void a_damaged_file_is_an_error(void) {
    if (stage_is_postgres())
        return;
    g_autofree char *file = g_build_filename(desk_data(), "assay.db", NULL);
    {
        g_autoptr(Session) session = desk_session();
        open_key(session);
    }
    g_autofree char *bytes = NULL;
    gsize size = 0;
    must(g_file_get_contents(file, &bytes, &size, &error));
    memset(bytes + size / 2, 0x5a, size / 4);
    must(g_file_set_contents_full(file, bytes, (gssize)size, G_FILE_SET_CONTENTS_NONE, 0600,
                                  &error));
    g_autoptr(Json) json = desk_json("doctor", 1);
    g_assert_nonnull(finding(json, "integrity", "error"));
}

static void a_superuser_is_a_warning_on_a_server(void) {
    if (!stage_is_postgres())
        return;
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autoptr(Json) json = desk_json("doctor", 0);
    assert_found(json, "server", "warning", "is a superuser");
    assert_found(json, "server", "ok", "PostgreSQL");
    g_free(stage_database_ask(session_place(session)->database_url,
                              "alter table credential no force row level security"));
    g_autoptr(Json) open = desk_json("doctor", 1);
    assert_found(open, "server", "error", "1 tables of organizations are not guarded");
}

/* --- clock and leases ------------------------------------------------------------------------- */

static void a_clock_that_is_away_from_the_databases_is_told(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    clock_set_offset(10000);
    g_autoptr(Json) some = desk_json("doctor", 0);
    clock_set_offset(3600000);
    g_autoptr(Json) much = desk_json("doctor", 1);
    clock_set_offset(0);
    assert_found(some, "clock", "warning", "ms away");
    assert_found(much, "clock", "error", "ms away");
}

static bool lease_work(DbUnit *unit, void *data, GError **error) {
    g_autoptr(Job) claimed = NULL;
    g_autofree char *id = id_new();
    Job job = {.id = id, .integration_id = data, .request = "{}", .definition_sha256 = "0f"};
    JobClaim claim = {.owner = "elsewhere:1", .lease_ms = 1};
    return job_insert(unit, &job, error) && job_claim(unit, &claim, &claimed, error);
}

static void runs_of_the_dead_are_a_warning(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    DbScope scope = {.organization = session_scope(session)->organization,
                     .actor = "test",
                     .role = "owner",
                     .system = true};
    clock_set_offset(-3600000);
    must(db_run(session_db(session), &scope, DB_WRITE, lease_work, id, &error));
    clock_set_offset(0);
    g_autoptr(Json) json = desk_json("doctor", 0);
    assert_found(json, "leases", "warning", "1 runs");
}

/* --- settings --------------------------------------------------------------------------------- */

static void settings_that_work_and_are_no_good_idea_are_told(void) {
    static const struct {
        const char *yaml;
        const char *status;
        const char *part;
    } cases[] = {
        {"public_url: http://assay.example.com\n", "error", "public_url is http"},
        {"trusted_proxies: ['0.0.0.0/0']\n", "error", "believes everybody"},
        {"listen: '0.0.0.0:8080'\n", "warning", "no trusted_proxies"},
        {"listen: ':8080'\ntrusted_proxies: [10.0.0.1]\n", "warning", "public_url is the default"},
        {"log_level: debug\n", "warning", "log_level is debug"},
    };
    g_autoptr(Session) session = desk_session();
    open_key(session);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *line =
            g_strdup_printf("doctor --config %s", desk_file("assay.yaml", cases[i].yaml));
        g_autoptr(Json) json = desk_json(line, strcmp(cases[i].status, "error") == 0);
        assert_found(json, "settings", cases[i].status, cases[i].part);
    }
}

static void settings_that_are_sound_are_left_alone(void) {
    static const char yaml[] = "public_url: https://assay.example.com\n"
                               "listen: '127.0.0.1:8080'\n"
                               "trusted_proxies: [127.0.0.1]\n";
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *line = g_strdup_printf("doctor --config %s", desk_file("assay.yaml", yaml));
    g_autoptr(Json) json = desk_json(line, 0);
    assert_found(json, "settings", "ok", "nothing to say");
}

static void a_redis_that_is_away_is_a_warning(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *line =
        g_strdup_printf("doctor --config %s",
                        desk_file("assay.yaml", "redis_url: 'redis://:" PLANTED "@127.0.0.1:1'\n"));
    g_autoptr(Json) json = desk_json(line, 0);
    g_assert_nonnull(finding(json, "redis", "warning"));
}

/* --- services --------------------------------------------------------------------------------- */

static void services_are_asked_on_demand_only(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autoptr(Json) quiet = desk_json("doctor", 0);
    g_assert_null(finding(quiet, "services", "ok"));
    g_assert_null(finding(quiet, "services", "warning"));
    g_autoptr(Json) asked = desk_json("doctor --network", 0);
    assert_found(asked, "services", "warning", "http://127.0.0.1:1/");
}

static void without_integrations_nobody_is_asked(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    g_autoptr(Json) json = desk_json("doctor --network", 0);
    assert_found(json, "services", "ok", "no integration");
}

/* --- findings --------------------------------------------------------------------------------- */

static void findings_are_counted_by_their_weight(void) {
    g_autoptr(Checkup) checkup = checkup_new();
    checkup_subject(checkup, "thing");
    checkup_ok(checkup, "number %d", 1);
    checkup_warn(checkup, "Mend it.", "bent");
    g_autoptr(Json) healthy = checkup_json(checkup);
    g_assert_true(json_member_bool(healthy, "healthy", false));
    checkup_fail(checkup, "Replace it.", "broken");
    g_autoptr(Json) json = checkup_json(checkup);
    g_assert_false(json_member_bool(json, "healthy", true));
    g_assert_cmpint(json_member_int(json, "warnings", 0), ==, 1);
    g_assert_cmpint(json_member_int(json, "errors", 0), ==, 1);
    assert_found(json, "thing", "ok", "number 1");
    assert_found(json, "thing", "error", "broken");
}

/* --- of a server ------------------------------------------------------------------------------ */

static void a_server_finds_about_itself_what_is_found_beside_it(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    desk_serve("member", true);
    g_autoptr(Json) here = desk_json("doctor", 0);
    g_autoptr(Json) there = desk_json(desk_there("doctor"), 0);
    static const char *const both[] = {"data directory", "file modes", "disk",   "database",
                                       "server",         "schema",     "leases", "redis"};
    for (size_t i = 0; i < G_N_ELEMENTS(both); i++)
        if (!finding(here, both[i], "ok") || !finding(there, both[i], "ok"))
            g_error("nothing is said about %s", both[i]);
    assert_found(there, "reached", "ok", "http://127.0.0.1:");
    assert_found(there, "key", "ok", "opens the data keys");
    assert_found(there, "key", "warning", "never exported");
    assert_found(there, "clock here", "ok", "as the server's");
    g_assert_null(finding(there, "integrity", "ok"));
    g_assert_true(json_member_bool(there, "healthy", false));
    g_assert_cmpuint(json_count(there), ==, 4);
}

static void a_server_that_is_not_in_order_says_so(void) {
    g_autoptr(Session) session = desk_session();
    open_key(session);
    desk_serve("member", true);
    g_autofree char *file = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpint(g_chmod(file, 0644), ==, 0);
    g_autoptr(Json) json = desk_json(desk_there("doctor"), 1);
    assert_found(json, "file modes", "error", "encryption.key");
    g_assert_false(json_member_bool(json, "healthy", true));
    g_auto(Said) said = desk_run(desk_there("doctor"));
    g_assert_cmpint(said.status, ==, 1);
    assert_holds(said.out, "▲ error");
    assert_holds(said.out, "Run: chmod 600 on the files of the data directory.");
}

static void a_server_asks_hosts_when_it_is_told_to(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    open_key(session);
    desk_serve("member", true);
    g_autoptr(Json) quiet = desk_json(desk_there("doctor"), 0);
    g_assert_null(finding(quiet, "services", "warning"));
    g_autoptr(Json) asked = desk_json(desk_there("doctor --network"), 0);
    assert_found(asked, "services", "warning", "127.0.0.1:1");
}

static void only_the_operator_examines_a_server(void) {
    desk_serve("owner", false);
    desk_fails(desk_there("doctor"), 4, "operator");
}

/* A server of another version may have other words. */
static void findings_of_a_server_are_taken_as_they_are(void) {
    g_autoptr(Checkup) checkup = checkup_new();
    g_autoptr(Json) json = json_of(
        "{\"findings\":[{\"check\":\"a\",\"status\":\"ok\",\"message\":\"m\",\"advice\":null},"
        "{\"check\":\"b\",\"status\":\"error\",\"message\":\"n\",\"advice\":\"Do.\"},"
        "{\"check\":\"c\",\"status\":\"strange\"},7]}");
    checkup_take(checkup, json);
    g_assert_cmpuint(checkup_count(checkup, CHECKUP_OK), ==, 1);
    g_assert_cmpuint(checkup_count(checkup, CHECKUP_ERROR), ==, 1);
    g_assert_cmpuint(checkup_count(checkup, CHECKUP_WARNING), ==, 2);
    g_autoptr(Json) told = checkup_json(checkup);
    g_assert_cmpstr(json_text(json_path(json_item(json_member(told, "findings"), 1), "advice")), ==,
                    "Do.");
}

static const DeskTest tests[] = {
    {"a_sound_installation_has_no_errors", a_sound_installation_has_no_errors},
    {"people_read_a_table_and_what_to_do", people_read_a_table_and_what_to_do},
    {"the_doctor_changes_nothing", the_doctor_changes_nothing},
    {"a_key_that_was_exported_is_no_warning", a_key_that_was_exported_is_no_warning},
    {"a_lost_key_is_an_error", a_lost_key_is_an_error},
    {"a_key_that_opens_nothing_is_an_error", a_key_that_opens_nothing_is_an_error},
    {"files_that_others_may_read_are_an_error", files_that_others_may_read_are_an_error},
    {"a_directory_that_others_may_enter_is_a_warning",
     a_directory_that_others_may_enter_is_a_warning},
    {"a_database_that_is_away_is_told_and_the_rest_is_looked_at",
     a_database_that_is_away_is_told_and_the_rest_is_looked_at},
    {"a_damaged_file_is_an_error", a_damaged_file_is_an_error},
    {"a_superuser_is_a_warning_on_a_server", a_superuser_is_a_warning_on_a_server},
    {"a_clock_that_is_away_from_the_databases_is_told",
     a_clock_that_is_away_from_the_databases_is_told},
    {"runs_of_the_dead_are_a_warning", runs_of_the_dead_are_a_warning},
    {"settings_that_work_and_are_no_good_idea_are_told",
     settings_that_work_and_are_no_good_idea_are_told},
    {"settings_that_are_sound_are_left_alone", settings_that_are_sound_are_left_alone},
    {"a_redis_that_is_away_is_a_warning", a_redis_that_is_away_is_a_warning},
    {"services_are_asked_on_demand_only", services_are_asked_on_demand_only},
    {"without_integrations_nobody_is_asked", without_integrations_nobody_is_asked},
    {"findings_are_counted_by_their_weight", findings_are_counted_by_their_weight},
    {"a_server_finds_about_itself_what_is_found_beside_it",
     a_server_finds_about_itself_what_is_found_beside_it},
    {"a_server_that_is_not_in_order_says_so", a_server_that_is_not_in_order_says_so},
    {"a_server_asks_hosts_when_it_is_told_to", a_server_asks_hosts_when_it_is_told_to},
    {"only_the_operator_examines_a_server", only_the_operator_examines_a_server},
    {"findings_of_a_server_are_taken_as_they_are", findings_of_a_server_are_taken_as_they_are},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "doctor", tests, G_N_ELEMENTS(tests));
}
