#include "api/audit.h"

#include "api/audit_export.h"
#include "api/call.h"
#include "api/people_shape.h"
#include "present/audit_object.h"
#include "store/audit.h"
#include "store/audit_tree.h"

#include <string.h>

#define EXPORT_MOST 1000000 /* entries of a part */
#define EXPORT_MEDIA "application/x-ndjson"

/* --- what was asked for ----------------------------------------------------------------------- */

/* An auditor's period narrows what he asked for. */
static void narrow(const Call *call, AuditFilter *filter) {
    const RoleSubject *subject = &call->caller->subject;
    if (call->route->access != ACCESS_ROLE || subject->role != ROLE_AUDITOR)
        return;
    filter->from = MAX(filter->from, subject->period_from);
    if (subject->period_until != 0)
        filter->until =
            filter->until == 0 ? subject->period_until : MIN(filter->until, subject->period_until);
}

static bool read_filter(Call *call, AuditFilter *filter, GError **error) {
    const char *order = call_query(call, "order");
    filter->action = call_query(call, "action");
    filter->actor_id = call_query(call, "actor");
    filter->target_id = call_query(call, "target");
    filter->result = call_query(call, "result");
    filter->oldest_first = order && strcmp(order, "oldest") == 0;
    if (!call_time(call, "from", &filter->from, error) ||
        !call_time(call, "until", &filter->until, error) ||
        !call_cursor(call, &filter->before_id, error))
        return false;
    filter->after_id = filter->before_id;
    narrow(call, filter);
    return true;
}

/* What belongs to the installation is in a log of its own. */
static DbScope scope_of(const Call *call) {
    DbScope scope = call->scope;
    if (call->route->access == ACCESS_OPERATOR)
        scope.organization = AUDIT_INSTALLATION;
    return scope;
}

/* --- list ------------------------------------------------------------------------------------- */

typedef struct {
    AuditFilter filter;
    GPtrArray *rows;
} ListWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return audit_list(unit, &work->filter, &work->rows, error);
}

static bool list(Call *call, GError **error) {
    ListWork work = {0};
    DbScope scope = scope_of(call);
    bool ok = call_limit(call, &work.filter.limit, error) &&
              read_filter(call, &work.filter, error) &&
              db_run(call_db(call), &scope, DB_READ, list_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    Json *all = json_new_array();
    const char *next = NULL;
    for (guint i = 0; i < rows->len; i++) {
        const AuditRow *row = g_ptr_array_index(rows, i);
        json_add(all, audit_object(row));
        next = (int64_t)rows->len == work.filter.limit ? row->id : NULL;
    }
    return call_answer_list(call, "audit", all, next);
}

/* --- export ----------------------------------------------------------------------------------- */

static bool note_work(DbUnit *unit, void *data, GError **error) {
    AuditActor actor = call_actor(data);
    AuditEntry entry = {.action = AUDIT_EXPORTED, .actor = &actor};
    return audit_add(unit, &entry, error);
}

/* limit: 1 to EXPORT_MOST; by default all there is. */
static bool read_part(Call *call, AuditFilter *filter, GError **error) {
    const char *text = call_query(call, "limit");
    guint64 limit = 0;
    if (text && !g_ascii_string_to_unsigned(text, 10, 1, EXPORT_MOST, &limit, NULL)) {
        g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "limit is a number from 1 to %d.",
                    EXPORT_MOST);
        return false;
    }
    filter->limit = (int64_t)limit;
    return true;
}

static bool export_audit(Call *call, GError **error) {
    AuditFilter filter = {0};
    DbScope scope = scope_of(call);
    AuditExport wish = {.desk = call->desk, .scope = &scope, .filter = &filter};
    if (!read_filter(call, &filter, error) || !read_part(call, &filter, error) ||
        !db_run(call_db(call), &scope, DB_WRITE, note_work, call, error))
        return false;
    reply_take_stream(&call->reply, 200, EXPORT_MEDIA, audit_export(&wish));
    reply_set_header(&call->reply, "Content-Disposition", "attachment; filename=\"audit.ndjson\"");
    return true;
}

/* --- proof ------------------------------------------------------------------------------------ */

typedef struct {
    const char *id;
    AuditRow *row;
    AuditProof proof;
} ProofWork;

static void proof_work_clear(ProofWork *work) {
    g_clear_pointer(&work->row, audit_row_free);
    audit_proof_clear(&work->proof);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ProofWork, proof_work_clear)

static bool proof_work(DbUnit *unit, void *data, GError **error) {
    ProofWork *work = data;
    proof_work_clear(work);
    return audit_get(unit, work->id, &work->row, error) &&
           audit_tree_prove(unit, work->id, &work->proof, error);
}

static bool prove(Call *call, GError **error) {
    g_auto(ProofWork) work = {.id = call_parameter(call, "id")};
    DbScope scope = scope_of(call);
    if (!db_run(call_db(call), &scope, DB_READ, proof_work, &work, error))
        return false;
    /* Outside an auditor's period there is nothing. */
    if (!call_may(call, &(RoleResource){.at = work.row->at}))
        return call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                           "There is no such audit row in this organization.");
    return call_answer(call, 200, audit_proof_object(work.row, &work.proof));
}

