/* The controls that each check speaks for, by the definition and by what the organization changes.
 */
#include "unit/comply_support.h"

#include "comply/reach.h"

#include <string.h>

/* protected: CC1.1, CC1.2, A.5.1.1, 3.4.3; signed: CC1.1, and 3.4.3 by a name of CMMC. */
#define CHECK_SIGNED                                                                               \
    "      signed: {title: Commits are signed, resource: .repository, pass: .protected,\n"         \
    "        severity: low, remediation: Sign., controls: {soc2: [CC1.1, cc_1_1],\n"               \
    "        nist_800_171: [CM.L2-3.4.3], no_such_framework: [X.1]}}\n"

static Definition *alpha(void) {
    return comply_definition(CHECK_PROTECTED CHECK_SIGNED, CHECK_NO_ALERTS);
}

typedef struct {
    const char *control; /* of SOC 2, or "FRAMEWORK:ID" */
    const char *check;   /* of alpha */
    bool added;
} Change;

static void add_change(GPtrArray *rows, const char *provider, const Change *change) {
    const char *colon = strchr(change->control, ':');
    g_autofree char *framework =
        colon ? g_strndup(change->control, (size_t)(colon - change->control)) : g_strdup("soc2");
    ControlMapping row = {.framework = g_intern_string(framework),
                          .control_id = g_intern_string(colon ? colon + 1 : change->control),
                          .provider = g_intern_string(provider),
                          .check_id = g_intern_string(change->check),
                          .added = change->added,
                          .who = "mona",
                          .why = "ours",
                          .created_at = START_MS};
    g_ptr_array_add(rows, g_memdup2(&row, sizeof row));
}

static GPtrArray *changes_of(const Change *changes) {
    GPtrArray *rows = g_ptr_array_new_with_free_func(g_free);
    for (; changes->control; changes++)
        add_change(rows, "alpha", changes);
    return rows;
}

/* "framework:id framework:id" of one check. */
static char *tell(const Reach *reach, const DefinitionCheck *check) {
    GString *text = g_string_new(NULL);
    size_t count;
    const ControlRef *refs = reach_controls(reach, check, &count);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(text, "%s%s:%s", i > 0 ? " " : "", refs[i].framework->id,
                               refs[i].control->id);
    return g_string_free(text, FALSE);
}

/* None of them has alpha. */
static Registry *others(void) {
    static Registry *registry;
    if (registry == NULL)
        comply_ok((registry = registry_new(NULL, &error)) != NULL);
    return registry;
}

static void holds(const Definition *definition, const GPtrArray *changes, const char *type_name,
                  const char *check_name, const char *told) {
    g_autoptr(Reach) reach = reach_new(definition, others(), changes);
    const EvidenceType *type = definition_type(definition, type_name);
    g_autofree char *text = tell(reach, evidence_type_check(type, check_name));
    g_assert_cmpstr(text, ==, told);
}

/* An id in another style is the same control, and what no framework knows is none. */
static void a_check_speaks_for_what_its_definition_says(void) {
    g_autoptr(Definition) definition = alpha();
    holds(definition, NULL, "branches", "protected",
          "iso27001_2013:A.5.1.1 nist_800_171:3.4.3 soc2:CC1.1 soc2:CC1.2");
    holds(definition, NULL, "branches", "signed", "nist_800_171:3.4.3 soc2:CC1.1");
    holds(definition, NULL, "alerts", "no_alerts", "soc2:CC1.2");
}

static void a_check_speaks_for_what_the_organization_says(void) {
    static const struct {
        Change changes[4];
        const char *type;
        const char *check;
        const char *told;
    } cases[] = {
        {{{"CC1.5", "branches.signed", true}},
         "branches",
         "signed",
         "nist_800_171:3.4.3 soc2:CC1.1 soc2:CC1.5"},
        {{{"iso27001_2022:A.8.5", "branches.signed", true}},
         "branches",
         "signed",
         "iso27001_2022:8.5 nist_800_171:3.4.3 soc2:CC1.1"},
        {{{"CC1.1", "branches.signed", false}}, "branches", "signed", "nist_800_171:3.4.3"},
        {{{"CC1.1", "branches.signed", false}},
         "branches",
         "protected",
         "iso27001_2013:A.5.1.1 nist_800_171:3.4.3 soc2:CC1.1 soc2:CC1.2"},
        /* Another service's check of the same name, and what is supported anyway. */
        {{{"CC1.5", "alerts.signed", true}, {"CC1.1", "branches.signed", true}},
         "branches",
         "signed",
         "nist_800_171:3.4.3 soc2:CC1.1"},
    };
    g_autoptr(Definition) definition = alpha();
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) changes = changes_of(cases[i].changes);
        holds(definition, changes, cases[i].type, cases[i].check, cases[i].told);
    }
}

static void changes_of_other_services_are_not_its_own(void) {
    g_autoptr(Definition) definition = alpha();
    g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
    add_change(changes, "github", &(Change){"CC1.1", "branches.signed", false});
    add_change(changes, "github", &(Change){"CC1.5", "branches.signed", true});
    holds(definition, changes, "branches", "signed", "nist_800_171:3.4.3 soc2:CC1.1");
}

