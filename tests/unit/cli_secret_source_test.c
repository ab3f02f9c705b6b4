/* Where secrets come from, and from where they do not. */
#include "cli/secret_source.h"
#include "unit/cli_support.h"

#include <string.h>
#include <unistd.h>

static Secret *read_from(const char *text, int input, GError **error) {
    g_auto(SecretArgument) argument = {0};
    if (!secret_argument_init(&argument, text, error))
        return NULL;
    return secret_source_read(&argument, input, error);
}

static void refuse(const char *text, const char *part) {
    must_fail(ERROR_USAGE, part, read_from(text, STDIN_FILENO, &error) != NULL);
}

static void expect(const char *text, int input, const char *value) {
    g_autoptr(Secret) secret = NULL;
    must((secret = read_from(text, input, &error)) != NULL);
    g_assert_cmpstr(secret_text(secret), ==, value);
}

/* A descriptor that gives these bytes and then ends. */
static int pipe_of(const void *bytes, size_t size) {
    int ends[2];
    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint((int)write(ends[1], bytes, size), ==, (int)size);
    close(ends[1]);
    return ends[0];
}

static void plain_values_are_refused_and_not_repeated(void) {
    refuse("access_token=" PLANTED, "give access_token=@FILE, access_token=env:VARIABLE");
    refuse("access_token=", "is not taken as an argument");
    refuse("access_token=@", "is not taken as an argument");
    refuse("access_token=env:", "is not taken as an argument");
    refuse("access_token=--", "is not taken as an argument");
}

static void what_has_no_name_is_refused_and_not_repeated(void) {
    refuse(PLANTED, "--credential wants NAME=@FILE");
    refuse("=@file", "--credential wants NAME=@FILE");
    refuse("a b=@file", "--credential wants NAME=@FILE");
    refuse(PLANTED "/+==", "--credential wants NAME=@FILE");
}

static void files_are_read_without_their_line_end(void) {
    g_autofree char *one = g_strdup_printf("token=@%s", desk_file("one", "abc\n"));
    g_autofree char *two = g_strdup_printf("token=@%s", desk_file("two", "a\nb\r\n\n"));
    g_autofree char *bare = g_strdup_printf("token=@%s", desk_file("bare", " abc "));
    expect(one, -1, "abc");
    expect(two, -1, "a\nb");
    expect(bare, -1, " abc ");
}

static void unusable_files_are_refused(void) {
    g_autofree char *empty = g_strdup_printf("token=@%s", desk_file("empty", "\n"));
    g_autofree char *missing = g_strdup_printf("token=@%s/%s", desk_folder(), PLANTED);
    g_autofree char *folder = g_strdup_printf("token=@%s", desk_folder());
    g_autofree char *binary = g_strdup_printf("token=@%s", desk_file("binary", "\xff\xfe"));
    refuse(empty, "there is no secret in it");
    refuse(missing, "the file cannot be opened");
    refuse(folder, "could not be read");
    refuse(binary, "UTF-8 text");
}

static void a_secret_has_a_most(void) {
    g_autofree char *most = g_strnfill(SECRET_MAX, 'a');
    g_autofree char *over = g_strnfill(SECRET_MAX + 1, 'a');
    g_autofree char *fits = g_strdup_printf("token=@%s", desk_file("fits", most));
    g_autofree char *large = g_strdup_printf("token=@%s", desk_file("large", over));
    expect(fits, -1, most);
    refuse(large, "larger than a secret may be");
    refuse("token=@/dev/zero", "larger than a secret may be");
}

static void environment_secrets_are_wiped_and_unset(void) {
    g_setenv("DESK_TOKEN", PLANTED "\n", TRUE);
    char *place = (char *)(uintptr_t)g_getenv("DESK_TOKEN");
    expect("token=env:DESK_TOKEN", -1, PLANTED);
    g_assert_null(g_getenv("DESK_TOKEN"));
    g_assert_cmpint(place[0], ==, 0);
    refuse("token=env:DESK_TOKEN", "the environment variable is not set");
    g_setenv("DESK_TOKEN", "", TRUE);
    refuse("token=env:DESK_TOKEN", "the environment variable is empty");
}

static void standard_input_is_read_to_its_end(void) {
    int input = pipe_of("line\nline\n", 10);
    expect("token=-", input, "line\nline");
    close(input);
    int empty = pipe_of("", 0);
    must_fail(ERROR_USAGE, "there is no secret in it", read_from("token=-", empty, &error) != NULL);
    close(empty);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"plain_values_are_refused_and_not_repeated", plain_values_are_refused_and_not_repeated},
        {"what_has_no_name_is_refused_and_not_repeated",
         what_has_no_name_is_refused_and_not_repeated},
        {"files_are_read_without_their_line_end", files_are_read_without_their_line_end},
        {"unusable_files_are_refused", unusable_files_are_refused},
        {"a_secret_has_a_most", a_secret_has_a_most},
        {"environment_secrets_are_wiped_and_unset", environment_secrets_are_wiped_and_unset},
        {"standard_input_is_read_to_its_end", standard_input_is_read_to_its_end},
    };
    return desk_main(argc, argv, "secret_source", tests, G_N_ELEMENTS(tests));
}
