#include "api/attempt.h"

#include "connect/aws_trust.h"
#include "store/job.h"

/* --- life ------------------------------------------------------------------------------------- */

Attempt *attempt_new(const Call *call) {
    Attempt *attempt = g_new0(Attempt, 1);
    attempt->desk = call->desk;
    attempt->organization = g_strdup(call->scope.organization);
    attempt->actor_kind = call->caller->kind;
    attempt->actor_id = g_strdup(call->caller->id);
    attempt->actor_name = g_strdup(call->caller->name);
    attempt->role = role_name(call->caller->subject.role);
    g_strlcpy(attempt->request_id, call->request_id, sizeof attempt->request_id);
    address_write(&call->client, attempt->address);
    return attempt;
}

void attempt_free(Attempt *attempt) {
    if (!attempt)
        return;
    g_free(attempt->organization);
    g_free(attempt->actor_id);
    g_free(attempt->actor_name);
    definition_free(attempt->definition);
    json_free(attempt->settings);
    credentials_free(attempt->credentials);
    g_free(attempt->name);
    g_free(attempt->owner_user_id);
    g_free(attempt->integration_id);
    g_free(attempt->integration);
    g_free(attempt);
}

void attempt_take_form(Attempt *attempt, ConnectForm *form) {
    attempt->definition = definition_ref(form->definition);
    attempt->auth = form->auth;
    attempt->settings = g_steal_pointer(&form->settings);
    attempt->credentials = g_steal_pointer(&form->credentials);
    attempt->external_id_made = form->external_id_made;
}

static void free_data(void *attempt) {
    attempt_free(attempt);
}

bool attempt_begin(Call *call, Attempt *attempt, const ErrandWish *wish) {
    ErrandWish whole = *wish;
    whole.organization = attempt->organization;
    whole.actor = attempt->actor_id;
    whole.integration_id = attempt->integration_id;
    whole.data = attempt;
    whole.free_data = free_data;
    call->service = attempt->definition;
    return call_wait(call, errand_new(&whole));
}

/* --- asking ----------------------------------------------------------------------------------- */

bool attempt_ask(Crew *crew, const Attempt *attempt, Json **account_out, GError **error) {
    CrewTest test = {.provider = attempt->definition->id,
                     .auth = attempt->auth->name,
                     .settings = attempt->settings,
                     .credentials = attempt->credentials};
    return crew_test(crew, &test, account_out, error);
}

DbScope attempt_scope(const Attempt *attempt) {
    return (DbScope){
        .organization = attempt->organization, .actor = attempt->actor_id, .role = attempt->role};
}

bool attempt_run(const Attempt *attempt, DbMode mode, DbWork work, void *data, GError **error) {
    DbScope scope = attempt_scope(attempt);
    return db_run(attempt->desk->config.db, &scope, mode, work, data, error);
}

/* --- the audit log ---------------------------------------------------------------------------- */

bool attempt_note(DbUnit *unit, const Attempt *attempt, const AttemptEntry *entry, GError **error) {
    AuditActor actor = {.kind = attempt->actor_kind,
                        .id = attempt->actor_id,
                        .name = attempt->actor_name,
                        .address = attempt->address,
                        .request_id = attempt->request_id};
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "provider", attempt->definition->id);
    json_put_string(details, "auth", attempt->auth->name);
    if (entry->failure)
        json_put_string(details, "code", error_code_name(error_code_of(entry->failure)));
    AuditEntry whole = {.action = entry->action,
                        .actor = &actor,
                        .result = entry->failure ? AUDIT_FAILED : AUDIT_OK,
                        .target_kind = "integration",
                        .target_id = entry->id,
                        .target_name = entry->name,
                        .details = details};
    return audit_add(unit, &whole, error);
}

typedef struct {
    const Attempt *attempt;
    AttemptEntry entry;
} FailWork;

static bool fail_work(DbUnit *unit, void *data, GError **error) {
    const FailWork *work = data;
    return attempt_note(unit, work->attempt, &work->entry, error);
}

/* Takes the failure, which matters more than that it is told. Returns false. */
static bool fail(const Attempt *attempt, AuditAction action, GError *failure, GError **error) {
    FailWork work = {attempt,
                     {.action = action,
                      .id = attempt->integration_id,
                      .name = attempt->integration ? attempt->integration : attempt->name,
                      .failure = failure}};
    g_autoptr(GError) ignored = NULL;
    (void)!attempt_run(attempt, DB_WRITE, fail_work, &work, &ignored);
    g_propagate_error(error, failure);
    return false;
}

