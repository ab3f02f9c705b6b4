/* Connecting, as far as nobody answers: what is refused, and that nothing is left behind. */
#include "unit/cli_support.h"

#include <string.h>

/* Nobody listens on port 1. */
#define GITHUB                                                                                     \
    "connect github --name acme --set organization=acme --set allow_private=true "                 \
    "--set api_url=http://127.0.0.1:1"

static char *with_token(const char *line) {
    return g_strdup_printf("%s --credential access_token=@%s", line,
                           desk_file("token", PLANTED "\n"));
}

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
    g_autofree char *misspelt = with_token("connect github --set organisation=acme");
    g_autofree char *missing = with_token("connect github");
    g_autofree char *pattern = with_token("connect github --set organization=a/b");
    g_autofree char *way = with_token(GITHUB " --auth app");
    refuse(misspelt, 2, "did you mean \"organization\"?");
    refuse(missing, 2, "organization");
    refuse(pattern, 2, "organization");
    refuse(way, 2, "");
    refuse("connect githb", 3, "did you mean 'github'?");
}

static void a_service_that_does_not_answer_is_tried_later_and_not_stored(void) {
    g_autofree char *line = with_token(GITHUB);
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
    g_autofree char *line = with_token("connect github --set organization=acme --set "
                                       "api_url=http://127.0.0.1:1");
    desk_fails(line, 2, "https");
}

static void a_name_is_given_once(void) {
    g_autofree char *line = with_token(GITHUB);
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
    g_autofree char *line = with_token(GITHUB);
    desk_fails(line, 6, "GitHub");
    g_assert_true(g_file_test(desk_data(), G_FILE_TEST_IS_DIR));
    assert_nowhere(desk_data(), PLANTED);
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
    };
    return desk_main(argc, argv, "connect", tests, G_N_ELEMENTS(tests));
}
