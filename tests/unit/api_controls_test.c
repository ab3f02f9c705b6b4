/* Controls over the API: exceptions, and whose mapping they are judged by. */
#include "unit/api_support.h"

#include <string.h>

#define EXCEPTION "/api/controls/CC8.1/exception?framework=soc2"

static void an_exception_stands_until_it_ends(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) set = stage_send(&stage, ROLE_ADMIN, "PUT", EXCEPTION,
                                    "{\"reason\":\"moved\",\"until\":\"2200-01-01\"}");
    g_assert_cmpuint(set.status, ==, 200);
    g_assert_cmpstr(answer_text(&set, "framework"), ==, "soc2");
    g_assert_cmpstr(answer_text(&set, "by"), ==, "admin");
    g_assert_cmpstr(answer_text(&set, "until"), ==, "2200-01-01T00:00:00.000Z");
    g_auto(Answer) control = stage_get(&stage, ROLE_OWNER, "/api/controls/soc2:CC8.1");
    g_assert_cmpstr(answer_text(&control, "status"), ==, "exception");
    g_auto(Answer) other =
        stage_ask(&stage, &(Ask){.path = "/api/controls/soc2:CC8.1", .token = stage.stranger});
    g_assert_cmpstr(answer_text(&other, "status"), !=, "exception");
    g_auto(Answer) ended = stage_send(&stage, ROLE_OWNER, "DELETE", EXCEPTION, NULL);
    g_assert_cmpuint(ended.status, ==, 200);
    g_auto(Answer) again = stage_send(&stage, ROLE_OWNER, "DELETE", EXCEPTION, NULL);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) after = stage_get(&stage, ROLE_OWNER, "/api/controls/soc2:CC8.1");
    g_assert_cmpstr(answer_text(&after, "status"), !=, "exception");
}

static void an_exception_is_for_those_who_may_and_says_why(void) {
    static const struct {
        Role role;
        const char *path;
        const char *body;
        unsigned status;
    } cases[] = {
        {ROLE_MEMBER, EXCEPTION, "{\"reason\":\"x\"}", 403},
        {ROLE_AUDITOR, EXCEPTION, "{\"reason\":\"x\"}", 403},
        {ROLE_SCANNER, EXCEPTION, "{\"reason\":\"x\"}", 403},
        {ROLE_OWNER, EXCEPTION, "{}", 400},
        {ROLE_OWNER, EXCEPTION, "{\"reason\":\"x\",\"until\":\"2001-01-01\"}", 400},
        {ROLE_OWNER, "/api/controls/XX9.9/exception", "{\"reason\":\"x\"}", 404},
        {ROLE_OWNER, "/api/controls/CC8.1/exception?framework=tea", "{\"reason\":\"x\"}", 404},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, "PUT", cases[i].path, cases[i].body);
        g_test_message("%s %s: %s", cases[i].path, cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
}

/* --- mapping ---------------------------------------------------------------------------------- */

#define MAPPING "/api/controls/CC1.5/mapping?framework=soc2"
#define OWN_MAPPING "/api/controls/CC8.1/mapping?framework=soc2"
#define SIGNED "{\"provider\":\"github\",\"check\":\"branch_protection.signed_commits_required\"}"
#define REVIEWED "{\"provider\":\"github\",\"check\":\"branch_protection.review_required\"}"

/* The mapped check of a control's reply; NULL: there is none. */
static const Json *mapped(const Answer *answer, const char *check) {
    const Json *list = json_member(answer->json, "mapping");
    for (size_t i = 0; i < json_count(list); i++)
        if (strcmp(json_member_string(json_item(list, i), "check", ""), check) == 0)
            return json_item(list, i);
    return NULL;
}

static void a_mapping_is_changed_until_it_is_taken_back(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) before = stage_get(&stage, ROLE_AUDITOR, "/api/controls/soc2:CC1.5");
    g_assert_cmpstr(answer_text(&before, "status"), ==, "manual");
    g_assert_cmpuint(json_count(json_member(before.json, "mapping")), ==, 0);
    g_auto(Answer) set = stage_send(&stage, ROLE_ADMIN, "PUT", MAPPING,
                                    "{\"add\":[" SIGNED "],\"reason\":\"ours\"}");
    g_assert_cmpuint(set.status, ==, 200);
    g_assert_cmpstr(answer_text(&set, "status"), ==, "no_evidence");
    const Json *one = mapped(&set, "branch_protection.signed_commits_required");
    g_assert_cmpstr(json_member_string(one, "origin", ""), ==, "organization");
    g_assert_cmpstr(json_member_string(one, "by", ""), ==, "admin");
    g_assert_cmpstr(json_member_string(one, "reason", ""), ==, "ours");
    g_assert_false(json_member_bool(one, "setAside", true));
    g_auto(Answer) other =
        stage_ask(&stage, &(Ask){.path = "/api/controls/soc2:CC1.5", .token = stage.stranger});
    g_assert_cmpstr(answer_text(&other, "status"), ==, "manual");
    g_auto(Answer) score = stage_get(&stage, ROLE_OWNER, "/api/scores?framework=soc2");
    g_assert_cmpuint(json_count(json_member(score.json, "scores")), ==, 1);
    g_auto(Answer) back = stage_send(&stage, ROLE_OWNER, "DELETE", MAPPING, NULL);
    g_assert_cmpstr(answer_text(&back, "status"), ==, "manual");
    g_auto(Answer) again = stage_send(&stage, ROLE_OWNER, "DELETE", MAPPING, NULL);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) audit = stage_get(&stage, ROLE_OWNER, "/api/audit?action=control.map");
    g_assert_cmpuint(json_count(json_member(audit.json, "audit")), ==, 2);
    g_assert_nonnull(strstr(audit.body, "github:branch_protection.signed_commits_required"));
    g_assert_nonnull(strstr(audit.body, "soc2:CC1.5"));
}

