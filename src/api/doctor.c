#include "api/doctor.h"

#include "api/call.h"

#include <string.h>

static bool examine(Call *call, GError **error) {
    const ApiConfig *config = &call->desk->config;
    bool network = g_strcmp0(call_query(call, "network"), "true") == 0;
    Json *json = config->doctor ? config->doctor(network, config->data) : NULL;
    if (json)
        return call_answer(call, 200, json);
    return call_refuse(call, PROBLEM_UNAVAILABLE, error, "%s",
                       "Nobody in this process knows what to look at.");
}

static const char *const truths[] = {"true", "false", NULL};
static const ShapeField query_fields[] = {
    SHAPE_FIELD("network", STRING, 0, "true: ask the hosts of services, too.", .words = truths),
    {0}};
static const Shape query_shape = {.fields = query_fields};

static const char *const states[] = {"ok", "warning", "error", NULL};
static const ShapeField finding_fields[] = {
    SHAPE_FIELD("check", STRING, SHAPE_REQUIRED, "What it is about: disk, key, clock ..."),
    SHAPE_FIELD("status", STRING, SHAPE_REQUIRED, NULL, .words = states),
    SHAPE_FIELD("message", STRING, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("advice", STRING, SHAPE_REQUIRED | SHAPE_NULLABLE, "What to do, unless it is ok."),
    {0}};
static const Shape finding_shape = {.name = "Checked", .fields = finding_fields};

static const ShapeField checkup_fields[] = {
    SHAPE_FIELD("healthy", BOOLEAN, SHAPE_REQUIRED, "There is no error."),
    SHAPE_FIELD("errors", INTEGER, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("warnings", INTEGER, SHAPE_REQUIRED, NULL),
    SHAPE_FIELD("findings", ARRAY, SHAPE_REQUIRED, NULL, .of = &finding_shape),
    SHAPE_FIELD("at", TIME, SHAPE_REQUIRED, "By this machine's clock."),
    {0}};
static const Shape checkup_shape = {.name = "Checkup", .fields = checkup_fields};

const Route doctor_routes[] = {
    {.method = "GET",
     .path = "/api/installation/doctor",
     .id = "examineInstallation",
     .tag = "Operations",
     .summary = "Whether this installation is in order, and what to do if not.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .handle = examine,
     .query = &query_shape,
     .reply = &checkup_shape},
    {0}};
