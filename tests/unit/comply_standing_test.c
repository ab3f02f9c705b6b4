/* What an organization has, and which checks support which control. */
#include "unit/comply_support.h"

#include "base/clock.h"
#include "comply/judge.h"
#include "comply/mapping.h"
#include "comply/standing.h"

#include <string.h>

#define GOOD "{\"age\":1,\"archived\":false,\"protected\":true,\"repository\":\"a\"}"

static Registry *registry_with(const char *branch_checks, const char *alert_checks) {
    g_autofree char *alpha = comply_definition_text("alpha", branch_checks, alert_checks);
    const char *const files[] = {"alpha", alpha, NULL};
    return comply_registry(files);
}

/* --- mapping ---------------------------------------------------------------------------------- */

/* "type.check" of the provider alpha that support a control, with commas. */
static char *mapped(const Mapping *mapping, const Framework *framework, const char *id) {
    size_t count = 0;
    const FrameworkControl *control = framework_control(framework, id);
    const MappedCheck *checks = mapping_checks(mapping, control->index, &count);
    GString *list = g_string_new(NULL);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(checks[i].definition->id, "alpha") == 0)
            g_string_append_printf(list, "%s%s.%s", list->len == 0 ? "" : ",", checks[i].type->name,
                                   checks[i].check->name);
    }
    return g_string_free(list, FALSE);
}

static void checks_are_mapped_to_controls_in_any_style(void) {
    static const char *const cases[][3] = {
        {"soc2", "CC1.1", "branches.protected"},
        {"soc2", "CC1.2", "branches.protected,alerts.no_alerts"},
        {"soc2", "CC1.5", ""},
        {"iso27001_2013", "A.5.1.1", "branches.protected"},
        {"iso27001_2022", "5.1", ""},
    };
    g_autoptr(Registry) registry = registry_with(CHECK_PROTECTED, CHECK_NO_ALERTS);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Framework *framework = comply_framework(cases[i][0]);
        g_autoptr(Mapping) mapping = mapping_new(framework, registry, NULL);
        g_autofree char *list = mapped(mapping, framework, cases[i][1]);
        g_assert_cmpstr(list, ==, cases[i][2]);
    }
}

static void a_control_named_twice_is_supported_once(void) {
    static const char twice[] =
        "      protected: {title: T, resource: .repository, pass: .protected, severity: low,\n"
        "        remediation: R, controls: {soc2: [CC1.1, cc_1_1, CC77.7]}}\n";
    g_autoptr(Registry) registry = registry_with(twice, NULL);
    const Framework *framework = comply_framework("soc2");
    g_autoptr(Mapping) mapping = mapping_new(framework, registry, NULL);
    g_autofree char *list = mapped(mapping, framework, "CC1.1");
    g_assert_cmpstr(list, ==, "branches.protected");
}

static void assert_known(const Definition *definition, const CheckControls *controls) {
    if (!g_strv_contains(framework_ids(), controls->framework))
        return;
    for (size_t i = 0; i < controls->count; i++) {
        g_test_message("%s %s:%s", definition->id, controls->framework, controls->controls[i]);
        g_assert_true(framework_control_known(NULL, controls->framework, controls->controls[i]));
    }
}

static void assert_known_of_type(const Definition *definition, const EvidenceType *type) {
    for (size_t i = 0; i < type->check_count; i++) {
        const DefinitionCheck *check = &type->checks[i];
        for (size_t j = 0; j < check->control_count; j++)
            assert_known(definition, &check->controls[j]);
    }
}

static void embedded_definitions_name_controls_that_exist(void) {
    g_autoptr(Registry) registry = NULL;
    comply_ok((registry = registry_new(NULL, &error)) != NULL);
    const char *const *ids = registry_ids(registry);
    for (size_t i = 0; ids[i] != NULL; i++) {
        const Definition *definition = NULL;
        comply_ok((definition = registry_find(registry, ids[i], &error)) != NULL);
        for (size_t t = 0; t < definition->type_count; t++)
            assert_known_of_type(definition, &definition->types[t]);
    }
}

/* --- standing --------------------------------------------------------------------------------- */

static Standing *stand(Registry *registry) {
    Standing *standing = NULL;
    comply_ok((standing = standing_new(comply_db(), comply_scope(), registry, &error)) != NULL);
    return standing;
}

