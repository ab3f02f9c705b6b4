#include "sync/exercise.h"

#include "base/clock.h"
#include "base/error.h"
#include "collect/run.h"
#include "comply/judge.h"
#include "connect/exchange.h"
#include "connect/sender.h"
#include "connect/settings.h"
#include "db/migrate.h"
#include "provider/definition_load.h"
#include "store/check_result.h"
#include "store/document_reader.h"
#include "store/evidence.h"
#include "store/integration.h"
#include "store/organization.h"

#include <glib/gstdio.h>
#include <string.h>

#define CASE_SUFFIX ".jsonl"
#define GOLDEN_SUFFIX ".golden.json"
#define CASE_MAX_SIZE (64U * 1024 * 1024)
#define ORGANIZATION "exercise"
#define INTEGRATION "exercise"

/* One case while it runs. */
typedef struct {
    const Exercise *exercise;
    const Definition *definition;
    Json *header; /* the "run" object of the first line */
    Exchanges *exchanges;
    Sender *sender;
    char *folder; /* temporary, for the database */
    Db *db;
    Cassette *cassette;
    Run *run;
    Json *settings;
    GPtrArray *evidence; /* ids */
    GPtrArray *types;    /* names, borrowed from header or definition; ends in NULL */
} Case;

static const DbScope scope = {.organization = ORGANIZATION, .actor = "exercise", .system = true};

static void remove_folder(const char *folder) {
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        (void)g_unlink(path);
    }
    (void)g_rmdir(folder);
}

static void case_clear(Case *one) {
    run_free(one->run);
    cassette_free(one->cassette);
    sender_free(one->sender);
    exchanges_free(one->exchanges);
    db_close(one->db);
    if (one->folder)
        remove_folder(one->folder);
    g_free(one->folder);
    json_free(one->settings);
    json_free(one->header);
    g_clear_pointer(&one->evidence, g_ptr_array_unref);
    g_clear_pointer(&one->types, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Case, case_clear)

/* --- reading a case --------------------------------------------------------------------------- */

static bool read_file(const char *path, char **text_out, gsize *size_out, GError **error) {
    g_autoptr(GError) problem = NULL;
    if (g_file_get_contents(path, text_out, size_out, &problem))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, problem->message);
    return false;
}

static bool read_case(Case *one, const char *path, GError **error) {
    g_autofree char *text = NULL;
    gsize size = 0;
    if (!read_file(path, &text, &size, error))
        return false;
    const char *newline = memchr(text, '\n', size);
    g_autoptr(Json) first =
        json_parse(text, newline ? (size_t)(newline - text) : size, CASE_MAX_SIZE, error);
    if (!first)
        return false;
    one->header = json_ref(json_member(first, "run"));
    if (!one->header) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "the first line of a case is {\"run\": {settings, evidenceTypes, "
                            "clock}}");
        return false;
    }
    one->exchanges = exchanges_new();
    return exchanges_add(one->exchanges, text, size, error);
}

static void choose_types(Case *one) {
    const Json *wanted = json_member(one->header, "evidenceTypes");
    one->types = g_ptr_array_new();
    for (size_t i = 0; i < json_count(wanted); i++)
        g_ptr_array_add(one->types, (void *)(uintptr_t)json_text(json_item(wanted, i)));
    for (size_t i = 0; !wanted && i < one->definition->type_count; i++)
        g_ptr_array_add(one->types, (void *)(uintptr_t)one->definition->types[i].name);
    g_ptr_array_add(one->types, NULL);
}

/* --- running it ------------------------------------------------------------------------------- */

static bool prepare_work(DbUnit *unit, void *data, GError **error) {
    const Case *one = data;
    g_autofree char *settings = json_print(one->settings, JSON_COMPACT);
    Organization organization = {.id = ORGANIZATION, .name = ORGANIZATION, .wrapped_key = ""};
    Integration integration = {.id = INTEGRATION,
                               .provider = one->definition->id,
                               .name = INTEGRATION,
                               .auth = "none",
                               .status = INTEGRATION_CONNECTED,
                               .settings = settings,
                               .account = "{}"};
    return organization_insert(unit, &organization, error) &&
           integration_insert(unit, &integration, error);
}

static bool open_database(Case *one, GError **error) {
    g_autoptr(GError) problem = NULL;
    one->folder = g_dir_make_tmp("assay-exercise-XXXXXX", &problem);
    if (!one->folder) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL, problem->message);
        return false;
    }
    g_autofree char *url = g_strdup_printf("sqlite:%s/exercise.db", one->folder);
    one->db = db_open(url, error);
    return one->db && migrate_apply(one->db, error) &&
           db_run(one->db, &scope, DB_WRITE, prepare_work, one, error);
}

