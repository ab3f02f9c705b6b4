#include "connect/openid.h"

#include "base/clock.h"
#include "base/error.h"
#include "base/text.h"
#include "net/client.h"
#include "net/url.h"
#include "vault/id_token.h"
#include "vault/jose.h"

#include <pthread.h>
#include <string.h>

#define WELL_KNOWN "/.well-known/openid-configuration"
#define CONNECT_TIMEOUT_MS 5000
#define ANSWER_MAX (256U * 1024)

/* Something of the provider's that many may wait for. */
typedef struct {
    bool busy;
    int64_t got_ms; /* by the monotonic clock */
    GPtrArray *waiting;
} Fetch;

struct Openid {
    char *issuer;
    char *client_id;
    Secret *client_secret;
    char *redirect_uri;
    bool allow_private;
    NetClient *client;
    pthread_t thread;
    pthread_mutex_t lock;
    /* Under the lock. */
    bool started;
    bool closed;
    unsigned asks;
    /* The loop's. */
    bool stopping;
    Json *metadata;
    JoseKeys *keys;
    Fetch describing;
    Fetch keying;
};

/* One login's part. */
typedef struct {
    Openid *openid;
    char *code;
    char *verifier;
    char *nonce;
    OpenidTold told;
    void *data;
    bool exchanged;
    char *id_token;
    char *access_token;
    Json *claims;
} Ask;

static void go_on(Ask *ask);

/* --- the end of an ask ------------------------------------------------------------------------ */

static void ask_free(Ask *ask) {
    secmem_free_text(ask->code);
    secmem_free_text(ask->verifier);
    g_free(ask->nonce);
    secmem_free_text(ask->id_token);
    secmem_free_text(ask->access_token);
    json_free(ask->claims);
    g_free(ask);
}

static void end(Ask *ask, const GError *error) {
    Openid *openid = ask->openid;
    OpenidAnswer answer = {.error = error};
    if (!error && !ask->code)
        answer.authorization_endpoint =
            json_member_string(openid->metadata, "authorization_endpoint", NULL);
    else if (!error)
        answer.claims = ask->claims;
    ask->told(&answer, ask->data);
    ask_free(ask);
    pthread_mutex_lock(&openid->lock);
    openid->asks--;
    pthread_mutex_unlock(&openid->lock);
}

static void fail(Ask *ask, ErrorCode code, const char *message) {
    g_autoptr(GError) error = g_error_new_literal(ASSAY_ERROR, (gint)code, message);
    end(ask, error);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Plain http is for a provider beside us, on the loopback. */
static bool may_reach(const Openid *openid, const char *text) {
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1", NULL};
    Url url;
    return text && !strchr(text, '#') && url_parse(text, &url, NULL) &&
           (url.tls || (openid->allow_private && url_host_allowed(&url, loopback)));
}

static NetRequest *request_to(const Openid *openid, const char *method, const char *url,
                              NetDone done, void *data) {
    NetRequest *request = net_request_new(method, url);
    request->once = true;
    request->allow_private = openid->allow_private;
    request->total_timeout_ms = OPENID_TIMEOUT_MS;
    request->connect_timeout_ms = CONNECT_TIMEOUT_MS;
    request->max_body = ANSWER_MAX;
    request->done = done;
    request->data = data;
    return request;
}

static bool accept_json(NetRequest *request, GError **error) {
    return net_headers_set(request->headers, "Accept", "application/json", error);
}

static void send_or_drop(Openid *openid, NetRequest *request) {
    (void)net_client_send(openid->client, request);
}

/* The object that was answered with 200; NULL with the error set, which has no word of it. */
static Json *answer_of(const NetResult *result, const char *what, GError **error) {
    if (error_code_of(result->error) == ERROR_CANCELLED && result->error) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "The server is stopping.");
        return NULL;
    }
    g_autoptr(Json) json = NULL;
    if (!result->error && result->response.status == 200)
        json = json_parse(result->response.body, result->response.body_size, ANSWER_MAX, NULL);
    if (json && json_kind(json) == JSON_KIND_OBJECT)
        return g_steal_pointer(&json);
    g_set_error(error, ASSAY_ERROR,
                result->outcome == OUTCOME_TIMEOUT ? ERROR_TIMEOUT : ERROR_SERVICE_UNAVAILABLE,
                "The identity provider did not give %s (status %d); try again in a moment.", what,
                result->response.status);
    return NULL;
}

