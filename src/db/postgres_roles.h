/* postgres_roles.h - the roles in which units run: assay_app and assay_scheduler.
 *
 * They belong to the whole server, own nothing, cannot log in and are taken for one transaction at
 * a time (postgres_session.h). docs/postgresql.md tells how an administrator makes them; a user who
 * may is spared that.
 */
#pragma once

#include "db/postgres_wire.h"

/* Makes sure that both exist and that the user may take them. ERROR_CONFIGURATION if not; label:
 * which database. */
bool postgres_roles_prepare(Wire *wire, const char *label,
                            GError **error) G_GNUC_WARN_UNUSED_RESULT;
