/* Lists of evidence, findings and jobs: the same page with every option, here and from a server. */
#include "base/clock.h"
#include "base/id.h"
#include "cli/listing.h"
#include "store/evidence.h"
#include "store/finding.h"
#include "store/job.h"
#include "unit/cli_support.h"

#include <string.h>

#define NOW INT64_C(1760000000000) /* 2025-10-09T08:53:20Z */
#define DAY INT64_C(86400000)
#define EACH 3 /* evidence items, findings and jobs of each integration */

/* --- an organization with two integrations ---------------------------------------------------- */

static bool add_evidence(DbUnit *unit, const char *integration_id, int days_ago, GError **error) {
    char id[ID_SIZE];
    id_write(id);
    int64_t at = NOW - days_ago * DAY;
    g_autofree char *time = clock_format(at);
    g_autofree char *record =
        g_strdup_printf("{\"version\":1,\"id\":\"%s\",\"integrationId\":\"%s\",\"evidenceType\":"
                        "\"type_%d\",\"source\":\"github\",\"title\":\"Title\",\"collectedAt\":"
                        "\"%s\",\"completeness\":{\"complete\":true,\"share\":1,\"reads\":[]}}",
                        id, integration_id, days_ago, time);
    g_autofree char *type = g_strdup_printf("type_%d", days_ago);
    Evidence row = {.id = id,
                    .integration_id = integration_id,
                    .evidence_type = type,
                    .source = "github",
                    .record = record,
                    .completeness = 1,
                    .collected_at = at,
                    .valid_from = at,
                    .valid_until = at + 30 * DAY};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static bool add_finding(DbUnit *unit, const char *integration_id, int number, GError **error) {
    static const char *const severities[EACH] = {"high", "low", "high"};
    g_autofree char *resource = g_strdup_printf("acme/repo-%d", number);
    FindingFailure failure = {.key = {.integration_id = integration_id,
                                      .check_id = "branch_protection.default_branch",
                                      .resource = resource},
                              .severity = severities[number],
                              .title = "The default branch is protected",
                              .at = NOW - DAY};
    return finding_fail(unit, &failure, NULL, error);
}

static bool add_job(DbUnit *unit, const char *integration_id, GError **error) {
    g_autofree char *id = id_new();
    Job job = {.id = id,
               .integration_id = integration_id,
               .request = "{\"evidenceTypes\":[\"branch_protection\"],\"from\":0,\"to\":0}",
               .definition_sha256 = "0f",
               .priority = JOB_PRIORITY_PERSON};
    return job_insert(unit, &job, error);
}

static bool fill_work(DbUnit *unit, void *data, GError **error) {
    bool ok = true;
    for (int i = 0; ok && i < EACH; i++)
        ok = add_evidence(unit, data, i, error) && add_finding(unit, data, i, error) &&
             add_job(unit, data, error);
    return ok;
}

/* The id of the second of them, "beta"; owned by the caller. */
static char *fill(void) {
    static const char *const names[] = {"acme", "beta"};
    char *id = NULL;
    clock_freeze(NOW);
    g_autoptr(Session) session = desk_session();
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_free(id);
        id = desk_add_integration(session, names[i], INTEGRATION_CONNECTED);
        must(session_run(session, DB_WRITE, fill_work, id, &error));
    }
    return id;
}

static const struct {
    const char *line;
    const char *member;
} lists[] = {{"evidence list", "evidence"}, {"findings", "findings"}, {"jobs list", "jobs"}};

static size_t count_of(const char *line, const char *member) {
    g_autoptr(Json) page = desk_json(line, 0);
    return json_count(json_member(page, member));
}

/* --- tests ------------------------------------------------------------------------------------ */

