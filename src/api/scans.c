#include "api/scans.h"

#include "api/integration_row.h"
#include "api/integration_sync.h"
#include "api/object_shape.h"
#include "api/page.h"
#include "api/revision.h"
#include "api/scan_shape.h"
#include "base/clock.h"
#include "base/id.h"
#include "store/assessment.h"
#include "store/scan.h"
#include "sync/schedule.h"

#include <string.h>

/* --- asking for a scan ------------------------------------------------------------------------ */

typedef struct {
    IntegrationTarget target;
    Job *job; /* NULL: nothing is collected from it */
} Asking;

static void asking_clear(Asking *asking) {
    g_clear_pointer(&asking->job, job_free);
    integration_target_clear(&asking->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Asking, asking_clear)

static bool has_types(const IntegrationTarget *target) {
    const char *text = target->found.row->evidence_types;
    g_autoptr(Json) chosen = text ? json_parse(text, strlen(text), STORE_JSON_MAX, NULL) : NULL;
    return target->definition->type_count > 0 && (!chosen || json_count(chosen) > 0);
}

static bool write_wish(DbUnit *unit, Call *call, void *data, GError **error) {
    static const SyncRequest all = {.cause = SYNC_PERSON};
    Asking *asking = data;
    return integration_sync_runs(call, asking->target.found.row, error) &&
           scan_call(unit, asking->target.id, error) &&
           (!has_types(&asking->target) ||
            integration_sync_in(unit, call, &asking->target, &all, &asking->job, error));
}

static const Revision asking_revision = {.read = integration_target_read,
                                         .may = integration_target_may,
                                         .show = integration_target_show,
                                         .write = write_wish,
                                         .removes = true};

static bool ask_for_scan(Call *call, GError **error) {
    g_auto(Asking) asking = {0};
    if (!integration_target_init(&asking.target, call, error) ||
        !integration_sync_prepare(call, error) ||
        !revision_make(call, &asking_revision, &asking, error))
        return false;
    Json *json = asking.job ? integration_sync_told(call, asking.job) : json_new_object();
    json_put_bool(json, "success", true);
    json_put_string(json, "id", asking.target.id);
    return call_answer(call, 202, json);
}

/* --- a scanner was there ---------------------------------------------------------------------- */

typedef struct {
    Call *call;
    const Integration *row;
    const Definition *definition;
    Assessment assessment; /* without an id: none, it is done */
    int64_t next_at;
} VisitWork;

static bool visit_work(DbUnit *unit, void *data, GError **error) {
    VisitWork *work = data;
    bool done = !work->assessment.id;
    if (!schedule_after_scan(unit, work->row, work->definition, &work->next_at, error))
        return false;
    ScanVisit visit = {.integration_id = work->row->id, .next_at = work->next_at, .done = done};
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "check", work->assessment.check_name);
    json_put_string(details, "result", work->assessment.result);
    return scan_note(unit, &visit, error) &&
           (done || (assessment_insert(unit, &work->assessment, error) &&
                     integration_row_audit(unit, work->call, AUDIT_ASSESSMENT_POSTED, work->row,
                                           details, error)));
}

static bool end_scan(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    VisitWork work = {.call = call, .row = found.row};
    work.definition = integration_row_definition(call, found.row, error);
    if (!work.definition || !call_run(call, DB_WRITE, visit_work, &work, error))
        return false;
    call->values[0] = found.row->id;
    g_auto(IntegrationRow) now = {0};
    return integration_row_find(call, &now, error) &&
           call_answer(call, 200, integration_row_object(call, &now));
}

/* --- assessments ------------------------------------------------------------------------------ */

static Json *assessment_object(const Assessment *row) {
    Json *json = json_new_object();
    json_put_string(json, "id", row->id);
    json_put_string(json, "integrationId", row->integration_id);
    json_put_string(json, "check", row->check_name);
    json_put_string(json, "resource", row->resource);
    json_put_string(json, "result", row->result);
    json_put(json, "details",
             row->details ? json_parse(row->details, strlen(row->details), STORE_JSON_MAX, NULL)
                          : NULL);
    json_put_string(json, "scanner", row->scanner_name);
    json_put_time(json, "assessedAt", row->assessed_at);
    return json;
}

static bool check_named(Call *call, const char *member, GError **error) {
    g_autofree char *pointer = g_strconcat("/", member, NULL);
    return *json_member_string(call->body, member, "") != '\0' ||
           call_wrong(call, error, pointer, "must not be empty");
}

