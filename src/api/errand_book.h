/* errand_book.h - errands that were announced, in the database: the process's own side.
 *
 * What is opened is a row (store/errand_row.h) whose lease the book renews until it is closed; an
 * end that cannot be written is tried again with every renewal. Any process reads the rows of all.
 *
 * Life: after the pool and the alarms; errand_book_stop() before the pool goes. All functions but
 * the first and the last wait for the database, and may be called from any thread of one's own.
 */
#pragma once

#include "api/alarm.h"
#include "api/pool.h"
#include "db/db.h"
#include "store/errand_row.h"

#include <glib.h>
#include <stdbool.h>

#define ERRAND_BOOK_RENEW_MS (30 * 1000)

typedef struct ErrandBook ErrandBook;

/* All borrowed. renew_ms 0: ERRAND_BOOK_RENEW_MS. */
ErrandBook *errand_book_new(Db *db, Pool *pool, Alarms *alarms, int64_t renew_ms);
/* Renews no more. */
void errand_book_stop(ErrandBook *book);
void errand_book_free(ErrandBook *book); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ErrandBook, errand_book_free)

/* Failures are logged: whoever waits is told of the errand by this process in any case. */
void errand_book_open(ErrandBook *book, const char *organization, const ErrandRow *row);
void errand_book_close(ErrandBook *book, const char *organization, const ErrandRow *row);

/* *row_out is NULL when there is none. */
bool errand_book_read(ErrandBook *book, const char *organization, const char *id,
                      ErrandRow **row_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
