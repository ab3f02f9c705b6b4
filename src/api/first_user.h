/* first_user.h - setting up an installation that nobody can log in to yet.
 *
 * `assay serve` asks for a link with first_user_link() and prints it; the page behind it posts the
 * token with the first user's address and password, who becomes owner of the organization.
 */
#pragma once

#include "api/route.h"
#include "base/secmem.h"
#include "db/db.h"

#include <glib.h>

/* Ends with a route without a method. */
extern const Route first_user_routes[];

/* PUBLIC-URL/setup#TOKEN, which replaces an earlier one; *link_out is NULL when there are users.
 * Caller frees with secmem_free_text(). */
bool first_user_link(Db *db, const char *public_url, char **link_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
