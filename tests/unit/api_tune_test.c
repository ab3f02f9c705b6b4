/* What changes in a server that runs: from the next request on, for everybody, or not at all. */
#include "unit/api_support.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>
#include <unistd.h>

#define ENOUGH 60000

static void tune(const Stage *stage, const ApiTuning *tuning) {
    must(api_tune(stage->api, tuning, &error));
}

static unsigned status_of(const Stage *stage, Role role) {
    g_auto(Answer) answer = stage_get(stage, role, "/api/jobs");
    return answer.status;
}

static void must_answer(const Stage *stage, const char *token, const char *path, const char *part) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = path, .token = token});
    g_assert_cmpuint(answer.status, ==, 200);
    if (!strstr(answer.body, part))
        g_error("\"%s\" is not in \"%s\"", part, answer.body);
}

/* The window stands still, so that nothing depends on how fast the test is. */
static void another_limit_holds_at_once_and_what_was_taken_counts(void) {
    g_auto(Stage) stage;
    clock_freeze(1760000000000);
    stage_init(&stage, 2);
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 200);
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 200);
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 429);
    tune(&stage, &(ApiTuning){.requests_a_minute = 3});
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 200);
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 429);
    tune(&stage, &(ApiTuning){.requests_a_minute = 1});
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 429);
    g_assert_cmpuint(status_of(&stage, ROLE_ADMIN), ==, 200);
    g_assert_cmpuint(status_of(&stage, ROLE_ADMIN), ==, 429);
    tune(&stage, &(ApiTuning){0}); /* the usual one */
    g_assert_cmpuint(status_of(&stage, ROLE_ADMIN), ==, 200);
    clock_thaw();
}

/* What the audit log has of somebody who says that he asks for another. */
static char *address_noted(const Stage *stage, const char *name) {
    g_autofree char *body = g_strdup_printf("{\"name\":\"%s\",\"role\":\"member\"}", name);
    g_autofree char *path = g_strdup_printf("/api/audit?action=token.create&target=%s", name);
    g_auto(Answer) made = stage_ask(stage, &(Ask){.method = "POST",
                                                  .path = "/api/tokens",
                                                  .token = stage->tokens[ROLE_OWNER],
                                                  .headers = "X-Forwarded-For: 192.0.2.7\r\n"
                                                             "Content-Type: application/json\r\n",
                                                  .body = body});
    g_assert_cmpuint(made.status, ==, 201);
    g_auto(Answer) log = stage_get(stage, ROLE_OWNER, path);
    const Json *row = json_item(json_member(log.json, "audit"), 0);
    return g_strdup(json_text(json_path(row, "actor.address")));
}

static void other_proxies_are_believed(void) {
    static const char *const proxies[] = {"127.0.0.0/8", NULL};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *before = address_noted(&stage, "before");
    g_assert_cmpstr(before, ==, "127.0.0.1");
    tune(&stage, &(ApiTuning){.trusted_proxies = proxies, .requests_a_minute = ENOUGH});
    g_autofree char *trusted = address_noted(&stage, "trusted");
    g_assert_cmpstr(trusted, ==, "192.0.2.7");
    tune(&stage, &(ApiTuning){.requests_a_minute = ENOUGH});
    g_autofree char *after = address_noted(&stage, "after");
    g_assert_cmpstr(after, ==, "127.0.0.1");
}

static void a_proxy_that_is_no_address_changes_nothing(void) {
    static const char *const proxies[] = {"127.0.0.0/8", "nowhere", NULL};
    g_auto(Stage) stage;
    g_autoptr(GError) error = NULL;
    clock_freeze(1760000000000);
    stage_init(&stage, 1);
    ApiTuning wrong = {.trusted_proxies = proxies, .requests_a_minute = ENOUGH};
    g_assert_false(api_tune(stage.api, &wrong, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "nowhere"));
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 200);
    g_assert_cmpuint(status_of(&stage, ROLE_OWNER), ==, 429);
    clock_thaw();
}

static void rounds_that_nobody_has_set_have_other_times(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must_answer(&stage, stage.tokens[ROLE_OWNER], "/api/schedules", "0 9 * * *");
    tune(&stage, &(ApiTuning){.requests_a_minute = ENOUGH,
                              .schedule = {.daily_sync = "0 6 * * *",
                                           .weekly_renewal = "0 0 * * 0",
                                           .time_zone = "Asia/Tokyo"}});
    must_answer(&stage, stage.tokens[ROLE_OWNER], "/api/schedules", "0 6 * * *");
    must_answer(&stage, stage.tokens[ROLE_OWNER], "/api/schedules", "Asia/Tokyo");
}

static void other_limits_of_services_are_shown(void) {
    g_autoptr(Json) limits = json_new_object();
    g_auto(Stage) stage;
    json_put_string(limits, "slack", "7/1m");
    stage_init(&stage, 0);
    tune(&stage, &(ApiTuning){.requests_a_minute = ENOUGH, .limits = limits});
    must_answer(&stage, stage.operator, "/api/limits", "7/1m");
}

/* Whoever asks meanwhile is answered, by the one or by the other. */
static void nobody_is_disturbed_by_many_changes(void) {
    static const char *const proxies[] = {"10.0.0.0/8", NULL};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int connection = stage_connect(&stage);
    g_autofree char *ask =
        g_strdup_printf("GET /api/jobs HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
                        stage.tokens[ROLE_OWNER]);
    for (unsigned i = 0; i < 100; i++) {
        stage_write(connection, ask);
        tune(&stage, &(ApiTuning){.requests_a_minute = ENOUGH - i,
                                  .trusted_proxies = i % 2 ? proxies : NULL,
                                  .schedule = {.time_zone = i % 2 ? "UTC" : "Asia/Tokyo"}});
        g_auto(Answer) answer = stage_read(connection, false);
        g_assert_cmpuint(answer.status, ==, 200);
    }
    close(connection);
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"another_limit_holds_at_once_and_what_was_taken_counts",
         another_limit_holds_at_once_and_what_was_taken_counts},
        {"other_proxies_are_believed", other_proxies_are_believed},
        {"a_proxy_that_is_no_address_changes_nothing", a_proxy_that_is_no_address_changes_nothing},
        {"rounds_that_nobody_has_set_have_other_times",
         rounds_that_nobody_has_set_have_other_times},
        {"other_limits_of_services_are_shown", other_limits_of_services_are_shown},
        {"nobody_is_disturbed_by_many_changes", nobody_is_disturbed_by_many_changes},
    };
    return api_main(argc, argv, "tune", tests, G_N_ELEMENTS(tests));
}
