/* The command line as a whole: names, help, forms of failure, exit statuses. */
#include "cli/program.h"
#include "unit/cli_support.h"

#include <string.h>

static const char *const all[] = {
    "init",           "connect",       "integrations",   "sync",          "evidence list",
    "evidence show",  "findings",      "controls",       "provider list", "provider show",
    "provider check", "provider test", "provider policy"};

static Said run_bare(const char *word) {
    g_auto(Screen) screen = {0};
    const char *const vector[] = {word, NULL};
    screen_init(&screen);
    Said said = {.status = program_run(vector, &screen.output)};
    screen_flush(&screen);
    said.out = g_strdup(screen.out);
    said.err = g_strdup(screen.err);
    return said;
}

static void help_lists_every_command(void) {
    static const char *const ways[] = {"help", "--help", "-h"};
    for (size_t way = 0; way < G_N_ELEMENTS(ways); way++) {
        g_auto(Said) said = run_bare(ways[way]);
        g_assert_cmpint(said.status, ==, 0);
        for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
            assert_holds(said.out, all[i]);
        assert_lacks(said.out, "worker");
    }
}

static void every_command_has_help_with_examples(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++) {
        g_autofree char *option = g_strdup_printf("%s --help", all[i]);
        g_autofree char *usage = g_strdup_printf("Usage: assay %s", all[i]);
        g_auto(Said) said = desk_run(option);
        g_assert_cmpint(said.status, ==, 0);
        assert_holds(said.out, usage);
        assert_holds(said.out, "Examples:\n  ");
        assert_holds(said.out, "--json");
    }
    g_auto(Said) by_word = run_bare("help");
    assert_holds(by_word.out, "assay sync acme");
}

static void help_of_a_group_lists_its_commands(void) {
    g_auto(Said) said = desk_run("evidence --help");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "evidence list");
    assert_holds(said.out, "evidence show");
    assert_lacks(said.out, "provider");
}

/* The names of the commands, as the list of all shows them. */
static GPtrArray *listed_commands(void) {
    g_auto(Said) said = run_bare("help");
    g_auto(GStrv) lines = g_strsplit(strstr(said.out, "\n  "), "\n", -1);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (char **line = lines + 1; **line == ' '; line++) {
        g_autofree char *name = g_strndup(*line, MIN(strlen(*line), 23));
        g_strstrip(name);
        if (*name != '\0' && *name != '-' && strcmp(name, "help") != 0)
            g_ptr_array_add(names, g_steal_pointer(&name));
    }
    return names;
}

/* Examples are to be copied, so they may be longer. */
static void assert_narrow(const char *line) {
    g_auto(Said) said = desk_run(line);
    g_auto(GStrv) lines = g_strsplit(said.out, "\n", -1);
    g_assert_cmpint(said.status, ==, 0);
    for (char **one = lines; *one; one++)
        if (g_utf8_strlen(*one, -1) > 80 && !g_str_has_prefix(*one, "  assay "))
            g_error("assay %s: \"%s\" is too long", line, *one);
}

static void help_is_at_most_so_wide_and_never_without_examples(void) {
    g_autoptr(GPtrArray) names = listed_commands();
    g_assert_cmpuint(names->len, >, 50);
    assert_narrow("--help");
    for (guint i = 0; i < names->len; i++) {
        g_autofree char *line = g_strdup_printf("%s --help", (char *)names->pdata[i]);
        g_auto(Said) said = desk_run(line);
        assert_narrow(line);
        assert_holds(said.out, "\nExamples:\n  ");
    }
}

static void every_group_says_what_it_is_about(void) {
    g_autoptr(GPtrArray) names = listed_commands();
    for (guint i = 0; i < names->len; i++) {
        const char *name = names->pdata[i];
        g_autofree char *line = g_strdup_printf("%.*s --help", (int)strcspn(name, " "), name);
        g_auto(Said) said = desk_run(line);
        assert_lacks(said.out, "(null)");
        assert_holds(said.out, " - ");
    }
}

static void a_long_usage_is_broken_between_brackets(void) {
    g_auto(Said) said = desk_run("evidence list --help");
    assert_holds(said.out, "Usage: assay evidence list [--integration NAME] [--type TYPE]\n"
                           "                           [--source PROVIDER] [--from TIME]");
}

static void exit_statuses_are_told(void) {
    g_auto(Said) said = run_bare("help");
    assert_holds(said.out, "\nExit status:\n  0  done\n");
    assert_holds(said.out, "\n  6  try later");
}

static void help_wins_over_mistakes(void) {
    g_auto(Said) said = desk_run("sync --nonsense --help");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "Usage: assay sync");
}

static void no_command_shows_help_and_is_a_mistake(void) {
    g_auto(Said) said = run_bare(NULL);
    g_assert_cmpint(said.status, ==, 2);
    assert_holds(said.out, "Usage: assay COMMAND");
    desk_fails("evidence", 2, "which command? evidence list, evidence show");
}

