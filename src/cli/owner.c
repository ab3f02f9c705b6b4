#include "cli/owner.h"

#include "base/error.h"
#include "base/text.h"
#include "store/membership.h"
#include "store/user.h"

#include <string.h>

static void set_missing(const char *wanted, GError **error) {
    g_autofree char *shown = text_one_line(wanted, 100);
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                "no member of this organization is %s; `assay users` lists them", shown);
}

typedef struct {
    const char *wanted;
    char *id; /* NULL: there is none */
} FindWork;

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_autoptr(User) user = NULL;
    g_autoptr(Membership) membership = NULL;
    g_clear_pointer(&work->id, g_free);
    g_autofree char *normal = user_email_normal(work->wanted, NULL);
    if (!user_find(unit, normal ? normal : work->wanted, &user, error) ||
        (user && !membership_find(unit, user->id, &membership, error)))
        return false;
    work->id = membership ? g_strdup(user->id) : NULL;
    return true;
}

char *owner_here(const Session *session, const char *wanted, GError **error) {
    FindWork work = {.wanted = wanted};
    DbScope scope = *session_scope(session);
    scope.system = true; /* users belong to the installation */
    if (!db_run(session_db(session), &scope, DB_READ, find_work, &work, error)) {
        g_free(work.id);
        return NULL;
    }
    if (!work.id)
        set_missing(wanted, error);
    return work.id;
}

char *owner_there(Remote *remote, const char *wanted, GError **error) {
    g_autoptr(Json) users = remote_list(remote, "/api/users", NULL, "users", error);
    for (size_t i = 0; i < json_count(users); i++) {
        const Json *user = json_item(users, i);
        if (strcmp(json_member_string(user, "userId", ""), wanted) == 0 ||
            g_ascii_strcasecmp(json_member_string(user, "email", ""), wanted) == 0)
            return g_strdup(json_member_string(user, "userId", ""));
    }
    if (users)
        set_missing(wanted, error);
    return NULL;
}
