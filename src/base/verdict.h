/* verdict.h - the four verdicts of a check, on one row and as a whole.
 *
 * A denied or cut-short read is never a pass and never a fail.
 */
#pragma once

#include <stdbool.h>

typedef enum {
    VERDICT_PASS,
    VERDICT_FAIL,
    VERDICT_COULD_NOT_READ,
    VERDICT_NOT_APPLICABLE,
    VERDICTS
} Verdict;

/* "pass", "fail", "could_not_read", "not_applicable". Static storage. */
const char *verdict_name(Verdict verdict);
bool verdict_from_name(const char *name, Verdict *verdict_out);

/* The worse of two, for one resource seen in several rows: fail, could_not_read, pass,
 * not_applicable. */
Verdict verdict_worse(Verdict a, Verdict b);
