#include "api/single_sign_on.h"

#include "api/entry.h"
#include "api/front.h"
#include "base/log.h"
#include "base/text.h"
#include "connect/openid.h"
#include "store/invitation.h"
#include "store/user_identity.h"
#include "store/user_session.h"
#include "sync/ephemeral.h"
#include "vault/jose.h"

#include <string.h>

#define BACK "/api/session/oidc/callback"
#define COOKIE "__Host-assay-login"
#define COOKIE_PLAIN "assay-login" /* without TLS, on the loopback only */
#define BROWSER_BYTES 32
#define NAME_SHOWN 200

static const char *const start_again =
    "This login was not begun in this browser, was used, or took too long; start again at "
    "/api/session/oidc/start.";

char *single_sign_on_address(const Desk *desk) {
    bool slash = g_str_has_suffix(desk->public_url, "/");
    return g_strconcat(desk->public_url, slash ? &BACK[1] : BACK, NULL);
}

/* One half of a login. */
typedef struct {
    char *code; /* NULL: on the way there */
    char *verifier;
    char *nonce;
    /* What the provider says. */
    GError *error;
    char *endpoint;
    char *subject;
    char *email; /* in normal form and verified; or NULL */
    char *name;
    /* What is known here. */
    User *user;
    GPtrArray *offers; /* InvitationOffer */
    bool bound;        /* by issuer and subject */
    char new_id[ID_SIZE];
} SignOn;

static void sign_on_free(void *data) {
    SignOn *sign_on = data;
    secmem_free_text(sign_on->code);
    secmem_free_text(sign_on->verifier);
    g_free(sign_on->nonce);
    g_clear_error(&sign_on->error);
    g_free(sign_on->endpoint);
    g_free(sign_on->subject);
    g_free(sign_on->email);
    g_free(sign_on->name);
    user_free(sign_on->user);
    if (sign_on->offers)
        g_ptr_array_unref(sign_on->offers);
    g_free(sign_on);
}

/* --- the browser ------------------------------------------------------------------------------ */

static char *derive(const char *browser, const char *purpose) {
    uint8_t bytes[DIGEST_SIZE];
    digest_hmac_sha256(browser, strlen(browser), purpose, strlen(purpose), bytes);
    char *text = text_base64url(bytes, sizeof bytes);
    secmem_wipe(bytes, sizeof bytes);
    return text;
}

static void remember(SignOn *sign_on, const char *browser) {
    sign_on->verifier = derive(browser, "assay single sign-on verifier");
    sign_on->nonce = derive(browser, "assay single sign-on nonce");
}

static char *new_browser(void) {
    uint8_t bytes[BROWSER_BYTES];
    secmem_random(bytes, sizeof bytes);
    char *text = text_base64url(bytes, sizeof bytes);
    secmem_wipe(bytes, sizeof bytes);
    return text;
}

/* Lax: the way back begins on the provider's page. */
static void set_cookie(Call *call, const char *browser) {
    bool secure = call->desk->secure;
    char *cookie = g_strdup_printf("%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%d%s",
                                   secure ? COOKIE : COOKIE_PLAIN, browser,
                                   (int)(STATE_LIFE_MS / 1000), secure ? "; Secure" : "");
    reply_set_header(&call->reply, "Set-Cookie", cookie);
    secmem_free_text(cookie);
}

static bool send_to(Call *call, const char *location) {
    reply_set_empty(&call->reply, 303);
    reply_set_header(&call->reply, "Location", location);
    return true;
}

/* --- asking the provider ---------------------------------------------------------------------- */

static char *verified_email(const Json *claims) {
    const char *email = json_member_string(claims, "email", NULL);
    return email && json_member_bool(claims, "email_verified", false)
               ? user_email_normal(email, NULL)
               : NULL;
}

/* On the provider's loop. */
static void told(const OpenidAnswer *answer, void *data) {
    Call *call = data;
    SignOn *sign_on = call->sleep.held;
    sign_on->error = answer->error ? g_error_copy(answer->error) : NULL;
    sign_on->endpoint = g_strdup(answer->authorization_endpoint);
    sign_on->subject = g_strdup(json_member_string(answer->claims, "sub", NULL));
    sign_on->email = verified_email(answer->claims);
    const char *name = json_member_string(answer->claims, "name", NULL);
    sign_on->name =
        name && *name != '\0' ? text_one_line(name, NAME_SHOWN) : g_strdup(sign_on->email);
    front_wake(call);
}

