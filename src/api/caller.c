#include "api/caller.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/id.h"
#include "base/secmem.h"
#include "store/api_token.h"
#include "store/user_session.h"
#include "vault/ticket.h"

#include <string.h>

#define BEARER "Bearer "

/* What the database says of somebody. */
typedef struct CallerFacts {
    RecallItem item;
    const char *kind;
    char *id;
    char *name;
    char *session_id;
    bool operator;
    bool seen_due;
    GPtrArray *reach; /* UserMembership */
    /* When it was read, and the first time at which it is no longer so. */
    int64_t from;
    int64_t until;
} CallerFacts;

static void facts_free(RecallItem *item) {
    CallerFacts *facts = (CallerFacts *)item;
    g_free(facts->id);
    g_free(facts->name);
    g_free(facts->session_id);
    if (facts->reach)
        g_ptr_array_unref(facts->reach);
    g_free(facts);
}

static CallerFacts *facts_new(const char *kind, const char *id, const char *name) {
    CallerFacts *facts = g_new0(CallerFacts, 1);
    recall_item_init(&facts->item, sizeof *facts, facts_free);
    facts->kind = kind;
    facts->id = g_strdup(id);
    facts->name = g_strdup(name);
    facts->from = clock_now_ms();
    facts->until = INT64_MAX;
    return facts;
}

static void facts_unref(CallerFacts *facts) {
    if (facts)
        recall_item_unref(&facts->item);
}

void caller_free(Caller *caller) {
    if (!caller)
        return;
    secmem_free_text(caller->session);
    facts_unref(caller->facts);
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
    CallerFacts *facts; /* NULL: unknown */
} FindWork;

static void end_at(CallerFacts *facts, int64_t expires_at) {
    if (expires_at != 0)
        facts->until = MIN(facts->until, expires_at);
}

/* What has to be known to remember a token: until when, which is every time that its statements
 * hold against :now, and how much it is. */
static void measure(CallerFacts *facts) {
    for (guint i = 0; i < facts->reach->len; i++) {
        const UserMembership *membership = g_ptr_array_index(facts->reach, i);
        size_t list = membership->integrations ? strlen(membership->integrations) : 0;
        end_at(facts, membership->expires_at);
        facts->item.size += sizeof *membership + ID_SIZE + STORE_NAME_MAX + list;
    }
}

static bool find_token(DbUnit *unit, FindWork *work, GError **error) {
    g_autoptr(ApiToken) token = NULL;
    if (!api_token_find(unit, work->hash, &token, error))
        return false;
    if (!token)
        return true;
    CallerFacts *facts = work->facts = facts_new(AUDIT_TOKEN, token->id, token->name);
    facts->operator= token->operator;
    end_at(facts, token->expires_at);
    if (!api_token_list_reach(unit, token->id, &facts->reach, error))
        return false;
    measure(facts);
    return true;
}

static bool find_session(DbUnit *unit, FindWork *work, GError **error) {
    g_autoptr(UserSessionCaller) session = NULL;
    if (!user_session_find(unit, work->hash, &session, error))
        return false;
    if (!session)
        return true;
    CallerFacts *facts = work->facts = facts_new(AUDIT_USER, session->user_id, session->email);
    facts->session_id = g_strdup(session->id);
    facts->seen_due = user_session_is_due(session);
    return membership_list_of_user(unit, session->user_id, &facts->reach, error);
}

static bool find_work(DbUnit *unit, void *data, GError **error) {
    FindWork *work = data;
    g_clear_pointer(&work->facts, facts_unref);
    return work->session ? find_session(unit, work, error) : find_token(unit, work, error);
}

static bool set_unknown(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                        "Send a valid API token as \"Authorization: Bearer TOKEN\", or log in.");
    return false;
}

/* NULL without an error: nobody. */
static CallerFacts *read_facts(Db *db, FindWork *work, GError **error) {
    static const DbScope looking = {.actor = "api", .system = true};
    if (db_run(db, &looking, DB_READ, find_work, work, error))
        return g_steal_pointer(&work->facts);
    g_clear_pointer(&work->facts, facts_unref);
    return NULL;
}

/* A session's time moves on with every request: it is read each time. */
static CallerFacts *find_facts(Db *db, Recall *recall, FindWork *work, RecallMark *mark_out,
                               GError **error) {
    char key[DIGEST_HEX_SIZE + 1] = "T";
    g_strlcpy(key + 1, work->hash, sizeof key - 1);
    if (work->session) {
        recall_mark(recall, mark_out);
        return read_facts(db, work, error);
    }
    CallerFacts *facts = (CallerFacts *)recall_find(recall, key, mark_out);
    int64_t now = clock_now_ms();
    if (facts && now >= facts->from && now < facts->until)
        return facts;
    facts_unref(facts);
    facts = read_facts(db, work, error);
    if (facts)
        recall_keep(recall, key, mark_out, &facts->item);
    return facts;
}

/* Takes both. */
static Caller *caller_new(CallerFacts *facts, char **session, const RecallMark *mark) {
    Caller *caller = g_new0(Caller, 1);
    *caller = (Caller){.kind = facts->kind,
                       .id = facts->id,
                       .name = facts->name,
                       .operator= facts->operator,
                       .session = g_steal_pointer(session),
                       .session_id = facts->session_id,
                       .seen_due = facts->seen_due,
                       .reach = facts->reach,
                       .mark = *mark,
                       .facts = facts};
    return caller;
}

bool caller_find(Db *db, Recall *recall, const CallerProof *proof, Caller **caller_out,
                 GError **error) {
    char hash[DIGEST_HEX_SIZE];
    TicketKind kind = TICKET_KINDS;
    RecallMark mark;
    GError *failure = NULL;
    char *ticket = find_ticket(proof, &kind);
    if (!ticket)
        return set_unknown(error);
    ticket_hash(ticket, hash);
    FindWork work = {.hash = hash, .session = kind == TICKET_SESSION};
    CallerFacts *facts = find_facts(db, recall, &work, &mark, &failure);
    if (!facts || !work.session)
        g_clear_pointer(&ticket, secmem_free_text);
    if (facts)
        *caller_out = caller_new(facts, &ticket, &mark);
    else if (failure)
        g_propagate_error(error, failure);
    else
        return set_unknown(error);
    return facts != NULL;
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
    caller->organization = membership->organization_id;
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
