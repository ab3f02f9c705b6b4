/* evidence.h - evidence records as the API's JSON objects, and the list of them.
 *
 * An object is the immutable record with what stands outside of it: sha256 of the data,
 * ledgerIndex, reviewState, and quality = completeness x freshness x directness with its parts
 * (directness of what was read from the service itself is 1).
 */
#pragma once

#include "cli/command.h"
#include "store/evidence.h"

extern const Command evidence_list_command;

/* ERROR_DATABASE when the stored record cannot be read. The caller owns the object. */
bool evidence_json(const Evidence *evidence, int64_t now_ms, Json **json_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
