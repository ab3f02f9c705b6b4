/* Connecting, as far as nobody answers: what is refused, and that nothing is left behind. */
#include "unit/cli_support.h"

#include <string.h>

static const char sample[] = "assay: 1\n"
                             "id: sample\n"
                             "name: Sample\n"
                             "icon: box\n"
                             "category: devops\n"
                             "summary: A service\n"
                             "docs: https://example.com/docs\n"
                             "checked: 2026-11-20\n"
                             "hosts: [127.0.0.1]\n"
                             "auth:\n"
                             "  token:\n"
                             "    label: Token\n"
                             "    scheme: bearer\n"
                             "    fields:\n"
                             "      access_token: {label: Token, secret: true}\n"
                             "http:\n"
                             "  base_url: '\"https://127.0.0.1:1\"'\n"
                             "identity: {call: me, reply: {user: .login}}\n"
                             "calls:\n"
                             "  me: {get: /me}\n"
                             "  users: {get: /users, rows: .}\n"
                             "evidence:\n"
                             "  users:\n"
                             "    title: Users\n"
                             "    description: Everybody\n"
                             "    type: config\n"
                             "    read: {user: {call: users}}\n"
                             "    row: {name: .user.name}\n"
                             "    fields: {name: string}\n"
                             "schedule: {default: 4h, min: 1h, max: 24h}\n";

/* Nobody listens on port 1. */
#define GITHUB                                                                                     \
    "connect github --name acme --set organization=acme --set allow_private=true "                 \
    "--set api_url=http://127.0.0.1:1"

/* Fails with json and without, and makes no data directory. */
static void refuse(const char *line, int status, const char *part) {
    desk_fails(line, status, part);
    g_autoptr(Json) reply = desk_json(line, status);
    g_assert_false(json_member_bool(reply, "success", true));
    assert_holds(json_text(json_path(reply, "error.message")), part);
    g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
}

static void secrets_as_arguments_are_refused(void) {
    refuse(GITHUB " --credential access_token=" PLANTED, 2, "a secret is not taken as an argument");
    refuse(GITHUB " --set access_token=" PLANTED, 2, "is not taken as an argument");
    refuse(GITHUB " --credential " PLANTED, 2, "--credential wants NAME=@FILE");
    refuse(GITHUB " " PLANTED, 2, "more arguments than the command takes");
}

static void wrong_wishes_leave_nothing_behind(void) {
    g_autofree char *misspelt = desk_with_token("connect github --set organisation=acme");
    g_autofree char *missing = desk_with_token("connect github");
    g_autofree char *pattern = desk_with_token("connect github --set organization=a/b");
    g_autofree char *way = desk_with_token(GITHUB " --auth app");
    refuse(misspelt, 2, "did you mean \"organization\"?");
    refuse(missing, 2, "organization");
    refuse(pattern, 2, "organization");
    refuse(way, 2, "");
    refuse("connect githb", 3, "did you mean 'github'?");
}

static void a_service_that_does_not_answer_is_tried_later_and_not_stored(void) {
    g_autofree char *line = desk_with_token(GITHUB);
    g_autoptr(Json) reply = desk_json(line, 6);
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "SERVICE_UNAVAILABLE");
    g_assert_true(json_truth(json_path(reply, "error.retryable")));
    g_autoptr(Json) list = desk_json("integrations", 0);
    g_assert_cmpuint(json_count(json_member(list, "integrations")), ==, 0);
}

static void environment_secrets_are_gone_afterwards(void) {
    g_setenv("DESK_TOKEN", PLANTED, TRUE);
    desk_fails(GITHUB " --credential access_token=env:DESK_TOKEN", 6, "GitHub");
    g_assert_null(g_getenv("DESK_TOKEN"));
}

static void plain_http_needs_the_operators_word(void) {
    g_autofree char *line = desk_with_token("connect github --set organization=acme --set "
                                            "api_url=http://127.0.0.1:1");
    desk_fails(line, 2, "https");
}

static void a_name_is_given_once(void) {
    g_autofree char *line = desk_with_token(GITHUB);
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_fails(line, 1, "there is already an integration named \"acme\"; choose another --name");
}

/* The whole data directory, byte by byte. */
static void assert_nowhere(const char *path, const char *secret) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    g_autofree char *bytes = NULL;
    gsize size = 0;
    for (const char *name = dir ? g_dir_read_name(dir) : NULL; name; name = g_dir_read_name(dir)) {
        g_autofree char *inner = g_build_filename(path, name, NULL);
        assert_nowhere(inner, secret);
    }
    if (!dir && g_file_get_contents(path, &bytes, &size, NULL))
        g_assert_null(memmem(bytes, size, secret, strlen(secret)));
}

