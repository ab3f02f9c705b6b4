/* What a narrow role sees of what there is: auditors their period, scanners their integrations. */
#include "base/clock.h"
#include "base/id.h"
#include "store/evidence.h"
#include "store/finding.h"
#include "store/integration.h"
#include "store/score.h"
#include "unit/api_support.h"

#include <string.h>

#define OTHER "01890000-0000-7000-8000-0000000000ab"
#define MAY_1 INT64_C(1777593600000) /* 2026-05-01 */
#define DAY INT64_C(86400000)

/* --- an organization with two integrations ---------------------------------------------------- */

/* Something was collected from an integration at a time, and found wrong. */
typedef struct {
    const char *integration_id;
    int64_t at;
    char id[ID_SIZE]; /* of the evidence */
} Seen;

static bool see_work(DbUnit *unit, void *data, GError **error) {
    Seen *seen = data;
    id_write(seen->id);
    g_autofree char *time = clock_format(seen->at);
    g_autofree char *resource = g_strdup_printf("repo-%s", time);
    g_autofree char *record = g_strdup_printf(
        "{\"version\":1,\"id\":\"%s\",\"integrationId\":\"%s\",\"evidenceType\":"
        "\"branch_protection\",\"source\":\"github\",\"title\":\"T\",\"collectedAt\":\"%s\","
        "\"completeness\":{\"complete\":true,\"share\":1,\"reads\":[]}}",
        seen->id, seen->integration_id, time);
    Evidence row = {.id = seen->id,
                    .integration_id = seen->integration_id,
                    .evidence_type = "branch_protection",
                    .source = "github",
                    .record = record,
                    .completeness = 1,
                    .collected_at = seen->at,
                    .valid_from = seen->at,
                    .valid_until = seen->at + 30 * DAY};
    FindingFailure failure = {
        .key = {seen->integration_id, "branch_protection.default_branch", resource},
        .severity = "high",
        .title = "The default branch is protected",
        .at = seen->at};
    return evidence_insert(unit, &row, NULL, NULL, error) &&
           finding_fail(unit, &failure, NULL, error);
}

/* Before, in and after May: of the first integration, and in May of the other. */
typedef struct {
    Stage stage;
    Seen seen[4];
    char *auditor; /* a token for May */
} World;

enum { APRIL, MAY, JUNE, MAY_OF_OTHER };

static char *token_for_may(const Stage *stage) {
    g_auto(Answer) made = stage_send(stage, ROLE_OWNER, "POST", "/api/tokens",
                                     "{\"name\":\"audit of May\",\"role\":\"auditor\","
                                     "\"periodFrom\":\"2026-05-01T00:00:00Z\","
                                     "\"periodUntil\":\"2026-06-01T00:00:00Z\"}");
    g_assert_cmpuint(made.status, ==, 201);
    return g_strdup(answer_text(&made, "token"));
}

static void world_init(World *world) {
    static const Seen seen[] = {{INTEGRATION_A, MAY_1 - DAY, ""},
                                {INTEGRATION_A, MAY_1 + 10 * DAY, ""},
                                {INTEGRATION_A, MAY_1 + 40 * DAY, ""},
                                {OTHER, MAY_1 + 11 * DAY, ""}};
    stage_init(&world->stage, 0);
    stage_add_integration(&world->stage, OTHER, "other");
    for (size_t i = 0; i < G_N_ELEMENTS(seen); i++) {
        world->seen[i] = seen[i];
        must(stage_run(&world->stage, ORG_A, see_work, &world->seen[i], &error));
    }
    world->auditor = token_for_may(&world->stage);
}

