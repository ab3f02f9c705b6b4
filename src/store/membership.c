#include "store/membership.h"

#include "base/clock.h"
#include "base/id.h"
#include "store/integration.h"

#include <string.h>

static const RecordColumn columns[] = {
    RECORD_COLUMN(Membership, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Membership, role, RECORD_TEXT, 0),
    RECORD_COLUMN(Membership, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Membership, integrations, RECORD_OPTIONAL, MEMBERSHIP_LIST_MAX),
    RECORD_COLUMN(Membership, period_from, RECORD_INT, 0),
    RECORD_COLUMN(Membership, period_until, RECORD_INT, 0),
    RECORD_COLUMN(Membership, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(Membership, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Membership, updated_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Membership, "membership", columns);

static const RecordColumn member_columns[] = {
    RECORD_COLUMN(Member, user_id, RECORD_TEXT, 0),
    RECORD_COLUMN(Member, email, RECORD_TEXT, 0),
    RECORD_COLUMN(Member, name, RECORD_TEXT, 0),
    RECORD_COLUMN(Member, role, RECORD_TEXT, 0),
    RECORD_COLUMN(Member, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Member, integrations, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Member, period_from, RECORD_INT, 0),
    RECORD_COLUMN(Member, period_until, RECORD_INT, 0),
    RECORD_COLUMN(Member, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(Member, disabled_at, RECORD_INT, 0),
    RECORD_COLUMN(Member, last_login_at, RECORD_INT, 0),
    RECORD_COLUMN(Member, created_at, RECORD_INT, 0),
};
static const RecordShape member_shape = RECORD_SHAPE(Member, "member", member_columns);

static const RecordColumn of_user_columns[] = {
    RECORD_COLUMN(UserMembership, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(UserMembership, organization, RECORD_TEXT, 0),
    RECORD_COLUMN(UserMembership, role, RECORD_TEXT, 0),
    RECORD_COLUMN(UserMembership, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(UserMembership, integrations, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(UserMembership, period_from, RECORD_INT, 0),
    RECORD_COLUMN(UserMembership, period_until, RECORD_INT, 0),
    RECORD_COLUMN(UserMembership, expires_at, RECORD_INT, 0),
};
const RecordShape user_membership_shape =
    RECORD_SHAPE(UserMembership, "membership", of_user_columns);

static const char *const not_found = "There is no such member in this organization.";

void membership_free(Membership *membership) {
    g_free(membership);
}

void member_free(Member *member) {
    g_free(member);
}

/* --- what fits -------------------------------------------------------------------------------- */

static bool refuse(GError **error, const char *message) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, message);
    return false;
}

static bool is_empty(const char *list) {
    return !list || *list == '\0';
}

/* Words separated by one space, each of which fits. */
static bool all_words(const char *list, bool (*fits)(const char *word)) {
    g_auto(GStrv) words = g_strsplit(list, " ", -1);
    for (char **word = words; *word; word++)
        if (!fits(*word))
            return false;
    return true;
}

static bool is_grant(const char *word) {
    return strcmp(word, ROLE_GRANT_CREDENTIALS) == 0;
}

static bool is_id(const char *word) {
    return *word != '\0' && strlen(word) < ID_SIZE;
}

bool membership_check(const Membership *membership, GError **error) {
    Role role = ROLE_NONE;
    bool has_period = membership->period_from != 0 || membership->period_until != 0;
    if (!role_from_name(membership->role, &role))
        return refuse(error, "There is no such role; choose owner, admin, member, auditor or "
                             "scanner.");
    if (!is_empty(membership->grants) && !all_words(membership->grants, is_grant))
        return refuse(error, "There is no such grant; the only one is credentials:read.");
    if (!is_empty(membership->grants) && role != ROLE_OWNER && role != ROLE_ADMIN)
        return refuse(error, "Only owners and admins can be granted credentials:read.");
    if (is_empty(membership->integrations) == (role == ROLE_SCANNER))
        return refuse(error, role == ROLE_SCANNER ? "A scanner needs the integrations it may see."
                                                  : "Only a scanner is limited to integrations.");
    if (!is_empty(membership->integrations) && !all_words(membership->integrations, is_id))
        return refuse(error, "Integrations are a list of ids.");
    if (has_period && role != ROLE_AUDITOR)
        return refuse(error, "Only an auditor has a period.");
    if (membership->period_until != 0 && membership->period_until <= membership->period_from)
        return refuse(error, "The auditor's period ends before it begins.");
    return true;
}

/* --- the last owner --------------------------------------------------------------------------- */

/* Locks first: two owners who demote each other must not both succeed. */
static bool keep_an_owner(DbUnit *unit, const char *user_id, GError **error) {
    DbStatement *statement = db_prepare(unit, "membership_get");
    db_bind_text(statement, "user_id", user_id);
    g_autoptr(Membership) now = NULL;
    int64_t others = 0;
    if (!db_exec(db_prepare(unit, "membership_lock"), error) ||
        !record_one(statement, &shape, &now, error))
        return false;
    if (!now || strcmp(now->role, "owner") != 0)
        return true;
    statement = db_prepare(unit, "membership_other_owners");
    db_bind_text(statement, "user_id", user_id);
    if (!record_number(statement, 0, &others, error))
        return false;
    if (others > 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "This is the last owner of the organization; make somebody else an owner "
                        "first.");
    return false;
}

/* --- rows ------------------------------------------------------------------------------------- */

bool membership_insert(DbUnit *unit, const Membership *membership, GError **error) {
    Membership row = *membership;
    row.created_at = row.updated_at = clock_now_ms();
    if (!membership_check(&row, error) || !record_check(&shape, &row, error))
        return false;
    DbStatement *statement = db_prepare(unit, "membership_insert");
    record_bind(statement, &shape, &row);
    return record_change(unit, statement, ERROR_CONFLICT,
                         "This user is a member of the organization already.", error);
}

bool membership_find(DbUnit *unit, const char *user_id, Membership **membership_out,
                     GError **error) {
    DbStatement *statement = db_prepare(unit, "membership_find");
    db_bind_text(statement, "user_id", user_id);
    db_bind_int(statement, "now", clock_now_ms());
    return record_one(statement, &shape, membership_out, error);
}

static bool stays_owner(const Membership *membership) {
    return strcmp(membership->role, "owner") == 0 && membership->expires_at == 0;
}

bool membership_update(DbUnit *unit, const Membership *membership, GError **error) {
    Membership row = *membership;
    row.updated_at = clock_now_ms();
    if (!membership_check(&row, error) || !record_check(&shape, &row, error) ||
        (!stays_owner(&row) && !keep_an_owner(unit, row.user_id, error)))
        return false;
    DbStatement *statement = db_prepare(unit, "membership_update");
    db_bind_text(statement, "user_id", row.user_id);
    db_bind_text(statement, "role", row.role);
    db_bind_text(statement, "grants", row.grants);
    db_bind_text(statement, "integrations", row.integrations);
    db_bind_int(statement, "period_from", row.period_from);
    db_bind_int(statement, "period_until", row.period_until);
    db_bind_int(statement, "expires_at", row.expires_at);
    db_bind_int(statement, "updated_at", row.updated_at);
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error);
}

bool membership_delete(DbUnit *unit, const char *user_id, GError **error) {
    if (!keep_an_owner(unit, user_id, error))
        return false;
    DbStatement *statement = db_prepare(unit, "membership_delete");
    db_bind_text(statement, "user_id", user_id);
    int64_t shared = 0;
    return record_change(unit, statement, ERROR_NOT_FOUND, not_found, error) &&
           integration_share_all(unit, user_id, &shared, error);
}

bool member_get(DbUnit *unit, const char *user_id, Member **member_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "membership_member");
    db_bind_text(statement, "user_id", user_id);
    return record_must(statement, &member_shape, member_out, error);
}

bool membership_list(DbUnit *unit, const char *after_user_id, int64_t limit,
                     GPtrArray **members_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "membership_list");
    record_bind_filter(statement, "after", after_user_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &member_shape, members_out, error);
}

bool membership_list_of_user(DbUnit *unit, const char *user_id, GPtrArray **memberships_out,
                             GError **error) {
    DbStatement *statement = db_prepare(unit, "membership_list_of_user");
    db_bind_text(statement, "user_id", user_id);
    db_bind_int(statement, "now", clock_now_ms());
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &user_membership_shape, memberships_out, error);
}

RoleSubject membership_subject(const Membership *membership) {
    RoleSubject subject = {.role = ROLE_NONE,
                           .user_id = membership->user_id,
                           .grants = membership->grants,
                           .integrations = membership->integrations,
                           .period_from = membership->period_from,
                           .period_until = membership->period_until};
    if (!role_from_name(membership->role, &subject.role))
        subject.role = ROLE_NONE;
    return subject;
}