static bool ask_provider(Call *call, GError **error) {
    const SignOn *sign_on = call->sleep.held;
    OpenidWish wish = {.code = sign_on->code,
                       .verifier = sign_on->verifier,
                       .nonce = sign_on->nonce,
                       .told = told,
                       .data = call};
    return openid_ask(call->desk->openid, &wish, error) ||
           call_refuse(call, PROBLEM_UNAVAILABLE, NULL, "%s", "");
}

static bool require_provider(Call *call, GError **error) {
    return call->desk->openid || call_refuse(call, PROBLEM_NOT_FOUND, error, "%s",
                                             "This installation has no single sign-on.");
}

/* The provider's or the installation's fault; the log says more than the browser is told. */
static bool refuse_failed(Call *call, const GError *why, GError **error) {
    bool stops = error_code_of(why) == ERROR_CANCELLED;
    log_line(LOG_WARN, "single_sign_on_failed", LOG_TEXT("requestId", call->request_id),
             LOG_TEXT("why", why->message));
    return call_refuse(call, stops ? PROBLEM_UNAVAILABLE : PROBLEM_UPSTREAM, error, "%s",
                       stops ? "The server is stopping; try again in a moment."
                             : "The identity provider cannot be used now; an operator finds the "
                               "reason in the log.");
}

/* --- there ------------------------------------------------------------------------------------ */

static void add_parameter(GString *url, const char *name, const char *value) {
    g_autofree char *encoded = text_percent_encode(value, strlen(value));
    g_string_append_printf(url, "%c%s=%s", strchr(url->str, '?') ? '&' : '?', name, encoded);
}

static char *authorization_url(const Call *call, const SignOn *sign_on, const char *state) {
    g_autofree char *back = single_sign_on_address(call->desk);
    g_autofree char *challenge = jose_challenge(sign_on->verifier);
    GString *url = g_string_new(sign_on->endpoint);
    add_parameter(url, "response_type", "code");
    add_parameter(url, "client_id", call->desk->config.sign_on.client_id);
    add_parameter(url, "redirect_uri", back);
    add_parameter(url, "scope", "openid email profile");
    add_parameter(url, "state", state);
    add_parameter(url, "nonce", sign_on->nonce);
    add_parameter(url, "code_challenge", challenge);
    add_parameter(url, "code_challenge_method", "S256");
    return g_string_free(url, FALSE);
}

static bool keep_state(Call *call, const char *browser, char **state_out, GError **error) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(browser, strlen(browser), hash);
    g_autoptr(Json) json = json_new_object();
    json_put_string(json, "browser", hash);
    g_autofree char *content = json_print(json, JSON_COMPACT);
    return ephemeral_state_new(call->desk->ephemeral, AUDIT_INSTALLATION, content, state_out,
                               error);
}

static bool leave(Call *call, GError **error) {
    SignOn *sign_on = call->sleep.held;
    if (sign_on->error)
        return refuse_failed(call, sign_on->error, error);
    char *browser = new_browser();
    g_autofree char *state = NULL;
    bool ok = keep_state(call, browser, &state, error);
    if (ok) {
        remember(sign_on, browser);
        g_autofree char *url = authorization_url(call, sign_on, state);
        set_cookie(call, browser);
        ok = send_to(call, url);
    }
    secmem_free_text(browser);
    return ok;
}

static bool start(Call *call, GError **error) {
    return require_provider(call, error) &&
           call_sleep(call, &(CallSleep){.begin = ask_provider,
                                         .resume = leave,
                                         .held = g_new0(SignOn, 1),
                                         .free_held = sign_on_free});
}

/* --- who it is -------------------------------------------------------------------------------- */

typedef struct {
    Call *call;
    SignOn *sign_on;
    const InvitationOffer *offer;
    const Entry *entry;
    const char *why; /* of a refusal, or of a password that is gone */
    bool proven;     /* the browser is logged in as the user already */
    GPtrArray *reach;
} SignOnWork;

static const char *issuer_of(const SignOnWork *work) {
    return openid_issuer(work->call->desk->openid);
}

static AuditActor actor_of(const SignOnWork *work) {
    const SignOn *sign_on = work->sign_on;
    return (AuditActor){.kind = AUDIT_USER,
                        .id = sign_on->user ? sign_on->user->id : NULL,
                        .name = sign_on->user ? sign_on->user->email : sign_on->email,
                        .address = work->call->client_text,
                        .request_id = work->call->request_id};
}

static Json *details_of(const SignOnWork *work) {
    Json *details = json_new_object();
    json_put_string(details, "method", "oidc");
    json_put_string(details, "issuer", issuer_of(work));
    if (work->why)
        json_put_string(details, "reason", work->why);
    return details;
}

