/* evidence_prune.h - data of evidence are removed when their retention is over.
 *
 * The record of an evidence item stays, with the hash of its data and its leaf in the ledger: what
 * was found, when, and that it was so can still be proved. What goes is the document behind it,
 * unless younger evidence has the same. Works on the unit's organization.
 */
#pragma once

#include "store/record.h"

/* Whether there is anything to remove: a look that writes nothing. */
bool evidence_prune_due(DbUnit *unit, int64_t before_ms, bool *due_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes documents of evidence that was collected before a time, at most `limit` in this unit.
 * *removed_out says how many; when it is the limit there may be more. */
bool evidence_prune(DbUnit *unit, int64_t before_ms, int64_t limit, int64_t *removed_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
