#include "unit/api_support.h"

#include "base/clock.h"
#include "base/compress.h"
#include "base/digest.h"
#include "net/budget.h"
#include "store/budget.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/idempotency.h"
#include "store/job.h"
#include "store/job_claim.h"

#include <string.h>
#include <unistd.h>

#define EVIDENCE_1 "01890000-0000-7000-8000-00000000e001"
#define EVIDENCE_2 "01890000-0000-7000-8000-00000000e002"
#define DOCUMENT "01890000-0000-7000-8000-00000000d001"
#define DATA "{\"details\":[{\"n\":1},{\"n\":2}],\"count\":2}"

static const DbScope scope = {.organization = ORG_A, .actor = "test", .role = "owner"};
static const DbScope claiming = {.organization = ORG_A, .actor = "test", .system = true};

/* --- what a worker does ----------------------------------------------------------------------- */

typedef struct {
    const char *job_id;
    Job *job;
    const char *evidence_id; /* to be stored */
} RunWork;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    RunWork *work = data;
    JobClaim claim = {.owner = "worker-1", .lease_ms = 600000};
    g_clear_pointer(&work->job, job_free);
    return job_claim_one(unit, ORG_A, work->job_id, &claim, &work->job, error);
}

static bool complete_work(DbUnit *unit, void *data, GError **error) {
    const RunWork *work = data;
    JobLease lease = job_lease(work->job);
    return job_complete(unit, &lease,
                        "{\"evidenceCollected\":1,\"evidenceFailed\":0,\"controlsUpdated\":2,"
                        "\"errors\":[]}",
                        error);
}

static bool document_work(DbUnit *unit, void *data, GError **error) {
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *id = NULL;
    g_autoptr(Compressor) compressor = compressor_new();
    g_autoptr(GByteArray) packed = compressor_pack(compressor, DATA, strlen(DATA));
    DocumentChunk chunk = {.raw_size = (int64_t)strlen(DATA), .bytes = {packed->data, packed->len}};
    digest_sha256_hex(DATA, strlen(DATA), hash);
    DocumentEnd end = {.id = DOCUMENT, .sha256 = hash, .size = (int64_t)strlen(DATA)};
    (void)data;
    return document_begin(unit, DOCUMENT, NULL, error) &&
           document_append_chunk(unit, DOCUMENT, &chunk, error) &&
           document_finish(unit, &end, &id, error);
}

static bool evidence_work(DbUnit *unit, void *data, GError **error) {
    const RunWork *work = data;
    char hash[DIGEST_HEX_SIZE];
    int64_t now = clock_now_ms();
    digest_sha256_hex(DATA, strlen(DATA), hash);
    g_autofree char *at = clock_format(now);
    g_autofree char *until = clock_format(now + 1000000);
    bool second = strcmp(work->evidence_id, EVIDENCE_2) == 0;
    g_autofree char *record = g_strdup_printf(
        "{\"id\":\"%s\",\"organizationId\":\"" ORG_A "\",\"integrationId\":\"" INTEGRATION_A
        "\",\"jobId\":\"%s\",\"evidenceType\":\"branch_protection\",\"title\":\"T\","
        "\"description\":\"D\",\"type\":\"config\",\"source\":\"github\",\"metadata\":{},"
        "\"collectedAt\":\"%s\",\"validFrom\":\"%s\",\"validUntil\":\"%s\"}",
        work->evidence_id, work->job_id, at, at, until);
    Evidence row = {.id = work->evidence_id,
                    .integration_id = INTEGRATION_A,
                    .job_id = work->job_id,
                    .evidence_type = second ? "members" : "branch_protection",
                    .source = "github",
                    .record = record,
                    .document_id = second ? NULL : DOCUMENT,
                    .data_sha256 = second ? NULL : hash,
                    .completeness = second ? 0.5 : 1,
                    .collected_at = now,
                    .valid_from = now,
                    .valid_until = now + 1000000};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static void store_evidence(const Stage *stage, const char *job_id, const char *evidence_id) {
    RunWork work = {.job_id = job_id, .evidence_id = evidence_id};
    must(db_run(stage->db, &scope, DB_WRITE, evidence_work, &work, &error));
}

/* --- queueing --------------------------------------------------------------------------------- */

static char *queue(const Stage *stage, const char *body) {
    g_auto(Answer) answer =
        stage_send(stage, ROLE_OWNER, "POST", "/api/integrations/" INTEGRATION_A "/sync", body);
    g_assert_cmpuint(answer.status, ==, 202);
    return g_strdup(answer_text(&answer, "jobId"));
}

static void a_sync_is_queued_and_announced(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) answer =
        stage_send(&stage, ROLE_MEMBER, "POST", "/api/integrations/" INTEGRATION_A "/sync",
                   "{\"evidenceTypes\":[\"branch_protection\"]}");
    g_assert_cmpuint(answer.status, ==, 202);
    g_assert_cmpstr(answer_text(&answer, "job.status"), ==, "pending");
    g_assert_cmpuint(json_count(json_path(answer.json, "job.evidenceTypes")), ==, 1);
    g_autofree char *location = answer_header(&answer, "Location");
    g_auto(Answer) job = stage_get(&stage, ROLE_AUDITOR, location);
    g_assert_cmpstr(answer_text(&job, "id"), ==, answer_text(&answer, "jobId"));
    g_assert_cmpuint(stage.queued, ==, 1);
    g_auto(Answer) unknown =
        stage_send(&stage, ROLE_OWNER, "POST", "/api/integrations/" INTEGRATION_A "/sync",
                   "{\"evidenceTypes\":[\"weather\"]}");
    assert_problem(&unknown, 400, "CONFIGURATION_ERROR");
}

