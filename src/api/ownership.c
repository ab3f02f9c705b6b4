#include "api/ownership.h"

#include "store/membership.h"

#include <string.h>

#define MEMBER "/ownerUserId"

static bool manages(const Call *call) {
    Role role = call->caller->subject.role;
    return role == ROLE_OWNER || role == ROLE_ADMIN;
}

static bool is_member(DbUnit *unit, const char *user_id, bool *is_out, GError **error) {
    g_autoptr(Membership) membership = NULL;
    if (!membership_find(unit, user_id, &membership, error))
        return false;
    *is_out = membership != NULL;
    return true;
}

bool ownership_may(DbUnit *unit, Call *call, const char *user_id, GError **error) {
    bool member = false;
    if (!manages(call))
        return call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                           "Owners and admins say whose an integration is; members take for "
                           "themselves what they connect.");
    if (!user_id)
        return true;
    return is_member(unit, user_id, &member, error) &&
           (member || call_wrong(call, error, MEMBER, "is no member of this organization"));
}

bool ownership_holds(DbUnit *unit, const char *user_id, GError **error) {
    bool member = false;
    if (!user_id)
        return true;
    if (!is_member(unit, user_id, &member, error))
        return false;
    if (!member)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "Whom it was to belong to is no member of this organization any more.");
    return member;
}

typedef struct {
    Call *call;
    const char *user_id;
} OwnerWork;

static bool owner_work(DbUnit *unit, void *data, GError **error) {
    const OwnerWork *work = data;
    call_forget_refusal(work->call);
    return ownership_may(unit, work->call, work->user_id, error);
}

bool ownership_read(Call *call, const char **user_id_out, GError **error) {
    const char *self = call->caller->subject.user_id;
    const char *named = json_member_string(call->body, "ownerUserId", NULL);
    OwnerWork work = {call, named};
    if (json_member_bool(call->body, "personal", false)) {
        if (named && g_strcmp0(named, self) != 0)
            return call_wrong(call, error, "/personal", "contradicts ownerUserId");
        if (!self)
            return call_wrong(call, error, "/personal",
                              "wants a user who is signed in: this token is nobody's");
        named = self;
    }
    *user_id_out = named;
    return !named || g_strcmp0(named, self) == 0 ||
           call_run(call, DB_READ, owner_work, &work, error);
}
