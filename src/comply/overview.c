#include "comply/overview.h"

#include "base/error.h"
#include "base/text.h"
#include "comply/evaluate.h"
#include "comply/mapping.h"
#include "comply/reach.h"
#include "store/integration.h"

#include <string.h>

#define CURSOR_MAX 4096 /* bytes of a cursor's JSON */

/* --- controls --------------------------------------------------------------------------------- */

static Json *control_json(const EvaluatedControl *control) {
    Json *json = json_new_object();
    json_put_string(json, "id", control->control->id);
    json_put_string(json, "title", control->control->title);
    if (control->control->level != NULL)
        json_put_string(json, "level", control->control->level);
    json_put_real(json, "weight", control->control->weight);
    json_put_string(json, "status", control_state_name(control->answer.state));
    json_put_string(json, "verdict", control_state_name(control->answer.beside));
    json_put_string(json, "reason", control->reason);
    json_put_real(json, "confidence", evaluated_control_confidence(control));
    g_autoptr(Json) detail = evaluated_control_detail(control);
    json_put(json, "confidenceParts", json_ref(json_member(detail, "confidenceParts")));
    json_put(json, "checks", json_ref(json_member(detail, "checks")));
    json_put(json, "checkCount", json_ref(json_member(detail, "checkCount")));
    return json;
}

static bool read_wanted(const char *status, ControlState *wanted_out, GError **error) {
    *wanted_out = CONTROL_STATES;
    if (status == NULL || control_state_from_name(status, wanted_out))
        return true;
    g_autoptr(GString) words = g_string_new(NULL);
    for (ControlState state = 0; state < CONTROL_STATES; state++)
        g_string_append_printf(words, "%s%s", state == 0 ? "" : ", ", control_state_name(state));
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE, "There is no status '%.64s'; it is one of %s.",
                status, words->str);
    return false;
}

Json *overview_controls(Db *db, const DbScope *scope, Registry *registry,
                        const OverviewControls *wish, GError **error) {
    ControlState wanted;
    if (!read_wanted(wish->status, &wanted, error))
        return NULL;
    g_autoptr(Evaluation) evaluation =
        evaluation_new(db, scope, registry, wish->framework, wish->now_ms, error);
    if (evaluation == NULL)
        return NULL;
    Json *controls = json_new_array();
    for (size_t i = 0; i < evaluation->control_count; i++) {
        const EvaluatedControl *control = &evaluation->controls[i];
        if (wanted == CONTROL_STATES || control->answer.state == wanted)
            json_add(controls, control_json(control));
    }
    Json *json = json_new_object();
    json_put_string(json, "framework", wish->framework->id);
    json_put_string(json, "name", wish->framework->name);
    json_put_string(json, "edition", wish->framework->edition);
    json_put(json, "score", score_json(&evaluation->score, wish->framework->points));
    json_put_int(json, "unserved", (int64_t)evaluation->unserved);
    json_put(json, "controls", controls);
    return json;
}

/* --- mapping ---------------------------------------------------------------------------------- */

typedef struct {
    const char *framework;
    GPtrArray *changes;
} MappingRead;

static bool read_mapping(DbUnit *unit, void *data, GError **error) {
    MappingRead *read = data;
    g_clear_pointer(&read->changes, g_ptr_array_unref);
    return control_mapping_list(unit, read->framework, &read->changes, error);
}

static Json *mapped_json(const MappedCheck *mapped, bool aside) {
    g_autofree char *id = g_strdup_printf("%s.%s", mapped->type->name, mapped->check->name);
    bool changed = aside || mapped->origin == MAPPING_ORGANIZATION;
    const ControlMapping *change = changed ? mapped->change : NULL;
    const char *title = mapped->check->title;
    Json *json = json_new_object();
    json_put_string(json, "provider", mapped->definition->id);
    json_put_string(json, "evidenceType", mapped->type->name);
    json_put_string(json, "check", id);
    json_put_string(json, "title", title != NULL ? title : mapped->check->name);
    json_put_string(json, "severity", severity_name(mapped->check->severity));
    json_put_string(json, "origin", mapping_origin_name(mapped->origin));
    json_put_bool(json, "setAside", aside);
    json_put_string(json, "by", change == NULL ? NULL : change->who);
    json_put_string(json, "reason", change == NULL ? NULL : change->why);
    json_put_time(json, "changedAt", change == NULL ? 0 : change->created_at);
    return json;
}

