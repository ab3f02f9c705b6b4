/* One stream of all that happens: what it tells to whom, how it resumes, and how it ends. */
#include "unit/api_support.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/secmem.h"
#include "store/api_token.h"
#include "store/event.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/job.h"
#include "store/job_claim.h"
#include "store/membership.h"
#include "store/schedule.h"
#include "store/user.h"
#include "store/user_session.h"
#include "vault/ticket.h"

#include <string.h>
#include <unistd.h>

#define INTEGRATION_C "01890000-0000-7000-8000-0000000000cc"
#define JOB_1 "01890000-0000-7000-8000-000000001001"
#define JOB_2 "01890000-0000-7000-8000-000000001002"
#define EVIDENCE_1 "01890000-0000-7000-8000-00000000e001"
#define ADA "01890000-0000-7000-8000-000000000ada"
#define SESSION "01890000-0000-7000-8000-000000005e55"
#define SOON_MS 20

/* --- what happens ----------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    const char *integration;
    Job *job;
} JobWork;

static bool queue_work(DbUnit *unit, void *data, GError **error) {
    const JobWork *work = data;
    Job job = {.id = work->id,
               .integration_id = work->integration,
               .request = "{}",
               .definition_sha256 = "0f"};
    return job_insert(unit, &job, error);
}

static bool begin_work(DbUnit *unit, void *data, GError **error) {
    JobWork *work = data;
    JobClaim claim = {.owner = "worker-1", .lease_ms = 600000};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, db_unit_scope(unit)->organization, work->id, &claim, &work->job,
                         error) &&
           job_tell(unit, work->id, JOB_RUNNING, error);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    const JobWork *work = data;
    JobLease lease = job_lease(work->job);
    return job_complete(unit, &lease, "{\"evidenceCollected\":1,\"controlsUpdated\":7}", error);
}

static bool evidence_work(DbUnit *unit, void *data, GError **error) {
    const JobWork *work = data;
    Evidence row = {.id = EVIDENCE_1,
                    .integration_id = work->integration,
                    .job_id = work->id,
                    .evidence_type = "members",
                    .source = "github",
                    .record = "{}",
                    .completeness = 1,
                    .collected_at = clock_now_ms()};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static void queue_job(const Stage *stage, const char *organization, const char *id,
                      const char *integration) {
    JobWork work = {.id = id, .integration = integration};
    must(stage_run(stage, organization, queue_work, &work, &error));
}

static void run_job(const Stage *stage) {
    JobWork work = {.id = JOB_1, .integration = INTEGRATION_A};
    must(stage_run(stage, ORG_A, begin_work, &work, &error));
    must(stage_run(stage, ORG_A, evidence_work, &work, &error));
    must(stage_run(stage, ORG_A, end_work, &work, &error));
    job_free(work.job);
}

typedef struct {
    size_t count;
    size_t size; /* bytes of each */
} ManyWork;

static bool many_work(DbUnit *unit, void *data, GError **error) {
    const ManyWork *work = data;
    g_autofree char *text = g_strnfill(work->size, 'x');
    for (size_t i = 0; i < work->count; i++) {
        g_autoptr(Json) json = json_new_object();
        EventNews news = {.kind = EVENT_FINDING, .integration_id = INTEGRATION_A, .data = json};
        json_put_string(json, "resource", text);
        json_put_int(json, "n", (int64_t)i);
        if (!event_add(unit, &news, error))
            return false;
    }
    return true;
}

static void add_many(const Stage *stage, size_t count, size_t size) {
    ManyWork work = {count, size};
    must(stage_run(stage, ORG_A, many_work, &work, &error));
}

/* --- who watches ------------------------------------------------------------------------------ */

typedef struct {
    int connection;
    GString *text;
} Watcher;