static bool deny_work(DbUnit *unit, void *data, GError **error) {
    const SignOnWork *work = data;
    AuditActor actor = actor_of(work);
    g_autoptr(Json) details = details_of(work);
    AuditEntry entry = {
        .action = AUDIT_SESSION_LOGIN, .actor = &actor, .result = AUDIT_DENIED, .details = details};
    return audit_add(unit, &entry, error);
}

static bool deny(Call *call, SignOn *sign_on, ProblemKind kind, const char *why, GError **error) {
    SignOnWork work = {.call = call, .sign_on = sign_on, .why = why};
    return db_run(call_db(call), &entry_scope, DB_WRITE, deny_work, &work, error) &&
           call_refuse(call, kind, error, "%s", why);
}

static bool find_work(DbUnit *unit, void *data, GError **error) {
    SignOnWork *work = data;
    SignOn *sign_on = work->sign_on;
    g_clear_pointer(&sign_on->user, user_free);
    g_clear_pointer(&sign_on->offers, g_ptr_array_unref);
    if (!user_identity_find(unit, issuer_of(work), sign_on->subject, &sign_on->user, error))
        return false;
    sign_on->bound = sign_on->user != NULL;
    return !sign_on->email ||
           ((sign_on->bound || user_find(unit, sign_on->email, &sign_on->user, error)) &&
            invitation_find_by_email(unit, sign_on->email, &sign_on->offers, error));
}

static bool bind_user(DbUnit *unit, const SignOnWork *work, const char *user_id, GError **error) {
    UserIdentity row = {
        .issuer = issuer_of(work), .subject = work->sign_on->subject, .user_id = user_id};
    return user_identity_insert(unit, &row, error);
}

static bool add_user(DbUnit *unit, const SignOnWork *work, GError **error) {
    const SignOn *sign_on = work->sign_on;
    User row = {.id = sign_on->new_id, .email = sign_on->email, .name = sign_on->name};
    return user_insert(unit, &row, error) && bind_user(unit, work, row.id, error);
}

/* In the organization that invites: the first one makes the user. */
static bool join_work(DbUnit *unit, void *data, GError **error) {
    const SignOnWork *work = data;
    const SignOn *sign_on = work->sign_on;
    const char *id = sign_on->user ? sign_on->user->id : sign_on->new_id;
    g_autoptr(Json) details = details_of(work);
    AuditActor actor = actor_of(work);
    actor.id = id;
    AuditEntry entry = {.action = AUDIT_MEMBER_JOINED,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = id,
                        .target_name = sign_on->email,
                        .details = details};
    return (sign_on->user || add_user(unit, work, error)) &&
           invitation_accept(unit, work->offer->id, id, error) && audit_add(unit, &entry, error);
}

static bool is_taken(const GError *error) {
    return error_code_of(error) == ERROR_CONFLICT || error_code_of(error) == ERROR_NOT_FOUND;
}

static bool join(SignOnWork *work, const InvitationOffer *offer, GError **error) {
    SignOn *sign_on = work->sign_on;
    DbScope scope = {.organization = offer->organization_id,
                     .actor = sign_on->user ? sign_on->user->id : sign_on->new_id,
                     .role = offer->role};
    g_autoptr(GError) why = NULL;
    work->offer = offer;
    if (db_run(call_db(work->call), &scope, DB_WRITE, join_work, work, &why) || is_taken(why))
        return true;
    g_propagate_error(error, g_steal_pointer(&why));
    return false;
}

/* Takes up what is offered to the address; then looks again who that is now. */
static bool take_offers(SignOnWork *work, GError **error) {
    g_autoptr(GPtrArray) offers = g_steal_pointer(&work->sign_on->offers);
    for (guint i = 0; offers && i < offers->len; i++) {
        if (!join(work, g_ptr_array_index(offers, i), error) ||
            !db_run(call_db(work->call), &entry_scope, DB_READ, find_work, work, error))
            return false;
    }
    return true;
}

/* The user may have been disabled, or given another address, meanwhile. */
static bool is_still(DbUnit *unit, const SignOnWork *work, GError **error) {
    const SignOn *sign_on = work->sign_on;
    g_autoptr(User) now = NULL;
    if (!user_get(unit, sign_on->user->id, &now, error))
        return false;
    if (now->disabled_at == 0 && strcmp(now->email, sign_on->user->email) == 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_PERMISSION_DENIED,
                        "This account cannot be used any more; ask an operator.");
    return false;
}

