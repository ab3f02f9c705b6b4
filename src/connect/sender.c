#include "connect/sender.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "connect/authorizer.h"
#include "connect/aws_keys.h"
#include "connect/aws_role.h"
#include "connect/bearer.h"
#include "connect/refusal.h"
#include "connect/settings.h"
#include "net/url.h"
#include "provider/aws_endpoint.h"

#include <string.h>

#define DECLARED_MAX (NET_MAX_CHARGES - 1) /* limits of a definition; one is for the operator */
#define REDIRECTS_MAX 3
#define REDACT_MIN 8 /* bytes of a token */
#define REDACTED "[secret]"
#define RATE_LIMITED_WAIT_MS 60000 /* when the scheme was asked to wait and not told how long */

/* The budgets that one request spends. */
typedef struct {
    Budget *budgets[NET_MAX_CHARGES];
    unsigned count;
} Charges;

struct Sender {
    NetClient *client;
    const Definition *definition;
    Responder *responder;
    const DefinitionAuth *auth; /* NULL when nothing goes over the network */
    Credentials *credentials;
    Authorizer *authorizer; /* NULL when nothing goes over the network */
    GQueue waiting;         /* of Waiting: until the authorizer is ready */
    char *integration_id;
    char *account_id; /* of AWS, or NULL */
    BudgetSet *budget_set;
    GHashTable *places; /* "SERVICE/REGION" -> Charges of AWS calls */
    bool allow_private;
    Exchanges *exchanges; /* NULL: the network */
    Exchanges *errands;   /* NULL: the network */
    Charges charges;      /* of every request */
    unsigned caps;        /* of them, limits of the operator */
    SenderCounts counts;
};

/* One logical request, through retries (in net/) and redirects (here). */
typedef struct {
    Sender *sender;
    const DefinitionCall *call;
    RespondThen then;
    bool ruled;                       /* the definition says what the answer means */
    AwsErrorClass aws;                /* what AWS said */
    const DefinitionService *service; /* NULL: not an AWS call */
    char *region;
    AuthorizerStamp stamp; /* of the last attempt */
    unsigned remedies;     /* AuthorizerRemedy bits: given already */
    unsigned redirects;
    unsigned requests;
    unsigned answered; /* of them */
    SenderInspect inspect;
    SenderDone done;
    void *data;
} Errand;

typedef struct {
    Errand *errand;
    NetRequest *request;
} Waiting;

static void errand_free(Errand *errand) {
    g_free(errand->region);
    g_free(errand);
}

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

static bool has_room(const Sender *sender, const Charges *charges, unsigned count, GError **error) {
    if (charges->count + count <= DECLARED_MAX + sender->caps)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "%s declares more than %d limits for one call", sender->definition->name,
                DECLARED_MAX);
    return false;
}

static bool add_budget(const Sender *sender, const DefinitionLimit *limit, const char *key,
                       Charges *charges, GError **error) {
    BudgetSpec specs[2];
    unsigned count = budget_specs_of(limit, specs);
    if (!has_room(sender, charges, count, error))
        return false;
    for (unsigned i = 0; i < count; i++) {
        g_autofree char *name = g_strconcat(key, i > 0 ? "-rate" : "", NULL);
        charges->budgets[charges->count++] = budget_get(sender->budget_set, name, &specs[i]);
    }
    return true;
}

static const char *owner_of(const Sender *sender, const DefinitionLimit *limit) {
    return is_own(limit) ? sender->integration_id : "app";
}

/* AWS counts by account, whoever is connected to it how often. */
static const char *owner_at_aws(const Sender *sender, const DefinitionLimit *limit) {
    bool shared = (limit->scope & LIMIT_CONNECTION) != 0 && sender->account_id;
    return shared ? sender->account_id : owner_of(sender, limit);
}