static void watcher_clear(Watcher *watcher) {
    close(watcher->connection);
    g_string_free(watcher->text, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Watcher, watcher_clear)

static void read_until(Watcher *watcher, const char *wanted) {
    char buffer[65536];
    while (!strstr(watcher->text->str, wanted)) {
        ssize_t got = read(watcher->connection, buffer, sizeof buffer);
        if (got <= 0)
            g_error("the stream ended before %s: %s", wanted, watcher->text->str);
        g_string_append_len(watcher->text, buffer, got);
    }
}

/* To the end of the reply. */
static void read_end(Watcher *watcher) {
    read_until(watcher, "\r\n0\r\n");
}

static Watcher watch_as(const Stage *stage, const char *query, const char *headers) {
    g_autofree char *ask = g_strdup_printf("GET /api/events%s HTTP/1.1\r\nHost: x\r\n%s\r\n",
                                           query ? query : "", headers);
    Watcher watcher = {.connection = stage_connect(stage), .text = g_string_new(NULL)};
    stage_write(watcher.connection, ask);
    read_until(&watcher, "\r\n\r\n");
    return watcher;
}

static Watcher watch_with(const Stage *stage, const char *token, const char *headers) {
    g_autofree char *all =
        g_strdup_printf("Authorization: Bearer %s\r\n%s", token, headers ? headers : "");
    Watcher watcher = watch_as(stage, NULL, all);
    read_until(&watcher, "event: ready\n");
    return watcher;
}

static Watcher watch(const Stage *stage, Role role) {
    return watch_with(stage, stage->tokens[role], NULL);
}

/* Of a test's last event, after which nothing can be missing. */
static void mark(const Stage *stage, const char *organization, const char *integration) {
    queue_job(stage, organization, JOB_2, integration);
}

static unsigned count_of(const Watcher *watcher, const char *part) {
    unsigned count = 0;
    for (const char *at = strstr(watcher->text->str, part); at; at = strstr(at + 1, part))
        count++;
    return count;
}

/* The `id:` of the event that is named; caller frees. */
static char *id_before(const Watcher *watcher, const char *event) {
    const char *found = strstr(watcher->text->str, event);
    g_assert_nonnull(found);
    const char *line = g_strrstr_len(watcher->text->str, found - watcher->text->str, "id: ");
    g_assert_nonnull(line);
    return g_strndup(line + 4, strcspn(line + 4, "\n"));
}

/* --- what is told ----------------------------------------------------------------------------- */

static void all_that_happens_is_told_in_order(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) watcher = watch(&stage, ROLE_MEMBER);
    g_assert_nonnull(strstr(watcher.text->str, "HTTP/1.1 200 OK\r\n"));
    g_assert_nonnull(strstr(watcher.text->str, "text/event-stream"));
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    read_until(&watcher, "\"status\":\"pending\"");
    run_job(&stage);
    read_until(&watcher, "event: done\n");
    read_until(&watcher, "\"controlsUpdated\":7");
    const char *running = strstr(watcher.text->str, "\"status\":\"running\"");
    const char *evidence = strstr(watcher.text->str, "event: evidence\n");
    const char *done = strstr(watcher.text->str, "event: done\n");
    g_assert_true(running && evidence && running < evidence && evidence < done);
    g_assert_nonnull(strstr(evidence,
                            "\"organizationId\":\"" ORG_A "\",\"integrationId\":\"" INTEGRATION_A
                            "\",\"jobId\":\"" JOB_1 "\",\"id\":\"" EVIDENCE_1 "\""));
    g_assert_cmpuint(count_of(&watcher, "event: "), ==, count_of(&watcher, "id: "));
}

static bool plan_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return schedule_begin(unit, INTEGRATION_A, 1, error);
}

static void changes_of_integrations_and_schedules_are_told(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(stage_run(&stage, ORG_A, plan_work, NULL, &error));
    g_auto(Watcher) watcher = watch(&stage, ROLE_OWNER);
    g_auto(Answer) named = stage_send(&stage, ROLE_OWNER, "PATCH",
                                      "/api/integrations/" INTEGRATION_A, "{\"name\":\"renamed\"}");
    g_assert_cmpuint(named.status, ==, 200);
    read_until(&watcher, "event: integration\n");
    read_until(&watcher, "\"name\":\"renamed\"");
    g_auto(Answer) planned = stage_send(&stage, ROLE_OWNER, "PATCH",
                                        "/api/schedules/" INTEGRATION_A, "{\"every\":\"6h\"}");
    g_assert_cmpuint(planned.status, ==, 200);
    read_until(&watcher, "event: schedule\n");
    read_until(&watcher, "\"rule\":\"6h\"");
    g_auto(Answer) purged = stage_send(&stage, ROLE_OWNER, "DELETE",
                                       "/api/integrations/" INTEGRATION_A "?purge=true", NULL);
    g_assert_cmpuint(purged.status, ==, 200);
    read_until(&watcher, "\"removed\":true");
}

