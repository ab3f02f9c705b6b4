#include "store/job_count.h"

#include "store/job.h"

#include <string.h>

bool job_count(DbUnit *unit, JobCount *count_out, GError **error) {
    JobCount count = {0};
    const struct {
        const char *status;
        int64_t *number;
    } numbers[] = {
        {JOB_PENDING, &count.pending}, {JOB_RUNNING, &count.running}, {JOB_PARKED, &count.parked}};
    DbStatement *statement = db_prepare(unit, "job_count");
    bool row = true;
    while (row) {
        if (!db_step(statement, &row, error))
            return false;
        const char *status = row ? db_column_text(statement, 0) : "";
        for (size_t i = 0; row && i < G_N_ELEMENTS(numbers); i++)
            if (strcmp(numbers[i].status, status) == 0)
                *numbers[i].number = db_column_int(statement, 1);
    }
    *count_out = count;
    return true;
}