/* The operator's own limit stands in front of the declared ones. */
static void add_cap(Sender *sender) {
    const char *provider = sender->definition->id;
    BudgetSpec spec;
    if (!budget_set_cap_of(sender->budget_set, provider, &spec))
        return;
    g_autofree char *key = g_strdup_printf("%s/operator/%s", provider, sender->integration_id);
    Charges *charges = &sender->charges;
    charges->budgets[charges->count++] = budget_get(sender->budget_set, key, &spec);
    sender->caps = 1;
}

/* The shared ones first: an answer that asks to wait holds the last budget, and one connection
 * must not stop the others. */
static bool add_budgets(Sender *sender, GError **error) {
    const Definition *definition = sender->definition;
    add_cap(sender);
    for (int own = 0; own <= 1; own++)
        for (size_t i = 0; i < definition->limit_count; i++) {
            const DefinitionLimit *limit = &definition->limits[i];
            if (is_own(limit) != (own == 1))
                continue;
            g_autofree char *key =
                g_strdup_printf("%s/%zu/%s", definition->id, i, owner_of(sender, limit));
            if (!add_budget(sender, limit, key, &sender->charges, error))
                return false;
        }
    return true;
}

/* Limits of an AWS service count for the account, or for all of them, in each region or in all, and
 * are spent before those of the definition. */
static bool add_place(const Sender *sender, const Errand *errand, Charges *charges,
                      GError **error) {
    const DefinitionService *service = errand->service;
    const Charges *own = &sender->charges;
    for (unsigned i = 0; i < sender->caps; i++)
        charges->budgets[charges->count++] = own->budgets[i];
    for (size_t i = 0; i < service->limit_count; i++) {
        const DefinitionLimit *limit = &service->limits[i];
        bool regional = (limit->scope & LIMIT_REGION) != 0;
        g_autoptr(GString) key = g_string_new("aws/");
        g_string_append_printf(key, "%s/%s/%s", service->name, regional ? errand->region : "all",
                               owner_at_aws(sender, limit));
        if (i > 0)
            g_string_append_printf(key, "#%zu", i);
        if (!add_budget(sender, limit, key->str, charges, error))
            return false;
    }
    if (!has_room(sender, charges, own->count - sender->caps, error))
        return false;
    for (unsigned i = sender->caps; i < own->count; i++)
        charges->budgets[charges->count++] = own->budgets[i];
    return true;
}

/* What a request of this errand spends; borrowed. */
static const Charges *charges_of(Sender *sender, const Errand *errand, GError **error) {
    if (!errand->service || errand->service->limit_count == 0)
        return &sender->charges;
    g_autofree char *place = g_strdup_printf("%s/%s", errand->service->name, errand->region);
    Charges *charges = g_hash_table_lookup(sender->places, place);
    if (charges)
        return charges;
    charges = g_new0(Charges, 1);
    if (!add_place(sender, errand, charges, error)) {
        g_free(charges);
        return NULL;
    }
    g_hash_table_insert(sender->places, g_steal_pointer(&place), charges);
    return charges;
}

/* --- life ------------------------------------------------------------------------------------- */

static const struct {
    Scheme scheme;
    AuthorizerMake make;
} schemes[] = {
    {SCHEME_BEARER, bearer_new}, {SCHEME_AWS_KEYS, aws_keys_new}, {SCHEME_AWS_ROLE, aws_role_new}};

static void on_ready(const GError *failure, void *data);

static bool add_authorizer(Sender *sender, const SenderConfig *config, GError **error) {
    AuthorizerConfig what = {.client = config->client,
                             .definition = config->definition,
                             .auth = config->auth,
                             .settings = config->settings,
                             .integration_id = config->integration_id,
                             .credentials = config->credentials,
                             .ambient = config->ambient,
                             .ready = on_ready,
                             .data = sender};
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++)
        if (schemes[i].scheme == config->auth->scheme)
            return schemes[i].make(&what, &sender->authorizer, error);
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "%s: the scheme %s cannot be used in this version", config->definition->name,
                scheme_name(config->auth->scheme));
    return false;
}

