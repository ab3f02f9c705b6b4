/* owner.h - lock files that tell at once that a worker is dead.
 *
 * A worker holds an exclusive flock(2) on DATA/run/UUID.lock for as long as it lives; the kernel
 * drops it however the process ends. The file holds the owner's id. Whoever finds a lock that is
 * free may let the leases of its owner go without waiting for their end.
 */
#pragma once

#include "db/db.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Owner Owner;

/* Makes a new owner id and takes its lock. */
bool owner_new(const char *data_dir, Owner **owner_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void owner_free(Owner *owner); /* removes the lock file */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Owner, owner_free)

/* The id to lease jobs under, "HOST:UUID". Borrowed. */
const char *owner_id(const Owner *owner);

/* Lets go of the leases of all owners with a lock file here that are dead, and removes the files.
 */
bool owner_release_dead(const char *data_dir, Db *db, GError **error) G_GNUC_WARN_UNUSED_RESULT;
