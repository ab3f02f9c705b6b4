#include "cli/grid.h"

#include <string.h>

#define GAP 2        /* columns between cells */
#define LEAST_CELL 8 /* a cell is not shortened below this */

typedef struct {
    char *text;
    size_t width;
    Tone tone;
} Cell;

struct Grid {
    const GridColumn *columns;
    size_t count;
    GArray *cells; /* row by row */
};

static void clear_cell(void *cell) {
    g_free(((Cell *)cell)->text);
}

Grid *grid_new(const GridColumn *columns) {
    Grid *grid = g_new0(Grid, 1);
    grid->columns = columns;
    while (columns[grid->count].title)
        grid->count++;
    grid->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(grid->cells, clear_cell);
    return grid;
}

void grid_free(Grid *grid) {
    if (!grid)
        return;
    g_array_unref(grid->cells);
    g_free(grid);
}

static size_t width_of(gunichar character) {
    if (g_unichar_iszerowidth(character))
        return 0;
    return g_unichar_iswide(character) ? 2 : 1;
}

size_t grid_text_width(const char *text) {
    size_t width = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at))
        width += width_of(g_utf8_get_char(at));
    return width;
}

void grid_add_tone(Grid *grid, Tone tone, const char *text) {
    Cell cell = {.text = output_text(text), .tone = tone};
    cell.width = grid_text_width(cell.text);
    g_array_append_val(grid->cells, cell);
}

void grid_add(Grid *grid, const char *text) {
    grid_add_tone(grid, TONE_PLAIN, text);
}

size_t grid_rows(const Grid *grid) {
    return grid->cells->len / grid->count;
}

static const Cell *cell_at(const Grid *grid, size_t row, size_t column) {
    return &g_array_index(grid->cells, Cell, row * grid->count + column);
}

static void measure(const Grid *grid, size_t *widths) {
    for (size_t column = 0; column < grid->count; column++) {
        widths[column] = grid_text_width(grid->columns[column].title);
        for (size_t row = 0; row < grid_rows(grid); row++)
            widths[column] = MAX(widths[column], cell_at(grid, row, column)->width);
    }
}

/* The widest column that may still be shortened; the number of columns when there is none. */
static size_t widest(const Grid *grid, const size_t *widths) {
    size_t found = grid->count;
    for (size_t column = 0; column < grid->count; column++) {
        if (!grid->columns[column].gives_way || widths[column] <= LEAST_CELL)
            continue;
        if (found == grid->count || widths[column] > widths[found])
            found = column;
    }
    return found;
}

/* Takes what does not fit the terminal, a column at a time, from whatever is widest then. */
static void fit(const Grid *grid, size_t *widths, unsigned terminal) {
    size_t total = (grid->count - 1) * GAP;
    for (size_t column = 0; column < grid->count; column++)
        total += widths[column];
    size_t column = widest(grid, widths);
    while (terminal > 0 && total > terminal && column < grid->count) {
        widths[column]--;
        total--;
        column = widest(grid, widths);
    }
}

/* The beginning of a text that takes at most width columns, with an ellipsis when it was cut. */
static char *shorten(const char *text, size_t width) {
    if (grid_text_width(text) <= width)
        return g_strdup(text);
    GString *out = g_string_new(NULL);
    size_t used = 0;
    for (const char *at = text; *at != '\0'; at = g_utf8_next_char(at)) {
        gunichar character = g_utf8_get_char(at);
        used += width_of(character);
        if (used + 1 > width)
            break;
        g_string_append_unichar(out, character);
    }
    g_string_append(out, "…");
    return g_string_free(out, FALSE);
}

static void append_spaces(GString *line, size_t count) {
    for (size_t i = 0; i < count; i++)
        g_string_append_c(line, ' ');
}

static void append_cell(GString *line, const Output *output, const Cell *cell, size_t width,
                        bool right) {
    g_autofree char *text = shorten(cell->text, width);
    size_t padding = width - MIN(width, grid_text_width(text));
    append_spaces(line, right ? padding : 0);
    g_string_append_printf(line, "%s%s%s", output_tone_on(output, cell->tone), text,
                           output_tone_off(output, cell->tone));
    append_spaces(line, right ? 0 : padding);
}

static void print_row(const Grid *grid, const Output *output, const size_t *widths,
                      const Cell *const *cells) {
    g_autoptr(GString) line = g_string_new(NULL);
    for (size_t column = 0; column < grid->count; column++) {
        append_spaces(line, column > 0 ? GAP : 0);
        append_cell(line, output, cells[column], widths[column], grid->columns[column].right);
    }
    g_strchomp(line->str);
    output_line(output, "%s", line->str);
}

void grid_print(const Grid *grid, const Output *output) {
    g_autofree size_t *widths = g_new0(size_t, grid->count);
    g_autofree Cell *titles = g_new0(Cell, grid->count);
    g_autofree const Cell **cells = g_new0(const Cell *, grid->count);
    measure(grid, widths);
    fit(grid, widths, output->width);
    for (size_t column = 0; column < grid->count; column++) {
        titles[column].text = (char *)(uintptr_t)grid->columns[column].title;
        titles[column].tone = TONE_MUTED;
        cells[column] = &titles[column];
    }
    print_row(grid, output, widths, cells);
    for (size_t row = 0; row < grid_rows(grid); row++) {
        for (size_t column = 0; column < grid->count; column++)
            cells[column] = cell_at(grid, row, column);
        print_row(grid, output, widths, cells);
    }
}