static Sender *sender_make(NetClient *client, const Definition *definition) {
    Sender *sender = g_new0(Sender, 1);
    sender->client = client;
    sender->definition = definition;
    sender->responder = responder_new(definition);
    sender->places = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    return sender;
}

bool sender_new(const SenderConfig *config, Sender **sender_out, GError **error) {
    g_autoptr(Sender) sender = sender_make(config->client, config->definition);
    sender->auth = config->auth;
    sender->credentials = config->credentials;
    sender->budget_set = config->budgets;
    sender->integration_id = g_strdup(config->integration_id);
    if (aws_account_is_id(config->account_id))
        sender->account_id = g_strdup(config->account_id);
    sender->allow_private = settings_allow_private(config->settings);
    if (!add_authorizer(sender, config, error) || !add_budgets(sender, error))
        return false;
    *sender_out = g_steal_pointer(&sender);
    return true;
}

Sender *sender_new_recorded(NetClient *client, const Definition *definition, Exchanges *exchanges) {
    Sender *sender = sender_make(client, definition);
    sender->exchanges = exchanges;
    return sender;
}

static void waiting_free(void *data) {
    Waiting *waiting = data;
    net_request_free(waiting->request);
    errand_free(waiting->errand);
    g_free(waiting);
}

void sender_free(Sender *sender) {
    if (!sender)
        return;
    authorizer_free(sender->authorizer); /* tells nobody any more */
    g_queue_clear_full(&sender->waiting, waiting_free);
    responder_free(sender->responder);
    credentials_free(sender->credentials);
    g_hash_table_unref(sender->places);
    g_free(sender->integration_id);
    g_free(sender->account_id);
    g_free(sender);
}

const SenderCounts *sender_counts(const Sender *sender) {
    return &sender->counts;
}

static bool redact_bytes(const void *bytes, size_t size, GString *text) {
    const char *found;
    bool any = false;
    while ((found = memmem(text->str, text->len, bytes, size)) != NULL) {
        gssize at = found - text->str;
        g_string_erase(text, at, (gssize)size);
        g_string_insert(text, at, REDACTED);
        any = true;
    }
    return any;
}

/* As it stands within a JSON text; many services escape '/' as well. */
static bool redact_escaped(const Secret *secret, const char *escaped, GString *text) {
    const char *bytes = secret_text(secret);
    if (!strpbrk(bytes, escaped))
        return false;
    GString *form = g_string_sized_new(2 * secret_size(secret) + 1);
    for (; *bytes != '\0'; bytes++) {
        if (strchr(escaped, *bytes))
            g_string_append_c(form, '\\');
        g_string_append_c(form, *bytes);
    }
    bool any = redact_bytes(form->str, form->len, text);
    secmem_wipe(form->str, form->len);
    g_string_free(form, TRUE);
    return any;
}

static bool redact_encoded(const Secret *secret, GString *text) {
    char *form = text_percent_encode(secret_text(secret), secret_size(secret));
    bool any = redact_bytes(form, strlen(form), text);
    secmem_free_text(form);
    return any;
}

/* All forms of a secret hold its longest run of letters and digits as it is: one look for that is
 * enough for nearly every answer. */
static bool may_hold(const Secret *secret, const GString *text) {
    const char *bytes = secret_text(secret);
    size_t size = secret_size(secret);
    size_t from = 0;
    size_t longest = 0;
    for (size_t at = 0, run = 0; at < size; at++) {
        run = g_ascii_isalnum(bytes[at]) ? run + 1 : 0;
        from = run > longest ? at + 1 - run : from;
        longest = MAX(longest, run);
    }
    return memmem(text->str, text->len, bytes + from, longest) != NULL;
}

static bool redact(const Secret *secret, GString *text) {
    if (!secret || secret_size(secret) < REDACT_MIN || !may_hold(secret, text))
        return false;
    bool any = redact_bytes(secret_bytes(secret), secret_size(secret), text);
    any |= redact_escaped(secret, "\"\\", text);
    any |= redact_escaped(secret, "\"\\/", text);
    return redact_encoded(secret, text) || any;
}

