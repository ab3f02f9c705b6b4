/* follow.h - waits for a job that another process runs, for a person who wants its end.
 */
#pragma once

#include "db/db.h"
#include "sync/crew.h"

#include <glib.h>
#include <stdbool.h>

/* How often the job is looked at. */
#define FOLLOW_MS 250

/* Returns once nobody runs the job any more: it has ended, is parked, or can be claimed. At least
 * one look long, because another job of the integration may be in the way. progress is told
 * {message} on the way; may be NULL. */
bool follow_job(Db *db, const DbScope *scope, const char *job_id, CrewProgress progress, void *data,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