static bool store_assessment(Call *call, const Integration *row, GError **error) {
    char id[ID_SIZE];
    const Json *details = json_member(call->body, "details");
    bool given = details && json_kind(details) != JSON_KIND_NULL;
    g_autofree char *text = given ? json_print(details, JSON_COMPACT) : NULL;
    id_write(id);
    if (!check_named(call, "check", error) || !check_named(call, "resource", error))
        return false;
    if (text && strlen(text) > ASSESSMENT_DETAILS_MAX)
        return call_wrong(call, error, "/details", "has more than 64 KiB");
    VisitWork work = {.call = call,
                      .row = row,
                      .assessment = {.id = id,
                                     .integration_id = row->id,
                                     .check_name = json_member_string(call->body, "check", NULL),
                                     .resource = json_member_string(call->body, "resource", NULL),
                                     .result = json_member_string(call->body, "result", NULL),
                                     .details = text,
                                     .scanner = call->caller->id,
                                     .scanner_name = call->caller->name}};
    work.definition = integration_row_definition(call, row, error);
    if (!work.definition || !call_run(call, DB_WRITE, visit_work, &work, error))
        return false;
    work.assessment.assessed_at = clock_now_ms();
    return call_answer(call, 201, assessment_object(&work.assessment));
}

static bool post_assessment(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    const char *id = json_member_string(call->body, "integrationId", "");
    return integration_row_find_by(call, id, &found, error) &&
           integration_row_require(call, found.row, error) &&
           store_assessment(call, found.row, error);
}

typedef struct {
    const Call *call;
    AssessmentFilter filter;
    Page page;
} ListWork;

static bool keep(const void *row, void *data) {
    const Assessment *assessment = row;
    RoleResource resource = {.integration_id = assessment->integration_id,
                             .at = assessment->assessed_at};
    return call_may(((const ListWork *)data)->call, &resource);
}

static bool read_rows(DbUnit *unit, void *data, const char *cursor, int64_t limit,
                      GPtrArray **rows_out, GError **error) {
    AssessmentFilter filter = ((const ListWork *)data)->filter;
    filter.before_id = cursor;
    filter.limit = limit;
    return assessment_list(unit, &filter, rows_out, error);
}

static const char *cursor_of(const void *row) {
    return ((const Assessment *)row)->id;
}

static void free_row(void *row) {
    assessment_free(row);
}

static const PageSource source = {read_rows, keep, cursor_of, free_row};

static bool list_work(DbUnit *unit, void *data, GError **error) {
    return page_read(unit, &((ListWork *)data)->page, error);
}

static bool list_assessments(Call *call, GError **error) {
    g_autofree char *integration_id = NULL;
    if (!integration_row_filter(call, &integration_id, error))
        return false;
    ListWork work = {.call = call,
                     .filter = {.integration_id = integration_id,
                                .check_name = call_query(call, "check"),
                                .result = call_query(call, "result")}};
    work.page.source = &source;
    work.page.data = &work;
    bool ok = call_limit(call, &work.page.limit, error) &&
              call_cursor(call, &work.page.cursor, error) &&
              call_run(call, DB_READ, list_work, &work, error);
    Json *all = json_new_array();
    for (guint i = 0; ok && i < work.page.rows->len; i++)
        json_add(all, assessment_object(g_ptr_array_index(work.page.rows, i)));
    if (ok)
        (void)call_answer_list(call, "assessments", all, work.page.next);
    else
        json_free(all);
    page_clear(&work.page);
    return ok;
}

/* --- routes ----------------------------------------------------------------------------------- */

#define TAG "Scanners"

const Route scan_routes[] = {
    {.method = "POST",
     .path = "/api/integrations/{id}/scan",
     .id = "scanIntegration",
     .tag = TAG,
     .summary = "Makes it due for scanners now, and syncs it when it has evidence types.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SCAN,
     .handle = ask_for_scan,
     .status = 202,
     .reply = &scan_asked_shape},
    {.method = "POST",
     .path = "/api/integrations/{id}/scan/done",
     .id = "endScan",
     .tag = TAG,
     .summary = "A scanner is done with it: it is due again at its next time.",
     .access = ACCESS_ROLE,
     .action = ACTION_INTEGRATION_SCAN,
     .handle = end_scan,
     .reply = &integration_shape},
    {.method = "POST",
     .path = "/api/assessments",
     .id = "postAssessment",
     .tag = TAG,
     .summary = "What a scanner has found: one check of one resource.",
     .access = ACCESS_ROLE,
     .action = ACTION_ASSESSMENT_WRITE,
     .handle = post_assessment,
     .body = &assessment_request_shape,
     .status = 201,
     .reply = &assessment_shape},
    {.method = "GET",
     .path = "/api/assessments",
     .id = "listAssessments",
     .tag = TAG,
     .summary = "What scanners have found, the newest first.",
     .access = ACCESS_ROLE,
     .action = ACTION_ASSESSMENT_READ,
     .flags = ROUTE_LIST,
     .handle = list_assessments,
     .query = &assessment_query,
     .reply = &assessment_list_shape},
    {0}};
