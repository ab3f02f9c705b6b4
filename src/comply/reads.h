/* reads.h - what an evidence record says about the reads behind it.
 *
 * The record's `completeness.reads[]` has one entry per node of the read graph: answers by
 * outcome, lists begun and ended, the first failure and the missing permission. The nodes from the
 * root to the node that makes the rows are the chain: when one of them was denied or cut short,
 * rows are missing. Every other node adds to a row, and the row itself says that it is unread.
 */
#pragma once

#include "base/outcome.h"
#include "provider/definition.h"

typedef struct {
    bool known; /* the record has an entry for the node */
    uint64_t outcomes[OUTCOMES];
    uint64_t lists;
    uint64_t lists_ended;
    char *message; /* the first failure, or NULL */
    char *needs;   /* the missing permissions, "; " between them, or NULL */
} ReadState;

typedef struct Reads Reads;

/* Reads the evidence record (JSON). The type is borrowed and must outlive the result.
 * ERROR_DATABASE when the record is no JSON object. A record without an entry for a node of the
 * chain counts as rows missing. */
Reads *reads_new(const Definition *definition, const EvidenceType *type, const char *record,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
void reads_free(Reads *reads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Reads, reads_free)

/* Those of these nodes (bit per node) for which rows may be missing: of the chain, with a gap. */
uint64_t reads_rows_missing(const Reads *reads, uint64_t nodes);

/* Whether a list of the chain may have been cut in the middle, so that a resource seen in it may
 * have further rows. A list that was denied from its beginning is not. */
bool reads_cut_short(const Reads *reads);

/* The state of a node. Borrowed. */
const ReadState *reads_state(const Reads *reads, size_t node);

/* The worst outcome of a state that cannot be judged; OUTCOME_OK when there is none. */
Outcome read_state_failure(const ReadState *state);
