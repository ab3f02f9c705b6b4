#include "store/role.h"

#include <string.h>

typedef enum { NO, YES, OWN, NAMED, GRANTED, PERIOD } Cell;

static const char *const cell_names[] = {
    [NO] = "no",       [YES] = "yes",         [OWN] = "own",
    [NAMED] = "named", [GRANTED] = "granted", [PERIOD] = "period",
};

static const char *const role_names[] = {
    [ROLE_OWNER] = "owner",     [ROLE_ADMIN] = "admin",     [ROLE_MEMBER] = "member",
    [ROLE_AUDITOR] = "auditor", [ROLE_SCANNER] = "scanner", [ROLE_NONE] = "none",
};

typedef struct {
    const char *name;
    Cell cells[ROLES + 1]; /* owner, admin, member, auditor, scanner, operator */
} Row;

/* docs/roles.md repeats this by hand; change both. */
static const Row table[ACTIONS] = {
    [ACTION_INTEGRATION_READ] = {"integration.read", {YES, YES, YES, YES, NAMED, NO}},
    [ACTION_INTEGRATION_CONNECT] = {"integration.connect", {YES, YES, OWN, NO, NO, NO}},
    [ACTION_INTEGRATION_CHANGE] = {"integration.change", {YES, YES, OWN, NO, NO, NO}},
    [ACTION_INTEGRATION_SYNC] = {"integration.sync", {YES, YES, OWN, NO, NO, NO}},
    [ACTION_INTEGRATION_PURGE] = {"integration.purge", {YES, NO, NO, NO, NO, NO}},
    [ACTION_INTEGRATION_SCAN] = {"integration.scan", {YES, YES, OWN, NO, NAMED, NO}},
    [ACTION_CREDENTIAL_READ] = {"credential.read", {GRANTED, GRANTED, NO, NO, NAMED, NO}},
    [ACTION_JOB_READ] = {"job.read", {YES, YES, YES, PERIOD, NAMED, NO}},
    [ACTION_JOB_CANCEL] = {"job.cancel", {YES, YES, OWN, NO, NO, NO}},
    [ACTION_EVIDENCE_READ] = {"evidence.read", {YES, YES, YES, PERIOD, NAMED, NO}},
    [ACTION_EVIDENCE_REVIEW] = {"evidence.review", {YES, YES, YES, NO, NO, NO}},
    [ACTION_FINDING_READ] = {"finding.read", {YES, YES, YES, PERIOD, NAMED, NO}},
    [ACTION_CONTROL_READ] = {"control.read", {YES, YES, YES, YES, NO, NO}},
    [ACTION_CONTROL_COLLECT] = {"control.collect", {YES, YES, YES, NO, NO, NO}},
    [ACTION_CONTROL_CHANGE] = {"control.change", {YES, YES, NO, NO, NO, NO}},
    [ACTION_REPORT_READ] = {"report.read", {YES, YES, YES, PERIOD, NO, NO}},
    [ACTION_COMMENT_WRITE] = {"comment.write", {YES, YES, YES, YES, NO, NO}},
    [ACTION_ASSESSMENT_READ] = {"assessment.read", {YES, YES, YES, PERIOD, NAMED, NO}},
    [ACTION_ASSESSMENT_WRITE] = {"assessment.write", {NO, NO, NO, NO, NAMED, NO}},
    [ACTION_MEMBER_READ] = {"member.read", {YES, YES, YES, YES, NO, NO}},
    [ACTION_MEMBER_CHANGE] = {"member.change", {YES, YES, NO, NO, NO, NO}},
    [ACTION_TOKEN_READ] = {"token.read", {YES, YES, NO, NO, NO, NO}},
    [ACTION_TOKEN_CHANGE] = {"token.change", {YES, YES, NO, NO, NO, NO}},
    [ACTION_AUDIT_READ] = {"audit.read", {YES, YES, NO, PERIOD, NO, NO}},
    [ACTION_ACTIVITY_READ] = {"activity.read", {YES, YES, YES, PERIOD, NO, NO}},
    [ACTION_SETTINGS_READ] = {"settings.read", {YES, YES, YES, YES, NO, NO}},
    [ACTION_SETTINGS_CHANGE] = {"settings.change", {YES, YES, NO, NO, NO, NO}},
    [ACTION_CONNECT_SESSION_CREATE] = {"connect_session.create", {YES, YES, NO, NO, NO, NO}},
    [ACTION_ORGANIZATION_READ] = {"organization.read", {YES, YES, YES, YES, YES, YES}},
    [ACTION_ORGANIZATION_DELETE] = {"organization.delete", {YES, NO, NO, NO, NO, NO}},
    [ACTION_KEY_EXPORT] = {"key.export", {YES, NO, NO, NO, NO, NO}},
    [ACTION_ORGANIZATION_CREATE] = {"organization.create", {NO, NO, NO, NO, NO, YES}},
    [ACTION_ORGANIZATION_LIST] = {"organization.list", {NO, NO, NO, NO, NO, YES}},
    [ACTION_DEFINITION_CHANGE] = {"definition.change", {NO, NO, NO, NO, NO, YES}},
    [ACTION_INSTALLATION_READ] = {"installation.read", {NO, NO, NO, NO, NO, YES}},
    [ACTION_INSTALLATION_CHANGE] = {"installation.change", {NO, NO, NO, NO, NO, YES}},
    [ACTION_HOST_SETTING] = {"host.setting", {NO, NO, NO, NO, NO, YES}},
};

