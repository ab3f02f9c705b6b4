/* check.h - judges one row of evidence by all checks of its type.
 *
 * A CheckSet holds the checks of one evidence type, with their expressions in one program. It sees
 * nothing but the row, the settings and the time of the run, so that the same row always gets the
 * same verdicts:
 *
 *   - a check whose `applies` can be read and is false: not_applicable;
 *   - a read that the check needs is named in the row's `_unread` (provider/unread.h):
 *     could_not_read, or not_applicable when the customer's plan does not have it;
 *   - a field that the check names is unread, absent or of another type than declared:
 *     could_not_read;
 *   - `pass` gives exactly one boolean: pass or fail; anything else: could_not_read.
 *
 * Life: check_set_new, any number of check_set_judge, check_set_free. One thread at a time.
 */
#pragma once

#include "base/verdict.h"
#include "provider/definition.h"

typedef struct CheckSet CheckSet;

/* What a row says of one check. */
typedef struct {
    Verdict verdict;
    const char *resource; /* what was judged; NULL when the row cannot name it */
    uint64_t unread;      /* of could_not_read: the reads that failed, bit per node. What hangs on a
                             read that failed was never asked for and is not among them */
} RowVerdict;

/* The type is borrowed and must outlive the set; settings (VALUE_NONE: {}) are copied. */
CheckSet *check_set_new(const EvidenceType *type, Value settings, int64_t now_ms);
void check_set_free(CheckSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CheckSet, check_set_free)

/* As many as the type has. */
size_t check_set_count(const CheckSet *set);

/* Judges one row, given as JSON. The verdicts stand in the order of the type's checks; they and
 * their texts are borrowed until the next call. A row that is no JSON object is ERROR_DATABASE. */
bool check_set_judge(CheckSet *set, const char *bytes, size_t size, const RowVerdict **verdicts_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Why the expressions could not be run (they do not compile, or ran too long), one sentence, or
 * NULL. All rows from then on are could_not_read. Borrowed. */
const char *check_set_problem(const CheckSet *set);
