/* tally.h - from the verdicts of rows to the verdict of a check.
 *
 * `require: all` fails with the first failing row. A share such as '>80%' is of the judged rows
 * (passed + failed). Rows that could not be read, and rows that are missing because a list was
 * denied or cut short, make the check could_not_read unless they could not change the outcome.
 * Beside the verdicts stands which reads left rows unread, for the sentence about it (reason.h).
 * The rules with worked examples are in docs/judging.md.
 */
#pragma once

#include "base/verdict.h"
#include "provider/definition.h"

typedef struct {
    int64_t rows[VERDICTS];            /* rows by verdict */
    bool rows_missing;                 /* a list that makes rows was denied or cut short */
    int64_t unread_by[READ_MAX_NODES]; /* could_not_read rows that this read left unread */
    int64_t unread_odd;                /* those that no read explains */
} Tally;

/* Counts a row; unread are the reads that left it so, bit per node (of could_not_read only). */
void tally_add(Tally *tally, Verdict verdict, uint64_t unread);

/* Rows that passed or failed. */
int64_t tally_judged(const Tally *tally);

/* The verdict of the check. Pure. */
Verdict tally_verdict(const Tally *tally, const DefinitionCheck *check);
