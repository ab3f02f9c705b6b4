#include "sync/queue.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"
#include "comply/mapping.h"
#include "store/definition_text.h"
#include "store/job.h"
#include "sync/owner.h"

#include <string.h>

#define STALE_MS (24LL * 60 * 60 * 1000) /* a run that began earlier is not gone on with */
#define REQUEST_MAX (1024 * 1024)

static const int64_t priorities[] = {
    [SYNC_PERSON] = JOB_PRIORITY_PERSON,
    [SYNC_SCHEDULE] = JOB_PRIORITY_SCHEDULE,
    [SYNC_RENEWAL] = JOB_PRIORITY_RENEWAL,
};

/* A wish that was understood. */
typedef struct {
    const Integration *integration;
    const Definition *definition;
    SyncCause cause;
    Json *json;         /* {evidenceTypes, from, to} */
    char *request;      /* the same as text */
    GPtrArray *changes; /* ControlMapping: of the organization; NULL: nobody asked for controls */
} Order;

static void order_clear(Order *order) {
    json_free(order->json);
    g_free(order->request);
    g_clear_pointer(&order->changes, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Order, order_clear)

/* --- which evidence types --------------------------------------------------------------------- */

static bool supports(const Order *order, const EvidenceType *type, const GArray *wanted) {
    for (guint i = 0; i < wanted->len; i++)
        if (mapping_supports(order->definition, type, &g_array_index(wanted, ControlRef, i),
                             order->changes))
            return true;
    return false;
}

/* "soc2:CC8.1" names a framework, "CC8.1" means any. */
static bool add_types_of_control(const Order *order, const char *text, GPtrArray *types,
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
    for (size_t i = 0; i < order->definition->type_count; i++)
        if (supports(order, &order->definition->types[i], wanted))
            g_ptr_array_add(types, (void *)(uintptr_t)order->definition->types[i].name);
    if (types->len > before)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "nothing that %s collects supports the control %s; see assay provider show %s",
                order->integration->name, text, order->definition->id);
    return false;
}

static bool add_named_types(const Order *order, const char *const *names, GPtrArray *types,
                            GError **error) {
    for (; names && *names; names++) {
        const EvidenceType *type = definition_type(order->definition, *names);
        if (!type) {
            g_autofree char *shown = text_name(*names);
            g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                        "%s has no evidence type \"%s\"; see assay provider show %s",
                        order->definition->name, shown, order->definition->id);
            return false;
        }
        g_ptr_array_add(types, (void *)(uintptr_t)type->name);
    }
    return true;
}

/* Of the integration's own choice what the definition still has; nothing when it made none. */
static void add_chosen_types(const Order *order, GPtrArray *types) {
    const char *text = order->integration->evidence_types;
    g_autoptr(Json) chosen = text ? json_parse(text, strlen(text), REQUEST_MAX, NULL) : NULL;
    for (size_t i = 0; i < json_count(chosen); i++) {
        const char *name = json_text(json_item(chosen, i));
        const EvidenceType *type = name ? definition_type(order->definition, name) : NULL;
        if (type)
            g_ptr_array_add(types, (void *)(uintptr_t)type->name);
    }
}

static bool is_listed(const char *const *list, const char *text) {
    for (; list && *list; list++)
        if (strcmp(*list, text) == 0)
            return true;
    return false;
}

