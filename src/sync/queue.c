#include "sync/queue.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "comply/framework.h"
#include "store/definition_text.h"
#include "store/job.h"
#include "sync/owner.h"

#include <string.h>

#define PRIORITY_PERSON 10 /* somebody waits for it */

typedef struct {
    const Integration *integration;
    const Definition *definition;
    const char *request;
    char *job_id;
} QueueWork;

/* --- which evidence types --------------------------------------------------------------------- */

/* Whether a check of the type is mapped to one of these controls (ControlRef). */
static bool check_supports(const DefinitionCheck *check, const ControlRef *wanted) {
    for (size_t f = 0; f < check->control_count; f++) {
        const CheckControls *mapped = &check->controls[f];
        if (strcmp(mapped->framework, wanted->framework->id) != 0)
            continue;
        for (size_t i = 0; i < mapped->count; i++)
            if (framework_control(wanted->framework, mapped->controls[i]) == wanted->control)
                return true;
    }
    return false;
}

static bool supports(const EvidenceType *type, const GArray *wanted) {
    for (size_t c = 0; c < type->check_count; c++)
        for (guint i = 0; i < wanted->len; i++)
            if (check_supports(&type->checks[c], &g_array_index(wanted, ControlRef, i)))
                return true;
    return false;
}

/* "soc2:CC8.1" names a framework, "CC8.1" means any. */
static bool add_types_of_control(const QueueWork *work, const char *text, GPtrArray *types,
                                 GError **error) {
    g_autoptr(GError) unknown = NULL;
    g_autoptr(GArray) wanted = framework_control_find(text, &unknown);
    if (!wanted) {
        bool misspelt = error_code_of(unknown) == ERROR_NOT_FOUND;
        g_set_error_literal(error, ASSAY_ERROR, misspelt ? ERROR_USAGE : unknown->code,
                            unknown->message);
        return false;
    }
    guint before = types->len;
    for (size_t i = 0; i < work->definition->type_count; i++)
        if (supports(&work->definition->types[i], wanted))
            g_ptr_array_add(types, (void *)(uintptr_t)work->definition->types[i].name);
    if (types->len > before)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "nothing that %s collects supports the control %s; see assay provider show %s",
                work->integration->name, text, work->definition->id);
    return false;
}

static bool add_named_types(const QueueWork *work, const char *const *names, GPtrArray *types,
                            GError **error) {
    for (; names && *names; names++) {
        const EvidenceType *type = definition_type(work->definition, *names);
        if (!type) {
            g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                        "%s has no evidence type \"%s\"; see assay provider show %s",
                        work->definition->name, *names, work->definition->id);
            return false;
        }
        g_ptr_array_add(types, (void *)(uintptr_t)type->name);
    }
    return true;
}

static bool is_listed(const char *const *list, const char *text) {
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

/* The names in the definition's order: all, those given, and of these what the controls want. */
static bool choose_types(const QueueWork *work, const SyncRequest *request, Json *list_out,
                         GError **error) {
    g_autoptr(GPtrArray) named = g_ptr_array_new();
    g_autoptr(GPtrArray) wanted = g_ptr_array_new();
    if (!add_named_types(work, request->evidence_types, named, error))
        return false;
    for (const char *const *control = request->controls; control && *control; control++)
        if (!add_types_of_control(work, *control, wanted, error))
            return false;
    bool all_named = named->len == 0;
    bool all_wanted = wanted->len == 0;
    g_ptr_array_add(named, NULL);
    g_ptr_array_add(wanted, NULL);
    for (size_t i = 0; i < work->definition->type_count; i++) {
        const char *name = work->definition->types[i].name;
        if ((all_named || is_listed((const char *const *)named->pdata, name)) &&
            (all_wanted || is_listed((const char *const *)wanted->pdata, name)))
            json_add_string(list_out, name);
    }
    if (json_count(list_out) > 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "none of the evidence types given supports the controls given");
    return false;
}

/* --- the job ---------------------------------------------------------------------------------- */

static bool use_active(DbUnit *unit, QueueWork *work, bool *found_out, GError **error) {
    g_autoptr(Job) active = NULL;
    *found_out = false;
    if (!job_find_active(unit, work->integration->id, &active, error))
        return false;
    if (!active)
        return true;
    bool same = strcmp(active->request, work->request) == 0 &&
                strcmp(active->definition_sha256, work->definition->sha256) == 0;
    if (!same)
        return job_cancel(unit, active->id, error);
    *found_out = true;
    work->job_id = g_strdup(active->id);
    return true;
}

static bool queue_work(DbUnit *unit, void *data, GError **error) {
    QueueWork *work = data;
    g_clear_pointer(&work->job_id, g_free);
    bool found;
    if (!use_active(unit, work, &found, error) || found)
        return found;
    DefinitionText text = {.sha256 = work->definition->sha256,
                           .provider = work->definition->id,
                           .body = work->definition->text};
    g_autofree char *id = id_new();
    Job job = {.id = id,
               .integration_id = work->integration->id,
               .request = work->request,
               .definition_sha256 = work->definition->sha256,
               .priority = PRIORITY_PERSON};
    if (!definition_text_put(unit, &text, error) || !job_insert(unit, &job, error))
        return false;
    work->job_id = g_steal_pointer(&id);
    return true;
}

bool queue_sync(Db *db, const DbScope *scope, const Integration *integration,
                const Definition *definition, const SyncRequest *request, char **job_id_out,
                GError **error) {
    QueueWork work = {.integration = integration, .definition = definition};
    Json *types = json_new_array();
    g_autoptr(Json) json = json_new_object();
    json_put(json, "evidenceTypes", types);
    if (!choose_types(&work, request, types, error))
        return false;
    json_put_int(json, "from", request->from_ms);
    json_put_int(json, "to", request->to_ms);
    g_autofree char *text = json_print(json, JSON_COMPACT | JSON_SORTED);
    work.request = text;
    if (request->data_dir && !owner_release_dead(request->data_dir, db, error))
        return false;
    if (!db_run(db, scope, DB_WRITE, queue_work, &work, error)) {
        g_free(work.job_id);
        return false;
    }
    *job_id_out = work.job_id;
    return true;
}