static void on_stored(const char *type, const char *evidence_id, void *data) {
    (void)type;
    g_ptr_array_add(((Case *)data)->evidence, g_strdup(evidence_id));
}

static bool is_over(void *data) {
    return run_is_over(data);
}

static bool take_settings(Case *one, GError **error) {
    SettingsRules rules = {.definition = one->definition, .operator_allowed = true};
    g_autoptr(Json) none = json_new_object();
    const Json *given = json_member(one->header, "settings");
    return settings_check(&rules, given ? given : none, &one->settings, error);
}

static bool collect(Case *one, GError **error) {
    int64_t clock_ms = 0;
    const char *clock_text = json_member_string(one->header, "clock", "");
    if (!clock_parse(clock_text, &clock_ms)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "the clock \"%s\" is no time",
                    clock_text);
        return false;
    }
    choose_types(one);
    one->sender = sender_new_recorded(one->exercise->client, one->definition, one->exchanges);
    one->cassette = cassette_new_in_memory();
    RunConfig config = {.client = one->exercise->client,
                        .db = one->db,
                        .scope = scope,
                        .definition = one->definition,
                        .settings = one->settings,
                        .evidence_types = (const char *const *)one->types->pdata,
                        .integration_id = INTEGRATION,
                        .clock_ms = clock_ms,
                        .cassette = one->cassette,
                        .sender = one->sender,
                        .observer = {.stored = on_stored, .data = one}};
    if (!run_new(&config, &one->run, error))
        return false;
    run_start(one->run);
    if (!net_client_run_until(one->exercise->client, is_over, one->run, error))
        return false;
    if (!run_error(one->run))
        return true;
    g_propagate_error(error, g_error_copy(run_error(one->run)));
    return false;
}

/* --- what came out ---------------------------------------------------------------------------- */

typedef struct {
    const char *evidence_id;
    Evidence *evidence;
    GString *data;
    Json *checks;
} Reading;

static bool read_work(DbUnit *unit, void *data, GError **error) {
    Reading *reading = data;
    g_clear_pointer(&reading->evidence, evidence_free);
    return evidence_get(unit, reading->evidence_id, &reading->evidence, error);
}

static bool take_bytes(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    g_string_append_len(data, bytes, (gssize)size);
    return true;
}

static bool add_evidence(const Case *one, const char *id, Json *out, GError **error) {
    Reading reading = {.evidence_id = id, .data = g_string_new(NULL)};
    static const char *const kept[] = {"title", "description", "type", "metadata", "completeness"};
    bool ok = db_run(one->db, &scope, DB_READ, read_work, &reading, error) &&
              document_each(one->db, &scope, reading.evidence->document_id, take_bytes,
                            reading.data, error);
    g_autoptr(Json) record = ok ? json_parse(reading.evidence->record,
                                             strlen(reading.evidence->record), CASE_MAX_SIZE, error)
                                : NULL;
    Json *body =
        record ? json_parse(reading.data->str, reading.data->len, CASE_MAX_SIZE, error) : NULL;
    if (body) {
        Json *item = json_new_object();
        for (size_t i = 0; i < G_N_ELEMENTS(kept); i++)
            json_put(item, kept[i], json_copy_deep(json_member(record, kept[i])));
        json_put(item, "data", body);
        json_put(out, reading.evidence->evidence_type, item);
    }
    evidence_free(reading.evidence);
    g_string_free(reading.data, TRUE);
    return body != NULL;
}

static bool checks_work(DbUnit *unit, void *data, GError **error) {
    Json *out = data;
    CheckResultFilter filter = {.integration_id = INTEGRATION, .limit = STORE_LIST_MAX};
    g_autoptr(GPtrArray) results = NULL;
    if (!check_result_list(unit, &filter, &results, error))
        return false;
    for (guint i = 0; i < results->len; i++) {
        const CheckResult *result = g_ptr_array_index(results, i);
        Json *item = json_new_object();
        json_put_string(item, "verdict", result->verdict);
        json_put_string(item, "reason", result->reason);
        json_put_int(item, "passed", result->passed);
        json_put_int(item, "failed", result->failed);
        json_put_int(item, "couldNotRead", result->could_not_read);
        json_put_int(item, "notApplicable", result->not_applicable);
        json_put(out, result->check_id, item);
    }
    return true;
}