/* --- what many wait for ----------------------------------------------------------------------- */

static void wait_for(Fetch *fetch, Ask *ask) {
    g_ptr_array_add(fetch->waiting, ask);
}

/* Lets everybody go on who waited, or fails them. */
static void release(Fetch *fetch, const GError *error) {
    g_autoptr(GPtrArray) waiting = fetch->waiting;
    fetch->waiting = g_ptr_array_new();
    fetch->busy = false;
    for (guint i = 0; i < waiting->len; i++) {
        if (error)
            end(g_ptr_array_index(waiting, i), error);
        else
            go_on(g_ptr_array_index(waiting, i));
    }
}

static bool is_recent(const Fetch *fetch, int64_t life_ms) {
    return fetch->got_ms > 0 && clock_mono_ms() - fetch->got_ms < life_ms;
}

static void fetch(Openid *openid, Fetch *what, const char *url, NetDone done) {
    g_autoptr(GError) error = NULL;
    if (what->busy)
        return;
    g_autoptr(NetRequest) request = request_to(openid, "GET", url, done, openid);
    if (!accept_json(request, &error)) {
        release(what, error);
        return;
    }
    what->busy = true;
    send_or_drop(openid, g_steal_pointer(&request));
}

/* OpenID Connect Discovery 4.3: the issuer must be exactly the one that was asked. */
static bool check_metadata(const Openid *openid, const Json *metadata, GError **error) {
    static const char *const endpoints[] = {"authorization_endpoint", "token_endpoint", "jwks_uri"};
    const char *userinfo = json_member_string(metadata, "userinfo_endpoint", NULL);
    bool fits = g_strcmp0(json_member_string(metadata, "issuer", NULL), openid->issuer) == 0;
    if (!fits)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "The identity provider calls itself by another name than oidc.issuer; "
                            "write it exactly as the provider does.");
    for (size_t i = 0; fits && i < G_N_ELEMENTS(endpoints); i++) {
        fits = may_reach(openid, json_member_string(metadata, endpoints[i], NULL));
        if (!fits)
            g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                        "The identity provider has no usable %s; it must be https.", endpoints[i]);
    }
    if (fits && userinfo && !may_reach(openid, userinfo)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "The identity provider has no usable userinfo_endpoint; it must be "
                            "https.");
        return false;
    }
    return fits;
}

static void described(NetResult *result, void *data) {
    Openid *openid = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) metadata = answer_of(result, "its description", &error);
    if (metadata && check_metadata(openid, metadata, &error)) {
        json_free(openid->metadata);
        openid->metadata = g_steal_pointer(&metadata);
        openid->describing.got_ms = clock_mono_ms();
    }
    release(&openid->describing, error);
}

static void keyed(NetResult *result, void *data) {
    Openid *openid = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) json = answer_of(result, "its keys", &error);
    JoseKeys *keys =
        json ? jose_keys_parse(result->response.body, result->response.body_size, &error) : NULL;
    if (keys) {
        jose_keys_free(openid->keys);
        openid->keys = keys;
        openid->keying.got_ms = clock_mono_ms();
    }
    release(&openid->keying, error);
}

static void describe(Ask *ask) {
    Openid *openid = ask->openid;
    bool slash = g_str_has_suffix(openid->issuer, "/");
    g_autofree char *url = g_strconcat(openid->issuer, slash ? &WELL_KNOWN[1] : WELL_KNOWN, NULL);
    wait_for(&openid->describing, ask);
    fetch(openid, &openid->describing, url, described);
}

