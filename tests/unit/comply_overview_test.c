/* Controls and findings as the objects that the command line and the API show. */
#include "unit/comply_support.h"

#include "base/clock.h"
#include "comply/judge.h"
#include "comply/overview.h"
#include "store/control_mapping.h"
#include "store/integration.h"

#include <string.h>

#define ONE "integration-one"
#define BAD(name) "{\"age\":1,\"archived\":false,\"protected\":false,\"repository\":\"" name "\"}"
#define GOOD(name) "{\"age\":1,\"archived\":false,\"protected\":true,\"repository\":\"" name "\"}"

#define CHECK_TWIN                                                                                 \
    "      twin: {title: Its twin, resource: .repository, pass: .protected, severity: low,\n"      \
    "        remediation: Do., controls: {soc2: [CC1.1]}}\n"

static Registry *one_provider(void) {
    g_autofree char *alpha = comply_definition_text("alpha", CHECK_PROTECTED, CHECK_NO_ALERTS);
    const char *const files[] = {"alpha", alpha, NULL};
    return comply_registry(files);
}

static void judge(Registry *registry, const char *rows) {
    const Definition *definition = NULL;
    g_autofree char *id = comply_add_evidence(
        &(ComplyEvidence){.integration_id = ONE, .type = "branches", .rows = rows});
    comply_ok((definition = registry_find(registry, "alpha", &error)) != NULL);
    comply_ok(judge_evidence(comply_db(), comply_scope(), definition, id, NULL, &error));
}

static Json *controls(Registry *registry, const char *status) {
    OverviewControls wish = {.status = status, .now_ms = clock_now_ms()};
    Json *json = NULL;
    comply_ok((wish.framework = framework_find("soc2", &error)) != NULL);
    comply_ok((json = overview_controls(comply_db(), comply_scope(), registry, &wish, &error)) !=
              NULL);
    return json;
}

static Json *findings(Registry *registry, const FindingFilter *filter, const char *cursor) {
    Json *json = NULL;
    comply_ok((json = overview_findings(comply_db(), comply_scope(), registry, filter, cursor,
                                        &error)) != NULL);
    return json;
}

static const char *text(const Json *json, const char *path) {
    return json_text(json_path(json, path));
}

static void a_framework_is_shown_whole(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a") "," GOOD("b"));
    g_autoptr(Json) json = controls(registry, NULL);
    g_assert_cmpstr(text(json, "framework"), ==, "soc2");
    g_assert_cmpstr(text(json, "name"), ==, "SOC 2");
    g_assert_cmpuint(json_count(json_member(json, "controls")), ==, 61);
    g_assert_cmpint(json_integer_or(json_path(json, "score.counts.non_compliant"), -1), ==, 2);
    const Json *first = json_item(json_member(json, "controls"), 0);
    g_assert_cmpstr(text(first, "id"), ==, "CC1.1");
    g_assert_cmpstr(text(first, "status"), ==, "non_compliant");
    g_assert_cmpint(json_kind(json_member(first, "verdict")), ==, JSON_KIND_NULL);
    g_assert_cmpfloat(json_member_real(first, "confidence", 0), ==, 1.0);
    g_assert_cmpfloat(json_number_or(json_path(first, "confidenceParts.agreement"), 0), ==, 1.0);
    const Json *check = json_item(json_member(first, "checks"), 0);
    g_assert_cmpstr(text(check, "check"), ==, "branches.protected");
    g_assert_cmpstr(text(check, "integration"), ==, ONE);
    g_assert_cmpstr(text(check, "verdict"), ==, "fail");
    g_assert_cmpstr(text(check, "reason"), ==, "1 of 2 judged rows fail.");
    g_assert_cmpstr(text(check, "collectedAt"), ==, "2025-10-09T08:53:20.000Z");
    g_assert_nonnull(text(check, "evidenceId"));
}

static void controls_are_filtered_and_the_score_is_not(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, GOOD("a"));
    g_autoptr(Json) json = controls(registry, "compliant");
    g_assert_cmpuint(json_count(json_member(json, "controls")), ==, 2);
    g_assert_cmpint(json_integer_or(json_path(json, "score.controls"), 0), ==, 61);
    g_autoptr(Json) none = controls(registry, "stale");
    g_assert_cmpuint(json_count(json_member(none, "controls")), ==, 0);
    OverviewControls wish = {.status = "met"};
    comply_ok((wish.framework = framework_find("soc2", &error)) != NULL);
    comply_fails(ERROR_USAGE,
                 overview_controls(comply_db(), comply_scope(), registry, &wish, &error) != NULL);
}