static void what_a_running_job_tells_is_passed_on(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    JobWork work = {.id = JOB_1, .integration = INTEGRATION_A};
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    must(stage_run(&stage, ORG_A, begin_work, &work, &error));
    g_auto(Watcher) watcher = watch(&stage, ROLE_OWNER);
    g_autoptr(Json) progress = json_new_object();
    json_put_int(progress, "rows", 42);
    api_progress(stage.api, ORG_A, JOB_1, progress);
    read_until(&watcher, "\"rows\":42");
    /* One that is not known, or of somebody else, is nobody's business. */
    api_progress(stage.api, ORG_A, JOB_2, progress);
    api_progress(stage.api, ORG_B, JOB_1, progress);
    mark(&stage, ORG_A, INTEGRATION_A);
    read_until(&watcher, JOB_2);
    g_assert_cmpuint(count_of(&watcher, "\"rows\":42"), ==, 1);
    job_free(work.job);
}

/* A result that is larger than all that may wait for a client. */
static bool end_big_work(DbUnit *unit, void *data, GError **error) {
    const JobWork *work = data;
    JobLease lease = job_lease(work->job);
    g_autofree char *message = g_strnfill(400000, 'm');
    g_autofree char *result =
        g_strdup_printf("{\"errors\":[{\"evidenceType\":\"a\",\"message\":\"%s\"}]}", message);
    return job_complete(unit, &lease, result, error);
}

static void a_result_that_is_too_large_is_left_out(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) watcher = watch(&stage, ROLE_OWNER);
    JobWork work = {.id = JOB_1, .integration = INTEGRATION_A};
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    must(stage_run(&stage, ORG_A, begin_work, &work, &error));
    must(stage_run(&stage, ORG_A, end_big_work, &work, &error));
    read_until(&watcher, "event: done\n");
    read_until(&watcher, "\"status\":\"completed\",\"shortened\":true");
    job_free(work.job);
}

/* --- who sees what ---------------------------------------------------------------------------- */

static void nobody_sees_what_happens_elsewhere(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) stranger = watch_with(&stage, stage.stranger, NULL);
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    run_job(&stage);
    mark(&stage, ORG_B, INTEGRATION_B);
    read_until(&stranger, JOB_2);
    g_assert_null(strstr(stranger.text->str, ORG_A));
    g_assert_null(strstr(stranger.text->str, JOB_1));
    g_assert_cmpuint(count_of(&stranger, "event: "), ==, 2);
}

static void one_stream_has_all_organizations_of_its_caller(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) both = watch_with(&stage, stage.both, NULL);
    g_assert_nonnull(strstr(both.text->str, ORG_A));
    g_assert_nonnull(strstr(both.text->str, ORG_B));
    g_auto(Watcher) one = watch_with(&stage, stage.both, "X-Assay-Organization: " ORG_B "\r\n");
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    mark(&stage, ORG_B, INTEGRATION_B);
    read_until(&both, JOB_1);
    read_until(&both, JOB_2);
    read_until(&one, JOB_2);
    g_assert_null(strstr(one.text->str, ORG_A));
    g_assert_null(strstr(one.text->str, JOB_1));
}

static void whoever_may_see_nothing_gets_no_stream(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    const struct {
        const char *path;
        const char *token;
        unsigned status;
        const char *code;
    } cases[] = {
        {"/api/events", NULL, 401, "AUTHENTICATION_FAILED"},
        {"/api/events", stage.operator, 403, "PERMISSION_DENIED"},
        {"/api/events?organizationId=" ORG_B, stage.tokens[ROLE_OWNER], 404, "CONFIGURATION_ERROR"},
        {"/api/events?companyId=nowhere", stage.tokens[ROLE_OWNER], 404, "CONFIGURATION_ERROR"},
        {"/api/events?colour=red", stage.tokens[ROLE_OWNER], 400, "CONFIGURATION_ERROR"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_ask(&stage, &(Ask){.path = cases[i].path, .token = cases[i].token});
        assert_problem(&answer, cases[i].status, cases[i].code);
    }
    g_auto(Answer) head = stage_ask(
        &stage, &(Ask){.method = "HEAD", .path = "/api/events", .token = stage.tokens[ROLE_OWNER]});
    g_assert_cmpuint(head.status, ==, 200);
}

static void a_scanner_sees_the_integrations_that_it_names(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    stage_add_integration(&stage, INTEGRATION_C, "third");
    g_auto(Watcher) scanner = watch(&stage, ROLE_SCANNER);
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_C);
    mark(&stage, ORG_A, INTEGRATION_A);
    read_until(&scanner, JOB_2);
    g_assert_null(strstr(scanner.text->str, INTEGRATION_C));
    g_assert_null(strstr(scanner.text->str, JOB_1));
}

