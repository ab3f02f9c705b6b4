#include "cli/remote.h"

#include "base/clock.h"
#include "base/text.h"
#include "cli/prompt.h"
#include "cli/secret_source.h"
#include "net/client.h"
#include "net/url.h"

#include <string.h>
#include <unistd.h>

#define SERVER "ASSAY_SERVER"
#define TOKEN "ASSAY_TOKEN"
#define AUTHORITY "ASSAY_CA_FILE"

/* Longer than the server lets a request wait (25 s). */
#define TIMEOUT_MS 60000
#define LARGE_TIMEOUT_MS (15LL * 60 * 1000)
#define REPLY_MAX (64U * 1024 * 1024)
#define LARGE_MAX (1024U * 1024 * 1024)
#define LOOK_MS 500

struct Remote {
    char *origin;
    bool loopback;
    const char *organization; /* borrowed; NULL: the token's only one */
    Secret *token;
    NetClient *client;
};

/* --- where, and who --------------------------------------------------------------------------- */

static const char *environment(const char *name) {
    const char *value = g_getenv(name);
    return value && *value != '\0' ? value : NULL;
}

static const char *named(const Arguments *arguments, const char *option, const char *variable) {
    const char *given = arguments_text(arguments, option);
    return given ? given : environment(variable);
}

bool remote_is_wanted(const Arguments *arguments) {
    return named(arguments, "server", SERVER) != NULL;
}

bool remote_is_named(const char *const *vector) {
    return arguments_has_flag(vector, "server") || environment(SERVER);
}

static bool read_address(Remote *remote, const char *text, GError **error) {
    static const char *const loopback[] = {"localhost", "127.0.0.1", "::1", NULL};
    Url url;
    if (!url_parse(text, &url, error)) {
        g_prefix_error(error, "--server: ");
        (*error)->code = ERROR_USAGE;
        return false;
    }
    remote->loopback = url_host_allowed(&url, loopback);
    if (!url.tls && !remote->loopback) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--server wants an https address: over plain http everybody on the way "
                            "could read the token (on this machine itself http is fine)");
        return false;
    }
    if (url.path.length > 1 || url.query.at) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--server wants the server's address alone, such as "
                            "https://assay.example.com");
        return false;
    }
    remote->origin = url_origin(&url);
    return true;
}

static Secret *find_token(const Arguments *arguments, GError **error) {
    const char *source = arguments_text(arguments, "token");
    g_autoptr(GError) failure = NULL;
    if (source && !secret_source_is_safe(source)) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--token: a token is not taken as an argument, where others can see "
                            "it; give @FILE, env:VARIABLE or - (standard input), or set " TOKEN);
        return NULL;
    }
    if (source) {
        SecretArgument argument = {.source = source, .option = "--token"};
        return secret_source_read(&argument, STDIN_FILENO, error);
    }
    Secret *token = secret_from_environment(TOKEN, &failure);
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return NULL;
    }
    if (token || prompt_possible(&prompt_standard))
        return token ? token : prompt_secret(&prompt_standard, "Token: ", error);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "the server wants a token: set " TOKEN ", or give --token @FILE; "
                        "`assay tokens create` makes one");
    return NULL;
}

/* A line break would begin another header. */
static bool check_token(const Secret *token, GError **error) {
    const unsigned char *bytes = secret_bytes(token);
    for (size_t i = 0; i < secret_size(token); i++)
        if (bytes[i] <= ' ' || bytes[i] >= 0x7f) {
            g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                                "the token holds a blank or another character that no token has");
            return false;
        }
    return true;
}

Remote *remote_open(const Arguments *arguments, GError **error) {
    g_autoptr(Remote) remote = g_new0(Remote, 1);
    NetClientConfig config = {.ca_bundle = environment(AUTHORITY)};
    remote->organization = arguments_text(arguments, "organization");
    if (!read_address(remote, named(arguments, "server", SERVER), error))
        return NULL;
    remote->token = find_token(arguments, error);
    if (!remote->token || !check_token(remote->token, error))
        return NULL;
    remote->client = net_client_new(&config, error);
    return remote->client ? g_steal_pointer(&remote) : NULL;
}

