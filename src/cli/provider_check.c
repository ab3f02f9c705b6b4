#include "cli/provider_check.h"

#include "base/error.h"
#include "comply/framework.h"
#include "provider/definition_check.h"
#include "provider/definition_load.h"

#include <string.h>
#include <sys/stat.h>

#define FILE_MAX_SIZE (4 * 1024 * 1024)

/* ERROR_NOT_FOUND for a missing file, ERROR_LIMIT for one that cannot be a definition. */
static bool read_file(const char *path, char **text_out, size_t *size_out, GError **error) {
    struct stat status;
    g_autoptr(GError) cause = NULL;
    if (stat(path, &status) == 0 && (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX_SIZE)) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "%s is no file of at most 4 MiB", path);
        return false;
    }
    if (g_file_get_contents(path, text_out, size_out, &cause))
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND, "%s cannot be read: %s", path, cause->message);
    return false;
}

static Json *message_json(const Diagnostic *diagnostic) {
    Json *json = json_new_object();
    json_put_int(json, "line", diagnostic->line);
    json_put_int(json, "column", diagnostic->column);
    json_put_string(json, "severity", diagnostic->warning ? "warning" : "error");
    json_put_string(json, "text", diagnostic->text);
    return json;
}

static Json *file_json(const char *path, const Diagnostics *diagnostics) {
    Json *json = json_new_object();
    Json *messages = json_new_array();
    size_t errors = diagnostics_errors(diagnostics);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++)
        json_add(messages, message_json(diagnostics_get(diagnostics, i)));
    json_put_string(json, "file", path);
    json_put_int(json, "errors", (int64_t)errors);
    json_put(json, "messages", messages);
    return json;
}

static bool check_file(const char *path, Json *files, size_t *errors, GError **error) {
    g_autofree char *text = NULL;
    size_t size = 0;
    if (!read_file(path, &text, &size, error))
        return false;
    g_autoptr(Diagnostics) diagnostics = diagnostics_new(path);
    g_autoptr(GError) failure = NULL;
    g_autoptr(Definition) definition = definition_load(path, text, size, diagnostics, &failure);
    if (definition)
        definition_check(definition, framework_control_known, NULL, diagnostics);
    else if (diagnostics_errors(diagnostics) == 0)
        diagnostics_error(diagnostics, 0, 0, "%s", failure->message);
    json_add(files, file_json(path, diagnostics));
    *errors += diagnostics_errors(diagnostics);
    return true;
}

/* --- for people ------------------------------------------------------------------------------- */

/* A message as compilers print it, for editors: FILE:LINE:COLUMN: warning: TEXT. */
static char *message_text(const char *file, const Json *message) {
    const char *text = json_member_string(message, "text", "");
    int64_t line = json_member_int(message, "line", 0);
    int64_t column = json_member_int(message, "column", 0);
    bool warning = strcmp(json_member_string(message, "severity", ""), "warning") == 0;
    g_autofree char *place =
        line > 0
            ? g_strdup_printf("%s:%" G_GINT64_FORMAT ":%" G_GINT64_FORMAT ": ", file, line, column)
            : g_strdup_printf("%s: ", file);
    if (!warning || !g_str_has_prefix(text, place))
        return g_strdup_printf("%s%s", warning ? "warning: " : "", text);
    return g_strdup_printf("%swarning: %s", place, text + strlen(place));
}

static void print_file(const Output *output, const Json *file) {
    const Json *messages = json_member(file, "messages");
    const char *name = json_member_string(file, "file", "");
    for (size_t i = 0; i < json_count(messages); i++) {
        g_autofree char *whole = message_text(name, json_item(messages, i));
        g_autofree char *text = output_text(whole);
        output_line(output, "%s", text);
    }
    if (json_count(messages) == 0)
        output_line(output, "%s: sound", name);
}

/* The object is a failure's when there are errors: scripts look at one place. */
static void report(CommandCall *call, Json *files, size_t errors) {
    g_autoptr(Json) json = json_new_object();
    json_put_bool(json, "success", errors == 0);
    if (errors > 0) {
        g_autoptr(GError) error = g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION,
                                              "there are %zu errors in the definitions", errors);
        json_put(json, "error", output_error_json(error));
        call->status = STATUS_USAGE;
    }
    json_put(json, "files", json_ref(files));
    output_json(call->output, json);
    for (size_t i = 0; !call->output->json && i < json_count(files); i++)
        print_file(call->output, json_item(files, i));
}

static bool run(CommandCall *call, GError **error) {
    g_autoptr(Json) files = json_new_array();
    size_t errors = 0;
    for (size_t i = 0; i < arguments_words(call->arguments); i++)
        if (!check_file(arguments_word(call->arguments, i), files, &errors, error))
            return false;
    report(call, files, errors);
    return true;
}

const Command provider_check_command = {
    .name = "provider check",
    .summary = "everything that is wrong with a definition, by line",
    .usage = "FILE...",
    .about = "Needs no network. Prints FILE:LINE:COLUMN: MESSAGE; warnings do not change the exit\n"
             "status, errors make it 2.",
    .examples = "assay provider check providers/github.yaml\n"
                "assay provider check providers/*.yaml --json",
    .least = 1,
    .most = ARGUMENTS_MAX,
    .run = run,
};
