#include "api/control_mapping.h"

#include "api/call.h"
#include "api/control_ref.h"
#include "api/object_shape.h"
#include "base/clock.h"
#include "base/log.h"
#include "comply/evaluate.h"
#include "comply/mapping.h"

#include <string.h>

#define CHANGES_MAX 200

/* What is to be stored for one control. */
typedef struct {
    Call *call;
    ControlRef ref;
    const char *who;
    const char *why;
    GPtrArray *rows; /* ControlMapping */
    GPtrArray *ids;  /* texts of them */
    int64_t forgotten;
    bool must_exist; /* forgetting nothing is an error */
} MappingWork;

static void mapping_work_clear(MappingWork *work) {
    g_clear_pointer(&work->rows, g_ptr_array_unref);
    g_clear_pointer(&work->ids, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MappingWork, mapping_work_clear)

static bool begin(Call *call, MappingWork *work, GError **error) {
    const Caller *caller = call->caller;
    work->call = call;
    work->who = caller->name ? caller->name : caller->id;
    work->rows = g_ptr_array_new_with_free_func(g_free);
    work->ids = g_ptr_array_new_with_free_func(g_free);
    return control_ref_find(call, call_query(call, "framework"), call_parameter(call, "id"),
                            &work->ref, error);
}

/* --- what is asked for ------------------------------------------------------------------------ */

static void say_wrong(const MappingWork *work, const char *list, size_t index, const char *member,
                      const char *what) {
    g_autofree char *pointer = g_strdup_printf("/%s/%zu%s", list, index, member);
    (void)call_wrong(work->call, NULL, pointer, "%s", what);
}

/* The definition and type of a check ("type.check"); whether it is one. */
static bool find_check(Registry *registry, const MappingWork *work, const char *list, size_t index,
                       const Definition **definition_out, const char **check_out) {
    const Json *item = json_item(json_member(work->call->body, list), index);
    const char *check = json_member_string(item, "check", "");
    const char *dot = strchr(check, '.');
    g_autofree char *type_name = g_strndup(check, dot ? (size_t)(dot - check) : 0);
    *check_out = check;
    *definition_out = registry_find(registry, json_member_string(item, "provider", ""), NULL);
    if (!*definition_out) {
        say_wrong(work, list, index, "/provider", "names no service; see /api/providers");
        return false;
    }
    const EvidenceType *type = dot ? definition_type(*definition_out, type_name) : NULL;
    if (type && evidence_type_check(type, dot + 1))
        return true;
    say_wrong(work, list, index, "/check", "is no check of this service, such as TYPE.CHECK");
    return false;
}

static void add_row(const MappingWork *work, const char *provider, const char *check, bool added) {
    char *id = g_strdup(check);
    ControlMapping row = {.framework = work->ref.framework->id,
                          .control_id = work->ref.control->id,
                          .provider = provider,
                          .check_id = id,
                          .added = added,
                          .who = work->who,
                          .why = work->why,
                          .created_at = clock_now_ms()};
    g_ptr_array_add(work->ids, id);
    g_ptr_array_add(work->rows, g_memdup2(&row, sizeof row));
}

static bool is_named(const MappingWork *work, const char *provider, const char *check) {
    for (guint i = 0; i < work->rows->len; i++) {
        const ControlMapping *row = g_ptr_array_index(work->rows, i);
        if (strcmp(row->provider, provider) == 0 && strcmp(row->check_id, check) == 0)
            return true;
    }
    return false;
}

static void read_list(Registry *registry, const MappingWork *work, const char *list, bool added) {
    size_t count = json_count(json_member(work->call->body, list));
    for (size_t i = 0; i < count; i++) {
        const Definition *definition = NULL;
        const char *check = NULL;
        if (!find_check(registry, work, list, i, &definition, &check))
            continue;
        if (is_named(work, definition->id, check))
            say_wrong(work, list, i, "", "is named twice");
        else
            add_row(work, definition->id, check, added);
    }
}

/* --- what may be ------------------------------------------------------------------------------ */

static bool is_check(const MappedCheck *mapped, const ControlMapping *row) {
    g_autofree char *id = g_strdup_printf("%s.%s", mapped->type->name, mapped->check->name);
    return strcmp(mapped->definition->id, row->provider) == 0 && strcmp(id, row->check_id) == 0;
}

/* The check of a row among those that count, or those that are set aside; NULL: it is not there. */
static const MappedCheck *find_mapped(const Mapping *mapping, const MappingWork *work,
                                      const ControlMapping *row, bool aside) {
    size_t count;
    size_t control = work->ref.control->index;
    const MappedCheck *checks = aside ? mapping_set_aside(mapping, control, &count)
                                      : mapping_checks(mapping, control, &count);
    for (size_t i = 0; i < count; i++)
        if (is_check(&checks[i], row))
            return &checks[i];
    return NULL;
}

static const char *find_fault(const Mapping *mapping, const MappingWork *work,
                              const ControlMapping *row) {
    const MappedCheck *counts = find_mapped(mapping, work, row, false);
    if (row->added)
        return counts && counts->origin == MAPPING_ORGANIZATION
                   ? NULL
                   : "supports this control without being added";
    if (find_mapped(mapping, work, row, true))
        return NULL;
    return counts ? "must stay: of the checks of an evidence type that the service's definition "
                    "maps to a control one always counts; an exception is for a control that is "
                    "not to be counted"
                  : "does not support this control";
}

/* Lays the changes over the definitions' mapping, and looks at what came of each. */
static bool check_rows(Registry *registry, const MappingWork *work, GError **error) {
    g_autoptr(Mapping) mapping = mapping_new(work->ref.framework, registry, work->rows);
    size_t indexes[2] = {0, 0};
    for (guint i = 0; i < work->rows->len; i++) {
        const ControlMapping *row = g_ptr_array_index(work->rows, i);
        const char *fault = find_fault(mapping, work, row);
        size_t index = indexes[row->added]++;
        if (fault)
            say_wrong(work, row->added ? "add" : "remove", index, "", fault);
    }
    if (!work->call->wrongs || work->call->wrongs->len == 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "The mapping cannot be changed like that; errors says why.");
    return false;
}

static bool read_rows(MappingWork *work, GError **error) {
    Registry *registry = call_registry(work->call, error);
    if (!registry)
        return false;
    work->why = json_member_string(work->call->body, "reason", NULL);
    read_list(registry, work, "add", true);
    read_list(registry, work, "remove", false);
    if (work->call->wrongs && work->call->wrongs->len > 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "The body is not as it should be; errors says what is wrong.");
        return false;
    }
    if (work->rows->len == 0)
        return call_wrong(work->call, error, "",
                          "names no check; DELETE goes back to the definitions' mapping");
    return check_rows(registry, work, error);
}