typedef struct {
    ApiToken row;
    Membership access;
} TokenWork;

static bool token_work(DbUnit *unit, void *data, GError **error) {
    const TokenWork *work = data;
    return api_token_insert(unit, &work->row, error) && api_token_allow(unit, &work->access, error);
}

static char *add_token(const Stage *stage, const char *id, const Membership *access) {
    char hash[DIGEST_HEX_SIZE];
    g_autoptr(Secret) ticket = NULL;
    must((ticket = ticket_new(TICKET_API, &error)) != NULL);
    ticket_hash(secret_text(ticket), hash);
    TokenWork work = {.row = {.id = id, .name = id, .token_hash = hash, .hint = "h"},
                      .access = *access};
    work.access.user_id = id;
    must(stage_run(stage, ORG_A, token_work, &work, &error));
    return g_strdup(secret_text(ticket));
}

static void an_auditor_sees_what_happens_in_his_period(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    int64_t tomorrow = clock_now_ms() + INT64_C(86400000);
    Membership early = {.role = "auditor", .period_from = tomorrow};
    Membership now = {.role = "auditor", .period_until = tomorrow};
    g_autofree char *later = add_token(&stage, "01890000-0000-7000-8000-000000007201", &early);
    g_autofree char *today = add_token(&stage, "01890000-0000-7000-8000-000000007202", &now);
    g_auto(Watcher) not_yet = watch_with(&stage, later, NULL);
    g_auto(Watcher) within = watch_with(&stage, today, NULL);
    queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
    run_job(&stage);
    g_auto(Answer) named = stage_send(&stage, ROLE_OWNER, "PATCH",
                                      "/api/integrations/" INTEGRATION_A, "{\"name\":\"renamed\"}");
    read_until(&within, "event: done\n");
    /* Integrations are everybody's to see. */
    read_until(&not_yet, "event: integration\n");
    g_assert_null(strstr(not_yet.text->str, JOB_1));
}

/* --- coming back ------------------------------------------------------------------------------ */

static void whoever_comes_back_goes_on_behind_what_he_saw(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *seen = NULL;
    {
        g_auto(Watcher) first = watch(&stage, ROLE_OWNER);
        queue_job(&stage, ORG_A, JOB_1, INTEGRATION_A);
        read_until(&first, "\"status\":\"pending\"");
        seen = id_before(&first, "event: progress\n");
    }
    run_job(&stage);
    g_autofree char *header = g_strdup_printf("Last-Event-ID: %s\r\n", seen);
    g_auto(Watcher) again = watch_with(&stage, stage.tokens[ROLE_OWNER], header);
    read_until(&again, "\"missed\":[]");
    read_until(&again, "event: done\n");
    g_assert_null(strstr(again.text->str, "pending"));
    g_assert_cmpuint(count_of(&again, "event: evidence\n"), ==, 1);
    g_assert_cmpuint(count_of(&again, "event: done\n"), ==, 1);
}

static void a_first_event_is_enough_to_come_back_with(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *seen = NULL;
    {
        g_auto(Watcher) first = watch_with(&stage, stage.both, NULL);
        read_until(&first, "\n\n");
        seen = id_before(&first, "event: ready\n");
    }
    g_assert_nonnull(strstr(seen, ORG_A));
    g_assert_nonnull(strstr(seen, ORG_B));
    queue_job(&stage, ORG_B, JOB_1, INTEGRATION_B);
    g_autofree char *header = g_strdup_printf("Last-Event-ID: %s\r\n", seen);
    g_auto(Watcher) again = watch_with(&stage, stage.both, header);
    read_until(&again, JOB_1);
}

