#include "connect/exchange.h"

#include "base/error.h"
#include "base/json.h"

#include <string.h>

#define HEADERS_MAX (64 * 1024)

typedef struct {
    char *body; /* of the request, or NULL */
    int status;
    NetHeaders *headers;
    char *answer;
    size_t answer_size;
    bool used;
} Exchange;

struct Exchanges {
    GHashTable *by_request; /* "METHOD url" -> GPtrArray of Exchange */
};

static void exchange_free(void *data) {
    Exchange *exchange = data;
    g_free(exchange->body);
    net_headers_free(exchange->headers);
    g_free(exchange->answer);
    g_free(exchange);
}

Exchanges *exchanges_new(void) {
    Exchanges *exchanges = g_new0(Exchanges, 1);
    exchanges->by_request =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    return exchanges;
}

void exchanges_free(Exchanges *exchanges) {
    if (!exchanges)
        return;
    g_hash_table_unref(exchanges->by_request);
    g_free(exchanges);
}

static char *body_text(const Json *body, JsonPrint order) {
    if (!body || json_kind(body) == JSON_KIND_NULL)
        return g_strdup("");
    const char *text = json_text(body);
    return text ? g_strdup(text) : json_print(body, JSON_COMPACT | order);
}

static bool read_headers(const Json *json, NetHeaders *headers, GError **error) {
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(json, &iterator, &name, &value)) {
        const char *text = json_text(value);
        g_autofree char *number = text ? NULL : json_print(value, JSON_COMPACT);
        g_autofree char *lower = g_ascii_strdown(name, -1);
        if (!net_headers_add(headers, lower, text ? text : number, error))
            return false;
    }
    return true;
}

static bool add_exchange(Exchanges *exchanges, const Json *json, GError **error) {
    const Json *request = json_member(json, "request");
    const Json *response = json_member(json, "response");
    if (!request)
        return true;
    const char *url = json_member_string(request, "url", NULL);
    int64_t status = json_member_int(response, "status", 0);
    if (!url || status < 100 || status > 599) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "an exchange needs request.url and a response.status of 100 to 599");
        return false;
    }
    Exchange *exchange = g_new0(Exchange, 1);
    exchange->status = (int)status;
    exchange->headers = net_headers_new(HEADERS_MAX);
    exchange->answer = body_text(json_member(response, "body"), 0);
    exchange->answer_size = strlen(exchange->answer);
    if (json_member(request, "body"))
        exchange->body = body_text(json_member(request, "body"), JSON_SORTED);
    if (!read_headers(json_member(response, "headers"), exchange->headers, error)) {
        exchange_free(exchange);
        return false;
    }
    g_autofree char *key =
        g_strdup_printf("%s %s", json_member_string(request, "method", "GET"), url);
    GPtrArray *list = g_hash_table_lookup(exchanges->by_request, key);
    if (!list) {
        list = g_ptr_array_new_with_free_func(exchange_free);
        g_hash_table_insert(exchanges->by_request, g_steal_pointer(&key), list);
    }
    g_ptr_array_add(list, exchange);
    return true;
}

static bool is_blank(const char *line, size_t length) {
    for (size_t i = 0; i < length; i++)
        if (!g_ascii_isspace(line[i]))
            return false;
    return true;
}

bool exchanges_add(Exchanges *exchanges, const char *text, size_t size, GError **error) {
    if (size > EXCHANGES_MAX_SIZE) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "recorded exchanges of more than %d MiB",
                    EXCHANGES_MAX_SIZE / (1024 * 1024));
        return false;
    }
    const char *end = text + size;
    for (unsigned number = 1; text < end; number++) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = (size_t)((newline ? newline : end) - text);
        if (!is_blank(text, length)) {
            g_autoptr(Json) json = json_parse(text, length, EXCHANGES_MAX_SIZE, error);
            if (!json || !add_exchange(exchanges, json, error)) {
                g_prefix_error(error, "line %u: ", number);
                return false;
            }
        }
        text = newline ? newline + 1 : end;
    }
    return true;
}

bool exchanges_find(Exchanges *exchanges, const char *method, const char *url, const char *body,
                    ExchangeAnswer *answer_out) {
    g_autofree char *key = g_strdup_printf("%s %s", method, url);
    GPtrArray *list = g_hash_table_lookup(exchanges->by_request, key);
    Exchange *found = NULL;
    for (guint i = 0; list && i < list->len; i++) {
        Exchange *exchange = g_ptr_array_index(list, i);
        if (exchange->body && g_strcmp0(exchange->body, body) != 0)
            continue;
        found = exchange;
        if (!exchange->used)
            break;
    }
    if (!found)
        return false;
    found->used = true;
    *answer_out =
        (ExchangeAnswer){found->status, found->headers, found->answer, found->answer_size};
    return true;
}
