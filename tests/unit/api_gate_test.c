#include "unit/api_support.h"

#include "base/clock.h"

#include <string.h>

static void nobody_reads_without_a_credential(void) {
    static const char *const headers[] = {
        NULL,
        "Authorization: Bearer \r\n",
        "Authorization: Bearer assay_api_nonsense\r\n",
        "Authorization: Basic YTpi\r\n",
        "Cookie: assay=assay_ses_x; other=1\r\n",
        "Cookie: assay\r\n",
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_auto(Answer) answer =
            stage_ask(&stage, &(Ask){.path = "/api/integrations", .headers = headers[i]});
        assert_problem(&answer, 401, "AUTHENTICATION_FAILED");
    }
}

/* A token with one character changed has a wrong checksum; one with a right checksum is unknown. */
static void a_forged_token_is_nobody(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *changed = g_strdup(stage.tokens[ROLE_OWNER]);
    char *last = changed + strlen(changed) - 10;
    *last = *last == 'a' ? 'b' : 'a';
    g_auto(Answer) forged = stage_ask(&stage, &(Ask){.path = "/api/jobs", .token = changed});
    assert_problem(&forged, 401, "AUTHENTICATION_FAILED");
    g_autofree char *cookie = g_strdup_printf("Cookie: assay=%s\r\n", stage.tokens[ROLE_OWNER]);
    g_auto(Answer) wrong_place = stage_ask(&stage, &(Ask){.path = "/api/jobs", .headers = cookie});
    assert_problem(&wrong_place, 401, "AUTHENTICATION_FAILED");
}

static void a_foreign_integration_is_not_there(void) {
    static const char *const methods[] = {"GET", "PATCH", "DELETE"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(methods); i++) {
        const char *body = strcmp(methods[i], "PATCH") == 0 ? "{\"name\":\"mine\"}" : NULL;
        g_auto(Answer) answer =
            stage_send(&stage, ROLE_OWNER, methods[i], "/api/integrations/" INTEGRATION_B, body);
        assert_problem(&answer, 404, "CONFIGURATION_ERROR");
    }
    g_auto(Answer) own = stage_ask(
        &stage, &(Ask){.path = "/api/integrations/" INTEGRATION_B, .token = stage.stranger});
    g_assert_cmpuint(own.status, ==, 200);
}

static void a_foreign_organization_is_not_there_whether_it_exists_or_not(void) {
    static const char *const paths[] = {
        "/api/integrations/list?companyId=" ORG_B, "/api/integrations?organizationId=" ORG_B,
        "/api/integrations?accountId=Beta", "/api/integrations?organizationId=nowhere"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, paths[i]);
        assert_problem(&answer, 404, "CONFIGURATION_ERROR");
    }
}

static void who_is_in_several_organizations_says_which(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) which =
        stage_ask(&stage, &(Ask){.path = "/api/integrations", .token = stage.both});
    assert_problem(&which, 400, "CONFIGURATION_ERROR");
    g_auto(Answer) header =
        stage_ask(&stage, &(Ask){.path = "/api/integrations",
                                 .token = stage.both,
                                 .headers = "X-Assay-Organization: " ORG_B "\r\n"});
    const Json *row = json_item(json_member(header.json, "integrations"), 0);
    g_assert_cmpstr(json_member_string(row, "id", ""), ==, INTEGRATION_B);
    g_auto(Answer) query =
        stage_ask(&stage, &(Ask){.path = "/api/integrations?companyId=Alpha", .token = stage.both});
    row = json_item(json_member(query.json, "integrations"), 0);
    g_assert_cmpstr(json_member_string(row, "id", ""), ==, INTEGRATION_A);
}

