#include "store/audit_action.h"

#include <stddef.h>
#include <string.h>

typedef struct {
    const char *name;
    const char *done;   /* "{actor} connected {target}" */
    const char *undone; /* "{actor} could not connect {target}" */
} Row;

static const Row table[AUDIT_ACTIONS] = {
    [AUDIT_SETUP_COMPLETED] = {"setup.complete", "set up this installation",
                               "set up this installation"},
    [AUDIT_SESSION_LOGIN] = {"session.login", NULL, NULL},
    [AUDIT_SESSION_LOGOUT] = {"session.logout", NULL, NULL},
    [AUDIT_SESSION_REVOKED] = {"session.revoke", NULL, NULL},
    [AUDIT_PASSWORD_CHANGED] = {"password.change", NULL, NULL},
    [AUDIT_USER_ADDED] = {"user.add", "added the user {target}", "add the user {target}"},
    [AUDIT_USER_RENAMED] = {"user.rename", NULL, NULL},
    [AUDIT_USER_DISABLED] = {"user.disable", "disabled the user {target}",
                             "disable the user {target}"},
    [AUDIT_USER_ENABLED] = {"user.enable", "enabled the user {target}", "enable the user {target}"},
    [AUDIT_MEMBER_INVITED] = {"member.invite", "invited {target}", "invite {target}"},
    [AUDIT_INVITATION_REVOKED] = {"invitation.revoke", "took back the invitation of {target}",
                                  "take back the invitation of {target}"},
    [AUDIT_MEMBER_JOINED] = {"member.join", "joined", "join"},
    [AUDIT_MEMBER_CHANGED] = {"member.change", "changed the role of {target}",
                              "change the role of {target}"},
    [AUDIT_MEMBER_REMOVED] = {"member.remove", "removed {target}", "remove {target}"},
    [AUDIT_TOKEN_CREATED] = {"token.create", "made the token {target}", "make the token {target}"},
    [AUDIT_TOKEN_REVOKED] = {"token.revoke", "revoked the token {target}",
                             "revoke the token {target}"},
    [AUDIT_ORGANIZATION_CREATED] = {"organization.create", "made the organization {target}",
                                    "make the organization {target}"},
    [AUDIT_ORGANIZATION_RENAMED] = {"organization.rename", "renamed the organization to {target}",
                                    "rename the organization to {target}"},
    [AUDIT_ORGANIZATION_DELETED] = {"organization.delete", NULL, NULL},
    [AUDIT_INTEGRATION_CONNECTED] = {"integration.connect", "connected {target}",
                                     "connect {target}"},
    [AUDIT_INTEGRATION_TESTED] = {"integration.test", NULL, NULL},
    [AUDIT_INTEGRATION_RECONNECTED] = {"integration.reconnect", "reconnected {target}",
                                       "reconnect {target}"},
    [AUDIT_INTEGRATION_CHANGED] = {"integration.change", "changed the settings of {target}",
                                   "change the settings of {target}"},
    [AUDIT_INTEGRATION_PAUSED] = {"integration.pause", "paused {target}", "pause {target}"},
    [AUDIT_INTEGRATION_RESUMED] = {"integration.resume", "resumed {target}", "resume {target}"},
    [AUDIT_INTEGRATION_DISCONNECTED] = {"integration.disconnect", "disconnected {target}",
                                        "disconnect {target}"},
    [AUDIT_INTEGRATION_PURGED] = {"integration.purge", "purged {target}", "purge {target}"},
    [AUDIT_CREDENTIAL_READ] = {"credential.read", NULL, NULL},
    [AUDIT_CREDENTIAL_ROTATED] = {"credential.rotate", "rotated the credential of {target}",
                                  "rotate the credential of {target}"},
    [AUDIT_PROXY_USED] = {"proxy.use", NULL, NULL},
    [AUDIT_SYNC_STARTED] = {"sync.start", NULL, NULL},
    [AUDIT_SYNC_COMPLETED] = {"sync.complete", "collected evidence from {target}",
                              "collect evidence from {target}"},
    [AUDIT_JOB_CANCELLED] = {"job.cancel", "called off a run of {target}",
                             "call off a run of {target}"},
    [AUDIT_EVIDENCE_REVIEWED] = {"evidence.review", "reviewed {target}", "review {target}"},
    [AUDIT_EVIDENCE_EXPORTED] = {"evidence.export", "exported evidence", "export evidence"},
    [AUDIT_CONTROL_MAPPED] = {"control.map", "changed the mapping of {target}",
                              "change the mapping of {target}"},
    [AUDIT_EXCEPTION_SET] = {"exception.set", "made an exception for {target}",
                             "make an exception for {target}"},
    [AUDIT_EXCEPTION_REMOVED] = {"exception.remove", "took back the exception for {target}",
                                 "take back the exception for {target}"},
    [AUDIT_ASSESSMENT_POSTED] = {"assessment.post", NULL, NULL},
    [AUDIT_SCHEDULE_CHANGED] = {"schedule.change", "changed the schedule of {target}",
                                "change the schedule of {target}"},
    [AUDIT_SETTINGS_CHANGED] = {"settings.change", "changed settings", "change settings"},
    [AUDIT_DEFINITION_CHANGED] = {"definition.change", NULL, NULL},
    [AUDIT_CLIENT_CHANGED] = {"client.change", "changed the OAuth client of {target}",
                              "change the OAuth client of {target}"},
    [AUDIT_KEYS_ROTATED] = {"keys.rotate", NULL, NULL},
    [AUDIT_KEYS_EXPORTED] = {"keys.export", NULL, NULL},
    [AUDIT_EXPORTED] = {"audit.export", NULL, NULL},
    [AUDIT_BACKUP_MADE] = {"backup.make", NULL, NULL},
    [AUDIT_BACKUP_RESTORED] = {"backup.restore", NULL, NULL},
    [AUDIT_REQUEST_DENIED] = {"request.deny", NULL, NULL},
};

static const Row *row_of(AuditAction action) {
    static const Row unknown = {"unknown", NULL, NULL};
    return (unsigned)action < AUDIT_ACTIONS ? &table[action] : &unknown;
}

const char *audit_action_name(AuditAction action) {
    return row_of(action)->name;
}

bool audit_action_from_name(const char *name, AuditAction *action_out) {
    for (unsigned i = 0; name && i < AUDIT_ACTIONS; i++)
        if (strcmp(table[i].name, name) == 0) {
            *action_out = (AuditAction)i;
            return true;
        }
    return false;
}

const char *audit_action_done(AuditAction action) {
    return row_of(action)->done;
}

const char *audit_action_undone(AuditAction action) {
    return row_of(action)->undone;
}