static void ask_for_keys(Ask *ask) {
    Openid *openid = ask->openid;
    wait_for(&openid->keying, ask);
    fetch(openid, &openid->keying, json_member_string(openid->metadata, "jwks_uri", ""), keyed);
}

/* --- the code --------------------------------------------------------------------------------- */

static bool offers(const Json *metadata, const char *method) {
    const Json *methods = json_member(metadata, "token_endpoint_auth_methods_supported");
    for (size_t i = 0; i < json_count(methods); i++)
        if (g_strcmp0(json_text(json_item(methods, i)), method) == 0)
            return true;
    return false;
}

/* The client's name and secret in the header, unless the provider wants them in the body alone
 * (OpenID Connect Core 9; without a word about it: the header). */
static bool in_header(const Openid *openid) {
    bool said = json_member(openid->metadata, "token_endpoint_auth_methods_supported") != NULL;
    return openid->client_secret && (!said || offers(openid->metadata, "client_secret_basic") ||
                                     !offers(openid->metadata, "client_secret_post"));
}

/* RFC 6749 section 2.3.1: both are encoded as in a form before they are joined. */
static bool authorize(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    const Openid *openid = ((Ask *)request->data)->openid;
    (void)attempt;
    if (!in_header(openid))
        return true;
    g_autofree char *id = text_percent_encode(openid->client_id, strlen(openid->client_id));
    char *secret =
        text_percent_encode(secret_text(openid->client_secret), secret_size(openid->client_secret));
    char *both = g_strconcat(id, ":", secret, NULL);
    char *encoded = g_base64_encode((const guchar *)both, strlen(both));
    char *value = g_strconcat("Basic ", encoded, NULL);
    bool ok = net_headers_set(extra, "Authorization", value, error);
    secmem_free_text(value);
    secmem_free_text(encoded);
    secmem_free_text(both);
    secmem_free_text(secret);
    return ok;
}

static void add_field(GString *body, const char *name, const char *value) {
    char *encoded = text_percent_encode(value, strlen(value));
    g_string_append_printf(body, "%s%s=%s", body->len > 0 ? "&" : "", name, encoded);
    secmem_free_text(encoded);
}

static void write_exchange(const Ask *ask, NetRequest *request) {
    const Openid *openid = ask->openid;
    GString *body = g_string_sized_new(2 * (strlen(ask->code) + URL_MAX));
    add_field(body, "grant_type", "authorization_code");
    add_field(body, "code", ask->code);
    add_field(body, "redirect_uri", openid->redirect_uri);
    add_field(body, "code_verifier", ask->verifier);
    if (!in_header(openid))
        add_field(body, "client_id", openid->client_id);
    if (!in_header(openid) && openid->client_secret)
        add_field(body, "client_secret", secret_text(openid->client_secret));
    net_request_set_body(request, body->str, body->len);
    secmem_free_text(g_string_free(body, FALSE));
}

/* A code that is not accepted is the login's fault, whatever else the installation's. */
static void refuse_exchange(Ask *ask, const NetResult *result) {
    g_autoptr(Json) json =
        json_parse(result->response.body, result->response.body_size, ANSWER_MAX, NULL);
    bool code = strcmp(json_member_string(json, "error", ""), "invalid_grant") == 0;
    fail(ask, code ? ERROR_AUTHENTICATION_FAILED : ERROR_CONFIGURATION,
         code ? "The identity provider does not accept this login any more; start again."
              : "The identity provider does not accept this installation as its client; check "
                "oidc.client_id and oidc.client_secret.");
}

static void exchanged(NetResult *result, void *data) {
    Ask *ask = data;
    g_autoptr(GError) error = NULL;
    int status = result->response.status;
    if (!result->error && (status == 400 || status == 401)) {
        refuse_exchange(ask, result);
        return;
    }
    g_autoptr(Json) json = answer_of(result, "a token", &error);
    if (!json) {
        end(ask, error);
        return;
    }
    ask->id_token = g_strdup(json_member_string(json, "id_token", NULL));
    ask->access_token = g_strdup(json_member_string(json, "access_token", NULL));
    if (ask->id_token)
        go_on(ask);
    else
        fail(ask, ERROR_SERVICE_UNAVAILABLE, "The identity provider gave no id token.");
}

