/* activity.h - what has happened in an organization, in short sentences for people.
 *
 * Made of the audit rows whose action has a sentence (store/audit_action.h): "ada@example.com
 * connected acme (GitHub)". What was refused or failed says so.
 */
#pragma once

#include "store/audit.h"

typedef struct {
    char *id; /* of the audit row */
    int64_t at;
    char *action;
    char *actor;       /* name, or what kind it is */
    char *result;      /* "ok", "denied", "failed" */
    char *target_kind; /* or NULL */
    char *target_id;   /* or NULL: for a link */
    char *sentence;
} Activity;

void activity_free(Activity *activity); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Activity, activity_free)

/* Activity* of the unit's organization, newest first, before this row (NULL: the newest). The array
 * frees them. */
bool activity_list(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **activities_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The sentence of an audit record; NULL when it is for auditors only. Caller frees. */
char *activity_sentence(const Json *record);
