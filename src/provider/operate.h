/* operate.h - what jq 1.6 does to values: indexing, iteration, arithmetic, its builtins in C.
 *
 * Results are jq's to the byte: what is seldom or intricate is asked of libjq itself.
 * Arguments are borrowed unless they are named taken; results are owned unless they are said to be
 * borrowed. A function that can fail gives false and, in *message, jq's words (g_free).
 */
#pragma once

#include "provider/value.h"

/* from[key] for a key that is a string or a number. *value_out is borrowed: it lives as long as
 * from does, unchanged. False where jq raises an error. */
bool operate_step(Value from, Value key, Value *value_out);
/* from[key] for any key: slices, positions of a part, and errors. */
bool operate_index(Value from, Value key, Value *value_out, char **message);

/* The items of an array, or the members of an object in the order in which jq visits them. */
typedef struct {
    Value container; /* borrowed */
    size_t at;
    size_t count;
    bool object;
} OperateItems;

/* False when the container is neither. */
bool operate_items_init(OperateItems *items, Value container);
/* The next one, borrowed from the container; false at the end. */
bool operate_items_next(OperateItems *items, Value *value_out);

/* + - * / of jq. The left side of + is consumed, and grows in place when nobody shares it; it is
 * consumed by a failure too. */
bool operate_add(Value left_taken, Value right, Value *value_out, char **message);
bool operate_subtract(Value left, Value right, Value *value_out, char **message);
bool operate_multiply(Value left, Value right, Value *value_out, char **message);
bool operate_divide(Value left, Value right, Value *value_out, char **message);

bool operate_has(Value from, Value key, bool *truth_out, char **message);
bool operate_contains(Value whole, Value part, bool *truth_out, char **message);
bool operate_keys(Value from, bool sorted, Value *value_out, char **message);
bool operate_number(Value from, Value *value_out, char **message);
bool operate_split(Value text, Value separator, Value *value_out, char **message);
/* The array sorted; equal items keep their order, or with once only the first of them stays. */
bool operate_sort(Value array, bool once, Value *value_out, char **message);
/* The value as jq prints it. */
Value operate_json(Value from);
/* Unicode characters of a string. */
size_t operate_characters(Value text);
/* Sets a member under a key that is a string. Takes value. */
void operate_put(Value *object, Value key, Value value_taken);

/* "string (\"a\") cannot be negated" and "string (\"a\") and number (1) cannot be added". */
char *operate_complaint(Value value, const char *words);
char *operate_complaint_two(Value left, Value right, const char *words);
