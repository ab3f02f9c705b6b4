/* native_function.h - the operators and builtins of jq that native expressions may use, those that
 * look at values only (what takes an expression, such as select, is part of the tree).
 *
 * A function has an input and at most one argument, both values: `.` and x of `startswith(x)`, the
 * left and the right side of `+`. It gives exactly one value or an error.
 */
#pragma once

#include "provider/value.h"

typedef enum {
    NATIVE_DONE,
    NATIVE_ERROR,   /* jq raises an error; the meter has the message */
    NATIVE_BREAK,   /* on the way out of first, any or all */
    NATIVE_STOPPED, /* more steps than allowed */
    NATIVE_UNABLE   /* only libjq knows the answer for these values */
} NativeStatus;

/* What an evaluation has left, and its complaint. */
typedef struct {
    int64_t steps; /* about 20 ns each */
    char *message; /* of the last NATIVE_ERROR; owned */
} NativeMeter;

/* Keeps the message, which it takes. Always NATIVE_ERROR. */
NativeStatus native_fail(NativeMeter *meter, char *message);

/* A value that is kept (owned) or lives as long as something else does. */
typedef struct {
    Value value;
    bool owned;
} Held;

static inline void held_clear(Held *held) {
    if (held->owned)
        value_clear(&held->value);
    held->owned = false;
}

/* The input may be moved out of; its owner clears what is left. On NATIVE_DONE *out is written and
 * borrows from neither. */
typedef NativeStatus (*NativeCall)(NativeMeter *meter, Held *input, Value argument, Held *out);

typedef struct {
    const char *name; /* as in jq; operators by their sign, "-x" for the sign of one number */
    unsigned arguments;
    NativeCall call;
} NativeFunction;

/* By name and number of arguments; NULL when there is none. */
const NativeFunction *native_function_find(const char *name, size_t length, unsigned arguments);
