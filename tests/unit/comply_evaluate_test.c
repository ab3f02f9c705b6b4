/* Control status and scores of an organization, from its check results. */
#include "unit/comply_support.h"

#include "base/clock.h"
#include "base/json.h"
#include "comply/evaluate.h"
#include "comply/judge.h"
#include "store/control_exception.h"
#include "store/control_status.h"
#include "store/integration.h"
#include "store/score.h"

#include <pthread.h>
#include <string.h>

#define ONE "integration-one"
#define TWO "integration-two"

#define GOOD "{\"age\":1,\"archived\":false,\"protected\":true,\"repository\":\"a\"}"
#define BAD "{\"age\":1,\"archived\":false,\"protected\":false,\"repository\":\"a\"}"
#define QUIET "{\"open\":false,\"repository\":\"a\"}"
#define ALARM "{\"open\":true,\"repository\":\"a\"}"

/* The providers alpha (protected: CC1.1, CC1.2; no_alerts: CC1.2) and beta (the same checks for
 * CC1.3), which nobody connects unless a test does. */
static Registry *registry_of_tests(void) {
    static const char later[] =
        "      protected: {title: The branch is protected, resource: .repository,\n"
        "        pass: .protected, severity: high, remediation: Protect it.,\n"
        "        controls: {soc2: [CC1.3, CC1.1]}}\n";
    g_autofree char *alpha = comply_definition_text("alpha", CHECK_PROTECTED, CHECK_NO_ALERTS);
    g_autofree char *beta = comply_definition_text("beta", later, NULL);
    const char *const files[] = {"alpha", alpha, "beta", beta, NULL};
    return comply_registry(files);
}

static const Framework *soc2(void) {
    const Framework *framework = NULL;
    comply_ok((framework = framework_find("soc2", &error)) != NULL);
    return framework;
}

static void judge(Registry *registry, const ComplyEvidence *evidence, const char *provider) {
    const Definition *definition = NULL;
    g_autofree char *id = comply_add_evidence(evidence);
    comply_ok((definition = registry_find(registry, provider, &error)) != NULL);
    comply_ok(judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
}

static Evaluation *evaluate(Registry *registry) {
    Evaluation *evaluation = NULL;
    comply_ok((evaluation = evaluation_new(comply_db(), comply_scope(), registry, soc2(),
                                           clock_now_ms(), &error)) != NULL);
    return evaluation;
}

static const EvaluatedControl *control_of(const Evaluation *evaluation, const char *id) {
    const FrameworkControl *control = framework_control(evaluation->framework, id);
    g_assert_nonnull(control);
    return &evaluation->controls[control->index];
}

static void assert_control(Registry *registry, const char *id, ControlState state,
                           const char *reason) {
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    const EvaluatedControl *control = control_of(evaluation, id);
    g_assert_cmpstr(control_state_name(control->answer.state), ==, control_state_name(state));
    g_assert_cmpstr(control->reason, ==, reason);
}

static size_t store(Registry *registry) {
    static const char *const frameworks[] = {"soc2", NULL};
    size_t changed = 0;
    comply_ok(evaluate_controls(comply_db(), comply_scope(), registry, frameworks, clock_now_ms(),
                                &changed, &error));
    return changed;
}

/* --- states ----------------------------------------------------------------------------------- */

static void nothing_connected_is_no_evidence_and_the_rest_is_manual(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE,
                   "No connected service; connect The alpha or The beta.");
    assert_control(registry, "CC1.3", CONTROL_NO_EVIDENCE,
                   "No connected service; connect The beta.");
    assert_control(registry, "CC1.5", CONTROL_MANUAL, "Not assessed by automation.");
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    g_assert_cmpuint(evaluation->unserved, ==, evaluation->score.counts[CONTROL_NO_EVIDENCE]);
    g_assert_cmpfloat(evaluation->score.score, ==, 0);
    g_assert_cmpuint(evaluation->control_count, ==, 61);
}

static void a_connection_without_a_sync_is_no_evidence(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE, ONE " was never synced.");
    assert_control(registry, "CC1.3", CONTROL_NO_EVIDENCE,
                   "No connected service; connect The beta.");
}

static bool finish_sync(DbUnit *unit, void *data, GError **error) {
    (void)data;
    IntegrationSync sync = {
        .result = "{}", .synced_at = START_MS, .status = {.status = INTEGRATION_CONNECTED}};
    return integration_record_sync(unit, ONE, &sync, error);
}

