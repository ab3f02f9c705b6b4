#include "unit/api_support.h"

#include "store/credential.h"
#include "store/integration.h"
#include "store/schedule.h"

#include <string.h>

#define ACME "/api/integrations/" INTEGRATION_A

static const Json *first(const Answer *answer, const char *list) {
    return json_item(json_member(answer->json, list), 0);
}

static void an_integration_is_shown_with_camel_case_and_without_credentials(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_get(&stage, ROLE_AUDITOR, ACME);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpstr(answer_text(&answer, "integrationType"), ==, "github");
    g_assert_cmpstr(answer_text(&answer, "organizationId"), ==, ORG_A);
    g_assert_cmpstr(answer_text(&answer, "config.settings.apiUrl"), ==, "https://x.example");
    g_assert_cmpstr(answer_text(&answer, "config.account.user"), ==, "robot");
    g_assert_null(json_path(answer.json, "config.credentials"));
    g_auto(Answer) by_name = stage_get(&stage, ROLE_AUDITOR, "/api/integrations/acme");
    g_assert_cmpstr(by_name.body, ==, answer.body);
}

static bool add_more(DbUnit *unit, void *data, GError **error) {
    (void)data;
    for (int i = 0; i < 5; i++) {
        g_autofree char *id = g_strdup_printf("01890000-0000-7000-8000-0000000001%02d", i);
        g_autofree char *name = g_strdup_printf("more-%d", i);
        Integration row = {.id = id,
                           .provider = i % 2 == 0 ? "aws" : "github",
                           .name = name,
                           .auth = "pat",
                           .status = i == 4 ? INTEGRATION_RECONNECT_NEEDED : INTEGRATION_DEGRADED,
                           .settings = "{}",
                           .account = "{}"};
        if (!integration_insert(unit, &row, error))
            return false;
    }
    return true;
}

static void add_rows(const Stage *stage) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    must(db_run(stage->db, &scope, DB_WRITE, add_more, NULL, &error));
}

static void lists_come_in_pages_without_gaps_or_doubles(void) {
    g_auto(Stage) stage;
    g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autofree char *path = g_strdup("/api/integrations?limit=4");
    stage_init(&stage, 0);
    add_rows(&stage);
    for (int pages = 1; path; pages++) {
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, path);
        const Json *list = json_member(answer.json, "integrations");
        g_assert_cmpuint(answer.status, ==, 200);
        g_assert_cmpuint(json_count(list), ==, pages == 1 ? 4 : 2);
        for (size_t i = 0; i < json_count(list); i++)
            g_assert_true(
                g_hash_table_add(seen, g_strdup(json_member_string(json_item(list, i), "id", ""))));
        const char *next = json_member_string(answer.json, "nextCursor", NULL);
        g_free(path);
        path = next ? g_strdup_printf("/api/integrations?limit=4&cursor=%s", next) : NULL;
    }
    g_assert_cmpuint(g_hash_table_size(seen), ==, 6);
}

static void filters_take_statuses_groups_and_aliases(void) {
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {"status=active", 5},          {"status=error", 5},
        {"status=connected", 1},       {"status=reconnect_needed", 1},
        {"status=paused", 0},          {"integrationType=aws", 3},
        {"integrationType=github", 3}, {"integrationType=aws&status=error&limit=2", 2},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_rows(&stage);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/api/integrations?%s", cases[i].query);
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, path);
        g_assert_cmpuint(json_count(json_member(answer.json, "integrations")), ==, cases[i].count);
    }
}

static void a_scanner_sees_what_its_token_names(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_rows(&stage);
    g_auto(Answer) list = stage_get(&stage, ROLE_SCANNER, "/api/integrations");
    g_assert_cmpuint(json_count(json_member(list.json, "integrations")), ==, 1);
    g_assert_cmpstr(json_member_string(first(&list, "integrations"), "id", ""), ==, INTEGRATION_A);
    g_auto(Answer) other = stage_get(&stage, ROLE_SCANNER, "/api/integrations/more-1");
    assert_problem(&other, 404, "CONFIGURATION_ERROR");
}

