/* native_call.h - the calls of the native subset, as trees.
 *
 * Functions that look at values only are in native_function.h. Here are those that take expressions
 * (select, map, any, all, first, last), those that jq itself writes in jq, and test with a pattern
 * of literals.
 */
#pragma once

#include "provider/lexer.h"
#include "provider/native_tree.h"

/* Most arguments of a call. */
#define NATIVE_MAX_ARGUMENTS 2

/* The call as a node; NULL when the builtin, with so many or with these arguments, is not in the
 * subset. */
const NativeNode *native_call_make(NativeTree *tree, const Token *name,
                                   const NativeNode **arguments, unsigned count);

/* What a builtin without arguments stands for, in jq; NULL when it is not one of those. Static. */
const char *native_call_definition(const Token *name);
