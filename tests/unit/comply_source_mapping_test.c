/* What the evidence of AWS and GitHub must support: the mappings that customers of earlier systems
 * rely on, and how often is collected unless they say otherwise. */
#include "unit/comply_support.h"

#include "comply/framework.h"
#include "provider/registry.h"

static const Definition *definition_of(const char *provider) {
    static Registry *registry;
    const Definition *definition = NULL;
    if (registry == NULL)
        comply_ok((registry = registry_new(NULL, &error)) != NULL);
    comply_ok((definition = registry_find(registry, provider, &error)) != NULL);
    return definition;
}

static const Definition *aws(void) {
    return definition_of("aws");
}

static bool supports(const DefinitionCheck *check, const FrameworkControl *control,
                     const Framework *framework) {
    for (size_t i = 0; i < check->control_count; i++) {
        const CheckControls *controls = &check->controls[i];
        for (size_t k = 0; k < controls->count; k++)
            if (g_str_equal(controls->framework, framework->id) &&
                framework_control(framework, controls->controls[k]) == control)
                return true;
    }
    return false;
}

/* Of a control as "framework:id" in any style. */
static ControlRef control_of(const char *control) {
    g_autoptr(GArray) refs = framework_control_find(control, NULL);
    g_assert_nonnull(refs);
    return g_array_index(refs, ControlRef, 0);
}

/* The check of the type that supports the control; NULL: none. */
static const DefinitionCheck *check_for(const char *type_name, const char *control) {
    const EvidenceType *type = definition_type(aws(), type_name);
    g_assert_nonnull(type);
    ControlRef ref = control_of(control);
    for (size_t i = 0; i < type->check_count; i++)
        if (supports(&type->checks[i], ref.control, ref.framework))
            return &type->checks[i];
    return NULL;
}

