#include "base/verdict.h"

#include <glib.h>

typedef struct {
    const char *name;
    int badness;
} VerdictRow;

static const VerdictRow rows[VERDICTS] = {
    [VERDICT_PASS] = {"pass", 1},
    [VERDICT_FAIL] = {"fail", 3},
    [VERDICT_COULD_NOT_READ] = {"could_not_read", 2},
    [VERDICT_NOT_APPLICABLE] = {"not_applicable", 0},
};

const char *verdict_name(Verdict verdict) {
    return verdict < VERDICTS ? rows[verdict].name : "unknown";
}

bool verdict_from_name(const char *name, Verdict *verdict_out) {
    for (Verdict verdict = 0; verdict < VERDICTS; verdict++) {
        if (g_strcmp0(rows[verdict].name, name) == 0) {
            *verdict_out = verdict;
            return true;
        }
    }
    return false;
}

Verdict verdict_worse(Verdict a, Verdict b) {
    g_assert(a < VERDICTS && b < VERDICTS);
    return rows[a].badness >= rows[b].badness ? a : b;
}