static void a_role_bounds_what_may_be_done(void) {
    static const struct {
        Role role;
        const char *method;
        const char *path;
        unsigned status;
    } cases[] = {
        {ROLE_AUDITOR, "GET", "/api/integrations/" INTEGRATION_A, 200},
        {ROLE_AUDITOR, "DELETE", "/api/integrations/" INTEGRATION_A, 403},
        {ROLE_SCANNER, "DELETE", "/api/integrations/" INTEGRATION_A, 403},
        {ROLE_SCANNER, "GET", "/api/controls?framework=soc2", 403},
        {ROLE_MEMBER, "GET", "/api/controls?framework=soc2", 200},
        {ROLE_OWNER, "GET", "/api/configuration", 403},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, cases[i].method, cases[i].path, NULL);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_auto(Answer) operator=
        stage_ask(&stage, &(Ask){.path = "/api/configuration", .token = stage.operator});
    g_assert_cmpuint(operator.status, ==, 200);
    g_auto(Answer) no_role =
        stage_ask(&stage, &(Ask){.path = "/api/integrations", .token = stage.operator});
    assert_problem(&no_role, 404, "CONFIGURATION_ERROR");
}

static void a_misspelt_filter_is_refused_instead_of_ignored(void) {
    static const char *const paths[] = {
        "/api/integrations?stauts=active", "/api/integrations?status=activ",
        "/api/findings?severity=worst",    "/api/integrations?limit=0",
        "/api/integrations?limit=1001",    "/api/integrations?limit=ten",
        "/api/integrations?cursor=x",      "/api/evidence?from=yesterday",
        "/api/evidence?quality=2",         "/api/controls"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, paths[i]);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
    }
}

static const char *pointer(const Answer *answer, size_t index) {
    const Json *wrong = json_item(json_member(answer->json, "errors"), index);
    return json_member_string(wrong, "pointer", "");
}

static void what_is_wrong_with_a_body_is_pointed_at(void) {
    static const struct {
        const char *body;
        const char *pointer;
    } cases[] = {
        {"{\"evidenceTypes\":\"all\"}", "/evidenceTypes"},
        {"{\"evidenceTypes\":[\"a\",7]}", "/evidenceTypes/1"},
        {"{\"dateRange\":{\"start\":\"soon\"}}", "/dateRange/start"},
        {"{\"dateRange\":{\"from\":\"2026-01-01\"}}", "/dateRange/from"},
        {"{\"surprise\":1}", "/surprise"},
        {"{\"a/b~c\":1}", "/\u2026"},
        {"{\"dateRange\":{\"start\":\"2026-02-01\",\"end\":\"2026-01-01\"}}", "/dateRange/start"},
        {"{\"dateRange\":{\"start\":\"2999-01-01\"}}", "/dateRange/start"},
        {"{\"date_range\":{\"start\":\"soon\"}}", "/dateRange/start"},
        {"[]", ""},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(
            &stage, ROLE_OWNER, "POST", "/api/integrations/" INTEGRATION_A "/sync", cases[i].body);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
        g_assert_cmpstr(pointer(&answer, 0), ==, cases[i].pointer);
    }
}

static void bodies_are_json_and_only_where_one_is_expected(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) form =
        stage_ask(&stage, &(Ask){.method = "POST",
                                 .path = "/api/integrations/" INTEGRATION_A "/sync",
                                 .token = stage.tokens[ROLE_OWNER],
                                 .headers = "Content-Type: application/x-www-form-urlencoded\r\n",
                                 .body = "a=1"});
    assert_problem(&form, 415, "CONFIGURATION_ERROR");
    g_auto(Answer) torn = stage_send(&stage, ROLE_OWNER, "POST",
                                     "/api/integrations/" INTEGRATION_A "/sync", "{\"a\":");
    assert_problem(&torn, 400, "CONFIGURATION_ERROR");
    static const char *const unasked[] = {"{\"a\":1}", "[]", "7", "{\"companyId\":7}"};
    for (size_t i = 0; i < G_N_ELEMENTS(unasked); i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "DELETE",
                                           "/api/integrations/" INTEGRATION_A, unasked[i]);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
    }
    g_auto(Answer) text = stage_ask(&stage, &(Ask){.method = "POST",
                                                   .path = "/api/integrations/acme/scan/done",
                                                   .token = stage.tokens[ROLE_OWNER],
                                                   .headers = "Content-Type: text/plain\r\n",
                                                   .body = "done"});
    assert_problem(&text, 415, "CONFIGURATION_ERROR");
}

