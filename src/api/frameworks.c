#include "api/frameworks.h"

#include "api/call.h"
#include "api/control_ref.h"
#include "api/object_shape.h"
#include "base/clock.h"
#include "comply/overview.h"
#include "store/score.h"

#include <string.h>

/* --- frameworks ------------------------------------------------------------------------------- */

static Json *framework_json(const Framework *framework) {
    Json *json = json_new_object();
    Json *aliases = json_new_array();
    json_put_string(json, "id", framework->id);
    json_put_string(json, "name", framework->name);
    json_put_string(json, "edition", framework->edition);
    for (size_t i = 0; i < framework->alias_count; i++)
        json_add_string(aliases, framework->aliases[i]);
    json_put(json, "aliases", aliases);
    json_put_int(json, "controls", (int64_t)framework->control_count);
    return json;
}

static bool list_frameworks(Call *call, GError **error) {
    g_autoptr(Json) all = json_new_array();
    for (const char *const *id = framework_ids(); *id; id++) {
        const Framework *framework = framework_find(*id, error);
        if (!framework)
            return false;
        json_add(all, framework_json(framework));
    }
    return call_answer_list(call, "frameworks", g_steal_pointer(&all), NULL);
}

/* --- controls --------------------------------------------------------------------------------- */

static Json *overview(Call *call, const Framework *framework, const char *status, GError **error) {
    Registry *registry = call_registry(call, error);
    if (!registry)
        return NULL;
    OverviewControls wish = {.framework = framework, .status = status, .now_ms = clock_now_ms()};
    return overview_controls(call_db(call), &call->scope, registry, &wish, error);
}

static bool list_controls(Call *call, GError **error) {
    const char *id = call_query(call, "framework");
    if (!id) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "Say which framework: ?framework=soc2; GET /api/frameworks has them.");
        return false;
    }
    const Framework *framework = framework_find(id, error);
    Json *json = framework ? overview(call, framework, call_query(call, "status"), error) : NULL;
    if (!json)
        return false;
    json_put(json, "nextCursor", NULL);
    return call_answer(call, 200, json);
}

static bool get_control(Call *call, GError **error) {
    ControlRef ref;
    if (!control_ref_find(call, call_query(call, "framework"), call_parameter(call, "id"), &ref,
                          error))
        return false;
    Json *control = control_ref_object(call, &ref, error);
    return control && call_answer(call, 200, control);
}

/* --- scores ----------------------------------------------------------------------------------- */

typedef struct {
    const char *framework; /* NULL: the latest of each */
    int64_t before_ms;
    int64_t limit;
    GPtrArray *scores;
} ScoresWork;

static void free_score(void *score) {
    score_free(score);
}

static bool read_latest(DbUnit *unit, ScoresWork *work, GError **error) {
    work->scores = g_ptr_array_new_with_free_func(free_score);
    for (const char *const *id = framework_ids(); *id; id++) {
        Score *latest = NULL;
        if (!score_latest(unit, *id, &latest, error))
            return false;
        if (latest)
            g_ptr_array_add(work->scores, latest);
    }
    return true;
}

static bool scores_work(DbUnit *unit, void *data, GError **error) {
    ScoresWork *work = data;
    g_clear_pointer(&work->scores, g_ptr_array_unref);
    return work->framework ? score_list(unit, work->framework, work->before_ms, work->limit,
                                        &work->scores, error)
                           : read_latest(unit, work, error);
}

static Json *score_object(const Score *score) {
    Json *json = json_new_object();
    json_put_string(json, "framework", score->framework);
    json_put_time(json, "takenAt", score->taken_at);
    json_put_real(json, "score", score->score);
    json_put_real(json, "metWeight", score->met_weight);
    json_put_real(json, "applicableWeight", score->applicable_weight);
    json_put(json, "counts",
             json_parse(score->counts, strlen(score->counts), STORE_JSON_MAX, NULL));
    return json;
}

static bool answer_scores(Call *call, const ScoresWork *work) {
    Json *all = json_new_array();
    g_autofree char *next = NULL;
    for (guint i = 0; i < work->scores->len; i++)
        json_add(all, score_object(g_ptr_array_index(work->scores, i)));
    if (work->framework && (int64_t)work->scores->len == work->limit) {
        const Score *last = g_ptr_array_index(work->scores, work->scores->len - 1);
        next = clock_format(last->taken_at);
    }
    return call_answer_list(call, "scores", all, next);
}

static bool list_scores(Call *call, GError **error) {
    ScoresWork work = {0};
    const char *id = call_query(call, "framework");
    if (!call_limit(call, &work.limit, error) || !call_time(call, "cursor", &work.before_ms, error))
        return false;
    if (id) {
        const Framework *framework = framework_find(id, error);
        if (!framework)
            return false;
        work.framework = framework->id;
    }
    bool ok = call_run(call, DB_READ, scores_work, &work, error) && answer_scores(call, &work);
    g_clear_pointer(&work.scores, g_ptr_array_unref);
    return ok;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField controls_query_fields[] = {
    SHAPE_FIELD("framework", STRING, SHAPE_REQUIRED, "Its id, or another of its names."),
    SHAPE_FIELD("status", STRING, 0, "Only controls of this status; the score is over all."),
    {0}};
static const Shape controls_query = {.fields = controls_query_fields};
static const ShapeField framework_query_fields[] = {
    SHAPE_FIELD("framework", STRING, 0, "Its id, or another of its names."), {0}};
static const Shape framework_query = {.fields = framework_query_fields};

const Route framework_routes[] = {
    {.method = "GET",
     .path = "/api/frameworks",
     .id = "listFrameworks",
     .tag = "Compliance",
     .summary = "The frameworks that evidence is held against.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_READ,
     .flags = ROUTE_OBJECT,
     .handle = list_frameworks,
     .reply = &framework_list_shape},
    {.method = "GET",
     .path = "/api/controls",
     .id = "listControls",
     .tag = "Compliance",
     .summary = "Where the controls of a framework stand, and its score.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_READ,
     .flags = ROUTE_OBJECT,
     .handle = list_controls,
     .query = &controls_query,
     .reply = &control_list_shape},
    {.method = "GET",
     .path = "/api/controls/{id}",
     .id = "getControl",
     .tag = "Compliance",
     .summary = "One control, by any style of its id: CC8.1, soc2:CC8.1, A.9.4.2.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_READ,
     .flags = ROUTE_OBJECT,
     .handle = get_control,
     .query = &framework_query,
     .reply = &control_shape},
    {.method = "GET",
     .path = "/api/scores",
     .id = "listScores",
     .tag = "Compliance",
     .summary = "The scores of a framework over time; without one the latest of each.",
     .access = ACCESS_ROLE,
     .action = ACTION_CONTROL_READ,
     .flags = ROUTE_LIST,
     .handle = list_scores,
     .query = &framework_query,
     .reply = &score_list_shape},
    {0}};
