/* What is the operator's over the API, and nobody else's: limits, and the look at the whole. */
#include "api/routes.h"
#include "api/target.h"
#include "unit/api_support.h"

#include <string.h>

#define GITHUB "/api/limits/github"
#define RATE "{\"limit\":\"30/1m\"}"

static Answer ask_as(const Stage *stage, const char *token, const char *method, const char *path,
                     const char *body) {
    Answer answer =
        stage_ask(stage, &(Ask){.method = method, .path = path, .token = token, .body = body});
    g_test_message("%s %s: %s", method, path, answer.body ? answer.body : "");
    return answer;
}

/* Holds an answer of success against the form that the route promises. */
static void check_form(const char *method, const char *path, const Answer *answer) {
    g_auto(Target) target = {0};
    RouteMatch match;
    must(target_init(&target, path, &error));
    route_find(routes, method, target.segments, &match);
    g_autoptr(GPtrArray) wrongs = shape_check(match.route->reply, answer->json);
    g_assert_cmpuint(answer->status, ==, 200);
    g_assert_cmpuint(wrongs->len, ==, 0);
}

static void the_operator_sees_sets_and_clears_limits(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) set = ask_as(&stage, stage.operator, "PUT", GITHUB, RATE);
    check_form("PUT", GITHUB, &set);
    g_assert_cmpstr(answer_text(&set, "limit"), ==, "30/1m");
    g_auto(Answer) list = ask_as(&stage, stage.operator, "GET", "/api/limits", NULL);
    check_form("GET", "/api/limits", &list);
    const Json *own = json_item(json_member(list.json, "operator"), 0);
    g_assert_cmpstr(json_member_string(own, "provider", ""), ==, "github");
    g_assert_cmpstr(json_member_string(own, "origin", ""), ==, "command");
    g_assert_cmpstr(answer_text(&list, "counted.in"), ==, "database");
    g_auto(Answer) cleared = ask_as(&stage, stage.operator, "DELETE", GITHUB, NULL);
    check_form("DELETE", GITHUB, &cleared);
    g_auto(Answer) again = ask_as(&stage, stage.operator, "DELETE", GITHUB, NULL);
    assert_problem(&again, 404, "CONFIGURATION_ERROR");
}

static void what_is_no_limit_is_pointed_at(void) {
    static const char *const bodies[] = {"{\"limit\":\"often\"}", "{\"limit\":\"0/1m\"}",
                                         "{\"limit\":30}", "{}",
                                         "{\"limit\":\"30/1m\",\"for\":\"ever\"}"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_auto(Answer) answer = ask_as(&stage, stage.operator, "PUT", GITHUB, bodies[i]);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
        g_assert_cmpuint(json_count(json_member(answer.json, "errors")), ==, 1);
    }
    g_auto(Answer) unknown = ask_as(&stage, stage.operator, "PUT", "/api/limits/nobody", RATE);
    assert_problem(&unknown, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) list = ask_as(&stage, stage.operator, "GET", "/api/limits", NULL);
    g_assert_cmpuint(json_count(json_member(list.json, "operator")), ==, 0);
}

static void no_role_in_an_organization_reaches_the_limits(void) {
    static const struct {
        const char *method;
        const char *path;
        const char *body;
    } asked[] = {{"GET", "/api/limits", NULL}, {"PUT", GITHUB, RATE}, {"DELETE", GITHUB, NULL}};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(asked); i++) {
        for (Role role = ROLE_OWNER; role < ROLE_NONE; role++) {
            g_auto(Answer) answer =
                ask_as(&stage, stage.tokens[role], asked[i].method, asked[i].path, asked[i].body);
            assert_problem(&answer, 403, "PERMISSION_DENIED");
        }
        g_auto(Answer) nobody = ask_as(&stage, NULL, asked[i].method, asked[i].path, asked[i].body);
        assert_problem(&nobody, 401, "AUTHENTICATION_FAILED");
    }
}

static void what_was_set_is_in_the_log_of_the_installation(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) set = ask_as(&stage, stage.operator, "PUT", GITHUB, RATE);
    g_auto(Answer) cleared = ask_as(&stage, stage.operator, "DELETE", GITHUB, NULL);
    g_auto(Answer) log = ask_as(&stage, stage.operator, "GET",
                                "/api/installation/audit?action=settings.change", NULL);
    const Json *rows = json_member(log.json, "audit");
    g_assert_cmpuint(json_count(rows), ==, 2);
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "details.limit")), ==, "30/1m");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "target.id")), ==, "github");
    g_assert_cmpstr(json_text(json_path(json_item(rows, 1), "actor.name")), ==, "operator");
    g_assert_null(json_text(json_path(json_item(rows, 0), "details.limit")));
}

static void the_installation_is_examined_for_the_operator_alone(void) {
    static const char path[] = "/api/installation/doctor";
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) quiet = ask_as(&stage, stage.operator, "GET", path, NULL);
    check_form("GET", path, &quiet);
    g_assert_cmpint(json_member_int(quiet.json, "warnings", -1), ==, 0);
    g_auto(Answer) asked =
        ask_as(&stage, stage.operator, "GET", "/api/installation/doctor?network=true", NULL);
    g_assert_cmpint(json_member_int(asked.json, "warnings", -1), ==, 1);
    g_auto(Answer) wrong =
        ask_as(&stage, stage.operator, "GET", "/api/installation/doctor?network=maybe", NULL);
    assert_problem(&wrong, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) owner = ask_as(&stage, stage.tokens[ROLE_OWNER], "GET", path, NULL);
    assert_problem(&owner, 403, "PERMISSION_DENIED");
}

static const ApiTest tests[] = {
    {"the_operator_sees_sets_and_clears_limits", the_operator_sees_sets_and_clears_limits},
    {"what_is_no_limit_is_pointed_at", what_is_no_limit_is_pointed_at},
    {"no_role_in_an_organization_reaches_the_limits",
     no_role_in_an_organization_reaches_the_limits},
    {"what_was_set_is_in_the_log_of_the_installation",
     what_was_set_is_in_the_log_of_the_installation},
    {"the_installation_is_examined_for_the_operator_alone",
     the_installation_is_examined_for_the_operator_alone},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "limits", tests, G_N_ELEMENTS(tests));
}
