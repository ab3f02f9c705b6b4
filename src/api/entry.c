#include "api/entry.h"

#include "base/text.h"
#include "present/people_object.h"
#include "store/user.h"
#include "store/user_session.h"
#include "vault/ticket.h"

#include <string.h>

#define AGENT_SHOWN 200

const DbScope entry_scope = {
    .organization = AUDIT_INSTALLATION, .actor = "api", .role = "none", .system = true};

bool entry_init(Entry *entry, GError **error) {
    *entry = (Entry){.ticket = ticket_new(TICKET_SESSION, error)};
    if (!entry->ticket)
        return false;
    id_write(entry->id);
    ticket_hash(secret_text(entry->ticket), entry->hash);
    return true;
}

void entry_clear(Entry *entry) {
    g_clear_pointer(&entry->ticket, secret_free);
}

bool entry_store(DbUnit *unit, const Entry *entry, const Call *call, const char *user_id,
                 GError **error) {
    const char *agent = call_header(call, "User-Agent");
    g_autofree char *shown = agent ? text_one_line(agent, AGENT_SHOWN) : NULL;
    UserSession row = {.id = entry->id,
                       .user_id = user_id,
                       .token_hash = entry->hash,
                       .address = call->client_text,
                       .agent = shown};
    return user_session_insert(unit, &row, error) && user_logged_in(unit, user_id, error);
}

/* --- cookies ---------------------------------------------------------------------------------- */

/* __Host- binds the cookie to this host and path and wants Secure (RFC 6265bis section 4.1.3.2);
 * without TLS, on the loopback, browsers would refuse it. Lax: links from mails lead in. */
static void set_cookie(Call *call, const char *value, int64_t seconds) {
    bool secure = call->desk->secure;
    char *cookie = g_strdup_printf(
        "%s=%s; Path=/; HttpOnly; SameSite=Lax; Max-Age=%" G_GINT64_FORMAT "%s",
        secure ? CALLER_COOKIE : CALLER_COOKIE_PLAIN, value, seconds, secure ? "; Secure" : "");
    reply_set_header(&call->reply, "Set-Cookie", cookie);
    secmem_free_text(cookie);
}

void entry_give(Call *call, const Entry *entry) {
    set_cookie(call, secret_text(entry->ticket), USER_SESSION_LIFE_MS / 1000);
}

void entry_forget(Call *call) {
    set_cookie(call, "", 0);
}

/* --- answers ---------------------------------------------------------------------------------- */

Json *entry_object(const Caller *caller) {
    Json *json = json_new_object();
    Json *organizations = json_new_array();
    char *csrf = caller->session ? ticket_csrf(caller->session) : NULL;
    json_put_string(json, "kind", caller->kind);
    json_put_string(json, "id", caller->id);
    json_put_string(json, "name", caller->name);
    json_put_bool(json, "operator", caller->operator);
    json_put_string(json, "csrfToken", csrf);
    for (guint i = 0; i < caller->reach->len; i++)
        json_add(organizations, reach_object(g_ptr_array_index(caller->reach, i)));
    json_put(json, "organizations", organizations);
    secmem_free_text(csrf);
    return json;
}

bool entry_answer(Call *call, const Entry *entry, unsigned status, GError **error) {
    const char *ticket = secret_text(entry->ticket);
    const char *name = call->desk->secure ? CALLER_COOKIE : CALLER_COOKIE_PLAIN;
    char *cookie = g_strdup_printf("%s=%s", name, ticket);
    CallerProof proof = {.cookie = cookie, .secure = call->desk->secure};
    g_autoptr(Caller) caller = NULL;
    bool ok = caller_find(call_db(call), call->desk->recall, &proof, &caller, error);
    secmem_free_text(cookie);
    if (!ok)
        return false;
    entry_give(call, entry);
    return call_answer(call, status, entry_object(caller));
}

Secret *entry_password(const Call *call, const char *name, GError **error) {
    const char *text = json_member_string(call->body, name, "");
    return secret_new(text, strlen(text), error);
}

/* --- who is told ------------------------------------------------------------------------------ */

static bool tell_work(DbUnit *unit, void *data, GError **error) {
    return audit_add(unit, data, error);
}

bool entry_tell(Call *call, const GPtrArray *reach, const AuditEntry *entry, GError **error) {
    AuditEntry copy = *entry;
    for (guint i = 0; i < reach->len; i++) {
        const UserMembership *membership = g_ptr_array_index(reach, i);
        DbScope scope = {.organization = membership->organization_id,
                         .actor = entry->actor->id,
                         .role = membership->role};
        if (!db_run(call_db(call), &scope, DB_WRITE, tell_work, &copy, error))
            return false;
    }
    return true;
}