static bool lose_credential(DbUnit *unit, void *data, GError **error) {
    (void)data;
    IntegrationStatus status = {.status = INTEGRATION_RECONNECT_NEEDED};
    return integration_update_status(unit, ONE, &status, error);
}

static void a_sync_that_brought_nothing_is_said(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    comply_run(finish_sync, NULL);
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE,
                   "The syncs of " ONE " brought no evidence branches.");
    comply_run(lose_credential, NULL);
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE, ONE " needs to be reconnected.");
}

static void results_decide(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    assert_control(registry, "CC1.1", CONTROL_COMPLIANT, "1 check passes.");
    assert_control(registry, "CC1.2", CONTROL_COMPLIANT,
                   "1 check passes; 1 more has no evidence yet.");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "alerts", .rows = ALARM},
          "alpha");
    assert_control(registry, "CC1.2", CONTROL_PARTIAL,
                   "1 of 2 checks fails: No alert is open (" ONE ").");
    clock_advance(1000);
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = BAD},
          "alpha");
    assert_control(registry, "CC1.1", CONTROL_NON_COMPLIANT,
                   "1 of 1 check fails: The branch is protected (" ONE ").");
    clock_advance(1000);
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = ""},
          "alpha");
    assert_control(registry, "CC1.1", CONTROL_NOT_APPLICABLE, "1 check found nothing to apply to.");
}

static void what_could_not_be_read_is_inconclusive(void) {
    static const char denied[] =
        "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"forbidden\":1}},"
        "{\"node\":\"protection\",\"outcomes\":{}}";
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry,
          &(ComplyEvidence){.integration_id = ONE,
                            .type = "branches",
                            .rows = "",
                            .reads = denied,
                            .completeness = 0.25},
          "alpha");
    assert_control(registry, "CC1.1", CONTROL_INCONCLUSIVE,
                   "1 of 1 check could not be read: The branch is protected (" ONE ").");
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    const ControlAnswer *answer = &control_of(evaluation, "CC1.1")->answer;
    g_assert_cmpfloat(answer->parts.completeness, ==, 0.25);
    g_assert_cmpfloat(answer->confidence, ==, 0.25);
}

static void the_clock_makes_evidence_stale(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry,
          &(ComplyEvidence){
              .integration_id = ONE, .type = "branches", .rows = GOOD, .valid_for = 10 * DAY_MS},
          "alpha");
    clock_advance(5 * DAY_MS);
    g_autoptr(Evaluation) half = evaluate(registry);
    g_assert_cmpfloat(control_of(half, "CC1.1")->answer.confidence, ==, 0.5);
    clock_advance(5 * DAY_MS);
    assert_control(registry, "CC1.1", CONTROL_STALE,
                   "The evidence branches of " ONE " is out of date since 2025-10-19.");
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    g_assert_cmpint(control_of(evaluation, "CC1.1")->answer.beside, ==, CONTROL_COMPLIANT);
    g_assert_cmpfloat(evaluation->score.met_weight, ==, 0);
}

static void two_integrations_may_disagree(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    comply_add_integration(TWO, "beta");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = TWO, .type = "branches", .rows = BAD},
          "beta");
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    const EvaluatedControl *control = control_of(evaluation, "CC1.1");
    g_assert_cmpint(control->answer.state, ==, CONTROL_PARTIAL);
    g_assert_cmpfloat(control->answer.parts.agreement, ==, 0.7);
    g_assert_cmpuint(control->check_count, ==, 2);
    g_assert_cmpstr(control->checks[1].integration, ==, TWO);
    g_assert_cmpint(control_of(evaluation, "CC1.3")->answer.state, ==, CONTROL_NON_COMPLIANT);
}

static bool disconnect(DbUnit *unit, void *data, GError **error) {
    (void)data;
    IntegrationStatus status = {.status = INTEGRATION_DISCONNECTED};
    return integration_update_status(unit, ONE, &status, error);
}

static void disconnected_integrations_have_no_say(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    comply_run(disconnect, NULL);
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE,
                   "No connected service; connect The alpha or The beta.");
}

static bool except(DbUnit *unit, void *data, GError **error) {
    const int64_t *until = data;
    ControlException row = {.framework = "soc2",
                            .control_id = "CC1.1",
                            .who = "Ada",
                            .why = "replaced in spring.",
                            .until_at = *until};
    return control_exception_upsert(unit, &row, error);
}

