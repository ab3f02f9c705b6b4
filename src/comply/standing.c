#include "comply/standing.h"

#include "base/json.h"
#include "store/evidence.h"

#include <string.h>

#define EVIDENCE_BATCH 100 /* records in one unit of work */

struct Standing {
    GPtrArray *integrations;  /* StandingIntegration * */
    GHashTable *by_id;        /* integration id -> StandingIntegration *, borrowed */
    GHashTable *completeness; /* evidence id -> double * */
};

static void free_integration(void *data) {
    StandingIntegration *integration = data;
    integration_free(integration->row);
    g_clear_pointer(&integration->types, g_hash_table_unref);
    g_hash_table_unref(integration->results);
    g_free(integration);
}

static void free_result(void *data) {
    check_result_free(data);
}

void standing_free(Standing *standing) {
    if (standing == NULL)
        return;
    g_hash_table_unref(standing->by_id);
    g_ptr_array_unref(standing->integrations);
    g_hash_table_unref(standing->completeness);
    g_free(standing);
}

/* --- integrations ----------------------------------------------------------------------------- */

typedef struct {
    IntegrationFilter filter;
    GPtrArray *rows;
} IntegrationPage;

static bool read_integrations(DbUnit *unit, void *data, GError **error) {
    IntegrationPage *page = data;
    g_clear_pointer(&page->rows, g_ptr_array_unref);
    return integration_list(unit, &page->filter, &page->rows, error);
}

/* The names of a JSON array as a set; NULL when there is none. */
static GHashTable *read_names(const char *text) {
    if (text == NULL)
        return NULL;
    g_autoptr(Json) json = json_parse(text, strlen(text), STORE_JSON_MAX, NULL);
    if (json == NULL || json_kind(json) != JSON_KIND_ARRAY)
        return NULL;
    GHashTable *names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (size_t i = 0; i < json_count(json); i++) {
        if (json_text(json_item(json, i)) != NULL)
            g_hash_table_add(names, g_strdup(json_text(json_item(json, i))));
    }
    return names;
}

/* Takes the row. */
static void add_integration(Standing *standing, Registry *registry, Integration *row) {
    if (strcmp(row->status, INTEGRATION_DISCONNECTED) == 0) {
        integration_free(row);
        return;
    }
    StandingIntegration *integration = g_new0(StandingIntegration, 1);
    integration->row = row;
    integration->definition = registry_find(registry, row->provider, NULL);
    integration->types = read_names(row->evidence_types);
    integration->results = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, free_result);
    g_ptr_array_add(standing->integrations, integration);
    g_hash_table_replace(standing->by_id, (void *)(uintptr_t)row->id, integration);
}

static bool load_integrations(Standing *standing, Db *db, const DbScope *scope, Registry *registry,
                              GError **error) {
    g_autofree char *after = NULL;
    for (;;) {
        IntegrationPage page = {.filter = {.after_id = after, .limit = STORE_LIST_MAX}};
        bool read = db_run(db, scope, DB_READ, read_integrations, &page, error);
        g_autoptr(GPtrArray) rows = page.rows;
        if (!read)
            return false;
        guint count = rows->len;
        g_free(after);
        after = count == 0
                    ? NULL
                    : g_strdup(((const Integration *)g_ptr_array_index(rows, count - 1))->id);
        g_ptr_array_set_free_func(rows, NULL);
        for (guint i = 0; i < count; i++)
            add_integration(standing, registry, g_ptr_array_index(rows, i));
        if (count < STORE_LIST_MAX)
            return true;
    }
}

/* --- results ---------------------------------------------------------------------------------- */

typedef struct {
    CheckResultFilter filter;
    GPtrArray *rows;
} ResultPage;

static bool read_results(DbUnit *unit, void *data, GError **error) {
    ResultPage *page = data;
    g_clear_pointer(&page->rows, g_ptr_array_unref);
    return check_result_list(unit, &page->filter, &page->rows, error);
}

/* Takes the row. */
static void add_result(Standing *standing, CheckResult *row) {
    StandingIntegration *integration = g_hash_table_lookup(standing->by_id, row->integration_id);
    if (integration == NULL) {
        check_result_free(row);
        return;
    }
    g_hash_table_replace(integration->results, (void *)(uintptr_t)row->check_id, row);
    if (row->evidence_id != NULL &&
        !g_hash_table_contains(standing->completeness, row->evidence_id))
        g_hash_table_insert(standing->completeness, g_strdup(row->evidence_id), g_new0(double, 1));
}

