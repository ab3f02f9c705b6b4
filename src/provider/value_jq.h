/* value_jq.h - Values as libjq's and back, for the few places that ask libjq.
 *
 * Both ways copy. jv is libjq's own kind of reference: who gets one must give it to a function that
 * consumes it, or free it.
 */
#pragma once

#include <jv.h>

#include "provider/value.h"

/* Values of libjq nested deeper than this become null. */
#define VALUE_JQ_MAX_DEPTH 2000

/* VALUE_NONE is null. */
jv value_to_jq(Value value);
/* The same of an object, with only the members that are named in the list, which ends in NULL. */
jv value_to_jq_only(Value value, const char *const *names);
/* Takes from; an invalid one gives VALUE_NONE. */
Value value_take_jq(jv from);
