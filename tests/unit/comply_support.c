#include "unit/comply_support.h"

#include "base/clock.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/id.h"
#include "base/secmem.h"
#include "db/migrate.h"
#include "provider/definition_load.h"
#include "store/document.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/organization.h"
#include "unit/database_stage.h"

#include <glib/gstdio.h>
#include <string.h>

static Db *database;
static char *folder;
static const DbScope scope = {.organization = ORGANIZATION, .actor = "test", .role = "owner"};

/* --- definitions ------------------------------------------------------------------------------ */

static const char head[] =
    "category: devops\n"
    "summary: A provider of tests\n"
    "checked: 2026-11-20\n"
    "hosts: [api.example.com]\n"
    "settings: {floor: {label: Floor, optional: true}}\n"
    "auth:\n"
    "  pat: {label: Token, scheme: bearer, fields: {access_token: {label: T, secret: true}}}\n"
    "http: {base_url: '\"https://api.example.com\"'}\n"
    "calls:\n"
    "  repos: {get: /repos, rows: .}\n"
    "  protection: {get: '/repos/\\(.repo.name)/protection', responses: [\n"
    "    {status: 404, is: absent}, {status: 402, is: unlicensed, then: not_applicable}]}\n"
    "  alerts: {get: '/repos/\\(.repo.name)/alerts', rows: ., responses: [\n"
    "    {status: 402, is: unlicensed, then: not_applicable}]}\n"
    "evidence:\n";

static const char branches[] =
    "  branches:\n"
    "    title: Branches\n"
    "    description: Branches\n"
    "    type: config\n"
    "    read: {repo: {call: repos}, protection: {call: protection, for: repo}}\n"
    "    row_of: repo\n"
    "    row: {repository: .repo.name, archived: .repo.archived,\n"
    "      protected: '.protection != null', age: .repo.age}\n"
    "    fields: {repository: string, archived: bool, protected: bool, age: 'int?'}\n";

static const char alerts[] = "  alerts:\n"
                             "    title: Alerts\n"
                             "    description: Alerts\n"
                             "    type: report\n"
                             "    read: {repo: {call: repos}, alert: {call: alerts, for: repo}}\n"
                             "    row_of: alert\n"
                             "    row: {repository: .repo.name, open: .alert.open}\n"
                             "    fields: {repository: string, open: bool}\n";

static void append_checks(GString *text, const char *checks) {
    if (checks != NULL)
        g_string_append_printf(text, "    checks:\n%s", checks);
}

char *comply_definition_text(const char *id, const char *branch_checks, const char *alert_checks) {
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "assay: 1\nid: %s\nname: The %s\n%s%s", id, id, head, branches);
    append_checks(text, branch_checks);
    g_string_append(text, alerts);
    append_checks(text, alert_checks);
    return g_string_free(text, FALSE);
}

Definition *comply_definition(const char *branch_checks, const char *alert_checks) {
    g_autofree char *text = comply_definition_text("alpha", branch_checks, alert_checks);
    Definition *definition = NULL;
    comply_ok((definition = definition_load("alpha", text, strlen(text), NULL, &error)) != NULL);
    return definition;
}

static void empty_folder(const char *path) {
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    for (const char *name = g_dir_read_name(dir); name; name = g_dir_read_name(dir)) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        g_unlink(file);
    }
    g_rmdir(path);
}

Registry *comply_registry(const char *const *ids_and_texts) {
    g_autofree char *path = NULL;
    Registry *registry = NULL;
    comply_ok((path = g_dir_make_tmp("assay-comply-XXXXXX", &error)) != NULL);
    for (size_t i = 0; ids_and_texts[i] != NULL; i += 2) {
        g_autofree char *name = g_strdup_printf("%s.yaml", ids_and_texts[i]);
        g_autofree char *file = g_build_filename(path, name, NULL);
        comply_ok(g_file_set_contents(file, ids_and_texts[i + 1], -1, &error));
    }
    comply_ok((registry = registry_new(path, &error)) != NULL);
    for (size_t i = 0; ids_and_texts[i] != NULL; i += 2) /* files are read when first asked for */
        (void)(registry_find(registry, ids_and_texts[i], NULL) != NULL);
    empty_folder(path);
    return registry;
}

const Framework *comply_framework(const char *id) {
    const Framework *framework = NULL;
    comply_ok((framework = framework_find(id, &error)) != NULL);
    return framework;
}

/* --- the database ----------------------------------------------------------------------------- */

Db *comply_db(void) {
    return database;
}

const DbScope *comply_scope(void) {
    return &scope;
}

void comply_run(DbWork work, void *data) {
    comply_ok(db_run(database, &scope, DB_WRITE, work, data, &error));
}

static bool add_organization(DbUnit *unit, void *data, GError **error) {
    (void)data;
    Organization row = {.id = ORGANIZATION, .name = "Alpha"};
    return organization_insert(unit, &row, error);
}

static bool add_integration(DbUnit *unit, void *data, GError **error) {
    return integration_insert(unit, data, error);
}

void comply_add_integration(const char *id, const char *provider) {
    Integration row = {.id = id,
                       .provider = provider,
                       .name = id,
                       .auth = "pat",
                       .status = INTEGRATION_CONNECTED,
                       .settings = "{\"floor\":\"7\"}",
                       .account = "{}"};
    comply_run(add_integration, &row);
}