bool sender_redact(const Sender *sender, GString *text) {
    bool any = false;
    for (size_t i = 0; sender->auth && i < sender->auth->field_count; i++)
        if (sender->auth->fields[i].secret)
            any |= redact(credentials_get(sender->credentials, sender->auth->fields[i].name), text);
    return any;
}

/* --- callbacks of the network ----------------------------------------------------------------- */

static bool authorize(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    (void)attempt;
    Errand *errand = request->data;
    AuthorizerAttempt what = {
        .request = request, .service = errand->service, .region = errand->region};
    return authorizer_authorize(errand->sender->authorizer, &what, extra, &errand->stamp, error);
}

static void observe(const NetResponse *response, void *data) {
    authorizer_observe(((const Errand *)data)->sender->authorizer, response);
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
                            .now_ms = clock_now_ms(),
                            .region = errand->region};
    RespondClass class = respond_classify(errand->sender->responder, errand->call, &answer);
    errand->then = class.then;
    errand->ruled = class.ruled;
    errand->aws = class.aws;
    if (class.aws == AWS_ERROR_CLOCK && !class.ruled)
        class.outcome = OUTCOME_BAD_REQUEST; /* corrected first, see amend() */
    if (class.outcome == OUTCOME_OK && errand->inspect)
        class.outcome = errand->inspect(response->body, response->body_size, errand->data);
    errand->answered++;
    errand->sender->counts.by_outcome[class.outcome]++;
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

/* Over the network once the authorizer is ready; budgets are taken only then. */
static void send_request(Errand *errand, NetRequest *request) {
    Sender *sender = errand->sender;
    if (sender->exchanges) {
        Playing *playing = g_new0(Playing, 1);
        *playing = (Playing){errand, request};
        net_client_post(sender->client, play_one, playing);
        return;
    }
    request->allow_private = sender->allow_private;
    request->prepare = authorize;
    request->observe = observe;
    request->classify = classify;
    request->done = on_done;
    request->data = errand;
    if (authorizer_ready(sender->authorizer)) {
        net_client_send(sender->client, request);
        return;
    }
    Waiting *waiting = g_new0(Waiting, 1);
    *waiting = (Waiting){errand, request};
    g_queue_push_tail(&sender->waiting, waiting);
}

/* The same request again, with the charges of the first. */
static bool repeat(Errand *errand, const NetRequest *asked, const char *url) {
    g_autoptr(NetRequest) request = net_request_new(asked->method, url);
    if (!add_headers(request->headers, asked->headers))
        return false;
    if (asked->body)
        net_request_set_body(request, asked->body, asked->body_size);
    for (unsigned i = 0; i < asked->charge_count; i++)
        net_request_charge(request, asked->charges[i].budget, asked->charges[i].cost);
    send_request(errand, g_steal_pointer(&request));
    return true;
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
    errand->redirects++;
    return repeat(errand, asked, target);
}

/* Sends a refused request once more when the scheme knows a remedy. */
static bool amend(Errand *errand, const NetResult *result) {
    Sender *sender = errand->sender;
    if (result->error || !sender->authorizer || outcome_judgeable(result->outcome))
        return false;
    AuthorizerAnswer answer = {.outcome = result->outcome,
                               .response = &result->response,
                               .aws = errand->aws,
                               .stamp = errand->stamp,
                               .used = errand->remedies};
    AuthorizerRemedy remedy = authorizer_remedy(sender->authorizer, &answer);
    if (remedy == REMEDY_NONE)
        return false;
    errand->remedies |= (unsigned)remedy;
    return repeat(errand, result->request, result->request->url);
}

static char *failure_message(const Errand *errand, const NetResult *result) {
    const char *transport = result->error ? result->error->message : NULL;
    if (!transport && is_redirect(result->response.status))
        transport = errand->redirects >= REDIRECTS_MAX
                        ? "it redirects again and again"
                        : "it redirects to another place, which is not followed";
    if (!transport && errand->aws == AWS_ERROR_CLOCK)
        transport = "the clock of this machine is wrong; correct it";
    Refusal refusal = {.definition = errand->sender->definition,
                       .call = errand->call,
                       .outcome = result->outcome,
                       .status = result->response.status,
                       .url = result->request->url,
                       .transport = transport};
    return refusal_sentence(&refusal);
}

