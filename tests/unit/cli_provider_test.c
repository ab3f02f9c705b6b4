/* Definitions from the command line: listed, shown, checked, exercised. */
#include "cli/provider.h"
#include "provider/definition_load.h"
#include "unit/cli_support.h"

#include <string.h>

static const char sound[] = "assay: 1\n"
                            "id: sample\n"
                            "name: Sample\n"
                            "icon: box\n"
                            "category: devops\n"
                            "summary: A service\n"
                            "docs: https://example.com/docs\n"
                            "checked: 2026-11-20\n"
                            "hosts: [api.example.com]\n"
                            "settings:\n"
                            "  workspace: {label: Workspace, pattern: '[a-z]+'}\n"
                            "auth:\n"
                            "  token:\n"
                            "    label: Token\n"
                            "    scheme: bearer\n"
                            "    fields: {access_token: {label: Token, secret: true}}\n"
                            "http:\n"
                            "  base_url: '\"https://api.example.com\"'\n"
                            "identity: {call: me, reply: {user: .login}}\n"
                            "calls:\n"
                            "  me: {get: /me}\n"
                            "  users: {get: /users, rows: ., needs: {scope: ['users:read']}}\n"
                            "evidence:\n"
                            "  users:\n"
                            "    title: Users\n"
                            "    description: Everybody\n"
                            "    type: config\n"
                            "    read: {user: {call: users}}\n"
                            "    row: {name: .user.name, admin: .user.admin}\n"
                            "    fields: {name: string, admin: bool}\n"
                            "    checks:\n"
                            "      nobody_rules:\n"
                            "        title: Nobody is an administrator\n"
                            "        resource: .name\n"
                            "        pass: .admin | not\n"
                            "        severity: low\n"
                            "        remediation: Take the role away.\n"
                            "        controls: {soc2: [CC6.3]}\n"
                            "schedule: {default: 4h, min: 1h, max: 24h}\n";

/* The sound definition with one part replaced. */
static char *with(const char *part, const char *replacement) {
    g_auto(GStrv) pieces = g_strsplit(sound, part, 2);
    g_assert_nonnull(pieces[1]);
    return g_strjoinv(replacement, pieces);
}

static Json *check(const char *name, const char *text, int status) {
    g_autofree char *line = g_strdup_printf("provider check %s", desk_file(name, text));
    return desk_json(line, status);
}

static void the_services_are_listed(void) {
    g_autoptr(Json) reply = desk_json("provider list", 0);
    const Json *list = json_member(reply, "providers");
    g_assert_cmpuint(json_count(list), >=, 1);
    g_auto(Said) said = desk_run("provider list");
    assert_holds(said.out, "github");
    assert_holds(said.out, "branch_protection");
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

static void a_broken_definition_is_listed_with_what_is_wrong(void) {
    desk_file("data/providers/broken.yaml", "assay: 1\nid: broken\n");
    g_auto(Said) said = desk_run("provider list");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "broken");
    assert_holds(said.out, "github");
}

static void a_definition_of_the_data_directory_is_known(void) {
    desk_file("data/providers/sample.yaml", sound);
    g_autoptr(Json) reply = desk_json("provider show sample", 0);
    const Json *type = json_item(json_member(reply, "evidenceTypes"), 0);
    const Json *first = json_item(json_member(type, "checks"), 0);
    g_assert_cmpstr(json_member_string(reply, "name", ""), ==, "Sample");
    g_assert_cmpstr(json_text(json_item(json_member(type, "needs"), 0)), ==, "users:read");
    g_assert_cmpstr(json_text(json_item(json_path(first, "controls.soc2"), 0)), ==, "CC6.3");
    g_auto(Said) said = desk_run("provider show sample");
    assert_holds(said.out, "--credential access_token");
    assert_holds(said.out, "--set workspace");
    assert_holds(said.out, "soc2:CC6.3");
    assert_holds(said.err, "Next: assay connect sample");
    desk_fails("provider show sampel", 3, "did you mean 'sample'?");
}

static void a_sound_definition_passes(void) {
    g_autoptr(Json) reply = check("sound.yaml", sound, 0);
    const Json *file = json_item(json_member(reply, "files"), 0);
    g_assert_true(json_member_bool(reply, "success", false));
    g_assert_cmpint(json_member_int(file, "errors", -1), ==, 0);
}

static void a_misspelt_key_is_told_with_line_and_column(void) {
    g_autofree char *fixed = with("        severity: low", "        sevirity: low");
    g_autoptr(Json) reply = check("wrong.yaml", fixed, 2);
    const Json *file = json_item(json_member(reply, "files"), 0);
    const Json *message = json_item(json_member(file, "messages"), 0);
    g_assert_false(json_member_bool(reply, "success", true));
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "CONFIGURATION_ERROR");
    g_assert_cmpint(json_member_int(message, "line", 0), ==, 36);
    g_assert_cmpint(json_member_int(message, "column", 0), ==, 9);
    g_assert_cmpstr(json_member_string(message, "severity", ""), ==, "error");
    g_autofree char *line = g_strdup_printf("provider check %s/wrong.yaml", desk_folder());
    g_auto(Said) said = desk_run(line);
    g_assert_cmpint(said.status, ==, 2);
    assert_holds(said.out, "wrong.yaml:36:9: ");
    assert_holds(said.out, "severity");
}