static void add_mapped(Json *list, const MappedCheck *checks, size_t count, bool aside) {
    for (size_t i = 0; i < count; i++)
        json_add(list, mapped_json(&checks[i], aside));
}

Json *overview_mapping(Db *db, const DbScope *scope, Registry *registry, const ControlRef *ref,
                       GError **error) {
    MappingRead read = {.framework = ref->framework->id};
    bool ok = db_run(db, scope, DB_READ, read_mapping, &read, error);
    g_autoptr(GPtrArray) changes = read.changes;
    if (!ok)
        return NULL;
    g_autoptr(Mapping) mapping = mapping_new(ref->framework, registry, changes);
    Json *list = json_new_array();
    size_t count;
    const MappedCheck *checks = mapping_checks(mapping, ref->control->index, &count);
    add_mapped(list, checks, count, false);
    checks = mapping_set_aside(mapping, ref->control->index, &count);
    add_mapped(list, checks, count, true);
    return list;
}

/* --- cursors ---------------------------------------------------------------------------------- */

static char *write_cursor(const Finding *last) {
    g_autoptr(Json) parts = json_new_array();
    json_add_string(parts, last->integration_id);
    json_add_string(parts, last->check_id);
    json_add_string(parts, last->resource);
    g_autofree char *text = json_print(parts, JSON_COMPACT);
    return text_base64url(text, strlen(text));
}

/* The parts of a cursor; NULL (with the error) when it is none. Caller owns it. */
static Json *read_cursor(const char *cursor, GError **error) {
    g_autofree uint8_t *bytes = NULL;
    size_t size = 0;
    g_autoptr(Json) parts = NULL;
    if (strlen(cursor) <= CURSOR_MAX * 2 && text_unbase64(cursor, strlen(cursor), &bytes, &size))
        parts = json_parse((const char *)bytes, size, CURSOR_MAX, NULL);
    bool sound = json_kind(parts) == JSON_KIND_ARRAY && json_count(parts) == 3;
    for (size_t i = 0; sound && i < 3; i++)
        sound = json_text(json_item(parts, i)) != NULL;
    if (sound)
        return g_steal_pointer(&parts);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "The cursor is not one that a list of findings gave.");
    return NULL;
}

/* --- findings --------------------------------------------------------------------------------- */

typedef struct {
    FindingFilter filter;
    GPtrArray *findings;
    GPtrArray *changes;       /* of the mapping */
    GHashTable *integrations; /* id -> Integration *; NULL value: gone */
} FindingsRead;

static void free_row(void *data) {
    integration_free(data);
}

static bool read_integration(DbUnit *unit, FindingsRead *read, const char *id, GError **error) {
    Integration *row = NULL;
    GError *missing = NULL;
    if (g_hash_table_contains(read->integrations, id))
        return true;
    if (!integration_get(unit, id, &row, &missing) &&
        !g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND)) {
        g_propagate_error(error, missing);
        return false;
    }
    g_clear_error(&missing);
    g_hash_table_insert(read->integrations, g_strdup(id), row);
    return true;
}

static bool read_findings(DbUnit *unit, void *data, GError **error) {
    FindingsRead *read = data;
    g_clear_pointer(&read->findings, g_ptr_array_unref);
    g_clear_pointer(&read->changes, g_ptr_array_unref);
    if (!finding_list(unit, &read->filter, &read->findings, error) ||
        !control_mapping_list(unit, NULL, &read->changes, error))
        return false;
    g_assert(read->findings != NULL);
    for (guint i = 0; i < read->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(read->findings, i);
        if (!read_integration(unit, read, finding->integration_id, error))
            return false;
    }
    return true;
}

/* The check of this id ("type.check") in a definition, NULL when it is not there (any more). */
static const DefinitionCheck *check_of(const Definition *definition, const char *check_id) {
    const char *dot = strchr(check_id, '.');
    if (definition == NULL || dot == NULL)
        return NULL;
    g_autofree char *type_name = g_strndup(check_id, (size_t)(dot - check_id));
    const EvidenceType *type = definition_type(definition, type_name);
    return type == NULL ? NULL : evidence_type_check(type, dot + 1);
}

/* A finding's check, by the definition that is there now. */
typedef struct {
    const DefinitionCheck *check; /* NULL: no definition has it */
    const Reach *reach;           /* of its definition */
} FindingLaw;

