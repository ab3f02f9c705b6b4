#include "api/object_shape.h"

#define REQ SHAPE_REQUIRED
#define MAYBE (SHAPE_REQUIRED | SHAPE_NULLABLE)
#define NEXT_CURSOR                                                                                \
    SHAPE_FIELD("nextCursor", STRING, MAYBE, "The cursor of the next page; null: there is none.")

static const char *const severities[] = {"low", "medium", "high", "critical", NULL};
static const char *const verdicts[] = {"pass", "fail", "could_not_read", "not_applicable", NULL};

/* --- providers -------------------------------------------------------------------------------- */

static const char *const input_types[] = {"text", "list", "bool", "int", NULL};
static const ShapeField input_fields[] = {
    SHAPE_FIELD("name", STRING, REQ, "As in requests; camelCase is accepted as well."),
    SHAPE_FIELD("label", STRING, MAYBE, NULL),
    SHAPE_FIELD("help", STRING, MAYBE, NULL),
    SHAPE_FIELD("type", STRING, REQ, NULL, .words = input_types),
    SHAPE_FIELD("default", STRING, MAYBE, NULL),
    SHAPE_FIELD("pattern", STRING, MAYBE, "A regular expression that the whole text fits."),
    SHAPE_FIELD("required", BOOLEAN, REQ, NULL),
    SHAPE_FIELD("secret", BOOLEAN, REQ, NULL),
    SHAPE_FIELD("advanced", BOOLEAN, REQ, NULL),
    {0}};
static const Shape input_shape = {.name = "Input", .fields = input_fields};

static const ShapeField auth_fields[] = {
    SHAPE_FIELD("name", STRING, REQ, "What `auth` of a connect request says."),
    SHAPE_FIELD("label", STRING, MAYBE, NULL),
    SHAPE_FIELD("help", STRING, MAYBE, NULL),
    SHAPE_FIELD("scheme", STRING, REQ, NULL),
    SHAPE_FIELD("supported", BOOLEAN, REQ, "Whether this version can connect with it."),
    SHAPE_FIELD("fields", ARRAY, REQ, NULL, .of = &input_shape),
    {0}};
static const Shape auth_shape = {.name = "Auth", .fields = auth_fields};

static const ShapeField check_fields[] = {
    SHAPE_FIELD("name", STRING, REQ, NULL),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("severity", STRING, REQ, NULL, .words = severities),
    SHAPE_FIELD("remediation", STRING, MAYBE, NULL),
    SHAPE_FIELD("controls", OBJECT, REQ, "Framework -> ids of controls."),
    {0}};
static const Shape check_shape = {.name = "Check", .fields = check_fields};

static const ShapeField type_fields[] = {
    SHAPE_FIELD("name", STRING, REQ, NULL),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("type", STRING, REQ, NULL),
    SHAPE_FIELD("needs", ARRAY, REQ, "Permissions that it is read with.", .items = SHAPE_STRING),
    SHAPE_FIELD("checks", ARRAY, REQ, NULL, .of = &check_shape),
    {0}};
static const Shape type_shape = {.name = "EvidenceType", .fields = type_fields};

#define CONTROLS_MAPPED "Framework -> ids of the controls that its checks support."
#define CARD                                                                                       \
    SHAPE_FIELD("id", STRING, REQ, NULL), SHAPE_FIELD("name", STRING, REQ, NULL),                  \
        SHAPE_FIELD("category", STRING, MAYBE, NULL), SHAPE_FIELD("summary", STRING, MAYBE, NULL), \
        SHAPE_FIELD("docs", STRING, MAYBE, NULL),                                                  \
        SHAPE_FIELD("aliases", ARRAY, REQ, "Further names that are accepted.",                     \
                    .items = SHAPE_STRING),                                                        \
        SHAPE_FIELD("controlsMapped", OBJECT, REQ, CONTROLS_MAPPED)

