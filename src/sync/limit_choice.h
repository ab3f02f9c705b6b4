/* limit_choice.h - the operator chooses how often a service is called at most.
 *
 * Each change is one unit of work with its entry in the installation's audit log. It holds for
 * every run that begins afterwards. Callers see to it that only the operator gets here.
 */
#pragma once

#include "db/db.h"
#include "store/audit.h"

#include <glib.h>
#include <stdbool.h>

/* Sets or replaces the limit of a provider (its id); *text_out is the limit as it is told from then
 * on ("30/1m"; caller frees). ERROR_CONFIGURATION when rate is no such text. */
bool limit_choose(Db *db, const AuditActor *actor, const char *provider, const char *rate,
                  char **text_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND when there is none. */
bool limit_forget(Db *db, const AuditActor *actor, const char *provider,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
