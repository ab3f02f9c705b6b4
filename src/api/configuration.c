#include "api/configuration.h"

#include "api/call.h"
#include "api/object_shape.h"

static bool get(Call *call, GError **error) {
    const ApiConfig *config = &call->desk->config;
    Json *json = config->configuration ? config->configuration(config->data) : NULL;
    if (json)
        return call_answer(call, 200, json);
    return call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s",
                       "The settings of this process are not known.");
}

const Route configuration_routes[] = {
    {.method = "GET",
     .path = "/api/configuration",
     .id = "getConfiguration",
     .tag = "Operations",
     .summary = "The effective settings with their origin, without secrets.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .handle = get,
     .reply = &configuration_shape},
    {0}};
