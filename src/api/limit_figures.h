/* limit_figures.h - shared limits of providers as figures: what is in force, what is left, the
 * pace.
 *
 * Of at most LIMIT_FIGURES_MAX keys. Limits that are counted in Redis are not among them.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>

#define LIMIT_FIGURES_MAX 1000

/* Appends them in Prometheus' text format. */
bool limit_figures_write(Db *db, GString *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