static bool load_results(Standing *standing, Db *db, const DbScope *scope, GError **error) {
    g_autofree char *integration = NULL;
    g_autofree char *check = NULL;
    for (;;) {
        ResultPage page = {.filter = {.after_integration_id = integration,
                                      .after_check_id = check,
                                      .limit = STORE_LIST_MAX}};
        bool read = db_run(db, scope, DB_READ, read_results, &page, error);
        g_autoptr(GPtrArray) rows = page.rows;
        if (!read)
            return false;
        guint count = rows->len;
        const CheckResult *last = count == 0 ? NULL : g_ptr_array_index(rows, count - 1);
        g_free(integration);
        integration = last == NULL ? NULL : g_strdup(last->integration_id);
        g_free(check);
        check = last == NULL ? NULL : g_strdup(last->check_id);
        g_ptr_array_set_free_func(rows, NULL);
        for (guint i = 0; i < count; i++)
            add_result(standing, g_ptr_array_index(rows, i));
        if (count < STORE_LIST_MAX)
            return true;
    }
}

/* --- evidence --------------------------------------------------------------------------------- */

typedef struct {
    GPtrArray *ids;
    guint first;
    Standing *standing;
} EvidencePage;

static bool read_one(DbUnit *unit, const char *id, double *completeness_out, GError **error) {
    g_autoptr(Evidence) evidence = NULL;
    GError *missing = NULL;
    if (evidence_get(unit, id, &evidence, &missing)) {
        *completeness_out = evidence->completeness;
        return true;
    }
    if (!g_error_matches(missing, ASSAY_ERROR, ERROR_NOT_FOUND)) {
        g_propagate_error(error, missing);
        return false;
    }
    g_error_free(missing);
    *completeness_out = 0;
    return true;
}

static bool read_evidence(DbUnit *unit, void *data, GError **error) {
    const EvidencePage *page = data;
    guint end = MIN(page->first + EVIDENCE_BATCH, page->ids->len);
    for (guint i = page->first; i < end; i++) {
        const char *id = g_ptr_array_index(page->ids, i);
        double *place = g_hash_table_lookup(page->standing->completeness, id);
        if (!read_one(unit, id, place, error))
            return false;
    }
    return true;
}

static bool load_evidence(Standing *standing, Db *db, const DbScope *scope, GError **error) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    GHashTableIter each;
    gpointer id;
    g_hash_table_iter_init(&each, standing->completeness);
    while (g_hash_table_iter_next(&each, &id, NULL))
        g_ptr_array_add(ids, id);
    for (guint first = 0; first < ids->len; first += EVIDENCE_BATCH) {
        EvidencePage page = {ids, first, standing};
        if (!db_run(db, scope, DB_READ, read_evidence, &page, error))
            return false;
    }
    return true;
}

/* --- the whole -------------------------------------------------------------------------------- */

Standing *standing_new(Db *db, const DbScope *scope, Registry *registry, GError **error) {
    g_autoptr(Standing) standing = g_new0(Standing, 1);
    standing->integrations = g_ptr_array_new_with_free_func(free_integration);
    standing->by_id = g_hash_table_new(g_str_hash, g_str_equal);
    standing->completeness = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    if (!load_integrations(standing, db, scope, registry, error) ||
        !load_results(standing, db, scope, error) || !load_evidence(standing, db, scope, error))
        return NULL;
    return g_steal_pointer(&standing);
}

size_t standing_count(const Standing *standing) {
    return standing->integrations->len;
}

const StandingIntegration *standing_integration(const Standing *standing, size_t index) {
    g_assert(index < standing->integrations->len);
    return g_ptr_array_index(standing->integrations, index);
}

const CheckResult *standing_result(const StandingIntegration *integration, const char *check_id) {
    return g_hash_table_lookup(integration->results, check_id);
}

bool standing_wants(const StandingIntegration *integration, const char *evidence_type) {
    return integration->types == NULL || g_hash_table_contains(integration->types, evidence_type);
}

double standing_completeness(const Standing *standing, const char *evidence_id) {
    const double *found =
        evidence_id == NULL ? NULL : g_hash_table_lookup(standing->completeness, evidence_id);
    return found == NULL ? 0 : *found;
}
