/* How many controls a run has renewed the evidence of. */
#include "unit/connect_support.h"
#include "unit/provider_support.h"

#include "store/control_mapping.h"
#include "sync/touched.h"

static const char evidence[] =
    "evidence:\n"
    "  users:\n"
    "    title: Users\n"
    "    description: Everybody\n"
    "    type: config\n"
    "    read: {user: {call: users}}\n"
    "    row: {name: .user.name}\n"
    "    fields: {name: string}\n"
    "    checks:\n"
    "      one:\n"
    "        {title: One, resource: .name, pass: .name != \"\", severity: low, remediation: Do.,\n"
    "         controls: {soc2: [CC6.1, CC7.1], iso27001_2022: ['8.5']}}\n"
    "      two:\n"
    "        {title: Two, resource: .name, pass: .name != \"\", severity: low, remediation: Do.,\n"
    "         controls: {soc2: [CC6.1], iso27001_2013: [A.9.4.2]}}\n"
    "  others:\n"
    "    title: Others\n"
    "    description: Others\n"
    "    type: config\n"
    "    read: {user: {call: users}}\n"
    "    row: {name: .user.name}\n"
    "    fields: {name: string}\n"
    "    checks:\n"
    "      three:\n"
    "        {title: Three, resource: .name, pass: .name != \"\", severity: low, remediation: "
    "Do.,\n"
    "         controls: {soc2: [CC7.1, CC8.1], no_such_framework: [X.1]}}\n"
    "  bare:\n"
    "    title: Bare\n"
    "    description: Nothing judges it\n"
    "    type: config\n"
    "    read: {user: {call: users}}\n"
    "    row: {name: .user.name}\n"
    "    fields: {name: string}\n";

static size_t touched(const Definition *definition, const Json *types, const GPtrArray *changes) {
    g_autoptr(Registry) registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    TouchedPlace place = {registry, definition, changes};
    return touched_controls(&place, types);
}

static void different_controls_of_known_frameworks_are_counted(void) {
    static const struct {
        const char *types;
        size_t count;
    } table[] = {
        {"[\"users\"]", 4},
        {"[\"others\"]", 2},
        {"[\"users\", \"others\"]", 5},
        {"[\"users\", \"users\"]", 4},
        {"[\"bare\"]", 0},
        {"[]", 0},
        {"[\"unknown\", 17, null]", 0},
        {"\"users\"", 0},
    };
    SupportParts parts = {.calls = small_calls, .evidence = evidence};
    g_autoptr(Definition) definition = support_load(&parts);
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autoptr(Json) types = json_of(table[i].types);
        g_assert_cmpuint(touched(definition, types, NULL), ==, table[i].count);
    }
}

/* --- the organization's own mapping ----------------------------------------------------------- */

static void add_change(GPtrArray *changes, const char *control, const char *check, bool added) {
    ControlMapping row = {.framework = "soc2",
                          .control_id = control,
                          .provider = "demo",
                          .check_id = check,
                          .added = added,
                          .who = "mona",
                          .why = "ours"};
    g_ptr_array_add(changes, g_memdup2(&row, sizeof row));
}

static void what_the_organization_has_changed_counts(void) {
    SupportParts parts = {.calls = small_calls, .evidence = evidence};
    g_autoptr(Definition) definition = support_load(&parts);
    g_autoptr(GPtrArray) changes = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Json) others = json_of("[\"others\"]");
    g_autoptr(Json) users = json_of("[\"users\"]");
    g_autoptr(Json) both = json_of("[\"users\", \"others\"]");
    add_change(changes, "CC1.1", "others.three", true);
    g_assert_cmpuint(touched(definition, others, changes), ==, 3);
    add_change(changes, "CC6.1", "others.three", true); /* users have it already */
    g_assert_cmpuint(touched(definition, others, changes), ==, 4);
    g_assert_cmpuint(touched(definition, both, changes), ==, 6);
    add_change(changes, "CC6.1", "users.one", false); /* two still counts */
    g_assert_cmpuint(touched(definition, users, changes), ==, 4);
    add_change(changes, "CC8.1", "others.three", false); /* nothing else of the type would */
    g_assert_cmpuint(touched(definition, others, changes), ==, 4);
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    g_test_add_func("/sync/touched/different_controls_of_known_frameworks_are_counted",
                    different_controls_of_known_frameworks_are_counted);
    g_test_add_func("/sync/touched/what_the_organization_has_changed_counts",
                    what_the_organization_has_changed_counts);
    return g_test_run();
}
