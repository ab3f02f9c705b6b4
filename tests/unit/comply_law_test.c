/* What the definitions say of the controls of a framework, worked out once. */
#include "unit/comply_support.h"

#include "comply/law.h"
#include "comply/mapping.h"

#include <string.h>

/* The last names one control three times: by a name of CMMC, by its own id, and by that again. */
#define CHECK_SIGNED                                                                               \
    "      signed: {title: Commits are signed, resource: .repository, pass: .protected,\n"         \
    "        severity: low, remediation: Sign., controls: {soc2: [CC1.1, cc_1_1],\n"               \
    "        nist_800_171: [CM.L2-3.4.3]}}\n"
#define CHECK_THRICE                                                                               \
    "      thrice: {title: Three names, resource: .repository, pass: .open, severity: low,\n"      \
    "        remediation: Do., controls: {nist_800_171: [CM.L2-3.4.3, 3.4.3, CM.L2-3.4.3]}}\n"

static Definition *alpha(void) {
    return comply_definition(CHECK_PROTECTED CHECK_SIGNED, CHECK_THRICE);
}

static const Framework *framework_of(const char *id) {
    const Framework *framework = NULL;
    comply_ok((framework = framework_find(id, &error)) != NULL);
    return framework;
}

/* "type.check=origin ..." of one control. */
static char *tell(const Law *law, const char *control_id) {
    GString *text = g_string_new(NULL);
    size_t count;
    const FrameworkControl *control = framework_control(law_framework(law), control_id);
    const MappedCheck *checks = law_checks(law, control->index, &count);
    for (size_t i = 0; i < count; i++) {
        g_assert_null(checks[i].change);
        g_string_append_printf(text, "%s%s.%s=%s", i > 0 ? " " : "", checks[i].type->name,
                               checks[i].check->name, mapping_origin_name(checks[i].origin));
    }
    return g_string_free(text, FALSE);
}

static void says(const Definition *definition, const char *framework, const char *control,
                 const char *told) {
    g_autoptr(Law) law = law_new(framework_of(framework), definition);
    g_autofree char *text = tell(law, control);
    g_assert_cmpstr(text, ==, told);
}

static void a_check_is_named_once_and_best_by_the_controls_own_id(void) {
    g_autoptr(Definition) definition = alpha();
    says(definition, "soc2", "CC1.1", "branches.protected=definition branches.signed=definition");
    says(definition, "nist_800_171", "3.4.3",
         "branches.protected=definition branches.signed=framework alerts.thrice=definition");
    says(definition, "soc2", "CC1.2", "branches.protected=definition");
    says(definition, "soc2", "CC1.5", "");
    says(definition, "iso27001_2022", "8.5", "");
}

static void it_knows_its_definitions(void) {
    g_autoptr(Definition) definition = alpha();
    g_autoptr(Law) law = law_new(framework_of("soc2"), definition);
    g_assert_true(law_definition(law, "alpha") == definition);
    g_assert_null(law_definition(law, "github"));
    g_assert_null(law_definition(law, ""));
    g_assert_true(law_framework(law) == framework_of("soc2"));
}

static Registry *registry_of_tests(void) {
    g_autofree char *text =
        comply_definition_text("alpha", CHECK_PROTECTED CHECK_SIGNED, CHECK_THRICE);
    const char *const files[] = {"alpha", text, "wrong", "assay: 1\nid: wrong\n", NULL};
    return comply_registry(files);
}

static void a_registry_works_it_out_once_for_each_framework(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    g_autoptr(Registry) other = registry_of_tests();
    const Law *soc2 = law_of(framework_of("soc2"), registry);
    const Law *iso = law_of(framework_of("iso27001_2013"), registry);
    g_assert_true(soc2 != iso);
    g_assert_true(law_of(framework_of("SOC 2"), registry) == soc2);
    g_assert_true(law_of(framework_of("iso27001_2013"), registry) == iso);
    g_assert_true(law_of(framework_of("soc2"), other) != soc2);
}

static void a_registrys_is_that_of_all_definitions_that_can_be_loaded(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    const Law *law = law_of(framework_of("soc2"), registry);
    const Definition *definition = NULL;
    comply_ok((definition = registry_find(registry, "alpha", &error)) != NULL);
    g_assert_true(law_definition(law, "alpha") == definition);
    g_assert_nonnull(law_definition(law, "aws"));
    g_assert_nonnull(law_definition(law, "github"));
    g_assert_null(law_definition(law, "wrong"));
    size_t count, providers = 0;
    const FrameworkControl *control = framework_control(law_framework(law), "CC8.1");
    const MappedCheck *checks = law_checks(law, control->index, &count);
    for (size_t i = 0; i < count; i++) {
        bool first = i == 0 || checks[i].definition != checks[i - 1].definition;
        g_assert_true(i == 0 || !first ||
                      strcmp(checks[i - 1].definition->id, checks[i].definition->id) < 0);
        providers += first;
    }
    g_assert_cmpuint(providers, >=, 1);
}

/* What one organization changes is its own. */
static void changes_leave_it_as_it_is(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    const Framework *soc2 = framework_of("soc2");
    ControlMapping change = {.framework = "soc2",
                             .control_id = "CC1.1",
                             .provider = "alpha",
                             .check_id = "branches.signed",
                             .added = false,
                             .who = "mona",
                             .why = "ours",
                             .created_at = START_MS};
    g_autoptr(GPtrArray) changes = g_ptr_array_new();
    g_autofree char *before = tell(law_of(soc2, registry), "CC1.1");
    g_ptr_array_add(changes, &change);
    g_autoptr(Mapping) mapping = mapping_new(soc2, registry, changes);
    size_t left, aside, own;
    size_t control = framework_control(soc2, "CC1.1")->index;
    (void)mapping_checks(mapping, control, &left);
    (void)mapping_set_aside(mapping, control, &aside);
    (void)law_checks(law_of(soc2, registry), control, &own);
    g_assert_cmpuint(aside, ==, 1);
    g_assert_cmpuint(left, ==, own - 1);
    g_autofree char *after = tell(law_of(soc2, registry), "CC1.1");
    g_assert_cmpstr(after, ==, before);
    g_autoptr(Mapping) plain = mapping_new(soc2, registry, NULL);
    g_assert_true(mapping_checks(plain, control, &left) ==
                  law_checks(law_of(soc2, registry), control, &own));
    g_assert_null(mapping_set_aside(plain, control, &aside));
    g_assert_cmpuint(aside, ==, 0);
}

static const ComplyTest tests[] = {
    {"a_check_is_named_once_and_best_by_the_controls_own_id",
     a_check_is_named_once_and_best_by_the_controls_own_id},
    {"it_knows_its_definitions", it_knows_its_definitions},
    {"a_registry_works_it_out_once_for_each_framework",
     a_registry_works_it_out_once_for_each_framework},
    {"a_registrys_is_that_of_all_definitions_that_can_be_loaded",
     a_registrys_is_that_of_all_definitions_that_can_be_loaded},
    {"changes_leave_it_as_it_is", changes_leave_it_as_it_is},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "law", tests, G_N_ELEMENTS(tests));
}
