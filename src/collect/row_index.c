#include "collect/row_index.h"

#include <string.h>

/* Rows of one key form a chain in the order of adding. */
typedef struct {
    size_t json;
    size_t size;
    guint next; /* index + 1; 0: the last */
} Entry;

struct RowIndex {
    GString *bytes; /* the rows, one behind the other */
    GArray *entries;
    GHashTable *chains; /* key -> Chain */
};

typedef struct {
    guint first;
    guint last;
} Chain;

RowIndex *row_index_new(void) {
    RowIndex *index = g_new0(RowIndex, 1);
    index->bytes = g_string_new(NULL);
    index->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    index->chains = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return index;
}

void row_index_free(RowIndex *index) {
    if (!index)
        return;
    g_string_free(index->bytes, TRUE);
    g_array_unref(index->entries);
    g_hash_table_unref(index->chains);
    g_free(index);
}

static void chain_entry(RowIndex *index, const char *key, guint added) {
    Chain *chain = g_hash_table_lookup(index->chains, key);
    if (chain) {
        g_array_index(index->entries, Entry, chain->last).next = added + 1;
        chain->last = added;
        return;
    }
    chain = g_new(Chain, 1);
    *chain = (Chain){added, added};
    g_hash_table_insert(index->chains, g_strdup(key), chain);
}

bool row_index_add(RowIndex *index, const char *key, const char *json, size_t size) {
    if (index->bytes->len + size > ROW_INDEX_MAX)
        return false;
    Entry entry = {.json = index->bytes->len, .size = size};
    g_string_append_len(index->bytes, json, (gssize)size);
    g_array_append_val(index->entries, entry);
    chain_entry(index, key, index->entries->len - 1);
    return true;
}

void row_index_find(const RowIndex *index, const char *key,
                    bool (*found)(const char *json, size_t size, void *data), void *data) {
    const Chain *chain = g_hash_table_lookup(index->chains, key);
    guint next = chain ? chain->first + 1 : 0;
    while (next != 0) {
        const Entry *entry = &g_array_index(index->entries, Entry, next - 1);
        if (!found(index->bytes->str + entry->json, entry->size, data))
            return;
        next = entry->next;
    }
}
