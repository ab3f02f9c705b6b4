#include "sync/upkeep.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/document.h"
#include "store/errand_row.h"
#include "store/evidence_prune.h"
#include "store/job_prune.h"
#include "store/login_attempt.h"
#include "store/organization.h"
#include "store/user_session.h"

#define BATCH 200
#define DAY_MS (24 * 60 * 60 * (int64_t)1000)
#define RESPONSES_DAYS 400
#define EVIDENCE_YEARS 7
#define YEAR_DAYS 365

static const DbScope system_scope = {.actor = "scheduler", .system = true};

/* --- jobs ------------------------------------------------------------------------------------- */

typedef struct {
    int64_t journals_before_ms;
    JobPruned pruned;
} JobsWork;

static bool prune_jobs(DbUnit *unit, void *data, GError **error) {
    JobsWork *work = data;
    JobPrune prune = {.results_before_ms = clock_now_ms() - JOB_PRUNE_RESULTS_MS,
                      .journals_before_ms = work->journals_before_ms,
                      .limit = BATCH};
    return job_prune(unit, &prune, &work->pruned, error);
}

static bool keep_jobs(Db *db, const Retention *retention, bool *more, GError **error) {
    int64_t days = retention->responses_days ? retention->responses_days : RESPONSES_DAYS;
    JobsWork work = {.journals_before_ms = clock_now_ms() - days * DAY_MS};
    if (!db_run(db, &system_scope, DB_WRITE, prune_jobs, &work, error))
        return false;
    if (work.pruned.results + work.pruned.jobs > 0)
        log_line(LOG_INFO, "upkeep_removed", LOG_INT("results", work.pruned.results),
                 LOG_INT("jobs", work.pruned.jobs));
    *more |= work.pruned.results == BATCH || work.pruned.jobs == BATCH;
    return true;
}

/* --- organizations ---------------------------------------------------------------------------- */

typedef struct {
    Db *db;
    bool more;
    const char *after;
    GPtrArray *organizations;
    int64_t before_ms;
    bool due;
    bool errands_due;
    bool left_due;
    int64_t removed;
} EvidenceWork;

static bool list_work(DbUnit *unit, void *data, GError **error) {
    EvidenceWork *work = data;
    g_clear_pointer(&work->organizations, g_ptr_array_unref);
    return organization_list(unit, work->after, STORE_LIST_MAX, &work->organizations, error);
}

static bool look_around(DbUnit *unit, void *data, GError **error) {
    EvidenceWork *work = data;
    return evidence_prune_due(unit, work->before_ms, &work->due, error) &&
           errand_row_due(unit, &work->errands_due, error) &&
           document_left_due(unit, clock_now_ms() - DAY_MS, &work->left_due, error);
}

static bool prune_errands(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return errand_row_prune(unit, error);
}

static bool prune_evidence(DbUnit *unit, void *data, GError **error) {
    EvidenceWork *work = data;
    return evidence_prune(unit, work->before_ms, BATCH, &work->removed, error);
}

/* No run goes on for longer than a day. */
static bool prune_left(DbUnit *unit, void *data, GError **error) {
    EvidenceWork *work = data;
    return document_left_prune(unit, clock_now_ms() - DAY_MS, BATCH, &work->removed, error);
}

static bool prune_documents(EvidenceWork *work, const DbScope *scope, DbWork prune,
                            GError **error) {
    if (!db_run(work->db, scope, DB_WRITE, prune, work, error))
        return false;
    log_line(LOG_INFO, "upkeep_removed", LOG_TEXT("organization", scope->organization),
             LOG_INT("documents", work->removed));
    work->more |= work->removed == BATCH;
    return true;
}

static bool keep_organization(EvidenceWork *work, const char *id, GError **error) {
    DbScope scope = {.organization = id, .actor = "scheduler", .role = "system"};
    if (!db_run(work->db, &scope, DB_READ, look_around, work, error))
        return false;
    if (work->errands_due && !db_run(work->db, &scope, DB_WRITE, prune_errands, NULL, error))
        return false;
    if (work->left_due && !prune_documents(work, &scope, prune_left, error))
        return false;
    return !work->due || prune_documents(work, &scope, prune_evidence, error);
}

static bool keep_page(EvidenceWork *work, GError **error) {
    for (guint i = 0; i < work->organizations->len; i++) {
        const Organization *row = g_ptr_array_index(work->organizations, i);
        if (!keep_organization(work, row->id, error))
            return false;
    }
    return true;
}

static bool keep_evidence(Db *db, const Retention *retention, bool *more, GError **error) {
    int64_t years = retention->evidence_years ? retention->evidence_years : EVIDENCE_YEARS;
    EvidenceWork work = {.db = db, .before_ms = clock_now_ms() - years * YEAR_DAYS * DAY_MS};
    g_autofree char *after = NULL;
    bool page = true;
    bool ok = true;
    while (ok && page) {
        ok = db_run(db, &system_scope, DB_READ, list_work, &work, error) && keep_page(&work, error);
        page = ok && work.organizations->len == STORE_LIST_MAX;
        if (page) {
            const Organization *last =
                g_ptr_array_index(work.organizations, work.organizations->len - 1);
            g_free(after);
            work.after = after = g_strdup(last->id);
        }
    }
    g_clear_pointer(&work.organizations, g_ptr_array_unref);
    *more |= work.more;
    return ok;
}

/* --- logins ----------------------------------------------------------------------------------- */

static bool prune_logins(DbUnit *unit, void *data, GError **error) {
    (void)data;
    return login_attempt_prune(unit, error) && user_session_prune(unit, error);
}

bool upkeep_run(Db *db, const Retention *retention, bool *more_out, GError **error) {
    *more_out = false;
    return keep_jobs(db, retention, more_out, error) &&
           keep_evidence(db, retention, more_out, error) &&
           db_run(db, &system_scope, DB_WRITE, prune_logins, NULL, error);
}