/* The names in the definition's order: all, those given, and of these what the controls want. */
static bool choose_types(const Order *order, const SyncRequest *request, Json *list_out,
                         GError **error) {
    g_autoptr(GPtrArray) named = g_ptr_array_new();
    g_autoptr(GPtrArray) wanted = g_ptr_array_new();
    if (!add_named_types(order, request->evidence_types, named, error))
        return false;
    for (const char *const *control = request->controls; control && *control; control++)
        if (!add_types_of_control(order, *control, wanted, error))
            return false;
    if (named->len == 0)
        add_chosen_types(order, named);
    bool all_named = named->len == 0;
    bool all_wanted = wanted->len == 0;
    g_ptr_array_add(named, NULL);
    g_ptr_array_add(wanted, NULL);
    for (size_t i = 0; i < order->definition->type_count; i++) {
        const char *name = order->definition->types[i].name;
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

static bool make_order(Order *order, const SyncRequest *request, GError **error) {
    Json *types = json_new_array();
    order->json = json_new_object();
    order->cause = request->cause;
    json_put(order->json, "evidenceTypes", types);
    if (!choose_types(order, request, types, error))
        return false;
    json_put_int(order->json, "from", request->from_ms);
    json_put_int(order->json, "to", request->to_ms);
    order->request = json_print(order->json, JSON_COMPACT | JSON_SORTED);
    return true;
}

/* --- jobs that have not ended ----------------------------------------------------------------- */

static Json *read_request(const Job *job) {
    return json_parse(job->request, strlen(job->request), REQUEST_MAX, NULL);
}

static bool has_text(const Json *list, const char *text) {
    for (size_t i = 0; i < json_count(list); i++)
        if (g_strcmp0(json_text(json_item(list, i)), text) == 0)
            return true;
    return false;
}

/* Whether all that the second collects is collected by the first as well. */
static bool collects_all_of(const Json *first, const Json *second) {
    const Json *types = json_member(second, "evidenceTypes");
    if (json_member_int(first, "from", 0) != json_member_int(second, "from", 0) ||
        json_member_int(first, "to", 0) != json_member_int(second, "to", 0))
        return false;
    for (size_t i = 0; i < json_count(types); i++)
        if (!has_text(json_member(first, "evidenceTypes"), json_text(json_item(types, i))))
            return false;
    return true;
}

static bool is_stale(const Job *job) {
    return job->run_clock > 0 && clock_now_ms() - job->run_clock > STALE_MS;
}

static bool is_run(const Job *job) {
    return strcmp(job->status, JOB_RUNNING) == 0 && *job->lease_owner != '\0' &&
           job->lease_until > clock_now_ms();
}

/* Whether the order need not become a job, because this one does it. */
static bool serves(const Job *job, const Order *order) {
    if (job->cancel_at > 0 || (is_stale(job) && !is_run(job)))
        return false;
    if (order->cause == SYNC_PERSON)
        return strcmp(job->request, order->request) == 0 &&
               strcmp(job->definition_sha256, order->definition->sha256) == 0;
    g_autoptr(Json) asked = read_request(job);
    return collects_all_of(asked, order->json);
}

/* Whether nobody misses a job that waits once the order is done. */
static bool is_superseded(const Job *job, const Order *order) {
    g_autoptr(Json) asked = read_request(job);
    return !is_run(job) && (is_stale(job) || collects_all_of(order->json, asked));
}

static const Job *find_serving(const GPtrArray *jobs, const Order *order) {
    for (guint i = 0; i < jobs->len; i++)
        if (serves(g_ptr_array_index(jobs, i), order))
            return g_ptr_array_index(jobs, i);
    return NULL;
}

static bool call_off_superseded(DbUnit *unit, const GPtrArray *jobs, const Order *order,
                                GError **error) {
    guint waiting = jobs->len;
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = g_ptr_array_index(jobs, i);
        JobCancel how;
        if (!is_superseded(job, order))
            continue;
        if (!job_cancel(unit, job->id, &how, error))
            return false;
        waiting--;
    }
    if (waiting < QUEUE_WAITING_MAX)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                "%u different syncs of %s wait already; wait for them, or call some off", waiting,
                order->integration->name);
    return false;
}

/* --- the job ---------------------------------------------------------------------------------- */

static bool insert_job(DbUnit *unit, const Order *order, char **job_id_out, GError **error) {
    DefinitionText text = {.sha256 = order->definition->sha256,
                           .provider = order->definition->id,
                           .body = order->definition->text};
    g_autofree char *id = id_new();
    Job job = {.id = id,
               .integration_id = order->integration->id,
               .request = order->request,
               .definition_sha256 = order->definition->sha256,
               .priority = priorities[order->cause]};
    if (!definition_text_put(unit, &text, error) || !job_insert(unit, &job, error))
        return false;
    *job_id_out = g_steal_pointer(&id);
    return true;
}

static bool join(DbUnit *unit, const Job *job, const Order *order, char **job_id_out,
                 GError **error) {
    if (!job_hurry(unit, job->id, priorities[order->cause], error))
        return false;
    *job_id_out = g_strdup(job->id);
    return true;
}

bool queue_sync_in(DbUnit *unit, const Integration *integration, const Definition *definition,
                   const SyncRequest *request, char **job_id_out, bool *added_out, GError **error) {
    g_auto(Order) order = {.integration = integration, .definition = definition};
    g_autoptr(GPtrArray) jobs = NULL;
    if ((request->controls && !control_mapping_list(unit, NULL, &order.changes, error)) ||
        !make_order(&order, request, error) ||
        !job_list_active(unit, integration->id, &jobs, error))
        return false;
    const Job *serving = find_serving(jobs, &order);
    if (added_out)
        *added_out = !serving;
    return serving ? join(unit, serving, &order, job_id_out, error)
                   : call_off_superseded(unit, jobs, &order, error) &&
                         insert_job(unit, &order, job_id_out, error);
}

Json *queue_details(const char *job_id) {
    Json *details = json_new_object();
    json_put_string(details, "jobId", job_id);
    return details;
}

static bool note(DbUnit *unit, const AuditActor *actor, const Integration *integration,
                 const char *job_id, GError **error) {
    g_autoptr(Json) details = queue_details(job_id);
    AuditEntry entry = {.action = AUDIT_SYNC_STARTED,
                        .actor = actor,
                        .target_kind = "integration",
                        .target_id = integration->id,
                        .target_name = integration->name,
                        .details = details};
    return audit_add(unit, &entry, error);
}

