/* Command lines held against tables of options. */
#include "base/clock.h"
#include "cli/arguments.h"
#include "unit/cli_support.h"

static const Option own[] = {{"name", OPTION_TEXT, "NAME", "a name"},
                             {"set", OPTION_EACH, "KEY=VALUE", "a setting"},
                             {"evidence", OPTION_LIST, "TYPE,...", "types"},
                             {"limit", OPTION_COUNT, "N", "at most"},
                             {"from", OPTION_TIME, "TIME", "since"},
                             {"write", OPTION_FLAG, NULL, "write"},
                             {0}};

static Arguments *parse(const char *line) {
    static char **words; /* arguments borrow them */
    g_strfreev(words);
    words = g_strsplit(line, " ", -1);
    Arguments *arguments = NULL;
    must((arguments = arguments_parse(own, (const char *const *)words, &error)) != NULL);
    return arguments;
}

static void refuse(const char *line, const char *part) {
    g_auto(GStrv) words = g_strsplit(line, " ", -1);
    must_fail(ERROR_USAGE, part, arguments_parse(own, (const char *const *)words, &error) != NULL);
}

static void options_stand_before_and_behind_words(void) {
    g_autoptr(Arguments) arguments = parse("--name a github --json --write last");
    g_assert_cmpuint(arguments_words(arguments), ==, 2);
    g_assert_cmpstr(arguments_word(arguments, 0), ==, "github");
    g_assert_cmpstr(arguments_word(arguments, 1), ==, "last");
    g_assert_null(arguments_word(arguments, 2));
    g_assert_cmpstr(arguments_text(arguments, "name"), ==, "a");
    g_assert_true(arguments_flag(arguments, "json"));
    g_assert_true(arguments_flag(arguments, "write"));
    g_assert_false(arguments_flag(arguments, "quiet"));
}

static void values_stand_behind_an_equals_sign_too(void) {
    g_autoptr(Arguments) arguments = parse("--name=a=b --set=k=v,w --set x=--y");
    const char *const *set = arguments_list(arguments, "set");
    g_assert_cmpstr(arguments_text(arguments, "name"), ==, "a=b");
    g_assert_cmpstr(set[0], ==, "k=v,w");
    g_assert_cmpstr(set[1], ==, "x=--y");
    g_assert_null(set[2]);
}

static void lists_come_by_comma_and_by_repetition(void) {
    g_autoptr(Arguments) arguments = parse("--evidence a,b --evidence c,,d");
    const char *const *list = arguments_list(arguments, "evidence");
    g_assert_cmpuint(g_strv_length((char **)(uintptr_t)list), ==, 4);
    g_assert_cmpstr(list[3], ==, "d");
    refuse("--evidence ,", "at least one entry");
}

static void two_dashes_end_the_options(void) {
    g_autoptr(Arguments) arguments = parse("-- --name -x");
    g_assert_cmpuint(arguments_words(arguments), ==, 2);
    g_assert_cmpstr(arguments_word(arguments, 0), ==, "--name");
    g_assert_null(arguments_text(arguments, "name"));
}

static void a_single_dash_is_a_word(void) {
    g_autoptr(Arguments) arguments = parse("-");
    g_assert_cmpstr(arguments_word(arguments, 0), ==, "-");
}

static void unknown_options_name_the_nearest(void) {
    refuse("--nmae x", "did you mean --name?");
    refuse("--jsn", "did you mean --json?");
    refuse("--completely-different", "--help shows");
    refuse("-n", "no option --n");
    refuse("-json", "did you mean --json?");
}

static void messages_never_repeat_values(void) {
    refuse("--secret=" PLANTED, "no option --secret");
    refuse("--limit " PLANTED, "--limit wants a whole number");
    refuse("--from " PLANTED, "--from wants a time");
    refuse("--json=" PLANTED, "--json wants no value");
}

static void options_without_their_value_are_refused(void) {
    refuse("--name", "--name wants a value: --name NAME");
    refuse("--name --json", "--name wants a value");
}

static void single_options_are_given_once(void) {
    refuse("--name a --name b", "--name was given twice");
    refuse("--limit 1 --limit 2", "--limit was given twice");
}