/* --- activity --------------------------------------------------------------------------------- */

typedef struct {
    const char *cursor;
    int64_t limit;
    GPtrArray *rows;
} ActivityWork;

static bool activity_work(DbUnit *unit, void *data, GError **error) {
    ActivityWork *work = data;
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    return activity_list(unit, work->cursor, work->limit, &work->rows, error);
}

static bool list_activity(Call *call, GError **error) {
    ActivityWork work = {0};
    bool ok = call_limit(call, &work.limit, error) && call_cursor(call, &work.cursor, error) &&
              call_run(call, DB_READ, activity_work, &work, error);
    g_autoptr(GPtrArray) rows = work.rows;
    if (!ok)
        return false;
    Json *all = json_new_array();
    const char *next = NULL;
    for (guint i = 0; i < rows->len; i++) {
        const Activity *row = g_ptr_array_index(rows, i);
        if (call_may(call, &(RoleResource){.at = row->at}))
            json_add(all, activity_object(row));
        next = (int64_t)rows->len == work.limit ? row->id : NULL;
    }
    return call_answer_list(call, "activity", all, next);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const char *const results[] = {"ok", "denied", "failed", NULL};
static const char *const orders[] = {"newest", "oldest", NULL};
#define FILTERS                                                                                    \
    SHAPE_FIELD("action", STRING, 0, "\"session.login\", or \"session.\" for all of its kind."),   \
        SHAPE_FIELD("actor", STRING, 0, "Id, e-mail address or name of a token."),                 \
        SHAPE_FIELD("target", STRING, 0, "Id or name of what it was done to."),                    \
        SHAPE_FIELD("result", STRING, 0, NULL, .words = results),                                  \
        SHAPE_FIELD("from", TIME, 0, NULL), SHAPE_FIELD("until", TIME, 0, "Excluded."),            \
        SHAPE_FIELD("order", STRING, 0, "newest is the default.", .words = orders)

static const ShapeField filter_fields[] = {FILTERS, {0}};
static const Shape filter_shape = {.fields = filter_fields};

static const ShapeField export_fields[] = {
    FILTERS,
    SHAPE_FIELD("limit", INTEGER, 0, "So many entries at most; by default all.", .least = 1,
                .most = EXPORT_MOST),
    SHAPE_FIELD("cursor", STRING, 0, "Id of an entry: what comes behind it."),
    {0}};
static const Shape export_shape = {.fields = export_fields};

const Route audit_routes[] = {
    {.method = "GET",
     .path = "/api/audit",
     .id = "listAudit",
     .tag = "Audit",
     .summary = "Who did what, to what, from where, with what result.",
     .access = ACCESS_ROLE,
     .action = ACTION_AUDIT_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &filter_shape,
     .reply = &audit_list_shape},
    {.method = "GET",
     .path = "/api/audit/export",
     .id = "exportAudit",
     .tag = "Audit",
     .summary = "The same, one object a line, however many they are.",
     .access = ACCESS_ROLE,
     .action = ACTION_AUDIT_READ,
     .handle = export_audit,
     .query = &export_shape,
     .media = EXPORT_MEDIA},
    {.method = "GET",
     .path = "/api/audit/{id}/proof",
     .id = "proveAudit",
     .tag = "Audit",
     .summary = "The proof that an entry is in the sealed log.",
     .access = ACCESS_ROLE,
     .action = ACTION_AUDIT_READ,
     .handle = prove,
     .reply = &audit_proof_shape},
    {.method = "GET",
     .path = "/api/activity",
     .id = "listActivity",
     .tag = "Audit",
     .summary = "What happened, in sentences for people.",
     .access = ACCESS_ROLE,
     .action = ACTION_ACTIVITY_READ,
     .flags = ROUTE_LIST,
     .handle = list_activity,
     .reply = &activity_list_shape},
    {.method = "GET",
     .path = "/api/installation/audit",
     .id = "listInstallationAudit",
     .tag = "Operations",
     .summary = "What belongs to no organization: logins, the operator's actions.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &filter_shape,
     .reply = &audit_list_shape},
    {.method = "GET",
     .path = "/api/installation/audit/export",
     .id = "exportInstallationAudit",
     .tag = "Operations",
     .summary = "The same, one object a line, however many they are.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .handle = export_audit,
     .query = &export_shape,
     .media = EXPORT_MEDIA},
    {.method = "GET",
     .path = "/api/installation/audit/{id}/proof",
     .id = "proveInstallationAudit",
     .tag = "Operations",
     .summary = "The proof that an entry is in the installation's sealed log.",
     .access = ACCESS_OPERATOR,
     .action = ACTION_INSTALLATION_READ,
     .handle = prove,
     .reply = &audit_proof_shape},
    {0}};
