#include "api/errand_book.h"

#include "base/log.h"

#include <pthread.h>

/* One that is open, or whose end is yet to be written. */
typedef struct {
    char *organization;
    char *id;
    ErrandRow end; /* ended_at 0: it is under way */
    GStringChunk *texts;
} Entry;

struct ErrandBook {
    Db *db;
    Pool *pool;
    Alarms *alarms;
    uint64_t alarm;
    pthread_mutex_t lock;
    GHashTable *entries; /* id -> Entry */
    bool renewing;
};

/* --- entries ---------------------------------------------------------------------------------- */

static void entry_free(void *data) {
    Entry *entry = data;
    g_free(entry->organization);
    g_free(entry->id);
    g_string_chunk_free(entry->texts);
    g_free(entry);
}

static const char *own(const Entry *entry, const char *text) {
    return text ? g_string_chunk_insert(entry->texts, text) : NULL;
}

static Entry *entry_new(const char *organization, const ErrandRow *row) {
    Entry *entry = g_new0(Entry, 1);
    entry->organization = g_strdup(organization);
    entry->id = g_strdup(row->id);
    entry->texts = g_string_chunk_new(256);
    entry->end = (ErrandRow){.id = entry->id,
                             .kind = own(entry, row->kind),
                             .actor_id = own(entry, row->actor_id),
                             .status = own(entry, row->status),
                             .result = own(entry, row->result),
                             .problem = own(entry, row->problem),
                             .started_at = row->started_at,
                             .ended_at = row->ended_at};
    return entry;
}

static void keep(ErrandBook *book, Entry *entry) {
    pthread_mutex_lock(&book->lock);
    g_hash_table_replace(book->entries, entry->id, entry);
    pthread_mutex_unlock(&book->lock);
}

static void forget(ErrandBook *book, const char *id) {
    pthread_mutex_lock(&book->lock);
    g_hash_table_remove(book->entries, id);
    pthread_mutex_unlock(&book->lock);
}

/* --- the database ----------------------------------------------------------------------------- */

static bool run(const ErrandBook *book, const char *organization, DbMode mode, DbWork work,
                void *data, GError **error) {
    DbScope scope = {.organization = organization, .actor = "api", .role = "system"};
    return db_run(book->db, &scope, mode, work, data, error);
}

static bool change(const ErrandBook *book, const char *organization, DbWork work,
                   const ErrandRow *row) {
    g_autoptr(GError) error = NULL;
    ErrandRow copy = *row;
    if (run(book, organization, DB_WRITE, work, &copy, &error))
        return true;
    log_line(LOG_WARN, "errand_not_written", LOG_TEXT("errand", row->id),
             LOG_TEXT("why", error->message));
    return false;
}

static bool insert_work(DbUnit *unit, void *data, GError **error) {
    return errand_row_insert(unit, data, error);
}

static bool renew_work(DbUnit *unit, void *data, GError **error) {
    return errand_row_renew(unit, ((const ErrandRow *)data)->id, error);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    return errand_row_end(unit, data, error);
}

/* --- opening, closing ------------------------------------------------------------------------- */

void errand_book_open(ErrandBook *book, const char *organization, const ErrandRow *row) {
    if (change(book, organization, insert_work, row) && row->ended_at == 0)
        keep(book, entry_new(organization, row));
}

void errand_book_close(ErrandBook *book, const char *organization, const ErrandRow *row) {
    if (change(book, organization, end_work, row))
        forget(book, row->id);
    else
        keep(book, entry_new(organization, row));
}

/* --- renewing --------------------------------------------------------------------------------- */

static GPtrArray *copy_entries(ErrandBook *book) {
    GPtrArray *all = g_ptr_array_new_with_free_func(entry_free);
    GHashTableIter iterator;
    gpointer value;
    pthread_mutex_lock(&book->lock);
    g_hash_table_iter_init(&iterator, book->entries);
    while (g_hash_table_iter_next(&iterator, NULL, &value)) {
        const Entry *entry = value;
        g_ptr_array_add(all, entry_new(entry->organization, &entry->end));
    }
    pthread_mutex_unlock(&book->lock);
    return all;
}

/* One that ends meanwhile is renewed in vain. */
static void renew(PoolSeat *seat, void *data) {
    ErrandBook *book = data;
    g_autoptr(GPtrArray) all = copy_entries(book);
    (void)seat;
    for (guint i = 0; i < all->len; i++) {
        const Entry *entry = g_ptr_array_index(all, i);
        if (entry->end.ended_at > 0)
            errand_book_close(book, entry->organization, &entry->end);
        else
            (void)change(book, entry->organization, renew_work, &entry->end);
    }
    pthread_mutex_lock(&book->lock);
    book->renewing = false;
    pthread_mutex_unlock(&book->lock);
}

static void ask_to_renew(void *data) {
    ErrandBook *book = data;
    pthread_mutex_lock(&book->lock);
    bool begin = !book->renewing && g_hash_table_size(book->entries) > 0;
    book->renewing = book->renewing || begin;
    pthread_mutex_unlock(&book->lock);
    if (begin)
        pool_insist(book->pool, renew, book);
}

/* --- reading ---------------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    ErrandRow *row;
} ReadWork;

static bool read_work(DbUnit *unit, void *data, GError **error) {
    ReadWork *work = data;
    g_clear_pointer(&work->row, errand_row_free);
    return errand_row_get(unit, work->id, &work->row, error);
}

bool errand_book_read(ErrandBook *book, const char *organization, const char *id,
                      ErrandRow **row_out, GError **error) {
    ReadWork work = {.id = id};
    bool ok = run(book, organization, DB_READ, read_work, &work, error);
    g_autoptr(ErrandRow) row = work.row;
    *row_out = ok ? g_steal_pointer(&row) : NULL;
    return ok;
}

/* --- life ------------------------------------------------------------------------------------- */

ErrandBook *errand_book_new(Db *db, Pool *pool, Alarms *alarms, int64_t renew_ms) {
    ErrandBook *book = g_new0(ErrandBook, 1);
    int64_t every_ms = renew_ms > 0 ? renew_ms : ERRAND_BOOK_RENEW_MS;
    book->db = db;
    book->pool = pool;
    book->alarms = alarms;
    pthread_mutex_init(&book->lock, NULL);
    book->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    book->alarm = alarm_set(alarms, every_ms, every_ms, ask_to_renew, book);
    return book;
}

void errand_book_stop(ErrandBook *book) {
    (void)alarm_cancel(book->alarms, book->alarm);
    book->alarm = 0;
}

void errand_book_free(ErrandBook *book) {
    if (!book)
        return;
    errand_book_stop(book);
    g_hash_table_unref(book->entries);
    pthread_mutex_destroy(&book->lock);
    g_free(book);
}
