/* role.h - who may do what: one table of actions and roles.
 *
 * A caller (a user in an organization, an API token, the command line) is a RoleSubject. The route
 * or command names a RoleAction; role_allows() answers from the table in role.c, which
 * docs/roles.md repeats by hand and a test compares.
 *
 * What a cell can say: yes; no; own (integrations that belong to the subject or to nobody); named
 * (integrations that the membership or token names); granted (only with the grant
 * ROLE_GRANT_CREDENTIALS); period (things of the auditor's period).
 *
 * The installation operator stands beside the roles: operator actions are his and nobody else's,
 * and he reads no organization's data unless he also has a role in it.
 *
 * Organizations are not looked at here. A subject exists for one organization; who has no
 * membership has no subject, and the object is not found.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    ROLE_OWNER,
    ROLE_ADMIN,
    ROLE_MEMBER,
    ROLE_AUDITOR,
    ROLE_SCANNER,
    ROLE_NONE, /* no role in the organization: operators, users before they chose one */
    ROLES = ROLE_NONE
} Role;

/* The one grant there is: reading credentials through the broker and using them in the proxy. */
#define ROLE_GRANT_CREDENTIALS "credentials:read"

typedef enum {
    ACTION_INTEGRATION_READ,
    ACTION_INTEGRATION_CONNECT,
    ACTION_INTEGRATION_CHANGE, /* settings, schedule, pause, reconnect, test, disconnect */
    ACTION_INTEGRATION_SYNC,
    ACTION_INTEGRATION_PURGE,
    ACTION_INTEGRATION_SCAN, /* lease what is due, say that it was scanned */
    ACTION_CREDENTIAL_READ,  /* broker and proxy */
    ACTION_JOB_READ,
    ACTION_JOB_CANCEL,
    ACTION_EVIDENCE_READ,
    ACTION_EVIDENCE_REVIEW,
    ACTION_FINDING_READ,
    ACTION_CONTROL_READ, /* frameworks, controls, scores */
    ACTION_CONTROL_COLLECT,
    ACTION_CONTROL_CHANGE, /* mapping, exceptions */
    ACTION_REPORT_READ,
    ACTION_COMMENT_WRITE,
    ACTION_ASSESSMENT_READ,
    ACTION_ASSESSMENT_WRITE,
    ACTION_MEMBER_READ,
    ACTION_MEMBER_CHANGE, /* invite, role, remove */
    ACTION_TOKEN_READ,
    ACTION_TOKEN_CHANGE,
    ACTION_AUDIT_READ,
    ACTION_ACTIVITY_READ,
    ACTION_SETTINGS_READ,
    ACTION_SETTINGS_CHANGE, /* the organization's: name, OAuth clients, notifications */
    ACTION_CONNECT_SESSION_CREATE,
    ACTION_ORGANIZATION_READ,
    ACTION_ORGANIZATION_DELETE,
    ACTION_KEY_EXPORT,
    /* The installation operator's. */
    ACTION_ORGANIZATION_CREATE,
    ACTION_ORGANIZATION_LIST, /* all of them */
    ACTION_DEFINITION_CHANGE,
    ACTION_INSTALLATION_READ, /* configuration, metrics, doctor */
    ACTION_INSTALLATION_CHANGE,
    ACTION_HOST_SETTING, /* allow_private, endpoint_url and whatever else names a host */
    ACTIONS
} RoleAction;

/* Who asks. Texts are borrowed; lists are words separated by one space. */
typedef struct {
    Role role;
    bool operator;            /* of the installation */
    const char *user_id;      /* or NULL: a token of nobody */
    const char *grants;       /* or NULL */
    const char *integrations; /* ids that a scanner may see, or NULL: none */
    int64_t period_from;      /* an auditor's; 0: open */
    int64_t period_until;     /* excluded; 0: open */
} RoleSubject;

/* What is asked for. NULL instead of a resource asks for "some of them": lists, whose rows the
 * handler then narrows. A field that does not apply is NULL or 0. */
typedef struct {
    const char *integration_id;
    const char *owner_user_id; /* of the integration; NULL: the organization's */
    int64_t at;                /* when it was collected or happened */
} RoleResource;

bool role_allows(const RoleSubject *subject, RoleAction action, const RoleResource *resource);

/* Whether the subject may give this role (with these grants) to somebody, or take it away: owners
 * any; admins any but owner, and no grants. */
bool role_may_assign(const RoleSubject *subject, Role role, const char *grants);

/* "owner" ... "scanner"; "none". Static storage. */
const char *role_name(Role role);

/* False when there is no such role (ROLE_NONE is none). */
bool role_from_name(const char *name, Role *role_out);

/* The stable name of an action, such as "integration.read". Static storage. */
const char *role_action_name(RoleAction action);

/* What the table says, as docs/roles.md spells it: "yes", "no", "own", "named", "granted" or
 * "period"; with ROLE_NONE the operator's column. Static storage. */
const char *role_cell(RoleAction action, Role role);

/* Whether a list of words separated by spaces has this one. NULL list: no. */
bool role_list_has(const char *list, const char *word);
