/* route.h - the paths that a provider answers, and what it answers for which item.
 *
 *   {"path": "/repos/{organization}/{repo}/branches/{branch}/protection",
 *    "permission": "administration",
 *    "cases": [{"when": {"kind": ["none"]}, "error": "not_protected"},
 *              {"status": 200, "body": {...}}]}
 *
 * A case has an error (by name), a body, or rows (listing.h); the first whose condition holds is
 * taken. What a {parameter} stands for is declared once for all routes:
 *
 *   "parameters": {"organization": {"constant": "organization"}, "repo": {"item": "repo"},
 *                  "branch": {"field": "default_branch", "error": "branch_missing"}}
 *
 * an item's field must be equal to the segment, or the named error (else "not_found") is given; a
 * parameter that is not declared stands for any one segment.
 */
#pragma once

#include "sandbox/listing.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    unsigned status;
    Template *body;
    GPtrArray *header_names;  /* char * */
    GPtrArray *header_values; /* Template * */
} Canned;

typedef struct {
    Condition *when;
    const Canned *error;
    unsigned status;
    Template *body;
    Listing *rows;
} Case;

typedef enum {
    SEGMENT_LITERAL,
    SEGMENT_CONSTANT,
    SEGMENT_ITEM,
    SEGMENT_FIELD,
    SEGMENT_ANY
} SegmentKind;

typedef struct {
    SegmentKind kind;
    char *text; /* literal or constant */
    Collection *collection;
    FieldRef ref;
    const Canned *mismatch;
} Segment;

typedef struct {
    const char *pattern; /* borrowed from the data */
    const char *method;
    const char *permission; /* "" when every token will do */
    bool free;              /* does not count against the limit */
    bool open;              /* needs no token */
    GArray *segments;       /* Segment */
    GPtrArray *cases;       /* Case */
    const Collection *collection;
    uint64_t hits;
} Route;

typedef struct {
    const ListingScope *listing; /* its collection is filled in by the route */
    const Json *parameters;
    Constants *constants;
    GHashTable *errors; /* Canned by name; has "not_found" */
} RouteScope;

Route *route_load(const Json *json, const RouteScope *scope,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
void route_free(Route *route);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Route, route_free)

/* A status with body and headers, by name in "errors" of the data. */
Canned *canned_load(const Json *json, const TemplateScope *scope,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
void canned_free(Canned *canned);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Canned, canned_free)

typedef struct {
    Item items[COLLECTION_DEPTH];
    Item *item; /* the innermost one that the path names, or NULL */
    const Canned *mismatch;
} RouteMatch;

/* Whether a request's method and path are of this route; fills match. An unknown item or a wrong
 * field is a match with a mismatch. */
bool route_match(const Route *route, const char *method, const Target *target,
                 const Canned *not_found, RouteMatch *match);

/* The first case that holds, or NULL. */
const Case *route_choose(const Route *route, Item *item);