static void exchange(Ask *ask) {
    const Openid *openid = ask->openid;
    const char *url = json_member_string(openid->metadata, "token_endpoint", "");
    g_autoptr(NetRequest) request = request_to(openid, "POST", url, exchanged, ask);
    g_autoptr(GError) error = NULL;
    request->secret = true;
    request->prepare = authorize;
    write_exchange(ask, request);
    ask->exchanged = true;
    if (accept_json(request, &error) &&
        net_headers_set(request->headers, "Content-Type", "application/x-www-form-urlencoded",
                        &error))
        send_or_drop(ask->openid, g_steal_pointer(&request));
    else
        end(ask, error);
}

/* --- who it is -------------------------------------------------------------------------------- */

static void take_claim(Json *claims, const Json *info, const char *name) {
    Json *value = json_member(info, name);
    if (value)
        json_put(claims, name, json_ref(value));
}

/* OpenID Connect Core 5.3.2: what is said about another subject must not be used. */
static void informed(NetResult *result, void *data) {
    Ask *ask = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) info = answer_of(result, "the userinfo", &error);
    if (!info) {
        end(ask, error);
        return;
    }
    if (g_strcmp0(json_member_string(info, "sub", NULL),
                  json_member_string(ask->claims, "sub", "")) != 0) {
        fail(ask, ERROR_AUTHENTICATION_FAILED,
             "The identity provider speaks of two different people.");
        return;
    }
    take_claim(ask->claims, info, "email");
    take_claim(ask->claims, info, "email_verified");
    if (!json_member(ask->claims, "name"))
        take_claim(ask->claims, info, "name");
    end(ask, NULL);
}

static bool bear_token(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    const Ask *ask = request->data;
    char *value = g_strconcat("Bearer ", ask->access_token, NULL);
    bool ok = net_headers_set(extra, "Authorization", value, error);
    (void)attempt;
    secmem_free_text(value);
    return ok;
}

static void ask_for_info(Ask *ask) {
    const Openid *openid = ask->openid;
    const char *url = json_member_string(openid->metadata, "userinfo_endpoint", NULL);
    g_autoptr(GError) error = NULL;
    if (!url || !ask->access_token) {
        end(ask, NULL);
        return;
    }
    g_autoptr(NetRequest) request = request_to(openid, "GET", url, informed, ask);
    request->secret = true;
    request->prepare = bear_token;
    if (accept_json(request, &error))
        send_or_drop(ask->openid, g_steal_pointer(&request));
    else
        end(ask, error);
}

static void judge(Ask *ask) {
    Openid *openid = ask->openid;
    IdTokenExpected expected = {.issuer = openid->issuer,
                                .client_id = openid->client_id,
                                .nonce = ask->nonce,
                                .access_token = ask->access_token,
                                .now_ms = clock_now_ms()};
    g_autoptr(GError) error = NULL;
    JoseVerdict verdict = jose_verify(openid->keys, ask->id_token, &ask->claims, &error);
    if (verdict == JOSE_UNKNOWN_KEY && !is_recent(&openid->keying, OPENID_REFRESH_MS))
        ask_for_keys(ask);
    else if (verdict != JOSE_VALID || !id_token_check(ask->claims, &expected, &error))
        end(ask, error);
    else if (json_member(ask->claims, "email"))
        end(ask, NULL);
    else
        ask_for_info(ask);
}

