#include "api/findings.h"

#include "api/integration_row.h"
#include "api/object_shape.h"
#include "base/clock.h"
#include "comply/overview.h"

#include <string.h>

#define ALL "all"

static bool may_see(const Call *call, const Json *finding) {
    RoleResource resource = {.integration_id = json_member_string(finding, "integrationId", NULL)};
    if (!clock_parse(json_member_string(finding, "lastSeenAt", ""), &resource.at))
        resource.at = 0;
    return call_may(call, &resource);
}

/* To what the caller's role sees: a page may come out short. */
static void narrow(const Call *call, Json *json) {
    const Json *all = json_member(json, "findings");
    Json *seen = json_new_array();
    for (size_t i = 0; i < json_count(all); i++)
        if (may_see(call, json_item(all, i)))
            json_add(seen, json_ref(json_item(all, i)));
    json_put(json, "findings", seen);
}

static bool list(Call *call, GError **error) {
    const char *state = call_query(call, "state");
    g_autofree char *integration_id = NULL;
    if (!integration_row_filter(call, &integration_id, error))
        return false;
    FindingFilter filter = {.severity = call_query(call, "severity"),
                            .check_id = call_query(call, "check"),
                            .integration_id = integration_id};
    Registry *registry = call_registry(call, error);
    if (!registry || !call_limit(call, &filter.limit, error))
        return false;
    if (g_strcmp0(state, ALL) != 0)
        filter.state = state ? state : FINDING_OPEN;
    Json *json = overview_findings(call_db(call), &call->scope, registry, &filter,
                                   call_query(call, "cursor"), error);
    if (!json)
        return false;
    narrow(call, json);
    return call_answer(call, 200, json);
}

static const char *const states[] = {FINDING_OPEN, FINDING_RESOLVED, ALL, NULL};
static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
static const ShapeField query_fields[] = {
    SHAPE_FIELD("state", STRING, 0, "By default open.", .words = states),
    SHAPE_FIELD("severity", STRING, 0, NULL, .words = severities),
    SHAPE_FIELD("check", STRING, 0, "TYPE.CHECK"),
    SHAPE_FIELD("integrationId", STRING, 0, "Or its name."),
    {0}};
static const Shape query = {.fields = query_fields};

const Route finding_routes[] = {{.method = "GET",
                                 .path = "/api/findings",
                                 .id = "listFindings",
                                 .tag = "Compliance",
                                 .summary = "What checks hold against resources.",
                                 .access = ACCESS_ROLE,
                                 .action = ACTION_FINDING_READ,
                                 .flags = ROUTE_LIST,
                                 .handle = list,
                                 .query = &query,
                                 .reply = &finding_list_shape},
                                {0}};
