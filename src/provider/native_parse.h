/* native_parse.h - reads the part of jq's grammar that is evaluated without libjq.
 *
 * The subset: `.`, members, items and slices with `?`, `.[]`, literals, texts with \(...),
 * `|` `,` `//` `and` `or` `not`, comparisons, + - * /, if with else, `as $name`, arrays, objects
 * with plain keys, (...)?, select, map, any, all, first, last, test with literal patterns, and the
 * functions of native_function.h. Precedence is that of jq 1.6, oddities included: a comparison
 * does not chain, values of an object's members are terms, nothing follows `end` or a second `?`.
 * Everything else, and whatever jq would refuse, is none of ours.
 */
#pragma once

#include "provider/native_tree.h"

/* NULL when the expression is outside of the subset. */
NativeTree *native_parse(const char *source);
