/* Approving and rejecting evidence. */
#include "base/clock.h"
#include "cli/evidence_review.h"
#include "store/evidence.h"
#include "unit/cli_support.h"

#include <string.h>

#define NOW INT64_C(1760000000000)

static bool add_evidence(DbUnit *unit, void *data, GError **error) {
    Evidence row = {.id = "e-1",
                    .integration_id = data,
                    .evidence_type = "branch_protection",
                    .source = "github",
                    .record = "{\"id\":\"e-1\",\"evidenceType\":\"branch_protection\"}",
                    .completeness = 1,
                    .collected_at = NOW,
                    .valid_from = NOW,
                    .valid_until = NOW + 1000};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static Session *desk_with_evidence(void) {
    clock_freeze(NOW);
    Session *session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    must(session_run(session, DB_WRITE, add_evidence, id, &error));
    return session;
}

static void assert_state(const char *state) {
    g_autoptr(Json) list = desk_json("evidence list", 0);
    const Json *item = json_item(json_member(list, "evidence"), 0);
    g_assert_cmpstr(json_member_string(item, "reviewState", ""), ==, state);
}

static void evidence_is_approved_and_rejected_by_somebody(void) {
    g_autoptr(Session) session = desk_with_evidence();
    assert_state("collected");
    g_autoptr(Json) approved = desk_json("evidence review e-1 --approve --by mona", 0);
    g_assert_cmpstr(json_member_string(approved, "evidenceId", ""), ==, "e-1");
    g_assert_cmpstr(json_member_string(approved, "reviewState", ""), ==, "approved");
    g_assert_cmpstr(json_member_string(approved, "reviewedBy", ""), ==, "mona");
    g_assert_cmpstr(json_member_string(approved, "reviewedAt", ""), ==, "2025-10-09T08:53:20.000Z");
    assert_state("approved");
    g_autoptr(Json) rejected = desk_json("evidence review e-1 --reject --note outdated", 0);
    g_assert_cmpstr(json_member_string(rejected, "note", ""), ==, "outdated");
    g_assert_cmpstr(json_member_string(rejected, "reviewedBy", ""), ==, g_get_user_name());
    assert_state("rejected");
}

static void reviews_are_noted_like_those_of_the_api(void) {
    g_autoptr(Session) session = desk_with_evidence();
    g_autoptr(Json) approved = desk_json("evidence review e-1 --approve --by mona", 0);
    g_autoptr(Json) rejected = desk_json("evidence review e-1 --reject", 0);
    desk_fails("evidence review e-9 --approve", 3, "there is no evidence");
    g_autoptr(Json) log = desk_noted("evidence.review", 2);
    static const char *const states[] = {EVIDENCE_REJECTED, EVIDENCE_APPROVED};
    for (size_t i = 0; i < 2; i++) {
        const Json *row = json_item(log, i);
        g_assert_cmpstr(json_text(json_path(row, "details.state")), ==, states[i]);
        g_assert_cmpstr(json_text(json_path(row, "target.id")), ==, "e-1");
        g_assert_cmpstr(json_text(json_path(row, "target.name")), ==, "branch_protection");
        g_assert_cmpstr(json_text(json_path(row, "actor.name")), ==, g_get_user_name());
    }
}

static void people_are_told_what_follows(void) {
    g_autoptr(Session) session = desk_with_evidence();
    g_auto(Said) approved = desk_run("evidence review e-1 --approve --by mona");
    assert_holds(approved.out, "Evidence e-1 is approved by mona.");
    assert_holds(approved.err, "The weekly renewal collects it again");
    g_auto(Said) rejected = desk_run("evidence review e-1 --reject --by mona");
    assert_holds(rejected.out, "Evidence e-1 is rejected by mona.");
    g_assert_cmpstr(rejected.err, ==, "");
}

static void the_item_shows_who_has_reviewed_it(void) {
    g_autoptr(Session) session = desk_with_evidence();
    g_auto(Said) review = desk_run("evidence review e-1 --reject --note outdated --by mona");
    g_autoptr(Json) list = desk_json("evidence list", 0);
    const Json *item = json_item(json_member(list, "evidence"), 0);
    g_assert_cmpstr(json_member_string(item, "reviewedBy", ""), ==, "mona");
    g_assert_cmpstr(json_member_string(item, "reviewedAt", ""), ==, "2025-10-09T08:53:20.000Z");
    g_assert_cmpstr(json_member_string(item, "reviewComment", ""), ==, "outdated");
    assert_holds(review.out, "rejected by mona");
}

static void wrong_reviews_are_refused(void) {
    g_autoptr(Session) session = desk_with_evidence();
    desk_fails("evidence review e-1", 2, "give one of --approve and --reject");
    desk_fails("evidence review e-1 --approve --reject", 2, "give one of");
    desk_fails("evidence review --approve", 2, "something is missing");
    desk_fails("evidence review e-9 --approve", 3, "there is no evidence \"e-9\"");
    g_autoptr(Json) made = desk_json("init --organization other", 0);
    desk_fails("evidence review e-1 --approve --organization other", 3, "there is no evidence");
    assert_state("collected");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"evidence_is_approved_and_rejected_by_somebody",
         evidence_is_approved_and_rejected_by_somebody},
        {"reviews_are_noted_like_those_of_the_api", reviews_are_noted_like_those_of_the_api},
        {"people_are_told_what_follows", people_are_told_what_follows},
        {"the_item_shows_who_has_reviewed_it", the_item_shows_who_has_reviewed_it},
        {"wrong_reviews_are_refused", wrong_reviews_are_refused},
    };
    return desk_main(argc, argv, "evidence_review", tests, G_N_ELEMENTS(tests));
}
