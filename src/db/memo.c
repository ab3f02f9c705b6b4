#include "db/memo.h"

#include <glib.h>

#define KEY_SIZE 256

struct Memo {
    uint64_t era;
    GHashTable *known; /* char * */
};

Memo *memo_new(void) {
    Memo *memo = g_new0(Memo, 1);
    memo->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return memo;
}

void memo_free(Memo *memo) {
    if (!memo)
        return;
    g_hash_table_unref(memo->known);
    g_free(memo);
}

static void live_in(Memo *memo, uint64_t era) {
    if (memo->era != era)
        g_hash_table_remove_all(memo->known);
    memo->era = era;
}

/* False when they are too long to be kept. */
static bool write_key(char key[KEY_SIZE], const char *organization, const char *fact) {
    return g_snprintf(key, KEY_SIZE, "%s %s", fact, organization) < KEY_SIZE;
}

bool memo_has(Memo *memo, uint64_t era, const char *organization, const char *fact) {
    char key[KEY_SIZE];
    live_in(memo, era);
    return g_hash_table_size(memo->known) > 0 && write_key(key, organization, fact) &&
           g_hash_table_contains(memo->known, key);
}

void memo_add(Memo *memo, uint64_t era, const char *organization, const char *fact) {
    char key[KEY_SIZE];
    live_in(memo, era);
    if (write_key(key, organization, fact))
        g_hash_table_add(memo->known, g_strdup(key));
}

void memo_remove(Memo *memo, uint64_t era, const char *organization, const char *fact) {
    char key[KEY_SIZE];
    live_in(memo, era);
    if (write_key(key, organization, fact))
        g_hash_table_remove(memo->known, key);
}