/* Who is not bound, or bound otherwise meanwhile, is refused for it. */
static bool refuse_or_fail(Call *call, SignOn *sign_on, GError *why, GError **error) {
    g_autoptr(GError) owned = why;
    if (error_code_of(why) == ERROR_CONFLICT || error_code_of(why) == ERROR_PERMISSION_DENIED)
        return deny(call, sign_on, PROBLEM_FORBIDDEN, why->message, error);
    g_propagate_error(error, g_steal_pointer(&owned));
    return false;
}

/* --- the first time --------------------------------------------------------------------------- */

static bool void_password(DbUnit *unit, const SignOnWork *work, GError **error) {
    const User *user = work->sign_on->user;
    g_autoptr(Json) details = details_of(work);
    AuditActor actor = actor_of(work);
    AuditEntry entry = {.action = AUDIT_PASSWORD_CHANGED,
                        .actor = &actor,
                        .target_kind = "user",
                        .target_id = user->id,
                        .target_name = user->email,
                        .details = details};
    return !user->password_hash ||
           (user_set_password(unit, user->id, NULL, error) && audit_add(unit, &entry, error));
}

/* The address decides, this once. Whoever set the password may be another, who never had the
 * address: the link of an invitation goes through the hands of who invites. */
static bool claim_work(DbUnit *unit, void *data, GError **error) {
    const SignOnWork *work = data;
    const char *id = work->sign_on->user->id;
    return is_still(unit, work, error) && bind_user(unit, work, id, error) &&
           (work->proven ||
            (user_session_end_others(unit, id, NULL, error) && void_password(unit, work, error)));
}

/* Whoever is logged in as the user in this browser knew the password. */
static bool look_for_session(Call *call, SignOnWork *work, GError **error) {
    CallerProof proof = {.cookie = call_header(call, "Cookie"), .secure = call->desk->secure};
    g_autoptr(Caller) caller = NULL;
    g_autoptr(GError) why = NULL;
    if (!caller_find(call_db(call), call->desk->recall, &proof, &caller, &why) &&
        error_code_of(why) != ERROR_AUTHENTICATION_FAILED) {
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    work->proven = caller && strcmp(caller->id, work->sign_on->user->id) == 0;
    return true;
}

/* Before anything is given to the account. */
static bool claim(SignOnWork *work, GError **error) {
    Call *call = work->call;
    GError *why = NULL;
    SignOnWork claiming = *work;
    claiming.why = "The password is void: single sign-on has shown whose the address is.";
    if (!work->sign_on->user || work->sign_on->bound)
        return true;
    if (!look_for_session(call, &claiming, error))
        return false;
    work->sign_on->bound =
        db_run(call_db(call), &entry_scope, DB_WRITE, claim_work, &claiming, &why);
    return work->sign_on->bound || refuse_or_fail(call, work->sign_on, why, error);
}

/* --- in --------------------------------------------------------------------------------------- */

static bool admit_work(DbUnit *unit, void *data, GError **error) {
    SignOnWork *work = data;
    const char *id = work->sign_on->user->id;
    AuditActor actor = actor_of(work);
    g_autoptr(Json) details = details_of(work);
    AuditEntry entry = {.action = AUDIT_SESSION_LOGIN, .actor = &actor, .details = details};
    g_clear_pointer(&work->reach, g_ptr_array_unref);
    return is_still(unit, work, error) && entry_store(unit, work->entry, work->call, id, error) &&
           membership_list_of_user(unit, id, &work->reach, error) && audit_add(unit, &entry, error);
}

static bool admit(Call *call, SignOn *sign_on, GError **error) {
    g_auto(Entry) entry = {0};
    GError *why = NULL;
    SignOnWork work = {.call = call, .sign_on = sign_on, .entry = &entry};
    if (!entry_init(&entry, error))
        return false;
    if (!db_run(call_db(call), &entry_scope, DB_WRITE, admit_work, &work, &why)) {
        g_clear_pointer(&work.reach, g_ptr_array_unref);
        return refuse_or_fail(call, sign_on, why, error);
    }
    g_autoptr(GPtrArray) reach = work.reach;
    AuditActor actor = actor_of(&work);
    g_autoptr(Json) details = details_of(&work);
    AuditEntry told_entry = {.action = AUDIT_SESSION_LOGIN, .actor = &actor, .details = details};
    g_autofree char *home = g_strconcat(call->desk->public_url, "/", NULL);
    return entry_tell(call, reach, &told_entry, error) && entry_answer(call, &entry, 200, error) &&
           send_to(call, home);
}

/* --- and back --------------------------------------------------------------------------------- */

/* The provider has said who it is, or that it does not know. */
static bool arrive(Call *call, GError **error) {
    SignOn *sign_on = call->sleep.held;
    SignOnWork work = {.call = call, .sign_on = sign_on};
    if (error_code_of(sign_on->error) == ERROR_AUTHENTICATION_FAILED && sign_on->error)
        return deny(call, sign_on, PROBLEM_UNAUTHENTICATED, sign_on->error->message, error);
    if (sign_on->error)
        return refuse_failed(call, sign_on->error, error);
    id_write(sign_on->new_id);
    if (!db_run(call_db(call), &entry_scope, DB_READ, find_work, &work, error))
        return false;
    if (sign_on->user && sign_on->user->disabled_at != 0)
        return deny(call, sign_on, PROBLEM_FORBIDDEN,
                    "This account cannot be used any more; ask an operator.", error);
    if (!claim(&work, error) || !take_offers(&work, error))
        return false;
    if (!sign_on->user)
        return deny(call, sign_on, PROBLEM_FORBIDDEN,
                    "Nobody here has this verified e-mail address; ask an administrator for an "
                    "invitation.",
                    error);
    return admit(call, sign_on, error);
}

/* Whether the state was put for this browser; it is gone either way. */
static bool take_state(Call *call, const char *browser, GError **error) {
    const char *state = call_query(call, "state");
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *organization = NULL;
    g_autofree char *content = NULL;
    g_autoptr(GError) why = NULL;
    if (!state ||
        !ephemeral_state_take(call->desk->ephemeral, state, &organization, &content, &why)) {
        if (!why || error_code_of(why) == ERROR_AUTHENTICATION_FAILED)
            return call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s", start_again);
        g_propagate_error(error, g_steal_pointer(&why));
        return false;
    }
    digest_sha256_hex(browser, strlen(browser), hash);
    g_autoptr(Json) json = json_parse(content, strlen(content), strlen(content), NULL);
    const char *kept = json_member_string(json, "browser", "");
    return (strcmp(organization, AUDIT_INSTALLATION) == 0 &&
            secmem_equal(hash, strlen(hash), kept, strlen(kept))) ||
           call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s", start_again);
}

/* RFC 9207: an answer that another provider sent is not ours. */
static bool check_answer(Call *call, GError **error) {
    const char *issuer = call_query(call, "iss");
    if (issuer && strcmp(issuer, openid_issuer(call->desk->openid)) != 0)
        return call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s",
                           "This answer is of another identity provider.");
    return call_query(call, "code") ||
           call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s",
                       "The identity provider did not log you in; start again at "
                       "/api/session/oidc/start.");
}

