/* place.h - where this installation's data are, and its settings.
 *
 * The data directory is --data, else ASSAY_DATA, else $XDG_DATA_HOME/assay (by default
 * ~/.local/share/assay), for root /var/lib/assay. The database is that of the settings
 * (cli/config.h), else assay.db in the data directory.
 */
#pragma once

#include "cli/arguments.h"
#include "cli/config.h"

#include <glib.h>
#include <stdbool.h>

typedef struct {
    char *data_dir;      /* absolute */
    char *database_url;  /* may hold a password: never printed */
    char *database_file; /* the path of an embedded database, or NULL */
    char *providers_dir; /* definitions of the operator */
    Config *config;
} Place;

/* Of the global options data and config. ERROR_USAGE when no directory can be told,
 * ERROR_CONFIGURATION when a setting is wrong. */
bool place_init(Place *place, const Arguments *arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void place_clear(Place *place);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Place, place_clear)

/* Makes the data directory, mode 0700, when it is missing. */
bool place_make(const Place *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND with what to do first when nothing was set up here. */
bool place_require(const Place *place, GError **error) G_GNUC_WARN_UNUSED_RESULT;
