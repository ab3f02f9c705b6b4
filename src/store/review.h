/* review.h - what people say of evidence: approved or rejected, by whom, when.
 *
 * The evidence record is immutable and the review stands outside of it: evidence.review_state, and
 * one row of evidence_review for the review that holds. A later review replaces an earlier one.
 * What approved evidence covers is re-collected by the weekly renewal.
 */
#pragma once

#include "store/evidence.h"

typedef struct {
    const char *evidence_id;
    const char *state;    /* EVIDENCE_APPROVED or EVIDENCE_REJECTED */
    const char *reviewer; /* who */
    const char *note;     /* why, or NULL */
    int64_t reviewed_at;  /* set from the clock */
} Review;

void review_free(Review *review); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Review, review_free)

/* Stores a review and sets the state of the evidence. ERROR_NOT_FOUND when there is no such
 * evidence, ERROR_CONFIGURATION when the state is none of the two. */
bool review_put(DbUnit *unit, const Review *review, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The review that holds; *review_out is NULL when nobody has reviewed the evidence. */
bool review_get(DbUnit *unit, const char *evidence_id, Review **review_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for evidence that was read: nothing is asked of the database when nobody has reviewed
 * it.
 */
bool review_of(DbUnit *unit, const Evidence *evidence, Review **review_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Evidence types of an integration with approved evidence: char *, in alphabetic order. The array
 * frees its texts. */
bool review_approved_types(DbUnit *unit, const char *integration_id, GPtrArray **types_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Integrations with approved evidence: char * ids behind after_id or from the first. The array
 * frees its texts. */
bool review_approved_integrations(DbUnit *unit, const char *after_id, int64_t limit,
                                  GPtrArray **ids_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