static void a_change_replaces_the_one_before(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) first = stage_send(&stage, ROLE_OWNER, "PUT", OWN_MAPPING,
                                      "{\"remove\":[" REVIEWED "],\"reason\":\"a\"}");
    g_assert_cmpuint(first.status, ==, 200);
    g_assert_true(
        json_member_bool(mapped(&first, "branch_protection.review_required"), "setAside", false));
    g_auto(Answer) second =
        stage_send(&stage, ROLE_OWNER, "PUT", OWN_MAPPING,
                   "{\"remove\":[{\"provider\":\"github\",\"check\":\"branch_protection."
                   "admins_included\"}],\"reason\":\"b\"}");
    g_assert_false(
        json_member_bool(mapped(&second, "branch_protection.review_required"), "setAside", true));
    g_assert_true(
        json_member_bool(mapped(&second, "branch_protection.admins_included"), "setAside", false));
}

static void a_mapping_is_changed_by_those_who_may_and_within_the_law(void) {
    static const struct {
        Role role;
        const char *path;
        const char *body;
        unsigned status;
        const char *pointer; /* of what is wrong; NULL: none */
    } cases[] = {
        {ROLE_MEMBER, MAPPING, "{\"add\":[" SIGNED "],\"reason\":\"x\"}", 403, NULL},
        {ROLE_AUDITOR, MAPPING, "{\"add\":[" SIGNED "],\"reason\":\"x\"}", 403, NULL},
        {ROLE_SCANNER, MAPPING, "{\"add\":[" SIGNED "],\"reason\":\"x\"}", 403, NULL},
        {ROLE_OWNER, MAPPING, "{\"add\":[" SIGNED "]}", 400, "/reason"},
        {ROLE_OWNER, MAPPING, "{\"reason\":\"x\"}", 400, ""},
        {ROLE_OWNER, MAPPING, "{\"add\":[" SIGNED "," SIGNED "],\"reason\":\"x\"}", 400, "/add/1"},
        {ROLE_OWNER, MAPPING, "{\"remove\":[" SIGNED "],\"reason\":\"x\"}", 400, "/remove/0"},
        {ROLE_OWNER, OWN_MAPPING, "{\"add\":[" REVIEWED "],\"reason\":\"x\"}", 400, "/add/0"},
        {ROLE_OWNER, MAPPING,
         "{\"add\":[{\"provider\":\"nobody\",\"check\":\"a.b\"}],\"reason\":\"x\"}", 400,
         "/add/0/provider"},
        {ROLE_OWNER, MAPPING,
         "{\"add\":[" SIGNED ",{\"provider\":\"github\",\"check\":\"members\"}],\"reason\":\"x\"}",
         400, "/add/1/check"},
        {ROLE_OWNER, "/api/controls/XX9.9/mapping", "{\"add\":[" SIGNED "],\"reason\":\"x\"}", 404,
         NULL},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, "PUT", cases[i].path, cases[i].body);
        g_test_message("%s %s: %s", cases[i].path, cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        const Json *wrong = json_item(json_member(answer.json, "errors"), 0);
        g_assert_cmpstr(json_member_string(wrong, "pointer", NULL), ==, cases[i].pointer);
    }
}