static void open_exceptions_stand_before_everything(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = BAD},
          "alpha");
    int64_t until = START_MS + DAY_MS;
    comply_run(except, &until);
    assert_control(registry, "CC1.1", CONTROL_EXCEPTION,
                   "Excepted by Ada until 2025-10-10: replaced in spring.");
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    g_assert_cmpint(control_of(evaluation, "CC1.1")->answer.beside, ==, CONTROL_NON_COMPLIANT);
    clock_advance(DAY_MS);
    assert_control(registry, "CC1.1", CONTROL_NON_COMPLIANT,
                   "1 of 1 check fails: The branch is protected (" ONE ").");
}

static bool want_alerts_only(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Integration row = {.id = TWO,
                       .provider = "alpha",
                       .name = "narrow",
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{}",
                       .account = "{}",
                       .evidence_types = "[\"alerts\"]"};
    return integration_insert(unit, &row, error);
}

static void types_that_are_switched_off_are_not_expected(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_run(want_alerts_only, NULL);
    g_autoptr(Evaluation) evaluation = evaluate(registry);
    g_assert_cmpuint(control_of(evaluation, "CC1.1")->check_count, ==, 0);
    g_assert_cmpuint(control_of(evaluation, "CC1.2")->check_count, ==, 1);
    g_assert_cmpstr(control_of(evaluation, "CC1.2")->checks[0].check_id, ==, "alerts.no_alerts");
}

static void broken_definitions_have_no_checks(void) {
    g_autofree char *alpha = comply_definition_text("alpha", CHECK_PROTECTED, NULL);
    const char *const files[] = {"alpha", alpha, "gamma", "assay: 1\nnonsense\n", NULL};
    g_autoptr(Registry) registry = comply_registry(files);
    comply_add_integration(ONE, "gamma");
    comply_add_integration(TWO, "nobody");
    assert_control(registry, "CC1.1", CONTROL_NO_EVIDENCE,
                   "No connected service; connect The alpha.");
}

/* --- storing ---------------------------------------------------------------------------------- */

typedef struct {
    const char *control;
    ControlStatus *row;
    GPtrArray *scores;
} Stored;

static bool read_stored(DbUnit *unit, void *data, GError **error) {
    Stored *stored = data;
    g_clear_pointer(&stored->row, control_status_free);
    g_clear_pointer(&stored->scores, g_ptr_array_unref);
    return control_status_get(unit, "soc2", stored->control, &stored->row, error) &&
           score_list(unit, "soc2", 0, 100, &stored->scores, error);
}

static void statuses_are_stored_when_they_change(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    g_assert_cmpuint(store(registry), ==, 0); /* a first manual or no_evidence is no news */
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    clock_advance(1000);
    g_assert_cmpuint(store(registry), ==, 2); /* CC1.1 and CC1.2 */
    clock_advance(1000);
    g_assert_cmpuint(store(registry), ==, 0);
    Stored stored = {.control = "CC1.1"};
    comply_run(read_stored, &stored);
    g_autoptr(ControlStatus) row = stored.row;
    g_autoptr(GPtrArray) scores = stored.scores;
    g_assert_cmpstr(row->status, ==, "compliant");
    g_assert_null(row->verdict_beside);
    g_assert_cmpstr(row->reason, ==, "1 check passes.");
    g_assert_cmpfloat(row->confidence, ==, 1.0);
    g_assert_cmpint(row->updated_at, ==, START_MS + 1000);
    g_autoptr(Json) detail = json_parse(row->detail, strlen(row->detail), 100000, NULL);
    g_assert_cmpfloat(json_number_or(json_path(detail, "confidenceParts.coverage"), 0), ==, 1.0);
    g_assert_cmpstr(json_member_string(json_item(json_member(detail, "checks"), 0), "check", ""),
                    ==, "branches.protected");
    g_assert_cmpuint(scores->len, ==, 2);
}

static void going_stale_is_a_change(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    g_assert_cmpuint(store(registry), ==, 2);
    clock_advance(31 * DAY_MS);
    g_assert_cmpuint(store(registry), ==, 2);
    Stored stored = {.control = "CC1.1"};
    comply_run(read_stored, &stored);
    g_autoptr(ControlStatus) row = stored.row;
    g_autoptr(GPtrArray) scores = stored.scores;
    g_assert_cmpstr(row->status, ==, "stale");
    g_assert_cmpstr(row->verdict_beside, ==, "compliant");
    g_assert_cmpuint(scores->len, ==, 2);
}

