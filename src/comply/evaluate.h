/* evaluate.h - control status and scores of an organization, from its check results.
 *
 * evaluation_new() reads everything in short units and computes; nothing is written, so that a
 * command that only reads sees what the clock made stale. evaluate_controls() stores what changed.
 * Memory: a few hundred bytes per control and per (check, integration) pair.
 */
#pragma once

#include "comply/evaluated.h"
#include "comply/framework.h"
#include "comply/score.h"
#include "db/db.h"
#include "provider/registry.h"

typedef struct {
    const Framework *framework;
    EvaluatedControl *controls; /* one per control of the framework, in its order */
    size_t control_count;
    size_t unserved; /* controls that only services which are not connected could serve */
    ScoreSum score;
    struct EvaluationMemory *memory; /* what the texts live in */
} Evaluation;

/* Evaluates one framework as of now_ms. A provider whose definition cannot be loaded has no checks.
 * The caller owns the result; the registry and its definitions must outlive it. */
Evaluation *evaluation_new(Db *db, const DbScope *scope, Registry *registry,
                           const Framework *framework, int64_t now_ms,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
void evaluation_free(Evaluation *evaluation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Evaluation, evaluation_free)

/* Evaluates frameworks (ids, ends in NULL; NULL: all) and stores statuses that changed and the
 * score when it changed or is a day old; when neither is so, it only reads. *changed_out, which may
 * be NULL, counts the controls whose status or verdict beside it changed; a first manual or
 * no_evidence is no change. ERROR_NOT_FOUND for an unknown framework. */
bool evaluate_controls(Db *db, const DbScope *scope, Registry *registry,
                       const char *const *frameworks, int64_t now_ms, size_t *changed_out,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;
