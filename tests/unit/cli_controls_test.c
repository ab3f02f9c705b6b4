/* Controls, findings, and what to fix next. */
#include "base/clock.h"
#include "cli/fixes.h"
#include "store/finding.h"
#include "unit/cli_support.h"

#include <string.h>

#define CHECK "branch_protection.default_branch_protected"

/* --- fixes ------------------------------------------------------------------------------------ */

static void the_worst_comes_first(void) {
    g_autoptr(Json) findings =
        json_of("[{\"severity\":\"low\",\"check\":\"a\",\"resource\":\"1\"},"
                "{\"severity\":\"critical\",\"check\":\"z\",\"resource\":\"2\"},"
                "{\"severity\":\"high\",\"check\":\"b\",\"resource\":\"y\"},"
                "{\"severity\":\"high\",\"check\":\"b\",\"resource\":\"x\"},"
                "{\"severity\":\"odd\",\"check\":\"c\",\"resource\":\"3\"}]");
    static const char *const order[] = {"2", "x", "y", "1", "3"};
    g_autoptr(GPtrArray) sorted = fixes_sort(findings);
    g_assert_cmpuint(sorted->len, ==, G_N_ELEMENTS(order));
    for (guint i = 0; i < sorted->len; i++)
        g_assert_cmpstr(json_member_string(g_ptr_array_index(sorted, i), "resource", ""), ==,
                        order[i]);
}

static char *print_fixes(const Json *findings, size_t most) {
    g_auto(Screen) screen = {0};
    screen_init(&screen);
    fixes_print(&screen.output, findings, most);
    screen_flush(&screen);
    return g_strdup(screen.out);
}

static void findings_of_one_check_are_one_line_with_its_remedy(void) {
    g_autoptr(Json) findings = json_new_array();
    for (int i = 0; i < 5; i++) {
        g_autofree char *text = g_strdup_printf(
            "{\"severity\":\"high\",\"check\":\"a\",\"integrationId\":\"1\",\"integration\":"
            "\"acme\","
            "\"title\":\"It holds\",\"resource\":\"r%d\",\"remediation\":\"Turn it on.\"}",
            i);
        json_add(findings, json_of(text));
    }
    json_add(findings, json_of("{\"severity\":\"low\",\"check\":\"b\",\"resource\":\"r\"}"));
    g_autofree char *all = print_fixes(findings, 5);
    g_assert_cmpstr(all, ==,
                    "What to fix next\n"
                    "  high      It holds (acme): r0, r1, r2 and 2 more\n"
                    "            Turn it on.\n"
                    "  low        (): r\n");
    g_autofree char *one = print_fixes(findings, 1);
    assert_lacks(one, "low");
}

static void nothing_to_fix_prints_nothing(void) {
    g_autoptr(Json) none = json_new_array();
    g_autofree char *text = print_fixes(none, 5);
    g_assert_cmpstr(text, ==, "");
}

/* --- findings --------------------------------------------------------------------------------- */

typedef struct {
    const char *integration_id;
    const char *resource;
    const char *severity;
    bool resolved;
} Made;

static bool fail_work(DbUnit *unit, void *data, GError **error) {
    const Made *made = data;
    FindingFailure failure = {.key = {made->integration_id, CHECK, made->resource},
                              .severity = made->severity,
                              .title = "The default branch is protected",
                              .at = 1760000000000};
    return finding_fail(unit, &failure, NULL, error) &&
           (!made->resolved ||
            finding_resolve(unit, &failure.key, NULL, 1760000001000, NULL, error));
}

static char *make_findings(const Session *session) {
    char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made rows[] = {{id, "acme/web", "medium", false},
                   {id, "acme/api", "high", false},
                   {id, "acme/old", "high", true}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
        must(session_run(session, DB_WRITE, fail_work, &rows[i], &error));
    return id;
}

static size_t count_of(const char *options) {
    g_autofree char *line = g_strdup_printf("findings %s", options);
    g_autoptr(Json) reply = desk_json(line, 0);
    return json_count(json_member(reply, "findings"));
}

static void findings_are_filtered(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    g_assert_cmpuint(count_of(""), ==, 2);
    g_assert_cmpuint(count_of("--state open"), ==, 2);
    g_assert_cmpuint(count_of("--state resolved"), ==, 1);
    g_assert_cmpuint(count_of("--state all"), ==, 3);
    g_assert_cmpuint(count_of("--severity high"), ==, 1);
    g_assert_cmpuint(count_of("--integration acme"), ==, 2);
    g_assert_cmpuint(count_of("--check " CHECK), ==, 2);
    g_assert_cmpuint(count_of("--check other.check"), ==, 0);
    desk_fails("findings --state broken", 2, "--state wants open, resolved or all");
    desk_fails("findings --severity bad", 2, "--severity wants critical");
    desk_fails("findings --integration other", 3, "no integration");
    desk_fails("findings --cursor nonsense", 2, "");
}

static void findings_go_on_behind_their_cursor(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    g_autoptr(Json) first = desk_json("findings --limit 1", 0);
    const char *cursor = json_member_string(first, "nextCursor", NULL);
    g_assert_nonnull(cursor);
    g_autofree char *line = g_strdup_printf("findings --limit 5 --cursor %s", cursor);
    g_autoptr(Json) second = desk_json(line, 0);
    g_assert_cmpuint(json_count(json_member(second, "findings")), ==, 1);
}

static void people_see_the_worst_finding_first(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    g_auto(Said) said = desk_run("findings");
    const char *api = strstr(said.out, "high      acme/api");
    const char *web = strstr(said.out, "medium    acme/web");
    g_assert_true(api && web && api < web);
    assert_lacks(said.out, "acme/old");
}

static void no_findings_say_what_to_do(void) {
    g_autoptr(Session) session = desk_session();
    g_auto(Said) nothing = desk_run("findings");
    assert_holds(nothing.out, "There are no such findings.");
    assert_holds(nothing.err, "Next: assay connect github");
}

/* --- controls --------------------------------------------------------------------------------- */

static void a_framework_is_one_object(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) reply = desk_json("controls --framework soc2", 0);
    g_assert_cmpstr(json_member_string(reply, "framework", ""), ==, "soc2");
    g_assert_cmpuint(json_count(json_member(reply, "controls")), ==, 61);
    g_assert_nonnull(json_path(reply, "score.counts"));
}

