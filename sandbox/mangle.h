/* mangle.h - makes a sound JSON body unsound in one chosen way, with the rest left as it was.
 *
 * The fields to bend are given by name, at whatever depth they stand; NULL means those that the
 * kind of damage is about (all scalars, all texts, all integers). A body that is not JSON is left
 * alone.
 */
#pragma once

#include <glib.h>

typedef enum {
    MANGLE_WRONG_TYPES,    /* texts become numbers, numbers and booleans texts, lists texts */
    MANGLE_MISSING_FIELDS, /* members are left out */
    MANGLE_SURROGATE,      /* texts get a lone \ud800 */
    MANGLE_BIG_INT         /* numbers pass 2^64 */
} MangleKind;

/* fields: char *, or NULL for all. */
void mangle_body(GString *body, MangleKind kind, const GPtrArray *fields);
