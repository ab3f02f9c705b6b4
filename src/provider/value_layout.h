/* value_layout.h - how the blocks behind Values lie in memory: for value.c and value_json.c alone.
 *
 * A text block is a text of its own. An array or object block is a container of its own: its items
 * are references that count, and it grows in place as long as nobody shares it. A document is one
 * parsed body: its text, in which strings were unescaped and ended in place, and the items of all
 * its containers. What is inside of a document points at the document without counting, so that it
 * is built and freed as one piece; a reference that is handed out counts. Empty texts and
 * containers have no block.
 */
#pragma once

#include "provider/value_type.h"

typedef enum { BLOCK_TEXT, BLOCK_ARRAY, BLOCK_OBJECT, BLOCK_DOCUMENT } BlockForm;

typedef struct {
    ValueBlock head;
    uint32_t capacity; /* bytes, without the NUL at the end */
    char text[];
} TextBlock;

/* Where the members of a large object are, by the hash of their names: open addressing. */
typedef struct {
    uint32_t mask;
    uint32_t places[]; /* number of the member + 1; 0: free */
} ValueIndex;

/* Objects with more members than this have an index. */
#define VALUE_FEW_MEMBERS 24

/* The items of a container: of an object its members, name and value in turn. Behind the head of
 * an array or object block, or anywhere in a document. */
typedef struct {
    uint32_t count;    /* of values, so twice the members */
    uint32_t capacity; /* 0 in a document */
    ValueIndex *index; /* or NULL */
    Value values[];
} ValueItems;

typedef struct ValueChunk {
    struct ValueChunk *next;
    uint64_t unused; /* keeps what follows aligned */
} ValueChunk;

typedef struct {
    ValueBlock head;
    ValueChunk *chunks; /* with what did not fit behind the text */
    char *at;           /* free from here */
    char *end;
    char text[];
} Document;

static inline Value value_made(ValueKind kind, const void *block, uint64_t word) {
    return (Value){{(uint64_t)(uintptr_t)block | kind, word}};
}

static inline Value value_made_text(const void *block, const char *text, size_t length) {
    uint64_t place = (uint64_t)(text - (const char *)block);
    return value_made(VALUE_KIND_STRING, block, (uint64_t)length << 32 | place);
}

/* Of an array or object block. */
static inline ValueItems *value_block_items(ValueBlock *block) {
    return (ValueItems *)(void *)(block + 1);
}

/* NULL when the container is empty. */
static inline ValueItems *value_items(Value container) {
    return (ValueItems *)(uintptr_t)container.words[1];
}

/* NULs allowed. */
bool value_is_utf8(const char *text, size_t length);
/* U+FFFD in place of each bad sequence. Caller frees. */
GString *value_mended_text(const char *text, size_t length);

/* Members of an object, items of an array, else 0. */
static inline uint32_t value_item_count(Value value) {
    if (value_kind(value) < VALUE_KIND_ARRAY || value_items(value) == NULL)
        return 0;
    uint32_t count = value_items(value)->count;
    return value_kind(value) == VALUE_KIND_OBJECT ? count / 2 : count;
}

/* -1, 0 or 1: by bytes, the shorter of two that begin alike first. */
int value_compare_texts(Value a, Value b);

/* Bytes of an index for so many members. */
size_t value_index_size(uint32_t members);
/* index is zeroed memory of that size. */
void value_index_begin(ValueIndex *index, uint32_t members);
/* The number of the member of that name among the first `count`; count when there is none, and then
 * it is noted as the next one. */
uint32_t value_index_note(ValueIndex *index, const Value *members, uint32_t count, Value name);

/* The number of the member of that name, or VALUE_NO_MEMBER. */
#define VALUE_NO_MEMBER UINT32_MAX
uint32_t value_index_find(const ValueIndex *index, const Value *members, const char *name,
                          size_t length);

/* The members of an object in the order of their names' bytes. */
typedef struct {
    const Value *few[VALUE_FEW_MEMBERS];
    const Value **members; /* each a name, behind which is its value; few, or allocated */
    size_t count;
} ValueOrder;

void value_order_init(ValueOrder *order, Value object);
void value_order_clear(ValueOrder *order);

static inline bool value_same_name(Value name, const char *text, size_t length) {
    return value_length(name) == length && memcmp(value_text(name), text, length) == 0;
}
