#include "store/user.h"

#include "base/clock.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(User, id, RECORD_TEXT, 0),
    RECORD_COLUMN(User, email, RECORD_TEXT, USER_EMAIL_MAX),
    RECORD_COLUMN(User, name, RECORD_TEXT, 0),
    RECORD_COLUMN(User, password_hash, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(User, password_changed_at, RECORD_INT, 0),
    RECORD_COLUMN(User, disabled_at, RECORD_INT, 0),
    RECORD_COLUMN(User, last_login_at, RECORD_INT, 0),
    RECORD_COLUMN(User, created_at, RECORD_INT, 0),
    RECORD_COLUMN(User, updated_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(User, "user", columns);

static const char *const not_found = "There is no such user.";

void user_free(User *user) {
    g_free(user);
}

/* --- addresses -------------------------------------------------------------------------------- */

/* Both sides of the '@' have text, and the whole is printable ASCII without spaces. Whether mail
 * arrives there is found out by sending some. */
static bool is_address(const char *text) {
    const char *at = strchr(text, '@');
    if (!at || at == text || at[1] == '\0' || strchr(at + 1, '@'))
        return false;
    for (const char *byte = text; *byte != '\0'; byte++)
        if (!g_ascii_isgraph(*byte))
            return false;
    return true;
}

char *user_email_normal(const char *text, GError **error) {
    g_autofree char *lower = text && strlen(text) <= 2 * (size_t)USER_EMAIL_MAX
                                 ? g_strstrip(g_ascii_strdown(text, -1))
                                 : g_strdup("");
    if (is_address(lower) && strlen(lower) <= USER_EMAIL_MAX)
        return g_steal_pointer(&lower);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "This is no e-mail address; give one such as ada@example.com.");
    return NULL;
}

/* --- rows ------------------------------------------------------------------------------------- */

bool user_insert(DbUnit *unit, const User *user, GError **error) {
    User row = *user;
    row.created_at = row.updated_at = clock_now_ms();
    row.password_changed_at = row.password_hash ? row.created_at : 0;
    if (!record_check(&shape, &row, error))
        return false;
    DbStatement *statement = db_prepare(unit, "user_insert");
    record_bind(statement, &shape, &row);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "There is a user with this e-mail address.", error);
}

bool user_get(DbUnit *unit, const char *id, User **user_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_get");
    db_bind_text(statement, "id", id);
    User *found = NULL;
    if (!record_one(statement, &shape, &found, error))
        return false;
    if (!found) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, not_found);
        return false;
    }
    *user_out = found;
    return true;
}

bool user_find(DbUnit *unit, const char *id_or_email, User **user_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_find");
    db_bind_text(statement, "wanted", id_or_email);
    return record_one(statement, &shape, user_out, error);
}

bool user_count(DbUnit *unit, int64_t *count_out, GError **error) {
    return record_number(db_prepare(unit, "user_count"), 0, count_out, error);
}

bool user_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **users_out,
               GError **error) {
    DbStatement *statement = db_prepare(unit, "user_list");
    record_bind_filter(statement, "after", after_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, users_out, error);
}

/* --- changes ---------------------------------------------------------------------------------- */

/* Runs an update of one user whose other parameters are bound. */
static bool change(DbUnit *unit, DbStatement *statement, const char *id, GError **error) {
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error);
}

bool user_set_password(DbUnit *unit, const char *id, const char *hash, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_set_password");
    db_bind_text(statement, "hash", hash);
    return change(unit, statement, id, error);
}

bool user_change_password(DbUnit *unit, const char *id, const char *old_hash, const char *hash,
                          GError **error) {
    DbStatement *statement = db_prepare(unit, "user_change_password");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "old_hash", old_hash);
    db_bind_text(statement, "hash", hash);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_CONFLICT,
                         "The password was changed meanwhile; log in with the new one.", error);
}

bool user_rehash(DbUnit *unit, const char *id, const char *old_hash, const char *new_hash,
                 GError **error) {
    DbStatement *statement = db_prepare(unit, "user_rehash");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "old_hash", old_hash);
    db_bind_text(statement, "new_hash", new_hash);
    return db_exec(statement, error);
}

bool user_set_disabled(DbUnit *unit, const char *id, bool disabled, GError **error) {
    DbStatement *statement = db_prepare(unit, "user_set_disabled");
    db_bind_int(statement, "disabled_at", disabled ? clock_now_ms() : 0);
    return change(unit, statement, id, error);
}

bool user_logged_in(DbUnit *unit, const char *id, GError **error) {
    return change(unit, db_prepare(unit, "user_logged_in"), id, error);
}
