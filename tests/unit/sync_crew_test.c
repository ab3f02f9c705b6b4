/* A real worker process: wishes become jobs in it, and what is wrong comes back as it was said. */
#include "unit/database_stage.h"
#include "unit/sync_support.h"

#include "base/error.h"
#include "sync/crew.h"

#include <glib/gstdio.h>

typedef struct {
    Place place;
    Integration *integration;
    char *program;
    char *url;
} Desk;

static void desk_init(Desk *desk) {
    place_init(&desk->place);
    desk->integration = sync_integration(&desk->place, &scope_a, "acme");
    desk->program = g_build_filename(g_getenv("ASSAY_BUILD"), "assay", NULL);
    desk->url = stage_url(desk->place.folder, "assay.db");
}

static void desk_clear(Desk *desk) {
    integration_free(desk->integration);
    g_free(desk->program);
    g_free(desk->url);
    place_clear(&desk->place);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

static Crew *crew_with(const Desk *desk, const Keyring *keyring) {
    CrewConfig config = {.program = desk->program,
                         .data_dir = desk->place.folder,
                         .database_url = desk->url,
                         .keyring = keyring};
    Crew *crew = NULL;
    must(crew_start(&config, &crew, &error));
    return crew;
}

static char *queued(const Desk *desk, Crew *crew, const SyncRequest *wish) {
    g_autoptr(Json) json = NULL;
    must(crew_queue(crew, &scope_a, desk->integration->id, wish, &json, &error));
    g_assert_cmpstr(json_member_string(json, "provider", NULL), ==, "GitHub");
    return g_strdup(json_member_string(json, "job", NULL));
}

static void refuse(const Desk *desk, const SyncRequest *wish, ErrorCode code, const char *part) {
    g_autoptr(Crew) crew = crew_with(desk, desk->place.keyring);
    g_autoptr(Json) json = NULL;
    must_fail(code, part, crew_queue(crew, &scope_a, desk->integration->id, wish, &json, &error));
    g_assert_null(json);
}

#define NAMES(...) ((const char *const[]){__VA_ARGS__, NULL})

static void a_wish_becomes_a_job(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Crew) crew = crew_with(&desk, desk.place.keyring);
    SyncRequest wish = {.evidence_types = NAMES("branch_protection"),
                        .controls = NAMES("CC8.1"),
                        .from_ms = 1000,
                        .to_ms = 2000};
    g_autofree char *id = queued(&desk, crew, &wish);
    g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
    g_assert_cmpstr(job->status, ==, JOB_PENDING);
    g_assert_cmpstr(job->request, ==,
                    "{\"evidenceTypes\":[\"branch_protection\"],\"from\":1000,\"to\":2000}");
    g_autofree char *again = queued(&desk, crew, &wish);
    g_assert_cmpstr(again, ==, id);
}

static bool log_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **rows = data;
    g_clear_pointer(rows, g_ptr_array_unref); /* units may run twice */
    return audit_list(unit, &(AuditFilter){.limit = 10}, rows, error);
}

static void a_worker_notes_who_wished(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Crew) crew = crew_with(&desk, desk.place.keyring);
    g_autoptr(GPtrArray) rows = NULL;
    const AuditActor mona = {.kind = AUDIT_CLI, .name = "mona"};
    g_autofree char *silent = queued(&desk, crew, &(SyncRequest){0});
    g_autofree char *id = queued(&desk, crew, &(SyncRequest){.actor = &mona});
    g_assert_cmpstr(id, ==, silent);
    must(db_run(desk.place.db, &scope_a, DB_READ, log_work, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 1);
    const AuditRow *row = g_ptr_array_index(rows, 0);
    g_assert_cmpstr(row->action, ==, "sync.start");
    assert_holds(row->record, "{\"kind\":\"cli\",\"id\":null,\"name\":\"mona\"");
    assert_holds(row->record, desk.integration->id);
}

static void a_wish_for_everything_names_nothing(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Crew) crew = crew_with(&desk, desk.place.keyring);
    g_autofree char *id = queued(&desk, crew, &(SyncRequest){0});
    g_autoptr(Job) job = sync_job(&desk.place, &scope_a, id);
    assert_holds(job->request, "branch_protection");
    assert_holds(job->request, "security_alerts");
}

static void what_is_wrong_with_a_wish_is_said(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    refuse(&desk, &(SyncRequest){.evidence_types = NAMES("brunches")}, ERROR_USAGE, "brunches");
    refuse(&desk, &(SyncRequest){.controls = NAMES("XX9.9")}, ERROR_USAGE, "XX9.9");
}

static void what_is_not_there_is_not_found(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Crew) crew = crew_with(&desk, desk.place.keyring);
    const SyncRequest all = {0};
    Json *json = NULL;
    must_fail(ERROR_NOT_FOUND, "", crew_queue(crew, &scope_a, "nobody", &all, &json, &error));
    must_fail(ERROR_NOT_FOUND, "",
              crew_queue(crew, &scope_b, desk.integration->id, &all, &json, &error));
    g_assert_null(json);
}

static void a_wrong_definition_is_told_by_its_line(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *folder = g_build_filename(desk.place.folder, "providers", NULL);
    g_autofree char *file = g_build_filename(folder, "github.yaml", NULL);
    g_assert_cmpint(g_mkdir(folder, 0700), ==, 0);
    must(g_file_set_contents(file, "id: github\nnmae: GitHub\n", -1, &error));
    refuse(&desk, &(SyncRequest){0}, ERROR_CONFIGURATION, "github.yaml:2:1: unknown key 'nmae'");
}

static void a_worker_without_a_key_makes_no_jobs(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autoptr(Crew) crew = crew_with(&desk, NULL);
    Json *json = NULL;
    must_fail(ERROR_INTERNAL, "no key",
              crew_queue(crew, &scope_a, desk.integration->id, &(SyncRequest){0}, &json, &error));
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define TEST(name) g_test_add_func("/sync/crew/" #name, name)
    TEST(a_wish_becomes_a_job);
    TEST(a_worker_notes_who_wished);
    TEST(a_wish_for_everything_names_nothing);
    TEST(what_is_wrong_with_a_wish_is_said);
    TEST(what_is_not_there_is_not_found);
    TEST(a_wrong_definition_is_told_by_its_line);
    TEST(a_worker_without_a_key_makes_no_jobs);
    return g_test_run();
}
