#include "api/listener.h"

#include "base/clock.h"
#include "store/api_token.h"
#include "store/membership.h"
#include "store/user_session.h"

#include <string.h>

struct Listener {
    char *id;
    char *session_id; /* NULL: a token */
};

Listener *listener_new(const Caller *caller) {
    Listener *listener = g_new0(Listener, 1);
    listener->id = g_strdup(caller->id);
    listener->session_id = g_strdup(caller->session_id);
    return listener;
}

void listener_free(Listener *listener) {
    if (!listener)
        return;
    g_free(listener->id);
    g_free(listener->session_id);
    g_free(listener);
}

const char *listener_id(const Listener *listener) {
    return listener->id;
}

/* --- what there is of him --------------------------------------------------------------------- */

/* *role_out is NULL when the session or the membership has ended. */
static bool find_member(DbUnit *unit, const Listener *listener, Membership **role_out,
                        GError **error) {
    g_autoptr(GPtrArray) sessions = NULL;
    bool lives = false;
    *role_out = NULL;
    if (!user_session_list(unit, listener->id, &sessions, error))
        return false;
    for (guint i = 0; i < sessions->len && !lives; i++)
        lives = strcmp(((const UserSession *)g_ptr_array_index(sessions, i))->id,
                       listener->session_id) == 0;
    return !lives || membership_find(unit, listener->id, role_out, error);
}

/* *role_out is NULL when the token, or its access, has ended. */
static bool find_token(DbUnit *unit, const Listener *listener, Membership **role_out,
                       GError **error) {
    g_autoptr(ApiToken) token = NULL;
    *role_out = NULL;
    if (!api_token_get(unit, listener->id, &token, error))
        return false;
    bool lives =
        token->revoked_at == 0 && (token->expires_at == 0 || token->expires_at > clock_now_ms());
    return !lives || api_token_find_access(unit, listener->id, role_out, error);
}

bool listener_may(DbUnit *unit, const Listener *listener, const Job *job, bool *may_out,
                  GError **error) {
    g_autoptr(Membership) role = NULL;
    if (listener->session_id ? !find_member(unit, listener, &role, error)
                             : !find_token(unit, listener, &role, error))
        return false;
    *may_out = false;
    if (!role)
        return true;
    RoleSubject subject = membership_subject(role);
    RoleResource resource = {.integration_id = job ? job->integration_id : NULL,
                             .at = job ? job->created_at : 0};
    *may_out = role_allows(&subject, ACTION_JOB_READ, job ? &resource : NULL);
    return true;
}