static void what_cannot_be_told_any_more_is_named(void) {
    static const char *const lost[] = {
        "Last-Event-ID: nonsense\r\n",     "Last-Event-ID: " ORG_A ".99999\r\n",
        "Last-Event-ID: " ORG_A ".-1\r\n", "Last-Event-ID: " ORG_A ".99999999999999999999\r\n",
        "Last-Event-ID: " ORG_B ".1\r\n",  "Last-Event-ID: " ORG_A ".1\r\n"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_many(&stage, EVENTS_KEPT + 1000, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(lost); i++) {
        g_auto(Watcher) watcher = watch_with(&stage, stage.tokens[ROLE_OWNER], lost[i]);
        read_until(&watcher, "\"missed\":[\"" ORG_A "\"]");
    }
}

/* More than may wait for one client, read by one that does not read for a while. */
static void a_slow_client_gets_all_of_it_piece_by_piece(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) slow = watch(&stage, ROLE_OWNER);
    g_auto(Watcher) quick = watch(&stage, ROLE_OWNER);
    add_many(&stage, 3000, 2000);
    mark(&stage, ORG_A, INTEGRATION_A);
    read_until(&quick, JOB_2);
    read_until(&slow, JOB_2);
    for (unsigned n = 0; n < 3000; n += 299) {
        g_autofree char *part = g_strdup_printf("\"n\":%u}", n);
        g_assert_cmpuint(count_of(&slow, part), ==, 1);
        g_assert_cmpuint(count_of(&quick, part), ==, 1);
    }
}

/* --- sessions --------------------------------------------------------------------------------- */

static bool person_work(DbUnit *unit, void *data, GError **error) {
    User user = {.id = ADA, .email = "ada@example.com", .name = "Ada"};
    UserSession session = {
        .id = SESSION, .user_id = ADA, .token_hash = data, .address = "192.0.2.1"};
    Membership membership = {.user_id = ADA, .role = "owner"};
    return user_insert(unit, &user, error) && user_session_insert(unit, &session, error) &&
           membership_insert(unit, &membership, error);
}

/* "Cookie: ..." of Ada's session; caller frees. */
static char *log_ada_in(const Stage *stage) {
    char hash[DIGEST_HEX_SIZE];
    g_autoptr(Secret) ticket = NULL;
    must((ticket = ticket_new(TICKET_SESSION, &error)) != NULL);
    ticket_hash(secret_text(ticket), hash);
    must(stage_run(stage, ORG_A, person_work, hash, &error));
    return g_strdup_printf("Cookie: assay=%s\r\n", secret_text(ticket));
}

static void the_newest_stream_of_a_session_is_its_only_one(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *cookie = log_ada_in(&stage);
    g_auto(Watcher) first = watch_as(&stage, NULL, cookie);
    read_until(&first, "event: ready\n");
    g_auto(Watcher) second = watch_as(&stage, NULL, cookie);
    read_until(&second, "event: ready\n");
    read_until(&first, "event: end\ndata: {\"reason\":\"replaced\"}\n");
    read_end(&first);
    mark(&stage, ORG_A, INTEGRATION_A);
    read_until(&second, JOB_2);
}

static void a_token_has_a_few_streams(void) {
    g_auto(Stage) stage;
    Watcher watchers[8];
    stage_init_beating(&stage, SOON_MS);
    for (size_t i = 0; i < G_N_ELEMENTS(watchers); i++)
        watchers[i] = watch(&stage, ROLE_OWNER);
    g_auto(Answer) refused =
        stage_ask(&stage, &(Ask){.path = "/api/events", .token = stage.tokens[ROLE_OWNER]});
    assert_problem(&refused, 429, "RATE_LIMITED");
    g_autofree char *wait = answer_header(&refused, "Retry-After");
    g_assert_cmpstr(wait, ==, "15");
    g_auto(Watcher) other = watch(&stage, ROLE_MEMBER);
    for (size_t i = 0; i < G_N_ELEMENTS(watchers); i++)
        watcher_clear(&watchers[i]);
    /* Those who are gone are noticed by the heartbeat, not at once. */
    for (unsigned status = 0; status != 200;) {
        g_string_truncate(other.text, 0);
        read_until(&other, ": heartbeat\n");
        g_auto(Watcher) again = {.connection = stage_connect(&stage), .text = g_string_new(NULL)};
        g_autofree char *ask = g_strdup_printf(
            "GET /api/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n",
            stage.tokens[ROLE_OWNER]);
        stage_write(again.connection, ask);
        read_until(&again, "\r\n\r\n");
        status = (unsigned)g_ascii_strtoull(again.text->str + 9, NULL, 10);
    }
}

