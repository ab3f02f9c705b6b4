#include "base/error.h"
#include "comply/framework.h"
#include "present/evidence_object.h"
#include "present/integration_object.h"
#include "present/job_object.h"
#include "present/provider_object.h"
#include "provider/registry.h"

#include <string.h>

/* --- integrations ----------------------------------------------------------------------------- */

static void an_integration_has_all_members_also_when_nothing_is_known(void) {
    static const char *const members[] = {"id",
                                          "organizationId",
                                          "ownerUserId",
                                          "integrationType",
                                          "name",
                                          "auth",
                                          "status",
                                          "statusReason",
                                          "errorMessage",
                                          "config",
                                          "enabledChecks",
                                          "evidenceTypes",
                                          "scanSchedule",
                                          "lastSyncAt",
                                          "lastCheckedAt",
                                          "nextCheckAt",
                                          "lastSyncResult",
                                          "rotationDueAt",
                                          "createdAt",
                                          "updatedAt"};
    Integration row = {.id = "i",
                       .provider = "github",
                       .name = "n",
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{}",
                       .account = "{}"};
    g_autoptr(Json) json = integration_object(&row, "org", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        g_assert_nonnull(json_member(json, members[i]));
    g_assert_cmpuint(json_count(json), ==, G_N_ELEMENTS(members));
    g_assert_cmpint(json_kind(json_member(json, "lastSyncAt")), ==, JSON_KIND_NULL);
}

static void what_was_wiped_is_not_due_to_be_replaced(void) {
    Integration row = {.id = "i",
                       .provider = "github",
                       .name = "n",
                       .auth = "pat",
                       .status = INTEGRATION_PAUSED,
                       .settings = "{}",
                       .account = "{}",
                       .rotation_due_at = 1760000000000};
    g_autoptr(Json) json = integration_object(&row, "org", NULL);
    g_assert_cmpstr(json_member_string(json, "rotationDueAt", ""), ==, "2025-10-09T08:53:20.000Z");
    row.status = INTEGRATION_DISCONNECTED;
    g_autoptr(Json) gone = integration_object(&row, "org", NULL);
    g_assert_cmpint(json_kind(json_member(gone, "rotationDueAt")), ==, JSON_KIND_NULL);
}

static void only_plaintext_facts_of_a_credential_are_shown(void) {
    Integration row = {.id = "i",
                       .provider = "github",
                       .name = "n",
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{\"api_url\":\"https://x\"}",
                       .account = "{\"user\":\"u\"}"};
    Credential credential = {.fields = "{\"access_token\":\"v1.sealed\"}",
                             .metadata = "{\"scopes\":[\"a\"],\"other\":1}",
                             .expires_at = 1760000000000};
    g_autoptr(Json) json = integration_object(&row, "org", &credential);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_assert_null(strstr(text, "sealed"));
    g_assert_null(strstr(text, "other"));
    g_assert_nonnull(strstr(text, "\"apiUrl\":\"https://x\""));
    g_assert_nonnull(strstr(text, "\"scopes\":[\"a\"]"));
    g_assert_nonnull(strstr(text, "\"expiresAt\":\"2025-10-09T08:53:20.000Z\""));
}

static void filters_mean_groups_of_statuses(void) {
    g_assert_true(integration_status_fits("active", INTEGRATION_DEGRADED));
    g_assert_true(integration_status_fits("error", INTEGRATION_DEGRADED));
    g_assert_false(integration_status_fits("active", INTEGRATION_RECONNECT_NEEDED));
    g_assert_true(integration_status_fits(INTEGRATION_PAUSED, INTEGRATION_PAUSED));
    g_assert_false(integration_status_fits("anything", INTEGRATION_CONNECTED));
}

/* --- jobs ------------------------------------------------------------------------------------- */

static Job make_job(const char *status) {
    return (Job){.organization_id = "org",
                 .id = "j",
                 .integration_id = "i",
                 .status = status,
                 .request = "{\"evidenceTypes\":[\"a\",\"b\"],\"from\":0}",
                 .created_at = 1000};
}

static void a_job_that_waits_has_neither_result_nor_error(void) {
    Job job = make_job(JOB_PENDING);
    g_autoptr(Json) json = job_object(&job, NULL, NULL);
    g_assert_cmpuint(json_count(json_member(json, "evidenceTypes")), ==, 2);
    g_assert_cmpint(json_kind(json_member(json, "result")), ==, JSON_KIND_NULL);
    g_assert_cmpint(json_kind(json_member(json, "error")), ==, JSON_KIND_NULL);
    g_assert_cmpint(json_kind(json_member(json, "progress")), ==, JSON_KIND_NULL);
}

static void errors_of_a_result_say_whether_to_try_again(void) {
    Job job = make_job(JOB_COMPLETED);
    JobResult result = {.result = "{\"evidenceCollected\":1,\"evidenceFailed\":2,\"errors\":["
                                  "{\"evidenceType\":\"a\",\"code\":\"TIMEOUT\",\"message\":\"m\"},"
                                  "{\"code\":\"PERMISSION_DENIED\"}]}"};
    g_autoptr(Json) json = job_object(&job, &result, NULL);
    const Json *errors = json_path(json, "result.errors");
    g_assert_cmpint(json_member_int(json_member(json, "result"), "controlsUpdated", -1), ==, 0);
    g_assert_true(json_member_bool(json_item(errors, 0), "retryable", false));
    g_assert_false(json_member_bool(json_item(errors, 1), "retryable", true));
    g_assert_cmpint(json_kind(json_member(json_item(errors, 1), "details")), ==, JSON_KIND_OBJECT);
}

/* --- evidence and providers ------------------------------------------------------------------- */

static void quality_is_what_is_left_of_validity_and_completeness(void) {
    Evidence row = {.id = "e",
                    .record = "{\"id\":\"e\"}",
                    .completeness = 0.5,
                    .valid_from = 1000,
                    .valid_until = 3000,
                    .review_state = EVIDENCE_COLLECTED};
    g_assert_cmpfloat(evidence_quality(&row, 1000), ==, 0.5);
    g_assert_cmpfloat(evidence_quality(&row, 2000), ==, 0.25);
    g_assert_cmpfloat(evidence_quality(&row, 9000), ==, 0);
    g_autoptr(Json) json = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_true(evidence_object(&row, NULL, 1000, &json, &error));
    g_assert_cmpfloat(json_member_real(json, "quality", 0), ==, 0.5);
}

static void a_record_that_is_damaged_is_told(void) {
    static const char *const records[] = {"", "[]", "{\"a\":"};
    for (size_t i = 0; i < G_N_ELEMENTS(records); i++) {
        Evidence row = {.id = "e", .record = records[i]};
        Json *json = NULL;
        g_autoptr(GError) error = NULL;
        g_assert_false(evidence_object(&row, NULL, 1000, &json, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_DATABASE);
    }
}

static void a_provider_names_what_it_needs(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Registry) registry = registry_new(NULL, &error);
    const Definition *definition = registry_find(registry, "github", &error);
    g_assert_no_error(error);
    g_autoptr(Json) whole = provider_object(definition);
    g_autoptr(Json) card = provider_card(definition);
    const Json *type = json_item(json_member(whole, "evidenceTypes"), 0);
    g_assert_cmpuint(json_count(json_member(type, "needs")), >, 0);
    g_assert_cmpstr(json_text(json_item(json_member(card, "evidenceTypes"), 0)), ==,
                    json_member_string(type, "name", ""));
    g_assert_true(json_member_bool(
        json_item(json_member(json_item(json_member(whole, "auth"), 1), "fields"), 0), "secret",
        false));
}

static bool maps(const Json *provider, const char *framework, const char *control) {
    const Json *ids = json_member(json_member(provider, "controlsMapped"), framework);
    for (size_t i = 0; i < json_count(ids); i++)
        if (strcmp(json_text(json_item(ids, i)), control) == 0)
            return true;
    return false;
}

/* What the source documents say of AWS, as the frameworks write it today. */
static void a_provider_names_the_controls_that_it_supports(void) {
    static const struct {
        const char *framework;
        const char *control;
        bool mapped;
    } cases[] = {{"nist_800_171", "3.1.1", true},  {"nist_800_171", "3.3.1", true},
                 {"nist_800_171", "3.5.3", true},  {"soc2", "CC6.1", true},
                 {"nist_800_171", "3.9.1", false}, {"nowhere", "CC6.1", false}};
    g_autoptr(GError) error = NULL;
    g_autoptr(Registry) registry = registry_new(NULL, &error);
    const Definition *definition = registry_find(registry, "aws", &error);
    g_assert_no_error(error);
    g_autoptr(Json) whole = provider_object(definition);
    g_autoptr(Json) card = provider_card(definition);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_true(maps(whole, cases[i].framework, cases[i].control) == cases[i].mapped);
        g_assert_true(maps(card, cases[i].framework, cases[i].control) == cases[i].mapped);
    }
}

/* Each once, and in the framework's order, however many checks name them. */
static void controls_are_named_once_and_in_order(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Registry) registry = registry_new(NULL, &error);
    const Definition *definition = registry_find(registry, "github", &error);
    const Framework *framework = framework_find("nist_800_171", &error);
    g_assert_no_error(error);
    g_autoptr(Json) card = provider_card(definition);
    const Json *ids = json_path(card, "controlsMapped.nist_800_171");
    g_assert_cmpuint(json_count(ids), >, 1);
    for (size_t i = 1; i < json_count(ids); i++)
        g_assert_cmpuint(framework_control(framework, json_text(json_item(ids, i - 1)))->index, <,
                         framework_control(framework, json_text(json_item(ids, i)))->index);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/present/an_integration_has_all_members_also_when_nothing_is_known",
                    an_integration_has_all_members_also_when_nothing_is_known);
    g_test_add_func("/present/what_was_wiped_is_not_due_to_be_replaced",
                    what_was_wiped_is_not_due_to_be_replaced);
    g_test_add_func("/present/only_plaintext_facts_of_a_credential_are_shown",
                    only_plaintext_facts_of_a_credential_are_shown);
    g_test_add_func("/present/filters_mean_groups_of_statuses", filters_mean_groups_of_statuses);
    g_test_add_func("/present/a_job_that_waits_has_neither_result_nor_error",
                    a_job_that_waits_has_neither_result_nor_error);
    g_test_add_func("/present/errors_of_a_result_say_whether_to_try_again",
                    errors_of_a_result_say_whether_to_try_again);
    g_test_add_func("/present/quality_is_what_is_left_of_validity_and_completeness",
                    quality_is_what_is_left_of_validity_and_completeness);
    g_test_add_func("/present/a_record_that_is_damaged_is_told", a_record_that_is_damaged_is_told);
    g_test_add_func("/present/a_provider_names_what_it_needs", a_provider_names_what_it_needs);
    g_test_add_func("/present/a_provider_names_the_controls_that_it_supports",
                    a_provider_names_the_controls_that_it_supports);
    g_test_add_func("/present/controls_are_named_once_and_in_order",
                    controls_are_named_once_and_in_order);
    return g_test_run();
}
