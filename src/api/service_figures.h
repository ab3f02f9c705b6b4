/* service_figures.h - requests that jobs have sent to services, as figures: by provider and
 * outcome, of all processes and machines (store/service_call.h).
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>

/* Appends them in Prometheus' text format. */
bool service_figures_write(Db *db, GString *out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
