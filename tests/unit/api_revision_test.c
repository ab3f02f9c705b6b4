/* Several change the same thing at once, over real sockets: nobody's change is lost, of those who
 * have seen the same only one makes his, and the audit log has an entry for each that was made. */
#include "store/audit.h"
#include "store/evidence.h"
#include "store/job.h"
#include "store/membership.h"
#include "store/schedule.h"
#include "store/user.h"
#include "unit/api_support.h"

#include <pthread.h>
#include <string.h>

#define ACME "/api/integrations/" INTEGRATION_A
#define ADA "01890000-0000-7000-8000-000000000ada"
#define EVE "01890000-0000-7000-8000-000000000e5e"
#define EVIDENCE "01890000-0000-7000-8000-00000000e001"
#define MANY 8
#define ROUNDS 12

static const DbScope in_a = {.organization = ORG_A, .actor = "test", .system = true};

/* --- at the same time ------------------------------------------------------------------------- */

typedef struct {
    const Stage *stage;
    Ask ask;
    char *body; /* its own, or NULL */
    unsigned status;
    pthread_t thread;
} Racer;

static void *race(void *data) {
    Racer *racer = data;
    g_auto(Answer) answer = stage_ask(racer->stage, &racer->ask);
    racer->status = answer.status;
    return NULL;
}

static void race_all(Racer *racers, size_t count) {
    for (size_t i = 0; i < count; i++)
        g_assert_cmpint(pthread_create(&racers[i].thread, NULL, race, &racers[i]), ==, 0);
    for (size_t i = 0; i < count; i++)
        pthread_join(racers[i].thread, NULL);
}

static char *tag_of(const Stage *stage, const char *path) {
    g_auto(Answer) seen = stage_get(stage, ROLE_OWNER, path);
    g_assert_cmpuint(seen.status, ==, 200);
    char *tag = answer_header(&seen, "ETag");
    g_assert_nonnull(tag);
    return tag;
}

static char *match_of(const Stage *stage, const char *path) {
    g_autofree char *tag = tag_of(stage, path);
    return g_strdup_printf("If-Match: %s\r\n", tag);
}

static size_t count_entries(const Stage *stage, const char *action) {
    g_autofree char *path = g_strdup_printf("/api/audit?limit=1000&action=%s", action);
    g_auto(Answer) audit = stage_get(stage, ROLE_OWNER, path);
    g_assert_cmpuint(audit.status, ==, 200);
    return json_count(json_member(audit.json, "audit"));
}

/* Of all who send this with the tag of `seen`, one is served and the others are too late. */
static void one_of_many(const Stage *stage, const char *seen, const Ask *ask, const char *bodies) {
    g_autofree char *match = match_of(stage, seen);
    Racer racers[MANY] = {0};
    size_t served = 0;
    for (size_t i = 0; i < MANY; i++) {
        racers[i] = (Racer){.stage = stage, .ask = *ask};
        racers[i].body = bodies ? g_strdup_printf("%s%zu\"}", bodies, i) : NULL;
        racers[i].ask.token = stage->tokens[ROLE_OWNER];
        racers[i].ask.headers = match;
        racers[i].ask.body = bodies ? racers[i].body : ask->body;
    }
    race_all(racers, MANY);
    for (size_t i = 0; i < MANY; i++) {
        served += racers[i].status == 200;
        g_assert_true(racers[i].status == 200 || racers[i].status == 412);
        g_free(racers[i].body);
    }
    g_assert_cmpuint(served, ==, 1);
}

static void of_many_who_have_seen_the_same_one_changes_it(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        g_autofree char *bodies = g_strdup_printf("{\"name\":\"round %zu by ", round);
        one_of_many(&stage, ACME, &(Ask){.method = "PATCH", .path = ACME}, bodies);
    }
    g_assert_cmpuint(count_entries(&stage, "integration.change"), ==, ROUNDS);
}

static void changes_of_different_members_are_both_made(void) {
    static const char *const types[] = {"branch_protection", "security_alerts"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t round = 0; round < ROUNDS; round++) {
        const char *type = types[round % 2];
        g_autofree char *name = g_strdup_printf("{\"name\":\"round %zu\"}", round);
        g_autofree char *chosen = g_strdup_printf("{\"evidenceTypes\":[\"%s\"]}", type);
        g_autofree char *wanted = g_strdup_printf("round %zu", round);
        Racer racers[3] = {0};
        const char *const bodies[] = {name, chosen, "{\"settings\":{\"includeArchived\":true}}"};
        for (size_t i = 0; i < G_N_ELEMENTS(racers); i++)
            racers[i] = (Racer){.stage = &stage,
                                .ask = {.method = "PATCH",
                                        .path = ACME,
                                        .token = stage.tokens[ROLE_OWNER],
                                        .body = bodies[i]}};
        race_all(racers, G_N_ELEMENTS(racers));
        g_auto(Answer) now = stage_get(&stage, ROLE_OWNER, ACME);
        for (size_t i = 0; i < G_N_ELEMENTS(racers); i++)
            g_assert_cmpuint(racers[i].status, ==, 200);
        g_assert_cmpstr(answer_text(&now, "name"), ==, wanted);
        g_assert_cmpstr(json_text(json_item(json_member(now.json, "evidenceTypes"), 0)), ==, type);
        g_assert_true(json_truth(json_path(now.json, "config.settings.includeArchived")));
    }
}

