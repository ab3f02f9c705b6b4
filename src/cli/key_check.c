#include "cli/key_check.h"

#include "base/error.h"
#include "store/organization.h"
#include "store/record.h"

typedef struct {
    const char *after;
    GPtrArray *rows;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return organization_list(unit, work->after, STORE_LIST_MAX, &work->rows, error);
}

void key_check_clear(KeyCheck *check) {
    g_clear_pointer(&check->first, g_free);
}

static void check_one(const Keyring *keyring, const Organization *row, KeyCheck *check) {
    g_autoptr(DataKey) key = NULL;
    if (*row->wrapped_key == '\0')
        return;
    check->organizations++;
    if (keyring_open_data_key(keyring, row->id, row->wrapped_key, &key, NULL))
        return;
    check->refused++;
    if (!check->first)
        check->first = g_strdup(row->name);
}

bool key_check_run(Db *db, const Keyring *keyring, KeyCheck *check_out, GError **error) {
    const DbScope scope = {.actor = "cli", .role = "operator", .system = true};
    g_autoptr(GPtrArray) rows = NULL;
    guint count = STORE_LIST_MAX;
    while (count == STORE_LIST_MAX) {
        const Organization *last = rows ? g_ptr_array_index(rows, rows->len - 1) : NULL;
        ListWork work = {.after = last ? last->id : NULL};
        bool ok = db_run(db, &scope, DB_READ, list_work, &work, error);
        if (rows)
            g_ptr_array_unref(rows);
        rows = work.rows;
        if (!ok)
            return false;
        count = rows->len;
        for (guint i = 0; i < count; i++)
            check_one(keyring, g_ptr_array_index(rows, i), check_out);
    }
    return true;
}

bool key_check_judge(const KeyCheck *check, GError **error) {
    if (check->refused == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "the encryption key does not open the data key of %" G_GINT64_FORMAT
                " organizations, such as \"%s\": give the key that this database was made with",
                check->refused, check->first);
    return false;
}
