/* integration.h - a connection of an organization to a provider; plaintext only.
 *
 * Settings, account and last_sync_result are JSON texts that this floor does not read.
 */
#pragma once

#include "store/record.h"

/* Values of Integration.status. */
#define INTEGRATION_CONNECTED "connected"
#define INTEGRATION_DEGRADED "degraded"
#define INTEGRATION_RECONNECT_NEEDED "reconnect_needed"
#define INTEGRATION_PAUSED "paused"
#define INTEGRATION_DISCONNECTED "disconnected"

typedef struct {
    const char *id;
    const char *provider; /* provider id, such as "github" */
    const char *name;     /* unique in the organization */
    const char *auth;     /* name of the auth method */
    const char *status;
    const char *status_reason;  /* or NULL */
    const char *error_message;  /* or NULL */
    const char *settings;       /* JSON object */
    const char *account;        /* JSON object: user, accountId ... */
    bool allow_private;         /* may reach private addresses */
    const char *enabled_checks; /* JSON array or NULL: all */
    const char *evidence_types; /* JSON array or NULL: all */
    const char *scan_schedule;  /* interval or cron, or NULL: the definition's */
    int64_t last_sync_at;
    int64_t last_checked_at;
    int64_t next_check_at;
    const char *last_sync_result; /* JSON object or NULL */
    int64_t rotation_due_at;
    const char *owner_user_id; /* or NULL: belongs to the organization */
    int64_t created_at;
    int64_t updated_at;
} Integration;

typedef struct {
    const char *provider; /* NULL: any */
    const char *status;   /* NULL: any */
    int64_t due_at;       /* due for scanners then, and taken by none (scan.h); 0: any */
    const char *after_id; /* NULL: from the first */
    int64_t limit;
} IntegrationFilter;

typedef struct {
    const char *status;
    const char *reason;        /* or NULL */
    const char *error_message; /* or NULL */
} IntegrationStatus;

/* What a finished run leaves behind. */
typedef struct {
    const char *result; /* JSON object */
    int64_t synced_at;
    IntegrationStatus status; /* what it has found */
} IntegrationSync;

void integration_free(Integration *integration); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Integration, integration_free)

/* Adds an integration. The id is the caller's (sealed fields are bound to it); created_at and
 * updated_at are set from the clock. ERROR_CONFLICT when the name is taken. */
bool integration_insert(DbUnit *unit, const Integration *integration,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND when this organization has none with the id. */
bool integration_get(DbUnit *unit, const char *id, Integration **integration_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND unless this organization has one with the id. */
bool integration_require(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By id or name. ERROR_NOT_FOUND. */
bool integration_find(DbUnit *unit, const char *id_or_name, Integration **integration_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Integration* by id, that is in the order of their making. The array frees its rows. */
bool integration_list(DbUnit *unit, const IntegrationFilter *filter, GPtrArray **integrations_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool integration_update_status(DbUnit *unit, const char *id, const IntegrationStatus *status,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces name, settings, allow_private, evidence_types and enabled_checks. ERROR_NOT_FOUND;
 * ERROR_CONFLICT when another one has the name. */
bool integration_change(DbUnit *unit, const Integration *integration,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the result and sets last_sync_at, last_checked_at and the status, which stays what it is
 * while the integration is paused or disconnected. next_check_at is its schedule's (schedule.h).
 * ERROR_NOT_FOUND. */
bool integration_record_sync(DbUnit *unit, const char *id, const IntegrationSync *sync,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
