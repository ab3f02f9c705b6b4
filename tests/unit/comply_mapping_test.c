/* The organization's changes of a mapping, laid over what the definitions say. */
#include "unit/comply_support.h"

#include "base/clock.h"
#include "comply/evaluate.h"
#include "comply/judge.h"
#include "comply/mapping.h"
#include "comply/overview.h"
#include "store/control_mapping.h"

#include <string.h>

#define ONE "integration-one"
#define GOOD "{\"age\":1,\"archived\":false,\"protected\":true,\"repository\":\"a\"}"
#define BAD "{\"age\":1,\"archived\":false,\"protected\":false,\"repository\":\"a\"}"

/* protected: CC1.1, CC1.2; signed: CC1.1, and 800-171's 3.4.3 by a name of CMMC. */
#define CHECK_SIGNED                                                                               \
    "      signed: {title: Commits are signed, resource: .repository, pass: .protected,\n"         \
    "        severity: low, remediation: Sign., controls: {soc2: [CC1.1],\n"                       \
    "        nist_800_171: [CM.L2-3.4.3]}}\n"

static Registry *registry_of_tests(void) {
    g_autofree char *alpha =
        comply_definition_text("alpha", CHECK_PROTECTED CHECK_SIGNED, CHECK_NO_ALERTS);
    const char *const files[] = {"alpha", alpha, NULL};
    return comply_registry(files);
}

/* --- changes ---------------------------------------------------------------------------------- */

typedef struct {
    const char *control;
    const char *check; /* of alpha */
    bool added;
} Change;

static ControlMapping row_of(const Change *change) {
    return (ControlMapping){.framework = "soc2",
                            .control_id = change->control,
                            .provider = "alpha",
                            .check_id = change->check,
                            .added = change->added,
                            .who = "mona",
                            .why = "ours",
                            .created_at = START_MS};
}

static GPtrArray *changes_of(const Change *changes) {
    GPtrArray *rows = g_ptr_array_new_with_free_func(g_free);
    for (; changes->control; changes++) {
        ControlMapping row = row_of(changes);
        g_ptr_array_add(rows, g_memdup2(&row, sizeof row));
    }
    return rows;
}

static void append(GString *text, const MappedCheck *checks, size_t count, const char *mark) {
    for (size_t i = 0; i < count; i++)
        if (strcmp(checks[i].definition->id, "alpha") == 0)
            g_string_append_printf(text, "%s%s%s.%s=%s", text->len > 0 ? " " : "", mark,
                                   checks[i].type->name, checks[i].check->name,
                                   mapping_origin_name(checks[i].origin));
}

/* "type.check=origin" of alpha for a control; those that are set aside have a minus. */
static char *tell(const char *framework_id, const char *control_id, const GPtrArray *changes) {
    g_autoptr(Registry) registry = registry_of_tests();
    const Framework *framework = comply_framework(framework_id);
    g_autoptr(Mapping) mapping = mapping_new(framework, registry, changes);
    size_t control = framework_control(framework, control_id)->index;
    size_t count;
    GString *text = g_string_new(NULL);
    const MappedCheck *checks = mapping_checks(mapping, control, &count);
    append(text, checks, count, "");
    checks = mapping_set_aside(mapping, control, &count);
    append(text, checks, count, "-");
    return g_string_free(text, FALSE);
}

static void each_check_has_its_origin(void) {
    g_autofree char *own = tell("soc2", "CC1.1", NULL);
    g_assert_cmpstr(own, ==, "branches.protected=definition branches.signed=definition");
    g_autofree char *other = tell("nist_800_171", "3.4.3", NULL);
    g_assert_cmpstr(other, ==, "branches.protected=definition branches.signed=framework");
}

static void an_organization_adds_and_sets_aside(void) {
    static const struct {
        Change changes[4];
        const char *control;
        const char *told;
    } cases[] = {
        /* A check of another evidence type stands behind those that are there, in their order. */
        {{{"CC1.1", "alerts.no_alerts", true}},
         "CC1.1",
         "branches.protected=definition branches.signed=definition alerts.no_alerts=organization"},
        {{{"CC1.5", "branches.signed", true}}, "CC1.5", "branches.signed=organization"},
        {{{"CC1.1", "branches.signed", false}},
         "CC1.1",
         "branches.protected=definition -branches.signed=definition"},
        {{{"CC1.1", "branches.protected", false}, {"CC1.1", "alerts.no_alerts", true}},
         "CC1.1",
         "branches.signed=definition alerts.no_alerts=organization "
         "-branches.protected=definition"},
        {{{"CC1.1", "branches.signed", false}},
         "CC1.2",
         "branches.protected=definition alerts.no_alerts=definition"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) changes = changes_of(cases[i].changes);
        g_autofree char *told = tell("soc2", cases[i].control, changes);
        g_assert_cmpstr(told, ==, cases[i].told);
    }
}

/* The definitions' mapping is law. */
static void an_evidence_type_stays_mapped(void) {
    static const Change last[] = {{"CC1.2", "alerts.no_alerts", false}, {0}};
    static const Change both[] = {
        {"CC1.1", "branches.protected", false}, {"CC1.1", "branches.signed", false}, {0}};
    g_autoptr(GPtrArray) one = changes_of(last);
    g_autofree char *kept = tell("soc2", "CC1.2", one);
    g_assert_cmpstr(kept, ==, "branches.protected=definition alerts.no_alerts=definition");
    g_autoptr(GPtrArray) two = changes_of(both);
    g_autofree char *all = tell("soc2", "CC1.1", two);
    g_assert_cmpstr(all, ==, "branches.protected=definition branches.signed=definition");
}

