#include "api/connecting.h"

#include "api/connect_form.h"
#include "api/integration_row.h"
#include "api/object_shape.h"
#include "connect/aws_trust.h"
#include "connect/connection.h"
#include "provider/registry.h"
#include "store/job.h"
#include "sync/queue.h"

#include <string.h>

/* What an errand keeps of the call that began it, which may be gone before it ends. */
typedef struct {
    Desk *desk;
    char *organization;
    char *actor_id;
    char *actor_name;
    const char *actor_kind;
    const char *role;
    char request_id[CALL_ID_MAX + 1];
    char address[ADDRESS_TEXT_SIZE];
} Origin;

typedef struct {
    Origin origin;
    Definition *definition; /* referenced */
    const DefinitionAuth *auth;
    Json *settings;
    Credentials *credentials;
    bool external_id_made;
    char *name;           /* connect: NULL: the provider's id */
    char *integration_id; /* test */
    char *integration;    /* its name */
    char *status;         /* as it was */
    char *job_id;         /* connect: of the first sync */
} Matter;

static void free_matter(void *data) {
    Matter *matter = data;
    g_free(matter->origin.organization);
    g_free(matter->origin.actor_id);
    g_free(matter->origin.actor_name);
    definition_free(matter->definition);
    json_free(matter->settings);
    credentials_free(matter->credentials);
    g_free(matter->name);
    g_free(matter->integration_id);
    g_free(matter->integration);
    g_free(matter->status);
    g_free(matter->job_id);
    g_free(matter);
}

static void free_matter_of(Matter *matter) {
    free_matter(matter);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Matter, free_matter_of)

static void keep_origin(Origin *origin, const Call *call) {
    origin->desk = call->desk;
    origin->organization = g_strdup(call->scope.organization);
    origin->actor_kind = call->caller->kind;
    origin->actor_id = g_strdup(call->caller->id);
    origin->actor_name = g_strdup(call->caller->name);
    origin->role = role_name(call->caller->subject.role);
    g_strlcpy(origin->request_id, call->request_id, sizeof origin->request_id);
    address_write(&call->client, origin->address);
}

static DbScope scope_of(const Matter *matter) {
    return (DbScope){.organization = matter->origin.organization,
                     .actor = matter->origin.actor_id,
                     .role = matter->origin.role};
}

/* --- audit ------------------------------------------------------------------------------------ */

typedef struct {
    const Matter *matter;
    AuditAction action;
    const char *id;
    const char *name;
    const GError *failure; /* NULL: it went well */
} AuditWork;

static bool audit_work(DbUnit *unit, void *data, GError **error) {
    const AuditWork *work = data;
    const Origin *origin = &work->matter->origin;
    AuditActor actor = {.kind = origin->actor_kind,
                        .id = origin->actor_id,
                        .name = origin->actor_name,
                        .address = origin->address,
                        .request_id = origin->request_id};
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "provider", work->matter->definition->id);
    json_put_string(details, "auth", work->matter->auth->name);
    if (work->failure)
        json_put_string(details, "code", error_code_name(error_code_of(work->failure)));
    AuditEntry entry = {.action = work->action,
                        .actor = &actor,
                        .result = work->failure ? AUDIT_FAILED : AUDIT_OK,
                        .target_kind = "integration",
                        .target_id = work->id,
                        .target_name = work->name,
                        .details = details};
    return audit_add(unit, &entry, error);
}

static bool audit(AuditWork *work, GError **error) {
    DbScope scope = scope_of(work->matter);
    return db_run(work->matter->origin.desk->config.db, &scope, DB_WRITE, audit_work, work, error);
}

/* A refused credential is an entry of its own; what it failed with is what is told. */
static bool audit_failure(AuditWork *work, GError *failure, GError **error) {
    g_autoptr(GError) ignored = NULL;
    work->failure = failure;
    (void)audit(work, &ignored);
    g_propagate_error(error, failure);
    return false;
}

