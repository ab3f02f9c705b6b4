/* The line that says what a long command is doing. */
#include "base/clock.h"
#include "cli/progress.h"
#include "unit/cli_support.h"

#define ROWS "{\"evidenceType\":\"branch_protection\",\"rows\":2300,\"calls\":9200}"

static void expect_text(const char *report, const char *expected) {
    g_autoptr(Json) json = json_of(report);
    g_autofree char *text = progress_text("GitHub", json);
    g_assert_cmpstr(text, ==, expected);
}

static void the_line_says_what_and_how_much(void) {
    expect_text(ROWS, "GitHub: branch_protection 2,300 rows, 9,200 calls");
    expect_text("{\"phase\":\"judging\"}", "GitHub: judging");
    expect_text("{\"evidenceType\":\"a\",\"rows\":0,\"calls\":1,\"message\":\"waiting\"}",
                "GitHub: a 0 rows, 1 calls waiting");
    expect_text("{}", "GitHub: working");
    expect_text("{\"phase\":\"a\\u001b[2Jb\"}", "GitHub: a?[2Jb");
}

static void show(Screen *screen, Progress *progress, const char *report) {
    g_autoptr(Json) json = json_of(report);
    progress_show(json, progress);
    screen_flush(screen);
}

static void nothing_is_drawn_without_a_terminal(void) {
    g_auto(Screen) screen = {0};
    Progress progress;
    screen_init(&screen);
    progress_init(&progress, &screen.output, "GitHub");
    show(&screen, &progress, ROWS);
    progress_clear(&progress);
    screen_flush(&screen);
    g_assert_cmpstr(screen.err, ==, "");
}

static void nothing_is_drawn_when_it_shall_be_quiet(void) {
    g_auto(Screen) screen = {0};
    Progress progress;
    screen_init(&screen);
    screen.output.live = true;
    screen.output.quiet = true;
    screen.output.live_width = 80;
    progress_init(&progress, &screen.output, "GitHub");
    show(&screen, &progress, ROWS);
    g_assert_cmpstr(screen.err, ==, "");
}

static void the_line_is_drawn_seldom_and_wiped(void) {
    g_auto(Screen) screen = {0};
    Progress progress;
    clock_freeze(1760000000000);
    screen_init(&screen);
    screen.output.live = true;
    screen.output.live_width = 20;
    progress_init(&progress, &screen.output, "GitHub");
    show(&screen, &progress, ROWS);
    show(&screen, &progress, "{\"phase\":\"skipped\"}");
    clock_advance(100);
    show(&screen, &progress, "{\"phase\":\"drawn\"}");
    progress_clear(&progress);
    progress_clear(&progress);
    screen_flush(&screen);
    g_assert_cmpstr(screen.err, ==, "\r\033[KGitHub: branch_prot\r\033[KGitHub: drawn\r\033[K");
    g_assert_cmpstr(screen.out, ==, "");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_line_says_what_and_how_much", the_line_says_what_and_how_much},
        {"nothing_is_drawn_without_a_terminal", nothing_is_drawn_without_a_terminal},
        {"nothing_is_drawn_when_it_shall_be_quiet", nothing_is_drawn_when_it_shall_be_quiet},
        {"the_line_is_drawn_seldom_and_wiped", the_line_is_drawn_seldom_and_wiped},
    };
    return desk_main(argc, argv, "progress", tests, G_N_ELEMENTS(tests));
}
