#include "store/organization_end.h"

#include "base/clock.h"
#include "store/job.h"
#include "store/organization.h"

#include <string.h>

/* In this order; a row goes before what it refers to. */
static const char *const steps[] = {
    "organization_end_evidence_review",
    "organization_end_evidence",
    "organization_end_finding_transition",
    "organization_end_finding",
    "organization_end_check_result",
    "organization_end_journal",
    "organization_end_job_result",
    "organization_end_job",
    "organization_end_assessment",
    "organization_end_scan",
    "organization_end_schedule",
    "organization_end_token_cache",
    "organization_end_credential",
    "organization_end_integration",
    "organization_end_document_chunk",
    "organization_end_document",
    "organization_end_job_queue",
    "organization_end_control_status",
    "organization_end_control_exception",
    "organization_end_control_mapping",
    "organization_end_score",
    "organization_end_oauth_state",
    "organization_end_security_event",
    "organization_end_membership",
    "organization_end_invitation",
    "organization_end_api_token_access",
    "organization_end_idempotency",
    "organization_end_errand",
    "organization_end_event",
    "organization_end_event_head",
};

/* Calls off what is being run, of at most one page of jobs. */
static bool call_off(DbUnit *unit, int64_t *running_out, GError **error) {
    JobFilter filter = {.status = JOB_RUNNING, .limit = STORE_LIST_MAX};
    g_autoptr(GPtrArray) jobs = NULL;
    if (!job_list(unit, &filter, &jobs, error))
        return false;
    for (guint i = 0; i < jobs->len; i++) {
        const Job *job = g_ptr_array_index(jobs, i);
        JobCancel how;
        if (!job_cancel(unit, job->id, &how, error))
            return false;
    }
    *running_out = jobs->len;
    return true;
}

static bool empty(DbUnit *unit, GError **error) {
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        if (!db_exec(db_prepare(unit, steps[i]), error))
            return false;
    return true;
}

static bool release_name(DbUnit *unit, const char *name, GError **error) {
    DbStatement *statement = db_prepare(unit, "organization_name_release");
    db_bind_text(statement, "name", name);
    return db_exec(statement, error);
}

bool organization_end(DbUnit *unit, const char *name, int64_t *running_out, GError **error) {
    g_autoptr(Organization) row = NULL;
    *running_out = 0;
    if (!organization_get(unit, &row, error))
        return false;
    if (strcmp(row->name, name) != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "That is not the organization's name; nothing was deleted.");
        return false;
    }
    if (!call_off(unit, running_out, error))
        return false;
    if (*running_out > 0)
        return true;
    DbStatement *end = db_prepare(unit, "organization_end");
    db_bind_int(end, "now", clock_now_ms());
    return empty(unit, error) && release_name(unit, row->name, error) && db_exec(end, error);
}