static bool ask_service(Crew *crew, const Matter *matter, Json **account_out, GError **error) {
    CrewTest test = {.provider = matter->definition->id,
                     .auth = matter->auth->name,
                     .settings = matter->settings,
                     .credentials = matter->credentials};
    return crew_test(crew, &test, account_out, error);
}

static void put_account(Json *reply, const Json *account) {
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(account, &iterator, &key, &value))
        json_put(reply, key, json_copy_deep(value));
}

/* --- connect ---------------------------------------------------------------------------------- */

typedef struct {
    const char *integration_id;
    char *job_id;
    char *name;
} FirstWork;

/* What was stored beside the connection: its first job, and the name that it was given. */
static bool first_work(DbUnit *unit, void *data, GError **error) {
    FirstWork *work = data;
    g_autoptr(GPtrArray) jobs = NULL;
    g_autoptr(Integration) row = NULL;
    g_clear_pointer(&work->job_id, g_free);
    g_clear_pointer(&work->name, g_free);
    if (!job_list_active(unit, work->integration_id, &jobs, error) ||
        !integration_get(unit, work->integration_id, &row, error))
        return false;
    work->name = g_strdup(row->name);
    if (jobs->len > 0)
        work->job_id = g_strdup(((const Job *)g_ptr_array_index(jobs, 0))->id);
    return true;
}

static Json *connect_reply(const Matter *matter, const FirstWork *first, const Json *account) {
    Json *reply = json_new_object();
    json_put_bool(reply, "success", true);
    json_put_string(reply, "id", first->integration_id);
    json_put_string(reply, "name", first->name);
    json_put_string(reply, "status", INTEGRATION_CONNECTED);
    put_account(reply, account);
    if (matter->external_id_made)
        json_put_string(reply, "externalId",
                        secret_text(credentials_get(matter->credentials, AWS_FIELD_EXTERNAL_ID)));
    if (first->job_id)
        json_put_string(reply, "jobId", first->job_id);
    return reply;
}

static bool store(Matter *matter, const Json *account, Json **reply_out, GError **error) {
    const ApiConfig *config = &matter->origin.desk->config;
    DbScope scope = scope_of(matter);
    NewConnection wish = {.definition = matter->definition,
                          .auth = matter->auth,
                          .name = matter->name,
                          .settings = matter->settings,
                          .account = account,
                          .credentials = matter->credentials,
                          .stored = queue_first_sync};
    g_autofree char *id = NULL;
    if (!connection_store(config->db, &scope, config->keyring, &wish, &id, error))
        return false;
    FirstWork first = {.integration_id = id};
    AuditWork entry = {.matter = matter, .action = AUDIT_INTEGRATION_CONNECTED, .id = id};
    bool ok = db_run(config->db, &scope, DB_READ, first_work, &first, error);
    entry.name = first.name;
    ok = ok && audit(&entry, error);
    if (ok)
        *reply_out = connect_reply(matter, &first, account);
    if (ok && config->queued)
        config->queued(config->data);
    g_free(first.job_id);
    g_free(first.name);
    return ok;
}

/* An external id that was made must not be lost with the first attempt, which is bound to fail when
 * the role is yet to be told of it. */
static void add_external_id(const Matter *matter, GError *failure) {
    if (!matter->external_id_made)
        return;
    const char *id = secret_text(credentials_get(matter->credentials, AWS_FIELD_EXTERNAL_ID));
    g_autofree char *longer = g_strdup_printf(
        "%s; once the role demands the external id %s, connect again with it as externalId",
        failure->message, id);
    g_free(failure->message);
    failure->message = g_steal_pointer(&longer);
}

static bool connect_work(Crew *crew, void *data, Json **body_out, GError **error) {
    Matter *matter = data;
    g_autoptr(Json) account = NULL;
    GError *failure = NULL;
    AuditWork entry = {
        .matter = matter, .action = AUDIT_INTEGRATION_CONNECTED, .name = matter->name};
    if (!ask_service(crew, matter, &account, &failure)) {
        add_external_id(matter, failure);
        return audit_failure(&entry, failure, error);
    }
    return store(matter, account, body_out, error);
}

typedef struct {
    const char *name;
    bool taken;
} NameWork;