static void an_empty_object_is_as_good_as_no_body(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) done =
        stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/acme/scan/done", "{}");
    g_assert_cmpuint(done.status, ==, 200);
    g_auto(Answer) read = stage_send(&stage, ROLE_OWNER, "GET", "/api/providers", "{}");
    g_assert_cmpuint(read.status, ==, 200);
    g_auto(Answer) named =
        stage_send(&stage, ROLE_OWNER, "GET", "/api/providers", "{\"companyId\":\"" ORG_A "\"}");
    assert_problem(&named, 400, "CONFIGURATION_ERROR");
}

/* Whether the route has a body of its own or not. */
static void any_body_says_which_organization_is_meant(void) {
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        unsigned status;
        const char *id; /* of what was answered */
    } cases[] = {
        {"POST", "/api/integrations/acme/scan/done", "{\"organizationId\":\"" ORG_A "\"}", 200,
         INTEGRATION_A},
        {"POST", "/api/integrations/acme/scan/done", "{\"company_id\":\"" ORG_B "\"}", 200,
         INTEGRATION_B},
        {"PATCH", "/api/integrations/acme", "{\"accountId\":\"Beta\",\"name\":\"other\"}", 200,
         INTEGRATION_B},
        {"PATCH", "/api/integrations/acme", "{\"account_id\":\"Alpha\",\"name\":\"one\"}", 200,
         INTEGRATION_A},
        {"PATCH", "/api/integrations/one", "{\"companyId\":7,\"name\":\"two\"}", 400, ""},
        {"PATCH", "/api/integrations/one", "{\"companyId\":\"nowhere\",\"name\":\"two\"}", 404, ""},
        {"POST", "/api/integrations/one/scan/done", "{}", 400, ""},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_ask(&stage, &(Ask){.method = cases[i].method,
                                                         .path = cases[i].path,
                                                         .token = stage.both,
                                                         .body = cases[i].body});
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        g_assert_cmpstr(answer_text(&answer, "id"), ==, cases[i].id);
    }
}

static void the_description_has_the_organization_in_every_body(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = "/api/openapi.json"});
    const Json *path = json_member(json_member(answer.json, "paths"), "/api/integrations/{id}");
    const Json *content =
        json_member(json_path(path, "patch.requestBody.content"), "application/json");
    const Json *properties = json_path(content, "schema.properties");
    g_assert_nonnull(json_member(properties, "companyId"));
    g_assert_nonnull(json_member(properties, "scanSchedule"));
    const Json *events = json_member(json_member(answer.json, "paths"), "/api/events");
    const Json *first = json_item(json_path(events, "get.parameters"), 0);
    g_assert_cmpstr(json_member_string(first, "$ref", ""), ==,
                    "#/components/parameters/organization");
    /* The shape itself may stand within others, where no organization is named. */
    g_assert_null(
        json_path(answer.json, "components.schemas.IntegrationChange.properties.companyId"));
}

static void of_two_organizations_none_is_meant(void) {
    static const char *const paths[] = {
        "/api/integrations?organizationId=" ORG_A "&companyId=" ORG_B,
        "/api/integrations?organizationId=" ORG_A "&organizationId=" ORG_B,
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answer) answer = stage_ask(&stage, &(Ask){.path = paths[i], .token = stage.both});
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
    }
    Ask ask = {.method = "POST",
               .path = "/api/integrations/acme/sync?companyId=" ORG_B,
               .token = stage.both,
               .body = "{\"organizationId\":\"" ORG_A "\"}"};
    g_auto(Answer) body = stage_ask(&stage, &ask);
    assert_problem(&body, 400, "CONFIGURATION_ERROR");
    ask.path = "/api/integrations/acme/sync?companyId=" ORG_A;
    ask.headers = "X-Assay-Organization: " ORG_A "\r\n";
    g_auto(Answer) agreed = stage_ask(&stage, &ask);
    g_assert_cmpuint(agreed.status, ==, 202);
    ask.headers = "X-Assay-Organization: " ORG_B "\r\n";
    g_auto(Answer) header = stage_ask(&stage, &ask);
    assert_problem(&header, 400, "CONFIGURATION_ERROR");
}