static void the_same_key_again_gets_the_same_answer(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Ask ask = {.method = "POST",
               .path = "/api/integrations/" INTEGRATION_A "/sync",
               .token = stage.tokens[ROLE_OWNER],
               .headers = "Idempotency-Key: key-1\r\n",
               .body = "{\"evidenceTypes\":[\"branch_protection\"]}"};
    g_auto(Answer) once = stage_ask(&stage, &ask);
    g_auto(Answer) again = stage_ask(&stage, &ask);
    g_assert_cmpuint(again.status, ==, 202);
    g_assert_cmpstr(again.body, ==, once.body);
    g_autofree char *replayed = answer_header(&again, "Idempotent-Replayed");
    g_assert_cmpstr(replayed, ==, "true");
    g_assert_cmpuint(stage.queued, ==, 1);
    ask.body = "{}";
    g_auto(Answer) other = stage_ask(&stage, &ask);
    assert_problem(&other, 422, "CONFIGURATION_ERROR");
    ask.token = stage.tokens[ROLE_ADMIN];
    g_auto(Answer) another = stage_ask(&stage, &ask);
    g_assert_cmpuint(another.status, ==, 202);
    g_assert_null(answer_header(&another, "Idempotent-Replayed"));
}

static void a_refusal_lets_go_of_its_key(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    Ask ask = {.method = "PATCH",
               .path = "/api/integrations/" INTEGRATION_A,
               .token = stage.tokens[ROLE_OWNER],
               .headers = "Idempotency-Key: key-2\r\n",
               .body = "{\"name\":\"\"}"};
    g_auto(Answer) refused = stage_ask(&stage, &ask);
    assert_problem(&refused, 400, "CONFIGURATION_ERROR");
    ask.body = "{\"name\":\"other\"}";
    g_auto(Answer) done = stage_ask(&stage, &ask);
    g_assert_cmpuint(done.status, ==, 200);
    g_assert_null(answer_header(&done, "Idempotent-Replayed"));
    g_auto(Answer) again = stage_ask(&stage, &ask);
    g_autofree char *replayed = answer_header(&again, "Idempotent-Replayed");
    g_assert_cmpstr(replayed, ==, "true");
}