static bool begin_schedule(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return schedule_begin(unit, INTEGRATION_A, 1, error);
}

static void of_many_who_have_seen_a_schedule_one_changes_it(void) {
    static const char *const intervals[] = {"{\"every\":\"6h\"}", "{\"every\":\"5h\"}"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &in_a, DB_WRITE, begin_schedule, NULL, &error));
    for (size_t round = 0; round < ROUNDS; round++) {
        const char *path = "/api/schedules/" INTEGRATION_A;
        Ask ask = {.method = "PATCH", .path = path, .body = intervals[round % 2]};
        one_of_many(&stage, path, &ask, NULL);
    }
    g_assert_cmpuint(count_entries(&stage, "schedule.change"), ==, ROUNDS);
}

static void of_many_who_disconnect_what_they_saw_one_does(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    one_of_many(&stage, ACME, &(Ask){.method = "DELETE", .path = ACME}, NULL);
    g_assert_cmpuint(count_entries(&stage, "integration.disconnect"), ==, 1);
}

static void of_many_who_rename_the_organization_they_saw_one_does(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    one_of_many(&stage, "/api/organization", &(Ask){.method = "PATCH", .path = "/api/organization"},
                "{\"name\":\"Alpha ");
    g_assert_cmpuint(count_entries(&stage, "organization.rename"), ==, 1);
}

/* --- people ----------------------------------------------------------------------------------- */

static bool add_people(DbUnit *unit, void *data, GError **error) {
    User ada = {.id = ADA, .email = "ada@example.com", .name = "Ada", .password_hash = ""};
    User eve = {.id = EVE, .email = "eve@example.com", .name = "Eve", .password_hash = ""};
    Membership owner = {.user_id = ADA, .role = "owner"};
    Membership member = {.user_id = EVE, .role = "member"};
    (void)data;
    return user_insert(unit, &ada, error) && user_insert(unit, &eve, error) &&
           membership_insert(unit, &owner, error) && membership_insert(unit, &member, error);
}

static void a_member_is_changed_and_removed_as_he_was_seen(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &in_a, DB_WRITE, add_people, NULL, &error));
    Ask change = {.method = "PATCH", .path = "/api/users/" EVE, .body = "{\"role\":\"auditor\"}"};
    g_autofree char *early = match_of(&stage, "/api/users/" EVE);
    one_of_many(&stage, "/api/users/" EVE, &change, NULL);
    Ask removal = {.method = "DELETE",
                   .path = "/api/users/" EVE,
                   .token = stage.tokens[ROLE_OWNER],
                   .headers = early};
    g_auto(Answer) late = stage_ask(&stage, &removal);
    assert_problem(&late, 412, "CONFIGURATION_ERROR");
    g_autofree char *now = match_of(&stage, "/api/users/" EVE);
    removal.headers = now;
    g_auto(Answer) removed = stage_ask(&stage, &removal);
    g_assert_cmpuint(removed.status, ==, 200);
}

/* --- evidence --------------------------------------------------------------------------------- */