static void an_object_that_is_known_is_not_sent_again(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, ACME);
    g_autofree char *tag = answer_header(&answer, "ETag");
    g_assert_nonnull(tag);
    g_autofree char *header = g_strdup_printf("If-None-Match: %s\r\n", tag);
    g_auto(Answer) known = stage_ask(
        &stage, &(Ask){.path = ACME, .token = stage.tokens[ROLE_OWNER], .headers = header});
    g_assert_cmpuint(known.status, ==, 304);
    g_assert_cmpstr(known.body, ==, "");
}

static void a_change_is_made_to_the_object_that_was_seen(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) seen = stage_get(&stage, ROLE_OWNER, ACME);
    g_autofree char *tag = answer_header(&seen, "ETag");
    g_autofree char *header = g_strdup_printf("If-Match: %s\r\n", tag);
    Ask ask = {.method = "PATCH",
               .path = ACME,
               .token = stage.tokens[ROLE_OWNER],
               .headers = header,
               .body = "{\"name\":\"renamed\",\"evidenceTypes\":[\"branch_protection\"]}"};
    g_auto(Answer) changed = stage_ask(&stage, &ask);
    g_assert_cmpuint(changed.status, ==, 200);
    g_assert_cmpstr(answer_text(&changed, "name"), ==, "renamed");
    g_assert_cmpuint(json_count(json_member(changed.json, "evidenceTypes")), ==, 1);
    g_auto(Answer) late = stage_ask(&stage, &ask);
    assert_problem(&late, 412, "CONFIGURATION_ERROR");
}

static void a_change_that_does_not_fit_is_refused_whole(void) {
    static const struct {
        const char *body;
        unsigned status;
        const char *pointer;
    } cases[] = {
        {"{\"name\":\"more-1\"}", 409, NULL},
        {"{\"name\":\"a\\nb\"}", 400, "/name"},
        {"{\"name\":\"\"}", 400, "/name"},
        {"{\"evidenceTypes\":[\"weather\"]}", 400, "/evidenceTypes/0"},
        {"{\"enabledChecks\":[\"branch_protection.nothing\"]}", 400, "/enabledChecks/0"},
        {"{\"settings\":{\"colour\":\"red\"}}", 400, "/settings"},
        {"{\"settings\":{\"apiUrl\":\"https://evil.example\"}}", 400, "/settings/apiUrl"},
        {"{\"status\":\"degraded\"}", 400, "/status"},
        {"{\"name\":\"fine\",\"settings\":{\"apiUrl\":\"https://evil.example\"}}", 400,
         "/settings/apiUrl"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_rows(&stage);
    g_auto(Answer) before = stage_get(&stage, ROLE_OWNER, ACME);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "PATCH", ACME, cases[i].body);
        const Json *wrong = first(&answer, "errors");
        assert_problem(&answer, cases[i].status, "CONFIGURATION_ERROR");
        g_assert_cmpstr(json_member_string(wrong, "pointer", NULL), ==, cases[i].pointer);
        g_auto(Answer) after = stage_get(&stage, ROLE_OWNER, ACME);
        g_assert_cmpstr(after.body, ==, before.body);
    }
}

static void settings_are_merged_in_either_spelling(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer =
        stage_send(&stage, ROLE_ADMIN, "PATCH", ACME,
                   "{\"settings\":{\"includeArchived\":true,\"repositories\":\"a,b\"}}");
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_true(json_truth(json_path(answer.json, "config.settings.includeArchived")));
    g_assert_cmpuint(json_count(json_path(answer.json, "config.settings.repositories")), ==, 2);
    g_assert_cmpstr(answer_text(&answer, "config.settings.apiUrl"), ==, "https://x.example");
    g_auto(Answer) away =
        stage_send(&stage, ROLE_ADMIN, "PATCH", ACME, "{\"settings\":{\"repositories\":null}}");
    g_assert_cmpuint(json_count(json_path(away.json, "config.settings.repositories")), ==, 0);
}

static bool add_credential(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Credential row = {.id = "01890000-0000-7000-8000-00000000cccc",
                      .integration_id = INTEGRATION_A,
                      .name = "main",
                      .fields = "{\"access_token\":\"v1.sealed\"}",
                      .metadata = "{\"scopes\":[\"repo\"]}"};
    return credential_insert(unit, &row, error);
}

static bool count_credentials(DbUnit *unit, void *data, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    if (!credential_list_for_integration(unit, INTEGRATION_A, &rows, error))
        return false;
    *(guint *)data = rows->len;
    return true;
}

