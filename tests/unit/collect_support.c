#include "unit/collect_support.h"

#include "base/error.h"
#include "connect/sender.h"
#include "db/migrate.h"
#include "provider/definition_load.h"
#include "store/document_reader.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/organization.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>

#define HOST "https://api.demo.test"

const char bench_definition[] = "assay: 1\n"
                                "id: demo\n"
                                "name: Demo\n"
                                "category: devops\n"
                                "summary: A provider for tests\n"
                                "checked: 2026-11-20\n"
                                "hosts: [api.demo.test]\n"
                                "auth:\n"
                                "  token:\n"
                                "    label: Token\n"
                                "    scheme: bearer\n"
                                "    fields: {access_token: {label: Token, secret: true}}\n"
                                "http: {base_url: '\"https://api.demo.test\"'}\n"
                                "calls:\n"
                                "  users: {get: /users, rows: .}\n"
                                "evidence:\n"
                                "  users:\n"
                                "    title: Users\n"
                                "    description: Users\n"
                                "    type: config\n"
                                "    read: {user: {call: users}}\n"
                                "    row: {name: .user.name}\n"
                                "    fields: {name: string}\n";

static bool add_rows(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Organization organization = {.id = COLLECT_ORGANIZATION, .name = "Org", .wrapped_key = ""};
    Integration integration = {.id = COLLECT_INTEGRATION,
                               .provider = "demo",
                               .name = "demo",
                               .auth = "token",
                               .status = INTEGRATION_CONNECTED,
                               .settings = "{}",
                               .account = "{}"};
    return organization_insert(unit, &organization, error) &&
           integration_insert(unit, &integration, error);
}

static void open_database(Bench *bench) {
    GError *error = NULL;
    bench->folder = g_dir_make_tmp("assay-collect-XXXXXX", &error);
    g_assert_no_error(error);
    g_autofree char *url = stage_url(bench->folder, "collect.db");
    bench->db = db_open(url, &error);
    g_assert_no_error(error);
    bench->scope = (DbScope){.organization = COLLECT_ORGANIZATION, .actor = "test", .system = true};
    bool ok = migrate_apply(bench->db, &error) &&
              db_run(bench->db, &bench->scope, DB_WRITE, add_rows, NULL, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

Bench *bench_new(const char *definition) {
    GError *error = NULL;
    Bench *bench = g_new0(Bench, 1);
    open_database(bench);
    bench->definition = definition_load("demo.yaml", definition, strlen(definition), NULL, &error);
    g_assert_no_error(error);
    NetClientConfig config = {.wait_scale = 0.001};
    bench->client = net_client_new(&config, &error);
    g_assert_no_error(error);
    bench->exchanges = exchanges_new();
    bench->cassette = cassette_new_in_memory();
    bench->settings = json_new_object();
    json_put_string(bench->settings, "team", "a");
    json_put_string(bench->settings, "api_url", HOST);
    bench->evidence = g_ptr_array_new_with_free_func(g_free);
    return bench;
}

static void remove_folder(const char *folder) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(folder), ==, 0);
}

void bench_free(Bench *bench) {
    cassette_free(bench->cassette);
    exchanges_free(bench->exchanges);
    db_close(bench->db);
    net_client_free(bench->client);
    definition_free(bench->definition);
    json_free(bench->settings);
    json_free(bench->result);
    g_ptr_array_unref(bench->evidence);
    job_free(bench->job);
    remove_folder(bench->folder);
    stage_leave(bench->folder);
    g_free(bench->folder);
    g_free(bench);
}

