/* audit.h - who did what, to what, from where, and whether it was allowed.
 *
 * audit_add() is called in the unit of work that does the thing, so that neither is stored without
 * the other; a refused attempt is a unit of its own. Rows are only ever inserted: there is no
 * statement that changes or deletes one, and the database refuses it by itself too (triggers on
 * both engines).
 *
 * A row is its record: JSON text with the members below, stored verbatim, because the leaf of the
 * audit tree (store/audit_tree.h) is a hash over salt and these bytes. The columns beside it are
 * for filters. Names stand in the record as they were then. Entries carry no secret: callers name
 * fields that were changed, never values of credentials.
 *
 * What belongs to no organization (failed logins, the operator's actions) is written in a unit
 * whose scope has AUDIT_INSTALLATION as its organization.
 */
#pragma once

#include "base/json.h"
#include "store/audit_action.h"
#include "store/record.h"

#define AUDIT_INSTALLATION "installation"

/* Values of AuditActor.kind and AuditEntry.result. */
#define AUDIT_USER "user"
#define AUDIT_TOKEN "token"
#define AUDIT_CLI "cli"
#define AUDIT_SYSTEM "system"
#define AUDIT_OK "ok"
#define AUDIT_DENIED "denied"
#define AUDIT_FAILED "failed"

#define AUDIT_RECORD_MAX 8192

/* What a transaction knows (db_knows()): the organization has something to be sealed, and the rows
 * that follow are the newest. */
#define AUDIT_WAITS "audit-waits"
#define AUDIT_SALT_SIZE 16

/* Who. Texts may be NULL but the kind. */
typedef struct {
    const char *kind;
    const char *id;
    const char *name;       /* e-mail address, name of the token, operating-system user */
    const char *address;    /* of the client */
    const char *request_id; /* of the API */
} AuditActor;

/* What. Texts that do not apply are NULL. */
typedef struct {
    AuditAction action;
    const AuditActor *actor;
    const char *result;      /* NULL: AUDIT_OK */
    const char *target_kind; /* "integration" */
    const char *target_id;
    const char *target_name;
    const Json *details; /* an object, small; or NULL */
} AuditEntry;

/* A stored row. */
typedef struct {
    const char *id;
    int64_t at;
    const char *action; /* audit_action_name() */
    const char *record; /* JSON: id, organizationId, at, action, result, actor, target, details */
    int64_t leaf_index; /* in the audit tree; -1 until it is sealed */
} AuditRow;

/* Which rows; NULL and 0 mean any. */
typedef struct {
    const char *action;    /* a name, or with a trailing '.' all that begin with it: "session." */
    const char *actor_id;  /* or the actor's name */
    const char *target_id; /* or the target's name */
    const char *result;
    int64_t from;
    int64_t until;         /* excluded */
    const char *before_id; /* newest first: those before this row */
    const char *after_id;  /* with oldest_first: those behind this row */
    bool oldest_first;     /* for exports */
    int64_t limit;
} AuditFilter;

void audit_row_free(AuditRow *row); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(AuditRow, audit_row_free)

/* Writes an entry for the unit's organization; id and time are made here. ERROR_LIMIT when the
 * record is larger than AUDIT_RECORD_MAX. */
bool audit_add(DbUnit *unit, const AuditEntry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool audit_get(DbUnit *unit, const char *id, AuditRow **row_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* AuditRow* of the unit's organization, newest first unless the filter says otherwise. The array
 * frees its rows. */
bool audit_list(DbUnit *unit, const AuditFilter *filter, GPtrArray **rows_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* AuditRow* of what people are shown (store/activity.h), newest first, before this row (NULL: the
 * newest). leaf_index is not read. */
bool audit_list_for_people(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **rows_out,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;
