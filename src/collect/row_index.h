/* row_index.h - the rows of a list that is joined by key instead of being fanned out.
 *
 * Rows are kept as the projected JSON bytes that they arrived as, one behind the other, so that an
 * index of 100,000 rows costs little more than their bytes. Keys are compared as text; the rows of
 * a key come back in the order in which they were added.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Most bytes of rows that one index holds. */
#define ROW_INDEX_MAX (256U * 1024 * 1024)

typedef struct RowIndex RowIndex;

RowIndex *row_index_new(void);
void row_index_free(RowIndex *index);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RowIndex, row_index_free)

/* Adds a row under its key; false when the index is full. */
bool row_index_add(RowIndex *index, const char *key, const char *json,
                   size_t size) G_GNUC_WARN_UNUSED_RESULT;

/* Calls found for each row of the key until it returns false. The bytes are borrowed. */
void row_index_find(const RowIndex *index, const char *key,
                    bool (*found)(const char *json, size_t size, void *data), void *data);
