#include "cli/evidence_review.h"

#include "base/error.h"
#include "cli/access.h"
#include "cli/naming.h"
#include "cli/session.h"
#include "present/review_object.h"
#include "store/evidence.h"
#include "store/user.h"

typedef struct {
    Review review;
    Review *stored;
} ReviewWork;

static bool note(DbUnit *unit, const Review *review, GError **error) {
    g_autoptr(Evidence) evidence = NULL;
    g_autoptr(Json) details = json_new_object();
    if (!evidence_get(unit, review->evidence_id, &evidence, error))
        return false;
    AuditEntry entry = {.action = AUDIT_EVIDENCE_REVIEWED,
                        .actor = session_actor(),
                        .target_kind = "evidence",
                        .target_id = evidence->id,
                        .target_name = evidence->evidence_type,
                        .details = details};
    json_put_string(details, "state", review->state);
    return audit_add(unit, &entry, error);
}

static bool review_work(DbUnit *unit, void *data, GError **error) {
    ReviewWork *work = data;
    g_clear_pointer(&work->stored, review_free);
    return review_put(unit, &work->review, error) &&
           review_get(unit, work->review.evidence_id, &work->stored, error) &&
           note(unit, &work->review, error);
}

static bool make_review(const Arguments *arguments, Review *review, GError **error) {
    bool approve = arguments_flag(arguments, "approve");
    const char *by = arguments_text(arguments, "by");
    if (approve == arguments_flag(arguments, "reject")) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "give one of --approve and --reject");
        return false;
    }
    if (!naming_check("--by", by, USER_NAME_MAX, error))
        return false;
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

static void tell(const Output *output, const Json *json) {
    const char *state = json_member_string(json, "reviewState", "");
    g_autofree char *by = output_text(json_member_string(json, "reviewedBy", NULL));
    output_json(output, json);
    output_line(output, "Evidence %s is %s by %s.", json_member_string(json, "evidenceId", ""),
                state, by);
    if (g_str_equal(state, EVIDENCE_APPROVED))
        output_note(output, "The weekly renewal collects it again: assay schedule");
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
    tell(call->output, json);
    return true;
}

/* --- the same of a server --------------------------------------------------------------------- */

/* What was decided, of the whole item. */
static Json *review_of_item(const Json *item) {
    Json *json = json_new_object();
    json_put_string(json, "evidenceId", json_member_string(item, "id", NULL));
    json_put_string(json, "reviewState", json_member_string(item, "reviewState", NULL));
    json_put_string(json, "reviewedBy", json_member_string(item, "reviewedBy", NULL));
    json_put_string(json, "reviewedAt", json_member_string(item, "reviewedAt", NULL));
    json_put_string(json, "note", json_member_string(item, "reviewComment", NULL));
    return json;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    Review review;
    if (!make_review(call->arguments, &review, error))
        return false;
    if (arguments_text(call->arguments, "by")) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--by is for the data directory; the server knows who asks");
        return false;
    }
    g_autofree char *path = remote_path("/api/evidence/{id}/review", review.evidence_id);
    g_autoptr(Json) body = json_new_object();
    json_put_string(body, "state", review.state);
    if (review.note)
        json_put_string(body, "comment", review.note);
    g_autoptr(Json) item = remote_send(remote, "POST", path, body, error);
    if (!item)
        return false;
    g_autoptr(Json) json = review_of_item(item);
    tell(call->output, json);
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
    .remote = run_remote,
};
