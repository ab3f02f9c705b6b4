/* What a command says, and where. */
#include "base/clock.h"
#include "cli/mark.h"
#include "cli/shortfall.h"
#include "unit/cli_support.h"

#define NOW INT64_C(1760000000000)
#define HOUR INT64_C(3600000)

static void json_prints_one_object_and_no_text(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    screen.output.json = true;
    g_autoptr(Json) object = json_of("{\"a\":1}");
    output_line(&screen.output, "text");
    output_note(&screen.output, "note");
    output_json(&screen.output, object);
    screen_flush(&screen);
    g_assert_cmpstr(screen.out, ==, "{\"a\":1}\n");
    g_assert_cmpstr(screen.err, ==, "");
}

static void text_prints_no_object(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    g_autoptr(Json) object = json_of("{\"a\":1}");
    output_json(&screen.output, object);
    output_line(&screen.output, "%d rows", 3);
    output_note(&screen.output, "Next: %s", "this");
    screen_flush(&screen);
    g_assert_cmpstr(screen.out, ==, "3 rows\n");
    g_assert_cmpstr(screen.err, ==, "Next: this\n");
}

static void quiet_leaves_notes_out_and_errors_in(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    screen.output.quiet = true;
    g_autoptr(GError) error = g_error_new(ASSAY_ERROR, ERROR_TIMEOUT, "no answer");
    output_note(&screen.output, "note");
    output_failure(&screen.output, error);
    screen_flush(&screen);
    g_assert_cmpstr(screen.err, ==, "assay: no answer\n");
}

static void failures_are_objects_with_json(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    screen.output.json = true;
    g_autoptr(GError) error = g_error_new(ASSAY_ERROR, ERROR_RATE_LIMITED, "later");
    output_failure(&screen.output, error);
    screen_flush(&screen);
    g_assert_cmpstr(screen.out, ==,
                    "{\"success\":false,\"error\":{\"code\":\"RATE_LIMITED\",\"message\":\"later\","
                    "\"retryable\":true,\"details\":{}}}\n");
    g_assert_cmpstr(screen.err, ==, "");
}

static void facts_stand_below_one_another_and_what_is_not_known_is_left_out(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    output_field(&screen.output, "status", "running");
    output_field(&screen.output, "error", NULL);
    output_field(&screen.output, "error", "");
    output_field(&screen.output, "", "about\x1b[31m it\n");
    screen_flush(&screen);
    assert_holds(screen.out, "  status       running\n               about");
    assert_lacks(screen.out, "error");
    assert_lacks(screen.out, "\x1b");
}

static void what_was_not_collected_is_a_table_with_what_to_do(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    g_autoptr(Json) none = json_of("[]");
    g_autoptr(Json) errors =
        json_of("[{\"evidenceType\":\"alerts\",\"code\":\"PERMISSION_DENIED\",\"message\":"
                "\"Allow it.\"},{\"code\":\"TIMEOUT\",\"message\":\"Try again.\"}]");
    shortfall_print(&screen.output, none);
    screen_flush(&screen);
    g_assert_cmpstr(screen.out, ==, "");
    shortfall_print(&screen.output, errors);
    screen_flush(&screen);
    assert_holds(screen.out, "NOT WHOLE  WHY                WHAT TO DO\n"
                             "alerts     PERMISSION_DENIED  Allow it.\n"
                             "-          TIMEOUT            Try again.\n");
}

static void failures_cannot_move_the_cursor(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    g_autoptr(GError) error = g_error_new(ASSAY_ERROR, ERROR_USAGE, "a\033[2Jb\nc");
    output_failure(&screen.output, error);
    screen_flush(&screen);
    g_assert_cmpstr(screen.err, ==, "assay: a?[2Jb?c\n");
}

static void colour_needs_a_terminal(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    g_assert_false(screen.output.colour);
    g_assert_cmpuint(screen.output.width, ==, 0);
    output_tone(&screen.output, TONE_BAD, "plain");
    screen.output.colour = true;
    output_tone(&screen.output, TONE_BAD, "red");
    screen_flush(&screen);
    g_assert_cmpstr(screen.out, ==, "plain\n\033[31mred\033[0m\n");
}

static void numbers_have_groups_of_three(void) {
    static const struct {
        int64_t number;
        const char *text;
    } cases[] = {{0, "0"},          {999, "999"},   {1000, "1,000"},    {1234567, "1,234,567"},
                 {-1000, "-1,000"}, {-999, "-999"}, {100000, "100,000"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = output_number(cases[i].number);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void ages_are_told_in_one_unit(void) {
    static const struct {
        int64_t time;
        const char *text;
    } cases[] = {{0, "never"},
                 {NOW, "just now"},
                 {NOW + 59999, "in a moment"},
                 {NOW - 59999, "just now"},
                 {NOW - 60000, "1 minute ago"},
                 {NOW - HOUR + 1, "59 minutes ago"},
                 {NOW - HOUR, "1 hour ago"},
                 {NOW - 24 * HOUR + 1, "23 hours ago"},
                 {NOW - 48 * HOUR, "2 days ago"},
                 {NOW + 3 * HOUR, "in 3 hours"},
                 {NOW - 400 * 24 * HOUR, "400 days ago"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = output_age(cases[i].time, NOW);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

static void a_full_disk_is_no_success(void) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    FILE *full = fopen("/dev/full", "w");
    g_assert_nonnull(full);
    Output output;
    output_init(&output, full, screen.output.notes);
    output_line(&output, "lost");
    must_fail(ERROR_INTERNAL, "could not be written", output_finish(&output, &error));
    must(output_finish(&screen.output, &error));
    fclose(full);
}

static void a_status_has_shape_and_word(void) {
    static const struct {
        const char *status;
        const char *beside;
        const char *text;
    } cases[] = {{"compliant", NULL, "✓ compliant"},
                 {"partial", NULL, "◐ partial"},
                 {"non_compliant", NULL, "▲ failing"},
                 {"inconclusive", NULL, "⊘ could not read"},
                 {"could_not_read", NULL, "⊘ could not read"},
                 {"no_evidence", NULL, "◌ no evidence"},
                 {"stale", "non_compliant", "◷ stale (failing)"},
                 {"exception", "compliant", "◇ exception (compliant)"},
                 {"high", NULL, "high"},
                 {"something_else", NULL, "something_else"},
                 {NULL, NULL, ""}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = mark_text(cases[i].status, cases[i].beside);
        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"json_prints_one_object_and_no_text", json_prints_one_object_and_no_text},
        {"text_prints_no_object", text_prints_no_object},
        {"quiet_leaves_notes_out_and_errors_in", quiet_leaves_notes_out_and_errors_in},
        {"failures_are_objects_with_json", failures_are_objects_with_json},
        {"facts_stand_below_one_another_and_what_is_not_known_is_left_out",
         facts_stand_below_one_another_and_what_is_not_known_is_left_out},
        {"what_was_not_collected_is_a_table_with_what_to_do",
         what_was_not_collected_is_a_table_with_what_to_do},
        {"failures_cannot_move_the_cursor", failures_cannot_move_the_cursor},
        {"colour_needs_a_terminal", colour_needs_a_terminal},
        {"numbers_have_groups_of_three", numbers_have_groups_of_three},
        {"ages_are_told_in_one_unit", ages_are_told_in_one_unit},
        {"a_full_disk_is_no_success", a_full_disk_is_no_success},
        {"a_status_has_shape_and_word", a_status_has_shape_and_word},
    };
    return desk_main(argc, argv, "output", tests, G_N_ELEMENTS(tests));
}
