/* aws_lookup.h - from a parameter to the item that it names.
 *
 *   {"of": "user", "by": "UserName", "missing": "NoSuchEntity", "optional": false,
 *    "home": "region", "or": "multi", "elsewhere": "PermanentRedirect"}
 *
 * A collection says which of its fields name an item ("find": ["name", "arn"]); such a name ends in
 * the item's number, or the collection is small. The collection is at the top, inside the root or
 * the item found before, or one level deeper: then the number is the parent's. With "home" an item
 * of another region is not there, or an error of its own ("elsewhere").
 */
#pragma once

#include "base/json.h"
#include "sandbox/aws_list.h"
#include "sandbox/aws_service.h"
#include "sandbox/field.h"

#include <glib.h>
#include <stdbool.h>

#define LOOKUP_FIELDS 4

typedef struct {
    const char *parameter;
    const Collection *of;
    size_t field_count;
    FieldRef fields[LOOKUP_FIELDS];
    bool optional;
    bool has_home;
    AwsHome home;
    const AwsError *missing;
    const AwsError *elsewhere; /* NULL: missing */
} AwsLookup;

typedef struct {
    GHashTable *collections;  /* Collection by name */
    const Json *descriptions; /* of collections, by name */
    GHashTable *errors;       /* AwsError by name */
} AwsLookupScope;

bool aws_lookup_load(const Json *json, const AwsLookupScope *scope, AwsLookup *lookup_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Finds the item by its name, with items[0] and items[1] as room for it and its parent. item is
 * what was found before, or the root, or NULL. Returns NULL when there is none. */
Item *aws_lookup_find(const AwsLookup *lookup, const char *name, Item *item, Item *items);
