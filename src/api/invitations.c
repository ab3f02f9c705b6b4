#include "api/invitations.h"

#include "api/access_body.h"
#include "api/entry.h"
#include "api/people_shape.h"
#include "base/clock.h"
#include "present/people_object.h"
#include "store/api_token.h"
#include "store/invitation.h"
#include "store/login_attempt.h"
#include "store/user.h"
#include "vault/password.h"
#include "vault/ticket.h"

#include <string.h>

/* --- list ------------------------------------------------------------------------------------- */

static bool list(Call *call, GError **error) {
    return call_answer_roll(call, &invitation_roll, error);
}

/* --- invite and take back --------------------------------------------------------------------- */

typedef struct {
    Call *call;
    Invitation *row;
    char *maker; /* of the token that invites */
    const Membership *may;
} InviteWork;

/* A token invites for whoever has made it. */
static bool find_inviter(DbUnit *unit, InviteWork *work, GError **error) {
    const Caller *caller = work->call->caller;
    g_clear_pointer(&work->maker, g_free);
    if (!caller->subject.user_id && !api_token_maker(unit, caller->id, &work->maker, error))
        return false;
    work->row->invited_by = work->maker ? work->maker : caller->subject.user_id;
    return true;
}

static bool invite_work(DbUnit *unit, void *data, GError **error) {
    InviteWork *work = data;
    AuditActor actor = call_actor(work->call);
    AuditEntry entry = {.action = AUDIT_MEMBER_INVITED,
                        .actor = &actor,
                        .target_kind = "invitation",
                        .target_id = work->row->id,
                        .target_name = work->row->email};
    return access_body_require(unit, work->may, error) && find_inviter(unit, work, error) &&
           invitation_insert(unit, work->row, error) && audit_add(unit, &entry, error);
}

static bool answer_invited(Call *call, const Invitation *row, const char *token) {
    Json *json = json_new_object();
    char *link = g_strdup_printf("%s/invite#%s", call->desk->public_url, token);
    json_put(json, "invitation", invitation_object(row));
    json_put_string(json, "link", link);
    secmem_free_text(link);
    return call_answer(call, 201, json);
}

static bool invite(Call *call, GError **error) {
    g_auto(AccessBody) access = {0};
    char hash[DIGEST_HEX_SIZE];
    char id[ID_SIZE];
    g_autofree char *email = user_email_normal(json_member_string(call->body, "email", ""), error);
    if (!email || !access_body_init(&access, call, error))
        return false;
    g_autoptr(Secret) ticket = ticket_new(TICKET_INVITATION, error);
    if (!ticket)
        return false;
    id_write(id);
    ticket_hash(secret_text(ticket), hash);
    Invitation row = {.id = id,
                      .email = email,
                      .role = access.membership.role,
                      .grants = access.grants,
                      .integrations = access.integrations,
                      .period_from = access.membership.period_from,
                      .period_until = access.membership.period_until,
                      .token_hash = hash,
                      .created_at = clock_now_ms()};
    row.expires_at = row.created_at + INVITATION_LIFE_MS;
    InviteWork work = {.call = call, .row = &row, .may = &access.membership};
    bool ok = call_run(call, DB_WRITE, invite_work, &work, error) &&
              answer_invited(call, &row, secret_text(ticket));
    g_free(work.maker);
    return ok;
}

static bool revoke_work(DbUnit *unit, void *data, GError **error) {
    Call *call = data;
    const char *id = call_parameter(call, "id");
    AuditActor actor = call_actor(call);
    AuditEntry entry = {.action = AUDIT_INVITATION_REVOKED,
                        .actor = &actor,
                        .target_kind = "invitation",
                        .target_id = id};
    return invitation_revoke(unit, id, error) && audit_add(unit, &entry, error);
}

static bool take_back(Call *call, GError **error) {
    if (!call_run(call, DB_WRITE, revoke_work, call, error))
        return false;
    return call_answer_success(call);
}

/* --- taking it up ----------------------------------------------------------------------------- */

