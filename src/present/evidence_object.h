/* evidence_object.h - an evidence record as the API's JSON object, without its data.
 *
 * It is the immutable record with what stands outside of it: sha256 of the data, ledgerIndex,
 * reviewState with reviewedBy, reviewedAt and reviewComment (null: nobody has reviewed it), and
 * quality = completeness x freshness x directness with its parts (directness of
 * what was read from the service itself is 1).
 */
#pragma once

#include "base/json.h"
#include "store/review.h"

#include <glib.h>
#include <stdbool.h>

/* ERROR_DATABASE when the stored record cannot be read. review NULL: there is none. The caller owns
 * the object. */
bool evidence_object(const Evidence *evidence, const Review *review, int64_t now_ms,
                     Json **json_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The quality alone, 0..1. */
double evidence_quality(const Evidence *evidence, int64_t now_ms);