static void add_line(Bench *bench, const char *line) {
    GError *error = NULL;
    bool ok = exchanges_add(bench->exchanges, line, strlen(line), &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

void bench_answer(Bench *bench, const char *path, int status, const char *headers,
                  const char *body) {
    g_autofree char *line = g_strdup_printf("{\"request\":{\"url\":\"" HOST
                                            "%s\"},\"response\":{\"status\":%d,\"headers\":%s,"
                                            "\"body\":%s}}",
                                            path, status, headers ? headers : "{}", body);
    add_line(bench, line);
}

void bench_answer_text(Bench *bench, const char *path, const char *text) {
    g_autoptr(GString) quoted = g_string_new(NULL);
    json_append_quoted(quoted, text, strlen(text));
    bench_answer(bench, path, 200, NULL, quoted->str);
}

typedef struct {
    const char *job_id;
    Job *job;
} Claiming;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    Claiming *claiming = data;
    g_clear_pointer(&claiming->job, job_free);
    Job job = {.id = claiming->job_id,
               .integration_id = COLLECT_INTEGRATION,
               .request = "{}",
               .definition_sha256 = "0f"};
    JobClaim claim = {.owner = "tester", .lease_ms = 60000};
    return job_insert(unit, &job, error) &&
           job_claim_one(unit, COLLECT_ORGANIZATION, claiming->job_id, &claim, &claiming->job,
                         error);
}

JobLease bench_claim(Bench *bench, const char *job_id) {
    GError *error = NULL;
    Claiming claiming = {.job_id = job_id};
    bool ok = db_run(bench->db, &bench->scope, DB_WRITE, claim_work, &claiming, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_nonnull(claiming.job);
    job_free(bench->job);
    bench->job = claiming.job;
    return job_lease(bench->job);
}

void bench_use_journal(Bench *bench, const JobLease *lease) {
    GError *error = NULL;
    CassetteConfig config = {.place = {bench->client, bench->db, bench->scope}, .lease = *lease};
    cassette_free(bench->cassette);
    bench->cassette = NULL;
    bool ok = cassette_open(&config, &bench->cassette, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

static bool is_settled(void *data) {
    const Cassette *cassette = data;
    return cassette_pending(cassette) == 0 || cassette_error(cassette) != NULL;
}

void bench_settle(Bench *bench) {
    GError *error = NULL;
    cassette_flush(bench->cassette);
    bool ok = net_client_run_until(bench->client, is_settled, bench->cassette, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

static void on_stored(const char *type, const char *evidence_id, void *data) {
    (void)type;
    g_ptr_array_add(((Bench *)data)->evidence, g_strdup(evidence_id));
}

static void on_progress(const char *type, uint64_t rows, uint64_t calls, void *data) {
    (void)type;
    (void)rows;
    ((Bench *)data)->progress_calls = calls;
}

static bool is_over(void *data) {
    return run_is_over(data);
}

void bench_run(Bench *bench, const char *const *types) {
    GError *error = NULL;
    g_autoptr(Sender) sender =
        sender_new_recorded(bench->client, bench->definition, bench->exchanges);
    RunConfig config = {.client = bench->client,
                        .db = bench->db,
                        .scope = bench->scope,
                        .definition = bench->definition,
                        .settings = bench->settings,
                        .evidence_types = types,
                        .integration_id = COLLECT_INTEGRATION,
                        .clock_ms = COLLECT_CLOCK,
                        .cassette = bench->cassette,
                        .hold = bench->hold,
                        .sender = sender,
                        .observer = {on_stored, on_progress, bench}};
    Run *run = NULL;
    bool ok = run_new(&config, &run, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    run_start(run);
    ok = net_client_run_until(bench->client, is_over, run, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    g_assert_no_error(run_error(run));
    json_free(bench->result);
    bench->result = run_result(run);
    bench->held = run_held(run) ? error_code_of(run_held(run)) : ERROR_CODES;
    run_free(run);
}

size_t bench_errors(const Bench *bench) {
    return json_count(json_member(bench->result, "errors"));
}

const char *bench_error(const Bench *bench, size_t index, const char *member) {
    return json_member_string(json_item(json_member(bench->result, "errors"), index), member, "");
}

typedef struct {
    const char *id;
    Evidence *evidence;
    GString *data;
} Reading;

static bool read_work(DbUnit *unit, void *data, GError **error) {
    Reading *reading = data;
    g_clear_pointer(&reading->evidence, evidence_free);
    return evidence_get(unit, reading->id, &reading->evidence, error);
}

static bool take_bytes(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    g_string_append_len(data, bytes, (gssize)size);
    return true;
}

static Reading read_evidence(const Bench *bench, size_t index) {
    GError *error = NULL;
    g_assert_cmpuint(index, <, bench->evidence->len);
    Reading reading = {.id = g_ptr_array_index(bench->evidence, index), .data = g_string_new(NULL)};
    bool ok = db_run(bench->db, &bench->scope, DB_READ, read_work, &reading, &error) &&
              document_each(bench->db, &bench->scope, reading.evidence->document_id, take_bytes,
                            reading.data, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    return reading;
}

char *bench_data(const Bench *bench, size_t index) {
    Reading reading = read_evidence(bench, index);
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(reading.data->str, reading.data->len, hash);
    g_assert_cmpstr(hash, ==, reading.evidence->data_sha256);
    evidence_free(reading.evidence);
    return g_string_free(reading.data, FALSE);
}

Json *bench_record(const Bench *bench, size_t index) {
    Reading reading = read_evidence(bench, index);
    GError *error = NULL;
    Json *record =
        json_parse(reading.evidence->record, strlen(reading.evidence->record), 1 << 20, &error);
    g_assert_no_error(error);
    evidence_free(reading.evidence);
    g_string_free(reading.data, TRUE);
    return record;
}
