/* crew.h - the parent's side of a worker process.
 *
 * Whatever evaluates expressions or holds an opened credential runs in a worker (sync/station.h).
 * Credentials under test travel over its socket, never through the database, the environment or
 * arguments. A worker that dies takes nothing with it but its own work: the job's lease is let go
 * and the job is run again.
 */
#pragma once

#include "base/json.h"
#include "connect/credentials.h"
#include "sync/queue.h"
#include "sync/station.h"

#include <glib.h>
#include <stdbool.h>

typedef struct Crew Crew;

typedef StationConfig CrewConfig;

/* Progress of a job, for people: a JSON object {phase, evidenceType, rows, calls, message}. */
typedef void (*CrewProgress)(const Json *progress, void *data);

bool crew_start(const CrewConfig *config, Crew **crew_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
void crew_free(Crew *crew); /* ends the worker and waits for it */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Crew, crew_free)

typedef struct {
    const char *provider; /* provider id */
    const char *auth;     /* auth method's name */
    const Json *settings; /* as checked */
    const Credentials *credentials;
} CrewTest;

/* Tests a connection before it is stored; *account_out says who it is. */
bool crew_test(Crew *crew, const CrewTest *test, Json **account_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends what crew_test() waits for on another thread: it fails as if the worker had died. */
void crew_interrupt(Crew *crew);

/* Makes the job of a wish, as queue_sync() does, where definitions are read anyway. wish->data_dir
 * is the crew's; wish->actor is noted in the unit that stores the job. *queued_out: {"job": its id,
 * "provider": the name for people}. */
bool crew_queue(Crew *crew, const DbScope *scope, const char *integration_id,
                const SyncRequest *wish, Json **queued_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs one job to its end, restarting the worker when it dies, as often as the job has attempts.
 * *result_out is the job's result: {evidenceCollected, evidenceFailed, controlsUpdated, errors}. */
bool crew_run(Crew *crew, const char *organization_id, const char *job_id, CrewProgress progress,
              void *data, Json **result_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replays the recorded exchanges of a definition offline and compares with its golden documents.
 * folder holds *.jsonl and *.golden.json; *report_out: {"passed": n, "failed": n, "cases": [...]}.
 * With write_golden the golden documents are written instead. */
bool crew_exercise(Crew *crew, const char *definition_file, const char *folder, bool write_golden,
                   Json **report_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;
