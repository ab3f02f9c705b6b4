#include "store/invitation.h"

#include "base/clock.h"

static const RecordColumn columns[] = {
    RECORD_COLUMN(Invitation, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Invitation, email, RECORD_TEXT, 0),
    RECORD_COLUMN(Invitation, role, RECORD_TEXT, 0),
    RECORD_COLUMN(Invitation, grants, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Invitation, integrations, RECORD_OPTIONAL, MEMBERSHIP_LIST_MAX),
    RECORD_COLUMN(Invitation, period_from, RECORD_INT, 0),
    RECORD_COLUMN(Invitation, period_until, RECORD_INT, 0),
    RECORD_COLUMN(Invitation, token_hash, RECORD_TEXT, 0),
    RECORD_COLUMN(Invitation, invited_by, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Invitation, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Invitation, expires_at, RECORD_INT, 0),
    RECORD_COLUMN(Invitation, closed_at, RECORD_INT, 0),
    RECORD_COLUMN(Invitation, accepted_by, RECORD_OPTIONAL, 0),
};
static const RecordShape shape = RECORD_SHAPE(Invitation, "invitation", columns);

static const RecordColumn offer_columns[] = {
    RECORD_COLUMN(InvitationOffer, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(InvitationOffer, organization, RECORD_TEXT, 0),
    RECORD_COLUMN(InvitationOffer, id, RECORD_TEXT, 0),
    RECORD_COLUMN(InvitationOffer, email, RECORD_TEXT, 0),
    RECORD_COLUMN(InvitationOffer, role, RECORD_TEXT, 0),
    RECORD_COLUMN(InvitationOffer, expires_at, RECORD_INT, 0),
};
static const RecordShape offer_shape = RECORD_SHAPE(InvitationOffer, "invitation", offer_columns);

static const char *const not_open =
    "This invitation was used, replaced or has expired; ask for a new one.";

void invitation_free(Invitation *invitation) {
    g_free(invitation);
}

void invitation_offer_free(InvitationOffer *offer) {
    g_free(offer);
}

/* What the invited user will be. */
static Membership membership_of(const Invitation *invitation, const char *user_id) {
    return (Membership){.user_id = user_id,
                        .role = invitation->role,
                        .grants = invitation->grants,
                        .integrations = invitation->integrations,
                        .period_from = invitation->period_from,
                        .period_until = invitation->period_until};
}

static bool refuse_members(DbUnit *unit, const char *email, GError **error) {
    DbStatement *statement = db_prepare(unit, "invitation_member");
    db_bind_text(statement, "email", email);
    int64_t count = 0;
    if (!record_number(statement, 0, &count, error))
        return false;
    if (count == 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                        "This user is a member of the organization already.");
    return false;
}

bool invitation_insert(DbUnit *unit, const Invitation *invitation, GError **error) {
    Invitation row = *invitation;
    row.created_at = clock_now_ms();
    row.expires_at = row.created_at + INVITATION_LIFE_MS;
    row.closed_at = 0;
    row.accepted_by = NULL;
    Membership membership = membership_of(&row, row.id);
    if (!membership_check(&membership, error) || !record_check(&shape, &row, error) ||
        !refuse_members(unit, row.email, error))
        return false;
    DbStatement *replace = db_prepare(unit, "invitation_replace");
    db_bind_text(replace, "email", row.email);
    db_bind_int(replace, "now", row.created_at);
    return db_exec(replace, error) && record_write(unit, "invitation_insert", &shape, &row, error);
}

bool invitation_list(DbUnit *unit, const char *after_id, int64_t limit, GPtrArray **invitations_out,
                     GError **error) {
    DbStatement *statement = db_prepare(unit, "invitation_list");
    record_bind_filter(statement, "after", after_id);
    db_bind_int(statement, "now", clock_now_ms());
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, invitations_out, error);
}

bool invitation_find_by_token(DbUnit *unit, const char *token_hash, InvitationOffer **offer_out,
                              GError **error) {
    DbStatement *statement = db_prepare(unit, "invitation_find_by_token");
    db_bind_text(statement, "token_hash", token_hash);
    db_bind_int(statement, "now", clock_now_ms());
    return record_one(statement, &offer_shape, offer_out, error);
}

bool invitation_find_by_email(DbUnit *unit, const char *email, GPtrArray **offers_out,
                              GError **error) {
    DbStatement *statement = db_prepare(unit, "invitation_find_by_email");
    db_bind_text(statement, "email", email);
    db_bind_int(statement, "now", clock_now_ms());
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &offer_shape, offers_out, error);
}

static bool close_open(DbUnit *unit, const char *id, const char *accepted_by, GError **error) {
    DbStatement *statement = db_prepare(unit, "invitation_close");
    db_bind_text(statement, "id", id);
    db_bind_text(statement, "accepted_by", accepted_by);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_NOT_FOUND, not_open, error);
}

bool invitation_accept(DbUnit *unit, const char *id, const char *user_id, GError **error) {
    g_autoptr(Invitation) row = NULL;
    DbStatement *statement = db_prepare(unit, "invitation_open");
    db_bind_text(statement, "id", id);
    db_bind_int(statement, "now", clock_now_ms());
    if (!record_one(statement, &shape, &row, error))
        return false;
    if (!row) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, not_open);
        return false;
    }
    Membership membership = membership_of(row, user_id);
    return close_open(unit, id, user_id, error) && membership_insert(unit, &membership, error);
}

bool invitation_revoke(DbUnit *unit, const char *id, GError **error) {
    return close_open(unit, id, NULL, error);
}
