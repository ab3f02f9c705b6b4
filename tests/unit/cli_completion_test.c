/* What completes a command line. */
#include "cli/completion.h"
#include "cli/program.h"
#include "unit/cli_support.h"

#include <string.h>

/* The candidates of a line, of which the last word is typed in part; "." for an empty one. */
static char *completed(const char *line) {
    g_autofree char *whole = g_strdup_printf("completion words -- %s", line);
    g_auto(GStrv) words = g_strsplit(whole, " ", -1);
    g_auto(Screen) screen = {0};
    size_t last = g_strv_length(words) - 1;
    if (strcmp(words[last], ".") == 0)
        words[last][0] = '\0';
    screen_init(&screen);
    g_assert_cmpint(program_run((const char *const *)words, &screen.output), ==, 0);
    screen_flush(&screen);
    return g_strdup(screen.out);
}

static void assert_completed(const char *line, const char *expected) {
    g_autofree char *lines = completed(line);
    g_auto(GStrv) split = g_strsplit(lines, "\n", -1);
    g_autoptr(GString) words = g_string_new(NULL);
    for (char **one = split; *one && **one != '\0'; one++)
        g_string_append_printf(words, "%s%.*s", words->len > 0 ? " " : "", (int)strcspn(*one, "\t"),
                               *one);
    g_assert_cmpstr(words->str, ==, expected);
}

static void names_of_commands_are_completed_word_by_word(void) {
    assert_completed("find", "findings");
    assert_completed("evid", "evidence");
    assert_completed("evidence .", "list show review");
    assert_completed("evidence s", "show");
    assert_completed("schedule p", "pause");
    assert_completed("nonsense .", "");
}

static void every_command_can_be_reached(void) {
    g_autofree char *lines = completed(".");
    assert_holds(lines, "serve\t");
    assert_holds(lines, "provider\t...");
    assert_holds(lines, "completion\ta script");
}

static void options_are_those_of_the_command_and_of_all(void) {
    assert_completed("evidence list --s", "--source --server");
    assert_completed("sync acme --e", "--evidence");
    assert_completed("--js", "--json");
    assert_completed("--data /tmp sync --fr", "--from");
}

static void a_value_is_left_to_the_shell(void) {
    assert_completed("evidence list --type .", "");
    assert_completed("--data .", "");
    assert_completed("--data x evidence li", "list");
}

static void behind_a_whole_command_there_is_nothing_to_name(void) {
    assert_completed("findings .", "");
    assert_completed("evidence show .", "");
}

static void every_shell_has_a_script_that_asks_the_program(void) {
    static const char *const shells[] = {"bash", "zsh", "fish"};
    for (size_t i = 0; i < G_N_ELEMENTS(shells); i++) {
        g_autofree char *line = g_strdup_printf("completion %s", shells[i]);
        g_auto(Said) said = desk_run(line);
        g_assert_cmpint(said.status, ==, 0);
        assert_holds(said.out, "assay completion words -- ");
    }
    desk_fails("completion tcsh", 2, "bash, zsh or fish");
    desk_fails("completion bash zsh", 2, "bash, zsh or fish");
}

static void a_script_is_an_object_with_json(void) {
    g_auto(Said) said = desk_run("completion fish");
    g_autoptr(Json) json = desk_json("completion fish", 0);
    g_assert_cmpstr(json_member_string(json, "shell", ""), ==, "fish");
    g_assert_cmpstr(json_member_string(json, "script", ""), ==, said.out);
}

/* The script in the shell itself, with a program of that name in its path. */
static void bash_completes_by_its_script(void) {
    g_auto(Said) script = desk_run("completion bash");
    g_autofree char *line = NULL;
    gint status = -1;
    g_autofree char *out = NULL;
    desk_file("bin/assay",
              "#!/bin/sh\nprintf '%s|' \"$@\" >&2\nprintf 'list\\tx\\nlimits\\ty\\n'\n");
    g_autofree char *code = g_strdup_printf("chmod +x %s/bin/assay; PATH=%s/bin:$PATH; %s "
                                            "COMP_WORDS=(assay evidence li); COMP_CWORD=2; "
                                            "_assay; echo \"${COMPREPLY[*]}\"",
                                            desk_folder(), desk_folder(), script.out);
    const char *const vector[] = {"bash", "-c", code, NULL};
    GError *error = NULL;
    g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)vector, NULL, G_SPAWN_SEARCH_PATH, NULL,
                               NULL, &out, &line, &status, &error));
    g_assert_no_error(error);
    g_assert_cmpstr(out, ==, "list limits\n");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"names_of_commands_are_completed_word_by_word",
         names_of_commands_are_completed_word_by_word},
        {"every_command_can_be_reached", every_command_can_be_reached},
        {"options_are_those_of_the_command_and_of_all",
         options_are_those_of_the_command_and_of_all},
        {"a_value_is_left_to_the_shell", a_value_is_left_to_the_shell},
        {"behind_a_whole_command_there_is_nothing_to_name",
         behind_a_whole_command_there_is_nothing_to_name},
        {"every_shell_has_a_script_that_asks_the_program",
         every_shell_has_a_script_that_asks_the_program},
        {"a_script_is_an_object_with_json", a_script_is_an_object_with_json},
        {"bash_completes_by_its_script", bash_completes_by_its_script},
    };
    return desk_main(argc, argv, "completion", tests, G_N_ELEMENTS(tests));
}
