/* How many controls a run has renewed the evidence of. */
#include "unit/connect_support.h"
#include "unit/provider_support.h"

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
        g_assert_cmpuint(touched_controls(definition, types), ==, table[i].count);
    }
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    g_test_add_func("/sync/touched/different_controls_of_known_frameworks_are_counted",
                    different_controls_of_known_frameworks_are_counted);
    return g_test_run();
}
