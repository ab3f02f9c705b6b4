#include "cli/connect.h"

#include "base/error.h"
#include "cli/access.h"
#include "cli/answers.h"
#include "cli/integrations.h"
#include "cli/owner.h"
#include "cli/provider.h"
#include "cli/provider_form.h"
#include "cli/session.h"
#include "cli/trial.h"
#include "connect/aws_trust.h"
#include "connect/connection.h"
#include "connect/settings.h"
#include "sync/queue.h"

#include <string.h>

static bool is_named(const char *name, GError **error) {
    g_autoptr(GError) wrong = NULL;
    if (!name || (*name != '\0' && connection_check_name(name, &wrong)))
        return true;
    if (wrong)
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "--name: %s", wrong->message);
    else
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--name wants a name");
    return false;
}

/* A name that is taken is told before the service is asked anything. */
static bool check_name(const Session *session, const char *name, GError **error) {
    g_autoptr(Integration) taken = NULL;
    g_autoptr(GError) failure = NULL;
    if (!name || !integrations_find(session, name, &taken, &failure)) {
        if (!failure || error_code_of(failure) == ERROR_NOT_FOUND)
            return true;
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    bool gone = strcmp(taken->status, INTEGRATION_DISCONNECTED) == 0;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                gone ? "\"%s\" is disconnected; `assay reconnect` connects it again, or choose "
                       "another --name"
                     : "there is already an integration named \"%s\"; choose another --name",
                name);
    return false;
}

/* --- roles of AWS ----------------------------------------------------------------------------- */

/* The external id that Assay has made for this connection; NULL when there is none. */
static const char *made_external_id(const Answers *answers) {
    const Secret *id = answers->external_id_made
                           ? credentials_get(answers->credentials, AWS_FIELD_EXTERNAL_ID)
                           : NULL;
    return id ? secret_text(id) : NULL;
}

/* What the owner of the account has to set up for this external id; waits until he has. */
static bool show_trust(const Output *output, const char *id, const Json *settings, GError **error) {
    g_autofree char *principal = g_strdup_printf("arn:%s:iam::ACCOUNT-ID:root",
                                                 json_member_string(settings, "partition", "aws"));
    g_autofree char *policy = aws_trust_policy(principal, id);
    output_note(output, "External id of this connection: %s", id);
    output_note(output,
                "The role must trust this installation: give it this trust policy, with the "
                "account of the access key or role that Assay runs with as ACCOUNT-ID.");
    output_note(output, "%s", policy);
    if (!prompt_possible(&prompt_standard))
        return true;
    g_autofree char *line =
        prompt_line(&prompt_standard, "Press Enter when the role has it: ", error);
    return line != NULL;
}

/* --- what is told ----------------------------------------------------------------------------- */

static AuditEntry entry_of(const Definition *definition, const char *result, const char *id,
                           const char *name) {
    return (AuditEntry){.action = AUDIT_INTEGRATION_CONNECTED,
                        .actor = session_actor(),
                        .result = result,
                        .target_kind = "integration",
                        .target_id = id,
                        .target_name = name ? name : definition->id};
}

static bool note_stored(DbUnit *unit, const Integration *integration, const Definition *definition,
                        GError **error) {
    AuditEntry entry = entry_of(definition, AUDIT_OK, integration->id, integration->name);
    return queue_first_sync(unit, integration, definition, error) && audit_add(unit, &entry, error);
}

static bool failed_work(DbUnit *unit, void *data, GError **error) {
    return audit_add(unit, data, error);
}

/* That an attempt failed is told as well as can be: the attempt's own error matters more. */
static void note_failed(const Session *session, const NewConnection *wish, const GError *failure) {
    g_autoptr(Json) details = json_new_object();
    AuditEntry entry = entry_of(wish->definition, AUDIT_FAILED, NULL, wish->name);
    g_autoptr(GError) ignored = NULL;
    json_put_string(details, "code", error_code_name(error_code_of(failure)));
    entry.details = details;
    (void)!session_run(session, DB_WRITE, failed_work, &entry, &ignored);
}

/* --- connecting ------------------------------------------------------------------------------- */

static Json *reply_of(const char *id, const Json *account) {
    Json *reply = json_new_object();
    json_put_bool(reply, "success", true);
    json_put_string(reply, "id", id);
    json_put_string(reply, "status", INTEGRATION_CONNECTED);
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(account, &iterator, &key, &value))
        json_put(reply, key, json_ref(value));
    return reply;
}

static void tell(const Output *output, const Json *reply, const Definition *definition,
                 const char *name) {
    g_autofree char *user = output_text(json_member_string(reply, "user", NULL));
    output_json(output, reply);
    output_line(output, "Connected %s as \"%s\"%s%s.", definition->name, name,
                *user != '\0' ? ", signed in as " : "", user);
    output_note(output, "Next: assay sync %s", name);
}

