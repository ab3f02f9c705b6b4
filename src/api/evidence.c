#include "api/evidence.h"

#include "api/call.h"
#include "api/document_stream.h"
#include "api/etag.h"
#include "api/integration_row.h"
#include "api/object_shape.h"
#include "api/page.h"
#include "api/revision.h"
#include "base/clock.h"
#include "base/id.h"
#include "comply/mapping.h"
#include "present/evidence_object.h"

#include <string.h>

#define KEPT "private, no-cache" /* by clients that ask with their tag */

/* --- what a list is narrowed to --------------------------------------------------------------- */

typedef struct {
    const Call *call;
    EvidenceFilter filter;
    char *integration_id;
    double quality;       /* 0: any */
    const char *review;   /* NULL: any */
    GHashTable *supports; /* "source/type" of a control; NULL: any */
    int64_t now_ms;
    Page page;
    GPtrArray *reviews; /* Review, or NULL, of each row of the page */
} ListWork;

static void list_work_clear(ListWork *work) {
    page_clear(&work->page);
    g_clear_pointer(&work->integration_id, g_free);
    g_clear_pointer(&work->reviews, g_ptr_array_unref);
    if (work->supports)
        g_hash_table_unref(work->supports);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ListWork, list_work_clear)

static bool may_see(const Call *call, const Evidence *evidence) {
    RoleResource resource = {.integration_id = evidence->integration_id,
                             .at = evidence->collected_at};
    return call_may(call, &resource);
}

static bool keep(const void *row, void *data) {
    const Evidence *evidence = row;
    const ListWork *work = data;
    g_autofree char *key =
        work->supports ? g_strdup_printf("%s/%s", evidence->source, evidence->evidence_type) : NULL;
    return may_see(work->call, evidence) &&
           (work->quality <= 0 || evidence_quality(evidence, work->now_ms) >= work->quality) &&
           (!work->review || strcmp(work->review, evidence->review_state) == 0) &&
           (!key || g_hash_table_contains(work->supports, key));
}

static bool read_rows(DbUnit *unit, void *data, const char *cursor, int64_t limit,
                      GPtrArray **rows_out, GError **error) {
    ListWork *work = data;
    EvidenceFilter filter = work->filter;
    filter.before_id = cursor;
    filter.limit = limit;
    return evidence_list(unit, &filter, rows_out, error);
}

static const char *cursor_of(const void *row) {
    return ((const Evidence *)row)->id;
}

static void free_row(void *row) {
    evidence_free(row);
}

static void free_review(void *review) {
    review_free(review);
}

static const PageSource source = {read_rows, keep, cursor_of, free_row};

/* --- the control filter ----------------------------------------------------------------------- */

static bool read_changes(DbUnit *unit, void *data, GError **error) {
    GPtrArray **changes = data;
    g_clear_pointer(changes, g_ptr_array_unref);
    return control_mapping_list(unit, NULL, changes, error);
}

static bool is_mapped(const Definition *definition, const EvidenceType *type, const GArray *wanted,
                      const GPtrArray *changes) {
    for (guint i = 0; i < wanted->len; i++)
        if (mapping_supports(definition, type, &g_array_index(wanted, ControlRef, i), changes))
            return true;
    return false;
}

static void add_supports(GHashTable *supports, const Definition *definition, const GArray *wanted,
                         const GPtrArray *changes) {
    for (size_t t = 0; t < definition->type_count; t++) {
        const EvidenceType *type = &definition->types[t];
        if (is_mapped(definition, type, wanted, changes))
            g_hash_table_add(supports, g_strdup_printf("%s/%s", definition->id, type->name));
    }
}

/* All evidence types of all providers that support a control. */
static bool find_supports(Call *call, const char *control, GHashTable **supports_out,
                          GError **error) {
    GPtrArray *read = NULL;
    g_autoptr(GArray) wanted = framework_control_find(control, error);
    Registry *registry = wanted ? call_registry(call, error) : NULL;
    bool ok = registry && call_run(call, DB_READ, read_changes, &read, error);
    g_autoptr(GPtrArray) changes = read;
    if (!ok)
        return false;
    GHashTable *supports = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (const char *const *id = registry_ids(registry); *id; id++) {
        const Definition *definition = registry_find(registry, *id, NULL);
        if (definition)
            add_supports(supports, definition, wanted, changes);
    }
    *supports_out = supports;
    return true;
}

/* --- lists ------------------------------------------------------------------------------------ */

static bool read_quality(const Call *call, double *quality_out, GError **error) {
    const char *text = call_query(call, "quality");
    char *end = NULL;
    *quality_out = text ? g_ascii_strtod(text, &end) : 0;
    if (!text || (end != text && *end == '\0' && *quality_out >= 0 && *quality_out <= 1))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE, "quality is a number from 0 to 1.");
    return false;
}

