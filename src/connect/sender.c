#include "connect/sender.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/refusal.h"
#include "connect/settings.h"
#include "net/url.h"

#include <string.h>

#define REDIRECTS_MAX 3
#define REDACT_MIN 8 /* bytes of a token */
#define REDACTED "[secret]"

struct Sender {
    NetClient *client;
    const Definition *definition;
    Responder *responder;
    Credentials *credentials;
    const Secret *token; /* borrowed from the credentials */
    bool allow_private;
    Exchanges *exchanges; /* NULL: the network */
    Exchanges *errands;   /* NULL: the network */
    Budget *budgets[NET_MAX_CHARGES];
    unsigned budget_count;
};

/* One logical request, through retries (in net/) and redirects (here). */
typedef struct {
    Sender *sender;
    const DefinitionCall *call;
    RespondThen then;
    bool ruled; /* the definition says what the answer means */
    unsigned redirects;
    unsigned requests;
    SenderInspect inspect;
    SenderDone done;
    void *data;
} Errand;

/* --- budgets ---------------------------------------------------------------------------------- */

static BudgetUnit budget_unit(HeaderUnit unit) {
    switch (unit) {
    case UNIT_EPOCH_SECONDS:
        return BUDGET_UNIT_EPOCH_S;
    case UNIT_EPOCH_MILLISECONDS:
        return BUDGET_UNIT_EPOCH_MS;
    case UNIT_MILLISECONDS:
        return BUDGET_UNIT_MS;
    case UNIT_ISO8601:
        return BUDGET_UNIT_ISO8601;
    case UNIT_SECONDS:
    case UNIT_USED_SIZE:
    case UNIT_COUNT:
        break;
    }
    return BUDGET_UNIT_S;
}

static BudgetHeaders budget_headers(const DefinitionLimit *limit) {
    bool usage = limit->limit.header && limit->limit.unit == UNIT_USED_SIZE;
    return (BudgetHeaders){.limit = usage ? NULL : limit->limit.header,
                           .remaining = limit->remaining.header,
                           .reset = limit->reset.header,
                           .reset_unit = budget_unit(limit->reset.unit),
                           .usage = usage ? limit->limit.header : NULL};
}

/* A limit that declares both kinds is two budgets; the headers then speak of the quota. */
static unsigned budget_specs_of(const DefinitionLimit *limit, BudgetSpec specs[2]) {
    bool quota = limit->quota_count > 0;
    specs[0] = (BudgetSpec){.kind = quota ? BUDGET_QUOTA : BUDGET_RATE,
                            .limit = quota ? limit->quota_count : limit->rate_count,
                            .window_ms = quota ? limit->quota_window_ms : limit->rate_window_ms,
                            .burst = quota ? 0 : limit->rate_burst,
                            .concurrency = (unsigned)limit->concurrency,
                            .headers = budget_headers(limit)};
    if (!quota || limit->rate_count == 0)
        return 1;
    specs[1] = (BudgetSpec){.kind = BUDGET_RATE,
                            .limit = limit->rate_count,
                            .window_ms = limit->rate_window_ms,
                            .burst = limit->rate_burst};
    return 2;
}

static bool is_own(const DefinitionLimit *limit) {
    return (limit->scope & (LIMIT_CONNECTION | LIMIT_USER)) != 0;
}

static bool add_budget(Sender *sender, const SenderConfig *config, size_t index, GError **error) {
    const Definition *definition = config->definition;
    const DefinitionLimit *limit = &definition->limits[index];
    BudgetSpec specs[2];
    unsigned count = budget_specs_of(limit, specs);
    if (sender->budget_count + count > NET_MAX_CHARGES) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s declares more than %d limits for all calls", definition->name,
                    NET_MAX_CHARGES);
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *key =
            g_strdup_printf("%s/%zu%s/%s", definition->id, index, i > 0 ? "-rate" : "",
                            is_own(limit) ? config->integration_id : "app");
        sender->budgets[sender->budget_count++] = budget_get(config->budgets, key, &specs[i]);
    }
    return true;
}

/* The shared ones first: an answer that asks to wait holds the last budget, and one connection
 * must not stop the others. */