/* All checks of an evidence type that the definition maps: one has to stay. */
static void the_last_check_of_an_evidence_type_stays(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) control = stage_get(&stage, ROLE_OWNER, "/api/controls/soc2:CC8.1");
    g_autoptr(Json) list = json_new_array();
    const Json *mapping = json_member(control.json, "mapping");
    for (size_t i = 0; i < json_count(mapping); i++) {
        const Json *one = json_item(mapping, i);
        if (strcmp(json_member_string(one, "provider", ""), "github") != 0 ||
            strcmp(json_member_string(one, "evidenceType", ""), "branch_protection") != 0)
            continue;
        Json *named = json_new_object();
        json_put_string(named, "provider", "github");
        json_put_string(named, "check", json_member_string(one, "check", ""));
        json_add(list, named);
    }
    g_assert_cmpuint(json_count(list), >, 1);
    g_autoptr(Json) wish = json_new_object();
    json_put(wish, "remove", json_ref(list));
    json_put_string(wish, "reason", "none of it");
    g_autofree char *body = json_print(wish, JSON_COMPACT);
    g_auto(Answer) refused = stage_send(&stage, ROLE_OWNER, "PUT", OWN_MAPPING, body);
    assert_problem(&refused, 400, "CONFIGURATION_ERROR");
    g_assert_nonnull(strstr(refused.body, "must stay"));
}

static void what_was_added_is_collected_and_found_by_its_control(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    static const char sync[] = "/api/integrations/" INTEGRATION_A "/sync";
    static const char wish[] = "{\"controlIds\":[\"soc2:CC1.5\"]}";
    g_auto(Answer) nothing = stage_send(&stage, ROLE_OWNER, "POST", sync, wish);
    assert_problem(&nothing, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) set = stage_send(&stage, ROLE_OWNER, "PUT", MAPPING,
                                    "{\"add\":[" SIGNED "],\"reason\":\"ours\"}");
    g_assert_cmpuint(set.status, ==, 200);
    g_auto(Answer) queued = stage_send(&stage, ROLE_OWNER, "POST", sync, wish);
    g_assert_cmpuint(queued.status, ==, 202);
    const Json *types = json_path(queued.json, "job.evidenceTypes");
    g_assert_cmpuint(json_count(types), ==, 1);
    g_assert_cmpstr(json_text(json_item(types, 0)), ==, "branch_protection");
    g_auto(Answer) list = stage_get(&stage, ROLE_OWNER, "/api/evidence?control=soc2:CC1.5");
    g_assert_cmpuint(list.status, ==, 200);
}

static const ApiTest tests[] = {
    {"an_exception_stands_until_it_ends", an_exception_stands_until_it_ends},
    {"an_exception_is_for_those_who_may_and_says_why",
     an_exception_is_for_those_who_may_and_says_why},
    {"a_mapping_is_changed_until_it_is_taken_back", a_mapping_is_changed_until_it_is_taken_back},
    {"a_change_replaces_the_one_before", a_change_replaces_the_one_before},
    {"a_mapping_is_changed_by_those_who_may_and_within_the_law",
     a_mapping_is_changed_by_those_who_may_and_within_the_law},
    {"the_last_check_of_an_evidence_type_stays", the_last_check_of_an_evidence_type_stays},
    {"what_was_added_is_collected_and_found_by_its_control",
     what_was_added_is_collected_and_found_by_its_control},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "controls", tests, G_N_ELEMENTS(tests));
}