static void evidence_supports_the_controls_it_is_collected_for(void) {
    static const char *const cases[][2] = {
        {"iam_mfa_status", "soc2:CC6.1"},
        {"iam_mfa_status", "iso27001_2013:A.9.4.2"},
        {"iam_password_policy", "soc2:CC6.1"},
        {"iam_password_policy", "iso27001_2013:A.9.4.3"},
        {"cloudtrail_config", "soc2:CC7.2"},
        {"cloudtrail_config", "iso27001_2013:A.12.4.1"},
        {"s3_encryption", "soc2:CC6.7"},
        {"s3_encryption", "iso27001_2013:A.10.1.1"},
        {"vpc_flow_logs", "soc2:CC7.2"},
        {"vpc_flow_logs", "iso27001_2013:A.12.4.1"},
        {"security_groups", "soc2:CC6.6"},
        {"security_groups", "iso27001_2013:A.13.1.1"},
        {"iam_users", "AC.1.001"},
        {"iam_policies", "AC.1.001"},
        {"iam_mfa_status", "IA.1.076"},
        {"cloudtrail_config", "AU.2.041"},
        {"cloudtrail_logs", "AU.2.041"},
        {"config_rules", "CM.2.061"},
        {"ec2_instances", "CM.2.061"},
        {"securityhub_findings", "SI.2.214"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s %s", cases[i][0], cases[i][1]);
        g_assert_nonnull(check_for(cases[i][0], cases[i][1]));
    }
}

/* --- GitHub ----------------------------------------------------------------------------------- */

static const DefinitionCheck *github_check(const char *type_name, const char *name) {
    const EvidenceType *type = definition_type(definition_of("github"), type_name);
    g_assert_nonnull(type);
    for (size_t i = 0; i < type->check_count; i++)
        if (g_str_equal(type->checks[i].name, name))
            return &type->checks[i];
    g_error("%s has no check %s", type_name, name);
}

static void assert_supports(const DefinitionCheck *check, const char *control) {
    ControlRef ref = control_of(control);
    g_test_message("%s %s", check->name, control);
    g_assert_true(supports(check, ref.control, ref.framework));
}

static void checks_of_repositories_support_the_controls_they_always_did(void) {
    static const struct {
        const char *type;
        const char *check;
        const char *controls[2];
    } cases[] = {
        {"branch_protection", "default_branch_protected", {"soc2:CC8.1", "iso27001_2013:A.14.2.2"}},
        /* code review */
        {"branch_protection", "pull_request_required", {"soc2:CC8.1", "iso27001_2013:A.14.2.2"}},
        {"branch_protection", "review_required", {"soc2:CC8.1", "iso27001_2013:A.14.2.2"}},
        /* automated tests */
        {"branch_protection", "status_checks_required", {"soc2:CC8.1", "iso27001_2013:A.14.2.8"}},
        /* integrity of the code */
        {"branch_protection", "signed_commits_required", {"soc2:CC6.1", "iso27001_2013:A.9.4.2"}},
        {"security_alerts", "dependabot_enabled", {"soc2:CC7.1", "iso27001_2013:A.12.6.1"}},
        {"security_alerts",
         "no_critical_dependabot_alerts",
         {"soc2:CC7.1", "iso27001_2013:A.12.6.1"}},
        {"security_alerts", "no_high_dependabot_alerts", {"soc2:CC7.1", "iso27001_2013:A.12.6.1"}},
        {"security_alerts", "code_scanning_enabled", {"soc2:CC7.1", "iso27001_2013:A.12.6.1"}},
        {"security_alerts", "no_code_scanning_errors", {"soc2:CC7.1", "iso27001_2013:A.12.6.1"}},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++)
        for (size_t k = 0; k < G_N_ELEMENTS(cases[i].controls); k++)
            assert_supports(github_check(cases[i].type, cases[i].check), cases[i].controls[k]);
}

/* --- both ------------------------------------------------------------------------------------- */

#define HOUR_MS INT64_C(3600000)

static void services_are_collected_from_as_often_as_they_were(void) {
    static const struct {
        const char *provider;
        int64_t hours;
    } cases[] = {{"aws", 6}, {"github", 4}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const Definition *definition = definition_of(cases[i].provider);
        g_assert_cmpint(definition->schedule_ms, ==, cases[i].hours * HOUR_MS);
        g_assert_cmpint(definition->schedule_min_ms, ==, HOUR_MS);
        g_assert_cmpint(definition->schedule_max_ms, ==, 24 * HOUR_MS);
    }
}

static void more_than_80_percent_of_users_need_a_second_factor(void) {
    const DefinitionCheck *check = check_for("iam_mfa_status", "IA.1.076");
    g_assert_cmpint(check->require, ==, REQUIRE_MORE_THAN);
    g_assert_cmpfloat(check->require_percent, ==, 80);
}

static bool speaks_for(const DefinitionCheck *check, const char *framework) {
    for (size_t i = 0; i < check->control_count; i++)
        if (g_str_equal(check->controls[i].framework, framework))
            return true;
    return false;
}

static void assert_all_speak_for(const EvidenceType *type, const char *framework) {
    g_assert_cmpuint(type->check_count, >, 0);
    for (size_t i = 0; i < type->check_count; i++) {
        g_test_message("%s %s", type->checks[i].name, framework);
        g_assert_true(speaks_for(&type->checks[i], framework));
    }
}

static void every_check_speaks_for_all_frameworks(void) {
    static const char *const providers[] = {"aws", "github"};
    static const char *const frameworks[] = {"soc2", "iso27001_2013", "iso27001_2022",
                                             "nist_800_171"};
    for (size_t p = 0; p < G_N_ELEMENTS(providers); p++) {
        const Definition *definition = definition_of(providers[p]);
        for (size_t i = 0; i < definition->type_count; i++)
            for (size_t f = 0; f < G_N_ELEMENTS(frameworks); f++)
                assert_all_speak_for(&definition->types[i], frameworks[f]);
    }
}

static const ComplyTest tests[] = {
    {"evidence_supports_the_controls_it_is_collected_for",
     evidence_supports_the_controls_it_is_collected_for},
    {"checks_of_repositories_support_the_controls_they_always_did",
     checks_of_repositories_support_the_controls_they_always_did},
    {"services_are_collected_from_as_often_as_they_were",
     services_are_collected_from_as_often_as_they_were},
    {"more_than_80_percent_of_users_need_a_second_factor",
     more_than_80_percent_of_users_need_a_second_factor},
    {"every_check_speaks_for_all_frameworks", every_check_speaks_for_all_frameworks},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "source_mapping", tests, G_N_ELEMENTS(tests));
}
