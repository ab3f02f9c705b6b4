/* access.h - who may see an organization at this moment: sessions of its members, and tokens.
 *
 * For those who must know it of many callers at once (open streams); a request asks for its own
 * caller by user_session.h and api_token.h, and both answer alike.
 */
#pragma once

#include "store/record.h"

typedef struct {
    const char *caller_id;    /* of the session or token */
    const char *role;         /* role_name() */
    const char *grants;       /* or NULL */
    const char *integrations; /* or NULL */
    int64_t period_from;
    int64_t period_until;
} Access;

void access_free(Access *access); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Access, access_free)

/* Access* of the unit's organization by id behind after_id (NULL: from the first), at most
 * STORE_LIST_MAX. The array frees them. */
bool access_list(DbUnit *unit, const char *after_id, GPtrArray **accesses_out,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