static Json *controls_json(const FindingLaw *law) {
    Json *json = json_new_object();
    Json *ids = NULL;
    size_t count = 0;
    const ControlRef *refs = law->check ? reach_controls(law->reach, law->check, &count) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || refs[i].framework != refs[i - 1].framework) {
            ids = json_new_array();
            json_put(json, refs[i].framework->id, ids);
        }
        json_add_string(ids, refs[i].control->id);
    }
    return json;
}

static Json *finding_json(const Finding *finding, const Integration *integration,
                          const FindingLaw *law) {
    const char *dot = strchr(finding->check_id, '.');
    g_autofree char *type =
        dot == NULL ? NULL : g_strndup(finding->check_id, (size_t)(dot - finding->check_id));
    Json *json = json_new_object();
    json_put_string(json, "check", finding->check_id);
    json_put_string(json, "evidenceType", type);
    json_put_string(json, "title", finding->title);
    json_put_string(json, "severity", finding->severity);
    json_put_string(json, "resource", finding->resource);
    json_put_string(json, "state", finding->state);
    json_put_string(json, "integrationId", finding->integration_id);
    json_put_string(json, "integration", integration == NULL ? NULL : integration->name);
    json_put_string(json, "provider", integration == NULL ? NULL : integration->provider);
    json_put_string(json, "evidenceId", finding->evidence_id);
    json_put_time(json, "openedAt", finding->opened_at);
    json_put_time(json, "lastSeenAt", finding->last_seen_at);
    json_put_time(json, "resolvedAt", finding->resolved_at);
    json_put_string(json, "remediation", law->check == NULL ? NULL : law->check->remediation);
    json_put(json, "controls", controls_json(law));
    return json;
}

static void free_reach(void *reach) {
    reach_free(reach);
}

/* Once for each definition of a page. */
static const Reach *reach_of(GHashTable *reaches, const Definition *definition, Registry *registry,
                             const GPtrArray *changes) {
    Reach *reach = g_hash_table_lookup(reaches, definition);
    if (reach == NULL) {
        reach = reach_new(definition, registry, changes);
        g_hash_table_insert(reaches, (void *)(uintptr_t)definition, reach);
    }
    return reach;
}

static Json *findings_json(const FindingsRead *read, Registry *registry) {
    g_autoptr(GHashTable) reaches =
        g_hash_table_new_full(g_direct_hash, g_direct_equal, NULL, free_reach);
    Json *list = json_new_array();
    for (guint i = 0; i < read->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(read->findings, i);
        const Integration *integration =
            g_hash_table_lookup(read->integrations, finding->integration_id);
        const Definition *definition =
            integration == NULL ? NULL : registry_find(registry, integration->provider, NULL);
        FindingLaw law = {.check = check_of(definition, finding->check_id)};
        if (law.check != NULL)
            law.reach = reach_of(reaches, definition, registry, read->changes);
        json_add(list, finding_json(finding, integration, &law));
    }
    return list;
}

static int64_t limit_of(const FindingFilter *filter) {
    return filter->limit <= 0 ? STORE_LIST_DEFAULT : MIN(filter->limit, STORE_LIST_MAX);
}

Json *overview_findings(Db *db, const DbScope *scope, Registry *registry,
                        const FindingFilter *filter, const char *cursor, GError **error) {
    g_autoptr(Json) parts = cursor == NULL ? NULL : read_cursor(cursor, error);
    if (cursor != NULL && parts == NULL)
        return NULL;
    FindingsRead read = {.filter = *filter};
    read.filter.limit = limit_of(filter);
    read.filter.after = (FindingKey){.integration_id = json_text(json_item(parts, 0)),
                                     .check_id = json_text(json_item(parts, 1)),
                                     .resource = json_text(json_item(parts, 2))};
    g_autoptr(GHashTable) integrations =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_row);
    read.integrations = integrations;
    bool ok = db_run(db, scope, DB_READ, read_findings, &read, error);
    g_autoptr(GPtrArray) findings = read.findings;
    g_autoptr(GPtrArray) changes = read.changes;
    if (!ok)
        return NULL;
    bool full = (int64_t)findings->len == read.filter.limit;
    g_autofree char *next =
        full ? write_cursor(g_ptr_array_index(findings, findings->len - 1)) : NULL;
    Json *json = json_new_object();
    json_put(json, "findings", findings_json(&read, registry));
    json_put_string(json, "nextCursor", next);
    return json;
}