void remote_free(Remote *remote) {
    if (!remote)
        return;
    net_client_free(remote->client);
    secret_free(remote->token);
    g_free(remote->origin);
    g_free(remote);
}

const char *remote_address(const Remote *remote) {
    return remote->origin;
}

void remote_enter(Remote *remote, const char *organization) {
    remote->organization = organization;
}

/* --- addresses -------------------------------------------------------------------------------- */

char *remote_path(const char *pattern, const char *value) {
    g_autofree char *encoded = text_percent_encode(value, strlen(value));
    g_auto(GStrv) around = g_strsplit_set(pattern, "{}", 3);
    return g_strconcat(around[0], encoded, around[2], NULL);
}

static char *address_of(const Remote *remote, const char *path, const RemoteField *query) {
    GString *address = g_string_new(remote->origin);
    char separator = '?';
    g_string_append(address, path);
    for (const RemoteField *field = query; field && field->name; field++) {
        if (!field->value)
            continue;
        g_autofree char *value = text_percent_encode(field->value, strlen(field->value));
        g_string_append_printf(address, "%c%s=%s", separator, field->name, value);
        separator = '&';
    }
    return g_string_free(address, FALSE);
}

/* --- errors ----------------------------------------------------------------------------------- */

static const struct {
    int status;
    ErrorCode code;
} codes[] = {
    {404, ERROR_NOT_FOUND}, {409, ERROR_CONFLICT}, {412, ERROR_CONFLICT},
    {413, ERROR_LIMIT},     {500, ERROR_INTERNAL},
};

/* 404 and 409 carry the code of a wrong request to programs; here they are what they say. */
static ErrorCode code_of(int status, const Json *problem) {
    for (size_t i = 0; i < G_N_ELEMENTS(codes); i++)
        if (codes[i].status == status)
            return codes[i].code;
    const char *name = json_member_string(problem, "code", NULL);
    return name ? error_code_from_name(name) : ERROR_SERVICE_UNAVAILABLE;
}

static void append_wrongs(GString *text, const Json *wrongs) {
    for (size_t i = 0; i < json_count(wrongs); i++) {
        const Json *wrong = json_item(wrongs, i);
        g_string_append_printf(text, "%s%s: %s", i == 0 ? " (" : "; ",
                               json_member_string(wrong, "pointer", ""),
                               json_member_string(wrong, "detail", ""));
    }
    if (json_count(wrongs) > 0)
        g_string_append_c(text, ')');
}

static void set_problem(const Remote *remote, const NetResponse *response, GError **error) {
    g_autoptr(Json) problem = json_parse(response->body, response->body_size, NET_MAX_BODY, NULL);
    const char *detail = json_member_string(problem, "detail", NULL);
    if (!detail) {
        g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                    "%s answered with status %d, and not as Assay does; is this its address?",
                    remote->origin, response->status);
        return;
    }
    g_autoptr(GString) text = g_string_new(detail);
    append_wrongs(text, json_member(problem, "errors"));
    g_set_error(error, ASSAY_ERROR, (int)code_of(response->status, problem), "%s", text->str);
}

/* --- one exchange ----------------------------------------------------------------------------- */

typedef struct {
    Remote *remote;
    bool over;
    int status;
    char *body;
    size_t size;
    GError *error;
} Exchange;

static bool authorize(NetRequest *request, NetHeaders *extra, unsigned attempt, GError **error) {
    const Exchange *exchange = request->data;
    const Secret *token = exchange->remote->token;
    size_t size = secret_size(token) + sizeof "Bearer ";
    char *value = g_malloc(size);
    (void)attempt;
    g_snprintf(value, size, "Bearer %s", secret_text(token));
    bool ok = net_headers_add(extra, "Authorization", value, error);
    secmem_wipe(value, size);
    g_free(value);
    return ok;
}

static void arrived(NetResult *result, void *data) {
    Exchange *exchange = data;
    exchange->over = true;
    exchange->status = result->response.status;
    if (result->error)
        exchange->error = g_steal_pointer(&result->error);
    else if (exchange->status < 200 || exchange->status > 299)
        set_problem(exchange->remote, &result->response, &exchange->error);
    else
        exchange->body = net_result_take_body(result, &exchange->size);
}