static void world_clear(World *world) {
    stage_clear(&world->stage);
    g_free(world->auditor);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static Answer get_as(const World *world, const char *token, const char *path) {
    return stage_ask(&world->stage, &(Ask){.path = path, .token = token});
}

/* How many entries of the list at the path a token sees. */
static size_t count_as(const World *world, const char *token, const char *path,
                       const char *member) {
    g_auto(Answer) answer = get_as(world, token, path);
    g_assert_cmpuint(answer.status, ==, 200);
    return json_count(json_member(answer.json, member));
}

static unsigned status_of(const World *world, const char *token, int seen) {
    g_autofree char *path = g_strdup_printf("/api/evidence/%s", world->seen[seen].id);
    g_auto(Answer) answer = get_as(world, token, path);
    return answer.status;
}

/* --- lists ------------------------------------------------------------------------------------ */

static void auditors_see_what_was_seen_in_their_period(void) {
    g_auto(World) world;
    world_init(&world);
    const char *owner = world.stage.tokens[ROLE_OWNER];
    g_assert_cmpuint(count_as(&world, owner, "/api/findings", "findings"), ==, 4);
    g_assert_cmpuint(count_as(&world, world.auditor, "/api/findings", "findings"), ==, 2);
    g_assert_cmpuint(count_as(&world, owner, "/api/evidence", "evidence"), ==, 4);
    g_assert_cmpuint(count_as(&world, world.auditor, "/api/evidence", "evidence"), ==, 2);
    g_assert_cmpuint(
        count_as(&world, world.auditor, "/api/findings?integrationId=other", "findings"), ==, 1);
    g_assert_cmpuint(
        count_as(&world, world.auditor, "/api/evidence?to=2026-05-01T00:00:00Z", "evidence"), ==,
        0);
}

static void scanners_see_what_is_of_their_integrations(void) {
    g_auto(World) world;
    world_init(&world);
    const char *scanner = world.stage.tokens[ROLE_SCANNER]; /* names the first */
    g_assert_cmpuint(count_as(&world, scanner, "/api/findings", "findings"), ==, 3);
    g_assert_cmpuint(count_as(&world, scanner, "/api/evidence", "evidence"), ==, 3);
    g_assert_cmpuint(status_of(&world, scanner, JUNE), ==, 200);
    g_assert_cmpuint(status_of(&world, scanner, MAY_OF_OTHER), ==, 404);
}

/* Pages may come out short, but the cursor leads to all that is seen. */
static void a_narrow_list_is_read_to_its_end_page_by_page(void) {
    g_auto(World) world;
    g_autofree char *cursor = NULL;
    size_t seen = 0;
    world_init(&world);
    for (int pages = 0; pages == 0 || cursor; pages++) {
        g_assert_cmpint(pages, <, 10);
        g_autofree char *path = g_strdup_printf("/api/findings?limit=1%s%s",
                                                cursor ? "&cursor=" : "", cursor ? cursor : "");
        g_auto(Answer) page = get_as(&world, world.auditor, path);
        g_assert_cmpuint(page.status, ==, 200);
        seen += json_count(json_member(page.json, "findings"));
        g_free(cursor);
        cursor = g_strdup(json_member_string(page.json, "nextCursor", NULL));
    }
    g_assert_cmpuint(seen, ==, 2);
}

/* --- single things ---------------------------------------------------------------------------- */

static void what_one_does_not_see_is_not_found(void) {
    static const char *const none[] = {"/api/evidence/nothing", "/api/evidence/" ORG_A};
    g_auto(World) world;
    world_init(&world);
    g_assert_cmpuint(status_of(&world, world.auditor, APRIL), ==, 404);
    g_assert_cmpuint(status_of(&world, world.auditor, MAY), ==, 200);
    g_assert_cmpuint(status_of(&world, world.auditor, JUNE), ==, 404);
    g_assert_cmpuint(status_of(&world, world.auditor, MAY_OF_OTHER), ==, 200);
    g_assert_cmpuint(status_of(&world, world.stage.stranger, MAY), ==, 404);
    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        g_auto(Answer) answer = get_as(&world, world.stage.tokens[ROLE_OWNER], none[i]);
        assert_problem(&answer, 404, "CONFIGURATION_ERROR");
    }
}

