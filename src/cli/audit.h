/* audit.h - who did what, and the proof that nobody has changed it since. */
#pragma once

#include "cli/command.h"
#include "cli/session.h"
#include "store/audit.h"

extern const Command audit_command;

/* What audit_export.h shares: which log, and which of its entries. */
#define AUDIT_OPTIONS                                                                              \
    {"action", OPTION_TEXT, "ACTION", "\"session.login\", or \"session.\" for all of its kind"},   \
        {"actor", OPTION_TEXT, "WHO", "id, e-mail address or name of a token"},                    \
        {"target", OPTION_TEXT, "WHAT", "id or name of what it was done to"},                      \
        {"result", OPTION_TEXT, "RESULT", "ok, denied or failed"},                                 \
        {"from", OPTION_TIME, "TIME", "from then on"},                                             \
        {"until", OPTION_TIME, "TIME", "before then"}, {                                           \
        "installation", OPTION_FLAG, NULL, "what belongs to no organization: logins, operators"    \
    }

/* Which entries; texts are borrowed. ERROR_USAGE. */
bool audit_filter(const Arguments *arguments, AuditFilter *filter_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The log of the data directory. */
Session *audit_open(const Arguments *arguments, GError **error) G_GNUC_WARN_UNUSED_RESULT;
const DbScope *audit_scope(const Arguments *arguments, const Session *session);

/* ... and of a server. The fields have room for some more. */
typedef struct {
    RemoteField fields[10]; /* ends in {0} */
    size_t count;
    char *from;
    char *until;
} AuditQuery;

/* Texts are borrowed from the filter. */
void audit_query_init(AuditQuery *query, const AuditFilter *filter);
void audit_query_clear(AuditQuery *query);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditQuery, audit_query_clear)
/* The value is borrowed; NULL leaves it out. */
void audit_query_add(AuditQuery *query, const char *name, const char *value);

/* The log's path in the API. */
const char *audit_path(const Arguments *arguments);
