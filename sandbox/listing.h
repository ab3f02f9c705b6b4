/* listing.h - lists of rows: which rows a page has, and how the next page is announced.
 *
 * Rows are items of a collection (of one parent, or across all parents), or a fixed table of
 * alternatives with conditions. Query parameters filter them. Pages are asked for by number or by
 * an opaque cursor, and follow-up pages are announced by a Link header (RFC 8288), a member of the
 * body, or both.
 *
 *   "rows": {"of": "repo", "across": false, "page": "number", "body": {...},
 *            "filter": {"type": {"field": "visibility", "all": ["all"]}},
 *            "wrap": {"items": "${rows}", "nextPageToken": "${next}"}}
 *   "rows": {"table": [{"when": {...}, "body": {...}}, ...], "page": "number"}
 *   "pages": {"number": {"parameter": "page", "size": "per_page", "default": 30, "max": 100,
 *                        "cursor": false, "link": true}}
 */
#pragma once

#include "base/json.h"
#include "sandbox/condition.h"
#include "sandbox/target.h"
#include "sandbox/template.h"

#include <glib.h>
#include <stdbool.h>

#define LISTING_ITEMS 2 /* a row and its parent */

typedef struct Listing Listing;

typedef struct {
    const Collection *collection; /* of the item that the route is about, or NULL */
    GHashTable *collections;      /* by name */
    const Json *pages;            /* the styles of paging, by name */
    const TemplateScope *scope;
} ListingScope;

Listing *listing_load(const Json *json, const ListingScope *scope,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void listing_free(Listing *listing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listing, listing_free)

typedef struct {
    const Target *target;
    const char *url;  /* of this sandbox, without a path */
    const char *path; /* of the request, encoded, without its query */
    Item *item;       /* that the route is about, or NULL */
    Item *items;      /* room for LISTING_ITEMS */
    Variables *variables;
    bool endless; /* announce a next page whatever there is */
    bool loop;    /* announce this page as the next one */
} ListingRequest;

/* Renders the page that was asked for to out; link receives the Link header's value and next
 * the next page's cursor (both stay empty when there is none). */
void listing_render(Listing *listing, const ListingRequest *request, GString *out, GString *link,
                    GString *next);
