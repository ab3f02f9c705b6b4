/* entry.h - somebody comes in: what login, setup and joining have in common.
 *
 * An Entry is a new session with its ticket. It is stored in the unit that lets the person in, and
 * answered with the cookie and the caller's object once that unit has been committed.
 */
#pragma once

#include "api/call.h"
#include "base/id.h"
#include "base/secmem.h"

typedef struct {
    char id[ID_SIZE];
    char hash[DIGEST_HEX_SIZE];
    Secret *ticket;
} Entry;

bool entry_init(Entry *entry, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void entry_clear(Entry *entry);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Entry, entry_clear)

/* Inside a unit, of any scope: begins the session of a user. */
bool entry_store(DbUnit *unit, const Entry *entry, const Call *call, const char *user_id,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Answers with the cookie and who the user is. */
bool entry_answer(Call *call, const Entry *entry, unsigned status,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Gives the cookie with whatever the answer is. */
void entry_give(Call *call, const Entry *entry);

/* Takes the cookie back. */
void entry_forget(Call *call);

/* The object about a caller; it is the call's own caller unless another is given. */
Json *entry_object(const Caller *caller);

/* A password out of the body; the caller owns it. NULL with the error set. */
Secret *entry_password(const Call *call, const char *name, GError **error);

/* The scope of what belongs to no organization: logins, sessions. */
extern const DbScope entry_scope;

/* Writes the same audit entry for every organization that a user is in. */
bool entry_tell(Call *call, const GPtrArray *reach, const AuditEntry *entry,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
