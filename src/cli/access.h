/* access.h - what a person or token may, as options of the command line say it.
 *
 *   --role ROLE  --grant GRANT  --integration NAME  --from TIME  --until TIME
 *
 * Shared by `users` and `tokens`, whose tables of options end with ACCESS_OPTIONS.
 */
#pragma once

#include "cli/remote.h"
#include "cli/session.h"
#include "store/membership.h"

#define ACCESS_OPTIONS                                                                             \
    {"role", OPTION_TEXT, "ROLE", "owner, admin, member, auditor or scanner"},                     \
        {"grant", OPTION_LIST, "GRANT", "credentials:read, for owners and admins"},                \
        {"integration", OPTION_LIST, "NAME", "what a scanner may see, by name or id"},             \
        {"from", OPTION_TIME, "TIME", "an auditor sees what was collected from then on"}, {        \
        "until", OPTION_TIME, "TIME", "... and before then"                                        \
    }

/* What the options say. The texts are the struct's. */
typedef struct {
    Membership membership; /* without user_id */
    char *grants;
    char *integrations;
} Access;

/* role: the one meant without --role; NULL: it must be given. ERROR_USAGE, ERROR_NOT_FOUND. */
bool access_init(Access *access, const Session *session, const Arguments *arguments,
                 const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void access_clear(Access *access);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Access, access_clear)

/* The same with the integrations of a server. */
bool access_init_remote(Access *access, Remote *remote, const Arguments *arguments,
                        const char *role, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What it says as the body of a request; the caller owns it. */
Json *access_body(const Access *access);

/* --expires: a time, a date, or how long from now ("90d"); 0 when it is not given. ERROR_USAGE. */
bool access_expiry(const Arguments *arguments, int64_t *expires_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A page of the UI, such as "invite", with a token behind '#', where no server logs it: under
 * ASSAY_PUBLIC_URL. Caller frees with secmem_free_text(). */
char *access_link(const char *page, const char *token);