static void reading_stores_nothing_and_sees_the_clock(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, GOOD("a"));
    clock_advance(30 * DAY_MS);
    g_autoptr(Json) json = controls(registry, "stale");
    const Json *first = json_item(json_member(json, "controls"), 0);
    g_assert_cmpstr(text(first, "id"), ==, "CC1.1");
    g_assert_cmpstr(text(first, "verdict"), ==, "compliant");
}

static void findings_carry_what_to_do(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a"));
    g_autoptr(Json) json = findings(registry, &(FindingFilter){.limit = 10}, NULL);
    g_assert_cmpuint(json_count(json_member(json, "findings")), ==, 1);
    g_assert_cmpint(json_kind(json_member(json, "nextCursor")), ==, JSON_KIND_NULL);
    const Json *first = json_item(json_member(json, "findings"), 0);
    static const char *const members[][2] = {
        {"check", "branches.protected"},
        {"evidenceType", "branches"},
        {"title", "The branch is protected"},
        {"severity", "high"},
        {"resource", "a"},
        {"state", "open"},
        {"integrationId", ONE},
        {"integration", ONE},
        {"provider", "alpha"},
        {"openedAt", "2025-10-09T08:53:20.000Z"},
        {"lastSeenAt", "2025-10-09T08:53:20.000Z"},
        {"remediation", "Protect it."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        g_assert_cmpstr(text(first, members[i][0]), ==, members[i][1]);
    g_assert_cmpint(json_kind(json_member(first, "resolvedAt")), ==, JSON_KIND_NULL);
    g_autofree char *mapped = json_print(json_member(first, "controls"), JSON_SORTED);
    g_assert_cmpstr(mapped, ==,
                    "{\"iso27001_2013\":[\"A.5.1.1\"],\"nist_800_171\":[\"3.4.3\"],"
                    "\"soc2\":[\"CC1.1\",\"CC1.2\"]}");
}

/* --- the organization's own mapping ----------------------------------------------------------- */

typedef struct {
    const char *framework;
    const char *control;
    const char *check;
    bool added;
} Change;

static bool insert_change(DbUnit *unit, void *data, GError **error) {
    const Change *change = data;
    ControlMapping row = {.framework = change->framework,
                          .control_id = change->control,
                          .provider = "alpha",
                          .check_id = change->check,
                          .added = change->added,
                          .who = "mona",
                          .why = "ours"};
    return control_mapping_insert(unit, &row, error);
}

static bool forget_changes(DbUnit *unit, void *data, GError **error) {
    return control_mapping_clear(unit, "soc2", data, NULL, error);
}

static char *mapped_of(Registry *registry, const char *check) {
    g_autoptr(Json) json = findings(registry, &(FindingFilter){.check_id = check}, NULL);
    const Json *list = json_member(json, "findings");
    g_autofree char *first = json_print(json_member(json_item(list, 0), "controls"), JSON_SORTED);
    for (size_t i = 0; i < json_count(list); i++) {
        g_autofree char *one = json_print(json_member(json_item(list, i), "controls"), JSON_SORTED);
        g_assert_cmpstr(one, ==, first);
    }
    return g_steal_pointer(&first);
}

static void findings_name_the_controls_of_the_organizations_own_mapping(void) {
    static const Change changes[] = {{"soc2", "CC1.1", "branches.protected", false},
                                     {"soc2", "CC1.2", "branches.protected", false},
                                     {"soc2", "CC1.5", "branches.protected", true},
                                     {"iso27001_2022", "A.8.5", "branches.protected", true}};
    g_autofree char *text = comply_definition_text("alpha", CHECK_PROTECTED CHECK_TWIN, NULL);
    const char *const files[] = {"alpha", text, NULL};
    g_autoptr(Registry) registry = comply_registry(files);
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a") "," BAD("b"));
    for (size_t i = 0; i < G_N_ELEMENTS(changes); i++)
        comply_run(insert_change, (void *)(uintptr_t)&changes[i]);
    /* CC1.2 stays: no other check of branches speaks for it. */
    g_autofree char *changed = mapped_of(registry, "branches.protected");
    g_assert_cmpstr(changed, ==,
                    "{\"iso27001_2013\":[\"A.5.1.1\"],\"iso27001_2022\":[\"8.5\"],"
                    "\"nist_800_171\":[\"3.4.3\"],\"soc2\":[\"CC1.2\",\"CC1.5\"]}");
    g_autofree char *twin = mapped_of(registry, "branches.twin");
    g_assert_cmpstr(twin, ==, "{\"soc2\":[\"CC1.1\"]}");
    char control[] = "CC1.1";
    comply_run(forget_changes, control);
    g_autofree char *back = mapped_of(registry, "branches.protected");
    g_assert_nonnull(strstr(back, "[\"CC1.1\",\"CC1.2\",\"CC1.5\"]"));
}

static void findings_come_page_by_page(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a") "," BAD("b") "," BAD("c") "," BAD("\xc3\xa4/x") "," BAD("e"));
    g_autofree char *cursor = NULL;
    g_autoptr(GString) seen = g_string_new(NULL);
    int pages = 0;
    do {
        g_autoptr(Json) json = findings(registry, &(FindingFilter){.limit = 2}, cursor);
        const Json *list = json_member(json, "findings");
        for (size_t i = 0; i < json_count(list); i++)
            g_string_append(seen, text(json_item(list, i), "resource"));
        g_free(cursor);
        cursor = g_strdup(text(json, "nextCursor"));
        pages++;
    } while (cursor != NULL && pages < 10);
    g_assert_cmpstr(seen->str, ==, "abce\xc3\xa4/x");
    g_assert_cmpint(pages, ==, 3);
}

static void findings_are_filtered(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a") "," BAD("b"));
    clock_advance(1000);
    judge(registry, GOOD("a") "," BAD("b"));
    static const struct {
        FindingFilter filter;
        size_t count;
    } cases[] = {
        {{.state = NULL}, 2},       {{.state = "open"}, 1},
        {{.state = "resolved"}, 1}, {{.severity = "high"}, 2},
        {{.severity = "low"}, 0},   {{.check_id = "branches.protected"}, 2},
        {{.check_id = "other"}, 0}, {{.integration_id = ONE}, 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Json) json = findings(registry, &cases[i].filter, NULL);
        g_assert_cmpuint(json_count(json_member(json, "findings")), ==, cases[i].count);
    }
}

static void findings_outlive_their_definition(void) {
    g_autoptr(Registry) registry = one_provider();
    comply_add_integration(ONE, "alpha");
    judge(registry, BAD("a"));
    const char *const nothing[] = {NULL};
    g_autoptr(Registry) empty = comply_registry(nothing);
    g_autoptr(Json) json = findings(empty, &(FindingFilter){.limit = 10}, NULL);
    const Json *first = json_item(json_member(json, "findings"), 0);
    g_assert_cmpstr(text(first, "title"), ==, "The branch is protected");
    g_assert_cmpint(json_kind(json_member(first, "remediation")), ==, JSON_KIND_NULL);
    g_assert_cmpuint(json_count(json_member(first, "controls")), ==, 0);
}

static void wrong_cursors_are_refused(void) {
    static const char *const cursors[] = {"", "???", "e30", "WzEsMiwzXQ", "WyJhIiwiYiJd"};
    g_autoptr(Registry) registry = one_provider();
    for (size_t i = 0; i < G_N_ELEMENTS(cursors); i++)
        comply_fails(ERROR_USAGE,
                     overview_findings(comply_db(), comply_scope(), registry,
                                       &(FindingFilter){.limit = 2}, cursors[i], &error) != NULL);
}

static const ComplyTest tests[] = {
    {"a_framework_is_shown_whole", a_framework_is_shown_whole},
    {"controls_are_filtered_and_the_score_is_not", controls_are_filtered_and_the_score_is_not},
    {"reading_stores_nothing_and_sees_the_clock", reading_stores_nothing_and_sees_the_clock},
    {"findings_carry_what_to_do", findings_carry_what_to_do},
    {"findings_name_the_controls_of_the_organizations_own_mapping",
     findings_name_the_controls_of_the_organizations_own_mapping},
    {"findings_come_page_by_page", findings_come_page_by_page},
    {"findings_are_filtered", findings_are_filtered},
    {"findings_outlive_their_definition", findings_outlive_their_definition},
    {"wrong_cursors_are_refused", wrong_cursors_are_refused},
};

int main(int argc, char **argv) {
    return comply_main(argc, argv, "overview", tests, G_N_ELEMENTS(tests));
}
