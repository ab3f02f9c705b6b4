/* How many may watch jobs: shares of callers and organizations. */
#include "api/watch.h"
#include "base/clock.h"
#include "unit/api_support.h"

#include <string.h>
#include <unistd.h>

#define LIMIT_US (120 * G_USEC_PER_SEC)

static char *queue(const Stage *stage, const char *token, const char *integration) {
    g_autofree char *path = g_strdup_printf("/api/integrations/%s/sync", integration);
    g_auto(Answer) answer =
        stage_ask(stage, &(Ask){.method = "POST", .path = path, .token = token, .body = "{}"});
    g_assert_cmpuint(answer.status, ==, 202);
    return g_strdup(answer_text(&answer, "jobId"));
}

static int ask(const Stage *stage, const char *token, const char *job) {
    bool several = token == stage->both;
    g_autofree char *text = g_strdup_printf(
        "GET /api/jobs/%s/events HTTP/1.1\r\nHost: x\r\n%sAuthorization: Bearer %s\r\n\r\n", job,
        several ? "X-Assay-Organization: " ORG_A "\r\n" : "", token);
    int connection = stage_connect(stage);
    stage_write(connection, text);
    return connection;
}

/* Reads the first event, so that the stream counts; 0 when it is refused. */
static int watch(const Stage *stage, const char *token, const char *job) {
    char buffer[4096] = {0};
    size_t length = 0;
    int connection = ask(stage, token, job);
    while (!strstr(buffer, "event: progress") && !strstr(buffer, "\"requestId\"")) {
        ssize_t got = read(connection, buffer + length, sizeof buffer - 1 - length);
        g_assert_cmpint(got, >, 0);
        length += (size_t)got;
    }
    if (g_str_has_prefix(buffer, "HTTP/1.1 200 "))
        return connection;
    g_assert_true(g_str_has_prefix(buffer, "HTTP/1.1 429 "));
    close(connection);
    return 0;
}

static void must_watch(const Stage *stage, const char *token, const char *job, GArray *open) {
    int connection = watch(stage, token, job);
    g_assert_cmpint(connection, >, 0);
    g_array_append_val(open, connection);
}

static void close_all(GArray *open) {
    for (guint i = 0; i < open->len; i++)
        close(g_array_index(open, int, i));
    g_array_unref(open);
}

static void must_be_told_to_wait(const Stage *stage, const char *token, const char *job,
                                 const char *whose) {
    int connection = ask(stage, token, job);
    g_auto(Answer) answer = stage_read(connection, false);
    g_autofree char *wait = answer_header(&answer, "Retry-After");
    close(connection);
    assert_problem(&answer, 429, "RATE_LIMITED");
    g_assert_cmpstr(wait, ==, "15");
    g_assert_nonnull(strstr(answer_text(&answer, "detail"), whose));
}

static void a_token_has_a_share_and_gets_it_back(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    const char *token = stage.tokens[ROLE_OWNER];
    g_autofree char *job = queue(&stage, token, INTEGRATION_A);
    GArray *open = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < WATCHERS_OF_CALLER; i++)
        must_watch(&stage, token, job, open);
    must_be_told_to_wait(&stage, token, job, "This token or user");
    must_watch(&stage, stage.tokens[ROLE_MEMBER], job, open);
    close(g_array_index(open, int, 0));
    /* That nobody reads any more is noticed when something is sent. */
    int64_t begun_us = clock_mono_us();
    int again = 0;
    while ((again = watch(&stage, token, job)) == 0) {
        g_assert_cmpint(clock_mono_us() - begun_us, <, LIMIT_US);
        g_usleep(100000);
    }
    g_array_index(open, int, 0) = again;
    close_all(open);
}

static void an_organization_has_a_share(void) {
    static const Role roles[] = {ROLE_OWNER, ROLE_ADMIN, ROLE_MEMBER, ROLE_AUDITOR};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *job = queue(&stage, stage.tokens[ROLE_OWNER], INTEGRATION_A);
    g_autofree char *foreign = queue(&stage, stage.stranger, INTEGRATION_B);
    GArray *open = g_array_new(FALSE, FALSE, sizeof(int));
    for (int i = 0; i < WATCHERS_OF_ORGANIZATION; i++)
        must_watch(&stage, stage.tokens[roles[i / WATCHERS_OF_CALLER]], job, open);
    must_be_told_to_wait(&stage, stage.both, job, "This organization");
    must_watch(&stage, stage.stranger, foreign, open);
    close_all(open);
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"a_token_has_a_share_and_gets_it_back", a_token_has_a_share_and_gets_it_back},
        {"an_organization_has_a_share", an_organization_has_a_share},
    };
    return api_main(argc, argv, "watch", tests, G_N_ELEMENTS(tests));
}
