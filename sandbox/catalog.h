/* catalog.h - everything that one provider's data file says, compiled.
 *
 * A provider is one JSON file in sandbox/providers/ (built in) or named on the command line. Its
 * members: collections (field.h), shared templates (template.h), errors, headers, pages
 * (listing.h), parameters and routes (route.h), and auth:
 *
 *   "auth": {"header": "Authorization", "prefixes": ["Bearer ", "token "],
 *            "missing": ERROR, "wrong": ERROR, "denied": ERROR},
 *   "require": [{"header": "User-Agent", "error": ERROR}],
 *   "limits": {"spent": ERROR, "secondary": ERROR},
 *   "headers": {"always": {...}, "limited": {...}, "full": {...}, "partial": {...},
 *               "page": {...}, "needed": {...}}
 *
 * headers: always; when the limit is announced; for a token that may do everything; for a token
 * with a list of permissions; when there is a Link; when the route asks for a permission.
 *
 * Constants: organization, url, seed, repos, alerts, and whatever "constants" of the data adds.
 */
#pragma once

#include "base/json.h"
#include "sandbox/route.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define CATALOG_FILE_MAX (1024 * 1024)
#define CATALOG_DEFAULT "github"

typedef enum {
    HEADERS_ALWAYS,
    HEADERS_LIMITED,
    HEADERS_FULL,
    HEADERS_PARTIAL,
    HEADERS_PAGE,
    HEADERS_NEEDED,
    HEADER_GROUPS
} HeaderGroup;

typedef struct {
    const char *header; /* borrowed from the data */
    const Canned *error;
} Required;

typedef struct {
    const char *header;
    GPtrArray *prefixes; /* const char *, borrowed */
    const Canned *missing;
    const Canned *wrong;
    const Canned *denied;
} CatalogAuth;

typedef struct {
    Json *data;
    Constants *constants;
    GHashTable *collections; /* Collection by name */
    GHashTable *errors;      /* Canned by name */
    Canned *headers[HEADER_GROUPS];
    CatalogAuth auth;
    GArray *required; /* Required */
    const Canned *spent;
    const Canned *secondary;
    const Canned *not_found;
    GPtrArray *routes; /* Route */
} Catalog;

/* The data of a built-in provider, or of a file when the name has a slash or ends in .json. */
Json *catalog_read(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds the texts of an object as constants; those that are there stay. */
void catalog_add_constants(const Json *json, Constants *constants);

/* Adds the collections of an object, by name, to a table that owns them. */
bool catalog_add_collections(const Json *json, GHashTable *collections, Constants *constants,
                             uint64_t seed, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Loads a built-in provider by name, or a file when the name has a slash or ends in .json. The
 * constants are taken. */
Catalog *catalog_load(const char *name, Constants *constants, uint64_t seed,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
void catalog_free(Catalog *catalog);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Catalog, catalog_free)