static const ShapeField provider_fields[] = {
    CARD,
    SHAPE_FIELD("sha256", STRING, REQ, "Of the definition."),
    SHAPE_FIELD("setup", STRING, MAYBE, "What to do before connecting, in Markdown."),
    SHAPE_FIELD("checkedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("hosts", ARRAY, REQ, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("settings", ARRAY, REQ, NULL, .of = &input_shape),
    SHAPE_FIELD("auth", ARRAY, REQ, NULL, .of = &auth_shape),
    SHAPE_FIELD("evidenceTypes", ARRAY, REQ, NULL, .of = &type_shape),
    {0}};
const Shape provider_shape = {.name = "Provider", .fields = provider_fields};

static const ShapeField card_fields[] = {
    SHAPE_FIELD("id", STRING, REQ, NULL),
    SHAPE_FIELD("name", STRING, 0, NULL),
    SHAPE_FIELD("category", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("summary", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("docs", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("aliases", ARRAY, 0, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("controlsMapped", OBJECT, 0, CONTROLS_MAPPED),
    SHAPE_FIELD("evidenceTypes", ARRAY, 0, "Names.", .items = SHAPE_STRING),
    SHAPE_FIELD("error", OBJECT, 0, "Instead of the rest: what is wrong with its definition."),
    {0}};
static const Shape card_shape = {.name = "ProviderCard", .fields = card_fields};
static const ShapeField provider_list_fields[] = {
    SHAPE_FIELD("providers", ARRAY, REQ, NULL, .of = &card_shape), NEXT_CURSOR, {0}};
const Shape provider_list_shape = {.name = "ProviderList", .fields = provider_list_fields};

static const ShapeField policy_fields[] = {
    SHAPE_FIELD("provider", STRING, REQ, NULL),
    SHAPE_FIELD("evidenceTypes", ARRAY, REQ, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("needs", OBJECT, REQ, "By vocabulary: names of scopes, permissions or actions."),
    SHAPE_FIELD("policy", OBJECT, 0, "The document to attach, where there is such a thing."),
    {0}};
const Shape policy_shape = {.name = "ProviderPolicy", .fields = policy_fields};

/* --- integrations ----------------------------------------------------------------------------- */

static const char *const statuses[] = {"connected", "degraded",     "reconnect_needed",
                                       "paused",    "disconnected", NULL};
static const ShapeField config_fields[] = {
    SHAPE_FIELD("settings", OBJECT, REQ, NULL),
    SHAPE_FIELD("account", OBJECT, MAYBE, "Who the credential is."),
    SHAPE_FIELD("scopes", ARRAY, MAYBE, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("expiresAt", TIME, MAYBE, "Of the credential."),
    {0}};
static const Shape config_shape = {.fields = config_fields};

static const ShapeField integration_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("organizationId", STRING, REQ, NULL),
    SHAPE_FIELD("ownerUserId", STRING, MAYBE, "null: it belongs to the organization."),
    SHAPE_FIELD("integrationType", STRING, REQ, "The provider's id."),
    SHAPE_FIELD("name", STRING, REQ, "Unique in the organization."),
    SHAPE_FIELD("auth", STRING, REQ, NULL),
    SHAPE_FIELD("status", STRING, REQ, NULL, .words = statuses),
    SHAPE_FIELD("statusReason", STRING, MAYBE, NULL),
    SHAPE_FIELD("errorMessage", STRING, MAYBE, NULL),
    SHAPE_FIELD("config", OBJECT, REQ, "Plaintext only.", .of = &config_shape),
    SHAPE_FIELD("enabledChecks", ARRAY, MAYBE, "null: all.", .items = SHAPE_STRING),
    SHAPE_FIELD("evidenceTypes", ARRAY, MAYBE, "null: all.", .items = SHAPE_STRING),
    SHAPE_FIELD("scanSchedule", STRING, MAYBE, "null: the provider's interval."),
    SHAPE_FIELD("lastSyncAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("lastCheckedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("nextCheckAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("lastSyncResult", OBJECT, MAYBE, NULL),
    SHAPE_FIELD("rotationDueAt", TIME, MAYBE,
                "When the secrets of its credential are due to be replaced; null: it has none."),
    SHAPE_FIELD("createdAt", TIME, REQ, NULL),
    SHAPE_FIELD("updatedAt", TIME, REQ, NULL),
    {0}};
const Shape integration_shape = {.name = "Integration",
                                 .about = "A connection of an organization to a provider.",
                                 .fields = integration_fields};
static const ShapeField integration_list_fields[] = {
    SHAPE_FIELD("integrations", ARRAY, REQ, NULL, .of = &integration_shape), NEXT_CURSOR, {0}};
const Shape integration_list_shape = {.name = "IntegrationList", .fields = integration_list_fields};

/* --- jobs ------------------------------------------------------------------------------------- */

static const char *const job_statuses[] = {"pending", "running",   "parked", "completed",
                                           "failed",  "cancelled", NULL};
static const ShapeField error_fields[] = {
    SHAPE_FIELD("evidenceType", STRING, MAYBE, NULL), SHAPE_FIELD("code", STRING, REQ, NULL),
    SHAPE_FIELD("message", STRING, REQ, NULL),        SHAPE_FIELD("retryable", BOOLEAN, REQ, NULL),
    SHAPE_FIELD("details", OBJECT, REQ, NULL),        {0}};
static const Shape error_shape = {.name = "CollectionError", .fields = error_fields};

static const ShapeField failure_fields[] = {SHAPE_FIELD("code", STRING, REQ, NULL),
                                            SHAPE_FIELD("message", STRING, REQ, NULL),
                                            SHAPE_FIELD("retryable", BOOLEAN, 0, NULL),
                                            {0}};
static const Shape failure_shape = {.name = "Failure", .fields = failure_fields, .open = true};

static const ShapeField result_fields[] = {
    SHAPE_FIELD("evidenceCollected", INTEGER, 0, NULL),
    SHAPE_FIELD("evidenceFailed", INTEGER, 0, "Types without a record."),
    SHAPE_FIELD("controlsUpdated", INTEGER, 0, NULL),
    SHAPE_FIELD("errors", ARRAY, 0, NULL, .of = &error_shape),
    SHAPE_FIELD("parkedUntil", STRING, 0, NULL),
    {0}};
static const Shape result_shape = {.name = "JobResult",
                                   .about =
                                       "Of a sync; the result of a test or connect is its answer.",
                                   .fields = result_fields,
                                   .open = true};

static const ShapeField job_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("kind", STRING, 0, "Of a job that is no sync: connect, test."),
    SHAPE_FIELD("integrationId", STRING, MAYBE, NULL),
    SHAPE_FIELD("organizationId", STRING, REQ, NULL),
    SHAPE_FIELD("status", STRING, REQ, NULL, .words = job_statuses),
    SHAPE_FIELD("evidenceTypes", ARRAY, 0, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("attempt", INTEGER, 0, NULL),
    SHAPE_FIELD("priority", INTEGER, 0, NULL),
    SHAPE_FIELD("createdAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("startedAt", TIME, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("completedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("dueAt", TIME, SHAPE_NULLABLE, "When it is looked at next."),
    SHAPE_FIELD("calledOffAt", TIME, SHAPE_NULLABLE, "Whoever runs it ends it within seconds."),
    SHAPE_FIELD("progress", OBJECT, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("result", OBJECT, MAYBE, NULL, .of = &result_shape),
    SHAPE_FIELD("error", OBJECT, MAYBE, NULL, .of = &failure_shape),
    {0}};
const Shape job_shape_of_api = {.name = "Job", .fields = job_fields};
static const ShapeField job_list_fields[] = {
    SHAPE_FIELD("jobs", ARRAY, REQ, NULL, .of = &job_shape_of_api), NEXT_CURSOR, {0}};
const Shape job_list_shape = {.name = "JobList", .fields = job_list_fields};

static const ShapeField queued_fields[] = {
    SHAPE_FIELD("jobId", ID, REQ, NULL),
    SHAPE_FIELD("events", STRING, REQ, "Where its events are."),
    SHAPE_FIELD("job", OBJECT, REQ, NULL, .of = &job_shape_of_api),
    {0}};
const Shape queued_shape = {
    .name = "Queued", .about = "A job that was queued.", .fields = queued_fields};

/* --- evidence --------------------------------------------------------------------------------- */

static const char *const reviews[] = {"collected", "approved", "rejected", NULL};
static const ShapeField quality_fields[] = {SHAPE_FIELD("completeness", NUMBER, REQ, NULL),
                                            SHAPE_FIELD("freshness", NUMBER, REQ, NULL),
                                            SHAPE_FIELD("directness", NUMBER, REQ, NULL),
                                            {0}};
static const Shape quality_shape = {.fields = quality_fields};

static const ShapeField evidence_fields[] = {
    SHAPE_FIELD("id", ID, REQ, NULL),
    SHAPE_FIELD("organizationId", STRING, REQ, NULL),
    SHAPE_FIELD("integrationId", STRING, REQ, NULL),
    SHAPE_FIELD("jobId", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("evidenceType", STRING, REQ, NULL),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("description", STRING, SHAPE_NULLABLE, NULL),
    SHAPE_FIELD("type", STRING, REQ, NULL),
    SHAPE_FIELD("source", STRING, REQ, "The provider's id."),
    SHAPE_FIELD("metadata", ANYTHING, 0, NULL),
    SHAPE_FIELD("completeness", OBJECT, 0, "What was read, and what was not."),
    SHAPE_FIELD("collectedAt", TIME, REQ, NULL),
    SHAPE_FIELD("validFrom", TIME, REQ, NULL),
    SHAPE_FIELD("validUntil", TIME, REQ, NULL),
    SHAPE_FIELD("sha256", STRING, MAYBE, "Of the data."),
    SHAPE_FIELD("ledgerIndex", INTEGER, REQ, NULL),
    SHAPE_FIELD("reviewState", STRING, REQ, NULL, .words = reviews),
    SHAPE_FIELD("reviewedBy", STRING, MAYBE, "null: nobody has reviewed it."),
    SHAPE_FIELD("reviewedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("reviewComment", STRING, MAYBE, NULL),
    SHAPE_FIELD("quality", NUMBER, REQ, "completeness x freshness x directness"),
    SHAPE_FIELD("qualityParts", OBJECT, REQ, NULL, .of = &quality_shape),
    SHAPE_FIELD("data", ANYTHING, 0, "What was collected; in lists it is left out."),
    {0}};
const Shape evidence_shape = {.name = "Evidence", .fields = evidence_fields, .open = true};
static const ShapeField evidence_list_fields[] = {
    SHAPE_FIELD("evidence", ARRAY, REQ, NULL, .of = &evidence_shape), NEXT_CURSOR, {0}};
const Shape evidence_list_shape = {.name = "EvidenceList", .fields = evidence_list_fields};

/* --- findings --------------------------------------------------------------------------------- */

static const char *const finding_states[] = {"open", "resolved", NULL};
static const ShapeField finding_fields[] = {
    SHAPE_FIELD("check", STRING, REQ, "TYPE.CHECK"),
    SHAPE_FIELD("evidenceType", STRING, MAYBE, NULL),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("severity", STRING, REQ, NULL, .words = severities),
    SHAPE_FIELD("resource", STRING, REQ, NULL),
    SHAPE_FIELD("state", STRING, REQ, NULL, .words = finding_states),
    SHAPE_FIELD("integrationId", STRING, REQ, NULL),
    SHAPE_FIELD("integration", STRING, MAYBE, "Its name."),
    SHAPE_FIELD("provider", STRING, MAYBE, NULL),
    SHAPE_FIELD("evidenceId", STRING, MAYBE, NULL),
    SHAPE_FIELD("openedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("lastSeenAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("resolvedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("remediation", STRING, MAYBE, NULL),
    SHAPE_FIELD("controls", OBJECT, REQ, "Framework -> ids."),
    {0}};
static const Shape finding_shape = {.name = "Finding", .fields = finding_fields};
static const ShapeField finding_list_fields[] = {
    SHAPE_FIELD("findings", ARRAY, REQ, NULL, .of = &finding_shape), NEXT_CURSOR, {0}};
const Shape finding_list_shape = {.name = "FindingList", .fields = finding_list_fields};

/* --- frameworks, controls, scores ------------------------------------------------------------- */

static const char *const control_statuses[] = {
    "compliant",   "partial",        "non_compliant", "inconclusive", "stale",
    "no_evidence", "not_applicable", "manual",        "exception",    NULL};
static const ShapeField score_fields[] = {
    SHAPE_FIELD("score", NUMBER, REQ, "0 to 1: met weight / applicable weight."),
    SHAPE_FIELD("metWeight", NUMBER, REQ, NULL),
    SHAPE_FIELD("applicableWeight", NUMBER, REQ, NULL),
    SHAPE_FIELD("controls", INTEGER, REQ, NULL),
    SHAPE_FIELD("counts", OBJECT, REQ, "Status -> number of controls."),
    SHAPE_FIELD("points", OBJECT, 0, "NIST SP 800-171: the score of its own assessment method."),
    {0}};
static const Shape score_shape = {.name = "Score", .fields = score_fields};

static const ShapeField framework_fields[] = {
    SHAPE_FIELD("id", STRING, REQ, NULL),
    SHAPE_FIELD("name", STRING, REQ, NULL),
    SHAPE_FIELD("edition", STRING, MAYBE, NULL),
    SHAPE_FIELD("aliases", ARRAY, REQ, NULL, .items = SHAPE_STRING),
    SHAPE_FIELD("controls", INTEGER, REQ, "How many."),
    {0}};
static const Shape framework_shape = {.name = "Framework", .fields = framework_fields};
static const ShapeField framework_list_fields[] = {
    SHAPE_FIELD("frameworks", ARRAY, REQ, NULL, .of = &framework_shape), NEXT_CURSOR, {0}};
const Shape framework_list_shape = {.name = "FrameworkList", .fields = framework_list_fields};

static const ShapeField judged_fields[] = {
    SHAPE_FIELD("check", STRING, REQ, NULL),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("severity", STRING, REQ, NULL, .words = severities),
    SHAPE_FIELD("evidenceType", STRING, REQ, NULL),
    SHAPE_FIELD("integrationId", STRING, REQ, NULL),
    SHAPE_FIELD("integration", STRING, REQ, NULL),
    SHAPE_FIELD("verdict", STRING, MAYBE, NULL, .words = verdicts),
    SHAPE_FIELD("evidenceId", STRING, MAYBE, NULL),
    SHAPE_FIELD("reason", STRING, MAYBE, NULL),
    SHAPE_FIELD("collectedAt", TIME, MAYBE, NULL),
    SHAPE_FIELD("validUntil", TIME, MAYBE, NULL),
    {0}};
static const Shape judged_shape = {.name = "ControlCheck", .fields = judged_fields};

static const char *const mapping_origins[] = {"definition", "framework", "organization", NULL};
static const ShapeField mapped_fields[] = {
    SHAPE_FIELD("provider", STRING, REQ, NULL),
    SHAPE_FIELD("evidenceType", STRING, REQ, NULL),
    SHAPE_FIELD("check", STRING, REQ, "TYPE.CHECK."),
    SHAPE_FIELD("title", STRING, REQ, NULL),
    SHAPE_FIELD("severity", STRING, REQ, NULL, .words = severities),
    SHAPE_FIELD("origin", STRING, REQ, "Who says that it supports the control.",
                .words = mapping_origins),
    SHAPE_FIELD("setAside", BOOLEAN, REQ, "The organization does not count it."),
    SHAPE_FIELD("by", STRING, MAYBE, "Who has changed it."),
    SHAPE_FIELD("reason", STRING, MAYBE, NULL),
    SHAPE_FIELD("changedAt", TIME, MAYBE, NULL),
    {0}};
static const Shape mapped_shape = {.name = "MappedCheck", .fields = mapped_fields};

static const ShapeField control_fields[] = {
    SHAPE_FIELD("id", STRING, REQ, NULL),
    SHAPE_FIELD("framework", STRING, 0, "In the reply for one control."),
    SHAPE_FIELD("title", STRING, REQ, "In our own words."),
    SHAPE_FIELD("level", STRING, 0, NULL),
    SHAPE_FIELD("weight", NUMBER, REQ, NULL),
    SHAPE_FIELD("status", STRING, REQ, NULL, .words = control_statuses),
    SHAPE_FIELD("verdict", STRING, MAYBE, "What stale and exception keep beside them.",
                .words = control_statuses),
    SHAPE_FIELD("reason", STRING, MAYBE, NULL),
    SHAPE_FIELD("confidence", NUMBER, REQ, NULL),
    SHAPE_FIELD("confidenceParts", OBJECT, REQ, NULL),
    SHAPE_FIELD("checks", ARRAY, REQ, NULL, .of = &judged_shape),
    SHAPE_FIELD("checkCount", INTEGER, REQ, "Of which `checks` has at most 200."),
    SHAPE_FIELD("mapping", ARRAY, 0,
                "In the reply for one control: the checks that support it, of all services.",
                .of = &mapped_shape),
    {0}};
const Shape control_shape = {.name = "Control", .fields = control_fields};

static const ShapeField control_list_fields[] = {
    SHAPE_FIELD("framework", STRING, REQ, NULL),
    SHAPE_FIELD("name", STRING, REQ, NULL),
    SHAPE_FIELD("edition", STRING, MAYBE, NULL),
    SHAPE_FIELD("score", OBJECT, REQ, NULL, .of = &score_shape),
    SHAPE_FIELD("unserved", INTEGER, REQ, "Controls that only what is not connected could serve."),
    SHAPE_FIELD("controls", ARRAY, REQ, NULL, .of = &control_shape),
    NEXT_CURSOR,
    {0}};
const Shape control_list_shape = {.name = "ControlList", .fields = control_list_fields};

static const ShapeField taken_fields[] = {SHAPE_FIELD("framework", STRING, REQ, NULL),
                                          SHAPE_FIELD("takenAt", TIME, REQ, NULL),
                                          SHAPE_FIELD("score", NUMBER, REQ, NULL),
                                          SHAPE_FIELD("metWeight", NUMBER, REQ, NULL),
                                          SHAPE_FIELD("applicableWeight", NUMBER, REQ, NULL),
                                          SHAPE_FIELD("counts", OBJECT, REQ, NULL),
                                          {0}};
static const Shape taken_shape = {.name = "ScoreTaken", .fields = taken_fields};
static const ShapeField score_list_fields[] = {
    SHAPE_FIELD("scores", ARRAY, REQ, "The newest first.", .of = &taken_shape), NEXT_CURSOR, {0}};
const Shape score_list_shape = {.name = "ScoreList", .fields = score_list_fields};

/* --- schedules and configuration -------------------------------------------------------------- */

static const ShapeField schedule_fields[] = {
    SHAPE_FIELD("id", STRING, REQ, "The integration's id, daily_sync or weekly_renewal."),
    SHAPE_FIELD("integrationId", STRING, MAYBE, "null: a round of the organization."),
    SHAPE_FIELD("rule", STRING, MAYBE, "An interval or a cron expression; null: the default."),
    SHAPE_FIELD("timeZone", STRING, MAYBE, NULL),
    SHAPE_FIELD("when", STRING, SHAPE_NULLABLE, "The rule that holds, for people: every 4h."),
    SHAPE_FIELD("paused", BOOLEAN, REQ, NULL),
    SHAPE_FIELD("dueAt", TIME, MAYBE, "null: paused, or not planned yet."),
    SHAPE_FIELD("lastAt", TIME, MAYBE, NULL),
    {0}};
const Shape schedule_shape = {.name = "Schedule", .fields = schedule_fields};
static const ShapeField schedule_list_fields[] = {
    SHAPE_FIELD("schedules", ARRAY, REQ, NULL, .of = &schedule_shape), NEXT_CURSOR, {0}};
const Shape schedule_list_shape = {.name = "ScheduleList", .fields = schedule_list_fields};

static const ShapeField open_fields[] = {{0}};
const Shape configuration_shape = {
    .name = "Configuration",
    .about = "The effective settings with their origin; secrets are [secret].",
    .fields = open_fields,
    .open = true};