static void all_frameworks_are_a_list(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) reply = desk_json("controls", 0);
    const Json *list = json_member(reply, "frameworks");
    g_assert_cmpuint(json_count(list), >=, 3);
    g_assert_nonnull(json_member(json_item(list, 0), "score"));
    g_auto(Said) said = desk_run("controls");
    assert_holds(said.out, "soc2");
    assert_holds(said.err, "Nothing is connected. Next: assay connect github");
}

static void a_status_is_taken_as_in_json_or_as_people_see_it(void) {
    g_autoptr(Session) session = desk_session();
    g_autoptr(Json) manual = desk_json("controls --framework soc2 --status manual", 0);
    g_autoptr(Json) failing = desk_json("controls --framework soc2 --status failing", 0);
    g_assert_cmpuint(json_count(json_member(manual, "controls")), >, 0);
    g_assert_cmpuint(json_count(json_member(failing, "controls")), ==, 0);
    desk_fails("controls --status broken", 2, "--status wants one of compliant");
    desk_fails("controls --framework sock2", 3, "soc2");
}

static void people_see_controls_score_and_what_to_fix(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    g_auto(Said) said = desk_run("controls --framework soc2");
    g_assert_cmpint(said.status, ==, 0);
    assert_holds(said.out, "CC8.1");
    assert_holds(said.out, "◌ no evidence");
    assert_holds(said.out, "SOC 2: 0 %");
    assert_holds(said.out, "What to fix next\n  high      The default branch is protected (acme): "
                           "acme/api\n            Add a ruleset");
    assert_lacks(said.out, "· manual\n");
    assert_lacks(said.out, "!");
    assert_holds(said.err, "Next: assay sync acme");
}

/* --- asked of a server ------------------------------------------------------------------------ */

static void a_server_says_the_same_of_findings(void) {
    clock_freeze(1760000100000);
    desk_serve("member", false);
    desk_same("findings", 0);
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    desk_same("findings", 0);
    desk_same("findings --state all --limit 2", 0);
    desk_same("findings --state resolved --severity high --check " CHECK, 0);
    desk_same("findings --integration acme", 0);
    desk_same("findings --integration nobody", 3);
    desk_same("findings --severity bad", 2);
}

static void a_server_says_the_same_of_controls(void) {
    clock_freeze(1760000100000);
    desk_serve("auditor", false);
    desk_same("controls", 0);
    desk_same("controls --framework soc2 --status manual", 0);
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = make_findings(session);
    desk_same("controls --framework soc2", 0);
    desk_same("controls --framework SOC2", 0);
    desk_same("controls --framework sock2", 3);
    desk_same("controls --status broken", 2);
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"the_worst_comes_first", the_worst_comes_first},
        {"findings_of_one_check_are_one_line_with_its_remedy",
         findings_of_one_check_are_one_line_with_its_remedy},
        {"nothing_to_fix_prints_nothing", nothing_to_fix_prints_nothing},
        {"findings_are_filtered", findings_are_filtered},
        {"findings_go_on_behind_their_cursor", findings_go_on_behind_their_cursor},
        {"people_see_the_worst_finding_first", people_see_the_worst_finding_first},
        {"no_findings_say_what_to_do", no_findings_say_what_to_do},
        {"a_framework_is_one_object", a_framework_is_one_object},
        {"all_frameworks_are_a_list", all_frameworks_are_a_list},
        {"a_status_is_taken_as_in_json_or_as_people_see_it",
         a_status_is_taken_as_in_json_or_as_people_see_it},
        {"people_see_controls_score_and_what_to_fix", people_see_controls_score_and_what_to_fix},
        {"a_server_says_the_same_of_findings", a_server_says_the_same_of_findings},
        {"a_server_says_the_same_of_controls", a_server_says_the_same_of_controls},
    };
    return desk_main(argc, argv, "controls", tests, G_N_ELEMENTS(tests));
}
