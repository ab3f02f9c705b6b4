/* review_object.h - the review of an evidence item as the API's JSON object.
 *
 * {evidenceId, reviewState, reviewedBy, reviewedAt, note}
 */
#pragma once

#include "base/json.h"
#include "store/review.h"

/* The caller owns the object. */
Json *review_object(const Review *review);