static void disconnecting_wipes_the_credential_and_keeps_the_row(void) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    guint left = 9;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &scope, DB_WRITE, add_credential, NULL, &error));
    g_auto(Answer) before = stage_get(&stage, ROLE_OWNER, ACME);
    g_assert_null(strstr(before.body, "sealed"));
    g_assert_cmpuint(json_count(json_path(before.json, "config.scopes")), ==, 1);
    g_auto(Answer) gone = stage_send(&stage, ROLE_MEMBER, "DELETE", ACME, NULL);
    g_assert_cmpuint(gone.status, ==, 200);
    g_assert_cmpstr(answer_text(&gone, "status"), ==, "disconnected");
    must(db_run(stage.db, &scope, DB_READ, count_credentials, &left, &error));
    g_assert_cmpuint(left, ==, 0);
    g_auto(Answer) after = stage_get(&stage, ROLE_OWNER, ACME);
    g_assert_cmpstr(answer_text(&after, "status"), ==, "disconnected");
    g_auto(Answer) sync = stage_send(&stage, ROLE_OWNER, "POST", ACME "/sync", NULL);
    assert_problem(&sync, 409, "CONFIGURATION_ERROR");
    g_auto(Answer) test = stage_send(&stage, ROLE_OWNER, "POST", ACME "/test", NULL);
    assert_problem(&test, 409, "CONFIGURATION_ERROR");
}