static bool outcome_of(Case *one, Json **outcome_out, GError **error) {
    g_autoptr(Json) outcome = json_new_object();
    Json *evidence = json_new_object();
    json_put(outcome, "evidence", evidence);
    Json *checks = json_new_object();
    json_put(outcome, "checks", checks);
    g_autoptr(Json) result = run_result(one->run);
    json_put(outcome, "errors", json_copy_deep(json_member(result, "errors")));
    for (guint i = 0; i < one->evidence->len; i++) {
        const char *id = g_ptr_array_index(one->evidence, i);
        if (!judge_evidence(one->db, &scope, one->definition, id, NULL, error) ||
            !add_evidence(one, id, evidence, error))
            return false;
    }
    if (!db_run(one->db, &scope, DB_READ, checks_work, checks, error))
        return false;
    *outcome_out = g_steal_pointer(&outcome);
    return true;
}

static bool run_case(Case *one, const char *path, Json **outcome_out, GError **error) {
    return read_case(one, path, error) && take_settings(one, error) && open_database(one, error) &&
           collect(one, error) && outcome_of(one, outcome_out, error);
}

/* --- comparing -------------------------------------------------------------------------------- */

/* The first line in which the texts differ, as "line N: expected ..., found ..."; NULL: none. */
static char *first_difference(const char *expected, const char *found) {
    g_auto(GStrv) left = g_strsplit(expected, "\n", -1);
    g_auto(GStrv) right = g_strsplit(found, "\n", -1);
    for (size_t i = 0; left[i] || right[i]; i++) {
        if (left[i] && right[i] && strcmp(left[i], right[i]) == 0)
            continue;
        return g_strdup_printf("line %zu: expected %s, found %s", i + 1,
                               left[i] ? g_strstrip(left[i]) : "the end",
                               right[i] ? g_strstrip(right[i]) : "the end");
    }
    return NULL;
}

/* NULL when the outcome is as it should be. */
static char *compare(const Exercise *exercise, const char *golden_path, const Json *outcome) {
    g_autofree char *printed = json_print(outcome, JSON_PRETTY | JSON_SORTED);
    g_autofree char *text = g_strconcat(printed, "\n", NULL);
    g_autoptr(GError) error = NULL;
    if (exercise->write_golden) {
        bool written = g_file_set_contents(golden_path, text, -1, &error);
        return written ? NULL : g_strdup(error->message);
    }
    g_autofree char *expected = NULL;
    if (!g_file_get_contents(golden_path, &expected, NULL, &error))
        return g_strdup(error->message);
    return first_difference(expected, text);
}

static Json *try_case(const Exercise *exercise, const Definition *definition, const char *name) {
    g_autofree char *file = g_strconcat(name, CASE_SUFFIX, NULL);
    g_autofree char *golden = g_strconcat(name, GOLDEN_SUFFIX, NULL);
    g_autofree char *path = g_build_filename(exercise->folder, file, NULL);
    g_autofree char *golden_path = g_build_filename(exercise->folder, golden, NULL);
    g_auto(Case) one = {.exercise = exercise,
                        .definition = definition,
                        .evidence = g_ptr_array_new_with_free_func(g_free)};
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) outcome = NULL;
    g_autofree char *difference = run_case(&one, path, &outcome, &error)
                                      ? compare(exercise, golden_path, outcome)
                                      : g_strdup(error->message);
    Json *item = json_new_object();
    json_put_string(item, "name", name);
    json_put_bool(item, "passed", difference == NULL);
    if (difference)
        json_put_string(item, "difference", difference);
    return item;
}

/* --- all cases -------------------------------------------------------------------------------- */

static int compare_names(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static GPtrArray *case_names(const char *folder) {
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_suffix(name, CASE_SUFFIX))
            g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(CASE_SUFFIX)));
    g_ptr_array_sort(names, compare_names);
    return names;
}

bool exercise_run(const Exercise *exercise, Json **report_out, GError **error) {
    g_autofree char *text = NULL;
    gsize size = 0;
    if (!read_file(exercise->definition_file, &text, &size, error))
        return false;
    g_autoptr(Definition) definition =
        definition_load(exercise->definition_file, text, size, NULL, error);
    if (!definition)
        return false;
    g_autoptr(GPtrArray) names = case_names(exercise->folder);
    if (names->len == 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND, "%s holds no case (NAME%s)",
                    exercise->folder, CASE_SUFFIX);
        return false;
    }
    int64_t passed = 0;
    Json *cases = json_new_array();
    for (guint i = 0; i < names->len; i++) {
        Json *item = try_case(exercise, definition, g_ptr_array_index(names, i));
        passed += json_member_bool(item, "passed", false);
        json_add(cases, item);
    }
    Json *report = json_new_object();
    json_put_int(report, "passed", passed);
    json_put_int(report, "failed", (int64_t)names->len - passed);
    json_put(report, "cases", cases);
    *report_out = report;
    return true;
}