static void warnings_do_not_fail(void) {
    g_autofree char *text = with("CC6.3", "CC6.33");
    g_autoptr(Json) reply = check("warned.yaml", text, 0);
    const Json *file = json_item(json_member(reply, "files"), 0);
    const Json *message = json_item(json_member(file, "messages"), 0);
    g_assert_cmpstr(json_member_string(message, "severity", ""), ==, "warning");
    assert_holds(json_member_string(message, "text", ""), "CC6.33");
    g_autofree char *line = g_strdup_printf("provider check %s/warned.yaml", desk_folder());
    g_auto(Said) said = desk_run(line);
    assert_holds(said.out, ":1: warning: ");
}

static void several_files_are_checked_at_once(void) {
    g_autofree char *wrong = with("category: devops", "category: nonsense");
    g_autofree char *line = g_strdup_printf("provider check %s %s", desk_file("a.yaml", sound),
                                            desk_file("b.yaml", wrong));
    g_autoptr(Json) reply = desk_json(line, 2);
    g_assert_cmpuint(json_count(json_member(reply, "files")), ==, 2);
    desk_fails("provider check /nonexistent.yaml", 3, "cannot be read");
    desk_fails("provider check /dev/zero", 2, "is no file of at most 4 MiB");
    desk_fails("provider check", 2, "something is missing");
}

/* --- test ------------------------------------------------------------------------------------- */

#define RUN "{\"run\":{\"settings\":{\"workspace\":\"acme\"},\"clock\":\"2026-01-02T03:04:05Z\"}}\n"
#define ANSWER                                                                                     \
    "{\"request\":{\"method\":\"GET\",\"url\":\"https://api.example.com/users\"},\"response\":{"   \
    "\"status\":200,\"headers\":{},\"body\":[{\"name\":\"mona\",\"admin\":false}]}}\n"

static void recorded_exchanges_are_replayed(void) {
    desk_file("providers/sample.yaml", sound);
    desk_file("providers/tests/sample/users.jsonl", RUN ANSWER);
    g_autofree char *line =
        g_strdup_printf("provider test %s/providers/tests/sample", desk_folder());
    g_autofree char *write = g_strdup_printf("%s --write", line);
    g_autofree char *golden =
        g_build_filename(desk_folder(), "providers/tests/sample/users.golden.json", NULL);
    g_autofree char *text = NULL;
    g_autoptr(Json) written = desk_json(write, 0);
    must(g_file_get_contents(golden, &text, NULL, &error));
    assert_holds(text, "mona");
    g_autoptr(Json) same = desk_json(line, 0);
    g_assert_true(json_member_bool(same, "success", false));
    g_assert_cmpint(json_member_int(same, "passed", 0), ==, 1);
}

static void another_answer_fails_the_test(void) {
    desk_file("providers/sample.yaml", sound);
    desk_file("providers/tests/sample/users.jsonl", RUN ANSWER);
    desk_file("providers/tests/sample/users.golden.json", "{\"evidence\":{}}");
    g_autofree char *line =
        g_strdup_printf("provider test %s/providers/tests/sample", desk_folder());
    g_autoptr(Json) reply = desk_json(line, 2);
    g_assert_false(json_member_bool(reply, "success", true));
    g_assert_cmpint(json_member_int(reply, "failed", 0), ==, 1);
    g_auto(Said) said = desk_run(line);
    assert_holds(said.out, "▲ sample/users");
    assert_holds(said.out, "0 passed, 1 failed");
}

static void a_test_without_exchanges_is_not_found(void) {
    desk_fails("provider test nonsense", 3, "there are no recorded exchanges in");
}

static void a_server_tells_of_its_own_definitions(void) {
    desk_file("data/providers/sample.yaml", sound);
    desk_serve("owner", false);
    desk_same("provider list", 0);
    desk_same("provider show sample", 0);
    desk_same("provider show github", 0);
    desk_same("provider show sampel", 3);
    desk_same("provider policy sample", 0);
    desk_fails("provider check x --server http://127.0.0.1:1", 2, "takes no --server");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_services_are_listed", the_services_are_listed},
        {"a_broken_definition_is_listed_with_what_is_wrong",
         a_broken_definition_is_listed_with_what_is_wrong},
        {"a_definition_of_the_data_directory_is_known",
         a_definition_of_the_data_directory_is_known},
        {"a_server_tells_of_its_own_definitions", a_server_tells_of_its_own_definitions},
        {"a_sound_definition_passes", a_sound_definition_passes},
        {"a_misspelt_key_is_told_with_line_and_column",
         a_misspelt_key_is_told_with_line_and_column},
        {"warnings_do_not_fail", warnings_do_not_fail},
        {"several_files_are_checked_at_once", several_files_are_checked_at_once},
        {"recorded_exchanges_are_replayed", recorded_exchanges_are_replayed},
        {"another_answer_fails_the_test", another_answer_fails_the_test},
        {"a_test_without_exchanges_is_not_found", a_test_without_exchanges_is_not_found},
    };
    return desk_main(argc, argv, "provider", tests, G_N_ELEMENTS(tests));
}