/* --- answers ---------------------------------------------------------------------------------- */

/* What was stored, as the answer tells it. */
typedef struct {
    const Attempt *attempt;
    AuditAction action;
    char *id;
    char *name;
    char *status;
    char *job_id; /* of the first sync; NULL: none */
} Stored;

static void stored_clear(Stored *stored) {
    g_clear_pointer(&stored->id, g_free);
    g_clear_pointer(&stored->name, g_free);
    g_clear_pointer(&stored->status, g_free);
    g_clear_pointer(&stored->job_id, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Stored, stored_clear)

void attempt_put_account(Json *reply, const Json *account) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(account, &iterator, &key, &value))
        json_put(reply, key, json_copy_deep(value));
}

static const char *made_id(const Attempt *attempt) {
    return attempt->external_id_made
               ? secret_text(credentials_get(attempt->credentials, AWS_FIELD_EXTERNAL_ID))
               : NULL;
}

static Json *reply_of(const Stored *stored, const Json *account) {
    const ApiConfig *config = &stored->attempt->desk->config;
    const char *external_id = made_id(stored->attempt);
    Json *reply = json_new_object();
    json_put_bool(reply, "success", true);
    json_put_string(reply, "id", stored->id);
    json_put_string(reply, "name", stored->name);
    json_put_string(reply, "status", stored->status);
    attempt_put_account(reply, account);
    if (external_id)
        json_put_string(reply, "externalId", external_id);
    if (stored->job_id)
        json_put_string(reply, "jobId", stored->job_id);
    if (config->queued)
        config->queued(config->data);
    return reply;
}

/* The external id that was made must not be lost with the first attempt: it is bound to fail when
 * the role is yet to be told of it. */
static void tell_external_id(const Attempt *attempt, GError *failure) {
    const char *id = made_id(attempt);
    if (!id)
        return;
    g_autofree char *longer = g_strdup_printf(
        "%s; once the role demands the external id %s, connect again with it as externalId",
        failure->message, id);
    g_free(failure->message);
    failure->message = g_steal_pointer(&longer);
}

/* --- storing ---------------------------------------------------------------------------------- */

bool attempt_noted(DbUnit *unit, const Integration *integration, void *data, GError **error) {
    Stored *stored = data;
    g_autoptr(GPtrArray) jobs = NULL;
    AttemptEntry entry = {
        .action = stored->action, .id = integration->id, .name = integration->name};
    stored_clear(stored);
    if (!job_list_active(unit, integration->id, &jobs, error) ||
        !attempt_note(unit, stored->attempt, &entry, error))
        return false;
    stored->id = g_strdup(integration->id);
    stored->name = g_strdup(integration->name);
    stored->status = g_strdup(integration->status);
    if (jobs->len > 0)
        stored->job_id = g_strdup(((const Job *)g_ptr_array_index(jobs, 0))->id);
    return true;
}

static bool store(const Attempt *attempt, const AttemptWay *way, const Json *account,
                  Json **body_out, GError **error) {
    g_auto(Stored) stored = {.attempt = attempt, .action = way->action};
    DbScope scope = attempt_scope(attempt);
    NewConnection connection = {.definition = attempt->definition,
                                .auth = attempt->auth,
                                .name = attempt->name,
                                .settings = attempt->settings,
                                .account = account,
                                .credentials = attempt->credentials,
                                .owner_user_id = attempt->owner_user_id,
                                .may_be_another = attempt->may_be_another,
                                .rotation_days = desk_tuning(attempt->desk)->rotation_days,
                                .noted = attempt_noted,
                                .data = &stored};
    if (!way->store(attempt, &scope, &connection, error))
        return false;
    *body_out = reply_of(&stored, account);
    return true;
}

bool attempt_connect(Crew *crew, const Attempt *attempt, const AttemptWay *way, Json **body_out,
                     GError **error) {
    g_autoptr(Json) account = NULL;
    GError *failure = NULL;
    if (!attempt_ask(crew, attempt, &account, &failure))
        tell_external_id(attempt, failure);
    else if (store(attempt, way, account, body_out, &failure))
        return true;
    return fail(attempt, way->action, failure, error);
}

/* --- shape ------------------------------------------------------------------------------------ */

static const ShapeField stored_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("name", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL),
    ATTEMPT_ACCOUNT,
    SHAPE_FIELD("externalId", STRING, 0, "AWS roles: made here, for the trust policy."),
    SHAPE_FIELD("jobId", ID, 0, "The sync that is queued."),
    {0}};
const Shape attempt_stored_shape = {.name = "Connected", .fields = stored_fields, .open = true};
