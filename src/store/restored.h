/* restored.h - what a database that came out of a backup must not go on with.
 *
 * The world has gone on since the backup was made: sessions and links that were ended would live
 * again, runs are leased to processes that are gone, and credentials that can be used once (refresh
 * tokens, RFC 9700 section 4.14) may have been used up. Both functions are for a database that
 * nobody works on yet, and may be run again.
 */
#pragma once

#include "store/record.h"

/* The reason that such integrations show until they are connected again. */
#define RESTORED_REASON "restored_from_backup"

/* Ends sessions and takes the setup link back; forgets who held calls of limits. */
bool restored_installation(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Of the unit's organization: lets go of its runs, forgets cached tokens, states of logins and
 * answers kept for repeated requests, and marks integrations with a refresh token as
 * reconnect_needed. *marked_out is their number. */
bool restored_organization(DbUnit *unit, int64_t *marked_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
