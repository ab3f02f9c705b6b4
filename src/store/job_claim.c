#include "store/job_claim.h"

#include "base/clock.h"
#include "store/event.h"

#include <string.h>

/* Stale bounds and used-up jobs that one unit deals with before it leaves the rest to the next. */
#define CLAIM_STEPS 64

static const char *const exhausted =
    "{\"code\":\"INTERNAL\",\"message\":\"The run was started " G_STRINGIFY(
        JOB_ATTEMPTS) " times and made no progress. Start it again, and look into the log of the "
                      "worker if it stays so.\",\"retryable\":false}";

/* Where a claim stands in the order of turns. */
typedef struct {
    char *organization; /* NULL: before the first, or nobody is left */
    int64_t running;
    int64_t served_at;
} Turn;

static void turn_clear(Turn *turn) {
    g_free(turn->organization);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Turn, turn_clear)

/* Runs a bound statement that gives the next turn. */
static bool read_turn(DbStatement *statement, Turn *turn, GError **error) {
    bool found = false;
    if (!db_step(statement, &found, error)) {
        return false;
    }
    g_clear_pointer(&turn->organization, g_free);
    if (found) {
        turn->organization = db_column_dup(statement, 0);
        turn->running = db_column_int(statement, 1);
        turn->served_at = db_column_int(statement, 2);
    }
    db_reset(statement);
    return true;
}

static void bind_turn(DbStatement *statement, const JobClaim *claim) {
    db_bind_int(statement, "now", clock_now_ms());
    db_bind_int(statement, "most", claim->most > 0 ? claim->most : INT64_MAX);
}

/* Goes on to the next organization behind this turn. */
static bool next_turn(DbUnit *unit, const JobClaim *claim, Turn *turn, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_claim_queue");
    bind_turn(statement, claim);
    db_bind_int(statement, "after_running", turn->organization ? turn->running : -1);
    db_bind_int(statement, "after_served", turn->served_at);
    db_bind_text(statement, "after_organization", turn->organization ? turn->organization : "");
    return read_turn(statement, turn, error);
}

/* The first turn. When other claims are at all organizations that have work, waits for one. */
static bool first_turn(DbUnit *unit, const JobClaim *claim, Turn *turn, GError **error) {
    if (!next_turn(unit, claim, turn, error)) {
        return false;
    }
    if (turn->organization) {
        return true;
    }
    DbStatement *statement = db_prepare(unit, "job_claim_queue_wait");
    bind_turn(statement, claim);
    return read_turn(statement, turn, error);
}

static bool lock_queue(DbUnit *unit, const char *organization, GError **error) {
    DbStatement *lock = db_prepare(unit, "job_queue_lock");
    db_bind_text(lock, "organization", organization);
    return db_exec(lock, error);
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

/* Nothing of the organization is claimable: raises its bound. Its row is locked, because a job that
 * is added by another unit lowers the bound again and must not be overlooked. */
static bool correct_queue(DbUnit *unit, const char *organization, GError **error) {
    DbStatement *correct = db_prepare(unit, "job_queue_correct");
    db_bind_text(correct, "organization", organization);
    return db_exec(correct, error);
}

/* Puts the organization behind the others; started is 1 for one running job more, -1 for one less,
 * 0 when it was running before. */
static bool serve_queue(DbUnit *unit, const char *organization, int started, GError **error) {
    DbStatement *statement = db_prepare(unit, "job_queue_serve");
    db_bind_text(statement, "organization", organization);
    db_bind_int(statement, "now", clock_now_ms());
    db_bind_int(statement, "started", started);
    return db_exec(statement, error);
}

static bool is_running(const Job *job) {
    return strcmp(job->status, JOB_RUNNING) == 0;
}

/* How a picked job ends that is not to be run. */
typedef struct {
    const char *status;
    const char *error;
} Ending;

static bool tell_end(DbUnit *unit, const Job *job, const Ending *ending, GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {
        .kind = EVENT_DONE, .integration_id = job->integration_id, .job_id = job->id, .data = data};
    json_put_string(data, "status", ending->status);
    return event_add_of(unit, job->organization_id, &news, error);
}

static bool end_picked(DbUnit *unit, const Job *job, const Ending *ending, GError **error) {
    int64_t now = clock_now_ms();
    DbStatement *end = db_prepare(unit, "job_claim_end");
    db_bind_text(end, "organization", job->organization_id);
    db_bind_text(end, "id", job->id);
    db_bind_text(end, "status", ending->status);
    db_bind_int(end, "now", now);
    if (!db_exec(end, error)) {
        return false;
    }
    DbStatement *result = db_prepare(unit, "job_claim_end_result");
    db_bind_text(result, "organization", job->organization_id);
    db_bind_text(result, "id", job->id);
    db_bind_text(result, "error", ending->error);
    db_bind_int(result, "now", now);
    return db_exec(result, error) &&
           (!is_running(job) || serve_queue(unit, job->organization_id, -1, error)) &&
           tell_end(unit, job, ending, error);
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

/* Takes a picked job, or ends it when it was called off or its attempts are used up (*job_out is
 * NULL then). */
static bool settle(DbUnit *unit, const Job *picked, const JobClaim *claim, Job **job_out,
                   GError **error) {
    const Ending called_off = {JOB_CANCELLED, job_cancelled_error};
    const Ending used_up = {JOB_FAILED, exhausted};
    *job_out = NULL;
    if (picked->cancel_at > 0) {
        return end_picked(unit, picked, &called_off, error);
    }
    if (next_attempt(picked) > JOB_ATTEMPTS) {
        return end_picked(unit, picked, &used_up, error);
    }
    g_autoptr(Job) job = NULL;
    if (!take(unit, picked, claim, &job, error) ||
        !serve_queue(unit, picked->organization_id, is_running(picked) ? 0 : 1, error)) {
        return false;
    }
    *job_out = g_steal_pointer(&job);
    return true;
}

/* Serves one organization: *job_out is NULL when nothing of it can be claimed. *steps is what is
 * left of the work that this unit may do. */
static bool serve(DbUnit *unit, const char *organization, const JobClaim *claim, int *steps,
                  Job **job_out, GError **error) {
    *job_out = NULL;
    while (!*job_out && (*steps)-- > 0) {
        g_autoptr(Job) picked = NULL;
        if (!pick_job(unit, organization, NULL, &picked, error)) {
            return false;
        }
        if (!picked) {
            return correct_queue(unit, organization, error);
        }
        if (!settle(unit, picked, claim, job_out, error)) {
            return false;
        }
    }
    return true;
}

bool job_claim(DbUnit *unit, const JobClaim *claim, Job **job_out, GError **error) {
    g_auto(Turn) turn = {0};
    g_autoptr(Job) job = NULL;
    int steps = CLAIM_STEPS;
    if (!first_turn(unit, claim, &turn, error)) {
        return false;
    }
    while (turn.organization && steps > 0) {
        if (!serve(unit, turn.organization, claim, &steps, &job, error)) {
            return false;
        }
        if (job) {
            break;
        }
        if (!next_turn(unit, claim, &turn, error)) {
            return false;
        }
    }
    *job_out = g_steal_pointer(&job);
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
        !lock_queue(unit, organization_id, error) ||
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