static void evidence_is_reviewed_by_those_who_may_and_see_it(void) {
    g_auto(World) world;
    world_init(&world);
    g_autofree char *path = g_strdup_printf("/api/evidence/%s/review", world.seen[MAY].id);
    const char *const body = "{\"state\":\"approved\",\"comment\":\"fine\"}";
    const struct {
        const char *token;
        const char *path;
        unsigned status;
    } cases[] = {
        {world.auditor, path, 403},
        {world.stage.tokens[ROLE_SCANNER], path, 403},
        {world.stage.stranger, path, 404},
        {world.stage.tokens[ROLE_MEMBER], "/api/evidence/nothing/review", 404},
        {world.stage.tokens[ROLE_MEMBER], "/api/evidence/" ORG_A "/review", 404},
        {world.stage.tokens[ROLE_MEMBER], path, 200},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_ask(
            &world.stage,
            &(Ask){.method = "POST", .path = cases[i].path, .token = cases[i].token, .body = body});
        g_test_message("%zu: %s", i, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_autofree char *of_may = g_strdup_printf("/api/evidence/%s", world.seen[MAY].id);
    g_auto(Answer) reviewed = get_as(&world, world.auditor, of_may);
    g_assert_cmpstr(answer_text(&reviewed, "reviewState"), ==, "approved");
}

/* --- scores ----------------------------------------------------------------------------------- */

static bool score_work(DbUnit *unit, void *data, GError **error) {
    const Score *score = data;
    return score_insert(unit, score, error);
}

static void scores_are_told_the_newest_first_and_of_each_framework_the_latest(void) {
    static Score scores[] = {{"soc2", MAY_1, 1, 4, 0.25, "{\"met\":1}"},
                             {"soc2", MAY_1 + DAY, 2, 4, 0.5, "{\"met\":2}"},
                             {"soc2", MAY_1 + 2 * DAY, 3, 4, 0.75, "{\"met\":3}"},
                             {"iso27001_2022", MAY_1, 1, 10, 0.1, "{}"}};
    g_auto(World) world;
    world_init(&world);
    const char *owner = world.stage.tokens[ROLE_OWNER];
    for (size_t i = 0; i < G_N_ELEMENTS(scores); i++)
        must(stage_run(&world.stage, ORG_A, score_work, &scores[i], &error));
    g_auto(Answer) latest = get_as(&world, owner, "/api/scores");
    g_assert_cmpuint(json_count(json_member(latest.json, "scores")), ==, 2);
    g_assert_null(json_member_string(latest.json, "nextCursor", NULL));
    g_auto(Answer) first = get_as(&world, owner, "/api/scores?framework=soc2&limit=2");
    const Json *list = json_member(first.json, "scores");
    g_assert_cmpuint(json_count(list), ==, 2);
    g_assert_cmpfloat(json_member_real(json_item(list, 0), "score", 0), ==, 0.75);
    g_assert_cmpint(json_integer_or(json_path(json_item(list, 0), "counts.met"), 0), ==, 3);
    g_autofree char *path = g_strdup_printf("/api/scores?framework=soc2&limit=2&cursor=%s",
                                            answer_text(&first, "nextCursor"));
    g_auto(Answer) rest = get_as(&world, owner, path);
    g_assert_cmpuint(json_count(json_member(rest.json, "scores")), ==, 1);
    g_assert_cmpuint(count_as(&world, world.stage.stranger, "/api/scores", "scores"), ==, 0);
    g_auto(Answer) unknown = get_as(&world, owner, "/api/scores?framework=tea");
    assert_problem(&unknown, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) wrong = get_as(&world, owner, "/api/scores?framework=soc2&cursor=yesterday");
    assert_problem(&wrong, 400, "CONFIGURATION_ERROR");
}

#define TEST(name)                                                                                 \
    { #name, name }

static const ApiTest tests[] = {
    TEST(auditors_see_what_was_seen_in_their_period),
    TEST(scanners_see_what_is_of_their_integrations),
    TEST(a_narrow_list_is_read_to_its_end_page_by_page),
    TEST(what_one_does_not_see_is_not_found),
    TEST(evidence_is_reviewed_by_those_who_may_and_see_it),
    TEST(scores_are_told_the_newest_first_and_of_each_framework_the_latest),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "narrow", tests, G_N_ELEMENTS(tests));
}
