#include "cli/provider_test.h"

#include "base/error.h"
#include "cli/place.h"
#include "cli/provider.h"
#include "sync/crew.h"

#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#define TESTS_DIR "providers/tests"

/* One definition and the folder of its recorded exchanges. */
typedef struct {
    char *name;
    char *folder;
    char *file; /* of the definition */
    bool made;  /* the file is a copy of an embedded definition and goes again */
} Trial;

static void trial_free(void *pointer) {
    Trial *trial = pointer;
    if (trial->made)
        g_unlink(trial->file);
    g_free(trial->name);
    g_free(trial->folder);
    g_free(trial->file);
    g_free(trial);
}

/* --- what to test ----------------------------------------------------------------------------- */

/* An embedded definition as a file, because that is what a worker takes. */
static bool write_definition(Trial *trial, Registry *registry, GError **error) {
    const char *text = NULL;
    size_t size = 0;
    g_autoptr(GError) cause = NULL;
    if (!registry_text(registry, trial->name, &text, &size, error))
        return false;
    int descriptor = g_file_open_tmp("assay-definition-XXXXXX", &trial->file, &cause);
    trial->made = descriptor >= 0;
    if (descriptor >= 0)
        close(descriptor);
    if (trial->made && g_file_set_contents(trial->file, text, (gssize)size, &cause))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "a temporary file cannot be written: %s",
                cause->message);
    return false;
}

/* The definition is the file beside the tests (providers/ID.yaml for providers/tests/ID), else the
 * one that this installation has. */
static bool find_definition(Trial *trial, Registry *registry, GError **error) {
    g_autofree char *file = g_strdup_printf("%s.yaml", trial->name);
    g_autofree char *path = g_build_filename(trial->folder, "..", "..", file, NULL);
    if (!g_file_test(path, G_FILE_TEST_IS_REGULAR))
        return write_definition(trial, registry, error);
    trial->file = g_canonicalize_filename(path, NULL);
    return true;
}

static bool add_trial(GPtrArray *trials, Registry *registry, const char *folder, GError **error) {
    Trial *trial = g_new0(Trial, 1);
    g_ptr_array_add(trials, trial);
    trial->folder = g_canonicalize_filename(folder, NULL);
    trial->name = g_path_get_basename(trial->folder);
    return find_definition(trial, registry, error);
}

static bool add_named(GPtrArray *trials, Registry *registry, const char *name, GError **error) {
    g_autofree char *known = g_build_filename(TESTS_DIR, name, NULL);
    if (g_file_test(name, G_FILE_TEST_IS_DIR))
        return add_trial(trials, registry, name, error);
    if (g_file_test(known, G_FILE_TEST_IS_DIR))
        return add_trial(trials, registry, known, error);
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                "there are no recorded exchanges in %s; give a folder", known);
    return false;
}

static bool add_all(GPtrArray *trials, Registry *registry, GError **error) {
    g_autoptr(GDir) dir = g_dir_open(TESTS_DIR, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *folder = g_build_filename(TESTS_DIR, name, NULL);
        if (g_file_test(folder, G_FILE_TEST_IS_DIR) && !add_trial(trials, registry, folder, error))
            return false;
    }
    if (trials->len > 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                        "there are no recorded exchanges in " TESTS_DIR " here; give a folder");
    return false;
}

/* --- results ---------------------------------------------------------------------------------- */

static void add_report(const Trial *trial, const Json *report, Json *providers) {
    Json *json = json_new_object();
    void *iterator = NULL;
    const char *key;
    Json *value;
    json_put_string(json, "provider", trial->name);
    while (json_next(report, &iterator, &key, &value))
        json_put(json, key, json_ref(value));
    json_add(providers, json);
}

static void print_trial(const Output *output, const Json *report) {
    const Json *cases = json_member(report, "cases");
    const char *provider = json_member_string(report, "provider", "");
    for (size_t i = 0; i < json_count(cases); i++) {
        const Json *one = json_item(cases, i);
        const char *difference = json_member_string(one, "difference", NULL);
        bool passed = json_member_bool(one, "passed", false);
        g_autofree char *text = output_text(difference);
        output_line(output, "%s %s/%s%s%s", passed ? "✓" : "▲", provider,
                    json_member_string(one, "name", ""), *text != '\0' ? ": " : "", text);
    }
}

static void report_all(CommandCall *call, Json *providers) {
    g_autoptr(Json) json = json_new_object();
    int64_t failed = 0;
    int64_t passed = 0;
    for (size_t i = 0; i < json_count(providers); i++) {
        failed += json_member_int(json_item(providers, i), "failed", 0);
        passed += json_member_int(json_item(providers, i), "passed", 0);
    }
    json_put_bool(json, "success", failed == 0);
    if (failed > 0) {
        g_autoptr(GError) error =
            g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION,
                        "%" G_GINT64_FORMAT " recorded cases do not give what they should", failed);
        json_put(json, "error", output_error_json(error));
        call->status = STATUS_USAGE;
    }
    json_put_int(json, "passed", passed);
    json_put_int(json, "failed", failed);
    json_put(json, "providers", json_ref(providers));
    output_json(call->output, json);
    for (size_t i = 0; !call->output->json && i < json_count(providers); i++)
        print_trial(call->output, json_item(providers, i));
    output_line(call->output, "%" G_GINT64_FORMAT " passed, %" G_GINT64_FORMAT " failed", passed,
                failed);
}

static bool exercise(CommandCall *call, const Place *place, GPtrArray *trials, GError **error) {
    g_autoptr(Json) providers = json_new_array();
    g_autoptr(Crew) crew = NULL;
    /* No key and no database of this installation: the exchanges have a database of their own. */
    CrewConfig config = {.data_dir = place->data_dir};
    if (!crew_start(&config, &crew, error))
        return false;
    for (guint i = 0; i < trials->len; i++) {
        const Trial *trial = g_ptr_array_index(trials, i);
        g_autoptr(Json) report = NULL;
        if (!crew_exercise(crew, trial->file, trial->folder,
                           arguments_flag(call->arguments, "write"), &report, error))
            return false;
        add_report(trial, report, providers);
    }
    report_all(call, providers);
    return true;
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Place) place = {0};
    g_autoptr(GPtrArray) trials = g_ptr_array_new_with_free_func(trial_free);
    const char *name = arguments_word(call->arguments, 0);
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    if (!registry || !place_init(&place, call->arguments, error) ||
        !(name ? add_named(trials, registry, name, error) : add_all(trials, registry, error)))
        return false;
    return exercise(call, &place, trials, error);
}

static const Option options[] = {
    {"write", OPTION_FLAG, NULL, "write the golden documents instead of comparing with them"}, {0}};

const Command provider_test_command = {
    .name = "provider test",
    .summary = "replay recorded exchanges and compare with the golden documents",
    .usage = "[PROVIDER|FOLDER] [--write]",
    .about = "Needs no network. Exchanges are in " TESTS_DIR "/ID, one {request, response} a\n"
             "line; without an argument all of them are replayed.",
    .examples = "assay provider test github\n"
                "assay provider test ./my-service --write",
    .options = options,
    .most = 1,
    .run = run,
};
