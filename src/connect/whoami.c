#include "connect/whoami.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/settings.h"
#include "provider/envelope.h"
#include "provider/identity.h"
#include "provider/page.h"
#include "provider/scan.h"

/* What one test of a connection works with. */
typedef struct {
    NetClient *client;
    Sender *sender;
    const Definition *definition;
    Render *render;
    Value environment; /* {settings} */
} Visit;

/* One answer, taken out of the sender's callback. */
typedef struct {
    const DefinitionCall *call;
    bool arrived;
    Outcome outcome;
    char *message;
    char *url;
    char *link;
    char *reason;  /* why nothing could authorise the request */
    GString *body; /* without its envelope */
} Answer;

static void answer_clear(Answer *answer) {
    g_free(answer->message);
    g_free(answer->url);
    g_free(answer->link);
    g_free(answer->reason);
    g_string_free(answer->body, TRUE);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Answer, answer_clear)

static void take_answer(const SenderReply *reply, void *data) {
    Answer *answer = data;
    answer->arrived = true;
    answer->outcome = reply->outcome;
    answer->message = g_strdup(reply->message);
    answer->url = g_strdup(reply->url);
    answer->link = g_strdup(net_headers_get(reply->headers, "link"));
    answer->reason = g_strdup(reply->reason);
    if (!envelope_has(answer->call))
        g_string_append_len(answer->body, reply->body, (gssize)reply->body_size);
}

/* What is looked at is the opened answer, which is then the one that is kept. */
static Outcome look(const char *body, size_t size, void *data) {
    Answer *answer = data;
    if (envelope_has(answer->call)) {
        g_string_truncate(answer->body, 0);
        if (!envelope_open(answer->call, body, size, answer->body, NULL))
            return OUTCOME_BROKEN;
        body = answer->body->str;
        size = answer->body->len;
    }
    bool readable = scan_body(answer->call->scan, body, size, NULL, NULL, NULL);
    return readable ? OUTCOME_OK : OUTCOME_BROKEN;
}

static bool has_arrived(void *data) {
    return ((const Answer *)data)->arrived;
}

static bool refused(const Definition *definition, const Answer *answer, GError **error) {
    if (answer->outcome == OUTCOME_AUTH_EXPIRED) {
        g_set_error(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED, "Invalid %s credentials%s%s",
                    definition->name, answer->reason ? ": " : "",
                    answer->reason ? answer->reason : "");
        return false;
    }
    if (answer->outcome == OUTCOME_ABSENT) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s has no such account; check the settings of this connection",
                    definition->name);
        return false;
    }
    g_set_error_literal(error, ASSAY_ERROR, (int)outcome_error_code(answer->outcome),
                        answer->message ? answer->message : "the service did not answer");
    return false;
}

static bool ask(const Visit *visit, const DefinitionCall *call, const Page *page, Answer *answer,
                GError **error) {
    RenderedRequest request;
    if (!render_call(visit->render, call, visit->environment, page, &request, error))
        return false;
    answer->call = call;
    SenderWish wish = {
        .call = call, .rendered = &request, .inspect = look, .done = take_answer, .data = answer};
    bool sent = sender_send(visit->sender, &wish, error);
    rendered_request_clear(&request);
    if (!sent || !net_client_run_until(visit->client, has_arrived, answer, error))
        return false;
    (void)sender_redact(visit->sender, answer->body);
    return answer->outcome == OUTCOME_OK || refused(visit->definition, answer, error);
}

static bool parse_answer(const Answer *answer, Value *value_out, GError **error) {
    g_autoptr(GString) kept = g_string_new(NULL);
    return scan_body(answer->call->scan, answer->body->str, answer->body->len, NULL, kept, error) &&
           value_parse(kept->str, kept->len, value_out, error);
}

static const char *link_header(void *data, const char *name) {
    const Answer *answer = data;
    return g_str_equal(name, "link") ? answer->link : NULL;
}

static bool add_organizations(const Visit *visit, Identity *identity, const Answer *answer,
                              Page *page, PageStep *step_out, GError **error) {
    const DefinitionCall *call = visit->definition->identity.organizations_call;
    g_auto(Value) body = VALUE_NONE;
    if (!parse_answer(answer, &body, error))
        return false;
    g_auto(Value) rows = call->rows ? value_path_find(call->rows, body) : value_copy(body);
    size_t count = value_count(rows);
    for (size_t i = 0; i < count; i++) {
        g_auto(Value) row = value_at(rows, i);
        identity_add_organization(identity, visit->definition, row);
    }
    PageAnswer turn = {.header = link_header,
                       .header_data = (void *)(uintptr_t)answer,
                       .body = body,
                       .url = answer->url,
                       .rows = count,
                       .bytes = answer->body->len};
    *step_out = page_next(page, &turn);
    return true;
}

/* The organizations are a convenience: a credential that may not list them is a good one. */
static void list_organizations(const Visit *visit, Identity *identity) {
    const DefinitionCall *call = visit->definition->identity.organizations_call;
    if (!call || !identity->organizations)
        return;
    g_autoptr(Pager) pager = pager_new(visit->definition, clock_now_ms());
    g_autoptr(Page) page = page_new(pager, call);
    PageStep step = PAGE_MORE;
    while (step == PAGE_MORE && identity->organizations->len < IDENTITY_MAX_ORGANIZATIONS) {
        g_auto(Answer) answer = {.body = g_string_new(NULL)};
        if (!ask(visit, call, page, &answer, NULL) ||
            !add_organizations(visit, identity, &answer, page, &step, NULL))
            return;
    }
}

static Json *account_of(const Identity *identity) {
    Json *account = json_new_object();
    if (identity->user)
        json_put_string(account, "user", identity->user);
    if (identity->account_id)
        json_put_string(account, "accountId", identity->account_id);
    if (identity->arn)
        json_put_string(account, "arn", identity->arn);
    if (identity->organizations) {
        Json *list = json_new_array();
        for (guint i = 0; i < identity->organizations->len; i++)
            json_add_string(list, g_ptr_array_index(identity->organizations, i));
        json_put(account, "organizations", list);
    }
    return account;
}

static bool visit_account(const Visit *visit, Json **account_out, GError **error) {
    const DefinitionIdentity *identity = &visit->definition->identity;
    g_auto(Answer) answer = {.body = g_string_new(NULL)};
    if (!ask(visit, identity->call, NULL, &answer, error))
        return false;
    g_auto(Value) body = VALUE_NONE;
    if (!parse_answer(&answer, &body, error))
        return false;
    Identity found = {0};
    if (!identity_read(visit->definition, body, &found, error))
        return false;
    list_organizations(visit, &found);
    *account_out = account_of(&found);
    identity_clear(&found);
    return true;
}

bool whoami_fetch(NetClient *client, Sender *sender, const Definition *definition,
                  const Json *settings, Json **account_out, GError **error) {
    if (!definition->identity.call) {
        *account_out = json_new_object();
        return true;
    }
    g_auto(Value) value = VALUE_NONE;
    if (!settings_value(settings, &value, error))
        return false;
    g_autoptr(Render) render = render_new(definition, value, clock_now_ms(), error);
    if (!render)
        return false;
    g_auto(Value) environment = value_new_object();
    value_put(&environment, "settings", value_copy(value));
    Visit visit = {client, sender, definition, render, environment};
    return visit_account(&visit, account_out, error);
}