/* Names of providers are accepted in all their forms. */
static bool read_source(Call *call, ListWork *work, GError **error) {
    const char *name = call_query(call, "source");
    Registry *registry = name ? call_registry(call, error) : NULL;
    if (!name)
        return true;
    if (!registry)
        return false;
    const char *id = registry_resolve(registry, name);
    work->filter.source = id ? id : name;
    return true;
}

static bool read_integration(Call *call, ListWork *work, GError **error) {
    bool ok = integration_row_filter(call, &work->integration_id, error);
    work->filter.integration_id = work->integration_id;
    return ok;
}

static bool read_list_wish(Call *call, ListWork *work, GError **error) {
    const char *control = call_query(call, "control");
    work->call = call;
    work->now_ms = clock_now_ms();
    work->review = call_query(call, "reviewState");
    work->filter.evidence_type = call_query(call, "type");
    work->page.source = &source;
    work->page.data = work;
    return call_limit(call, &work->page.limit, error) &&
           call_cursor(call, &work->page.cursor, error) &&
           call_time(call, "from", &work->filter.from_ms, error) &&
           call_time(call, "to", &work->filter.to_ms, error) &&
           read_quality(call, &work->quality, error) && read_source(call, work, error) &&
           read_integration(call, work, error) &&
           (!control || find_supports(call, control, &work->supports, error));
}

static bool list_work(DbUnit *unit, void *data, GError **error) {
    ListWork *work = data;
    g_clear_pointer(&work->reviews, g_ptr_array_unref);
    work->reviews = g_ptr_array_new_with_free_func(free_review);
    if (!page_read(unit, &work->page, error))
        return false;
    for (guint i = 0; i < work->page.rows->len; i++) {
        Review *review = NULL;
        if (!review_of(unit, g_ptr_array_index(work->page.rows, i), &review, error))
            return false;
        g_ptr_array_add(work->reviews, review);
    }
    return true;
}

static bool list(Call *call, GError **error) {
    g_auto(ListWork) work = {0};
    if (!read_list_wish(call, &work, error) || !call_run(call, DB_READ, list_work, &work, error))
        return false;
    g_autoptr(Json) all = json_new_array();
    for (guint i = 0; i < work.page.rows->len; i++) {
        Json *object = NULL;
        if (!evidence_object(g_ptr_array_index(work.page.rows, i),
                             g_ptr_array_index(work.reviews, i), work.now_ms, &object, error))
            return false;
        json_add(all, object);
    }
    return call_answer_list(call, "evidence", g_steal_pointer(&all), work.page.next);
}

/* --- one -------------------------------------------------------------------------------------- */

typedef struct {
    const char *id;
    Evidence *evidence;
    Review *review; /* NULL: none */
} GetWork;

static void get_work_clear(GetWork *work) {
    g_clear_pointer(&work->evidence, evidence_free);
    g_clear_pointer(&work->review, review_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(GetWork, get_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    GetWork *work = data;
    get_work_clear(work);
    return evidence_get(unit, work->id, &work->evidence, error) &&
           review_of(unit, work->evidence, &work->review, error);
}

static bool set_missing(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                        "There is no such evidence in this organization.");
    return false;
}

static bool find(Call *call, GetWork *work, GError **error) {
    work->id = call_parameter(call, "id");
    if (!id_is_valid(work->id))
        return set_missing(error);
    return call_run(call, DB_READ, get_work, work, error) &&
           (may_see(call, work->evidence) || set_missing(error));
}

static bool object_of(const GetWork *work, Json **json_out, GError **error) {
    return evidence_object(work->evidence, work->review, clock_now_ms(), json_out, error);
}

/* Of what holds for it, and not of its age: the tag changes when it is reviewed. */
static Json *show(const Call *call, const void *data) {
    const GetWork *work = data;
    Json *json = NULL;
    (void)call;
    return evidence_object(work->evidence, work->review, work->evidence->collected_at, &json, NULL)
               ? json
               : json_new_null();
}

static void put_tag(Call *call, const GetWork *work) {
    g_autoptr(Json) shown = show(call, work);
    g_autofree char *tag = etag_of_json(shown);
    reply_set_header(&call->reply, "ETag", tag);
}

/* Before the data are read: there may be much of them, and they never change. */
static bool is_known(Call *call) {
    const char *known = call_header(call, "If-None-Match");
    if (!known || !etag_listed(known, reply_header(&call->reply, "ETag"), true))
        return false;
    reply_set_header(&call->reply, "Cache-Control", KEPT);
    reply_set_empty(&call->reply, 304);
    return true;
}

static bool get(Call *call, GError **error) {
    g_auto(GetWork) work = {0};
    g_autoptr(Json) json = NULL;
    if (!find(call, &work, error) || !object_of(&work, &json, error))
        return false;
    put_tag(call, &work);
    if (is_known(call))
        return true;
    if (g_strcmp0(call_query(call, "data"), "false") == 0)
        return call_answer(call, 200, g_steal_pointer(&json));
    DocumentStream wish = {.desk = call->desk,
                           .scope = &call->scope,
                           .document_id = work.evidence->document_id,
                           .sha256 = work.evidence->data_sha256,
                           .object = json};
    reply_take_stream(&call->reply, 200, "application/json", document_stream(&wish));
    reply_set_header(&call->reply, "Cache-Control", KEPT);
    return true;
}

/* --- review ----------------------------------------------------------------------------------- */

static bool may_review(Call *call, const void *data, GError **error) {
    return may_see(call, ((const GetWork *)data)->evidence) || set_missing(error);
}

static bool write_review(DbUnit *unit, Call *call, void *data, GError **error) {
    const Evidence *evidence = ((const GetWork *)data)->evidence;
    Review review = {.evidence_id = evidence->id,
                     .state = json_member_string(call->body, "state", NULL),
                     .reviewer = call->caller->name ? call->caller->name : call->caller->id,
                     .note = json_member_string(call->body, "comment", NULL)};
    AuditActor actor = call_actor(call);
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "state", review.state);
    AuditEntry entry = {.action = AUDIT_EVIDENCE_REVIEWED,
                        .actor = &actor,
                        .target_kind = "evidence",
                        .target_id = evidence->id,
                        .target_name = evidence->evidence_type,
                        .details = details};
    return review_put(unit, &review, error) && audit_add(unit, &entry, error);
}