static void a_key_is_visible_ascii(void) {
    static const char *const keys[] = {"\xff\xfe", "a b", "\xc3\xa9"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *longest = g_strnfill(IDEMPOTENCY_KEY_MAX, 'k');
    g_autofree char *fits = g_strdup_printf("Idempotency-Key: %s\r\n", longest);
    g_autofree char *longer = g_strdup_printf("Idempotency-Key: k%s\r\n", longest);
    Ask ask = {.method = "POST",
               .path = "/api/integrations/" INTEGRATION_A "/sync",
               .token = stage.tokens[ROLE_OWNER],
               .headers = longer};
    g_auto(Answer) refused = stage_ask(&stage, &ask);
    assert_problem(&refused, 400, "CONFIGURATION_ERROR");
    for (size_t i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_autofree char *header = g_strdup_printf("Idempotency-Key: %s\r\n", keys[i]);
        ask.headers = header;
        g_auto(Answer) odd = stage_ask(&stage, &ask);
        assert_problem(&odd, 400, "CONFIGURATION_ERROR");
    }
    ask.headers = fits;
    g_auto(Answer) taken = stage_ask(&stage, &ask);
    g_assert_cmpuint(taken.status, ==, 202);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static bool run_elsewhere_work(DbUnit *unit, void *job_id, GError **error) {
    JobClaim claim = {.owner = "elsewhere", .lease_ms = 600000};
    g_autoptr(Job) job = NULL;
    if (!job_claim_one(unit, ORG_A, job_id, &claim, &job, error))
        return false;
    JobLease lease = job_lease(job);
    return job_renew(unit, &lease, 600000, "{\"evidenceType\":\"users\",\"rows\":7}", error);
}

/* Its worker tells the database. */
static void a_job_that_another_process_runs_shows_how_far_it_is(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    g_autofree char *path = g_strdup_printf("/api/jobs/%s", id);
    must(db_run(stage.db, &claiming, DB_WRITE, run_elsewhere_work, id, &error));
    g_auto(Answer) job = stage_get(&stage, ROLE_MEMBER, path);
    g_auto(Answer) list = stage_get(&stage, ROLE_MEMBER, "/api/jobs");
    g_assert_cmpint(json_integer_or(json_path(job.json, "progress.rows"), 0), ==, 7);
    const Json *first = json_item(json_member(list.json, "jobs"), 0);
    g_assert_cmpint(json_integer_or(json_path(first, "progress.rows"), 0), ==, 7);
}

static void a_job_that_waits_is_called_off(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    g_autofree char *cancel = g_strdup_printf("/api/jobs/%s/cancel", id);
    g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "POST", cancel, NULL);
    g_assert_cmpuint(answer.status, ==, 200);
    g_assert_cmpstr(answer_text(&answer, "status"), ==, "cancelled");
    g_auto(Answer) again = stage_send(&stage, ROLE_OWNER, "POST", cancel, NULL);
    assert_problem(&again, 409, "CONFIGURATION_ERROR");
    g_auto(Answer) auditor = stage_send(&stage, ROLE_AUDITOR, "POST", cancel, NULL);
    assert_problem(&auditor, 403, "PERMISSION_DENIED");
    g_auto(Answer) list = stage_get(&stage, ROLE_OWNER, "/api/jobs?status=cancelled");
    g_assert_cmpuint(json_count(json_member(list.json, "jobs")), ==, 1);
}

static void assert_denied(const Stage *stage, Role role, const char *path) {
    g_auto(Answer) answer = stage_send(stage, role, "POST", path, NULL);
    assert_problem(&answer, 403, "PERMISSION_DENIED");
}

static void a_job_that_has_ended_is_run_again(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, "{\"evidenceTypes\":[\"branch_protection\"]}");
    g_autofree char *retry = g_strdup_printf("/api/jobs/%s/retry", id);
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    g_auto(Answer) running = stage_send(&stage, ROLE_OWNER, "POST", retry, NULL);
    assert_problem(&running, 409, "CONFIGURATION_ERROR");
    must(db_run(stage.db, &scope, DB_WRITE, complete_work, &work, &error));
    job_free(work.job);
    assert_denied(&stage, ROLE_AUDITOR, retry);
    assert_denied(&stage, ROLE_SCANNER, retry);
    unsigned announced = stage.queued;
    g_auto(Answer) again = stage_send(&stage, ROLE_MEMBER, "POST", retry, NULL);
    g_assert_cmpuint(again.status, ==, 202);
    g_assert_cmpstr(answer_text(&again, "jobId"), !=, id);
    g_assert_cmpstr(answer_text(&again, "job.status"), ==, "pending");
    g_assert_cmpuint(json_count(json_path(again.json, "job.evidenceTypes")), ==, 1);
    g_assert_cmpuint(stage.queued, ==, announced + 1);
    g_auto(Answer) log = stage_get(&stage, ROLE_OWNER, "/api/audit?action=sync.start");
    g_assert_cmpuint(json_count(json_member(log.json, "audit")), ==, 2);
    const Json *newest = json_item(json_member(log.json, "audit"), 0);
    g_assert_cmpstr(json_text(json_path(newest, "details.jobId")), ==,
                    answer_text(&again, "jobId"));
}