/* The stage's integration has an api_url that only the operator may set. */
static void connecting_again_moves_no_host(void) {
    static const struct {
        const char *settings;
        unsigned status;
        const char *part; /* of what is told */
    } cases[] = {
        {"{\"api_url\":\"https://evil.example\"}", 403, "api_url: only the operator"},
        {"{\"apiUrl\":\"https://evil.example\"}", 403, "api_url: only the operator"},
        {"{\"allow_private\":true}", 403, "allow_private"},
        /* The host stays, which is as it should be; what else is wrong is told. */
        {"{\"organization\":\"-no\"}", 400, "organization"},
        {"{\"api_url\":\"https://x.example\",\"organization\":\"-no\"}", 400, "organization"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *body = g_strdup_printf(
            "{\"credentials\":{\"accessToken\":\"t\"},\"settings\":%s}", cases[i].settings);
        g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "POST", ACME "/reconnect", body);
        g_test_message("%s: %s", cases[i].settings, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        g_assert_nonnull(strstr(answer.body, cases[i].part));
    }
}

static void what_a_connect_request_lacks_is_pointed_at(void) {
    static const struct {
        const char *body;
        const char *pointer;
    } cases[] = {
        {"{}", "/integrationType"},
        {"{\"integrationType\":\"githup\",\"credentials\":{}}", "/integrationType"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"accessToken\":7.5}}",
         "/credentials/accessToken"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"password\":\"x\"}}",
         "/credentials/password"},
        {"{\"integrationType\":\"github\",\"auth\":\"magic\","
         "\"credentials\":{}}",
         "/auth"},
        {"{\"integrationType\":\"github\",\"auth\":\"magic\","
         "\"credentials\":{\"accessToken\":\"t\"}}",
         "/auth"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"type\":\"magic\",\"accessToken\":"
         "\"t\"}}",
         "/credentials/type"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"type\":7,\"accessToken\":\"t\"}}",
         "/credentials/type"},
        {"{\"integrationType\":\"github\",\"auth\":\"bearer\","
         "\"credentials\":{\"type\":\"app\",\"accessToken\":\"t\"}}",
         "/credentials/type"},
        {"{\"integrationType\":\"github\",\"auth\":\"bearer\","
         "\"credentials\":{\"type\":\"pat\",\"accessToken\":\"t\",\"colour\":\"red\"}}",
         "/credentials/colour"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"accessToken\":\"t\","
         "\"access_token\":\"u\"},\"settings\":{\"organization\":\"acme\"}}",
         "/credentials/access_token"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"accessToken\":\"t\"}}", "/settings"},
        {"{\"integrationType\":\"github\",\"settings\":{\"accessToken\":\"t\"},"
         "\"credentials\":{}}",
         "/settings/accessToken"},
        {"{\"integrationType\":\"aws\",\"credentials\":{\"accessKeyId\":\"AKIA1234567890123456\"}}",
         "/credentials"},
        {"{\"integrationType\":\"github\",\"credentials\":{\"accessToken\":\"t\"},"
         "\"settings\":{\"includeArchived\":true,\"include_archived\":false}}",
         "/settings/include_archived"},
        {"{\"integrationType\":\"github\",\"auth\":\"app\",\"credentials\":{\"appId\":\"seven\"}}",
         "/credentials/appId"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/connect", cases[i].body);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
        g_assert_cmpstr(json_member_string(first(&answer, "errors"), "pointer", ""), ==,
                        cases[i].pointer);
    }
}

/* Whoever may send a credential anywhere could have it sent to himself. */
static void hosts_are_for_the_operator(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer = stage_send(
        &stage, ROLE_OWNER, "POST", "/api/integrations/connect",
        "{\"integrationType\":\"github\",\"credentials\":{\"accessToken\":\"Planted-9\"},"
        "\"settings\":{\"organization\":\"acme\",\"apiUrl\":\"https://evil.example\"}}");
    g_assert_cmpuint(answer.status, >=, 400);
    g_assert_cmpuint(answer.status, <, 500);
    g_assert_null(strstr(answer.body, "Planted-9"));
}

static void a_name_that_is_taken_is_told_before_anybody_is_asked(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer =
        stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/connect",
                   "{\"integrationType\":\"github\",\"name\":\"acme\",\"credentials\":"
                   "{\"accessToken\":\"t\",\"type\":\"pat\",\"organization\":\"acme\"}}");
    assert_problem(&answer, 409, "CONFIGURATION_ERROR");
}

static bool begin_rounds(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return schedule_begin_organization(unit, ORG_A, error);
}

/* The service does not exist: whoever asked it first would be told something else. */
static void what_is_no_name_is_told_before_anybody_is_asked(void) {
    static const char *const names[] = {"",
                                        "  ",
                                        " acme",
                                        "acme ",
                                        "a\\nb",
                                        "a\\u202eb",
                                        "01890000-0000-7000-8000-0000000000bb",
                                        "01890000-0000-7000-8000-0000000000BB",
                                        "list",
                                        "connect"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *connect =
            g_strdup_printf("{\"integrationType\":\"github\",\"name\":\"%s\",\"credentials\":"
                            "{\"accessToken\":\"t\",\"type\":\"pat\",\"organization\":\"acme\"}}",
                            names[i]);
        g_autofree char *rename = g_strdup_printf("{\"name\":\"%s\"}", names[i]);
        g_auto(Answer) connected =
            stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/connect", connect);
        g_auto(Answer) renamed = stage_send(&stage, ROLE_OWNER, "PATCH", ACME, rename);
        g_test_message("%s", names[i]);
        assert_problem(&connected, 400, "CONFIGURATION_ERROR");
        assert_problem(&renamed, 400, "CONFIGURATION_ERROR");
        g_assert_cmpstr(json_member_string(first(&connected, "errors"), "pointer", ""), ==,
                        "/name");
        g_assert_cmpstr(json_member_string(first(&renamed, "errors"), "pointer", ""), ==, "/name");
    }
}

static void checks_are_the_definitions_or_a_scanners_own(void) {
    static const struct {
        const char *body;
        unsigned status;
    } cases[] = {
        {"{\"enabledChecks\":[\"rls\",\"auth\",\"api_security\"]}", 200},
        {"{\"enabledChecks\":[\"branch_protection.pull_request_required\",\"rls\"]}", 200},
        {"{\"enabledChecks\":[\"branch_protection.nothing\"]}", 400},
        {"{\"enabledChecks\":[\"no.such\"]}", 400},
        {"{\"enabledChecks\":[\"two words\"]}", 400},
        {"{\"enabledChecks\":[\"\"]}", 400},
        {"{\"enabledChecks\":null}", 200},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "PATCH", ACME, cases[i].body);
        g_test_message("%s", cases[i].body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
}

static void a_schedule_is_changed_with_its_integration(void) {
    static const struct {
        const char *body;
        unsigned status;
        const char *rule; /* as it is then; NULL: the default */
        const char *status_then;
    } cases[] = {
        {"{\"scanSchedule\":\"6h\"}", 200, "6h", "connected"},
        {"{\"scanSchedule\":\"0 6 * * 1-5\"}", 200, "0 6 * * 1-5", "connected"},
        {"{\"schedule\":{\"every\":\"8h\"}}", 200, "8h", "connected"},
        {"{\"schedule\":{\"every\":\"8h\",\"cron\":\"0 6 * * *\"}}", 400, "8h", "connected"},
        {"{\"schedule\":{\"every\":\"9h\"},\"scanSchedule\":\"6h\"}", 400, "8h", "connected"},
        {"{\"scanSchedule\":\"1s\",\"name\":\"other\"}", 400, "8h", "connected"},
        {"{\"scanSchedule\":\"now and then\"}", 400, "8h", "connected"},
        {"{\"schedule\":{\"paused\":true},\"status\":\"connected\"}", 400, "8h", "connected"},
        {"{\"schedule\":{\"paused\":true}}", 200, "8h", "paused"},
        {"{\"schedule\":{\"paused\":false},\"scanSchedule\":null}", 200, NULL, "connected"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_MEMBER, "PATCH", ACME, cases[i].body);
        g_auto(Answer) now = stage_get(&stage, ROLE_OWNER, ACME);
        g_test_message("%s: %s", cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
        g_assert_cmpstr(json_member_string(now.json, "scanSchedule", NULL), ==, cases[i].rule);
        g_assert_cmpstr(answer_text(&now, "status"), ==, cases[i].status_then);
        g_assert_cmpstr(answer_text(&now, "name"), ==, "acme");
    }
}

static void a_member_does_not_pause_the_rounds_of_the_organization(void) {
    static const DbScope whole = {.organization = ORG_A, .actor = "test", .system = true};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &whole, DB_WRITE, begin_rounds, NULL, &error));
    g_auto(Answer) refused =
        stage_send(&stage, ROLE_MEMBER, "PATCH", "/api/schedules/daily_sync", "{\"paused\":true}");
    assert_problem(&refused, 403, "PERMISSION_DENIED");
    g_auto(Answer) seen = stage_get(&stage, ROLE_MEMBER, "/api/schedules/daily_sync");
    g_assert_false(json_member_bool(seen.json, "paused", true));
    g_auto(Answer) paused =
        stage_send(&stage, ROLE_ADMIN, "PATCH", "/api/schedules/daily_sync", "{\"paused\":true}");
    g_assert_cmpuint(paused.status, ==, 200);
}

static bool add_forgotten(DbUnit *unit, void *data, GError **error) {
    Integration row = {.id = data,
                       .provider = "forgotten",
                       .name = "forgotten",
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{}",
                       .account = "{}"};
    return integration_insert(unit, &row, error);
}

static void what_has_no_definition_any_more_is_renamed_and_disconnected(void) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    char id[] = "01890000-0000-7000-8000-0000000000cc";
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &scope, DB_WRITE, add_forgotten, id, &error));
    g_auto(Answer) settings = stage_send(&stage, ROLE_OWNER, "PATCH", "/api/integrations/forgotten",
                                         "{\"settings\":{\"a\":1}}");
    g_assert_cmpuint(settings.status, >=, 400);
    g_auto(Answer) named = stage_send(&stage, ROLE_OWNER, "PATCH", "/api/integrations/forgotten",
                                      "{\"name\":\"late\"}");
    g_assert_cmpuint(named.status, ==, 200);
    g_auto(Answer) gone =
        stage_send(&stage, ROLE_OWNER, "DELETE", "/api/integrations/late?purge=true", NULL);
    g_assert_cmpuint(gone.status, ==, 200);
}