/* --- evidence --------------------------------------------------------------------------------- */

typedef struct {
    const ComplyEvidence *wish;
    const char *document;
    const char *record;
    char sha256[DIGEST_HEX_SIZE]; /* of the document */
    char id[ID_SIZE];
} Storing;

static bool append_chunks(DbUnit *unit, const Storing *storing, const char *id, GError **error) {
    g_autoptr(Compressor) compressor = compressor_new();
    size_t size = strlen(storing->document);
    size_t most = storing->wish->chunk > 0 ? storing->wish->chunk : DOCUMENT_CHUNK_RAW;
    int64_t seq = 0;
    for (size_t at = 0; at < size; at += most) {
        size_t length = MIN(most, size - at);
        g_autoptr(GByteArray) packed = compressor_pack(compressor, storing->document + at, length);
        DocumentChunk chunk = {
            .seq = seq++, .raw_size = (int64_t)length, .bytes = {packed->data, packed->len}};
        if (!document_append_chunk(unit, id, &chunk, error))
            return false;
    }
    return true;
}

static bool store_document(DbUnit *unit, Storing *storing, char **id_out, GError **error) {
    char id[ID_SIZE];
    id_write(id);
    digest_sha256_hex(storing->document, strlen(storing->document), storing->sha256);
    DocumentEnd end = {
        .id = id, .sha256 = storing->sha256, .size = (int64_t)strlen(storing->document)};
    return document_begin(unit, id, NULL, error) && append_chunks(unit, storing, id, error) &&
           document_finish(unit, &end, id_out, error);
}

static bool store_evidence(DbUnit *unit, void *data, GError **error) {
    Storing *storing = data;
    const ComplyEvidence *wish = storing->wish;
    g_autofree char *document_id = NULL;
    if (storing->document != NULL && !store_document(unit, storing, &document_id, error))
        return false;
    int64_t at = wish->collected_at != 0 ? wish->collected_at : clock_now_ms();
    Evidence row = {.id = storing->id,
                    .integration_id = wish->integration_id,
                    .evidence_type = wish->type,
                    .source = "alpha",
                    .record = storing->record,
                    .document_id = document_id,
                    .data_sha256 = document_id != NULL ? storing->sha256 : NULL,
                    .completeness = wish->completeness > 0 ? wish->completeness : 1.0,
                    .collected_at = at,
                    .valid_from = at,
                    .valid_until = at + (wish->valid_for != 0 ? wish->valid_for : 30 * DAY_MS)};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

char *comply_add_evidence(const ComplyEvidence *evidence) {
    const char *complete = g_str_equal(evidence->type, "alerts") ? READS_ALERTS : READS_BRANCHES;
    g_autofree char *record = g_strdup_printf("{\"version\":1,\"completeness\":{\"reads\":[%s]}}",
                                              evidence->reads != NULL ? evidence->reads : complete);
    g_autofree char *document =
        evidence->raw != NULL    ? g_strdup(evidence->raw)
        : evidence->rows != NULL ? g_strdup_printf("{\"details\":[%s],\"total\":1}", evidence->rows)
                                 : NULL;
    Storing storing = {.wish = evidence, .document = document, .record = record};
    if (evidence->id != NULL)
        g_strlcpy(storing.id, evidence->id, sizeof storing.id);
    else
        id_write(storing.id);
    comply_run(store_evidence, &storing);
    return g_strdup(storing.id);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void start(void) {
    clock_freeze(START_MS);
    comply_ok((folder = g_dir_make_tmp("assay-comply-XXXXXX", &error)) != NULL);
    g_autofree char *url = stage_url(folder, "assay.db");
    DbOptions options = {.rehearse = true};
    comply_ok((database = db_open_with(url, &options, &error)) != NULL);
    comply_ok(migrate_apply(database, &error));
    DbScope installation = {.organization = ORGANIZATION, .actor = "test", .system = true};
    comply_ok(db_run(database, &installation, DB_WRITE, add_organization, NULL, &error));
}

static void stop(void) {
    g_clear_pointer(&database, db_close);
    empty_folder(folder);
    stage_leave(folder);
    g_clear_pointer(&folder, g_free);
    clock_thaw();
}

static void run_with_database(const void *data) {
    const ComplyTest *test = data;
    start();
    test->run();
    stop();
}

static void run_pure(const void *data) {
    const ComplyTest *test = data;
    test->run();
}

typedef struct {
    const char *noun;
    const ComplyTest *tests;
    size_t count;
    void (*run)(const void *);
} Suite;

static int run_suite(int argc, char **argv, const Suite *suite) {
    g_test_init(&argc, &argv, NULL);
    comply_ok(secmem_start(&error));
    for (size_t i = 0; i < suite->count; i++) {
        g_autofree char *path = g_strdup_printf("/comply/%s/%s", suite->noun, suite->tests[i].name);
        g_test_add_data_func(path, &suite->tests[i], suite->run);
    }
    return g_test_run();
}

int comply_main(int argc, char **argv, const char *noun, const ComplyTest *tests, size_t count) {
    return run_suite(argc, argv, &(Suite){noun, tests, count, run_with_database});
}

int comply_main_pure(int argc, char **argv, const char *noun, const ComplyTest *tests,
                     size_t count) {
    return run_suite(argc, argv, &(Suite){noun, tests, count, run_pure});
}
