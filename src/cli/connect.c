#include "cli/connect.h"

#include "base/error.h"
#include "cli/access.h"
#include "cli/answers.h"
#include "cli/integrations.h"
#include "cli/progress.h"
#include "cli/provider.h"
#include "cli/session.h"
#include "connect/aws_trust.h"
#include "connect/connection.h"
#include "connect/settings.h"
#include "sync/queue.h"

/* A name that is taken is told before the service is asked anything. */
static bool check_name(const Session *session, const char *name, GError **error) {
    g_autoptr(Integration) taken = NULL;
    g_autoptr(GError) failure = NULL;
    if (name && *name == '\0') {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "--name wants a name");
        return false;
    }
    if (!name || !integrations_find(session, name, &taken, &failure)) {
        if (!failure || error_code_of(failure) == ERROR_NOT_FOUND)
            return true;
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                "there is already an integration named \"%s\"; choose another --name", name);
    return false;
}

static bool test(Session *session, const Output *output, const NewConnection *wish,
                 Json **account_out, GError **error) {
    Crew *crew = session_crew(session, error);
    if (!crew)
        return false;
    CrewTest request = {.provider = wish->definition->id,
                        .auth = wish->auth->name,
                        .settings = wish->settings,
                        .credentials = wish->credentials};
    Progress progress;
    progress_init(&progress, output, wish->definition->name);
    g_autoptr(Json) report = json_new_object();
    json_put_string(report, "message", "testing the connection");
    progress_show(report, &progress);
    bool ok = crew_test(crew, &request, account_out, error);
    progress_clear(&progress);
    return ok;
}

/* --- roles of AWS ----------------------------------------------------------------------------- */

/* The external id that Assay has made for this connection; NULL when there is none. */
static const char *made_external_id(const Answers *answers) {
    const Secret *id = answers->external_id_made
                           ? credentials_get(answers->credentials, AWS_FIELD_EXTERNAL_ID)
                           : NULL;
    return id ? secret_text(id) : NULL;
}

/* What the owner of the account has to set up, before the role is tried for the first time. */
static bool show_trust(const Output *output, const Answers *answers, const Json *settings,
                       GError **error) {
    const char *id = made_external_id(answers);
    if (!id)
        return true;
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
                        .actor = access_actor(),
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

static bool print(const Output *output, const Session *session, const NewConnection *connected,
                  const char *external_id, const char *id, GError **error) {
    g_autoptr(Integration) stored = NULL;
    g_autoptr(Json) reply = reply_of(id, connected->account);
    if (external_id)
        json_put_string(reply, "externalId", external_id);
    output_json(output, reply);
    if (!integrations_find(session, id, &stored, error))
        return false;
    g_autofree char *user = output_text(json_member_string(connected->account, "user", NULL));
    output_line(output, "Connected %s as \"%s\"%s%s.", connected->definition->name, stored->name,
                *user != '\0' ? ", signed in as " : "", user);
    output_note(output, "Next: assay sync %s", stored->name);
    return true;
}

/* Tests the connection and stores it; the wish has everything but the account. */
static bool test_and_store(CommandCall *call, NewConnection *wish, const Answers *answers,
                           GError **error) {
    g_autoptr(Json) account = NULL;
    g_autofree char *id = NULL;
    g_autoptr(GError) failure = NULL;
    g_autoptr(Session) session = session_open(call->arguments, SESSION_MAKE, error);
    if (!session || !check_name(session, wish->name, error) ||
        !show_trust(call->output, answers, wish->settings, error))
        return false;
    if (!test(session, call->output, wish, &account, &failure)) {
        note_failed(session, wish, failure);
        g_propagate_error(error, g_steal_pointer(&failure));
        return false;
    }
    wish->account = account;
    return connection_store(session_db(session), session_scope(session),
                            session_keyring(session, error), wish, &id, error) &&
           print(call->output, session, wish, made_external_id(answers), id, error);
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

/* Whatever is wrong with the command line must not leave a data directory behind: the session is
 * opened after all of it is known to be sound. */
static bool run(CommandCall *call, GError **error) {
    g_auto(Answers) answers = {0};
    g_autoptr(Registry) registry = provider_registry(call->arguments, error);
    const Definition *definition =
        registry ? registry_find(registry, arguments_word(call->arguments, 0), error) : NULL;
    if (!definition)
        return false;
    Questions questions = {.definition = definition,
                           .set = arguments_list(call->arguments, "set"),
                           .credentials = arguments_list(call->arguments, "credential"),
                           .auth = arguments_text(call->arguments, "auth"),
                           .prompt = prompt_standard};
    return answers_init(&answers, &questions, error) &&
           connect_with(call, definition, &answers, error);
}

static const Option options[] = {
    {"name", OPTION_TEXT, "NAME", "what to call it here (else the service's id)"},
    {"auth", OPTION_TEXT, "METHOD", "how to sign in, when there are several ways"},
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
};
