/* purge.h - removes an integration with everything that came from it.
 *
 * What stays are the leaves of the ledger, which are salted hashes and tell nothing of what they
 * stood for, and the audit log. Data that evidence of another integration shares stay for that one.
 */
#pragma once

#include "store/record.h"

/* How many of each were removed. */
typedef struct {
    int64_t jobs;
    int64_t evidence;
    int64_t documents;
    int64_t findings;
    int64_t assessments;
} Purged;

/* ERROR_NOT_FOUND; ERROR_CONFLICT while a job of it has not ended. */
bool purge_integration(DbUnit *unit, const char *integration_id, Purged *purged_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