static void scores_are_kept_once_a_day_or_when_they_change(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    store(registry);
    clock_advance(3600 * 1000);
    store(registry);
    clock_advance(DAY_MS);
    store(registry);
    Stored stored = {.control = "CC1.5"};
    comply_run(read_stored, &stored);
    g_autoptr(ControlStatus) row = stored.row;
    g_autoptr(GPtrArray) scores = stored.scores;
    g_assert_cmpuint(scores->len, ==, 2);
    const Score *score = g_ptr_array_index(scores, 0);
    g_assert_cmpfloat(score->score, ==, 0);
    g_assert_nonnull(strstr(score->counts, "\"manual\":"));
    g_assert_cmpstr(row->status, ==, "manual");
}

static void all_frameworks_are_evaluated_unless_named(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    size_t changed = 0;
    comply_ok(evaluate_controls(comply_db(), comply_scope(), registry, NULL, clock_now_ms(),
                                &changed, &error));
    g_assert_cmpuint(changed, ==, 4); /* CC1.1, CC1.2, A.5.1.1 and 3.4.3 */
    static const char *const unknown[] = {"soc2", "pci_dss", NULL};
    comply_fails(ERROR_NOT_FOUND, evaluate_controls(comply_db(), comply_scope(), registry, unknown,
                                                    clock_now_ms(), NULL, &error));
}

/* --- nothing to store ------------------------------------------------------------------------- */

static void *store_beside(void *registry) {
    g_assert_cmpuint(store(registry), ==, 0);
    return NULL;
}

/* Nobody else can write until this one is done. */
static bool write_meanwhile(DbUnit *unit, void *data, GError **error) {
    Integration *row = NULL;
    pthread_t thread;
    if (!integration_get(unit, ONE, &row, error))
        return false;
    integration_free(row);
    g_assert_cmpint(pthread_create(&thread, NULL, store_beside, data), ==, 0);
    g_assert_cmpint(pthread_join(thread, NULL), ==, 0);
    return true;
}

static void what_has_not_changed_waits_for_no_write(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = GOOD},
          "alpha");
    g_assert_cmpuint(store(registry), ==, 2);
    clock_advance(1000);
    comply_run(write_meanwhile, registry);
    Stored stored = {.control = "CC1.1"};
    comply_run(read_stored, &stored);
    g_autoptr(ControlStatus) row = stored.row;
    g_autoptr(GPtrArray) scores = stored.scores;
    g_assert_cmpint(row->updated_at, ==, START_MS);
    g_assert_cmpuint(scores->len, ==, 1);
}

static const ComplyTest tests[] = {
    {"nothing_connected_is_no_evidence_and_the_rest_is_manual",
     nothing_connected_is_no_evidence_and_the_rest_is_manual},
    {"a_connection_without_a_sync_is_no_evidence", a_connection_without_a_sync_is_no_evidence},
    {"a_sync_that_brought_nothing_is_said", a_sync_that_brought_nothing_is_said},
    {"results_decide", results_decide},
    {"what_could_not_be_read_is_inconclusive", what_could_not_be_read_is_inconclusive},
    {"the_clock_makes_evidence_stale", the_clock_makes_evidence_stale},
    {"two_integrations_may_disagree", two_integrations_may_disagree},
    {"disconnected_integrations_have_no_say", disconnected_integrations_have_no_say},
    {"open_exceptions_stand_before_everything", open_exceptions_stand_before_everything},
    {"types_that_are_switched_off_are_not_expected", types_that_are_switched_off_are_not_expected},
    {"broken_definitions_have_no_checks", broken_definitions_have_no_checks},
    {"statuses_are_stored_when_they_change", statuses_are_stored_when_they_change},
    {"going_stale_is_a_change", going_stale_is_a_change},
    {"scores_are_kept_once_a_day_or_when_they_change",
     scores_are_kept_once_a_day_or_when_they_change},
    {"what_has_not_changed_waits_for_no_write", what_has_not_changed_waits_for_no_write},
    {"all_frameworks_are_evaluated_unless_named", all_frameworks_are_evaluated_unless_named},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "evaluate", tests, G_N_ELEMENTS(tests));
}