/* Eight places for streams of events: two for an organization. */
static void an_organization_leaves_room_for_others(void) {
    g_auto(Stage) stage;
    stage_init_narrow(&stage, 16);
    g_auto(Watcher) first = watch(&stage, ROLE_OWNER);
    g_auto(Watcher) second = watch(&stage, ROLE_ADMIN);
    g_auto(Answer) refused =
        stage_ask(&stage, &(Ask){.path = "/api/events", .token = stage.tokens[ROLE_MEMBER]});
    assert_problem(&refused, 429, "RATE_LIMITED");
    g_assert_nonnull(strstr(answer_text(&refused, "detail"), "This organization has 2 streams"));
    g_autofree char *wait = answer_header(&refused, "Retry-After");
    g_assert_cmpstr(wait, ==, "15");
    g_auto(Answer) named =
        stage_ask(&stage, &(Ask){.path = "/api/events?organizationId=" ORG_A, .token = stage.both});
    assert_problem(&named, 429, "RATE_LIMITED");
    g_auto(Watcher) of_both = watch_with(&stage, stage.both, NULL);
    g_auto(Watcher) stranger = watch_with(&stage, stage.stranger, NULL);
    mark(&stage, ORG_A, INTEGRATION_A);
    read_until(&first, JOB_2);
    read_until(&of_both, JOB_2);
}

static bool end_session_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return user_session_end(unit, ADA, SESSION, error);
}

static bool demote_work(DbUnit *unit, void *data, GError **error) {
    Membership membership = {.user_id = ADA, .role = "scanner", .integrations = INTEGRATION_C};
    (void)data;
    return membership_update(unit, &membership, error);
}

static bool leave_work(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return membership_delete(unit, ADA, error);
}

static bool second_owner_work(DbUnit *unit, void *data, GError **error) {
    User user = {
        .id = "01890000-0000-7000-8000-000000000eee", .email = "e@example.com", .name = "E"};
    Membership membership = {.user_id = user.id, .role = "owner"};
    (void)data;
    return user_insert(unit, &user, error) && membership_insert(unit, &membership, error);
}

static void a_stream_ends_with_its_session_or_role(void) {
    static const DbWork ends[] = {end_session_work, leave_work};
    for (size_t i = 0; i < G_N_ELEMENTS(ends); i++) {
        g_auto(Stage) stage;
        stage_init_beating(&stage, SOON_MS);
        g_autofree char *cookie = log_ada_in(&stage);
        must(stage_run(&stage, ORG_A, second_owner_work, NULL, &error));
        g_auto(Watcher) watcher = watch_as(&stage, NULL, cookie);
        read_until(&watcher, "event: ready\n");
        must(stage_run(&stage, ORG_A, ends[i], NULL, &error));
        read_until(&watcher, "event: end\ndata: {\"reason\":\"revoked\"}\n");
        read_end(&watcher);
    }
}

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    return api_token_revoke(unit, data, error);
}

static bool disallow_work(DbUnit *unit, void *data, GError **error) {
    return api_token_disallow(unit, data, error);
}

static void a_stream_ends_with_its_token(void) {
    char token[] = "01890000-0000-7000-8000-000000007101"; /* reaches both */
    g_auto(Stage) stage;
    stage_init_beating(&stage, SOON_MS);
    g_auto(Watcher) watcher = watch_with(&stage, stage.both, NULL);
    must(stage_run(&stage, ORG_A, disallow_work, token, &error));
    /* The heartbeat that has taken the seat away is told without it. */
    queue_job(&stage, ORG_B, JOB_1, INTEGRATION_B);
    read_until(&watcher, JOB_1);
    must(stage_run(&stage, ORG_B, revoke_work, token, &error));
    read_until(&watcher, "event: end\ndata: {\"reason\":\"revoked\"}\n");
    read_end(&watcher);
}

/* Ada becomes somebody who sees one integration only: as soon as the heartbeat has said so,
 * nothing else reaches her. It is known to have when an event of that one comes through. */