/* --- storing ---------------------------------------------------------------------------------- */

static Json *list_checks(const MappingWork *work, bool added) {
    Json *list = json_new_array();
    for (guint i = 0; i < work->rows->len; i++) {
        const ControlMapping *row = g_ptr_array_index(work->rows, i);
        g_autofree char *text = g_strdup_printf("%s:%s", row->provider, row->check_id);
        if (row->added == added)
            json_add_string(list, text);
    }
    return list;
}

static bool audit(DbUnit *unit, const MappingWork *work, GError **error) {
    AuditActor actor = call_actor(work->call);
    g_autofree char *target =
        g_strdup_printf("%s:%s", work->ref.framework->id, work->ref.control->id);
    g_autoptr(Json) details = json_new_object();
    json_put(details, "added", list_checks(work, true));
    json_put(details, "setAside", list_checks(work, false));
    json_put_string(details, "why", work->why);
    AuditEntry entry = {.action = AUDIT_CONTROL_MAPPED,
                        .actor = &actor,
                        .target_kind = "control",
                        .target_id = target,
                        .target_name = target,
                        .details = details};
    return audit_add(unit, &entry, error);
}

static bool store_work(DbUnit *unit, void *data, GError **error) {
    MappingWork *work = data;
    if (!control_mapping_clear(unit, work->ref.framework->id, work->ref.control->id,
                               &work->forgotten, error))
        return false;
    if (work->must_exist && work->forgotten == 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "The mapping of this control is the definitions' own already.");
        return false;
    }
    for (guint i = 0; i < work->rows->len; i++)
        if (!control_mapping_insert(unit, g_ptr_array_index(work->rows, i), error))
            return false;
    return audit(unit, work, error);
}