static bool add_budgets(Sender *sender, const SenderConfig *config, GError **error) {
    const Definition *definition = config->definition;
    for (int own = 0; own <= 1; own++)
        for (size_t i = 0; i < definition->limit_count; i++)
            if (is_own(&definition->limits[i]) == (own == 1) &&
                !add_budget(sender, config, i, error))
                return false;
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

/* The secret that a single-token scheme sends. */
static const Secret *token_of(const DefinitionAuth *auth, const Credentials *credentials) {
    for (size_t i = 0; i < auth->field_count; i++)
        if (auth->fields[i].secret)
            return credentials_get(credentials, auth->fields[i].name);
    return NULL;
}

/* Visible ASCII only (RFC 6750 section 2.1 allows even less). */
static bool is_one_word(const Secret *token) {
    const unsigned char *bytes = secret_bytes(token);
    for (size_t i = 0; i < secret_size(token); i++)
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f)
            return false;
    return true;
}

/* A line break would begin another header, and a NUL would cut the token short. */
static bool check_token(const Sender *sender, GError **error) {
    const char *problem = NULL;
    if (!sender->token || secret_size(sender->token) == 0)
        problem = "the credential has no token";
    else if (!is_one_word(sender->token))
        problem = "the token holds a blank, a line break or another character that no token has";
    if (!problem)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s: %s; connect again",
                sender->definition->name, problem);
    return false;
}

bool sender_new(const SenderConfig *config, Sender **sender_out, GError **error) {
    g_autoptr(Sender) sender = g_new0(Sender, 1);
    sender->credentials = config->credentials;
    sender->client = config->client;
    sender->definition = config->definition;
    sender->responder = responder_new(config->definition);
    sender->allow_private = settings_allow_private(config->settings);
    if (config->auth->scheme != SCHEME_BEARER) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s: the scheme %s cannot be used in this version", config->definition->name,
                    scheme_name(config->auth->scheme));
        return false;
    }
    sender->token = token_of(config->auth, config->credentials);
    if (!check_token(sender, error))
        return false;
    if (!add_budgets(sender, config, error))
        return false;
    *sender_out = g_steal_pointer(&sender);
    return true;
}

Sender *sender_new_recorded(NetClient *client, const Definition *definition, Exchanges *exchanges) {
    Sender *sender = g_new0(Sender, 1);
    sender->client = client;
    sender->definition = definition;
    sender->responder = responder_new(definition);
    sender->exchanges = exchanges;
    return sender;
}

void sender_free(Sender *sender) {
    if (!sender)
        return;
    responder_free(sender->responder);
    credentials_free(sender->credentials);
    g_free(sender);
}

void sender_redact(const Sender *sender, GString *text) {
    size_t size = sender->token ? secret_size(sender->token) : 0;
    if (size < REDACT_MIN)
        return;
    const char *found;
    while ((found = memmem(text->str, text->len, secret_bytes(sender->token), size)) != NULL) {
        gssize at = found - text->str;
        g_string_erase(text, at, (gssize)size);
        g_string_insert(text, at, REDACTED);
    }
}

/* --- callbacks of the network ----------------------------------------------------------------- */

/* RFC 6750 section 2.1 */
static bool authorize(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)attempt;
    const Errand *errand = request->data;
    const Secret *token = errand->sender->token;
    size_t size = secret_size(token) + sizeof "Bearer ";
    char *value = g_malloc(size);
    g_snprintf(value, size, "Bearer %s", secret_text(token));
    bool ok = net_headers_add(extra, "Authorization", value, error);
    secmem_wipe(value, size);
    g_free(value);
    return ok;
}

static const char *find_header(void *data, const char *name) {
    return net_headers_get(data, name);
}

static NetJudgement classify(const NetResponse *response, void *data) {
    Errand *errand = data;
    NetHeaders *headers = (NetHeaders *)(uintptr_t)response->headers;
    RespondAnswer answer = {.status = (unsigned)response->status,
                            .header = find_header,
                            .header_data = headers,
                            .body = response->body,
                            .body_size = response->body_size,
                            .now_ms = clock_now_ms()};
    RespondClass class = respond_classify(errand->sender->responder, errand->call, &answer);
    errand->then = class.then;
    errand->ruled = class.ruled;
    if (class.outcome == OUTCOME_OK && errand->inspect)
        class.outcome = errand->inspect(response->body, response->body_size, errand->data);
    return (NetJudgement){class.outcome, class.wait_ms > 0 ? class.wait_ms : -1};
}