static void integrations_are_meant_by_name_or_id(void) {
    g_autofree char *id = fill();
    desk_serve("auditor", false);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *named = g_strdup_printf("%s --integration beta", lists[i].line);
        g_autofree char *by_id = g_strdup_printf("%s --integration %s", lists[i].line, id);
        g_autofree char *unknown = g_strdup_printf("%s --integration gamma", lists[i].line);
        g_assert_cmpuint(count_of(lists[i].line, lists[i].member), ==, 2 * EACH);
        g_assert_cmpuint(count_of(named, lists[i].member), ==, EACH);
        desk_same(lists[i].line, 0);
        desk_same(named, 0);
        desk_same(by_id, 0);
        desk_refuse_same(unknown, 3);
    }
}

static void a_cursor_goes_on_where_the_limit_ended(void) {
    g_autofree char *id = fill();
    desk_serve("auditor", false);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *first = g_strdup_printf("%s --limit 4", lists[i].line);
        g_autoptr(Json) page = desk_json(first, 0);
        const char *cursor = json_member_string(page, "nextCursor", NULL);
        g_assert_nonnull(cursor);
        g_autofree char *second =
            g_strdup_printf("%s --limit 4 --cursor %s", lists[i].line, cursor);
        g_assert_cmpuint(json_count(json_member(page, lists[i].member)), ==, 4);
        g_assert_cmpuint(count_of(second, lists[i].member), ==, 2 * EACH - 4);
        desk_same(first, 0);
        desk_same(second, 0);
    }
}

static void no_limit_is_more_than_a_page(void) {
    g_autofree char *id = fill();
    desk_serve("auditor", false);
    for (size_t i = 0; i < G_N_ELEMENTS(lists); i++) {
        g_autofree char *all = g_strdup_printf("%s --limit 100000", lists[i].line);
        g_autofree char *none = g_strdup_printf("%s --limit 0", lists[i].line);
        desk_same(all, 0);
        desk_refuse_same(none, 2);
    }
}

static void every_filter_narrows_both_ways_alike(void) {
    static const struct {
        const char *line;
        const char *member;
        size_t count;
    } cases[] = {
        {"evidence list --type type_1", "evidence", 2},
        {"evidence list --type type_1 --integration acme", "evidence", 1},
        {"evidence list --source github", "evidence", 2 * EACH},
        {"evidence list --source aws", "evidence", 0},
        {"evidence list --from 2025-10-08T08:53:20Z", "evidence", 4},
        {"evidence list --to 2025-10-08T08:53:20Z", "evidence", 2},
        {"evidence list --from 36h", "evidence", 4},
        {"evidence list --from 2025-10-08 --to 2025-10-09", "evidence", 2},
        {"findings --severity high", "findings", 4},
        {"findings --severity medium", "findings", 0},
        {"findings --state resolved", "findings", 0},
        {"findings --state all --severity low", "findings", 2},
        {"findings --check branch_protection.default_branch", "findings", 2 * EACH},
        {"jobs list --status pending", "jobs", 2 * EACH},
        {"jobs list --status failed --integration beta", "jobs", 0},
    };
    g_autofree char *id = fill();
    desk_serve("auditor", false);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s", cases[i].line);
        g_assert_cmpuint(count_of(cases[i].line, cases[i].member), ==, cases[i].count);
        desk_same(cases[i].line, 0);
    }
}

static void words_that_no_list_knows_are_refused_before_anybody_is_asked(void) {
    static const char *const lines[] = {"findings --state shut --server http://127.0.0.1:9",
                                        "findings --severity dire --server http://127.0.0.1:9",
                                        "jobs list --status late --server http://127.0.0.1:9"};
    const char *token = desk_file("a.token", "assay_api_x");
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++) {
        g_autofree char *line = g_strdup_printf("%s --token @%s", lines[i], token);
        desk_fails(line, 2, " wants ");
    }
}

#define TEST(name)                                                                                 \
    { #name, name }

static const DeskTest tests[] = {
    TEST(integrations_are_meant_by_name_or_id),
    TEST(a_cursor_goes_on_where_the_limit_ended),
    TEST(no_limit_is_more_than_a_page),
    TEST(every_filter_narrows_both_ways_alike),
    TEST(words_that_no_list_knows_are_refused_before_anybody_is_asked),
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "listing", tests, G_N_ELEMENTS(tests));
}