static void a_disconnected_one_tells_the_way_back(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) gone = stage_send(&stage, ROLE_OWNER, "DELETE", ACME, NULL);
    g_assert_cmpuint(gone.status, ==, 200);
    g_auto(Answer) edited = stage_send(&stage, ROLE_OWNER, "PATCH", ACME, "{\"name\":\"b\"}");
    assert_problem(&edited, 409, "CONFIGURATION_ERROR");
    g_assert_nonnull(strstr(answer_text(&edited, "detail"), "/reconnect"));
    g_auto(Answer) again =
        stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/connect",
                   "{\"integrationType\":\"github\",\"name\":\"acme\",\"credentials\":"
                   "{\"accessToken\":\"t\",\"type\":\"pat\",\"organization\":\"acme\"}}");
    assert_problem(&again, 409, "CONFIGURATION_ERROR");
    g_assert_nonnull(strstr(answer_text(&again, "detail"), "/reconnect"));
}

static void an_owner_removes_all_that_came_from_an_integration(void) {
    static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
    guint left = 9;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &scope, DB_WRITE, add_credential, NULL, &error));
    g_auto(Answer) queued = stage_send(&stage, ROLE_OWNER, "POST", ACME "/sync", NULL);
    g_assert_cmpuint(queued.status, ==, 202);
    g_auto(Answer) admin = stage_send(&stage, ROLE_ADMIN, "DELETE", ACME "?purge=true", NULL);
    assert_problem(&admin, 403, "PERMISSION_DENIED");
    g_auto(Answer) kept = stage_get(&stage, ROLE_OWNER, ACME);
    g_assert_cmpstr(answer_text(&kept, "status"), ==, "connected");
    g_auto(Answer) gone = stage_send(&stage, ROLE_OWNER, "DELETE", ACME "?purge=true", NULL);
    g_test_message("%s", gone.body);
    g_assert_cmpuint(gone.status, ==, 200);
    g_assert_cmpstr(answer_text(&gone, "status"), ==, "purged");
    g_assert_cmpint(json_integer_or(json_path(gone.json, "removed.jobs"), -1), ==, 1);
    must(db_run(stage.db, &scope, DB_READ, count_credentials, &left, &error));
    g_assert_cmpuint(left, ==, 0);
    g_auto(Answer) after = stage_get(&stage, ROLE_OWNER, ACME);
    assert_problem(&after, 404, "CONFIGURATION_ERROR");
    g_auto(Answer) audit = stage_get(&stage, ROLE_OWNER, "/api/audit?action=integration.purge");
    g_test_message("%s", audit.body);
    g_assert_cmpuint(json_count(json_member(audit.json, "audit")), ==, 1);
}