static void unknown_commands_name_the_nearest(void) {
    desk_fails("snyc acme", 2, "did you mean assay sync?");
    desk_fails("evidence lst", 2, "did you mean assay evidence list?");
    desk_fails("launch", 2, "`assay help` lists");
    desk_fails("provider delete", 2, "there is no command \"provider delete\"");
}

static void the_version_is_told(void) {
    g_auto(Said) said = run_bare("--version");
    g_assert_cmpint(said.status, ==, 0);
    g_assert_cmpstr(said.out, ==, "assay " ASSAY_VERSION "\n");
}

static void surplus_words_are_not_repeated(void) {
    desk_fails("integrations " PLANTED, 2, "more arguments than the command takes");
    desk_fails("connect github " PLANTED, 2, "more arguments than the command takes");
    desk_fails("sync --secret=" PLANTED, 2, "there is no option --secret here");
}

static void mistakes_are_objects_with_json(void) {
    g_autoptr(Json) reply = desk_json("sync --nonsense", 2);
    g_assert_false(json_member_bool(reply, "success", true));
    g_assert_cmpstr(json_text(json_path(reply, "error.code")), ==, "USAGE");
    g_assert_false(json_truth(json_path(reply, "error.retryable")));
    g_assert_true(json_kind(json_path(reply, "error.details")) == JSON_KIND_OBJECT);
}

static void reading_commands_say_what_to_do_first(void) {
    static const char *const lines[] = {
        "integrations",
        "sync acme",
        "evidence list",
        "evidence show x",
        "findings",
        "controls",
        "controls --framework soc2",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        desk_fails(lines[i], 3, "run `assay init` or `assay connect` first");
        g_assert_false(g_file_test(desk_data(), G_FILE_TEST_EXISTS));
    }
}

static void init_makes_and_then_leaves_alone(void) {
    g_autoptr(Json) first = desk_json("init", 0);
    g_autoptr(Json) second = desk_json("init", 0);
    g_assert_true(json_member_bool(first, "success", false));
    g_assert_true(json_member_bool(first, "created", false));
    g_assert_false(json_member_bool(second, "created", true));
    g_assert_cmpstr(json_member_string(first, "dataDir", ""), ==, desk_data());
    g_assert_cmpstr(json_member_string(first, "organizationId", "a"), ==,
                    json_member_string(second, "organizationId", "b"));
    g_auto(Said) said = desk_run("init");
    assert_holds(said.out, "This was set up before.");
    assert_holds(said.out, desk_data());
    assert_holds(said.err, "Next: assay connect github");
}

static void init_takes_the_key_that_is_given(void) {
    g_setenv("ENCRYPTION_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
             TRUE);
    g_autoptr(Json) reply = desk_json("init", 0);
    g_autofree char *file = g_build_filename(desk_data(), "encryption.key", NULL);
    g_assert_cmpstr(json_member_string(reply, "encryptionKey", ""), ==, "ENCRYPTION_KEY");
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
}

static void the_data_directory_comes_from_the_environment_too(void) {
    g_auto(Screen) screen = {0};
    const char *const vector[] = {"init", "--json", NULL};
    g_setenv("ASSAY_DATA", desk_data(), TRUE);
    screen_init(&screen);
    g_assert_cmpint(program_run(vector, &screen.output), ==, 0);
    g_assert_true(g_file_test(desk_data(), G_FILE_TEST_IS_DIR));
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"help_lists_every_command", help_lists_every_command},
        {"every_command_has_help_with_examples", every_command_has_help_with_examples},
        {"help_of_a_group_lists_its_commands", help_of_a_group_lists_its_commands},
        {"help_is_at_most_so_wide_and_never_without_examples",
         help_is_at_most_so_wide_and_never_without_examples},
        {"every_group_says_what_it_is_about", every_group_says_what_it_is_about},
        {"a_long_usage_is_broken_between_brackets", a_long_usage_is_broken_between_brackets},
        {"exit_statuses_are_told", exit_statuses_are_told},
        {"help_wins_over_mistakes", help_wins_over_mistakes},
        {"no_command_shows_help_and_is_a_mistake", no_command_shows_help_and_is_a_mistake},
        {"unknown_commands_name_the_nearest", unknown_commands_name_the_nearest},
        {"the_version_is_told", the_version_is_told},
        {"surplus_words_are_not_repeated", surplus_words_are_not_repeated},
        {"mistakes_are_objects_with_json", mistakes_are_objects_with_json},
        {"reading_commands_say_what_to_do_first", reading_commands_say_what_to_do_first},
        {"init_makes_and_then_leaves_alone", init_makes_and_then_leaves_alone},
        {"init_takes_the_key_that_is_given", init_takes_the_key_that_is_given},
        {"the_data_directory_comes_from_the_environment_too",
         the_data_directory_comes_from_the_environment_too},
    };
    return desk_main(argc, argv, "program", tests, G_N_ELEMENTS(tests));
}