static void a_job_that_waits_is_due_at_once_when_it_is_run_again(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    g_autofree char *retry = g_strdup_printf("/api/jobs/%s/retry", id);
    g_auto(Answer) again = stage_send(&stage, ROLE_OWNER, "POST", retry, NULL);
    g_assert_cmpstr(answer_text(&again, "jobId"), ==, id);
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.method = "POST", .path = retry, .token = stage.stranger});
    g_assert_cmpuint(foreign.status, ==, 404);
    g_auto(Answer) paused = stage_send(
        &stage, ROLE_OWNER, "PATCH", "/api/integrations/" INTEGRATION_A, "{\"status\":\"paused\"}");
    g_assert_cmpuint(paused.status, ==, 200);
    g_auto(Answer) refused = stage_send(&stage, ROLE_OWNER, "POST", retry, NULL);
    assert_problem(&refused, 409, "CONFIGURATION_ERROR");
}

static void jobs_that_wait_and_run_are_figures(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    Ask ask = {.path = "/metrics", .token = stage.operator};
    g_auto(Answer) waiting = stage_ask(&stage, &ask);
    g_assert_nonnull(strstr(waiting.body, "assay_jobs{status=\"pending\"} 1\n"));
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    g_auto(Answer) running = stage_ask(&stage, &ask);
    g_assert_nonnull(strstr(running.body, "assay_jobs{status=\"pending\"} 0\n"));
    g_assert_nonnull(strstr(running.body, "assay_jobs{status=\"running\"} 1\n"));
    g_assert_nonnull(strstr(running.body, "assay_job_oldest_due_seconds 0\n"));
    must(db_run(stage.db, &scope, DB_WRITE, complete_work, &work, &error));
    g_auto(Answer) ended = stage_ask(&stage, &ask);
    g_assert_nonnull(strstr(ended.body, "assay_jobs{status=\"running\"} 0\n"));
    g_assert_nonnull(strstr(ended.body, "assay_jobs_ended_last_hour{status=\"completed\"} 1\n"));
    job_free(work.job);
}

static bool budget_work(DbUnit *unit, void *data, GError **error) {
    g_autoptr(BudgetRow) made = NULL;
    int64_t now = 0;
    if (!budget_clock(unit, 0, &now, error) || !budget_lock(unit, data, now, &made, error))
        return false;
    BudgetRow row = {.budget_key = data,
                     .kind = BUDGET_QUOTA,
                     .window_ms = 3600000,
                     .limit_calls = 5000,
                     .remaining = 1200,
                     .reset_at = now + 600000,
                     .touched_at = now};
    return budget_save(unit, &row, error);
}

static void limits_of_providers_are_figures(void) {
    static const DbScope system = {.actor = "test", .system = true};
    char key[] = "github/0/\"x\"";
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &system, DB_WRITE, budget_work, key, &error));
    g_auto(Answer) answer =
        stage_ask(&stage, &(Ask){.path = "/metrics", .token = stage.operator});
    const char *line = strstr(answer.body, "assay_limit_");
    g_test_message("%s", line ? line : answer.body);
    g_assert_nonnull(strstr(answer.body, "assay_limit_calls{provider=\"github\","
                                         "limit=\"github/0/\\\"x\\\"\"} 5000\n"));
    g_assert_nonnull(strstr(answer.body, "\"} 1200\n"));
    g_assert_nonnull(strstr(answer.body, "# TYPE assay_limit_pace gauge\n"));
}

static void a_running_job_is_asked_to_end(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    g_autofree char *cancel = g_strdup_printf("/api/jobs/%s/cancel", id);
    g_auto(Answer) answer = stage_send(&stage, ROLE_OWNER, "POST", cancel, NULL);
    g_assert_cmpuint(answer.status, ==, 202);
    job_free(work.job);
}

static void a_foreign_or_unknown_job_is_not_there(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    g_autofree char *own = g_strdup_printf("/api/jobs/%s", id);
    g_autofree char *watched = g_strdup_printf("/api/jobs/%s/events", id);
    const char *paths[] = {own, watched, "/api/jobs/x",
                           "/api/jobs/01890000-0000-7000-8000-000000000000"};
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        g_auto(Answer) answer =
            stage_ask(&stage, &(Ask){.path = paths[i], .token = stage.stranger});
        assert_problem(&answer, 404, "CONFIGURATION_ERROR");
    }
}