static const ApiTest tests[] = {
    {"an_integration_is_shown_with_camel_case_and_without_credentials",
     an_integration_is_shown_with_camel_case_and_without_credentials},
    {"lists_come_in_pages_without_gaps_or_doubles", lists_come_in_pages_without_gaps_or_doubles},
    {"filters_take_statuses_groups_and_aliases", filters_take_statuses_groups_and_aliases},
    {"a_scanner_sees_what_its_token_names", a_scanner_sees_what_its_token_names},
    {"an_object_that_is_known_is_not_sent_again", an_object_that_is_known_is_not_sent_again},
    {"a_change_is_made_to_the_object_that_was_seen", a_change_is_made_to_the_object_that_was_seen},
    {"a_change_that_does_not_fit_is_refused_whole", a_change_that_does_not_fit_is_refused_whole},
    {"settings_are_merged_in_either_spelling", settings_are_merged_in_either_spelling},
    {"disconnecting_wipes_the_credential_and_keeps_the_row",
     disconnecting_wipes_the_credential_and_keeps_the_row},
    {"an_owner_removes_all_that_came_from_an_integration",
     an_owner_removes_all_that_came_from_an_integration},
    {"connecting_again_moves_no_host", connecting_again_moves_no_host},
    {"what_a_connect_request_lacks_is_pointed_at", what_a_connect_request_lacks_is_pointed_at},
    {"hosts_are_for_the_operator", hosts_are_for_the_operator},
    {"a_name_that_is_taken_is_told_before_anybody_is_asked",
     a_name_that_is_taken_is_told_before_anybody_is_asked},
    {"what_is_no_name_is_told_before_anybody_is_asked",
     what_is_no_name_is_told_before_anybody_is_asked},
    {"checks_are_the_definitions_or_a_scanners_own", checks_are_the_definitions_or_a_scanners_own},
    {"a_schedule_is_changed_with_its_integration", a_schedule_is_changed_with_its_integration},
    {"a_member_does_not_pause_the_rounds_of_the_organization",
     a_member_does_not_pause_the_rounds_of_the_organization},
    {"what_has_no_definition_any_more_is_renamed_and_disconnected",
     what_has_no_definition_any_more_is_renamed_and_disconnected},
    {"a_disconnected_one_tells_the_way_back", a_disconnected_one_tells_the_way_back},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "integrations", tests, G_N_ELEMENTS(tests));
}