typedef struct {
    const Integration *integration;
    const Definition *definition;
    const SyncRequest *request;
    char *job_id;
} QueueWork;

static bool queue_work(DbUnit *unit, void *data, GError **error) {
    QueueWork *work = data;
    const AuditActor *actor = work->request->actor;
    g_clear_pointer(&work->job_id, g_free);
    return queue_sync_in(unit, work->integration, work->definition, work->request, &work->job_id,
                         NULL, error) &&
           (!actor || note(unit, actor, work->integration, work->job_id, error));
}

bool queue_sync(Db *db, const DbScope *scope, const Integration *integration,
                const Definition *definition, const SyncRequest *request, char **job_id_out,
                GError **error) {
    QueueWork work = {integration, definition, request, NULL};
    if (request->data_dir && !owner_release_dead(request->data_dir, db, error))
        return false;
    if (!db_run(db, scope, DB_WRITE, queue_work, &work, error)) {
        g_free(work.job_id);
        return false;
    }
    *job_id_out = work.job_id;
    return true;
}

bool queue_first_sync(DbUnit *unit, const Integration *integration, const Definition *definition,
                      GError **error) {
    const SyncRequest all = {.cause = SYNC_PERSON};
    g_autofree char *job_id = NULL;
    return queue_sync_in(unit, integration, definition, &all, &job_id, NULL, error);
}

/* --- again ------------------------------------------------------------------------------------ */

static bool hurry_up(DbUnit *unit, const Job *job, char **job_id_out, GError **error) {
    if (!job_hurry(unit, job->id, JOB_PRIORITY_PERSON, error) || !job_resume(unit, job->id, error))
        return false;
    *job_id_out = g_strdup(job->id);
    return true;
}

static bool ask_again(DbUnit *unit, const Job *job, const Integration *integration,
                      const Definition *definition, char **job_id_out, GError **error) {
    g_autoptr(Json) asked = read_request(job);
    const Json *types = json_member(asked, "evidenceTypes");
    g_autofree const char **names = g_new0(const char *, json_count(types) + 1);
    for (size_t i = 0; i < json_count(types); i++)
        names[i] = json_text(json_item(types, i));
    SyncRequest request = {.evidence_types = names,
                           .from_ms = json_member_int(asked, "from", 0),
                           .to_ms = json_member_int(asked, "to", 0)};
    return queue_sync_in(unit, integration, definition, &request, job_id_out, NULL, error);
}

bool queue_retry_in(DbUnit *unit, const char *job_id, const Integration *integration,
                    const Definition *definition, char **job_id_out, GError **error) {
    g_autoptr(Job) job = NULL;
    if (!job_get(unit, job_id, &job, error))
        return false;
    if (strcmp(job->status, JOB_PENDING) == 0 || strcmp(job->status, JOB_PARKED) == 0)
        return hurry_up(unit, job, job_id_out, error);
    if (strcmp(job->status, JOB_RUNNING) != 0)
        return ask_again(unit, job, integration, definition, job_id_out, error);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "the job is running; wait for its end, or call it off first");
    return false;
}

typedef struct {
    const AuditActor *actor;
    const char *job_id;
    Integration *integration;
    const Definition *definition;
    char *retried;
} RetryWork;

static void retry_clear(RetryWork *work) {
    g_clear_pointer(&work->integration, integration_free);
    g_clear_pointer(&work->retried, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(RetryWork, retry_clear)

static bool owner_of_job(DbUnit *unit, void *data, GError **error) {
    RetryWork *work = data;
    g_autoptr(Job) job = NULL;
    retry_clear(work);
    return job_get(unit, work->job_id, &job, error) &&
           integration_get(unit, job->integration_id, &work->integration, error);
}

static bool retry_work(DbUnit *unit, void *data, GError **error) {
    RetryWork *work = data;
    g_clear_pointer(&work->retried, g_free);
    return queue_retry_in(unit, work->job_id, work->integration, work->definition, &work->retried,
                          error) &&
           note(unit, work->actor, work->integration, work->retried, error);
}

bool queue_retry(Db *db, const DbScope *scope, Registry *registry, const AuditActor *actor,
                 const char *job_id, char **job_id_out, GError **error) {
    g_auto(RetryWork) work = {.actor = actor, .job_id = job_id};
    if (!db_run(db, scope, DB_READ, owner_of_job, &work, error))
        return false;
    work.definition = registry_find(registry, work.integration->provider, error);
    if (!work.definition || !db_run(db, scope, DB_WRITE, retry_work, &work, error))
        return false;
    *job_id_out = g_steal_pointer(&work.retried);
    return true;
}
