/* users.h - the people of an organization, and what they may in it. */
#pragma once

#include "cli/command.h"
#include "store/audit.h"
#include "store/user.h"

extern const Command users_list_command;
extern const Command users_invite_command;
extern const Command users_role_command;
extern const Command users_remove_command;

/* What the commands about accounts (users_account.h) share with these. */

/* By id or e-mail address. ERROR_NOT_FOUND. */
bool users_find(DbUnit *unit, const char *wanted, User **user_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Inside the unit: whoever works on the data directory has done this to the user. */
bool users_note(DbUnit *unit, AuditAction action, const User *user,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Prints {"success": true, "user": user}, and for people "ADDRESS done"; takes the user. */
void users_print_changed(const Output *output, Json *take_user, const char *done);
