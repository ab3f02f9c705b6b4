/* Controls over the API: exceptions. */
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

static const ApiTest tests[] = {
    {"an_exception_stands_until_it_ends", an_exception_stands_until_it_ends},
    {"an_exception_is_for_those_who_may_and_says_why",
     an_exception_is_for_those_who_may_and_says_why},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "controls", tests, G_N_ELEMENTS(tests));
}
