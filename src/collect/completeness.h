/* completeness.h - what was read for one evidence type, what was not, and why.
 *
 * One Completeness per evidence type; one ReadCount per node of its read graph. It is stored in
 * the evidence record and judged later: a list that was denied or cut short never looks like an
 * empty or a passing one.
 */
#pragma once

#include "base/json.h"
#include "base/outcome.h"

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *node;     /* borrowed name in the evidence type's read graph */
    uint64_t requests;    /* answers taken, live or recorded */
    uint64_t pages;       /* pages of lists that were read */
    uint64_t rows;        /* rows before any filter */
    uint64_t lists;       /* lists begun */
    uint64_t lists_ended; /* lists whose end was seen */
    uint64_t outcomes[OUTCOMES];
    char *message;    /* the first of the worst failures, one sentence, or NULL */
    GPtrArray *needs; /* char *: the permissions that are missing, each once; NULL: none known */
} ReadCount;

typedef struct Completeness Completeness;

Completeness *completeness_new(const char *const *nodes, size_t count);
void completeness_free(Completeness *completeness);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Completeness, completeness_free)

/* The counter of a node, to be counted up by the run. Borrowed. */
ReadCount *completeness_node(Completeness *completeness, size_t index);

/* Counts one final answer of a node; message and needs may be NULL. */
void completeness_answer(Completeness *completeness, size_t index, Outcome outcome,
                         const char *message, const char *needs);

/* Whether every read of every node ended ok or absent and every list was seen to its end. */
bool completeness_is_complete(const Completeness *completeness);

/* Share of the reads that could be judged, 0..1; 1 when nothing had to be read. */
double completeness_share(const Completeness *completeness);

/* The worst failure over all nodes: its outcome and message, which is borrowed; false when there is
 * none. */
bool completeness_failure(const Completeness *completeness, Outcome *outcome_out,
                          const char **message_out);

/* The missing permissions of all nodes, each once, "s3:GetBucketAcl (iam); s3:GetBucketPolicy
 * (iam)"; NULL when none is known. Caller frees. */
char *completeness_needs(const Completeness *completeness);

/* The form stored in the evidence record: {"complete": bool, "share": x, "reads": [...]}. */
Json *completeness_json(const Completeness *completeness);