/* --- events ----------------------------------------------------------------------------------- */

static void read_until(int connection, GString *text, const char *wanted) {
    char buffer[4096];
    while (!strstr(text->str, wanted)) {
        ssize_t got = read(connection, buffer, sizeof buffer);
        g_assert_cmpint(got, >, 0);
        g_string_append_len(text, buffer, got);
    }
}

static int watch(const Stage *stage, const char *job_id, const char *header) {
    g_autofree char *ask = g_strdup_printf(
        "GET /api/jobs/%s/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n%s\r\n", job_id,
        stage->tokens[ROLE_OWNER], header ? header : "");
    int connection = stage_connect(stage);
    stage_write(connection, ask);
    return connection;
}

static void whoever_watches_a_job_sees_it_to_its_end(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    int connection = watch(&stage, id, NULL);
    read_until(connection, text, "text/event-stream");
    read_until(connection, text, "\"status\":\"pending\"");
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    g_autoptr(Json) progress = json_new_object();
    json_put_int(progress, "rows", 42);
    api_progress(stage.api, ORG_A, id, progress);
    read_until(connection, text, "\"rows\":42");
    g_autofree char *path = g_strdup_printf("/api/jobs/%s", id);
    g_auto(Answer) job = stage_get(&stage, ROLE_OWNER, path);
    g_assert_cmpint(json_integer_or(json_path(job.json, "progress.rows"), 0), ==, 42);
    store_evidence(&stage, id, EVIDENCE_1);
    read_until(connection, text, "id: " EVIDENCE_1 "\nevent: evidence\n");
    must(db_run(stage.db, &scope, DB_WRITE, complete_work, &work, &error));
    read_until(connection, text, "event: done\n");
    read_until(connection, text, "\"controlsUpdated\":2");
    read_until(connection, text, "\r\n0\r\n");
    job_free(work.job);
    close(connection);
}

