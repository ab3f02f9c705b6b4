/* sheet.h - one page of a list: its projected bytes, and where its rows are.
 *
 * Rows are found once and parsed one by one when there is room for them, so a page costs its bytes
 * only. Whoever makes a sheet frees it.
 */
#pragma once

#include "provider/definition.h"
#include "provider/value.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Sheet Sheet;

/* Cuts a page into the rows that are at `path` (takes the bytes). What else the page holds becomes
 * *rest_out when it is not NULL. ERROR_SERVICE_UNAVAILABLE when there is no array at the path. */
Sheet *sheet_new(GString *bytes, const ValuePath *path, Value *rest_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The page that these rows (an array) would have come in. */
Sheet *sheet_new_of(Value rows);

void sheet_free(Sheet *sheet);

size_t sheet_count(const Sheet *sheet);

/* The next row that was not taken yet; false behind the last. Borrowed from the sheet. */
bool sheet_take(Sheet *sheet, const char **json_out, size_t *size_out);

/* Whether all rows were taken. */
bool sheet_is_empty(const Sheet *sheet);
