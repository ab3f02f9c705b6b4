/* settings_change.h - a service that starts with other settings than before says so in the log.
 *
 * The entry (settings.change, of the installation) names the settings and never their values. The
 * first start has nothing to compare with and notes nothing.
 */
#pragma once

#include "cli/config.h"
#include "db/db.h"

/* Compares the effective settings with those of the last time in this role ("all", "api",
 * "worker"), notes what is another, and keeps them for the next start: one unit of work. */
bool settings_change_note(Db *db, const Config *config, const char *role,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same without waiting for it, for settings that have changed in a service that runs; the
 * config is borrowed until db_close(). What cannot be noted is logged, and noted by the next start.
 */
void settings_change_tell(Db *db, const Config *config, const char *role);
