#include "provider/value_layout.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/secmem.h"

/* --- blocks ----------------------------------------------------------------------------------- */

static void free_container(ValueBlock *block) {
    ValueItems *items = value_block_items(block);
    for (uint32_t i = 0; i < items->count; i++)
        value_clear(&items->values[i]);
    g_free(items->index);
    g_free(block);
}

static void free_document(ValueBlock *block) {
    ValueChunk *chunk = ((Document *)(void *)block)->chunks;
    while (chunk != NULL) {
        ValueChunk *next = chunk->next;
        g_free(chunk);
        chunk = next;
    }
    g_free(block);
}

void value_free_block(ValueBlock *block) {
    switch (block->form) {
    case BLOCK_TEXT:
        g_free(block);
        break;
    case BLOCK_DOCUMENT:
        free_document(block);
        break;
    default:
        free_container(block);
    }
}

/* --- texts ------------------------------------------------------------------------------------ */

/* The length of the sequence at text, and whether it is a character. */
static size_t sequence_at(const char *text, size_t rest, bool *good_out) {
    unsigned char first = (unsigned char)*text;
    size_t wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    *good_out = first < 0x80;
    if (first < 0xc2 || first > 0xf4)
        return 1;
    for (size_t i = 1; i < wanted; i++) {
        if (i >= rest || ((unsigned char)text[i] & 0xc0) != 0x80)
            return i;
    }
    *good_out = g_utf8_validate_len(text, wanted, NULL);
    return wanted;
}

GString *value_mended_text(const char *text, size_t length) {
    GString *mended = g_string_sized_new(length + 16);
    bool good;
    for (size_t done = 0, size; done < length; done += size) {
        size = sequence_at(text + done, length - done, &good);
        if (good)
            g_string_append_len(mended, text + done, (gssize)size);
        else
            g_string_append(mended, "\xef\xbf\xbd");
    }
    return mended;
}

/* g_utf8_validate_len() takes a NUL for an error. */
bool value_is_utf8(const char *text, size_t length) {
    const char *end = text + length;
    while (!g_utf8_validate_len(text, (gsize)(end - text), &text)) {
        if (*text != '\0')
            return false;
        text++;
    }
    return true;
}

/* --- large objects ---------------------------------------------------------------------------- */

/* Names are a provider's: without a seed it could choose them to meet in one place. */
static uint64_t seed;

static void draw_seed(void) {
    secmem_random(&seed, sizeof seed);
}

static uint64_t hash_of(const char *text, size_t length) {
    static const uint64_t odd = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t hash = (seed ^ length) * odd;
    while (length > 0) {
        uint64_t word = 0;
        size_t taken = MIN(length, sizeof word);
        memcpy(&word, text, taken);
        hash = (hash ^ hash >> 32 ^ word) * odd;
        text += taken;
        length -= taken;
    }
    hash = (hash ^ hash >> 29 ^ seed >> 7) * odd;
    return hash ^ hash >> 32;
}

/* A power of two, at least half of them free. */
static uint32_t places_for(uint32_t members) {
    uint32_t places = 64;
    while (places / 2 < members)
        places *= 2;
    return places;
}

size_t value_index_size(uint32_t members) {
    return sizeof(ValueIndex) + places_for(members) * sizeof(uint32_t);
}

void value_index_begin(ValueIndex *index, uint32_t members) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, draw_seed);
    index->mask = places_for(members) - 1;
}

/* Where the member of that name is noted, or would be. */
static uint32_t *place_of(const ValueIndex *index, const Value *members, const char *text,
                          size_t length) {
    uint32_t at = (uint32_t)hash_of(text, length) & index->mask;
    for (;; at = (at + 1) & index->mask) {
        uint32_t member = index->places[at];
        if (member == 0 || value_same_name(members[2 * (size_t)(member - 1)], text, length))
            return (uint32_t *)(uintptr_t)&index->places[at];
    }
}

uint32_t value_index_note(ValueIndex *index, const Value *members, uint32_t count, Value name) {
    uint32_t *place = place_of(index, members, value_text(name), value_length(name));
    if (*place != 0)
        return *place - 1;
    *place = count + 1;
    return count;
}

uint32_t value_index_find(const ValueIndex *index, const Value *members, const char *name,
                          size_t length) {
    return *place_of(index, members, name, length) - 1;
}

/* --- the order of members --------------------------------------------------------------------- */

int value_compare_texts(Value a, Value b) {
    size_t one = value_length(a), other = value_length(b);
    int order = memcmp(value_text(a), value_text(b), MIN(one, other));
    return order != 0 ? order : (one > other) - (one < other);
}

static int compare_members(const void *a, const void *b) {
    return value_compare_texts(**(const Value *const *)a, **(const Value *const *)b);
}

/* Members mostly come in some order of their own, and are few. */
static void order_members(ValueOrder *order) {
    if (order->count > VALUE_FEW_MEMBERS) {
        qsort(order->members, order->count, sizeof(const Value *), compare_members);
        return;
    }
    for (size_t i = 1; i < order->count; i++) {
        const Value *moving = order->members[i];
        size_t to = i;
        for (; to > 0 && value_compare_texts(*moving, *order->members[to - 1]) < 0; to--)
            order->members[to] = order->members[to - 1];
        order->members[to] = moving;
    }
}

void value_order_init(ValueOrder *order, Value object) {
    order->count = value_item_count(object);
    order->members = order->few;
    if (order->count > VALUE_FEW_MEMBERS)
        order->members = g_new(const Value *, order->count);
    for (size_t i = 0; i < order->count; i++)
        order->members[i] = &value_items(object)->values[2 * i];
    order_members(order);
}

void value_order_clear(ValueOrder *order) {
    if (order->members != order->few)
        g_free(order->members);
}
