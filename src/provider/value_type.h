/* value_type.h - the two words of a Value and what costs a few instructions; the story and all else
 * is in value.h, which is what to include.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The first word is the address of the block with the reference count (none: 0) and, in the bits
 * that an address leaves free, the kind. The second is the truth, the number, the items of a
 * container, or a text's length and its place in the block. Nobody else looks at them. */
typedef struct Value {
    uint64_t words[2];
} Value;

#define VALUE_NONE ((Value){{0, 0}})

typedef enum {
    VALUE_KIND_NONE, /* no value at all */
    VALUE_KIND_NULL,
    VALUE_KIND_BOOL,
    VALUE_KIND_NUMBER,
    VALUE_KIND_STRING,
    VALUE_KIND_ARRAY,
    VALUE_KIND_OBJECT
} ValueKind;

/* What all references to one value share. */
typedef struct {
    uint32_t references;
    uint32_t form;
} ValueBlock;

static inline ValueKind value_kind(Value value) {
    return (ValueKind)(value.words[0] & 7);
}

static inline ValueBlock *value_block(Value value) {
    return (ValueBlock *)(uintptr_t)(value.words[0] & ~UINT64_C(7));
}

/* For value_clear(): the last reference is gone. */
void value_free_block(ValueBlock *block);

/* Releases the value and leaves VALUE_NONE. */
static inline void value_clear(Value *value) {
    ValueBlock *block = value_block(*value);
    *value = VALUE_NONE;
    if (block != NULL && --block->references == 0)
        value_free_block(block);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Value, value_clear)

static inline Value value_new_null(void) {
    return (Value){{VALUE_KIND_NULL, 0}};
}
static inline Value value_new_bool(bool truth) {
    return (Value){{VALUE_KIND_BOOL, truth}};
}
static inline Value value_new_number(double number) {
    Value value = {{VALUE_KIND_NUMBER, 0}};
    memcpy(&value.words[1], &number, sizeof number);
    return value;
}
static inline Value value_new_array(void) {
    return (Value){{VALUE_KIND_ARRAY, 0}};
}
static inline Value value_new_object(void) {
    return (Value){{VALUE_KIND_OBJECT, 0}};
}
/* Another reference to the same value. */
static inline Value value_copy(Value value) {
    ValueBlock *block = value_block(value);
    if (block != NULL)
        block->references++;
    return value;
}
/* Moves the value out and leaves VALUE_NONE behind. */
static inline Value value_take(Value *value) {
    Value taken = *value;
    *value = VALUE_NONE;
    return taken;
}

/* Borrowed from the value: valid while this reference to it lives. NULL unless it is a string. The
 * text ends in a NUL; value_length counts its bytes. */
static inline const char *value_text(Value value) {
    if (value_kind(value) != VALUE_KIND_STRING)
        return NULL;
    const ValueBlock *block = value_block(value);
    return block != NULL ? (const char *)block + (uint32_t)value.words[1] : "";
}
static inline size_t value_length(Value value) {
    return value_kind(value) == VALUE_KIND_STRING ? (size_t)(value.words[1] >> 32) : 0;
}
/* The number, or fallback for any other kind. */
static inline double value_number(Value value, double fallback) {
    if (value_kind(value) == VALUE_KIND_NUMBER)
        memcpy(&fallback, &value.words[1], sizeof fallback);
    return fallback;
}
/* true only for the value true. */
static inline bool value_truth(Value value) {
    return value_kind(value) == VALUE_KIND_BOOL && value.words[1] != 0;
}