static void what_does_not_exist_is_passed_over(void) {
    static const Change none[] = {{"CC1.1", "branches.weather", true},
                                  {"CC99.9", "branches.signed", true},
                                  {"CC1.1", "branches.protected", true},
                                  {0}};
    g_autoptr(GPtrArray) changes = changes_of(none);
    g_autofree char *told = tell("soc2", "CC1.1", changes);
    g_assert_cmpstr(told, ==, "branches.protected=definition branches.signed=definition");
    ControlMapping *row = g_ptr_array_index(changes, 0);
    row->provider = "nobody";
    row->framework = "tea";
    g_autofree char *again = tell("soc2", "CC1.1", changes);
    g_assert_cmpstr(again, ==, told);
}

static void an_evidence_type_supports_what_was_added(void) {
    static const Change added[] = {{"CC1.5", "alerts.no_alerts", true}, {0}};
    g_autoptr(Registry) registry = registry_of_tests();
    const Definition *definition = NULL;
    comply_ok((definition = registry_find(registry, "alpha", &error)) != NULL);
    const EvidenceType *alerts = definition_type(definition, "alerts");
    const EvidenceType *branches = definition_type(definition, "branches");
    const Framework *soc2 = comply_framework("soc2");
    ControlRef ref = {soc2, framework_control(soc2, "CC1.5")};
    g_autoptr(GPtrArray) changes = changes_of(added);
    g_assert_false(mapping_supports(definition, alerts, &ref, NULL));
    g_assert_true(mapping_supports(definition, alerts, &ref, changes));
    g_assert_false(mapping_supports(definition, branches, &ref, changes));
    ref.control = framework_control(soc2, "CC1.2");
    g_assert_true(mapping_supports(definition, branches, &ref, NULL));
}

/* --- what comes of it ------------------------------------------------------------------------- */

static bool insert_work(DbUnit *unit, void *data, GError **error) {
    ControlMapping row = row_of(data);
    return control_mapping_insert(unit, &row, error);
}

static void store_change(Change change) {
    comply_run(insert_work, &change);
}

static void judge(Registry *registry, const ComplyEvidence *evidence) {
    const Definition *definition = NULL;
    g_autofree char *id = comply_add_evidence(evidence);
    comply_ok((definition = registry_find(registry, "alpha", &error)) != NULL);
    comply_ok(judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
}

static const char *state_of(Registry *registry, const char *control_id) {
    g_autoptr(Evaluation) evaluation = NULL;
    const Framework *soc2 = comply_framework("soc2");
    comply_ok((evaluation = evaluation_new(comply_db(), comply_scope(), registry, soc2,
                                           clock_now_ms(), &error)) != NULL);
    size_t control = framework_control(soc2, control_id)->index;
    return control_state_name(evaluation->controls[control].answer.state);
}

static void controls_are_judged_by_the_changed_mapping(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    comply_add_integration(ONE, "alpha");
    judge(registry, &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = BAD});
    judge(registry, &(ComplyEvidence){.integration_id = ONE,
                                      .type = "alerts",
                                      .rows = "{\"open\":false,\"repository\":\"a\"}",
                                      .reads = READS_ALERTS});
    g_assert_cmpstr(state_of(registry, "CC1.1"), ==, "non_compliant");
    g_assert_cmpstr(state_of(registry, "CC1.5"), ==, "manual");
    store_change((Change){"CC1.5", "alerts.no_alerts", true});
    g_assert_cmpstr(state_of(registry, "CC1.5"), ==, "compliant");
    store_change((Change){"CC1.1", "alerts.no_alerts", true});
    g_assert_cmpstr(state_of(registry, "CC1.1"), ==, "partial");
    store_change((Change){"CC1.1", "branches.signed", false});
    g_assert_cmpstr(state_of(registry, "CC1.1"), ==, "partial");
}

static void the_mapping_of_a_control_is_shown_with_who_has_changed_it(void) {
    g_autoptr(Registry) registry = registry_of_tests();
    const Framework *soc2 = comply_framework("soc2");
    ControlRef ref = {soc2, framework_control(soc2, "CC1.1")};
    g_autoptr(Json) list = NULL;
    store_change((Change){"CC1.1", "branches.signed", false});
    store_change((Change){"CC1.1", "alerts.no_alerts", true});
    comply_ok((list = overview_mapping(comply_db(), comply_scope(), registry, &ref, &error)) !=
              NULL);
    g_autoptr(GString) told = g_string_new(NULL);
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *one = json_item(list, i);
        if (strcmp(json_member_string(one, "provider", ""), "alpha") == 0)
            g_string_append_printf(told, "%s %s %s %s %s\n", json_member_string(one, "check", ""),
                                   json_member_string(one, "origin", ""),
                                   json_member_bool(one, "setAside", false) ? "aside" : "counts",
                                   json_member_string(one, "by", "-"),
                                   json_member_string(one, "reason", "-"));
    }
    g_assert_cmpstr(told->str, ==,
                    "branches.protected definition counts - -\n"
                    "alerts.no_alerts organization counts mona ours\n"
                    "branches.signed definition aside mona ours\n");
}

static const ComplyTest tests[] = {
    {"each_check_has_its_origin", each_check_has_its_origin},
    {"an_organization_adds_and_sets_aside", an_organization_adds_and_sets_aside},
    {"an_evidence_type_stays_mapped", an_evidence_type_stays_mapped},
    {"what_does_not_exist_is_passed_over", what_does_not_exist_is_passed_over},
    {"an_evidence_type_supports_what_was_added", an_evidence_type_supports_what_was_added},
    {"controls_are_judged_by_the_changed_mapping", controls_are_judged_by_the_changed_mapping},
    {"the_mapping_of_a_control_is_shown_with_who_has_changed_it",
     the_mapping_of_a_control_is_shown_with_who_has_changed_it},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "mapping", tests, G_N_ELEMENTS(tests));
}