/* The next step of a login. */
static void go_on(Ask *ask) {
    Openid *openid = ask->openid;
    if (openid->stopping)
        fail(ask, ERROR_CANCELLED, "The server is stopping.");
    else if (!openid->metadata || !is_recent(&openid->describing, OPENID_KEEP_MS))
        describe(ask);
    else if (!ask->code)
        end(ask, NULL);
    else if (!ask->exchanged)
        exchange(ask);
    else if (!openid->keys || !is_recent(&openid->keying, OPENID_KEEP_MS))
        ask_for_keys(ask);
    else
        judge(ask);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void begin(void *data) {
    go_on(data);
}

static bool has_ended(void *data) {
    const Openid *openid = data;
    return openid->stopping && net_client_active(openid->client) == 0;
}

static void *run(void *data) {
    Openid *openid = data;
    g_autoptr(GError) error = NULL;
    if (!net_client_run_until(openid->client, has_ended, openid, &error))
        g_error("the network loop of single sign-on failed: %s", error->message);
    return NULL;
}

static void stop(void *data) {
    Openid *openid = data;
    openid->stopping = true;
    net_client_cancel_all(openid->client);
}

bool openid_ask(Openid *openid, const OpenidWish *wish, GError **error) {
    pthread_mutex_lock(&openid->lock);
    bool open = !openid->closed;
    bool fits = open && openid->asks < OPENID_ASKS_MAX;
    if (fits) {
        Ask *ask = g_new0(Ask, 1);
        *ask = (Ask){.openid = openid,
                     .code = g_strdup(wish->code),
                     .verifier = g_strdup(wish->verifier),
                     .nonce = g_strdup(wish->nonce),
                     .told = wish->told,
                     .data = wish->data};
        openid->asks++;
        net_client_post(openid->client, begin, ask);
    }
    pthread_mutex_unlock(&openid->lock);
    if (!fits)
        g_set_error_literal(error, ASSAY_ERROR, open ? ERROR_RATE_LIMITED : ERROR_CANCELLED,
                            open ? "Too many logins are under way; try again in a moment."
                                 : "The server is stopping.");
    return fits;
}

/* --- life ------------------------------------------------------------------------------------- */

static bool check_config(const Openid *openid, GError **error) {
    if (may_reach(openid, openid->issuer) && !strpbrk(openid->issuer, "?#"))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "oidc.issuer must be an https URL without a query; plain http is for the "
                        "loopback, with oidc.allow_private.");
    return false;
}

Openid *openid_new(const OpenidConfig *config, GError **error) {
    NetClientConfig net = {.ca_bundle = config->ca_bundle};
    g_autoptr(Openid) openid = g_new0(Openid, 1);
    pthread_mutex_init(&openid->lock, NULL);
    openid->issuer = g_strdup(config->issuer);
    openid->client_id = g_strdup(config->client_id);
    openid->client_secret = config->client_secret ? secret_ref(config->client_secret) : NULL;
    openid->redirect_uri = g_strdup(config->redirect_uri);
    openid->allow_private = config->allow_private;
    openid->describing.waiting = g_ptr_array_new();
    openid->keying.waiting = g_ptr_array_new();
    if (!check_config(openid, error) || !(openid->client = net_client_new(&net, error)))
        return NULL;
    openid->started = pthread_create(&openid->thread, NULL, run, openid) == 0;
    if (!openid->started) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL, "no thread can be started");
        return NULL;
    }
    return g_steal_pointer(&openid);
}

const char *openid_issuer(const Openid *openid) {
    return openid->issuer;
}

void openid_stop(Openid *openid) {
    if (!openid)
        return;
    pthread_mutex_lock(&openid->lock);
    bool first = openid->started && !openid->closed;
    openid->closed = true;
    if (first)
        net_client_post(openid->client, stop, openid);
    pthread_mutex_unlock(&openid->lock);
    if (first)
        pthread_join(openid->thread, NULL);
}

void openid_free(Openid *openid) {
    if (!openid)
        return;
    openid_stop(openid);
    net_client_free(openid->client);
    g_ptr_array_unref(openid->describing.waiting);
    g_ptr_array_unref(openid->keying.waiting);
    json_free(openid->metadata);
    jose_keys_free(openid->keys);
    secret_free(openid->client_secret);
    g_free(openid->issuer);
    g_free(openid->client_id);
    g_free(openid->redirect_uri);
    pthread_mutex_destroy(&openid->lock);
    g_free(openid);
}