/* Whoever holds the link sets a password; who has an account shows that he knows his. */
typedef struct {
    Call *call;
    char hash[DIGEST_HEX_SIZE];
    char user_id[ID_SIZE]; /* of a new user */
    InvitationOffer *offer;
    User *user; /* who has the address already, or NULL */
    int64_t wait_ms;
    const Entry *entry;
} Joining;

static void joining_free(void *data) {
    Joining *joining = data;
    invitation_offer_free(joining->offer);
    user_free(joining->user);
    g_free(joining);
}

static bool find_work(DbUnit *unit, void *data, GError **error) {
    Joining *joining = data;
    g_clear_pointer(&joining->offer, invitation_offer_free);
    g_clear_pointer(&joining->user, user_free);
    return invitation_find_by_token(unit, joining->hash, &joining->offer, error) &&
           (!joining->offer || user_find(unit, joining->offer->email, &joining->user, error));
}

/* The open invitation of the body's token. NULL with the error set. */
static Joining *find(Call *call, GError **error) {
    const char *token = json_member_string(call->body, "token", "");
    TicketKind kind = TICKET_KINDS;
    Joining *joining = g_new0(Joining, 1);
    joining->call = call;
    id_write(joining->user_id);
    ticket_hash(token, joining->hash);
    bool fits = ticket_check(token, &kind) && kind == TICKET_INVITATION;
    bool ok = !fits || db_run(call_db(call), &entry_scope, DB_READ, find_work, joining, error);
    if (ok && joining->offer)
        return joining;
    joining_free(joining);
    if (ok)
        (void)call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                          "This invitation was used, replaced or has expired; ask for a new one.");
    return NULL;
}

static bool show(Call *call, GError **error) {
    Joining *joining = find(call, error);
    if (!joining)
        return false;
    const InvitationOffer *offer = joining->offer;
    Json *json = json_new_object();
    json_put_string(json, "email", offer->email);
    json_put_string(json, "organization", offer->organization);
    json_put_string(json, "role", offer->role);
    json_put_time(json, "expiresAt", offer->expires_at);
    json_put_bool(json, "hasAccount", joining->user != NULL);
    joining_free(joining);
    return call_answer(call, 200, json);
}

static AuditActor actor_of(const Joining *joining) {
    return (AuditActor){.kind = AUDIT_USER,
                        .id = joining->user ? joining->user->id : joining->user_id,
                        .name = joining->offer->email,
                        .address = joining->call->client_text,
                        .request_id = joining->call->request_id};
}

static bool add_user(DbUnit *unit, const Joining *joining, GError **error) {
    const Call *call = joining->call;
    User row = {.id = joining->user_id,
                .email = joining->offer->email,
                .name = json_member_string(call->body, "name", joining->offer->email),
                .password_hash = call->password_hash};
    return user_insert(unit, &row, error);
}

static bool join_work(DbUnit *unit, void *data, GError **error) {
    const Joining *joining = data;
    const char *user_id = joining->user ? joining->user->id : joining->user_id;
    AuditActor actor = actor_of(joining);
    AuditEntry entry = {.action = AUDIT_MEMBER_JOINED,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = user_id,
                        .target_name = joining->offer->email};
    return (joining->user || add_user(unit, joining, error)) &&
           invitation_accept(unit, joining->offer->id, user_id, error) &&
           entry_store(unit, joining->entry, joining->call, user_id, error) &&
           audit_add(unit, &entry, error);
}

static bool forgive_work(DbUnit *unit, void *data, GError **error) {
    const Joining *joining = data;
    LoginSource source = {.email = joining->offer->email, .address = joining->call->client_text};
    return login_attempt_forgive(unit, &source, error);
}

static bool join(Call *call, GError **error) {
    Joining *joining = call->asked.held;
    g_auto(Entry) entry = {0};
    DbScope scope = {.organization = joining->offer->organization_id,
                     .actor = joining->user ? joining->user->id : joining->user_id,
                     .role = joining->offer->role};
    if (joining->user && !call->password_matches)
        return call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s",
                           "There is an account with this address, and its password is another "
                           "one.");
    if ((joining->user &&
         !db_run(call_db(call), &entry_scope, DB_WRITE, forgive_work, joining, error)) ||
        !entry_init(&entry, error))
        return false;
    joining->entry = &entry;
    return db_run(call_db(call), &scope, DB_WRITE, join_work, joining, error) &&
           entry_answer(call, &entry, 201, error);
}