static bool print(const Output *output, const Session *session, const NewConnection *connected,
                  const char *external_id, const char *id, GError **error) {
    g_autoptr(Integration) stored = NULL;
    g_autoptr(Json) reply = reply_of(id, connected->account);
    if (external_id)
        json_put_string(reply, "externalId", external_id);
    if (!integrations_find(session, id, &stored, error))
        return false;
    tell(output, reply, connected->definition, stored->name);
    return true;
}

/* Tests the connection and stores it; the wish has everything but the account. */
static bool test_and_store(CommandCall *call, NewConnection *wish, const Answers *answers,
                           GError **error) {
    g_autoptr(Json) account = NULL;
    g_autofree char *id = NULL;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_MAKE, error);
    const char *made = made_external_id(answers);
    const char *named = arguments_text(call->arguments, "owner");
    g_autofree char *owner = session && named ? owner_here(session, named, error) : NULL;
    wish->owner_user_id = owner;
    if (session)
        wish->rotation_days =
            config_number(session_config(session), "security.credential_rotation_days");
    if (!session || (named && !owner) || !check_name(session, wish->name, error) ||
        (made && !show_trust(call->output, made, wish->settings, error)))
        return false;
    if (!trial_here(session, call->output, wish, &account, &failure)) {
        note_failed(session, wish, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    wish->account = account;
    return connection_store(session_db(session), session_scope(session),
                            session_keyring(session, error), wish, &id, error) &&
           print(call->output, session, wish, made, id, error);
}

/* An external id that was made must not be lost with the first attempt, which is bound to fail when
 * the role is yet to be told of it. */
static GError *with_external_id(const GError *failure, const char *id) {
    return g_error_new(ASSAY_ERROR, (int)error_code_of(failure),
                       "%s; once the role demands the external id %s, connect again with --set "
                       "external_id=%s",
                       failure->message, id, id);
}

static void explain(const Output *output, const Definition *definition, const Answers *answers,
                    GError **failure) {
    const char *id = made_external_id(answers);
    if (id) {
        GError *longer = with_external_id(*failure, id);
        g_error_free(*failure);
        *failure = longer;
    } else if (error_code_of(*failure) == ERROR_AUTHENTICATION_FAILED) {
        output_note(output,
                    "Nothing was stored. `assay provider show %s` says what the credential needs.",
                    definition->id);
    }
}

static bool connect_with(CommandCall *call, const Definition *definition, const Answers *answers,
                         GError **error) {
    g_autoptr(Json) settings = NULL;
    g_autoptr(GError) failure = NULL;
    SettingsRules rules = {
        .definition = definition, .auth = answers->auth, .operator_allowed = true};
    if (!settings_check(&rules, answers->settings, &settings, error))
        return false;
    NewConnection wish = {.definition = definition,
                          .auth = answers->auth,
                          .name = arguments_text(call->arguments, "name"),
                          .settings = settings,
                          .credentials = answers->credentials,
                          .stored = note_stored};
    if (test_and_store(call, &wish, answers, &failure))
        return true;
    explain(call->output, definition, answers, &failure);
    g_propagate_error(error, g_steal_pointer(&failure));
    return false;
}

static Questions questions_of(const CommandCall *call, const Definition *definition) {
    return (Questions){.definition = definition,
                       .set = arguments_list(call->arguments, "set"),
                       .credentials = arguments_list(call->arguments, "credential"),
                       .auth = arguments_text(call->arguments, "auth"),
                       .prompt = prompt_standard};
}

/* Whatever is wrong with the command line must not leave a data directory behind: the session is
 * opened after all of it is known to be sound. */
static bool run(CommandCall *call, GError **error) {
    g_auto(Answers) answers = {0};
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    if (!definition)
        return false;
    Questions questions = questions_of(call, definition);
    return is_named(arguments_text(call->arguments, "name"), error) &&
           answers_init(&answers, &questions, error) &&
           connect_with(call, definition, &answers, error);
}

/* --- on a server ------------------------------------------------------------------------------ */

typedef struct {
    CommandCall *call;
    Remote *remote;
    const Definition *definition; /* the server's, see provider_form.h */
    Answers *answers;
    const char *owner; /* NULL: the organization */
} Wish;

static Json *body_of(const Wish *wish) {
    const char *name = arguments_text(wish->call->arguments, "name");
    Json *body = json_new_object();
    json_put_string(body, "integrationType", wish->definition->id);
    json_put_string(body, "auth", wish->answers->auth->name);
    if (name)
        json_put_string(body, "name", name);
    if (wish->owner)
        json_put_string(body, "ownerUserId", wish->owner);
    json_put(body, "settings", json_ref(wish->answers->settings));
    return body;
}

static Json *try_there(const Wish *wish, GError **error) {
    g_autoptr(Json) body = body_of(wish);
    TrialRequest request = {.path = "/api/integrations/connect",
                            .service = wish->definition->name,
                            .body = body,
                            .credentials = wish->answers->credentials};
    return trial_there(wish->remote, wish->call->output, &request, error);
}

/* The id that the server has made for a role, of the sentence with which it refused; NULL when it
 * did not. Caller frees. */
static char *id_made_there(const Wish *wish, const GError *failure) {
    if (wish->answers->auth->scheme != SCHEME_AWS_ROLE ||
        credentials_get(wish->answers->credentials, AWS_FIELD_EXTERNAL_ID))
        return NULL;
    return aws_trust_find_external_id(failure->message);
}

/* With somebody at the terminal who sets up the role meanwhile. */
static Json *try_again_there(const Wish *wish, const char *id, GError **error) {
    g_autoptr(GError) failure = NULL;
    Secret *secret = secret_new(id, strlen(id), error);
    if (!secret)
        return NULL;
    credentials_put(wish->answers->credentials, AWS_FIELD_EXTERNAL_ID, secret);
    Json *reply = try_there(wish, &failure);
    if (reply)
        json_put_string(reply, "externalId", id);
    else
        g_propagate_error(error, with_external_id(failure, id));
    return reply;
}

static Json *connect_there(const Wish *wish, GError **error) {
    GError *failure = NULL;
    const Output *output = wish->call->output;
    Json *reply = try_there(wish, &failure);
    g_autofree char *id = reply ? NULL : id_made_there(wish, failure);
    if (id && !show_trust(output, id, wish->answers->settings, error)) {
        g_error_free(failure);
        return NULL;
    }
    if (id && prompt_possible(&prompt_standard)) {
        g_error_free(failure);
        return try_again_there(wish, id, error);
    }
    if (id)
        output_note(output, "Then connect again with --set external_id=%s", id);
    if (!reply) {
        explain(output, wish->definition, wish->answers, &failure);
        g_propagate_error(error, failure);
    }
    return reply;
}

static bool run_remote(CommandCall *call, Remote *remote, GError **error) {
    g_auto(Answers) answers = {0};
    g_auto(ProviderForm) form = {0};
    g_autofree char *path = remote_path("/api/providers/{id}", arguments_word(call->arguments, 0));
    g_autoptr(Json) provider = is_named(arguments_text(call->arguments, "name"), error)
                                   ? remote_get(remote, path, NULL, error)
                                   : NULL;
    if (!provider || !provider_form_init(&form, provider, error))
        return false;
    Questions questions = questions_of(call, &form.definition);
    questions.external_id_there = true;
    const char *named = arguments_text(call->arguments, "owner");
    g_autofree char *owner = named ? owner_there(remote, named, error) : NULL;
    if (named && !owner)
        return false;
    Wish wish = {call, remote, &form.definition, &answers, owner};
    g_autoptr(Json) reply =
        answers_init(&answers, &questions, error) ? connect_there(&wish, error) : NULL;
    if (!reply)
        return false;
    g_autofree char *name = g_strdup(json_member_string(reply, "name", form.definition.id));
    json_remove(reply, "name");
    json_remove(reply, "jobId"); /* of the first sync, which the server runs by itself */
    tell(call->output, reply, &form.definition, name);
    return true;
}

static const Option options[] = {
    {"name", OPTION_TEXT, "NAME", "what to call it here (else the service's id)"},
    {"auth", OPTION_TEXT, "METHOD", "how to sign in, when there are several ways"},
    {"owner", OPTION_TEXT, "E-MAIL", "the member it belongs to (else the whole organization)"},
    {"set", OPTION_EACH, "KEY=VALUE", "a setting; `assay provider show PROVIDER` lists them"},
    {"credential", OPTION_EACH, "NAME=SOURCE",
     "a secret: @FILE, env:VARIABLE or - (standard input)"},
    {0}};

const Command connect_command = {
    .name = "connect",
    .summary = "connect a service, after testing the credential",
    .usage = "PROVIDER [--name NAME] [--set KEY=VALUE]... [--credential NAME=SOURCE]...",
    .about = "The connection is tested first and stored only when the test passes; secrets are\n"
             "sealed. Whatever is missing is asked for on a terminal, secrets without echo. A\n"
             "secret is never an argument: it comes from a file, an environment variable (which\n"
             "is overwritten) or standard input.",
    .examples =
        "assay connect github\n"
        "assay connect github --name acme --set organization=acme \\\n"
        "    --credential access_token=@/run/secrets/github-token\n"
        "assay connect aws --auth role --set role_arn=arn:aws:iam::123456789012:role/assay\n"
        "pass show github/audit | assay connect github --set organization=acme \\\n"
        "    --credential access_token=-",
    .options = options,
    .least = 1,
    .most = 1,
    .run = run,
    .remote = run_remote,
};