/* Somebody would become a member of the wrong one. */
static void of_two_organizations_the_operator_means_none_either(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Ask ask = {.method = "POST",
               .path = "/api/installation/users",
               .token = stage.operator,
               .headers = "X-Assay-Organization: " ORG_B "\r\n",
               .body = "{\"email\":\"new@example.com\",\"role\":\"owner\","
                       "\"password\":\"correct horse battery\",\"organizationId\":\"" ORG_A "\"}"};
    g_auto(Answer) two = stage_ask(&stage, &ask);
    assert_problem(&two, 400, "CONFIGURATION_ERROR");
    g_assert_nonnull(strstr(answer_text(&two, "detail"), "two organizations"));
    g_auto(Answer) users =
        stage_ask(&stage, &(Ask){.path = "/api/installation/users", .token = stage.operator});
    g_assert_null(strstr(users.body, "new@example.com"));
}

/* The window stands still, so that the limit does not depend on how fast the test is. */
static void a_token_has_so_many_requests_a_minute(void) {
    g_auto(Stage) stage;
    clock_freeze(1760000000000);
    stage_init(&stage, 3);
    for (int i = 0; i < 3; i++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, "/api/jobs");
        g_assert_cmpuint(answer.status, ==, 200);
    }
    g_auto(Answer) refused = stage_get(&stage, ROLE_OWNER, "/api/jobs");
    assert_problem(&refused, 429, "RATE_LIMITED");
    g_assert_true(json_member_bool(refused.json, "retryable", false));
    g_autofree char *wait = answer_header(&refused, "Retry-After");
    g_assert_cmpstr(wait, ==, "60");
    g_auto(Answer) other = stage_get(&stage, ROLE_ADMIN, "/api/jobs");
    g_assert_cmpuint(other.status, ==, 200);
    clock_advance(60000);
    g_auto(Answer) later = stage_get(&stage, ROLE_OWNER, "/api/jobs");
    g_assert_cmpuint(later.status, ==, 200);
    clock_thaw();
}

static const ApiTest tests[] = {
    {"nobody_reads_without_a_credential", nobody_reads_without_a_credential},
    {"a_forged_token_is_nobody", a_forged_token_is_nobody},
    {"a_foreign_integration_is_not_there", a_foreign_integration_is_not_there},
    {"a_foreign_organization_is_not_there_whether_it_exists_or_not",
     a_foreign_organization_is_not_there_whether_it_exists_or_not},
    {"who_is_in_several_organizations_says_which", who_is_in_several_organizations_says_which},
    {"a_role_bounds_what_may_be_done", a_role_bounds_what_may_be_done},
    {"a_misspelt_filter_is_refused_instead_of_ignored",
     a_misspelt_filter_is_refused_instead_of_ignored},
    {"what_is_wrong_with_a_body_is_pointed_at", what_is_wrong_with_a_body_is_pointed_at},
    {"bodies_are_json_and_only_where_one_is_expected",
     bodies_are_json_and_only_where_one_is_expected},
    {"an_empty_object_is_as_good_as_no_body", an_empty_object_is_as_good_as_no_body},
    {"any_body_says_which_organization_is_meant", any_body_says_which_organization_is_meant},
    {"the_description_has_the_organization_in_every_body",
     the_description_has_the_organization_in_every_body},
    {"of_two_organizations_none_is_meant", of_two_organizations_none_is_meant},
    {"of_two_organizations_the_operator_means_none_either",
     of_two_organizations_the_operator_means_none_either},
    {"a_token_has_so_many_requests_a_minute", a_token_has_so_many_requests_a_minute},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "gate", tests, G_N_ELEMENTS(tests));
}