/* Of the checks of an evidence type that the definition maps to a control one stays. */
static void the_last_check_of_a_type_is_not_set_aside(void) {
    static const Change both[] = {
        {"CC1.1", "branches.protected", false}, {"CC1.1", "branches.signed", false}, {0}};
    g_autoptr(Definition) definition = alpha();
    g_autoptr(GPtrArray) changes = changes_of(both);
    holds(definition, changes, "branches", "signed", "nist_800_171:3.4.3 soc2:CC1.1");
    holds(definition, changes, "branches", "protected",
          "iso27001_2013:A.5.1.1 nist_800_171:3.4.3 soc2:CC1.1 soc2:CC1.2");
}

static void a_check_of_another_definition_speaks_for_nothing(void) {
    g_autoptr(Definition) definition = alpha();
    g_autoptr(Definition) other = alpha();
    holds(definition, NULL, "alerts", "no_alerts", "soc2:CC1.2");
    g_autoptr(Reach) reach = reach_new(definition, others(), NULL);
    size_t count = 17;
    const EvidenceType *alerts = definition_type(other, "alerts");
    g_assert_null(reach_controls(reach, evidence_type_check(alerts, "no_alerts"), &count));
    g_assert_cmpuint(count, ==, 0);
}

/* --- against the mapping ---------------------------------------------------------------------- */

/* Every seventh pair of a check and a control of SOC 2 is changed, by turns this and that way. */
static void add_many(GPtrArray *changes, const Definition *definition, const EvidenceType *type,
                     const Framework *framework) {
    guint number = 0;
    for (size_t i = 0; i < type->check_count; i++) {
        g_autofree char *id = g_strdup_printf("%s.%s", type->name, type->checks[i].name);
        for (size_t c = 0; c < framework->control_count; c++, number++) {
            g_autofree char *name =
                g_strdup_printf("%s:%s", framework->id, framework->controls[c].id);
            if (number % 7 == 0)
                add_change(changes, definition->id,
                           &(Change){g_intern_string(name), id, number % 14 == 0});
        }
    }
}

static bool reaches(const Reach *reach, const DefinitionCheck *check, const Framework *framework,
                    const FrameworkControl *control) {
    size_t count;
    const ControlRef *refs = reach_controls(reach, check, &count);
    for (size_t i = 0; i < count; i++)
        if (refs[i].framework == framework && refs[i].control == control)
            return true;
    return false;
}

/* Both ways: as many pairs there as here. */
static size_t compare(const Mapping *mapping, const Framework *framework,
                      const Definition *definition, const Reach *reach) {
    size_t pairs = 0;
    for (size_t c = 0; c < framework->control_count; c++) {
        size_t count;
        const MappedCheck *checks = mapping_checks(mapping, c, &count);
        for (size_t i = 0; i < count; i++) {
            if (checks[i].definition != definition)
                continue;
            g_assert_true(reaches(reach, checks[i].check, framework, &framework->controls[c]));
            pairs++;
        }
    }
    return pairs;
}

static size_t count_pairs(const Reach *reach, const Definition *definition) {
    size_t pairs = 0;
    for (size_t t = 0; t < definition->type_count; t++)
        for (size_t c = 0; c < definition->types[t].check_count; c++) {
            size_t count;
            (void)reach_controls(reach, &definition->types[t].checks[c], &count);
            pairs += count;
        }
    return pairs;
}

static size_t compare_all(Registry *registry, const Definition *definition,
                          const GPtrArray *changes) {
    g_autoptr(Reach) reach = reach_new(definition, registry, changes);
    size_t pairs = 0;
    for (const char *const *id = framework_ids(); *id != NULL; id++) {
        const Framework *framework = NULL;
        comply_ok((framework = framework_find(*id, &error)) != NULL);
        g_autoptr(Mapping) mapping = mapping_new(framework, registry, changes);
        pairs += compare(mapping, framework, definition, reach);
    }
    g_assert_cmpuint(count_pairs(reach, definition), ==, pairs);
    return pairs;
}

static void it_is_the_mapping_of_all_services_read_backwards(void) {
    g_autoptr(Registry) registry = NULL;
    const Framework *soc2 = NULL;
    comply_ok((registry = registry_new(NULL, &error)) != NULL);
    comply_ok((soc2 = framework_find("soc2", &error)) != NULL);
    const char *const *ids = registry_ids(registry);
    for (size_t i = 0; ids[i] != NULL; i++) {
        const Definition *definition = NULL;
        g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
        comply_ok((definition = registry_find(registry, ids[i], &error)) != NULL);
        for (size_t t = 0; t < definition->type_count && t < 8; t++)
            add_many(changes, definition, &definition->types[t], soc2);
        size_t own = compare_all(registry, definition, NULL);
        g_assert_cmpuint(own, >, 0);
        g_assert_cmpuint(compare_all(registry, definition, changes), >, own);
    }
}

static const ComplyTest tests[] = {
    {"a_check_speaks_for_what_its_definition_says", a_check_speaks_for_what_its_definition_says},
    {"a_check_speaks_for_what_the_organization_says",
     a_check_speaks_for_what_the_organization_says},
    {"changes_of_other_services_are_not_its_own", changes_of_other_services_are_not_its_own},
    {"the_last_check_of_a_type_is_not_set_aside", the_last_check_of_a_type_is_not_set_aside},
    {"a_check_of_another_definition_speaks_for_nothing",
     a_check_of_another_definition_speaks_for_nothing},
    {"it_is_the_mapping_of_all_services_read_backwards",
     it_is_the_mapping_of_all_services_read_backwards},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "reach", tests, G_N_ELEMENTS(tests));
}