static bool is_over(void *data) {
    return ((const Exchange *)data)->over;
}

static NetRequest *request_to(Exchange *exchange, const char *method, const char *url,
                              GError **error) {
    const Remote *remote = exchange->remote;
    g_autoptr(NetRequest) request = net_request_new(method, url);
    request->once = strcmp(method, "GET") != 0;
    request->allow_private = true; /* whoever types the address may reach it anyhow */
    request->secret = true;
    request->total_timeout_ms = TIMEOUT_MS;
    request->max_body = REPLY_MAX;
    request->prepare = authorize;
    request->done = arrived;
    request->data = exchange;
    if (!net_headers_set(request->headers, "Accept", "application/json", error) ||
        (remote->organization &&
         !net_headers_set(request->headers, "X-Assay-Organization", remote->organization, error)))
        return NULL;
    return g_steal_pointer(&request);
}

/* Sends the request, and gives the body of the answer. */
static char *exchange_run(Exchange *exchange, NetRequest *request, size_t *size_out,
                          GError **error) {
    NetClient *client = exchange->remote->client;
    (void)net_client_send(client, request);
    if (!net_client_run_until(client, is_over, exchange, error))
        return NULL;
    if (exchange->error) {
        g_propagate_error(error, exchange->error);
        return NULL;
    }
    *size_out = exchange->size;
    return exchange->body;
}

static Json *reply_of(const Remote *remote, char *body, size_t size, GError **error) {
    g_autoptr(GError) failure = NULL;
    if (!body)
        return NULL;
    Json *json = size == 0 ? json_new_object() : json_parse(body, size, REPLY_MAX, &failure);
    secmem_wipe(body, size);
    g_free(body);
    if (!json)
        g_set_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                    "%s did not answer with JSON; is this the address of an Assay?",
                    remote->origin);
    return json;
}

/* --- reading ---------------------------------------------------------------------------------- */

char *remote_body(Remote *remote, const char *path, const RemoteField *query, size_t *size_out,
                  GError **error) {
    Exchange exchange = {.remote = remote};
    g_autofree char *url = address_of(remote, path, query);
    NetRequest *request = request_to(&exchange, "GET", url, error);
    if (!request)
        return NULL;
    request->total_timeout_ms = LARGE_TIMEOUT_MS;
    request->max_body = LARGE_MAX;
    return exchange_run(&exchange, request, size_out, error);
}

Json *remote_get(Remote *remote, const char *path, const RemoteField *query, GError **error) {
    Exchange exchange = {.remote = remote};
    size_t size = 0;
    g_autofree char *url = address_of(remote, path, query);
    NetRequest *request = request_to(&exchange, "GET", url, error);
    char *body = request ? exchange_run(&exchange, request, &size, error) : NULL;
    return reply_of(remote, body, size, error);
}

/* The query with a cursor behind it. */
static RemoteField *with_cursor(const RemoteField *query, const char *cursor) {
    GArray *fields = g_array_new(TRUE, FALSE, sizeof(RemoteField));
    for (const RemoteField *field = query; field && field->name; field++)
        g_array_append_val(fields, *field);
    RemoteField last = {"cursor", cursor};
    g_array_append_val(fields, last);
    return (RemoteField *)(void *)g_array_free(fields, FALSE);
}

Json *remote_list(Remote *remote, const char *path, const RemoteField *query, const char *member,
                  GError **error) {
    g_autoptr(Json) all = json_new_array();
    g_autofree char *cursor = NULL;
    do {
        g_autofree RemoteField *fields = with_cursor(query, cursor);
        g_autoptr(Json) page = remote_get(remote, path, fields, error);
        if (!page)
            return NULL;
        const Json *items = json_member(page, member);
        for (size_t i = 0; i < json_count(items); i++)
            json_add(all, json_ref(json_item(items, i)));
        g_free(cursor);
        cursor = g_strdup(json_member_string(page, "nextCursor", NULL));
    } while (cursor);
    return g_steal_pointer(&all);
}

/* --- changing --------------------------------------------------------------------------------- */