static void a_role_that_changes_changes_what_is_seen(void) {
    g_auto(Stage) stage;
    stage_init_beating(&stage, SOON_MS);
    g_autofree char *cookie = log_ada_in(&stage);
    must(stage_run(&stage, ORG_A, second_owner_work, NULL, &error));
    stage_add_integration(&stage, INTEGRATION_C, "third");
    g_auto(Watcher) watcher = watch_as(&stage, NULL, cookie);
    read_until(&watcher, "event: ready\n");
    must(stage_run(&stage, ORG_A, demote_work, NULL, &error));
    unsigned hidden = 0;
    for (unsigned i = 0; hidden == 0; i++) {
        g_autofree char *first = g_strdup_printf("01890000-0000-7000-8000-%012u", 2 * i);
        g_autofree char *second = g_strdup_printf("01890000-0000-7000-8000-%012u", 2 * i + 1);
        queue_job(&stage, ORG_A, first, INTEGRATION_A);
        queue_job(&stage, ORG_A, second, INTEGRATION_C);
        read_until(&watcher, second);
        hidden = strstr(watcher.text->str, first) ? 0 : 1;
    }
    g_assert_cmpuint(hidden, ==, 1);
}

static void a_quiet_stream_has_a_heartbeat(void) {
    g_auto(Stage) stage;
    stage_init_beating(&stage, SOON_MS);
    g_auto(Watcher) watcher = watch(&stage, ROLE_OWNER);
    read_until(&watcher, ": heartbeat\n\n");
    g_auto(Answer) figures =
        stage_ask(&stage, &(Ask){.path = "/metrics", .token = stage.operator});
    g_assert_nonnull(strstr(figures.body, "assay_event_streams 1\n"));
}

static void a_server_that_stops_ends_its_streams(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Watcher) watcher = watch(&stage, ROLE_OWNER);
    g_clear_pointer(&stage.api, api_stop);
    read_end(&watcher);
}

static const ApiTest tests[] = {
    {"all_that_happens_is_told_in_order", all_that_happens_is_told_in_order},
    {"changes_of_integrations_and_schedules_are_told",
     changes_of_integrations_and_schedules_are_told},
    {"what_a_running_job_tells_is_passed_on", what_a_running_job_tells_is_passed_on},
    {"a_result_that_is_too_large_is_left_out", a_result_that_is_too_large_is_left_out},
    {"nobody_sees_what_happens_elsewhere", nobody_sees_what_happens_elsewhere},
    {"one_stream_has_all_organizations_of_its_caller",
     one_stream_has_all_organizations_of_its_caller},
    {"whoever_may_see_nothing_gets_no_stream", whoever_may_see_nothing_gets_no_stream},
    {"a_scanner_sees_the_integrations_that_it_names",
     a_scanner_sees_the_integrations_that_it_names},
    {"an_auditor_sees_what_happens_in_his_period", an_auditor_sees_what_happens_in_his_period},
    {"whoever_comes_back_goes_on_behind_what_he_saw",
     whoever_comes_back_goes_on_behind_what_he_saw},
    {"a_first_event_is_enough_to_come_back_with", a_first_event_is_enough_to_come_back_with},
    {"what_cannot_be_told_any_more_is_named", what_cannot_be_told_any_more_is_named},
    {"a_slow_client_gets_all_of_it_piece_by_piece", a_slow_client_gets_all_of_it_piece_by_piece},
    {"the_newest_stream_of_a_session_is_its_only_one",
     the_newest_stream_of_a_session_is_its_only_one},
    {"a_token_has_a_few_streams", a_token_has_a_few_streams},
    {"an_organization_leaves_room_for_others", an_organization_leaves_room_for_others},
    {"a_stream_ends_with_its_session_or_role", a_stream_ends_with_its_session_or_role},
    {"a_stream_ends_with_its_token", a_stream_ends_with_its_token},
    {"a_role_that_changes_changes_what_is_seen", a_role_that_changes_changes_what_is_seen},
    {"a_quiet_stream_has_a_heartbeat", a_quiet_stream_has_a_heartbeat},
    {"a_server_that_stops_ends_its_streams", a_server_that_stops_ends_its_streams},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "events", tests, G_N_ELEMENTS(tests));
}
