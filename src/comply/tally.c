#include "comply/tally.h"

void tally_add(Tally *tally, Verdict verdict, uint64_t unread) {
    tally->rows[verdict]++;
    if (verdict != VERDICT_COULD_NOT_READ)
        return;
    for (size_t node = 0; node < READ_MAX_NODES; node++)
        tally->unread_by[node] += (int64_t)(unread >> node & 1);
    tally->unread_odd += unread == 0;
}

int64_t tally_judged(const Tally *tally) {
    return tally->rows[VERDICT_PASS] + tally->rows[VERDICT_FAIL];
}

/* Whether so many of so many rows are enough. */
static bool is_enough(const DefinitionCheck *check, int64_t passed, int64_t of) {
    double have = (double)passed * 100.0;
    double want = check->require_percent * (double)of;
    switch (check->require) {
    case REQUIRE_MORE_THAN:
        return have > want;
    case REQUIRE_AT_LEAST:
        return have >= want;
    case REQUIRE_ALL:
        break;
    }
    return passed == of;
}

/* Could not read unless the unread rows, whatever they are, leave the outcome as it is. How many
 * are missing from a list that was cut is not known, so a share is never certain then. */
static Verdict weigh_unread(const Tally *tally, const DefinitionCheck *check) {
    int64_t passed = tally->rows[VERDICT_PASS];
    int64_t unread = tally->rows[VERDICT_COULD_NOT_READ];
    int64_t all = tally_judged(tally) + unread;
    if (check->require == REQUIRE_ALL)
        return tally->rows[VERDICT_FAIL] > 0 ? VERDICT_FAIL : VERDICT_COULD_NOT_READ;
    if (tally->rows_missing || tally_judged(tally) == 0)
        return VERDICT_COULD_NOT_READ;
    if (is_enough(check, passed, all))
        return VERDICT_PASS;
    return is_enough(check, passed + unread, all) ? VERDICT_COULD_NOT_READ : VERDICT_FAIL;
}

Verdict tally_verdict(const Tally *tally, const DefinitionCheck *check) {
    if (tally->rows_missing || tally->rows[VERDICT_COULD_NOT_READ] > 0)
        return weigh_unread(tally, check);
    int64_t judged = tally_judged(tally);
    if (judged == 0)
        return VERDICT_NOT_APPLICABLE;
    return is_enough(check, tally->rows[VERDICT_PASS], judged) ? VERDICT_PASS : VERDICT_FAIL;
}