static void counts_are_whole_numbers_from_one(void) {
    g_autoptr(Arguments) arguments = parse("--limit 25");
    g_assert_cmpint(arguments_count(arguments, "limit", 7), ==, 25);
    refuse("--limit 0", "whole number from 1");
    refuse("--limit 2x", "whole number from 1");
    refuse("--limit 99999999999999999999", "whole number from 1");
    g_autoptr(Arguments) none = parse("word");
    g_assert_cmpint(arguments_count(none, "limit", 7), ==, 7);
}

static void times_are_dates_or_how_long_ago(void) {
    clock_freeze(1760000000000);
    g_autoptr(Arguments) ago = parse("--from 2h");
    g_assert_cmpint(arguments_time(ago, "from"), ==, 1760000000000 - 2 * 3600 * 1000);
    g_autoptr(Arguments) date = parse("--from 2026-11-20");
    g_assert_cmpint(arguments_time(date, "from"), ==, 1795132800000);
    g_autoptr(Arguments) none = parse("word");
    g_assert_cmpint(arguments_time(none, "from"), ==, 0);
    refuse("--from 90000d", "--from wants a time"); /* before the beginning of time */
}

static void there_is_a_most_of_arguments(void) {
    g_autoptr(GString) line = g_string_new("a");
    for (int i = 0; i < ARGUMENTS_MAX; i++)
        g_string_append(line, " a");
    refuse(line->str, "more than 1,000 arguments");
    g_autoptr(GString) list = g_string_new("--evidence a");
    for (int i = 0; i < ARGUMENTS_LIST_MAX; i++)
        g_string_append(list, ",a");
    refuse(list->str, "at most 1,000 entries");
}

static void the_first_word_is_found_behind_global_options(void) {
    const char *const vector[] = {"--json", "--data", "dir", "--organization=x", "sync", NULL};
    const char *const none[] = {"--json", NULL};
    const char *const wrong[] = {"--name", "x", "sync", NULL};
    GError *error = NULL;
    g_assert_cmpint(arguments_first_word(vector, &error), ==, 4);
    g_assert_cmpint(arguments_first_word(none, &error), ==, -1);
    g_assert_no_error(error);
    g_assert_cmpint(arguments_first_word(wrong, &error), ==, -1);
    g_assert_error(error, ASSAY_ERROR, ERROR_USAGE);
    g_error_free(error);
}

static void flags_are_seen_before_the_rest_is_understood(void) {
    const char *const vector[] = {"sync", "--nonsense", "--json", "--", "--quiet", NULL};
    const char *const help[] = {"sync", "-h", NULL};
    g_assert_true(arguments_has_flag(vector, "json"));
    g_assert_false(arguments_has_flag(vector, "quiet"));
    g_assert_true(arguments_has_flag(help, "help"));
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"options_stand_before_and_behind_words", options_stand_before_and_behind_words},
        {"values_stand_behind_an_equals_sign_too", values_stand_behind_an_equals_sign_too},
        {"lists_come_by_comma_and_by_repetition", lists_come_by_comma_and_by_repetition},
        {"two_dashes_end_the_options", two_dashes_end_the_options},
        {"a_single_dash_is_a_word", a_single_dash_is_a_word},
        {"unknown_options_name_the_nearest", unknown_options_name_the_nearest},
        {"messages_never_repeat_values", messages_never_repeat_values},
        {"options_without_their_value_are_refused", options_without_their_value_are_refused},
        {"single_options_are_given_once", single_options_are_given_once},
        {"counts_are_whole_numbers_from_one", counts_are_whole_numbers_from_one},
        {"times_are_dates_or_how_long_ago", times_are_dates_or_how_long_ago},
        {"there_is_a_most_of_arguments", there_is_a_most_of_arguments},
        {"the_first_word_is_found_behind_global_options",
         the_first_word_is_found_behind_global_options},
        {"flags_are_seen_before_the_rest_is_understood",
         flags_are_seen_before_the_rest_is_understood},
    };
    return desk_main(argc, argv, "arguments", tests, G_N_ELEMENTS(tests));
}
