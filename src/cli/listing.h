/* listing.h - a page of a list of the organization: `evidence list`, `findings`, `jobs list`.
 *
 * A Listing is one constant row beside its Command. Its options are the filters; on a server each
 * is the parameter of its name. Three mean the same everywhere: --integration (by name or id),
 * --limit and --cursor. From here or from a server, the page is one object, and tables name the
 * integrations beside it.
 */
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "store/integration.h"

typedef struct {
    const char *path;      /* of the API */
    const Option *options; /* of the command */
    int64_t usual;         /* entries, when --limit is not given */
    int64_t most;
    /* For people; integrations as in integrations.h. */
    void (*print)(const Output *output, const Json *integrations, const Json *page);
} Listing;

/* How many entries are wanted. */
int64_t listing_limit(const Listing *listing, const Arguments *arguments);

/* The integration that --integration names; NULL when it names none. */
bool listing_integration(const CommandCall *call, const Session *session,
                         Integration **integration_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints a page that was read here. */
bool listing_show(const CommandCall *call, const Listing *listing, const Session *session,
                  const Json *page, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Asks a server for the page, and prints it. */
bool listing_there(const CommandCall *call, const Listing *listing, Remote *remote,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