static bool come_back(Call *call, GError **error) {
    const char *cookies = call_header(call, "Cookie");
    char *browser = NULL;
    if (!require_provider(call, error))
        return false;
    if (cookies)
        browser = caller_cookie(cookies, call->desk->secure ? COOKIE : COOKIE_PLAIN);
    if (!browser)
        return call_refuse(call, PROBLEM_UNAUTHENTICATED, error, "%s", start_again);
    bool ok = take_state(call, browser, error) && check_answer(call, error);
    if (ok) {
        SignOn *sign_on = g_new0(SignOn, 1);
        remember(sign_on, browser);
        sign_on->code = g_strdup(call_query(call, "code"));
        ok = call_sleep(call, &(CallSleep){.begin = ask_provider,
                                           .resume = arrive,
                                           .held = sign_on,
                                           .free_held = sign_on_free});
    }
    secmem_free_text(browser);
    return ok;
}

/* --- routes ----------------------------------------------------------------------------------- */

static const ShapeField callback_fields[] = {
    SHAPE_FIELD("state", STRING, 0, "Of the beginning."),
    SHAPE_FIELD("code", STRING, 0, "What the provider gives out for a token."),
    SHAPE_FIELD("iss", STRING, 0, "The provider."),
    SHAPE_FIELD("error", STRING, 0, "Why there is no code."),
    {0}};
static const Shape callback_shape = {.name = "SignOnAnswer", .fields = callback_fields};

const Route single_sign_on_routes[] = {
    {.method = "GET",
     .path = "/api/session/oidc/start",
     .id = "startSignOn",
     .tag = "Sessions",
     .summary = "Log in at the identity provider: for browsers, which are sent there.",
     .access = ACCESS_PUBLIC,
     .flags = ROUTE_SECRET,
     .handle = start,
     .status = 303},
    {.method = "GET",
     .path = BACK,
     .id = "endSignOn",
     .tag = "Sessions",
     .summary = "Where the identity provider sends browsers back to.",
     .access = ACCESS_PUBLIC,
     .flags = ROUTE_SECRET | ROUTE_FOREIGN,
     .handle = come_back,
     .query = &callback_shape,
     .status = 303},
    {0}};
