#include "cli/mark.h"

static const Mark marks[] = {
    {"compliant", "✓", "compliant", TONE_GOOD},
    {"pass", "✓", "pass", TONE_GOOD},
    {"connected", "✓", "connected", TONE_GOOD},
    {"partial", "◐", "partial", TONE_PARTIAL},
    {"degraded", "◐", "degraded", TONE_PARTIAL},
    {"non_compliant", "▲", "failing", TONE_BAD},
    {"fail", "▲", "fail", TONE_BAD},
    {"reconnect_needed", "▲", "reconnect needed", TONE_BAD},
    {"inconclusive", "⊘", "could not read", TONE_UNREAD},
    {"could_not_read", "⊘", "could not read", TONE_UNREAD},
    {"stale", "◷", "stale", TONE_STALE},
    {"no_evidence", "◌", "no evidence", TONE_MUTED},
    {"disconnected", "◌", "disconnected", TONE_MUTED},
    {"not_applicable", "–", "not applicable", TONE_MUTED},
    {"paused", "–", "paused", TONE_MUTED},
    {"completed", "✓", "completed", TONE_GOOD},
    {"running", "◐", "running", TONE_PARTIAL},
    {"parked", "◷", "parked", TONE_STALE},
    {"pending", "◌", "pending", TONE_MUTED},
    {"failed", "▲", "failed", TONE_BAD},
    {"cancelled", "–", "cancelled", TONE_MUTED},
    {"manual", "·", "manual", TONE_MUTED},
    {"exception", "◇", "exception", TONE_MUTED},
    {"critical", "", "critical", TONE_BAD},
    {"high", "", "high", TONE_BAD},
    {"medium", "", "medium", TONE_PARTIAL},
    {"low", "", "low", TONE_MUTED},
};

Mark mark_of(const char *status) {
    for (size_t i = 0; i < G_N_ELEMENTS(marks); i++)
        if (g_strcmp0(marks[i].status, status) == 0)
            return marks[i];
    return (Mark){.status = status, .shape = "", .word = status ? status : "", .tone = TONE_PLAIN};
}

char *mark_text(const char *status, const char *beside) {
    Mark mark = mark_of(status);
    GString *text = g_string_new(mark.shape);
    g_string_append_printf(text, "%s%s", *mark.shape != '\0' ? " " : "", mark.word);
    if (beside)
        g_string_append_printf(text, " (%s)", mark_of(beside).word);
    return g_string_free(text, FALSE);
}

void mark_add(Grid *grid, const char *status, const char *beside) {
    g_autofree char *text = mark_text(status, beside);
    grid_add_tone(grid, mark_of(status).tone, text);
}
