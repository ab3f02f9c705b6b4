/* Who may watch jobs: shares of callers and organizations, and for how long. */
#include "api/watch.h"
#include "base/clock.h"
#include "store/api_token.h"
#include "store/membership.h"
#include "store/user.h"
#include "store/user_session.h"
#include "unit/api_support.h"
#include "vault/ticket.h"

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

/* --- who may no more -------------------------------------------------------------------------- */

#define SOON_MS 50
#define ADA "01890000-0000-7000-8000-000000000ada"
#define EVE "01890000-0000-7000-8000-000000000e5e"
#define SESSION "01890000-0000-7000-8000-0000000005e5"
#define TOKEN_OF_BOTH "01890000-0000-7000-8000-000000007101"

/* Reads to the end of the stream, which is to come by itself. */
static char *read_all(int connection) {
    GString *text = g_string_new(NULL);
    char buffer[4096];
    ssize_t got;
    while (!strstr(text->str, "\r\n0\r\n\r\n") &&
           (got = read(connection, buffer, sizeof buffer)) > 0)
        g_string_append_len(text, buffer, got);
    close(connection);
    return g_string_free(text, FALSE);
}

static void assert_revoked(int connection) {
    g_autofree char *text = read_all(connection);
    g_assert_nonnull(strstr(text, "event: end\ndata: {\"reason\":\"revoked\"}\n"));
    g_assert_null(strstr(text, "event: done"));
}

static bool disallow_work(DbUnit *unit, void *id, GError **error) {
    return api_token_disallow(unit, id, error);
}

static bool revoke_work(DbUnit *unit, void *id, GError **error) {
    return api_token_revoke(unit, id, error);
}

static void a_stream_of_a_job_ends_with_its_token(void) {
    static const DbWork ends[] = {disallow_work, revoke_work};
    char id[] = TOKEN_OF_BOTH;
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_auto(Stage) stage;
        stage_init_beating(&stage, SOON_MS);
        g_autofree char *job = queue(&stage, stage.tokens[ROLE_OWNER], INTEGRATION_A);
        int connection = watch(&stage, stage.both, job);
        g_assert_cmpint(connection, >, 0);
        int other = watch(&stage, stage.tokens[ROLE_MEMBER], job);
        must(stage_run(&stage, ORG_A, ends[i], id, &error));
        assert_revoked(connection);
        int still = watch(&stage, stage.tokens[ROLE_MEMBER], job);
        g_assert_cmpint(still, >, 0);
        close(still);
        close(other);
    }
}

/* Ada is one of two owners of A, and logged in. */
static bool add_ada_work(DbUnit *unit, void *hash, GError **error) {
    User ada = {.id = ADA, .email = "ada@example.com", .name = "Ada"};
    User eve = {.id = EVE, .email = "eve@example.com", .name = "Eve"};
    Membership owner = {.user_id = ADA, .role = "owner"};
    Membership second = {.user_id = EVE, .role = "owner"};
    UserSession session = {
        .id = SESSION, .user_id = ADA, .token_hash = hash, .address = "192.0.2.1"};
    return user_insert(unit, &ada, error) && user_insert(unit, &eve, error) &&
           membership_insert(unit, &owner, error) && membership_insert(unit, &second, error) &&
           user_session_insert(unit, &session, error);
}

static bool end_session_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return user_session_end(unit, ADA, SESSION, error);
}

static bool leave_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return membership_delete(unit, ADA, error);
}

static bool disable_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return user_set_disabled(unit, ADA, true, error) &&
           user_session_end_others(unit, ADA, NULL, error);
}

/* To one who sees other integrations only. */
static bool demote_work(DbUnit *unit, void *data, GError **error) {
    Membership membership = {.user_id = ADA, .role = "scanner", .integrations = INTEGRATION_B};
    (void)data;
    return membership_update(unit, &membership, error);
}

static int watch_as_ada(const Stage *stage, const char *ticket, const char *job) {
    g_autofree char *text = g_strdup_printf(
        "GET /api/jobs/%s/events HTTP/1.1\r\nHost: x\r\nCookie: assay=%s\r\n\r\n", job, ticket);
    char buffer[4096] = {0};
    size_t length = 0;
    int connection = stage_connect(stage);
    stage_write(connection, text);
    while (!strstr(buffer, "event: progress")) {
        ssize_t got = read(connection, buffer + length, sizeof buffer - 1 - length);
        g_assert_cmpint(got, >, 0);
        length += (size_t)got;
    }
    return connection;
}

static void a_stream_of_a_job_ends_with_session_and_role(void) {
    static const DbWork ends[] = {end_session_work, leave_work, disable_work, demote_work};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_auto(Stage) stage;
        char hash[DIGEST_HEX_SIZE];
        g_autoptr(Secret) ticket = NULL;
        stage_init_beating(&stage, SOON_MS);
        must((ticket = ticket_new(TICKET_SESSION, &error)) != NULL);
        ticket_hash(secret_text(ticket), hash);
        must(stage_run(&stage, ORG_A, add_ada_work, hash, &error));
        g_autofree char *job = queue(&stage, stage.tokens[ROLE_OWNER], INTEGRATION_A);
        int connection = watch_as_ada(&stage, secret_text(ticket), job);
        must(stage_run(&stage, ORG_A, ends[i], NULL, &error));
        assert_revoked(connection);
    }
}

int main(int argc, char **argv) {
    static const ApiTest tests[] = {
        {"a_token_has_a_share_and_gets_it_back", a_token_has_a_share_and_gets_it_back},
        {"an_organization_has_a_share", an_organization_has_a_share},
        {"a_stream_of_a_job_ends_with_its_token", a_stream_of_a_job_ends_with_its_token},
        {"a_stream_of_a_job_ends_with_session_and_role",
         a_stream_of_a_job_ends_with_session_and_role},
    };
    return api_main(argc, argv, "watch", tests, G_N_ELEMENTS(tests));
}
