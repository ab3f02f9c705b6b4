#include "api/scan_shape.h"

#include "api/object_shape.h"
#include "store/assessment.h"

#define REQ SHAPE_REQUIRED

static const ShapeField asked_fields[] = {
    SHAPE_FIELD("success", BOOLEAN, REQ, NULL),
    SHAPE_FIELD("id", ID, REQ, "The integration."),
    SHAPE_FIELD("jobId", ID, 0, "Of the sync, when it has evidence types."),
    SHAPE_FIELD("events", STRING, 0, "Where its events are."),
    SHAPE_FIELD("job", OBJECT, 0, NULL, .of = &job_shape_of_api),
    {0}};
const Shape scan_asked_shape = {.name = "ScanAsked", .fields = asked_fields};

static const char *const results[] = {"pass", "fail", "could_not_read", "not_applicable", NULL};
static const ShapeField request_fields[] = {
    SHAPE_FIELD("organizationId", STRING, 0, NULL),
    SHAPE_FIELD("companyId", STRING, 0, NULL),
    SHAPE_FIELD("accountId", STRING, 0, NULL),
    SHAPE_FIELD("integrationId", STRING, REQ, "Its id or name."),
    SHAPE_FIELD("check", STRING, REQ, "The scanner's name of it.", .most = STORE_NAME_MAX),
    SHAPE_FIELD("resource", STRING, REQ, "What was looked at.", .most = ASSESSMENT_RESOURCE_MAX),
    SHAPE_FIELD("result", STRING, REQ, NULL, .words = results),
    SHAPE_FIELD("details", ANYTHING, 0, "Anything; at most 64 KiB."),
    {0}};
const Shape assessment_request_shape = {.name = "AssessmentRequest", .fields = request_fields};

static const ShapeField query_fields[] = {SHAPE_FIELD("integrationId", STRING, 0, "Or its name."),
                                          SHAPE_FIELD("check", STRING, 0, NULL),
                                          SHAPE_FIELD("result", STRING, 0, NULL, .words = results),
                                          {0}};
const Shape assessment_query = {.fields = query_fields};

static const ShapeField assessment_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("integrationId", ID, REQ, NULL),
    SHAPE_FIELD("check", STRING, REQ, NULL),
    SHAPE_FIELD("resource", STRING, REQ, NULL),
    SHAPE_FIELD("result", STRING, REQ, NULL, .words = results),
    SHAPE_FIELD("details", ANYTHING, REQ, NULL),
    SHAPE_FIELD("scanner", STRING, REQ | SHAPE_NULLABLE, "The name of its token."),
    SHAPE_FIELD("assessedAt", TIME, REQ, NULL),
    {0}};
const Shape assessment_shape = {.name = "Assessment", .fields = assessment_fields};
static const ShapeField list_fields[] = {
    SHAPE_FIELD("assessments", ARRAY, REQ, NULL, .of = &assessment_shape),
    SHAPE_FIELD("nextCursor", STRING, REQ | SHAPE_NULLABLE, NULL),
    {0}};
const Shape assessment_list_shape = {.name = "AssessmentList", .fields = list_fields};