static void an_empty_organization_has_nothing(void) {
    g_autoptr(Registry) registry = registry_with(NULL, NULL);
    g_autoptr(Standing) standing = stand(registry);
    g_assert_cmpuint(standing_count(standing), ==, 0);
    g_assert_cmpfloat(standing_completeness(standing, "evidence"), ==, 0);
    g_assert_cmpfloat(standing_completeness(standing, NULL), ==, 0);
}

static void results_are_found_by_integration_and_check(void) {
    g_autoptr(Registry) registry = registry_with(CHECK_PROTECTED, NULL);
    const Definition *definition = NULL;
    comply_ok((definition = registry_find(registry, "alpha", &error)) != NULL);
    comply_add_integration("one", "alpha");
    comply_add_integration("two", "alpha");
    g_autofree char *id = comply_add_evidence(&(ComplyEvidence){
        .integration_id = "two", .type = "branches", .rows = GOOD, .completeness = 0.75});
    comply_ok(judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
    g_autoptr(Standing) standing = stand(registry);
    g_assert_cmpuint(standing_count(standing), ==, 2);
    const StandingIntegration *one = standing_integration(standing, 0);
    const StandingIntegration *two = standing_integration(standing, 1);
    g_assert_true(one->definition == definition);
    g_assert_null(standing_result(one, "branches.protected"));
    g_assert_null(standing_result(two, "branches.other"));
    const CheckResult *result = standing_result(two, "branches.protected");
    g_assert_cmpstr(result->evidence_id, ==, id);
    g_assert_cmpfloat(standing_completeness(standing, id), ==, 0.75);
    g_assert_true(standing_wants(one, "branches"));
}

static bool add_many(DbUnit *unit, void *data, GError **error) {
    (void)data;
    for (int i = 0; i < 1100; i++) {
        g_autofree char *id = g_strdup_printf("integration-%04d", i);
        g_autofree char *check = g_strdup_printf("branches.check_%d", i);
        Integration row = {.id = id,
                           .provider = "alpha",
                           .name = id,
                           .auth = "pat",
                           .status = i % 100 == 99 ? INTEGRATION_DISCONNECTED : INTEGRATION_PAUSED,
                           .settings = "{}",
                           .account = "{}",
                           .evidence_types = i == 7 ? "[\"alerts\"]" : NULL};
        CheckResult result = {.integration_id = id,
                              .check_id = check,
                              .evidence_type = "branches",
                              .evidence_id = "gone",
                              .verdict = "pass",
                              .severity = "low",
                              .definition_sha256 = "0f"};
        if (!integration_insert(unit, &row, error) || !check_result_upsert(unit, &result, error))
            return false;
    }
    return true;
}

static void more_than_one_page_is_read(void) {
    g_autoptr(Registry) registry = registry_with(NULL, NULL);
    comply_run(add_many, NULL);
    g_autoptr(Standing) standing = stand(registry);
    g_assert_cmpuint(standing_count(standing), ==, 1100 - 11);
    const StandingIntegration *last = standing_integration(standing, 1100 - 12);
    g_assert_cmpstr(last->row->id, ==, "integration-1098");
    g_assert_nonnull(standing_result(last, "branches.check_1098"));
    const StandingIntegration *narrow = standing_integration(standing, 7);
    g_assert_false(standing_wants(narrow, "branches"));
    g_assert_true(standing_wants(narrow, "alerts"));
    g_assert_cmpfloat(standing_completeness(standing, "gone"), ==, 0);
}

static const ComplyTest tests[] = {
    {"checks_are_mapped_to_controls_in_any_style", checks_are_mapped_to_controls_in_any_style},
    {"a_control_named_twice_is_supported_once", a_control_named_twice_is_supported_once},
    {"embedded_definitions_name_controls_that_exist",
     embedded_definitions_name_controls_that_exist},
    {"an_empty_organization_has_nothing", an_empty_organization_has_nothing},
    {"results_are_found_by_integration_and_check", results_are_found_by_integration_and_check},
    {"more_than_one_page_is_read", more_than_one_page_is_read},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "standing", tests, G_N_ELEMENTS(tests));
}
