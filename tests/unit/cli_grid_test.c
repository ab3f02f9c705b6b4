/* Aligned columns, whatever stands in the cells. */
#include "cli/grid.h"
#include "unit/cli_support.h"

static const GridColumn columns[] = {
    {.title = "NAME", .gives_way = true}, {.title = "N", .right = true}, {.title = "END"}, {0}};

static void fill(Grid *grid, const char *name, const char *number, const char *end) {
    grid_add(grid, name);
    grid_add(grid, number);
    grid_add(grid, end);
}

static char *print(const Grid *grid, unsigned width, bool colour) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    screen.output.width = width;
    screen.output.colour = colour;
    grid_print(grid, &screen.output);
    screen_flush(&screen);
    return g_strdup(screen.out);
}

static void columns_are_aligned_and_numbers_stand_right(void) {
    g_autoptr(Grid) grid = grid_new(columns);
    fill(grid, "acme", "2,300", "x");
    fill(grid, "a long name", "7", NULL);
    g_autofree char *text = print(grid, 0, false);
    g_assert_cmpuint(grid_rows(grid), ==, 2);
    g_assert_cmpstr(text, ==,
                    "NAME             N  END\n"
                    "acme         2,300  x\n"
                    "a long name      7\n");
}

static void wide_and_combining_characters_count_what_they_take(void) {
    g_assert_cmpuint(grid_text_width("abc"), ==, 3);
    g_assert_cmpuint(grid_text_width("日本"), ==, 4);
    g_assert_cmpuint(grid_text_width("e\u0301"), ==, 1);
    g_autoptr(Grid) grid = grid_new(columns);
    fill(grid, "日本", "1", "x");
    fill(grid, "abcd", "1", "x");
    g_autofree char *text = print(grid, 0, false);
    g_assert_cmpstr(text, ==, "NAME  N  END\n日本  1  x\nabcd  1  x\n");
}

static void a_terminal_shortens_what_gives_way(void) {
    g_autoptr(Grid) grid = grid_new(columns);
    fill(grid, "abcdefghijklmnopqrstuvwxyz", "12", "end");
    g_autofree char *text = print(grid, 20, false);
    g_assert_cmpstr(text, ==,
                    "NAME          N  END\n"
                    "abcdefghij…  12  end\n");
    g_autofree char *piped = print(grid, 0, false);
    assert_holds(piped, "abcdefghijklmnopqrstuvwxyz  12  end");
}

static void shortening_ends_before_a_cell_says_nothing(void) {
    g_autoptr(Grid) grid = grid_new(columns);
    fill(grid, "abcdefghijklmnopqrstuvwxyz", "12", "end");
    g_autofree char *text = print(grid, 3, false);
    assert_holds(text, "abcdefg…  12  end");
}

static void the_widest_column_gives_way_first(void) {
    static const GridColumn two[] = {
        {.title = "A", .gives_way = true}, {.title = "B", .gives_way = true}, {0}};
    g_autoptr(Grid) grid = grid_new(two);
    grid_add(grid, "abcdefghij");
    grid_add(grid, "abcdefghijklmnopqrst");
    g_autofree char *text = print(grid, 24, false);
    assert_holds(text, "abcdefghij  abcdefghijk…\n");
}

static void cells_cannot_move_the_cursor(void) {
    g_autoptr(Grid) grid = grid_new(columns);
    fill(grid, "a\033[31m\r\nb", "1", "\xff");
    g_autofree char *text = print(grid, 0, false);
    assert_holds(text, "a?[31m??b  1  \uFFFD\n");
    assert_lacks(text, "\033");
}

static void tones_do_not_disturb_the_alignment(void) {
    g_autoptr(Grid) grid = grid_new(columns);
    grid_add_tone(grid, TONE_GOOD, "ok");
    grid_add(grid, "1");
    grid_add(grid, "x");
    g_autofree char *text = print(grid, 80, true);
    assert_holds(text, "\033[32mok\033[0m    1  x\n");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"columns_are_aligned_and_numbers_stand_right",
         columns_are_aligned_and_numbers_stand_right},
        {"wide_and_combining_characters_count_what_they_take",
         wide_and_combining_characters_count_what_they_take},
        {"a_terminal_shortens_what_gives_way", a_terminal_shortens_what_gives_way},
        {"shortening_ends_before_a_cell_says_nothing", shortening_ends_before_a_cell_says_nothing},
        {"the_widest_column_gives_way_first", the_widest_column_gives_way_first},
        {"cells_cannot_move_the_cursor", cells_cannot_move_the_cursor},
        {"tones_do_not_disturb_the_alignment", tones_do_not_disturb_the_alignment},
    };
    return desk_main(argc, argv, "grid", tests, G_N_ELEMENTS(tests));
}
