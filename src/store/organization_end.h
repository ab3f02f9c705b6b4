/* organization_end.h - an organization is deleted, with everything that it has.
 *
 * What stays: the leaves of the ledger, which are salted hashes and tell nothing of what they stood
 * for, the audit log, and the row that both refer to, without name and key. Without its key nothing
 * that was sealed for it can be opened again, wherever a copy may lie (a backup apart that holds
 * the key, too). Users stay, and so do tokens, which reach it no more.
 */
#pragma once

#include "store/record.h"

/* Deletes the organization of the unit's scope; its name is given again, so that nobody deletes
 * another one than he means (ERROR_CONFIGURATION). While a job is being run nothing is deleted: it
 * is called off, and *running_out says how many there were. ERROR_NOT_FOUND. */
bool organization_end(DbUnit *unit, const char *name, int64_t *running_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
