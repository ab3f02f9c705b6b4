#include "cli/program.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/secmem.h"
#include "base/text.h"
#include "cli/audit.h"
#include "cli/audit_export.h"
#include "cli/backup.h"
#include "cli/completion.h"
#include "cli/configuration.h"
#include "cli/connect.h"
#include "cli/controls.h"
#include "cli/doctor.h"
#include "cli/evidence.h"
#include "cli/evidence_review.h"
#include "cli/evidence_show.h"
#include "cli/findings.h"
#include "cli/help.h"
#include "cli/init.h"
#include "cli/integrations.h"
#include "cli/jobs.h"
#include "cli/keys.h"
#include "cli/limits.h"
#include "cli/manual.h"
#include "cli/migrate.h"
#include "cli/organizations.h"
#include "cli/organizations_delete.h"
#include "cli/provider.h"
#include "cli/provider_check.h"
#include "cli/provider_policy.h"
#include "cli/provider_test.h"
#include "cli/reconnect.h"
#include "cli/restore.h"
#include "cli/schedule.h"
#include "cli/schedule_set.h"
#include "cli/serve.h"
#include "cli/sync.h"
#include "cli/tokens.h"
#include "cli/users.h"
#include "cli/users_account.h"
#include "sync/twin.h"
#include "sync/worker.h"
#include "vault/seal.h"

#include <stdlib.h>
#include <string.h>

#define NEAR 3

/* In the order in which help shows them. */
static const Command *const commands[] = {
    &init_command,
    &serve_command,
    &connect_command,
    &reconnect_command,
    &integrations_command,
    &sync_command,
    &jobs_list_command,
    &jobs_show_command,
    &jobs_cancel_command,
    &jobs_retry_command,
    &schedule_command,
    &schedule_set_command,
    &schedule_pause_command,
    &schedule_resume_command,
    &limits_command,
    &limits_set_command,
    &limits_clear_command,
    &evidence_list_command,
    &evidence_show_command,
    &evidence_review_command,
    &findings_command,
    &controls_command,
    &provider_list_command,
    &provider_show_command,
    &provider_check_command,
    &provider_test_command,
    &provider_policy_command,
    &doctor_command,
    &migrate_command,
    &backup_command,
    &restore_command,
    &keys_export_command,
    &config_command,
    &users_list_command,
    &users_add_command,
    &users_invite_command,
    &users_role_command,
    &users_remove_command,
    &users_disable_command,
    &users_enable_command,
    &users_password_command,
    &tokens_list_command,
    &tokens_create_command,
    &tokens_allow_command,
    &tokens_revoke_command,
    &organizations_list_command,
    &organizations_create_command,
    &organizations_rename_command,
    &organizations_delete_command,
    &audit_command,
    &audit_export_command,
    &completion_command,
    &manual_command,
    NULL,
};

/* --- finding the command ---------------------------------------------------------------------- */

/* Whether a name is the word, or begins with it and a space: "evidence" of "evidence list". */
static bool begins_with_word(const char *name, const char *word) {
    size_t length = strlen(word);
    return strncmp(name, word, length) == 0 && (name[length] == '\0' || name[length] == ' ');
}

static const Command *find_command(const char *name) {
    for (const Command *const *command = commands; *command; command++)
        if (strcmp((*command)->name, name) == 0)
            return *command;
    return NULL;
}

static bool is_group(const char *word) {
    for (const Command *const *command = commands; *command; command++)
        if (begins_with_word((*command)->name, word))
            return true;
    return false;
}

/* The nearest name, of whole commands and of their first words. */
static void set_unknown(const char *name, GError **error) {
    const char *best = NULL;
    unsigned distance = NEAR + 1;
    for (const Command *const *command = commands; *command; command++) {
        const char *full = (*command)->name;
        g_autofree char *first = g_strndup(full, strcspn(full, " "));
        unsigned here = MIN(text_distance(name, full, NEAR), text_distance(name, first, NEAR));
        if (here < distance) {
            distance = here;
            best = full;
        }
    }
    g_autofree char *shown = text_name(name);
    if (best)
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "there is no command \"%s\"; did you mean assay %s?", shown, best);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "there is no command \"%s\"; `assay help` lists those there are", shown);
}

/* Takes the word at an index out of a vector of borrowed texts. */
static void remove_word(GPtrArray *vector, int index) {
    g_ptr_array_remove_index(vector, (guint)index);
}

static const char *const *as_vector(const GPtrArray *vector) {
    return (const char *const *)vector->pdata;
}

/* Takes the words of the command's name out of the vector: two, when they are one. *group_out is
 * the first word. */
static const Command *take_command(GPtrArray *vector, const char **group_out, GError **error) {
    g_autoptr(GError) failure = NULL;
    int index = arguments_first_word(as_vector(vector), &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (index < 0)
        return NULL;
    const char *word = g_ptr_array_index(vector, index);
    *group_out = word;
    remove_word(vector, index);
    index = is_group(word) ? arguments_first_word(as_vector(vector), NULL) : -1;
    const char *second = index >= 0 ? g_ptr_array_index(vector, index) : NULL;
    g_autofree char *name = second ? g_strdup_printf("%s %s", word, second) : g_strdup(word);
    const Command *command = find_command(name);
    if (command && second)
        remove_word(vector, index);
    if (!command)
        command = find_command(word);
    if (!command && (second || !is_group(word)))
        set_unknown(name, error);
    return command;
}

/* --- running it ------------------------------------------------------------------------------- */

static bool check_words(const Command *command, const Arguments *arguments, GError **error) {
    size_t count = arguments_words(arguments);
    if (count >= command->least && count <= command->most)
        return true;
    /* The words are not repeated: one may be a secret in the wrong place. */
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "%s; the usage is: assay %s%s%s",
                count < command->least ? "something is missing"
                                       : "there are more arguments than the command takes",
                command->name, *command->usage != '\0' ? " " : "", command->usage);
    return false;
}

