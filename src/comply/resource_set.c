#include "comply/resource_set.h"

#include "base/digest.h"

#include <string.h>

#define FIRST_CAPACITY 64 /* a power of two */

/* The state of a place: free, known but not seen, or SEEN + verdict. */
enum { FREE = 0, UNSEEN = 1, SEEN = 2 };

struct ResourceSet {
    ResourceKey *keys;
    uint8_t *states;
    size_t capacity;
    size_t count;
};

ResourceKey resource_key(const char *resource) {
    uint8_t digest[DIGEST_SIZE];
    ResourceKey key;
    digest_sha256(resource, strlen(resource), digest);
    memcpy(key.bytes, digest, sizeof key.bytes);
    return key;
}

static void allocate(ResourceSet *set, size_t capacity) {
    set->capacity = capacity;
    set->keys = g_new(ResourceKey, capacity);
    set->states = g_new0(uint8_t, capacity);
}

ResourceSet *resource_set_new(void) {
    ResourceSet *set = g_new0(ResourceSet, 1);
    allocate(set, FIRST_CAPACITY);
    return set;
}

void resource_set_free(ResourceSet *set) {
    if (set == NULL)
        return;
    g_free(set->keys);
    g_free(set->states);
    g_free(set);
}

size_t resource_set_count(const ResourceSet *set) {
    return set->count;
}

/* Where the key is, or the free place where it belongs. The bytes of a hash need no hashing. */
static size_t place_of(const ResourceSet *set, const ResourceKey *key) {
    uint64_t start;
    memcpy(&start, key->bytes, sizeof start);
    size_t at = (size_t)start & (set->capacity - 1);
    while (set->states[at] != FREE && memcmp(&set->keys[at], key, sizeof *key) != 0)
        at = (at + 1) & (set->capacity - 1);
    return at;
}

static void grow(ResourceSet *set) {
    ResourceSet old = *set;
    allocate(set, old.capacity * 2);
    for (size_t i = 0; i < old.capacity; i++) {
        if (old.states[i] == FREE)
            continue;
        size_t at = place_of(set, &old.keys[i]);
        set->keys[at] = old.keys[i];
        set->states[at] = old.states[i];
    }
    g_free(old.keys);
    g_free(old.states);
}

static void put(ResourceSet *set, const ResourceKey *key, int state) {
    if (set->count >= set->capacity / 4 * 3)
        grow(set);
    size_t at = place_of(set, key);
    set->keys[at] = *key;
    set->states[at] = (uint8_t)state;
    set->count++;
}

void resource_set_add(ResourceSet *set, ResourceKey key) {
    if (set->states[place_of(set, &key)] == FREE)
        put(set, &key, UNSEEN);
}

bool resource_set_note(ResourceSet *set, ResourceKey key, Verdict verdict) {
    size_t at = place_of(set, &key);
    int state = set->states[at];
    if (state == FREE && verdict != VERDICT_FAIL)
        return false;
    if (state == FREE) {
        put(set, &key, SEEN + (int)verdict);
        return true;
    }
    Verdict before = state == UNSEEN ? verdict : (Verdict)(state - SEEN);
    bool failed = state == SEEN + (int)VERDICT_FAIL;
    set->states[at] = (uint8_t)(SEEN + (int)verdict_worse(before, verdict));
    return verdict == VERDICT_FAIL && !failed;
}

bool resource_set_worst(const ResourceSet *set, ResourceKey key, Verdict *verdict_out) {
    int state = set->states[place_of(set, &key)];
    if (state < SEEN)
        return false;
    *verdict_out = (Verdict)(state - SEEN);
    return true;
}
