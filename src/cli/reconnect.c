#include "cli/reconnect.h"

#include "base/error.h"
#include "base/text.h"
#include "cli/access.h"
#include "cli/answers.h"
#include "cli/integrations.h"
#include "cli/provider_form.h"
#include "cli/session.h"
#include "cli/trial.h"
#include "connect/aws_trust.h"
#include "connect/connection.h"
#include "connect/settings.h"
#include "sync/schedule.h"

#include <string.h>

/* --- what stays ------------------------------------------------------------------------------- */

static bool is_set(const char *const *set, const char *name) {
    size_t length = strlen(name);
    for (; set && *set; set++)
        if (strncmp(*set, name, length) == 0 && (*set)[length] == '=')
            return true;
    return false;
}

/* A setting as --set would give it. Caller frees. */
static char *text_of(const Json *value) {
    if (json_kind(value) != JSON_KIND_ARRAY)
        return json_text(value) ? g_strdup(json_text(value)) : json_print(value, JSON_COMPACT);
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < json_count(value); i++) {
        g_autofree char *item = text_of(json_item(value, i));
        g_string_append_printf(list, "%s%s", i > 0 ? "," : "", item);
    }
    return g_strdup(list->str);
}

/* What was given, and of the integration's settings those that were not: nobody is asked for them
 * again. Caller frees with g_strfreev(). */
static char **with_present(const char *const *set, const Definition *definition,
                           const Json *settings) {
    g_autoptr(GStrvBuilder) all = g_strv_builder_new();
    void *iterator = NULL;
    const char *name;
    Json *value;
    g_strv_builder_addv(all, (const char **)(uintptr_t)set);
    while (json_next(settings, &iterator, &name, &value)) {
        g_autofree char *snake = text_snake(name);
        g_autofree char *text = text_of(value);
        g_autofree char *line = g_strdup_printf("%s=%s", snake, text);
        if (definition_setting(definition, snake) && !is_set(set, snake))
            g_strv_builder_add(all, line);
    }
    return g_strv_builder_end(all);
}

static bool ask(const CommandCall *call, Answers *answers, const Definition *definition,
                const Json *settings, const char *auth, GError **error) {
    static const char *const none[] = {NULL};
    const char *const *set = arguments_list(call->arguments, "set");
    const char *wanted = arguments_text(call->arguments, "auth");
    g_auto(GStrv) all = with_present(set ? set : none, definition, settings);
    Questions questions = {.definition = definition,
                           .set = (const char *const *)all,
                           .credentials = arguments_list(call->arguments, "credential"),
                           .auth = wanted ? wanted : auth,
                           .prompt = prompt_standard,
                           .external_id_there = true};
    return answers_init(answers, &questions, error);
}

static void tell(const CommandCall *call, const Json *reply, const char *service) {
    const char *name = json_member_string(reply, "name", "");
    g_autofree char *user = output_text(json_member_string(reply, "user", NULL));
    output_json(call->output, reply);
    output_line(call->output, "Connected %s again as \"%s\"%s%s.", service, name,
                *user != '\0' ? ", signed in as " : "", user);
    if (strcmp(json_member_string(reply, "status", ""), INTEGRATION_PAUSED) == 0)
        output_note(call->output, "It is paused. Next: assay schedule resume %s", name);
    else
        output_note(call->output, "Next: assay sync %s", name);
}

/* --- here ------------------------------------------------------------------------------------- */

typedef struct {
    char *name;
    char *status;
} Stored;

static void stored_clear(Stored *stored) {
    g_clear_pointer(&stored->name, g_free);
    g_clear_pointer(&stored->status, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stored, stored_clear)

static AuditEntry entry_of(const Integration *row, const char *result) {
    return (AuditEntry){.action = AUDIT_INTEGRATION_RECONNECTED,
                        .actor = session_actor(),
                        .result = result,
                        .target_kind = "integration",
                        .target_id = row->id,
                        .target_name = row->name};
}

static bool note_stored(DbUnit *unit, const Integration *row, void *data, GError **error) {
    Stored *stored = data;
    AuditEntry entry = entry_of(row, AUDIT_OK);
    stored_clear(stored);
    stored->name = g_strdup(row->name);
    stored->status = g_strdup(row->status);
    return audit_add(unit, &entry, error);
}

static bool failed_work(DbUnit *unit, void *data, GError **error) {
    return audit_add(unit, data, error);
}

/* That an attempt failed is told as well as can be: the attempt's own error matters more. */
static void note_failed(const Session *session, const Integration *row, const GError *failure) {
    g_autoptr(Json) details = json_new_object();
    AuditEntry entry = entry_of(row, AUDIT_FAILED);
    g_autoptr(GError) ignored = NULL;
    json_put_string(details, "code", error_code_name(error_code_of(failure)));
    entry.details = details;
    (void)!session_run(session, DB_WRITE, failed_work, &entry, &ignored);
}

/* The role's trust policy demands the external id that it was given once. */
static bool keep_external_id(Session *session, const Integration *row, Answers *answers,
                             GError **error) {
    g_autoptr(Credentials) before = NULL;
    g_autoptr(GError) gone = NULL;
    const Keyring *keyring = session_keyring(session, error);
    if (!keyring)
        return false;
    if (answers->auth->scheme != SCHEME_AWS_ROLE ||
        credentials_get(answers->credentials, AWS_FIELD_EXTERNAL_ID))
        return true;
    bool opened = connection_open(session_db(session), session_scope(session), keyring, row->id,
                                  &before, &gone);
    const Secret *known = opened ? credentials_get(before, AWS_FIELD_EXTERNAL_ID) : NULL;
    const char *id = known ? secret_text(known) : NULL;
    Secret *copy = id ? secret_new(id, strlen(id), error) : NULL;
    if (copy)
        credentials_put(answers->credentials, AWS_FIELD_EXTERNAL_ID, copy);
    if (id)
        return copy != NULL;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "the external id of the role is not known any more: give it with --set "
                        "external_id=ID");
    return false;
}

