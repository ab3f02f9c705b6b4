#include "api/caller.h"

#include "base/error.h"
#include "base/secmem.h"
#include "store/api_token.h"
#include "store/user_session.h"
#include "vault/ticket.h"

#include <string.h>

#define BEARER "Bearer "

void caller_free(Caller *caller) {
    if (!caller)
        return;
    g_free(caller->id);
    g_free(caller->name);
    secmem_free_text(caller->session);
    g_free(caller->session_id);
    g_free(caller->organization);
    if (caller->reach)
        g_ptr_array_unref(caller->reach);
    g_free(caller);
}

/* --- what was shown --------------------------------------------------------------------------- */

char *caller_cookie(const char *header, const char *name) {
    size_t length = strlen(name);
    const char *rest = header;
    while (rest && *rest) {
        rest += strspn(rest, "; \t");
        size_t size = strcspn(rest, ";");
        if (size > length && strncmp(rest, name, length) == 0 && rest[length] == '=')
            return g_strndup(rest + length + 1, size - length - 1);
        rest += size;
    }
    return NULL;
}

bool caller_shows_token(const char *authorization) {
    return authorization && g_ascii_strncasecmp(authorization, BEARER, strlen(BEARER)) == 0;
}

/* The ticket that was shown and its kind; a token comes before a cookie. Caller wipes. */
static char *find_ticket(const CallerProof *proof, TicketKind *kind_out) {
    char *ticket = NULL;
    bool bearer = caller_shows_token(proof->authorization);
    if (bearer) {
        const char *text = proof->authorization + strlen(BEARER);
        ticket = g_strdup(text + strspn(text, " "));
    } else if (proof->cookie) {
        ticket = caller_cookie(proof->cookie, proof->secure ? CALLER_COOKIE : CALLER_COOKIE_PLAIN);
    }
    bool fits = ticket && strlen(ticket) < TICKET_MAX && ticket_check(ticket, kind_out) &&
                (bearer ? *kind_out == TICKET_API || *kind_out == TICKET_SCANNER ||
                              *kind_out == TICKET_OPERATOR
                        : *kind_out == TICKET_SESSION);
    if (fits)
        return ticket;
    secmem_free_text(ticket);
    return NULL;
}

/* --- looking up ------------------------------------------------------------------------------- */

typedef struct {
    const char *hash;
    bool session;
    Caller *caller; /* NULL: unknown */
} FindWork;

static bool find_token(DbUnit *unit, FindWork *work, GError **error) {
    g_autoptr(ApiToken) token = NULL;
    if (!api_token_find(unit, work->hash, &token, error))
        return false;
    if (!token)
        return true;
    Caller *caller = work->caller = g_new0(Caller, 1);
    caller->kind = AUDIT_TOKEN;
    caller->id = g_strdup(token->id);
    caller->name = g_strdup(token->name);
    caller->operator= token->operator;
    return api_token_list_reach(unit, token->id, &caller->reach, error);
}

static bool find_session(DbUnit *unit, FindWork *work, GError **error) {
    g_autoptr(UserSessionCaller) session = NULL;
    if (!user_session_find(unit, work->hash, &session, error))
        return false;
    if (!session)
        return true;
    Caller *caller = work->caller = g_new0(Caller, 1);
    caller->kind = AUDIT_USER;
    caller->id = g_strdup(session->user_id);
    caller->name = g_strdup(session->email);
    caller->session_id = g_strdup(session->id);
    caller->seen_due = user_session_is_due(session);
    return membership_list_of_user(unit, session->user_id, &caller->reach, error);
}

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_clear_pointer(&work->caller, caller_free);
    return work->session ? find_session(unit, work, error) : find_token(unit, work, error);
}

static bool set_unknown(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                        "Send a valid API token as \"Authorization: Bearer TOKEN\", or log in.");
    return false;
}

bool caller_find(Db *db, const CallerProof *proof, Caller **caller_out, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    char hash[DIGEST_HEX_SIZE];
    TicketKind kind = TICKET_KINDS;
    char *ticket = find_ticket(proof, &kind);
    if (!ticket)
        return set_unknown(error);
    ticket_hash(ticket, hash);
    FindWork work = {.hash = hash, .session = kind == TICKET_SESSION};
    bool ok = db_run(db, &looking, DB_READ, find_work, &work, error);
    if (!ok || !work.caller) {
        caller_free(work.caller);
        secmem_free_text(ticket);
        return ok ? set_unknown(error) : false;
    }
    if (work.session)
        work.caller->session = ticket;
    else
        secmem_free_text(ticket);
    *caller_out = work.caller;
    return true;
}

/* --- organizations ---------------------------------------------------------------------------- */

static const UserMembership *choose(const Caller *caller, const char *wanted, GError **error) {
    const GPtrArray *reach = caller->reach;
    for (guint i = 0; wanted && i < reach->len; i++) {
        const UserMembership *membership = g_ptr_array_index(reach, i);
        if (strcmp(membership->organization_id, wanted) == 0 ||
            strcmp(membership->organization, wanted) == 0)
            return membership;
    }
    if (!wanted && reach->len == 1)
        return g_ptr_array_index(reach, 0);
    if (!wanted && reach->len > 1)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "Say which organization is meant: organizationId in the query or "
                            "body, or the header X-Assay-Organization.");
    else
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "There is no such organization, or you are not in it.");
    return NULL;
}

bool caller_enter(Caller *caller, const char *wanted, GError **error) {
    const UserMembership *membership = choose(caller, wanted, error);
    Role role = ROLE_NONE;
    if (!membership)
        return false;
    if (!role_from_name(membership->role, &role)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL, "a membership has no known role");
        return false;
    }
    g_free(caller->organization);
    caller->organization = g_strdup(membership->organization_id);
    caller->subject =
        (RoleSubject){.role = role,
                      .operator= caller->operator,
                      .user_id = strcmp(caller->kind, AUDIT_USER) == 0 ? caller->id : NULL,
                      .grants = membership->grants,
                      .integrations = membership->integrations,
                      .period_from = membership->period_from,
                      .period_until = membership->period_until};
    return true;
}

bool caller_meant_it(const Caller *caller, const CallerOrigin *origin) {
    if (!caller->session)
        return true;
    if (origin->origin && strcmp(origin->origin, origin->public_url) != 0)
        return false;
    return ticket_csrf_matches(caller->session, origin->token);
}
