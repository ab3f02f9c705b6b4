/* What the evidence of AWS must support: the mappings that customers of earlier systems rely on. */
#include "unit/comply_support.h"

#include "comply/framework.h"
#include "provider/registry.h"

static const Definition *aws(void) {
    static Registry *registry;
    const Definition *definition = NULL;
    if (registry == NULL)
        comply_ok((registry = registry_new(NULL, &error)) != NULL);
    comply_ok((definition = registry_find(registry, "aws", &error)) != NULL);
    return definition;
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

/* The check of the type that supports the control, as "framework:id" in any style; NULL: none. */
static const DefinitionCheck *check_for(const char *type_name, const char *control) {
    const EvidenceType *type = definition_type(aws(), type_name);
    g_assert_nonnull(type);
    g_autoptr(GArray) refs = framework_control_find(control, NULL);
    g_assert_nonnull(refs);
    ControlRef ref = g_array_index(refs, ControlRef, 0);
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

static void more_than_80_percent_of_users_need_a_second_factor(void) {
    const DefinitionCheck *check = check_for("iam_mfa_status", "IA.1.076");
    g_assert_cmpint(check->require, ==, REQUIRE_MORE_THAN);
    g_assert_cmpfloat(check->require_percent, ==, 80);
}

static void every_check_speaks_for_all_frameworks(void) {
    static const char *const frameworks[] = {"soc2", "iso27001_2013", "iso27001_2022",
                                             "nist_800_171"};
    for (size_t t = 0; t < aws()->type_count; t++) {
        const EvidenceType *type = &aws()->types[t];
        g_assert_cmpuint(type->check_count, >, 0);
        for (size_t c = 0; c < type->check_count; c++) {
            const DefinitionCheck *check = &type->checks[c];
            for (size_t f = 0; f < G_N_ELEMENTS(frameworks); f++) {
                bool found = false;
                for (size_t i = 0; i < check->control_count; i++)
                    found = found || g_str_equal(check->controls[i].framework, frameworks[f]);
                g_test_message("%s %s", check->name, frameworks[f]);
                g_assert_true(found);
            }
        }
    }
}

static const ComplyTest tests[] = {
    {"evidence_supports_the_controls_it_is_collected_for",
     evidence_supports_the_controls_it_is_collected_for},
    {"more_than_80_percent_of_users_need_a_second_factor",
     more_than_80_percent_of_users_need_a_second_factor},
    {"every_check_speaks_for_all_frameworks", every_check_speaks_for_all_frameworks},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "source_mapping", tests, G_N_ELEMENTS(tests));
}