static bool take_work(DbUnit *unit, void *data, GError **error) {
    Joining *joining = data;
    LoginSource source = {.email = joining->offer->email, .address = joining->call->client_text};
    return login_attempt_take(unit, &source, &joining->wait_ms, error);
}

static bool begin_join(Call *call, Joining *joining, Secret *password, GError **error) {
    bool known = joining->user != NULL;
    const char *hash =
        known && joining->user->disabled_at == 0 ? joining->user->password_hash : NULL;
    if (known ? !db_run(call_db(call), &entry_scope, DB_WRITE, take_work, joining, error)
              : !password_check(password, joining->offer->email, error))
        return false;
    return call_ask_password(call, &(CallPassword){.password = password,
                                                   .hash = hash,
                                                   .make = !known,
                                                   .resume = join,
                                                   .held = joining,
                                                   .free_held = joining_free});
}

static bool accept_offer(Call *call, GError **error) {
    g_autoptr(Secret) password = entry_password(call, "password", error);
    Joining *joining = password ? find(call, error) : NULL;
    if (!joining)
        return false;
    if (begin_join(call, joining, password, error))
        return true;
    joining_free(joining);
    return false;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField invite_fields[] = {
    SHAPE_FIELD("email", STRING, SHAPE_REQUIRED, NULL, .most = 320),
    ACCESS_BODY_FIELDS,
    SHAPE_FIELD("organizationId", STRING, 0, NULL),
    {0}};
static const Shape invite_shape = {.name = "InvitationWish", .fields = invite_fields};

static const ShapeField token_fields[] = {
    SHAPE_FIELD("token", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "Of the link.", .most = TICKET_MAX),
    {0}};
static const Shape token_shape = {.name = "InvitationToken", .fields = token_fields};

static const ShapeField accept_fields[] = {
    SHAPE_FIELD("token", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "Of the link.", .most = TICKET_MAX),
    SHAPE_FIELD("name", STRING, 0, "Of a new user.", .most = USER_NAME_MAX),
    SHAPE_FIELD("password", STRING, SHAPE_REQUIRED | SHAPE_SECRET,
                "A new one, or that of the account.", .most = PASSWORD_MOST),
    {0}};
static const Shape accept_shape = {.name = "InvitationAnswer", .fields = accept_fields};

const Route invitation_routes[] = {
    {.method = "GET",
     .path = "/api/invitations",
     .id = "listInvitations",
     .tag = "People",
     .summary = "Open invitations.",
     .access = ACCESS_ROLE,
     .action = ACTION_MEMBER_READ,
     .flags = ROUTE_LIST,
     .handle = list,
     .reply = &invitation_list_shape},
    {.method = "POST",
     .path = "/api/invitations",
     .id = "invite",
     .tag = "People",
     .summary = "Offer a membership to an e-mail address; the link is shown once.",
     .access = ACCESS_ROLE,
     .action = ACTION_MEMBER_CHANGE,
     .flags = ROUTE_SECRET,
     .handle = invite,
     .body = &invite_shape,
     .status = 201,
     .reply = &invited_shape},
    {.method = "DELETE",
     .path = "/api/invitations/{id}",
     .id = "revokeInvitation",
     .tag = "People",
     .summary = "Take an open invitation back.",
     .access = ACCESS_ROLE,
     .action = ACTION_MEMBER_CHANGE,
     .handle = take_back,
     .reply = &success_shape},
    {.method = "POST",
     .path = "/api/invitations/lookup",
     .id = "showInvitation",
     .tag = "People",
     .summary = "What the invitation of a link offers.",
     .access = ACCESS_PUBLIC,
     .handle = show,
     .body = &token_shape,
     .reply = &offer_shape},
    {.method = "POST",
     .path = "/api/invitations/accept",
     .id = "acceptInvitation",
     .tag = "People",
     .summary = "Join, and be logged in.",
     .access = ACCESS_PUBLIC,
     .flags = ROUTE_SECRET,
     .handle = accept_offer,
     .body = &accept_shape,
     .status = 201,
     .reply = &entry_shape},
    {0}};