/* What nobody answered is what became of the last of them. */
static void count_unanswered(Errand *errand, const NetResult *result) {
    bool silent = result->response.status == 0 && !outcome_judgeable(result->outcome);
    Outcome outcome = silent ? result->outcome : OUTCOME_UNAVAILABLE;
    if (errand->requests > errand->answered)
        errand->sender->counts.by_outcome[outcome] += errand->requests - errand->answered;
    errand->answered = errand->requests;
}

static void on_done(NetResult *result, void *data) {
    Errand *errand = data;
    errand->requests += result->sent;
    count_unanswered(errand, result);
    if (follow(errand, result) || amend(errand, result))
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
    errand_free(errand);
}

/* --- the authorizer --------------------------------------------------------------------------- */

static Outcome outcome_of(const GError *failure) {
    static const Outcome outcomes[ERROR_CODES] = {
        [ERROR_AUTHENTICATION_FAILED] = OUTCOME_AUTH_EXPIRED,
        [ERROR_PERMISSION_DENIED] = OUTCOME_FORBIDDEN,
        [ERROR_RATE_LIMITED] = OUTCOME_RATE_LIMITED,
        [ERROR_SERVICE_UNAVAILABLE] = OUTCOME_UNAVAILABLE,
        [ERROR_TIMEOUT] = OUTCOME_TIMEOUT,
        [ERROR_CANCELLED] = OUTCOME_UNAVAILABLE,
    };
    Outcome outcome = outcomes[error_code_of(failure)];
    return outcome == OUTCOME_OK ? OUTCOME_BAD_REQUEST : outcome;
}

/* An errand that was never sent, or not again, since nothing can authorise it. */
static void give_up(Waiting *waiting, const GError *failure) {
    Errand *errand = waiting->errand;
    g_autoptr(NetHeaders) none = net_headers_new(0);
    g_autofree char *message =
        g_strdup_printf("%s: %s", errand->sender->definition->name, failure->message);
    SenderReply reply = {.outcome = outcome_of(failure),
                         .message = message,
                         .reason = failure->message,
                         .headers = none,
                         .body = "",
                         .url = waiting->request->url,
                         .requests = errand->requests};
    if (reply.outcome == OUTCOME_RATE_LIMITED)
        reply.retry_at_ms = clock_now_ms() + RATE_LIMITED_WAIT_MS;
    errand->done(&reply, errand->data);
    waiting_free(waiting);
}

/* Those that wait now, not those that their answers bring. */
static void on_ready(const GError *failure, void *data) {
    Sender *sender = data;
    g_autoptr(GError) kept = failure ? g_error_copy(failure) : NULL;
    GQueue waiting = sender->waiting;
    g_queue_init(&sender->waiting);
    for (Waiting *next = g_queue_pop_head(&waiting); next; next = g_queue_pop_head(&waiting)) {
        if (kept) {
            give_up(next, kept);
            continue;
        }
        net_client_send(sender->client, next->request);
        g_free(next);
    }
}

/* --- sending ---------------------------------------------------------------------------------- */

static bool charge(const Errand *errand, NetRequest *request, GError **error) {
    const Charges *charges = charges_of(errand->sender, errand, error);
    if (!charges)
        return false;
    for (unsigned i = 0; i < charges->count; i++)
        net_request_charge(request, charges->budgets[i], 1);
    return true;
}

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
    errand->service = rendered->service;
    errand->region = g_strdup(rendered->region);
    errand->inspect = wish->inspect;
    errand->done = wish->done;
    errand->data = wish->data;
    if (!sender->exchanges && !charge(errand, request, error)) {
        errand_free(errand);
        return false;
    }
    send_request(errand, g_steal_pointer(&request));
    return true;
}
