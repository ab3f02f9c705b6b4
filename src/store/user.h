/* user.h - people. They belong to the installation and have memberships in organizations.
 *
 * The e-mail address is the name to log in with, unique and kept in lower case. The password hash
 * is opaque here (vault/password.h); a user without one cannot log in with a password. A disabled
 * user stays, because audit rows name it, and cannot do anything.
 *
 * All functions run in any scope: no row belongs to an organization.
 */
#pragma once

#include "store/record.h"

#define USER_EMAIL_MAX 254 /* RFC 5321 section 4.5.3.1.3 */
#define USER_NAME_MAX 200

typedef struct {
    const char *id;
    const char *email;
    const char *name;
    const char *password_hash; /* or NULL: none was set */
    int64_t password_changed_at;
    int64_t disabled_at; /* 0: is not */
    int64_t last_login_at;
    int64_t created_at;
    int64_t updated_at;
} User;

void user_free(User *user); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(User, user_free)

/* The address as it is stored: trimmed, lower case, one '@' with text around it, printable ASCII
 * without spaces. NULL with ERROR_CONFIGURATION when it is none. Caller frees. */
char *user_email_normal(const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Adds a user; the e-mail must be in normal form, created_at and updated_at are set from the clock.
 * ERROR_CONFLICT when the address or id is taken. */
bool user_insert(DbUnit *unit, const User *user, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool user_get(DbUnit *unit, const char *id, User **user_out,
              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* By id or e-mail in normal form; *user_out is NULL when there is none. */
bool user_find(DbUnit *unit, const char *id_or_email, User **user_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many there are, disabled ones included: 0 on the first start. */
bool user_count(DbUnit *unit, int64_t *count_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* User* by id behind after_id (NULL: from the first): all of the installation. */
bool user_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **users_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores a new password's hash. Ending the other sessions is user_session_end_others().
 * ERROR_NOT_FOUND. */
bool user_set_password(DbUnit *unit, const char *id, const char *hash,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The same for somebody who has shown that he knows the present one: ERROR_CONFLICT when old_hash
 * is no longer the stored one, or the user was disabled meanwhile. */
bool user_change_password(DbUnit *unit, const char *id, const char *old_hash, const char *hash,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the same password hashed with newer parameters, if the hash still is old_hash; does not
 * touch password_changed_at. */
bool user_rehash(DbUnit *unit, const char *id, const char *old_hash, const char *new_hash,
                 GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_NOT_FOUND. */
bool user_set_disabled(DbUnit *unit, const char *id, bool disabled,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Sets last_login_at from the clock. ERROR_NOT_FOUND. */
bool user_logged_in(DbUnit *unit, const char *id, GError **error) G_GNUC_WARN_UNUSED_RESULT;
