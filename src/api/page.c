#include "api/page.h"

#include "store/record.h"

void page_clear(Page *page) {
    g_clear_pointer(&page->rows, g_ptr_array_unref);
    g_clear_pointer(&page->next, g_free);
}

/* Takes the rows of a batch that are kept. Whether the page is full, with a row behind it. */
static bool take_batch(Page *page, GPtrArray *batch, char **last) {
    for (guint i = 0; i < batch->len; i++) {
        void *row = g_ptr_array_index(batch, i);
        if (page->source->keep && !page->source->keep(row, page->data)) {
            g_free(*last);
            *last = g_strdup(page->source->cursor(row));
            continue;
        }
        if ((int64_t)page->rows->len == page->limit)
            return true;
        g_free(*last);
        *last = g_strdup(page->source->cursor(row));
        g_ptr_array_index(batch, i) = NULL;
        g_ptr_array_add(page->rows, row);
    }
    return false;
}

/* The batch's free function may not take NULL, so the rows that are left are freed here. */
static void free_rest(const Page *page, GPtrArray *batch) {
    g_ptr_array_set_free_func(batch, NULL);
    for (guint i = 0; i < batch->len; i++)
        if (g_ptr_array_index(batch, i))
            page->source->free_row(g_ptr_array_index(batch, i));
    g_ptr_array_unref(batch);
}

bool page_read(DbUnit *unit, Page *page, GError **error) {
    g_autofree char *last = g_strdup(page->cursor);
    int64_t looks = 0;
    page_clear(page);
    page->rows = g_ptr_array_new_with_free_func(page->source->free_row);
    for (;;) {
        GPtrArray *batch = NULL;
        int64_t wish = MIN(page->source->keep ? STORE_LIST_MAX : page->limit + 1, STORE_LIST_MAX);
        if (!page->source->read(unit, page->data, last, wish, &batch, error))
            return false;
        looks += batch->len;
        bool ended = (int64_t)batch->len < wish;
        bool full = take_batch(page, batch, &last);
        free_rest(page, batch);
        if (full || (!ended && looks >= PAGE_LOOKS))
            page->next = g_steal_pointer(&last);
        if (full || ended || looks >= PAGE_LOOKS)
            return true;
    }
}
