/* reason.h - why a check has its verdict, in one sentence for people. */
#pragma once

#include "comply/reads.h"
#include "comply/tally.h"

typedef struct {
    const EvidenceType *type;
    const DefinitionCheck *check;
    const Tally *tally;
    const Reads *reads;
    const char *problem; /* why expressions could not be run, or NULL */
    Verdict verdict;
} ReasonFacts;

/* "3 of 12 rows fail.", "protection could not be read for 2 of 12 rows: ..." with all reads that
 * left rows unread or missing, and the permissions that are known to be missing. Caller frees. */
char *reason_new(const ReasonFacts *facts);