static const Revision reviewing = {
    .read = get_work, .may = may_review, .show = show, .write = write_review};

static bool review(Call *call, GError **error) {
    g_auto(GetWork) found = {.id = call_parameter(call, "id")};
    g_autoptr(Json) json = NULL;
    if (!id_is_valid(found.id))
        return set_missing(error);
    if (!revision_make(call, &reviewing, &found, error) || !object_of(&found, &json, error))
        return false;
    put_tag(call, &found);
    return call_answer(call, 200, g_steal_pointer(&json));
}

/* --- routes ----------------------------------------------------------------------------------- */

static const char *const reviews[] = {EVIDENCE_COLLECTED, EVIDENCE_APPROVED, EVIDENCE_REJECTED,
                                      NULL};
static const char *const truths[] = {"true", "false", NULL};
static const ShapeField list_fields[] = {
    SHAPE_FIELD("from", TIME, 0, "Collected at this time or later."),
    SHAPE_FIELD("to", TIME, 0, "Collected before this time."),
    SHAPE_FIELD("source", STRING, 0, "A provider, by id or alias."),
    SHAPE_FIELD("type", STRING, 0, "An evidence type."),
    SHAPE_FIELD("control", STRING, 0, "What supports this control: CC8.1, soc2:CC8.1."),
    SHAPE_FIELD("quality", NUMBER, 0, "At least this quality, 0 to 1."),
    SHAPE_FIELD("integrationId", STRING, 0, "Or its name."),
    SHAPE_FIELD("reviewState", STRING, 0, NULL, .words = reviews),
    {0}};
static const Shape list_query = {.fields = list_fields};
static const ShapeField get_fields[] = {
    SHAPE_FIELD("data", STRING, 0, "false: without the data.", .words = truths), {0}};
static const Shape get_query = {.fields = get_fields};

static const char *const decisions[] = {EVIDENCE_APPROVED, EVIDENCE_REJECTED, NULL};
static const ShapeField review_fields[] = {
    SHAPE_FIELD("state", STRING, SHAPE_REQUIRED, NULL, .words = decisions),
    SHAPE_FIELD("comment", STRING, SHAPE_LINES, "Why.", .most = STORE_SENTENCE_MAX),
    {0}};
static const Shape review_shape = {.name = "ReviewRequest", .fields = review_fields};

const Route evidence_routes[] = {
    {.method = "GET",
     .path = "/api/evidence",
     .id = "listEvidence",
     .tag = "Evidence",
     .summary = "What was collected, the newest first, without data.",
     .access = ACCESS_ROLE,
     .action = ACTION_EVIDENCE_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .query = &list_query,
     .reply = &evidence_list_shape},
    {.method = "GET",
     .path = "/api/evidence/{id}",
     .id = "getEvidence",
     .tag = "Evidence",
     .summary = "One item with its data, as collected and held against its hash.",
     .access = ACCESS_ROLE,
     .action = ACTION_EVIDENCE_READ,
     .flags = ROUTE_OBJECT,
     .handle = get,
     .query = &get_query,
     .reply = &evidence_shape},
    {.method = "POST",
     .path = "/api/evidence/{id}/review",
     .id = "reviewEvidence",
     .tag = "Evidence",
     .summary = "Approves or rejects an item; a later review replaces an earlier one.",
     .access = ACCESS_ROLE,
     .action = ACTION_EVIDENCE_REVIEW,
     .flags = ROUTE_OBJECT,
     .handle = review,
     .body = &review_shape,
     .reply = &evidence_shape},
    {0}};