/* Statuses and score are computed from what was judged already: no expression is evaluated. What
 * fails here is done by the next run. */
static void evaluate(const MappingWork *work) {
    const char *const frameworks[] = {work->ref.framework->id, NULL};
    Call *call = work->call;
    g_autoptr(GError) error = NULL;
    Registry *registry = call_registry(call, &error);
    if (!registry || !evaluate_controls(call_db(call), &call->scope, registry, frameworks,
                                        clock_now_ms(), NULL, &error))
        log_line(LOG_WARN, "mapping_not_evaluated", LOG_TEXT("requestId", call->request_id),
                 LOG_TEXT("why", error->message));
}

static bool answer(const MappingWork *work, GError **error) {
    Json *control = control_ref_object(work->call, &work->ref, error);
    return control && call_answer(work->call, 200, control);
}

static bool put(Call *call, GError **error) {
    g_auto(MappingWork) work = {0};
    if (!begin(call, &work, error) || !read_rows(&work, error) ||
        !call_run(call, DB_WRITE, store_work, &work, error))
        return false;
    evaluate(&work);
    return answer(&work, error);
}

static bool delete (Call *call, GError **error) {
    g_auto(MappingWork) work = {.must_exist = true};
    if (!begin(call, &work, error) || !call_run(call, DB_WRITE, store_work, &work, error))
        return false;
    evaluate(&work);
    return answer(&work, error);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField query_fields[] = {
    SHAPE_FIELD("framework", STRING, 0, "Its id, or another of its names."), {0}};
static const Shape query = {.fields = query_fields};
static const ShapeField check_fields[] = {
    SHAPE_FIELD("provider", STRING, SHAPE_REQUIRED, "Its id.", .most = STORE_NAME_MAX),
    SHAPE_FIELD("check", STRING, SHAPE_REQUIRED, "TYPE.CHECK.", .most = STORE_NAME_MAX),
    {0}};
static const Shape check_shape = {.name = "CheckName", .fields = check_fields};
static const ShapeField wish_fields[] = {
    SHAPE_FIELD("add", ARRAY, 0, "Checks that support the control, too.", .of = &check_shape,
                .most = CHANGES_MAX),
    SHAPE_FIELD("remove", ARRAY, 0, "Checks of the definitions that are set aside.",
                .of = &check_shape, .most = CHANGES_MAX),
    SHAPE_FIELD("reason", STRING, SHAPE_REQUIRED | SHAPE_LINES, "Why.", .most = STORE_SENTENCE_MAX),
    {0}};
static const Shape wish_shape = {.name = "MappingRequest",
                                 .about = "All changes of the control: it replaces earlier ones.",
                                 .fields = wish_fields};

const Route control_mapping_routes[] = {
    {.method = "PUT",
     .path = "/api/controls/{id}/mapping",
     .id = "changeMapping",
     .tag = "Compliance",
     .summary = "Changes which checks support a control, and states it anew.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_CHANGE,
     .handle = put,
     .query = &query,
     .body = &wish_shape,
     .reply = &control_shape},
    {.method = "DELETE",
     .path = "/api/controls/{id}/mapping",
     .id = "restoreMapping",
     .tag = "Compliance",
     .summary = "Goes back to the mapping of the definitions.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_CHANGE,
     .handle = delete,
     .query = &query,
     .reply = &control_shape},
    {0}};