static bool name_work(DbUnit *unit, void *data, GError **error) {
    NameWork *work = data;
    g_autoptr(Integration) found = NULL;
    g_autoptr(GError) missing = NULL;
    work->taken = integration_find(unit, work->name, &found, &missing);
    if (work->taken || g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND))
        return true;
    g_propagate_error(error, g_steal_pointer(&missing));
    return false;
}

/* A name that is taken is told before the service is asked anything. */
static bool check_name(Call *call, const char *name, GError **error) {
    NameWork work = {.name = name};
    if (!name)
        return true;
    if (!call_run(call, DB_READ, name_work, &work, error))
        return false;
    return !work.taken || call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                                      "There is an integration of this name; choose another.");
}

static bool begin(Call *call, Matter *matter, const ErrandWish *wish) {
    ErrandWish whole = *wish;
    keep_origin(&matter->origin, call);
    whole.organization = call->scope.organization;
    whole.data = matter;
    whole.free_data = free_matter;
    call->service = matter->definition;
    return call_wait(call, errand_new(&whole));
}

static bool connect_now(Call *call, GError **error) {
    g_auto(ConnectForm) form = {0};
    const char *name = json_member_string(call->body, "name", NULL);
    if (!connect_form_init(&form, call, error) || !check_name(call, name, error))
        return false;
    Matter *matter = g_new0(Matter, 1);
    matter->definition = definition_ref(form.definition);
    matter->auth = form.auth;
    matter->settings = g_steal_pointer(&form.settings);
    matter->credentials = g_steal_pointer(&form.credentials);
    matter->external_id_made = form.external_id_made;
    matter->name = g_strdup(name);
    return begin(call, matter,
                 &(ErrandWish){.kind = "connect", .status = 201, .work = connect_work});
}

/* --- test ------------------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    IntegrationStatus status;
} StatusWork;

static bool status_work(DbUnit *unit, void *data, GError **error) {
    const StatusWork *work = data;
    return integration_update_status(unit, work->id, &work->status, error);
}

/* A test that passes heals what a refused credential has left; one that is refused says so. Other
 * failures say nothing of the credential. */
static bool note_status(const Matter *matter, const GError *failure, GError **error) {
    bool refused = failure && error_code_of(failure) == ERROR_AUTHENTICATION_FAILED;
    bool healed = !failure && strcmp(matter->status, INTEGRATION_RECONNECT_NEEDED) == 0;
    StatusWork work = {.id = matter->integration_id};
    DbScope scope = scope_of(matter);
    if (refused)
        work.status = (IntegrationStatus){.status = INTEGRATION_RECONNECT_NEEDED,
                                          .reason = "The service refuses the credential.",
                                          .error_message = failure->message};
    else
        work.status = (IntegrationStatus){.status = INTEGRATION_CONNECTED};
    return (!refused && !healed) ||
           db_run(matter->origin.desk->config.db, &scope, DB_WRITE, status_work, &work, error);
}

static bool test_work(Crew *crew, void *data, Json **body_out, GError **error) {
    const Matter *matter = data;
    g_autoptr(Json) account = NULL;
    GError *failure = NULL;
    AuditWork entry = {.matter = matter,
                       .action = AUDIT_INTEGRATION_TESTED,
                       .id = matter->integration_id,
                       .name = matter->integration};
    if (!ask_service(crew, matter, &account, &failure)) {
        g_autoptr(GError) ignored = NULL;
        (void)note_status(matter, failure, &ignored);
        return audit_failure(&entry, failure, error);
    }
    if (!note_status(matter, NULL, error) || !audit(&entry, error))
        return false;
    Json *reply = json_new_object();
    json_put_bool(reply, "success", true);
    json_put_string(reply, "id", matter->integration_id);
    json_put_string(reply, "status",
                    strcmp(matter->status, INTEGRATION_RECONNECT_NEEDED) == 0
                        ? INTEGRATION_CONNECTED
                        : matter->status);
    put_account(reply, account);
    *body_out = reply;
    return true;
}

