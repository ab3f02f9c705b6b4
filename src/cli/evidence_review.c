#include "cli/evidence_review.h"

#include "base/error.h"
#include "cli/session.h"
#include "present/review_object.h"

typedef struct {
    Review review;
    Review *stored;
} ReviewWork;

static bool review_work(DbUnit *unit, void *data, GError **error) {
    ReviewWork *work = data;
    g_clear_pointer(&work->stored, review_free);
    return review_put(unit, &work->review, error) &&
           review_get(unit, work->review.evidence_id, &work->stored, error);
}

static bool make_review(const Arguments *arguments, Review *review, GError **error) {
    bool approve = arguments_flag(arguments, "approve");
    const char *by = arguments_text(arguments, "by");
    if (approve == arguments_flag(arguments, "reject")) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "give one of --approve and --reject");
        return false;
    }
    *review = (Review){.evidence_id = arguments_word(arguments, 0),
                       .state = approve ? EVIDENCE_APPROVED : EVIDENCE_REJECTED,
                       .reviewer = by ? by : g_get_user_name(),
                       .note = arguments_text(arguments, "note")};
    return true;
}

static bool store(const Session *session, ReviewWork *work, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (session_run(session, DB_WRITE, review_work, work, &failure))
        return true;
    if (error_code_of(failure) == ERROR_NOT_FOUND) {
        g_autofree char *shown = output_text(work->review.evidence_id);
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no evidence \"%s\"; `assay evidence list` shows what there is",
                    shown);
    } else {
        g_propagate_error(error, g_steal_pointer(&failure));
    }
    return false;
}

static bool run(CommandCall *call, GError **error) {
    ReviewWork work = {0};
    if (!make_review(call->arguments, &work.review, error))
        return false;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    bool ok = session && store(session, &work, error);
    g_autoptr(Review) stored = work.stored;
    if (!ok)
        return false;
    g_autoptr(Json) json = review_object(stored);
    g_autofree char *by = output_text(stored->reviewer);
    output_json(call->output, json);
    output_line(call->output, "Evidence %s is %s by %s.", stored->evidence_id, stored->state, by);
    if (g_str_equal(stored->state, EVIDENCE_APPROVED))
        output_note(call->output, "The weekly renewal collects it again: assay schedule");
    return true;
}

static const Option options[] = {
    {"approve", OPTION_FLAG, NULL, "it shows what it is to show"},
    {"reject", OPTION_FLAG, NULL, "it does not"},
    {"note", OPTION_TEXT, "TEXT", "why"},
    {"by", OPTION_TEXT, "NAME", "who says so (else who is signed in here)"},
    {0}};

const Command evidence_review_command = {
    .name = "evidence review",
    .summary = "approve or reject an evidence item",
    .usage = "ID --approve | --reject [--note TEXT] [--by NAME]",
    .about =
        "The record itself never changes: a review stands beside it, with who and when, and a\n"
        "later review replaces an earlier one. The weekly renewal collects again what\n"
        "approved evidence covers.",
    .examples = "assay evidence review 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d --approve\n"
                "assay evidence review 0199c5a4-7c1e-7d3f-8a52-0d1f6b1c2e3d --reject \\\n"
                "    --note 'taken before the migration'",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
};
