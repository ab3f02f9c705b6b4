#include "api/first_user.h"

#include "api/entry.h"
#include "api/people_shape.h"
#include "store/membership.h"
#include "store/organization.h"
#include "store/setup.h"
#include "store/user.h"
#include "vault/password.h"
#include "vault/ticket.h"

#include <string.h>

/* --- the link --------------------------------------------------------------------------------- */

typedef struct {
    char hash[DIGEST_HEX_SIZE];
    bool needed;
} OfferWork;

static bool offer_work(DbUnit *unit, void *data, GError **error) {
    OfferWork *work = data;
    return setup_offer(unit, work->hash, &work->needed, error);
}

bool first_user_link(Db *db, const char *public_url, char **link_out, GError **error) {
    OfferWork work = {.needed = false};
    g_autoptr(Secret) ticket = ticket_new(TICKET_SETUP, error);
    if (!ticket)
        return false;
    ticket_hash(secret_text(ticket), work.hash);
    if (!db_run(db, &entry_scope, DB_WRITE, offer_work, &work, error))
        return false;
    /* Behind '#', where no server or proxy logs it. */
    *link_out =
        work.needed ? g_strdup_printf("%s/setup#%s", public_url, secret_text(ticket)) : NULL;
    return true;
}

/* --- setting up ------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    char hash[DIGEST_HEX_SIZE];
    char user_id[ID_SIZE];
    char *email;
    char *organization_id; /* whose owner the user becomes */
    bool open;
    const Entry *entry;
} Setup;

static void setup_free(void *data) {
    Setup *setup = data;
    g_free(setup->email);
    g_free(setup->organization_id);
    g_free(setup);
}

static bool look_work(DbUnit *unit, void *data, GError **error) {
    Setup *setup = data;
    g_autoptr(GPtrArray) some = NULL;
    g_clear_pointer(&setup->organization_id, g_free);
    if (!setup_is_open(unit, setup->hash, &setup->open, error) ||
        !organization_list(unit, NULL, 1, &some, error))
        return false;
    const Organization *first = some->len > 0 ? g_ptr_array_index(some, 0) : NULL;
    setup->organization_id = first ? g_strdup(first->id) : NULL;
    return true;
}

static bool rename_organization(DbUnit *unit, const Setup *setup, const AuditActor *actor,
                                GError **error) {
    const char *name = json_member_string(setup->call->body, "organization", NULL);
    AuditEntry entry = {.action = AUDIT_ORGANIZATION_RENAMED,
                        .actor = actor,
                        .target_kind = "organization",
                        .target_id = setup->organization_id,
                        .target_name = name};
    return !name || (organization_rename(unit, name, error) && audit_add(unit, &entry, error));
}

static bool store_work(DbUnit *unit, void *data, GError **error) {
    const Setup *setup = data;
    const Call *call = setup->call;
    const char *name = json_member_string(call->body, "name", setup->email);
    User user = {.id = setup->user_id,
                 .email = setup->email,
                 .name = name,
                 .password_hash = call->password_hash};
    Membership owner = {.user_id = setup->user_id, .role = role_name(ROLE_OWNER)};
    AuditActor actor = {.kind = AUDIT_USER,
                        .id = setup->user_id,
                        .name = setup->email,
                        .address = call->client_text,
                        .request_id = call->request_id};
    AuditEntry entry = {.action = AUDIT_SETUP_COMPLETED, .actor = &actor};
    return setup_redeem(unit, setup->hash, error) && user_insert(unit, &user, error) &&
           membership_insert(unit, &owner, error) &&
           entry_store(unit, setup->entry, call, setup->user_id, error) &&
           audit_add(unit, &entry, error) && rename_organization(unit, setup, &actor, error);
}

static bool finish(Call *call, GError **error) {
    Setup *setup = call->asked.held;
    g_auto(Entry) entry = {0};
    DbScope scope = {
        .organization = setup->organization_id, .actor = setup->user_id, .role = "owner"};
    if (!entry_init(&entry, error))
        return false;
    setup->entry = &entry;
    return db_run(call_db(call), &scope, DB_WRITE, store_work, setup, error) &&
           entry_answer(call, &entry, 201, error);
}

static bool check(Call *call, Setup *setup, GError **error) {
    const char *token = json_member_string(call->body, "token", "");
    TicketKind kind = TICKET_KINDS;
    setup->email = user_email_normal(json_member_string(call->body, "email", ""), error);
    if (!setup->email)
        return false;
    bool fits = ticket_check(token, &kind) && kind == TICKET_SETUP;
    ticket_hash(token, setup->hash);
    if (fits && !db_run(call_db(call), &entry_scope, DB_READ, look_work, setup, error))
        return false;
    if (!fits || !setup->open)
        return call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                           "This setup link was used, replaced or has expired; a restart of `assay "
                           "serve` prints a new one while nobody has an account.");
    return setup->organization_id != NULL ||
           call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                       "There is no organization yet; run `assay init` first.");
}

static bool set_up(Call *call, GError **error) {
    Setup *setup = g_new0(Setup, 1);
    setup->call = call;
    id_write(setup->user_id);
    g_autoptr(Secret) password = entry_password(call, "password", error);
    if (!password || !check(call, setup, error) || !password_check(password, setup->email, error)) {
        setup_free(setup);
        return false;
    }
    return call_ask_password(call, &(CallPassword){.password = password,
                                                   .make = true,
                                                   .resume = finish,
                                                   .held = setup,
                                                   .free_held = setup_free});
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField setup_fields[] = {
    SHAPE_FIELD("token", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "Of the link.", .most = TICKET_MAX),
    SHAPE_FIELD("email", STRING, SHAPE_REQUIRED, NULL, .most = 320),
    SHAPE_FIELD("name", STRING, 0, NULL, .most = USER_NAME_MAX),
    SHAPE_FIELD("password", STRING, SHAPE_REQUIRED | SHAPE_SECRET, "12 characters or more.",
                .most = PASSWORD_MOST),
    SHAPE_FIELD("organization", STRING, 0, "What the organization is to be called.",
                .most = ORGANIZATION_NAME_MAX),
    {0}};
static const Shape setup_shape = {.name = "Setup", .fields = setup_fields};

const Route first_user_routes[] = {
    {.method = "POST",
     .path = "/api/setup",
     .id = "setUp",
     .tag = "Sessions",
     .summary = "Make the first user, owner of the organization, with the setup link's token.",
     .access = ACCESS_PUBLIC,
     .flags = ROUTE_SECRET,
     .handle = set_up,
     .body = &setup_shape,
     .status = 201,
     .reply = &entry_shape},
    {0}};
