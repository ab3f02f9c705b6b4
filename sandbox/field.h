/* field.h - made-up objects: collections of items whose fields follow from (seed, index).
 *
 * A collection ("repo", or "dependabot" inside each repo) is data: a count and a table of named
 * fields. Nothing is stored per item: a field's value is computed when it is asked for, from a hash
 * of the seed, the item's place and the field's name, so that 100,000 repositories cost no memory
 * and are the same in every run.
 *
 * Life: field_load() builds a Collection once at start; item_init() puts an Item on the caller's
 * stack and item_value() computes its fields, once each, into the item's own scratch space.
 *
 * How a field is written (in the provider's data file):
 *   "text ${other}"                       text, with earlier fields, parents (${repo.name}),
 *                                         constants (${organization}), ${index} and ${number};
 *                                         ${number:6} has leading zeros
 *   12, true, null                        the value itself
 *   {"step": [base, step]}                base + step * index
 *   {"between": [from, to]}               a number of that range; each may name a constant;
 *                                         with "digits": 6 a text with leading zeros
 *   {"hex": n}                            n hexadecimal digits
 *   {"pick": [[weight, value], ...]}      one of the values, by weight
 *   {"by": "field", "values": {...}, "else": value}    follows another field
 *   {"time": {"from": "2025-01-01T00:00:00Z", "within": "300d"}}; from may be "today-300d", where
 *                                         today is a constant; with "as": "epoch" in
 *                                         seconds, with "bare" without the Z
 *   {"iso": "field"}                      seconds since 1970 as such a time
 *   {"nth": "list"} {"any": "list"}       of the texts of a constant "a,b,c": by the item's number,
 *                                         or any
 * where a value is again a field.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FIELD_MAX 64                  /* fields of a collection */
#define ITEM_SCRATCH 6144             /* bytes of computed text of one item */
#define COLLECTION_DEPTH 3            /* items inside items */
#define COLLECTION_ITEMS_MAX 10000000 /* items of one collection */

typedef struct Field Field;

typedef struct {
    const char *text;
    size_t length;
    bool quoted; /* a JSON string; otherwise a number, true, false or null */
} FieldValue;

typedef struct Collection {
    char *name;
    struct Collection *parent; /* NULL at the top */
    size_t field_count;
    char *field_names[FIELD_MAX];
    Field *fields[FIELD_MAX];
    int count_field;  /* field of the parent with the number of items, or -1 */
    uint64_t count;   /* number of items when there is no parent */
    char *key_prefix; /* "repo-": how an item is named in a path; NULL when it is not */
    uint64_t *first;  /* of item i of the parent: how many items come before; made when asked */
    uint64_t seed;
} Collection;

/* Constants by name (char * to char *): options of the command line. */
typedef GHashTable Constants;

/* Where a field is: this many parents up, and which field there. */
typedef struct {
    unsigned char up;
    unsigned char field;
} FieldRef;

typedef struct Item {
    const Collection *of;
    struct Item *parent;
    uint64_t index;
    uint64_t hash;
    uint64_t known; /* one bit for each value that was computed */
    size_t used;
    FieldValue values[FIELD_MAX];
    char scratch[ITEM_SCRATCH];
} Item;

/* Builds a collection from its description. Errors: ERROR_CONFIGURATION with the field's name. */
Collection *field_load(const char *name, const Json *description, Collection *parent,
                       Constants *constants, uint64_t seed,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
void collection_free(Collection *collection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Collection, collection_free)

/* Finds a field by name, "name" in this collection or "collection.name" in it or its parents. */
bool field_find(const Collection *collection, const char *name, FieldRef *ref_out);

/* The index of the item with this name among so many; false when there is none. Items are named by
 * the collection's "key" and their number, from 1 on. */
bool collection_find(const Collection *collection, const char *key, uint64_t count,
                     uint64_t *index_out);

/* Makes item number index of a collection; parent is borrowed and must outlive the item. */
void item_init(Item *item, const Collection *of, Item *parent, uint64_t index);

/* A field's value; the text lives as long as the item. */
FieldValue item_value(Item *item, FieldRef ref);

/* How many items of this collection belong to the parent item. */
uint64_t item_child_count(Item *parent, const Collection *child);

/* All items of a collection over all parents, and, for a position in that sequence, the parent's
 * index and the place inside the parent. The sums are made at the first call. */
uint64_t collection_total(Collection *collection);
void collection_locate(Collection *collection, uint64_t position, uint64_t *parent_out,
                       uint64_t *inside_out);
