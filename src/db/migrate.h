/* migrate.h - brings the schema of a database to what this program knows.
 *
 * The table schema_migration remembers every applied migration with the SHA-256 of its text. All
 * missing ones are applied in one write unit, so that two programs that start at once apply them
 * once and a failed migration leaves nothing behind.
 *
 * Machines are upgraded one by one, so a program may meet a schema that is newer than itself. It
 * goes on with it as long as the migrations that it does not know only add (expand). One that takes
 * away or tightens has a name that begins with MIGRATE_CONTRACT, and is for a version behind the
 * last one that needed what goes: programs that do not know it refuse the database.
 * scripts/embed-sql holds migrations to that.
 */
#pragma once

#include "db/db.h"

#define MIGRATE_CONTRACT "contract_"

/* Applies what is missing; does not write when nothing is. ERROR_DATABASE when a newer program has
 * taken away something from the schema, when a migration was changed after it was applied, or when
 * one fails. */
bool migrate_apply(Db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The highest applied version, which may be one that this program does not know; -1 when the
 * database is empty. */
bool migrate_version(Db *db, int *version_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