static bool try_and_store(const CommandCall *call, Session *session, const Integration *row,
                          NewConnection *wish, GError **error) {
    g_autoptr(Json) account = NULL;
    g_auto(Stored) stored = {0};
    GError *failure = NULL;
    if (trial_here(session, call->output, wish, &account, &failure)) {
        wish->account = account;
        wish->data = &stored;
        if (connection_renew(session_db(session), session_scope(session),
                             session_keyring(session, error), row->id, wish, &failure)) {
            g_autoptr(Json) reply = json_copy_deep(account);
            json_put_bool(reply, "success", true);
            json_put_string(reply, "id", row->id);
            json_put_string(reply, "name", stored.name);
            json_put_string(reply, "status", stored.status);
            tell(call, reply, wish->definition->name);
            return true;
        }
    }
    note_failed(session, row, failure);
    g_propagate_error(error, failure);
    return false;
}

static bool run(CommandCall *call, GError **error) {
    g_auto(Answers) answers = {0};
    g_autoptr(Integration) row = NULL;
    g_autoptr(Json) settings = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_READ, error);
    if (!session || !integrations_find(session, arguments_word(call->arguments, 0), &row, error))
        return false;
    Registry *registry = session_registry(session, error);
    const Definition *definition = registry ? registry_find(registry, row->provider, error) : NULL;
    g_autoptr(Json) present =
        definition ? json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, error) : NULL;
    if (!present || !ask(call, &answers, definition, present, row->auth, error) ||
        !keep_external_id(session, row, &answers, error))
        return false;
    SettingsRules rules = {
        .definition = definition, .auth = answers.auth, .operator_allowed = true};
    if (!settings_check(&rules, answers.settings, &settings, error))
        return false;
    NewConnection wish = {.definition = definition,
                          .auth = answers.auth,
                          .settings = settings,
                          .credentials = answers.credentials,
                          .stored = schedule_go_on,
                          .noted = note_stored,
                          .rotation_days = config_number(session_config(session),
                                                         "security.credential_rotation_days"),
                          .may_be_another = arguments_flag(call->arguments, "another-account")};
    return try_and_store(call, session, row, &wish, error);
}

/* --- on a server ------------------------------------------------------------------------------ */

static Json *send(const CommandCall *call, Remote *remote, const Answers *answers, const Json *row,
                  const char *service, GError **error) {
    g_autofree char *path =
        remote_path("/api/integrations/{id}/reconnect", json_member_string(row, "id", ""));
    g_autoptr(Json) body = json_new_object();
    json_put_string(body, "auth", answers->auth->name);
    json_put(body, "settings", json_ref(answers->settings));
    if (arguments_flag(call->arguments, "another-account"))
        json_put_bool(body, "anotherAccount", true);
    TrialRequest request = {
        .path = path, .service = service, .body = body, .credentials = answers->credentials};
    return trial_there(remote, call->output, &request, error);
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    g_auto(Answers) answers = {0};
    g_auto(ProviderForm) form = {0};
    g_autoptr(Json) row = remote_integration(remote, arguments_word(call->arguments, 0), error);
    if (!row)
        return false;
    g_autofree char *path =
        remote_path("/api/providers/{id}", json_member_string(row, "integrationType", ""));
    g_autoptr(Json) provider = remote_get(remote, path, NULL, error);
    if (!provider || !provider_form_init(&form, provider, error) ||
        !ask(call, &answers, &form.definition, json_path(row, "config.settings"),
             json_member_string(row, "auth", NULL), error))
        return false;
    g_autoptr(Json) reply = send(call, remote, &answers, row, form.definition.name, error);
    if (!reply)
        return false;
    json_remove(reply, "jobId"); /* of the sync, which the server runs by itself */
    tell(call, reply, form.definition.name);
    return true;
}

static const Option options[] = {
    {"auth", OPTION_TEXT, "METHOD", "how to sign in, when it is to be another way than before"},
    {"set", OPTION_EACH, "KEY=VALUE", "a setting that is to change; the others stay"},
    {"credential", OPTION_EACH, "NAME=SOURCE",
     "a secret: @FILE, env:VARIABLE or - (standard input)"},
    {"another-account", OPTION_FLAG, NULL, "it may be another account than before"},
    {0}};

const Command reconnect_command = {
    .name = "reconnect",
    .summary = "another credential for what is connected, or was",
    .usage = "INTEGRATION [--set KEY=VALUE]... [--credential NAME=SOURCE]...",
    .about = "The credential is tested first, and stored in the place of the one before when the\n"
             "test passes. Id, settings and history of the integration stay; one that was\n"
             "disconnected is connected again, one that is paused stays so. Another account is\n"
             "refused unless --another-account is given: what was collected of the first stays.",
    .examples = "assay reconnect acme\n"
                "assay reconnect acme --credential access_token=@/run/secrets/github-token",
    .options = options,
    .least = 1,
    .most = 1,
    .worker = true,
    .run = run,
    .remote = run_remote,
};
