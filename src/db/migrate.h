/* migrate.h - brings the schema of a database to what this program knows.
 *
 * The table schema_migration remembers every applied migration with the SHA-256 of its text. All
 * missing ones are applied in one write unit, so that two programs that start at once apply them
 * once and a failed migration leaves nothing behind.
 */
#pragma once

#include "db/db.h"

/* Applies what is missing; does not write when nothing is. ERROR_DATABASE when the database was
 * written by a newer program, when a migration was changed after it was applied, or when one
 * fails. */
bool migrate_apply(Db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The highest applied version; -1 when the database is empty. */
bool migrate_version(Db *db, int *version_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
