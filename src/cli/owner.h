/* owner.h - the member to whom an integration is to belong, by e-mail address or id: --owner. */
#pragma once

#include "cli/remote.h"
#include "cli/session.h"

/* His id; the caller frees it. NULL with ERROR_NOT_FOUND when the organization has no such member.
 */
char *owner_here(const Session *session, const char *wanted,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;
char *owner_there(Remote *remote, const char *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;