static bool is_redirect(int status) {
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

static bool add_headers(NetHeaders *to, const NetHeaders *from) {
    for (size_t i = 0; i < net_headers_count(from); i++) {
        NetHeader header = net_headers_at(from, i);
        if (!net_headers_add(to, header.name, header.value, NULL))
            return false;
    }
    return true;
}

static void on_done(NetResult *result, void *data);

/* What a request would be over the network, played on the next turn of the loop. */
typedef struct {
    Errand *errand;
    NetRequest *request;
} Playing;

static NetResult play(const Playing *playing, const NetHeaders *none) {
    const NetRequest *request = playing->request;
    NetResult result = {.request = request,
                        .outcome = OUTCOME_BAD_REQUEST,
                        .response = {.headers = none, .body = ""}};
    ExchangeAnswer answer;
    if (!exchanges_find(playing->errand->sender->exchanges, request->method, request->url,
                        request->body, &answer)) {
        result.error =
            g_error_new(ASSAY_ERROR, ERROR_CONFIGURATION, "no exchange is recorded for %s %s",
                        request->method, request->url);
        return result;
    }
    result.response = (NetResponse){answer.status, answer.headers, answer.body, answer.body_size};
    result.attempts = result.sent = 1;
    result.outcome = classify(&result.response, playing->errand).outcome;
    return result;
}

static void play_one(void *data) {
    Playing *playing = data;
    g_autoptr(NetHeaders) none = net_headers_new(0);
    NetResult result = play(playing, none);
    on_done(&result, playing->errand);
    g_clear_error(&result.error);
    net_request_free(playing->request);
    g_free(playing);
}

static void send_request(Errand *errand, NetRequest *request) {
    Sender *sender = errand->sender;
    if (sender->exchanges) {
        Playing *playing = g_new0(Playing, 1);
        *playing = (Playing){errand, request};
        net_client_post(sender->client, play_one, playing);
        return;
    }
    for (unsigned i = 0; i < sender->budget_count; i++)
        net_request_charge(request, sender->budgets[i], 1);
    request->allow_private = sender->allow_private;
    request->prepare = authorize;
    request->classify = classify;
    request->done = on_done;
    request->data = errand;
    net_client_send(sender->client, request);
}

/* Follows a redirect of a GET within the origin, unless the definition has a rule for it (a page to
 * sign in); anything else is left as the answer. */
static bool follow(Errand *errand, const NetResult *result) {
    const NetRequest *asked = result->request;
    const char *location = net_headers_get(result->response.headers, "location");
    if (result->error || errand->ruled || !is_redirect(result->response.status) || !location ||
        strcmp(asked->method, "GET") != 0 || errand->redirects >= REDIRECTS_MAX)
        return false;
    g_autofree char *target = url_resolve(asked->url, location, NULL);
    if (!target || !url_text_same_origin(target, asked->url))
        return false;
    g_autoptr(NetRequest) request = net_request_new(asked->method, target);
    if (!add_headers(request->headers, asked->headers))
        return false;
    errand->redirects++;
    send_request(errand, g_steal_pointer(&request));
    return true;
}

static char *failure_message(const Errand *errand, const NetResult *result) {
    const char *transport = result->error ? result->error->message : NULL;
    if (!transport && is_redirect(result->response.status))
        transport = errand->redirects >= REDIRECTS_MAX
                        ? "it redirects again and again"
                        : "it redirects to another place, which is not followed";
    Refusal refusal = {.definition = errand->sender->definition,
                       .call = errand->call,
                       .outcome = result->outcome,
                       .status = result->response.status,
                       .url = result->request->url,
                       .transport = transport};
    return refusal_sentence(&refusal);
}

static void on_done(NetResult *result, void *data) {
    Errand *errand = data;
    errand->requests += result->sent;
    if (follow(errand, result))
        return;
    g_autofree char *message = failure_message(errand, result);
    SenderReply reply = {.outcome = result->outcome,
                         .then = errand->then,
                         .status = result->response.status,
                         .message = message,
                         .headers = result->response.headers,
                         .body = result->response.body,
                         .body_size = result->response.body_size,
                         .url = result->request->url,
                         .requests = errand->requests,
                         .retry_at_ms = result->retry_at_ms};
    errand->done(&reply, errand->data);
    g_free(errand);
}

/* --- sending ---------------------------------------------------------------------------------- */

bool sender_send(Sender *sender, const SenderWish *wish, GError **error) {
    const RenderedRequest *rendered = wish->rendered;
    g_autoptr(NetRequest) request = net_request_new(rendered->method, rendered->url);
    for (size_t i = 0; i < rendered->header_count; i++) {
        const RenderedHeader *header = &rendered->headers[i];
        if (!net_headers_add(request->headers, header->name, header->value, error))
            return false;
    }
    if (rendered->body)
        net_request_set_body(request, rendered->body, rendered->body_size);
    Errand *errand = g_new0(Errand, 1);
    errand->sender = sender;
    errand->call = wish->call;
    errand->inspect = wish->inspect;
    errand->done = wish->done;
    errand->data = wish->data;
    send_request(errand, g_steal_pointer(&request));
    return true;
}