static Json *send_text(Remote *remote, const char *method, const char *path, const GString *text,
                       GError **error) {
    Exchange exchange = {.remote = remote};
    size_t size = 0;
    g_autofree char *url = address_of(remote, path, NULL);
    g_autoptr(NetRequest) request = request_to(&exchange, method, url, error);
    if (!request ||
        (text && !net_headers_set(request->headers, "Content-Type", "application/json", error)))
        return NULL;
    if (text)
        net_request_set_body(request, text->str, text->len);
    char *body = exchange_run(&exchange, g_steal_pointer(&request), &size, error);
    return reply_of(remote, body, size, error);
}

Json *remote_send(Remote *remote, const char *method, const char *path, const Json *body,
                  GError **error) {
    g_autoptr(GString) text = NULL;
    if (body) {
        g_autofree char *printed = json_print(body, JSON_COMPACT);
        text = g_string_new(printed);
    }
    return send_text(remote, method, path, text, error);
}

/* Room for every secret escaped, so that the text never moves and leaves nothing behind. */
static GString *body_with_secrets(const Json *body, const char *under,
                                  const RemoteSecret *secrets) {
    g_autofree char *printed = json_print(body, JSON_COMPACT);
    size_t room = strlen(printed) + 64;
    const char *separator = json_count(body) > 0 ? "," : "";
    for (const RemoteSecret *secret = secrets; secret->name; secret++)
        room += 6 * (strlen(secret->name) + secret_size(secret->value)) + 8;
    GString *text = g_string_sized_new(room);
    g_string_append_len(text, printed, (gssize)strlen(printed) - 1);
    if (under) {
        g_string_append_printf(text, "%s\"%s\":{", separator, under);
        separator = "";
    }
    for (const RemoteSecret *secret = secrets; secret->name; secret++) {
        g_string_append(text, separator);
        json_append_quoted(text, secret->name, strlen(secret->name));
        g_string_append_c(text, ':');
        json_append_quoted(text, secret_text(secret->value), secret_size(secret->value));
        separator = ",";
    }
    return g_string_append(text, under ? "}}" : "}");
}

Json *remote_send_secrets(Remote *remote, const char *method, const char *path, const Json *body,
                          const char *under, const RemoteSecret *secrets, GError **error) {
    GString *text = body_with_secrets(body, under, secrets);
    Json *reply = send_text(remote, method, path, text, error);
    secmem_wipe(text->str, text->len);
    g_string_free(text, TRUE);
    return reply;
}

/* --- what commands share ---------------------------------------------------------------------- */

static bool goes_on(const Json *job) {
    const char *status = json_member_string(job, "status", "");
    return strcmp(status, "pending") == 0 || strcmp(status, "running") == 0;
}

static void wake(void *data) {
    *(bool *)data = true;
}

static bool is_awake(void *data) {
    return *(const bool *)data;
}

static bool pause_for(Remote *remote, int64_t delay_ms, GError **error) {
    bool awake = false;
    net_client_after(remote->client, delay_ms, wake, &awake);
    return net_client_run_until(remote->client, is_awake, &awake, error);
}

Json *remote_wait(Remote *remote, const char *job_id, RemoteProgress progress, void *data,
                  GError **error) {
    g_autofree char *path = remote_path("/api/jobs/{id}", job_id);
    for (;;) {
        g_autoptr(Json) job = remote_get(remote, path, NULL, error);
        if (!job || !goes_on(job))
            return g_steal_pointer(&job);
        const Json *report = json_member(job, "progress");
        if (progress && json_kind(report) == JSON_KIND_OBJECT)
            progress(report, data);
        if (!pause_for(remote, LOOK_MS, error))
            return NULL;
    }
}

Json *remote_integration(Remote *remote, const char *id_or_name, GError **error) {
    g_autofree char *path = remote_path("/api/integrations/{id}", id_or_name);
    g_autoptr(GError) failure = NULL;
    Json *integration = remote_get(remote, path, NULL, &failure);
    if (!integration && error_code_of(failure) == ERROR_NOT_FOUND)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no integration \"%s\"; `assay integrations` lists those there are",
                    id_or_name);
    else if (!integration)
        g_propagate_error(error, g_steal_pointer(&failure));
    return integration;
}