static void a_watcher_that_comes_back_goes_on_behind_what_it_saw(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *id = queue(&stage, NULL);
    RunWork work = {.job_id = id};
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    must(db_run(stage.db, &claiming, DB_WRITE, claim_work, &work, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    store_evidence(&stage, id, EVIDENCE_2);
    must(db_run(stage.db, &scope, DB_WRITE, complete_work, &work, &error));
    int connection = watch(&stage, id, "Last-Event-ID: " EVIDENCE_1 "\r\n");
    read_until(connection, text, "event: done\n");
    g_assert_null(strstr(text->str, "id: " EVIDENCE_1));
    g_assert_nonnull(strstr(text->str, "id: " EVIDENCE_2));
    job_free(work.job);
    close(connection);
}

/* Streams end with the server, in order. */
static void a_server_that_stops_ends_its_streams(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *id = queue(&stage, NULL);
    int connection = watch(&stage, id, NULL);
    read_until(connection, text, "\"status\":\"pending\"");
    g_clear_pointer(&stage.api, api_stop);
    read_until(connection, text, "\r\n0\r\n");
    close(connection);
}

/* --- evidence --------------------------------------------------------------------------------- */

static void evidence_comes_with_its_data_as_stored(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    g_auto(Answer) whole = stage_get(&stage, ROLE_AUDITOR, "/api/evidence/" EVIDENCE_1);
    g_assert_cmpuint(whole.status, ==, 200);
    g_assert_true(g_str_has_suffix(whole.body, ",\"data\":" DATA "}"));
    g_assert_cmpint(json_member_int(json_member(whole.json, "data"), "count", 0), ==, 2);
    g_auto(Answer) bare = stage_get(&stage, ROLE_OWNER, "/api/evidence/" EVIDENCE_1 "?data=false");
    g_assert_null(json_member(bare.json, "data"));
    g_auto(Answer) foreign =
        stage_ask(&stage, &(Ask){.path = "/api/evidence/" EVIDENCE_1, .token = stage.stranger});
    assert_problem(&foreign, 404, "CONFIGURATION_ERROR");
}

static void evidence_is_found_by_what_it_is(void) {
    static const struct {
        const char *query;
        size_t count;
    } cases[] = {
        {"", 2},
        {"type=members", 1},
        {"source=github", 2},
        {"source=aws", 0},
        {"quality=0.9", 1},
        {"quality=0.1", 2},
        {"from=2200-01-01", 0},
        {"to=2200-01-01T00:00:00Z", 2},
        {"reviewState=approved", 0},
        {"integrationId=" INTEGRATION_A, 2},
        {"integrationId=" INTEGRATION_B, 0},
        {"integrationId=acme", 2},
        {"control=soc2:CC8.1", 1},
        {"limit=1", 1},
        {"limit=1&cursor=" EVIDENCE_2, 1},
        {"limit=1&cursor=" EVIDENCE_1, 0},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    store_evidence(&stage, id, EVIDENCE_2);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strdup_printf("/api/evidence?%s", cases[i].query);
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, path);
        g_test_message("%s: %s", path, answer.body);
        g_assert_cmpuint(json_count(json_member(answer.json, "evidence")), ==, cases[i].count);
    }
}

/* However much of them there is: what is known is not sent again until it was reviewed. */
static void evidence_that_is_known_is_not_sent_again(void) {
    static const char *const paths[] = {"/api/evidence/" EVIDENCE_1,
                                        "/api/evidence/" EVIDENCE_1 "?data=false"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    g_auto(Answer) whole = stage_get(&stage, ROLE_OWNER, paths[0]);
    g_autofree char *tag = answer_header(&whole, "ETag");
    g_autofree char *kept = answer_header(&whole, "Cache-Control");
    g_autofree char *header = g_strdup_printf("If-None-Match: \"other\", %s\r\n", tag);
    g_autofree char *meant = g_strdup_printf("If-Match: %s\r\n", tag);
    g_assert_cmpstr(kept, ==, "private, no-cache");
    for (size_t i = 0; i < G_N_ELEMENTS(paths); i++) {
        Ask ask = {.path = paths[i], .token = stage.tokens[ROLE_OWNER], .headers = header};
        g_auto(Answer) known = stage_ask(&stage, &ask);
        g_autofree char *same = answer_header(&known, "ETag");
        g_assert_cmpuint(known.status, ==, 304);
        g_assert_cmpstr(known.body, ==, "");
        g_assert_cmpstr(same, ==, tag);
    }
    Ask approval = {.method = "POST",
                    .path = "/api/evidence/" EVIDENCE_1 "/review",
                    .token = stage.tokens[ROLE_MEMBER],
                    .headers = meant,
                    .body = "{\"state\":\"approved\"}"};
    g_auto(Answer) approved = stage_ask(&stage, &approval);
    g_assert_cmpuint(approved.status, ==, 200);
    g_auto(Answer) late = stage_ask(&stage, &approval);
    assert_problem(&late, 412, "CONFIGURATION_ERROR");
    Ask again = {.path = paths[0], .token = stage.tokens[ROLE_OWNER], .headers = header};
    g_auto(Answer) changed = stage_ask(&stage, &again);
    g_assert_cmpuint(changed.status, ==, 200);
    g_assert_cmpstr(answer_text(&changed, "reviewState"), ==, "approved");
}

/* Lists take an integration's name where they take its id; a foreign one's is not there. */
static void lists_are_narrowed_by_the_name_of_an_integration(void) {
    static const struct {
        const char *path;
        const char *list;
        size_t count;
    } cases[] = {
        {"/api/jobs", "jobs", 1},
        {"/api/evidence", "evidence", 1},
        {"/api/findings", "findings", 0},
        {"/api/assessments", "assessments", 0},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *named = g_strdup_printf("%s?integrationId=acme", cases[i].path);
        g_autofree char *nobody = g_strdup_printf("%s?integrationId=nobody", cases[i].path);
        g_auto(Answer) found = stage_get(&stage, ROLE_SCANNER, named);
        g_assert_cmpuint(found.status, ==, 200);
        g_assert_cmpuint(json_count(json_member(found.json, cases[i].list)), ==, cases[i].count);
        g_auto(Answer) missing = stage_get(&stage, ROLE_OWNER, nobody);
        assert_problem(&missing, 404, "CONFIGURATION_ERROR");
        g_auto(Answer) other = stage_ask(&stage, &(Ask){.path = named, .token = stage.stranger});
        g_assert_cmpuint(json_count(json_member(other.json, cases[i].list)), ==, 0);
    }
}

static void evidence_is_approved_by_somebody(void) {
    static const char path[] = "/api/evidence/" EVIDENCE_1 "/review";
    static const struct {
        Role role;
        const char *body;
        unsigned status;
    } cases[] = {{ROLE_AUDITOR, "{\"state\":\"approved\"}", 403},
                 {ROLE_SCANNER, "{\"state\":\"approved\"}", 403},
                 {ROLE_MEMBER, "{\"state\":\"collected\"}", 400},
                 {ROLE_MEMBER, "{}", 400},
                 {ROLE_MEMBER, "{\"state\":\"approved\",\"comment\":\"seen\"}", 200}};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autofree char *id = queue(&stage, NULL);
    must(db_run(stage.db, &scope, DB_WRITE, document_work, NULL, &error));
    store_evidence(&stage, id, EVIDENCE_1);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer = stage_send(&stage, cases[i].role, "POST", path, cases[i].body);
        g_test_message("%s: %s", cases[i].body, answer.body);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_auto(Answer) one = stage_get(&stage, ROLE_AUDITOR, "/api/evidence/" EVIDENCE_1);
    g_assert_cmpstr(answer_text(&one, "reviewState"), ==, "approved");
    g_assert_cmpstr(answer_text(&one, "reviewedBy"), ==, "member");
    g_assert_cmpstr(answer_text(&one, "reviewComment"), ==, "seen");
    g_assert_cmpuint(strlen(answer_text(&one, "reviewedAt")), ==, 24);
    g_auto(Answer) list = stage_get(&stage, ROLE_OWNER, "/api/evidence?reviewState=approved");
    const Json *item = json_item(json_member(list.json, "evidence"), 0);
    g_assert_cmpstr(json_member_string(item, "reviewedBy", ""), ==, "member");
    g_auto(Answer) audit = stage_get(&stage, ROLE_OWNER, "/api/audit?action=evidence.review");
    g_test_message("%s", audit.body);
    g_assert_nonnull(strstr(audit.body, EVIDENCE_1));
    g_auto(Answer) foreign = stage_ask(&stage, &(Ask){.method = "POST",
                                                      .path = path,
                                                      .token = stage.stranger,
                                                      .body = "{\"state\":\"rejected\"}"});
    assert_problem(&foreign, 404, "CONFIGURATION_ERROR");
}

static const ApiTest tests[] = {
    {"a_sync_is_queued_and_announced", a_sync_is_queued_and_announced},
    {"the_same_key_again_gets_the_same_answer", the_same_key_again_gets_the_same_answer},
    {"a_refusal_lets_go_of_its_key", a_refusal_lets_go_of_its_key},
    {"a_key_is_visible_ascii", a_key_is_visible_ascii},
    {"a_job_that_another_process_runs_shows_how_far_it_is",
     a_job_that_another_process_runs_shows_how_far_it_is},
    {"a_job_that_waits_is_called_off", a_job_that_waits_is_called_off},
    {"a_job_that_has_ended_is_run_again", a_job_that_has_ended_is_run_again},
    {"a_job_that_waits_is_due_at_once_when_it_is_run_again",
     a_job_that_waits_is_due_at_once_when_it_is_run_again},
    {"jobs_that_wait_and_run_are_figures", jobs_that_wait_and_run_are_figures},
    {"limits_of_providers_are_figures", limits_of_providers_are_figures},
    {"a_running_job_is_asked_to_end", a_running_job_is_asked_to_end},
    {"a_foreign_or_unknown_job_is_not_there", a_foreign_or_unknown_job_is_not_there},
    {"whoever_watches_a_job_sees_it_to_its_end", whoever_watches_a_job_sees_it_to_its_end},
    {"a_watcher_that_comes_back_goes_on_behind_what_it_saw",
     a_watcher_that_comes_back_goes_on_behind_what_it_saw},
    {"a_server_that_stops_ends_its_streams", a_server_that_stops_ends_its_streams},
    {"evidence_comes_with_its_data_as_stored", evidence_comes_with_its_data_as_stored},
    {"evidence_is_found_by_what_it_is", evidence_is_found_by_what_it_is},
    {"evidence_that_is_known_is_not_sent_again", evidence_that_is_known_is_not_sent_again},
    {"lists_are_narrowed_by_the_name_of_an_integration",
     lists_are_narrowed_by_the_name_of_an_integration},
    {"evidence_is_approved_by_somebody", evidence_is_approved_by_somebody},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "jobs", tests, G_N_ELEMENTS(tests));
}