static bool open_credential(Call *call, const Integration *row, Matter *matter, GError **error) {
    const ApiConfig *config = &call->desk->config;
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    matter->definition = definition_ref(definition);
    matter->auth = definition_auth(definition, row->auth);
    if (!matter->auth)
        return call_refuse(call, PROBLEM_CONFLICT, error,
                           "%s is no longer connected in this way; connect it again.",
                           definition->name);
    matter->settings = json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, error);
    return matter->settings && connection_open(config->db, &call->scope, config->keyring, row->id,
                                               &matter->credentials, error);
}

static bool test_now(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    if (strcmp(found.row->status, INTEGRATION_DISCONNECTED) == 0)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "This integration is disconnected; connect it again.");
    g_autoptr(Matter) matter = g_new0(Matter, 1);
    if (!open_credential(call, found.row, matter, error))
        return false;
    matter->integration_id = g_strdup(found.row->id);
    matter->integration = g_strdup(found.row->name);
    matter->status = g_strdup(found.row->status);
    ErrandWish wish = {
        .kind = "test", .integration_id = found.row->id, .status = 200, .work = test_work};
    return begin(call, g_steal_pointer(&matter), &wish);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField any_fields[] = {{0}};
static const Shape any_object = {.fields = any_fields, .open = true};
static const ShapeField connect_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, "When the caller is in several."),
    SHAPE_FIELD("companyId", STRING, 0, "The same."),
    SHAPE_FIELD("accountId", STRING, 0, "The same."),
    SHAPE_FIELD("integrationType", STRING, SHAPE_REQUIRED, "A provider, by id or alias.",
                .most = 100),
    SHAPE_FIELD("name", STRING, 0, "Unique in the organization; by default the provider's id.",
                .most = 100),
    SHAPE_FIELD("auth", STRING, 0, "May be left out when the fields fit one way only.",
                .most = 100),
    SHAPE_FIELD("credentials", OBJECT, SHAPE_REQUIRED | SHAPE_SECRET,
                "accessToken; accessKeyId and secretAccessKey; roleArn ...; what is no secret "
                "(region) is a setting.",
                .of = &any_object),
    SHAPE_FIELD("settings", OBJECT, 0, "See the provider.", .of = &any_object),
    {0}};
static const Shape connect_shape = {.name = "ConnectRequest", .fields = connect_fields};

#define ACCOUNT                                                                                    \
    SHAPE_FIELD("accountId", ANYTHING, 0, NULL), SHAPE_FIELD("arn", ANYTHING, 0, NULL),            \
        SHAPE_FIELD("user", ANYTHING, 0, NULL), SHAPE_FIELD("organizations", ANYTHING, 0, NULL)

static const ShapeField connected_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("name", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL),
    ACCOUNT,
    SHAPE_FIELD("externalId", STRING, 0, "AWS roles: made here, for the trust policy."),
    SHAPE_FIELD("jobId", ID, 0, "The first sync."),
    {0}};
static const Shape connected_shape = {
    .name = "Connected", .fields = connected_fields, .open = true};

static const ShapeField tested_fields[] = {SHAPE_FIELD("success", BOOLEAN, SHAPE_REQUIRED, NULL),
                                           SHAPE_FIELD("id", ID, SHAPE_REQUIRED, NULL),
                                           SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL),
                                           ACCOUNT,
                                           {0}};
static const Shape tested_shape = {.name = "Tested", .fields = tested_fields, .open = true};

const Route connecting_routes[] = {
    {.method = "POST",
     .path = "/api/integrations/connect",
     .id = "connectIntegration",
     .tag = "Integrations",
     .summary = "Tests a credential and stores it sealed; the first sync is queued.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CONNECT,
     .flags = ROUTE_WAITS,
     .handle = connect_now,
     .body = &connect_shape,
     .status = 201,
     .reply = &connected_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/test",
     .id = "testIntegration",
     .tag = "Integrations",
     .summary = "Asks the service whether the stored credential works.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_CHANGE,
     .flags = ROUTE_WAITS,
     .handle = test_now,
     .reply = &tested_shape},
    {0}};