bool role_list_has(const char *list, const char *word) {
    size_t length = strlen(word);
    for (const char *at = list; at && *at != '\0';) {
        size_t here = strcspn(at, " ");
        if (here == length && strncmp(at, word, length) == 0)
            return true;
        at += here + strspn(at + here, " ");
    }
    return false;
}

/* --- the cells -------------------------------------------------------------------------------- */

static bool is_named(const RoleSubject *subject, const RoleResource *resource) {
    if (!resource)
        return subject->integrations != NULL && *subject->integrations != '\0';
    return resource->integration_id &&
           role_list_has(subject->integrations, resource->integration_id);
}

static bool is_own(const RoleSubject *subject, const RoleResource *resource) {
    return !resource || !resource->owner_user_id ||
           g_strcmp0(resource->owner_user_id, subject->user_id) == 0;
}

static bool is_in_period(const RoleSubject *subject, const RoleResource *resource) {
    if (!resource || resource->at == 0)
        return true;
    return resource->at >= subject->period_from &&
           (subject->period_until == 0 || resource->at < subject->period_until);
}

static bool cell_allows(Cell cell, const RoleSubject *subject, const RoleResource *resource) {
    switch (cell) {
    case YES:
        return true;
    case OWN:
        return is_own(subject, resource);
    case NAMED:
        return is_named(subject, resource);
    case GRANTED:
        return role_list_has(subject->grants, ROLE_GRANT_CREDENTIALS);
    case PERIOD:
        return is_in_period(subject, resource);
    case NO:
        break;
    }
    return false;
}

bool role_allows(const RoleSubject *subject, RoleAction action, const RoleResource *resource) {
    if ((unsigned)action >= ACTIONS || (unsigned)subject->role > ROLE_NONE)
        return false;
    const Row *row = &table[action];
    if (subject->operator&& row->cells[ROLE_NONE] == YES)
        return true;
    return subject->role != ROLE_NONE && cell_allows(row->cells[subject->role], subject, resource);
}

bool role_may_assign(const RoleSubject *subject, Role role, const char *grants) {
    if (subject->role == ROLE_OWNER)
        return true;
    return subject->role == ROLE_ADMIN && role != ROLE_OWNER && (!grants || *grants == '\0');
}

/* --- names ------------------------------------------------------------------------------------ */

const char *role_name(Role role) {
    return (unsigned)role <= ROLE_NONE ? role_names[role] : role_names[ROLE_NONE];
}

bool role_from_name(const char *name, Role *role_out) {
    for (unsigned i = 0; name && i < ROLES; i++)
        if (strcmp(role_names[i], name) == 0) {
            *role_out = (Role)i;
            return true;
        }
    return false;
}

const char *role_action_name(RoleAction action) {
    return (unsigned)action < ACTIONS ? table[action].name : "none";
}

const char *role_cell(RoleAction action, Role role) {
    if ((unsigned)action >= ACTIONS || (unsigned)role > ROLE_NONE)
        return cell_names[NO];
    return cell_names[table[action].cells[role]];
}
