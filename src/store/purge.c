#include "store/purge.h"

#include "store/event.h"
#include "store/integration.h"
#include "store/job.h"

/* In this order; a row goes before what it refers to. */
static const struct {
    const char *statement;
    ptrdiff_t count; /* of a Purged, -1: not counted */
} steps[] = {
    {"purge_evidence_review", -1},
    {"purge_evidence", offsetof(Purged, evidence)},
    {"purge_finding_transition", -1},
    {"purge_finding", offsetof(Purged, findings)},
    {"purge_check_result", -1},
    {"purge_journal", -1},
    {"purge_job_result", -1},
    {"purge_job", offsetof(Purged, jobs)},
    {"purge_assessment", offsetof(Purged, assessments)},
    {"purge_scan", -1},
    {"purge_errand", -1},
    {"purge_event", -1},
    {"purge_schedule", -1},
    {"purge_token_cache", -1},
    {"purge_credential", -1},
    {"purge_integration", -1},
};

static bool check_idle(DbUnit *unit, const char *integration_id, GError **error) {
    g_autoptr(GPtrArray) jobs = NULL;
    if (!job_list_active(unit, integration_id, &jobs, error)) {
        return false;
    }
    if (jobs->len == 0) {
        return true;
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "A job of this integration has not ended yet; try again in a moment.");
    return false;
}

/* Documents that nothing else refers to: char *. */
static bool read_documents(DbUnit *unit, const char *integration_id, GPtrArray **ids_out,
                           GError **error) {
    g_autoptr(GPtrArray) ids = g_ptr_array_new_with_free_func(g_free);
    DbStatement *statement = db_prepare(unit, "purge_documents_of");
    bool more = false;
    db_bind_text(statement, "integration_id", integration_id);
    do {
        if (!db_step(statement, &more, error)) {
            return false;
        }
        if (more) {
            g_ptr_array_add(ids, db_column_dup(statement, 0));
        }
    } while (more);
    *ids_out = g_steal_pointer(&ids);
    return true;
}

static bool run_for(DbUnit *unit, const char *name, const char *parameter, const char *value,
                    GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_text(statement, parameter, value);
    return db_exec(statement, error);
}

static bool tell(DbUnit *unit, const char *integration_id, GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {.kind = EVENT_INTEGRATION, .integration_id = integration_id, .data = data};
    json_put_bool(data, "removed", true);
    return event_add(unit, &news, error);
}

static bool drop_documents(DbUnit *unit, const GPtrArray *ids, GError **error) {
    for (guint i = 0; i < ids->len; i++) {
        const char *id = g_ptr_array_index(ids, i);
        if (!run_for(unit, "purge_document_chunk", "document_id", id, error) ||
            !run_for(unit, "purge_document", "document_id", id, error)) {
            return false;
        }
    }
    return true;
}

bool purge_integration(DbUnit *unit, const char *integration_id, Purged *purged_out,
                       GError **error) {
    g_autoptr(GPtrArray) documents = NULL;
    Purged purged = {0};
    if (!integration_require(unit, integration_id, error) ||
        !check_idle(unit, integration_id, error) ||
        !read_documents(unit, integration_id, &documents, error)) {
        return false;
    }
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++) {
        if (!run_for(unit, steps[i].statement, "integration_id", integration_id, error)) {
            return false;
        }
        if (steps[i].count >= 0) {
            *(int64_t *)(void *)((char *)&purged + steps[i].count) = db_changes(unit);
        }
    }
    purged.documents = documents->len;
    *purged_out = purged;
    return drop_documents(unit, documents, error) && tell(unit, integration_id, error);
}
