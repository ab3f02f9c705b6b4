#include "store/job_claim.h"

#include "base/clock.h"

/* Stale bounds and used-up jobs that one unit deals with before it leaves the rest to the next. */
#define CLAIM_STEPS 64

static const char *const exhausted =
    "{\"code\":\"INTERNAL\",\"message\":\"The run was started " G_STRINGIFY(
        JOB_ATTEMPTS) " times and made no progress. Start it again, and look into the log of the "
                      "worker if it stays so.\",\"retryable\":false}";

static bool pick_queue(DbUnit *unit, char **organization_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_claim_queue");
    db_bind_int(statement, "now", clock_now_ms());
    bool found = false;
    if (!db_step(statement, &found, error)) {
        return false;
    }
    *organization_out = found ? db_column_dup(statement, 0) : NULL;
    db_reset(statement);
    return true;
}

/* Picks a due job of the organization: this one, or the most urgent when job_id is NULL. */
static bool pick_job(DbUnit *unit, const char *organization, const char *job_id, Job **job_out,
                     GError **error) {
    DbStatement *statement = db_prepare(unit, job_id ? "job_claim_pick_one" : "job_claim_pick");
    db_bind_text(statement, "organization", organization);
    db_bind_int(statement, "now", clock_now_ms());
    if (job_id) {
        db_bind_text(statement, "id", job_id);
    }
    return record_one(statement, &job_shape, job_out, error);
}

/* Nothing of the organization is due: raises its bound. Locked first, because a job that is added
 * by another unit lowers the bound again and must not be overlooked. */
static bool correct_queue(DbUnit *unit, const char *organization, GError **error) {
    DbStatement *lock = db_prepare(unit, "job_queue_lock");
    db_bind_text(lock, "organization", organization);
    if (!db_exec(lock, error)) {
        return false;
    }
    DbStatement *correct = db_prepare(unit, "job_queue_correct");
    db_bind_text(correct, "organization", organization);
    return db_exec(correct, error);
}

static bool serve_queue(DbUnit *unit, const char *organization, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_queue_serve");
    db_bind_text(statement, "organization", organization);
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}

static bool exhaust(DbUnit *unit, const Job *job, GError **error) {
    DbStatement *end = db_prepare(unit, "job_claim_exhaust");
    db_bind_text(end, "organization", job->organization_id);
    db_bind_text(end, "id", job->id);
    db_bind_int(end, "now", clock_now_ms());
    if (!db_exec(end, error)) {
        return false;
    }
    DbStatement *result = db_prepare(unit, "job_claim_exhaust_result");
    db_bind_text(result, "organization", job->organization_id);
    db_bind_text(result, "id", job->id);
    db_bind_text(result, "error", exhausted);
    return db_exec(result, error);
}

static int64_t next_attempt(const Job *job) {
    return job->journal_batches > job->journal_mark ? 1 : job->attempt + 1;
}

static bool take(DbUnit *unit, const Job *picked, const JobClaim *claim, Job **job_out,
                 GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *statement = db_prepare(unit, "job_claim_take");
    db_bind_text(statement, "organization", picked->organization_id);
    db_bind_text(statement, "id", picked->id);
    db_bind_text(statement, "owner", claim->owner);
    db_bind_int(statement, "attempt", next_attempt(picked));
    db_bind_int(statement, "lease_until", now + claim->lease_ms);
    db_bind_int(statement, "now", now);
    return record_must(statement, &job_shape, job_out, error);
}

/* Takes a picked job, or ends it when its attempts are used up (*job_out is NULL then). */
static bool settle(DbUnit *unit, const Job *picked, const JobClaim *claim, Job **job_out,
                   GError **error) {
    if (next_attempt(picked) > JOB_ATTEMPTS) {
        *job_out = NULL;
        return exhaust(unit, picked, error);
    }
    g_autoptr(Job) job = NULL;
    if (!take(unit, picked, claim, &job, error) ||
        !serve_queue(unit, picked->organization_id, error)) {
        return false;
    }
    *job_out = g_steal_pointer(&job);
    return true;
}

/* One step of a claim: looks at one organization. */
static bool claim_step(DbUnit *unit, const char *organization, const JobClaim *claim, Job **job_out,
                       GError **error) {
    g_autoptr(Job) picked = NULL;
    if (!pick_job(unit, organization, NULL, &picked, error)) {
        return false;
    }
    if (!picked) {
        *job_out = NULL;
        return correct_queue(unit, organization, error);
    }
    return settle(unit, picked, claim, job_out, error);
}

bool job_claim(DbUnit *unit, const JobClaim *claim, Job **job_out, GError **error) {
    for (int step = 0; step < CLAIM_STEPS; step++) {
        g_autofree char *organization = NULL;
        g_autoptr(Job) job = NULL;
        if (!pick_queue(unit, &organization, error)) {
            return false;
        }
        if (!organization) {
            break;
        }
        if (!claim_step(unit, organization, claim, &job, error)) {
            return false;
        }
        if (job) {
            *job_out = g_steal_pointer(&job);
            return true;
        }
    }
    *job_out = NULL;
    return true;
}

static bool require_job(DbUnit *unit, const char *organization_id, const char *job_id,
                        GError **error) {
    DbStatement *statement = db_prepare(unit, "job_claim_exists");
    db_bind_text(statement, "organization", organization_id);
    db_bind_text(statement, "id", job_id);
    int64_t count = 0;
    if (!record_number(statement, 0, &count, error)) {
        return false;
    }
    if (count == 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "There is no such job in this organization.");
        return false;
    }
    return true;
}

bool job_claim_one(DbUnit *unit, const char *organization_id, const char *job_id,
                   const JobClaim *claim, Job **job_out, GError **error) {
    g_autoptr(Job) picked = NULL;
    if (!require_job(unit, organization_id, job_id, error) ||
        !pick_job(unit, organization_id, job_id, &picked, error)) {
        return false;
    }
    if (!picked) {
        *job_out = NULL;
        return true;
    }
    return settle(unit, picked, claim, job_out, error);
}

bool job_release_owner(DbUnit *unit, const char *owner, int64_t *released_out, GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *queue = db_prepare(unit, "job_release_queue");
    db_bind_text(queue, "owner", owner);
    db_bind_int(queue, "now", now);
    if (!db_exec(queue, error)) {
        return false;
    }
    DbStatement *jobs = db_prepare(unit, "job_release_owner");
    db_bind_text(jobs, "owner", owner);
    db_bind_int(jobs, "now", now);
    if (!db_exec(jobs, error)) {
        return false;
    }
    if (released_out) {
        *released_out = db_changes(unit);
    }
    return true;
}
