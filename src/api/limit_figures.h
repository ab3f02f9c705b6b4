/* limit_figures.h - shared limits of providers as figures: what is in force, what is left, the
 * pace.
 *
 * Of at most LIMIT_FIGURES_MAX keys, from where limits are counted: the database or Redis. A Redis
 * that does not answer costs less than a second, and its limits are missing then; a figure of
 * its own says so.
 */
#pragma once

#include "db/db.h"
#include "net/redis.h"

#include <glib.h>
#include <stdbool.h>

#define LIMIT_FIGURES_MAX 1000

/* Appends them in Prometheus' text format. redis may be NULL. */
bool limit_figures_write(Db *db, Redis *redis, GString *out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;
