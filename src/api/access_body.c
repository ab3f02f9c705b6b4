#include "api/access_body.h"

#include "base/clock.h"
#include "store/integration.h"

#include <string.h>

void access_body_clear(AccessBody *access) {
    g_clear_pointer(&access->grants, g_free);
    g_clear_pointer(&access->integrations, g_free);
}

/* An array of words as the store keeps it; NULL for none. */
static char *words(const Json *array) {
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < json_count(array); i++) {
        const char *word = json_text(json_item(array, i));
        g_string_append_printf(list, "%s%s", i > 0 ? " " : "", word ? word : "");
    }
    return list->len > 0 ? g_strdup(list->str) : NULL;
}

/* Times have been held against the shape. */
static int64_t time_of(const Json *body, const char *name) {
    const char *text = json_member_string(body, name, NULL);
    int64_t at = 0;
    return text && clock_parse(text, &at) ? at : 0;
}

bool access_body_may(Call *call, const char *role, const char *grants, GError **error) {
    Role wanted = ROLE_NONE;
    return (role_from_name(role, &wanted) &&
            role_may_assign(&call->caller->subject, wanted, grants)) ||
           call_refuse(call, PROBLEM_FORBIDDEN, error, "%s",
                       "Owners give and take any role; admins any but owner, and no grants.");
}

bool access_body_read(AccessBody *access, Call *call, GError **error) {
    g_auto(AccessBody) made = {.grants = words(json_member(call->body, "grants")),
                               .integrations = words(json_member(call->body, "integrations"))};
    made.membership = (Membership){.role = json_member_string(call->body, "role", NULL),
                                   .grants = made.grants,
                                   .integrations = made.integrations,
                                   .period_from = time_of(call->body, "periodFrom"),
                                   .period_until = time_of(call->body, "periodUntil"),
                                   .expires_at = time_of(call->body, "expiresAt")};
    if (made.membership.expires_at != 0 && made.membership.expires_at <= clock_now_ms())
        return call_wrong(call, error, "/expiresAt", "is a time to come");
    if (!membership_check(&made.membership, error))
        return false;
    *access = made;
    made.grants = made.integrations = NULL;
    return true;
}

bool access_body_init(AccessBody *access, Call *call, GError **error) {
    g_auto(AccessBody) made = {0};
    if (!access_body_read(&made, call, error) ||
        !access_body_may(call, made.membership.role, made.grants, error))
        return false;
    *access = made;
    made.grants = made.integrations = NULL;
    return true;
}

bool access_body_require(DbUnit *unit, const Membership *membership, GError **error) {
    if (!membership->integrations)
        return true;
    g_auto(GStrv) ids = g_strsplit(membership->integrations, " ", -1);
    for (char **id = ids; *id; id++)
        if (!integration_require(unit, *id, error))
            return false;
    return true;
}
