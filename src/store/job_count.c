#include "store/job_count.h"

#include "base/clock.h"
#include "store/job.h"

#include <string.h>

/* Adds up rows of a status and a number. */
static bool read_rows(DbStatement *statement, JobCount *count, GError **error) {
    const struct {
        const char *status;
        int64_t *number;
    } numbers[] = {{JOB_PENDING, &count->pending}, {JOB_RUNNING, &count->running},
                   {JOB_PARKED, &count->parked},   {JOB_COMPLETED, &count->completed},
                   {JOB_FAILED, &count->failed},   {JOB_CANCELLED, &count->cancelled}};
    bool row = true;
    while (row) {
        if (!db_step(statement, &row, error))
            return false;
        const char *status = row ? db_column_text(statement, 0) : "";
        for (size_t i = 0; row && i < G_N_ELEMENTS(numbers); i++)
            if (strcmp(numbers[i].status, status) == 0)
                *numbers[i].number = db_column_int(statement, 1);
    }
    return true;
}

bool job_count(DbUnit *unit, JobCount *count_out, GError **error) {
    JobCount count = {0};
    int64_t now = clock_now_ms();
    if (!read_rows(db_prepare(unit, "job_count"), &count, error))
        return false;
    DbStatement *ended = db_prepare(unit, "job_count_ended");
    db_bind_int(ended, "since", now - JOB_COUNT_ENDED_MS);
    if (!read_rows(ended, &count, error))
        return false;
    DbStatement *oldest = db_prepare(unit, "job_oldest_due");
    db_bind_int(oldest, "now", now);
    if (!record_number(oldest, 0, &count.oldest_due_at, error))
        return false;
    *count_out = count;
    return true;
}