static void a_refused_secret_is_in_no_file(void) {
    g_autofree char *line = desk_with_token(GITHUB);
    desk_fails(line, 6, "GitHub");
    g_assert_true(g_file_test(desk_data(), G_FILE_TEST_IS_DIR));
    assert_nowhere(desk_data(), PLANTED);
}

/* --- on a server ------------------------------------------------------------------------------ */

static char *there_with_token(const char *line) {
    g_autofree char *whole = desk_with_token(line);
    return g_strdup(desk_there(whole));
}

static void assert_nothing_connected(void) {
    g_autoptr(Json) list = desk_json("integrations", 0);
    g_assert_cmpuint(json_count(json_member(list, "integrations")), ==, 0);
}

static void both_ways_refuse_wrong_wishes_in_the_same_words(void) {
    desk_serve("owner", true);
    g_autofree char *way = desk_with_token(GITHUB " --auth oauth9");
    desk_refuse_same("connect githb", 3);
    desk_refuse_same("connect github --set organization=acme", 2);
    desk_refuse_same(GITHUB " --credential access_token=" PLANTED, 2);
    desk_refuse_same(GITHUB " --set access_token=" PLANTED, 2);
    desk_refuse_same(GITHUB " --credential password=-", 2);
    desk_refuse_same(way, 2);
    g_autofree char *there = there_with_token("connect github");
    desk_fails(there, 2, "organization");
    assert_nothing_connected();
}

static void a_service_that_does_not_answer_the_server_is_tried_later(void) {
    desk_serve("owner", true);
    g_autofree char *line = there_with_token(GITHUB);
    g_autoptr(Json) reply = desk_json(line, 6);
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "SERVICE_UNAVAILABLE");
    assert_nothing_connected();
    assert_nowhere(desk_data(), PLANTED);
}

static void whoever_is_not_the_operator_names_no_host(void) {
    desk_serve("owner", false);
    g_autofree char *line = there_with_token(GITHUB);
    desk_fails(line, 4, "");
    assert_nothing_connected();
}

static void whoever_only_reads_connects_nothing(void) {
    desk_serve("auditor", false);
    g_autofree char *line = there_with_token("connect github --set organization=acme");
    desk_fails(line, 4, "The role auditor does not allow this");
}

static void a_name_is_given_once_there_too(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    desk_serve("owner", true);
    g_autofree char *line = there_with_token(GITHUB);
    desk_fails(line, 1, "choose another");
    desk_fails(desk_there("connect github --name= --set organization=acme"), 2,
               "--name wants a name");
}

static void a_provider_of_the_servers_own_is_asked_about_there(void) {
    g_autofree char *folder = g_build_filename(desk_data(), "providers", NULL);
    g_autoptr(Session) session = desk_session();
    g_assert_cmpint(g_mkdir_with_parents(folder, 0700), ==, 0);
    g_autofree char *path = g_build_filename(folder, "sample.yaml", NULL);
    must(g_file_set_contents(path, sample, -1, &error));
    desk_serve("owner", true);
    const char *line = "connect sample --set allow_private=true";
    desk_fails(desk_there(line), 2, "--credential access_token=@FILE");
    g_autofree char *whole = desk_with_token(line);
    g_autoptr(Json) reply = desk_json(desk_there(whole), 6);
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "SERVICE_UNAVAILABLE");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"secrets_as_arguments_are_refused", secrets_as_arguments_are_refused},
        {"wrong_wishes_leave_nothing_behind", wrong_wishes_leave_nothing_behind},
        {"a_service_that_does_not_answer_is_tried_later_and_not_stored",
         a_service_that_does_not_answer_is_tried_later_and_not_stored},
        {"environment_secrets_are_gone_afterwards", environment_secrets_are_gone_afterwards},
        {"plain_http_needs_the_operators_word", plain_http_needs_the_operators_word},
        {"a_name_is_given_once", a_name_is_given_once},
        {"a_refused_secret_is_in_no_file", a_refused_secret_is_in_no_file},
        {"both_ways_refuse_wrong_wishes_in_the_same_words",
         both_ways_refuse_wrong_wishes_in_the_same_words},
        {"a_service_that_does_not_answer_the_server_is_tried_later",
         a_service_that_does_not_answer_the_server_is_tried_later},
        {"whoever_is_not_the_operator_names_no_host", whoever_is_not_the_operator_names_no_host},
        {"whoever_only_reads_connects_nothing", whoever_only_reads_connects_nothing},
        {"a_name_is_given_once_there_too", a_name_is_given_once_there_too},
        {"a_provider_of_the_servers_own_is_asked_about_there",
         a_provider_of_the_servers_own_is_asked_about_there},
    };
    return desk_main(argc, argv, "connect", tests, G_N_ELEMENTS(tests));
}
