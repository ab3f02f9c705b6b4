#include "api/users.h"

#include "api/access_body.h"
#include "api/people_shape.h"
#include "api/revision.h"
#include "present/people_object.h"
#include "store/audit.h"

#include <string.h>

/* --- reading ---------------------------------------------------------------------------------- */

static bool list(Call *call, GError **error) {
    return call_answer_roll(call, &member_roll, error);
}

typedef struct {
    Call *call;
    const char *id;
    const Membership *may; /* of a change */
    Member *member;
} MemberWork;

static void member_work_clear(MemberWork *work) {
    g_clear_pointer(&work->member, member_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(MemberWork, member_work_clear)

static bool get_work(DbUnit *unit, void *data, GError **error) {
    MemberWork *work = data;
    member_work_clear(work);
    return member_get(unit, work->id, &work->member, error);
}

static bool answer(Call *call, MemberWork *work, GError **error) {
    return call_run(call, DB_READ, get_work, work, error) &&
           call_answer(call, 200, member_object(work->member));
}

static bool get(Call *call, GError **error) {
    g_auto(MemberWork) work = {.id = call_parameter(call, "id")};
    return answer(call, &work, error);
}

/* --- changing --------------------------------------------------------------------------------- */

static bool note(DbUnit *unit, const MemberWork *work, AuditAction action, GError **error) {
    AuditActor actor = call_actor(work->call);
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "before", work->member->role);
    json_put_string(details, "after", work->may ? work->may->role : NULL);
    AuditEntry entry = {.action = action,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = work->id,
                        .target_name = work->member->email,
                        .details = details};
    return audit_add(unit, &entry, error);
}

static Json *show(const Call *call, const void *data) {
    (void)call;
    return member_object(((const MemberWork *)data)->member);
}

/* Whoever may not give what a member has may not take it away either. */
static bool may_touch(Call *call, const void *data, GError **error) {
    const Member *member = ((const MemberWork *)data)->member;
    return access_body_may(call, member->role, member->grants, error);
}

static bool write_change(DbUnit *unit, Call *call, void *data, GError **error) {
    const MemberWork *work = data;
    Membership membership = *work->may;
    (void)call;
    membership.user_id = work->id;
    return access_body_require(unit, work->may, error) &&
           membership_update(unit, &membership, error) &&
           note(unit, work, AUDIT_MEMBER_CHANGED, error);
}

static const Revision changing = {
    .read = get_work, .may = may_touch, .show = show, .write = write_change};

static bool change(Call *call, GError **error) {
    g_auto(AccessBody) access = {0};
    g_auto(MemberWork) work = {.call = call, .id = call_parameter(call, "id")};
    if (!call_run(call, DB_READ, get_work, &work, error) || !may_touch(call, &work, error) ||
        !access_body_init(&access, call, error))
        return false;
    work.may = &access.membership;
    return revision_make(call, &changing, &work, error) &&
           call_answer(call, 200, member_object(work.member));
}

static bool write_removal(DbUnit *unit, Call *call, void *data, GError **error) {
    const MemberWork *work = data;
    (void)call;
    return membership_delete(unit, work->id, error) &&
           note(unit, work, AUDIT_MEMBER_REMOVED, error);
}

static const Revision removing = {
    .read = get_work, .may = may_touch, .show = show, .write = write_removal, .removes = true};

static bool remove_member(Call *call, GError **error) {
    g_auto(MemberWork) work = {.call = call, .id = call_parameter(call, "id")};
    if (!revision_make(call, &removing, &work, error))
        return false;
    return call_answer_success(call);
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField change_fields[] = {
    ACCESS_BODY_FIELDS,
    SHAPE_FIELD("expiresAt", TIME, SHAPE_NULLABLE, "When the membership ends."),
    {0}};
static const Shape change_shape = {.name = "MemberChange",
                                   .about = "Replaces all of it: what is not said is taken away.",
                                   .fields = change_fields};

const Route user_routes[] = {{.method = "GET",
                              .path = "/api/users",
                              .id = "listUsers",
                              .tag = "People",
                              .summary = "The members of the organization.",
                              .access = ACCESS_ROLE,
                              .action = ACTION_MEMBER_READ,
                              .flags = ROUTE_LIST,
                              .handle = list,
                              .reply = &member_list_shape},
                             {.method = "GET",
                              .path = "/api/users/{id}",
                              .id = "getUser",
                              .tag = "People",
                              .summary = "One member.",
                              .access = ACCESS_ROLE,
                              .action = ACTION_MEMBER_READ,
                              .flags = ROUTE_OBJECT | ROUTE_BRIEF,
                              .handle = get,
                              .reply = &member_shape_of_api},
                             {.method = "PATCH",
                              .path = "/api/users/{id}",
                              .id = "changeUser",
                              .tag = "People",
                              .summary = "Give a member another role.",
                              .access = ACCESS_ROLE,
                              .action = ACTION_MEMBER_CHANGE,
                              .flags = ROUTE_OBJECT,
                              .handle = change,
                              .body = &change_shape,
                              .reply = &member_shape_of_api},
                             {.method = "DELETE",
                              .path = "/api/users/{id}",
                              .id = "removeUser",
                              .tag = "People",
                              .summary =
                                  "End a membership; the account stays, and so do the integrations "
                                  "that were his own, as the organization's.",
                              .access = ACCESS_ROLE,
                              .action = ACTION_MEMBER_CHANGE,
                              .handle = remove_member,
                              .reply = &success_shape},
                             {0}};
