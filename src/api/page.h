/* page.h - one page of a list whose rows are narrowed after they were read.
 *
 * Rows are read from the store in batches and looked at one by one (a role's own things, filters
 * that the store does not have) until the page is full, the list has ended, or PAGE_LOOKS rows were
 * looked at: then the page is short and its cursor goes on from there.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define PAGE_LOOKS 5000

typedef struct {
    /* Rows behind the cursor (NULL: from the first) into a new array that frees them. */
    bool (*read)(DbUnit *unit, void *data, const char *cursor, int64_t limit, GPtrArray **rows_out,
                 GError **error);
    bool (*keep)(const void *row, void *data); /* NULL: every row */
    const char *(*cursor)(const void *row);    /* borrowed from the row */
    GDestroyNotify free_row;
} PageSource;

typedef struct {
    const PageSource *source;
    void *data;         /* of the source */
    const char *cursor; /* NULL: the first page */
    int64_t limit;
    GPtrArray *rows; /* out */
    char *next;      /* out; NULL: there is no more */
} Page;

void page_clear(Page *page);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Page, page_clear)

/* Fills the page, anew each time. */
bool page_read(DbUnit *unit, Page *page, GError **error) G_GNUC_WARN_UNUSED_RESULT;