static bool add_evidence(DbUnit *unit, void *data, GError **error) {
    static const char at[] = "2025-10-09T08:53:20.000Z";
    g_autofree char *record = g_strdup_printf(
        "{\"id\":\"" EVIDENCE "\",\"organizationId\":\"" ORG_A
        "\",\"integrationId\":\"" INTEGRATION_A
        "\",\"evidenceType\":\"members\",\"title\":\"T\",\"description\":\"D\",\"type\":\"config\","
        "\"source\":\"github\",\"metadata\":{},\"collectedAt\":\"%s\",\"validFrom\":\"%s\","
        "\"validUntil\":\"%s\"}",
        at, at, at);
    Evidence row = {.id = EVIDENCE,
                    .integration_id = INTEGRATION_A,
                    .evidence_type = "members",
                    .source = "github",
                    .record = record,
                    .completeness = 1,
                    .collected_at = 1760000000000,
                    .valid_from = 1760000000000,
                    .valid_until = 1760000000000};
    (void)data;
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static void evidence_is_reviewed_as_it_was_seen(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    must(db_run(stage.db, &in_a, DB_WRITE, add_evidence, NULL, &error));
    g_autofree char *whole = tag_of(&stage, "/api/evidence/" EVIDENCE);
    g_autofree char *bare = tag_of(&stage, "/api/evidence/" EVIDENCE "?data=false");
    g_assert_cmpstr(whole, ==, bare);
    Ask ask = {.method = "POST",
               .path = "/api/evidence/" EVIDENCE "/review",
               .body = "{\"state\":\"approved\"}"};
    one_of_many(&stage, "/api/evidence/" EVIDENCE, &ask, NULL);
    g_assert_cmpuint(count_entries(&stage, "evidence.review"), ==, 1);
}

/* --- acts and their entries ------------------------------------------------------------------- */

static void every_act_has_its_entry(void) {
    static const struct {
        const char *method;
        const char *path;
        const char *body;
        unsigned status;
        const char *action;
    } acts[] = {
        {"POST", ACME "/sync", NULL, 202, "sync.start"},
        {"POST", ACME "/scan", NULL, 202, "sync.start"},
        {"POST", "/api/integrations/collect-evidence", "{\"controlId\":\"soc2:CC8.1\"}", 202,
         "sync.start"},
        {"PATCH", ACME, "{\"status\":\"paused\"}", 200, "integration.pause"},
        {"PATCH", ACME, "{\"status\":\"connected\"}", 200, "integration.resume"},
        {"PATCH", ACME, "{\"scanSchedule\":\"8h\"}", 200, "schedule.change"},
        {"DELETE", ACME, NULL, 200, "integration.disconnect"},
    };
    g_auto(Stage) stage;
    stage_init_hasty(&stage, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(acts); i++) {
        size_t before = count_entries(&stage, acts[i].action);
        g_auto(Answer) answer =
            stage_send(&stage, ROLE_OWNER, acts[i].method, acts[i].path, acts[i].body);
        g_test_message("%s %s: %s", acts[i].method, acts[i].path, answer.body);
        g_assert_cmpuint(answer.status, ==, acts[i].status);
        g_assert_cmpuint(count_entries(&stage, acts[i].action), ==, before + 1);
    }
}

static bool count_jobs(DbUnit *unit, void *data, GError **error) {
    g_autoptr(GPtrArray) jobs = NULL;
    if (!job_list_active(unit, INTEGRATION_A, &jobs, error))
        return false;
    *(guint *)data = jobs->len;
    return true;
}

static void a_refused_sync_leaves_neither_job_nor_entry(void) {
    guint jobs = 9;
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) refused =
        stage_send(&stage, ROLE_OWNER, "POST", ACME "/sync", "{\"evidenceTypes\":[\"weather\"]}");
    assert_problem(&refused, 400, "CONFIGURATION_ERROR");
    must(db_run(stage.db, &in_a, DB_READ, count_jobs, &jobs, &error));
    g_assert_cmpuint(jobs, ==, 0);
    g_assert_cmpuint(count_entries(&stage, "sync.start"), ==, 0);
}

typedef struct {
    AuditFilter filter;
    GPtrArray *rows;
} EntriesWork;

static bool entries_work(DbUnit *unit, void *data, GError **error) {
    EntriesWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return audit_list(unit, &work->filter, &work->rows, error);
}

static void an_organization_is_made_with_its_entry(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) made = stage_ask(&stage, &(Ask){.method = "POST",
                                                   .path = "/api/organizations",
                                                   .token = stage.operator,
                                                   .body = "{\"name\":\"Gamma\"}"});
    g_assert_cmpuint(made.status, ==, 201);
    g_auto(Answer) again = stage_ask(&stage, &(Ask){.method = "POST",
                                                    .path = "/api/organizations",
                                                    .token = stage.operator,
                                                    .body = "{\"name\":\"Gamma\"}"});
    assert_problem(&again, 409, "CONFIGURATION_ERROR");
    DbScope inside = {.organization = answer_text(&made, "id"), .actor = "test", .role = "owner"};
    EntriesWork work = {.filter = {.action = "organization.create", .limit = 10}};
    must(db_run(stage.db, &inside, DB_READ, entries_work, &work, &error));
    g_assert_cmpuint(work.rows->len, ==, 1);
    g_ptr_array_unref(work.rows);
}

static const ApiTest tests[] = {
    {"of_many_who_have_seen_the_same_one_changes_it",
     of_many_who_have_seen_the_same_one_changes_it},
    {"changes_of_different_members_are_both_made", changes_of_different_members_are_both_made},
    {"of_many_who_have_seen_a_schedule_one_changes_it",
     of_many_who_have_seen_a_schedule_one_changes_it},
    {"of_many_who_disconnect_what_they_saw_one_does",
     of_many_who_disconnect_what_they_saw_one_does},
    {"of_many_who_rename_the_organization_they_saw_one_does",
     of_many_who_rename_the_organization_they_saw_one_does},
    {"a_member_is_changed_and_removed_as_he_was_seen",
     a_member_is_changed_and_removed_as_he_was_seen},
    {"evidence_is_reviewed_as_it_was_seen", evidence_is_reviewed_as_it_was_seen},
    {"every_act_has_its_entry", every_act_has_its_entry},
    {"a_refused_sync_leaves_neither_job_nor_entry", a_refused_sync_leaves_neither_job_nor_entry},
    {"an_organization_is_made_with_its_entry", an_organization_is_made_with_its_entry},
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "revision", tests, G_N_ELEMENTS(tests));
}
