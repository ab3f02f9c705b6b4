/* claim_cost URL CLAIMS: what a claim of a due job costs on a database that is there already.
 *
 * Claims one job after the other, each in a unit of work of its own, as workers do, and prints
 * {"claims", "wallUs"}: microseconds a claim, the mean of all but the dearest tenth.
 */
#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "db/db.h"
#include "store/job_claim.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

typedef struct {
    Job *job;
} Claimed;

static bool claim_work(DbUnit *unit, void *data, GError **error) {
    Claimed *claimed = data;
    JobClaim claim = {.owner = "bench", .lease_ms = 3600 * 1000};
    g_clear_pointer(&claimed->job, job_free);
    return job_claim(unit, &claim, &claimed->job, error);
}

static int64_t now_ns(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *a, const void *b) {
    int64_t one = *(const int64_t *)a;
    int64_t two = *(const int64_t *)b;
    return one < two ? -1 : one > two;
}

/* The time of one claim in nanoseconds; negative when it failed or nothing was due. */
static int64_t claim_once(Db *db) {
    static const DbScope scheduler = {.actor = "bench", .system = true};
    g_autoptr(GError) error = NULL;
    Claimed claimed = {0};
    int64_t begin = now_ns();
    bool ok = db_run(db, &scheduler, DB_WRITE, claim_work, &claimed, &error);
    int64_t took = now_ns() - begin;
    if (!ok || !claimed.job)
        fprintf(stderr, "claim_cost: %s\n", ok ? "no job is due" : error->message);
    bool claims = ok && claimed.job;
    job_free(claimed.job);
    return claims ? took : -1;
}

int main(int argc, char **argv) {
    if (argc != 3) {
        fprintf(stderr, "usage: claim_cost URL CLAIMS\n");
        return 2;
    }
    g_autoptr(GError) error = NULL;
    size_t count = (size_t)strtoul(argv[2], NULL, 10);
    g_autofree int64_t *times = g_new0(int64_t, count + 1);
    g_autoptr(Db) db = db_open(argv[1], &error);
    if (!db) {
        fprintf(stderr, "claim_cost: %s\n", error->message);
        return 1;
    }
    for (size_t i = 0; i < count; i++) {
        times[i] = claim_once(db);
        if (times[i] < 0)
            return 1;
    }
    qsort(times, count, sizeof *times, compare);
    size_t kept = count - count / 10;
    int64_t sum = 0;
    for (size_t i = 0; i < kept; i++)
        sum += times[i];
    printf("{\"claims\":%zu,\"wallUs\":%.2f}\n", count, (double)sum / (double)kept / 1000);
    return 0;
}
