/* integration.h - a connection of an organization to a provider; plaintext only.
 *
 * Settings, account and last_sync_result are JSON texts that this floor does not read.
 *
 * Health is what the service last said: connected, degraded or reconnect_needed. Status is the
 * same, unless a person holds the integration (paused, disconnected); health goes on beside it, so
 * that nobody comes back from a pause in better health than he went:
 *
 *                        runs or degrades      paused                disconnected
 *   a run, a refusal     status and health     health only           nothing
 *   a passed test        reconnect_needed      the same of health    nothing
 *                        becomes connected
 *   pause                paused                nothing               ERROR_CONFLICT
 *   resume               nothing               health                ERROR_CONFLICT
 *   disconnect           disconnected          disconnected          nothing
 *   reconnect            connected             health only           connected
 *
 * The functions below are the only ones that move it, each in one unit of work. What was found of
 * an earlier connection (Integration.connection) says nothing of the present one.
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
    const char *health; /* connected, degraded or reconnect_needed */
    int64_t connection; /* 1, and one more with every reconnect */
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
    int64_t connection;        /* that this was found of; 0: of the present one */
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
 * updated_at are set from the clock, health and connection from the status. ERROR_CONFLICT when the
 * name is taken. */
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

/* To paused or disconnected, because a person wants it; to another status, because a run has found
 * it so. See the table above. ERROR_NOT_FOUND, ERROR_CONFLICT. */
bool integration_update_status(DbUnit *unit, const char *id, const IntegrationStatus *status,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The credential of this connection (0: the present one) was tested and works. ERROR_NOT_FOUND. */
bool integration_pass_test(DbUnit *unit, const char *id, int64_t connection,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Ends a pause. ERROR_NOT_FOUND; ERROR_CONFLICT when it is disconnected. */
bool integration_resume(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A new connection in the place of the one before: auth, settings, account and allow_private are
 * read. ERROR_NOT_FOUND. */
bool integration_reconnect(DbUnit *unit, const Integration *integration,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces name, settings, allow_private, evidence_types, enabled_checks and owner_user_id, in the
 * unit that has read the row. ERROR_NOT_FOUND; ERROR_CONFLICT when another one has the name. */
bool integration_change(DbUnit *unit, const Integration *integration,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Makes those that belong to this user everybody's; *count_out is their number. */
bool integration_share_all(DbUnit *unit, const char *user_id, int64_t *count_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the result, sets last_sync_at and last_checked_at, and moves the status as a run does.
 * next_check_at is its schedule's (schedule.h). ERROR_NOT_FOUND. */
bool integration_record_sync(DbUnit *unit, const char *id, const IntegrationSync *sync,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;
