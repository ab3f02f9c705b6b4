#include "api/integration_row.h"

#include "present/integration_object.h"

void integration_row_clear(IntegrationRow *found) {
    g_clear_pointer(&found->row, integration_free);
    g_clear_pointer(&found->credential, credential_free);
}

bool integration_row_read(DbUnit *unit, const char *id_or_name, IntegrationRow *found_out,
                          GError **error) {
    g_autoptr(GPtrArray) credentials = NULL;
    Integration *row = NULL;
    integration_row_clear(found_out);
    if (!integration_find(unit, id_or_name, &row, error))
        return false;
    found_out->row = row;
    if (!credential_list_for_integration(unit, row->id, &credentials, error))
        return false;
    if (credentials->len > 0)
        found_out->credential = g_ptr_array_steal_index(credentials, 0);
    return true;
}

typedef struct {
    const char *wanted;
    IntegrationRow found;
} FindWork;

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    return integration_row_read(unit, work->wanted, &work->found, error);
}

/* A role that reads only some of them does not learn of the others. */
static bool sees(const Call *call, const Integration *row) {
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    return role_allows(&call->caller->subject, ACTION_INTEGRATION_READ, &resource);
}

bool integration_row_find(Call *call, IntegrationRow *found_out, GError **error) {
    return integration_row_find_by(call, call_parameter(call, "id"), found_out, error);
}

bool integration_row_find_by(Call *call, const char *id_or_name, IntegrationRow *found_out,
                             GError **error) {
    FindWork work = {.wanted = id_or_name};
    if (!call_run(call, DB_READ, find_work, &work, error)) {
        integration_row_clear(&work.found);
        return false;
    }
    *found_out = work.found;
    if (sees(call, work.found.row))
        return true;
    integration_row_clear(found_out);
    (void)call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                      "There is no such integration in this organization.");
    return false;
}

bool integration_row_filter(Call *call, char **id_out, GError **error) {
    const char *wanted = call_query(call, "integrationId");
    g_auto(IntegrationRow) found = {0};
    *id_out = NULL;
    if (!wanted)
        return true;
    if (!id_is_valid(wanted) && !integration_row_find_by(call, wanted, &found, error))
        return false;
    *id_out = g_strdup(found.row ? found.row->id : wanted);
    return true;
}

Json *integration_row_object(const Call *call, const IntegrationRow *found) {
    return integration_object(found->row, call->scope.organization, found->credential);
}

bool integration_row_may(const Call *call, const Integration *row) {
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    return call_may(call, &resource);
}

bool integration_row_require(Call *call, const Integration *row, GError **error) {
    RoleResource resource = {.integration_id = row->id, .owner_user_id = row->owner_user_id};
    return call_require(call, &resource, error);
}

const Definition *integration_row_definition(Call *call, const Integration *row, GError **error) {
    Registry *registry = call_registry(call, error);
    return registry ? registry_find(registry, row->provider, error) : NULL;
}

bool integration_target_init_bare(IntegrationTarget *target, Call *call, GError **error) {
    *target = (IntegrationTarget){0};
    if (!integration_row_find(call, &target->found, error))
        return false;
    g_strlcpy(target->id, target->found.row->id, sizeof target->id);
    return integration_row_require(call, target->found.row, error);
}

bool integration_target_init(IntegrationTarget *target, Call *call, GError **error) {
    if (!integration_target_init_bare(target, call, error))
        return false;
    target->definition = integration_row_definition(call, target->found.row, error);
    return target->definition != NULL;
}

bool integration_target_init_row(IntegrationTarget *target, Call *call, const Integration *row,
                                 GError **error) {
    *target = (IntegrationTarget){.definition = integration_row_definition(call, row, error)};
    g_strlcpy(target->id, row->id, sizeof target->id);
    return target->definition != NULL;
}

void integration_target_clear(IntegrationTarget *target) {
    integration_row_clear(&target->found);
}

bool integration_target_read(DbUnit *unit, void *target, GError **error) {
    IntegrationTarget *known = target;
    return integration_row_read(unit, known->id, &known->found, error);
}

bool integration_target_may(Call *call, const void *target, GError **error) {
    return integration_row_require(call, ((const IntegrationTarget *)target)->found.row, error);
}

Json *integration_target_show(const Call *call, const void *target) {
    return integration_row_object(call, &((const IntegrationTarget *)target)->found);
}

bool integration_row_audit(DbUnit *unit, const Call *call, AuditAction action,
                           const Integration *row, const Json *details, GError **error) {
    char address[ADDRESS_TEXT_SIZE];
    AuditActor actor = call_actor(call);
    address_write(&call->client, address);
    actor.address = address;
    AuditEntry entry = {.action = action,
                        .actor = &actor,
                        .target_kind = "integration",
                        .target_id = row->id,
                        .target_name = row->name,
                        .details = details};
    return audit_add(unit, &entry, error);
}
