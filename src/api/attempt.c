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

bool attempt_fail(const Attempt *attempt, const AttemptEntry *entry, GError *failure,
                  GError **error) {
    FailWork work = {attempt, *entry};
    g_autoptr(GError) ignored = NULL;
    work.entry.failure = failure;
    (void)!attempt_run(attempt, DB_WRITE, fail_work, &work, &ignored);
    g_propagate_error(error, failure);
    return false;
}

/* --- storing ---------------------------------------------------------------------------------- */

NewConnection attempt_connection(const Attempt *attempt, const Json *account) {
    return (NewConnection){.definition = attempt->definition,
                           .auth = attempt->auth,
                           .name = attempt->name,
                           .settings = attempt->settings,
                           .account = account,
                           .credentials = attempt->credentials,
                           .owner_user_id = attempt->owner_user_id,
                           .may_be_another = attempt->may_be_another};
}

void attempt_stored_clear(AttemptStored *stored) {
    g_clear_pointer(&stored->id, g_free);
    g_clear_pointer(&stored->name, g_free);
    g_clear_pointer(&stored->status, g_free);
    g_clear_pointer(&stored->job_id, g_free);
}

bool attempt_stored(DbUnit *unit, const Integration *integration, void *stored, GError **error) {
    AttemptStored *told = stored;
    g_autoptr(GPtrArray) jobs = NULL;
    AttemptEntry entry = {.action = told->action, .id = integration->id, .name = integration->name};
    attempt_stored_clear(told);
    if (!job_list_active(unit, integration->id, &jobs, error) ||
        !attempt_note(unit, told->attempt, &entry, error))
        return false;
    told->id = g_strdup(integration->id);
    told->name = g_strdup(integration->name);
    told->status = g_strdup(integration->status);
    if (jobs->len > 0)
        told->job_id = g_strdup(((const Job *)g_ptr_array_index(jobs, 0))->id);
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

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

Json *attempt_reply(const AttemptStored *stored, const Json *account) {
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

void attempt_tell_external_id(const Attempt *attempt, GError *failure) {
    const char *id = made_id(attempt);
    if (!id)
        return;
    g_autofree char *longer = g_strdup_printf(
        "%s; once the role demands the external id %s, connect again with it as externalId",
        failure->message, id);
    g_free(failure->message);
    failure->message = g_steal_pointer(&longer);
}

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