/* An ASSAY_SERVER that is set for other commands does not keep anybody from `assay serve`. */
static bool refuse_server(const CommandCall *call, const Command *command, GError **error) {
    if (arguments_text(call->arguments, "server")) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                    "assay %s works on this machine; it takes no --server", command->name);
        return false;
    }
    output_note(call->output, "assay %s works on this machine, not on ASSAY_SERVER.",
                command->name);
    return true;
}

static bool run_here_or_there(const Command *command, CommandCall *call, GError **error) {
    if (!remote_is_wanted(call->arguments))
        return command->run(call, error);
    if (!command->remote)
        return refuse_server(call, command, error) && command->run(call, error);
    g_autoptr(Remote) remote = remote_open(call->arguments, error);
    return remote && command->remote(call, remote, error);
}

static bool run_command(const Command *command, const char *const *vector, const Output *output,
                        int *status_out, GError **error) {
    g_autoptr(Arguments) arguments = arguments_parse(command->options, vector, error);
    CommandCall call = {.arguments = arguments, .output = output, .commands = commands};
    if (!arguments || !check_words(command, arguments, error))
        return false;
    int64_t began = clock_mono_ms();
    bool ok = run_here_or_there(command, &call, error);
    log_line(LOG_DEBUG, "command_done", LOG_TEXT("command", command->name), LOG_INT("ok", ok),
             LOG_INT("status", call.status), LOG_INT("ms", clock_mono_ms() - began));
    *status_out = call.status;
    return ok;
}

/* "assay help evidence list", "assay evidence --help", "assay --help". */
static bool show_help(const Output *output, GPtrArray *vector, GError **error) {
    const char *group = NULL;
    const Command *command = take_command(vector, &group, error);
    if (command)
        help_command(output, command);
    else if (!group)
        help_program(output, commands);
    else if (is_group(group))
        help_group(output, commands, group);
    else
        return false;
    g_clear_error(error);
    return true;
}

static bool print_version(const Output *output) {
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "version", ASSAY_VERSION);
    output_json(output, json);
    output_line(output, "assay %s", ASSAY_VERSION);
    return true;
}

/* A command's name without the command: what belongs to it is told, and it is a mistake. */
static bool refuse_group(const char *group, GError **error) {
    g_autoptr(GString) known = g_string_new(NULL);
    for (const Command *const *command = commands; *command; command++)
        if (!group || begins_with_word((*command)->name, group))
            g_string_append_printf(known, "%s%s", known->len > 0 ? ", " : "", (*command)->name);
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "which command? %s; `assay help` says more",
                known->str);
    return false;
}

static bool run_vector(GPtrArray *vector, const Output *output, int *status_out, GError **error) {
    const char *first = g_ptr_array_index(vector, 0);
    if (g_strcmp0(first, "help") == 0) {
        remove_word(vector, 0);
        return show_help(output, vector, error);
    }
    if (g_strcmp0(first, "--version") == 0)
        return print_version(output);
    if (!first && !output->json) {
        help_program(output, commands);
        *status_out = STATUS_USAGE;
        return true;
    }
    if (arguments_has_flag(as_vector(vector), "help"))
        return show_help(output, vector, error);
    g_autoptr(GError) failure = NULL;
    const char *group = NULL;
    const Command *command = take_command(vector, &group, &failure);
    if (command)
        return run_command(command, as_vector(vector), output, status_out, error);
    if (!failure)
        return refuse_group(group, error);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

int program_run(const char *const *vector, Output *output) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    int status = STATUS_DONE;
    for (size_t i = 0; vector[i]; i++)
        g_ptr_array_add(words, (void *)(uintptr_t)vector[i]);
    g_ptr_array_add(words, NULL);
    output->json = arguments_has_flag(vector, "json");
    output->quiet = arguments_has_flag(vector, "quiet");
    if (run_vector(words, output, &status, &error) && output_finish(output, &error))
        return status;
    output_failure(output, error);
    fflush(output->result);
    return error_code_exit_status(error_code_of(error));
}

/* Whether a worker will be wanted for certain: a server has workers of its own. */
static bool wants_worker(const char *const *vector) {
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    const char *group = NULL;
    for (size_t i = 0; vector[i]; i++)
        g_ptr_array_add(words, (void *)(uintptr_t)vector[i]);
    g_ptr_array_add(words, NULL);
    const Command *command = take_command(words, &group, NULL);
    return command && command->worker && !arguments_has_flag(vector, "help") &&
           !(command->remote && remote_is_named(vector));
}

/* True in the twin. OpenSSL is made ready for both, unless the environment says how: workers do not
 * heed it. */
static bool start_twin(int argc, char **argv) {
    if (!g_getenv("OPENSSL_CONF") && !g_getenv("OPENSSL_MODULES"))
        seal_prepare();
    return twin_start(argc, argv);
}

static bool is_worker(const char *const *vector) {
    return g_strcmp0(vector[0], WORKER_COMMAND) == 0 && !vector[1];
}

int program_main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    const char *level = g_getenv("ASSAY_LOG");
    const char *const *vector = (const char *const *)argv + MIN(argc, 1);
    Output output;
    log_set_level(log_level_from_name(level ? level : "warn"));
    error_start();
    bool worker = is_worker(vector) || (wants_worker(vector) && start_twin(argc, argv));
    output_init(&output, stdout, stderr);
    if (!secmem_start(&error)) {
        output_failure(&output, error);
        return EXIT_FAILURE;
    }
    if (worker)
        return worker_main();
    int status = program_run(vector, &output);
    twin_end();
    return status;
}
