/* grid.h - aligned columns for people.
 *
 * A Grid collects rows and prints them when their widths are known. On a terminal columns may be
 * shortened so that a row fits a line, the widest first; piped, every cell is whole. Cells are made
 * fit for one line (output_text), and widths count what a terminal shows: wide characters two
 * columns, combining ones none.
 */
#pragma once

#include "cli/output.h"

typedef struct Grid Grid;

typedef struct {
    const char *title; /* NULL ends the table of columns */
    bool right;        /* numbers */
    bool gives_way;    /* shortened when a row does not fit */
} GridColumn;

/* The columns are borrowed and must outlive the grid. */
Grid *grid_new(const GridColumn *columns);
void grid_free(Grid *grid);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Grid, grid_free)

/* Sets the next cell of the row, copying text (NULL: empty). A row ends with its last cell. */
void grid_add(Grid *grid, const char *text);
void grid_add_tone(Grid *grid, Tone tone, const char *text);

size_t grid_rows(const Grid *grid);

/* Prints titles and rows as result text. */
void grid_print(const Grid *grid, const Output *output);

/* Columns that a terminal needs for the text. */
size_t grid_text_width(const char *text);
