/* audit_action.h - everything that is written into the audit log, as one table.
 *
 * An action has a stable name ("integration.connect") and, when it interests people and not only
 * auditors, the words that the activity of an organization shows (store/activity.h).
 */
#pragma once

#include <stdbool.h>

typedef enum {
    AUDIT_SETUP_COMPLETED,
    AUDIT_SESSION_LOGIN,
    AUDIT_SESSION_LOGOUT,
    AUDIT_SESSION_REVOKED,
    AUDIT_PASSWORD_CHANGED,
    AUDIT_USER_ADDED,
    AUDIT_USER_RENAMED,
    AUDIT_USER_DISABLED,
    AUDIT_USER_ENABLED,
    AUDIT_MEMBER_INVITED,
    AUDIT_INVITATION_REVOKED,
    AUDIT_MEMBER_JOINED,
    AUDIT_MEMBER_CHANGED,
    AUDIT_MEMBER_REMOVED,
    AUDIT_TOKEN_CREATED,
    AUDIT_TOKEN_REVOKED,
    AUDIT_ORGANIZATION_CREATED,
    AUDIT_ORGANIZATION_RENAMED,
    AUDIT_ORGANIZATION_DELETED,
    AUDIT_INTEGRATION_CONNECTED,
    AUDIT_INTEGRATION_TESTED,
    AUDIT_INTEGRATION_RECONNECTED,
    AUDIT_INTEGRATION_CHANGED,
    AUDIT_INTEGRATION_PAUSED,
    AUDIT_INTEGRATION_RESUMED,
    AUDIT_INTEGRATION_DISCONNECTED,
    AUDIT_INTEGRATION_PURGED,
    AUDIT_CREDENTIAL_READ,
    AUDIT_CREDENTIAL_ROTATED,
    AUDIT_PROXY_USED,
    AUDIT_SYNC_STARTED,
    AUDIT_SYNC_COMPLETED,
    AUDIT_JOB_CANCELLED,
    AUDIT_EVIDENCE_REVIEWED,
    AUDIT_EVIDENCE_EXPORTED,
    AUDIT_CONTROL_MAPPED,
    AUDIT_EXCEPTION_SET,
    AUDIT_EXCEPTION_REMOVED,
    AUDIT_ASSESSMENT_POSTED,
    AUDIT_SCHEDULE_CHANGED,
    AUDIT_SETTINGS_CHANGED,
    AUDIT_DEFINITION_CHANGED,
    AUDIT_CLIENT_CHANGED,
    AUDIT_KEYS_ROTATED,
    AUDIT_KEYS_EXPORTED,
    AUDIT_EXPORTED,
    AUDIT_BACKUP_MADE,
    AUDIT_BACKUP_RESTORED,
    AUDIT_REQUEST_DENIED,
    AUDIT_ACTIONS
} AuditAction;

/* "integration.connect". Static storage. */
const char *audit_action_name(AuditAction action);

/* False when there is no such action. */
bool audit_action_from_name(const char *name, AuditAction *action_out);

/* What people read behind the actor's name, with {target} where the target's name stands:
 * "connected {target}", and after "could not": "connect {target}". NULL when this is for auditors
 * only. Static storage. */
const char *audit_action_done(AuditAction action);
const char *audit_action_undone(AuditAction action);
