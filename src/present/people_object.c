#include "present/people_object.h"

#include "base/clock.h"

#include <string.h>

/* Words separated by one space, as an array. */
static Json *words(const char *list) {
    Json *array = json_new_array();
    g_auto(GStrv) parts = g_strsplit(list ? list : "", " ", -1);
    for (char **part = parts; *part; part++)
        if (**part != '\0')
            json_add_string(array, *part);
    return array;
}

typedef struct {
    const char *role;
    const char *grants;
    const char *integrations;
    int64_t from;
    int64_t until;
} May;

static void put_may(Json *json, const May *may) {
    json_put_string(json, "role", may->role);
    json_put(json, "grants", words(may->grants));
    json_put(json, "integrations", may->integrations ? words(may->integrations) : NULL);
    json_put_time(json, "periodFrom", may->from);
    json_put_time(json, "periodUntil", may->until);
}

Json *organization_object(const Organization *organization) {
    Json *json = json_new_object();
    json_put_string(json, "id", organization->id);
    json_put_string(json, "name", organization->name);
    json_put_time(json, "createdAt", organization->created_at);
    return json;
}

Json *reach_object(const UserMembership *membership) {
    Json *json = json_new_object();
    json_put_string(json, "id", membership->organization_id);
    json_put_string(json, "name", membership->organization);
    put_may(json, &(May){membership->role, membership->grants, membership->integrations,
                         membership->period_from, membership->period_until});
    return json;
}

Json *user_object(const User *user) {
    Json *json = json_new_object();
    json_put_string(json, "id", user->id);
    json_put_string(json, "email", user->email);
    json_put_string(json, "name", user->name);
    json_put_bool(json, "hasPassword", user->password_hash != NULL);
    json_put_time(json, "disabledAt", user->disabled_at);
    json_put_time(json, "lastLoginAt", user->last_login_at);
    json_put_time(json, "createdAt", user->created_at);
    return json;
}

Json *member_object(const Member *member) {
    Json *json = json_new_object();
    json_put_string(json, "userId", member->user_id);
    json_put_string(json, "email", member->email);
    json_put_string(json, "name", member->name);
    put_may(json, &(May){member->role, member->grants, member->integrations, member->period_from,
                         member->period_until});
    json_put_time(json, "expiresAt", member->expires_at);
    json_put_time(json, "disabledAt", member->disabled_at);
    json_put_time(json, "lastLoginAt", member->last_login_at);
    json_put_time(json, "createdAt", member->created_at);
    return json;
}

Json *invitation_object(const Invitation *invitation) {
    Json *json = json_new_object();
    json_put_string(json, "id", invitation->id);
    json_put_string(json, "email", invitation->email);
    put_may(json, &(May){invitation->role, invitation->grants, invitation->integrations,
                         invitation->period_from, invitation->period_until});
    json_put_string(json, "invitedBy", invitation->invited_by);
    json_put_time(json, "createdAt", invitation->created_at);
    json_put_time(json, "expiresAt", invitation->expires_at);
    return json;
}

/* --- tokens ----------------------------------------------------------------------------------- */

static const char *status_of(int64_t expires_at, int64_t revoked_at) {
    if (revoked_at != 0)
        return "revoked";
    return expires_at != 0 && expires_at <= clock_now_ms() ? "expired" : "active";
}

Json *token_access_object(const ApiTokenAccess *access) {
    Json *json = json_new_object();
    json_put_string(json, "id", access->id);
    json_put_string(json, "name", access->name);
    json_put_string(json, "hint", access->hint);
    json_put_string(json, "status", status_of(access->expires_at, access->revoked_at));
    put_may(json, &(May){access->role, access->grants, access->integrations, access->period_from,
                         access->period_until});
    json_put_string(json, "createdBy", access->created_by);
    json_put_time(json, "createdAt", access->created_at);
    json_put_time(json, "expiresAt", access->expires_at);
    json_put_time(json, "revokedAt", access->revoked_at);
    json_put_time(json, "lastUsedAt", access->last_used_at);
    return json;
}

Json *token_object(const ApiToken *token) {
    Json *json = json_new_object();
    json_put_string(json, "id", token->id);
    json_put_string(json, "name", token->name);
    json_put_string(json, "hint", token->hint);
    json_put_string(json, "status", status_of(token->expires_at, token->revoked_at));
    json_put_bool(json, "operator", token->operator);
    json_put_string(json, "createdBy", token->created_by);
    json_put_time(json, "createdAt", token->created_at);
    json_put_time(json, "expiresAt", token->expires_at);
    json_put_time(json, "revokedAt", token->revoked_at);
    json_put_time(json, "lastUsedAt", token->last_used_at);
    return json;
}

Json *session_object(const UserSession *session, const char *current) {
    Json *json = json_new_object();
    json_put_string(json, "id", session->id);
    json_put_string(json, "address", session->address);
    json_put_string(json, "agent", session->agent);
    json_put_bool(json, "current", g_strcmp0(session->id, current) == 0);
    json_put_time(json, "createdAt", session->created_at);
    json_put_time(json, "lastSeenAt", session->last_seen_at);
    json_put_time(json, "expiresAt", session->expires_at);
    return json;
}
