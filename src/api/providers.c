#include "api/providers.h"

#include "api/call.h"
#include "api/object_shape.h"
#include "present/policy_object.h"
#include "present/provider_object.h"

/* A definition whose file is wrong is listed with what is wrong. */
static Json *broken(const char *id, const GError *error) {
    Json *json = json_new_object();
    Json *what = json_new_object();
    json_put_string(what, "code", error_code_name(error_code_of(error)));
    json_put_string(what, "message", error->message);
    json_put_string(json, "id", id);
    json_put(json, "error", what);
    return json;
}

static bool list(Call *call, GError **error) {
    Registry *registry = call_registry(call, error);
    if (!registry)
        return false;
    Json *all = json_new_array();
    for (const char *const *id = registry_ids(registry); *id; id++) {
        g_autoptr(GError) wrong = NULL;
        const Definition *definition = registry_find(registry, *id, &wrong);
        json_add(all, definition ? provider_card(definition) : broken(*id, wrong));
    }
    return call_answer_list(call, "providers", all, NULL);
}

static bool get(Call *call, GError **error) {
    Registry *registry = call_registry(call, error);
    const Definition *definition =
        registry ? registry_find(registry, call_parameter(call, "id"), error) : NULL;
    return definition && call_answer(call, 200, provider_object(definition));
}

static bool policy(Call *call, GError **error) {
    const char *wanted = call_query(call, "evidence");
    Registry *registry = call_registry(call, error);
    const Definition *definition =
        registry ? registry_find(registry, call_parameter(call, "id"), error) : NULL;
    g_auto(GStrv) names = wanted ? g_strsplit(wanted, ",", -1) : NULL;
    size_t count = 0;
    g_autofree const EvidenceType **types =
        definition ? policy_types(definition, (const char *const *)names, &count, error) : NULL;
    return types && call_answer(call, 200, policy_object(definition, types, count));
}

static const ShapeField policy_query_fields[] = {
    SHAPE_FIELD("evidence", STRING, 0, "Names of evidence types, by comma; else all."), {0}};
static const Shape policy_query = {.fields = policy_query_fields};

const Route provider_routes[] = {
    {.method = "GET",
     .path = "/api/providers",
     .id = "listProviders",
     .tag = "Providers",
     .summary = "The services that can be connected.",
     .access = ACCESS_SIGNED_IN,
     .flags = ROUTE_OBJECT,
     .handle = list,
     .reply = &provider_list_shape},
    {.method = "GET",
     .path = "/api/providers/{id}",
     .id = "getProvider",
     .tag = "Providers",
     .summary = "One of them: settings, ways to sign in, evidence, checks, permissions.",
     .access = ACCESS_SIGNED_IN,
     .flags = ROUTE_OBJECT,
     .handle = get,
     .reply = &provider_shape},
    {.method = "GET",
     .path = "/api/providers/{id}/policy",
     .id = "getProviderPolicy",
     .tag = "Providers",
     .summary = "The least rights that collecting its evidence needs.",
     .access = ACCESS_SIGNED_IN,
     .flags = ROUTE_OBJECT,
     .handle = policy,
     .query = &policy_query,
     .reply = &policy_shape},
    {0}};
