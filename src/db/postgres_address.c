#include "db/postgres_address.h"
#include <libpq-fe.h>
#include <string.h>

typedef struct {
    const char *name, *value;
} Setting;

/* For what the URL leaves out. A dead peer is given up after about a minute. */
static const Setting defaults[] = {
    {"application_name", "assay"}, {"client_encoding", "UTF8"},
    {"connect_timeout", "10"},     {"keepalives_idle", "30"},
    {"keepalives_interval", "10"}, {"keepalives_count", "3"},
    {"tcp_user_timeout", "60000"}, {"target_session_attrs", "read-write"},
};

static bool read_pool(const char *text, unsigned *pool_out, GError **error) {
    guint64 pool = 0;
    if (g_ascii_string_to_unsigned(text, 10, 1, POSTGRES_POOL_MAX, &pool, NULL)) {
        *pool_out = (unsigned)pool;
        return true;
    }
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "pool= in the database URL is a number of connections: 1 to %d", POSTGRES_POOL_MAX);
    return false;
}

/* The URL without pool=; NULL with the error set. */
static char *take_pool(const char *url, unsigned *pool_out, GError **error) {
    const char *query = strchr(url, '?');
    if (!query)
        return g_strdup(url);
    g_auto(GStrv) settings = g_strsplit(query + 1, "&", -1);
    GString *rest = g_string_new_len(NULL, 0);
    g_string_append_len(rest, url, query - url);
    char separator = '?';
    for (char **setting = settings; *setting; setting++) {
        if (g_str_has_prefix(*setting, "pool=")) {
            if (!read_pool(*setting + strlen("pool="), pool_out, error)) {
                g_string_free(rest, TRUE);
                return NULL;
            }
            continue;
        }
        g_string_append_printf(rest, "%c%s", separator, *setting);
        separator = '&';
    }
    return g_string_free(rest, FALSE);
}

static PQconninfoOption *find_option(PQconninfoOption *options, const char *name) {
    for (PQconninfoOption *option = options; option->keyword; option++) {
        if (strcmp(option->keyword, name) == 0)
            return option;
    }
    return NULL;
}

static const char *value_of(PQconninfoOption *options, const char *name) {
    const PQconninfoOption *option = find_option(options, name);
    return option && option->val && *option->val ? option->val : NULL;
}

/* A password with a bare "@", "/" or "?" ends up in these. */
static bool is_plausible(PQconninfoOption *options) {
    const char *host = value_of(options, "host");
    const char *name = value_of(options, "dbname");
    return !(host && strchr(host, '@')) && !(name && strpbrk(name, "@/:"));
}

static const char *default_for(const char *name) {
    for (size_t i = 0; i < G_N_ELEMENTS(defaults); i++) {
        if (strcmp(defaults[i].name, name) == 0)
            return defaults[i].value;
    }
    return NULL;
}

static PostgresAddress *from_options(PQconninfoOption *options) {
    GPtrArray *names = g_ptr_array_new();
    GPtrArray *values = g_ptr_array_new();
    for (PQconninfoOption *option = options; option->keyword; option++) {
        const char *value = option->val ? option->val : default_for(option->keyword);
        if (!value)
            continue;
        g_ptr_array_add(names, g_strdup(option->keyword));
        g_ptr_array_add(values, g_strdup(value));
    }
    g_ptr_array_add(names, NULL);
    g_ptr_array_add(values, NULL);
    const char *host = value_of(options, "host"), *name = value_of(options, "dbname");
    PostgresAddress *address = g_new0(PostgresAddress, 1);
    address->names = (char **)g_ptr_array_free(names, FALSE);
    address->values = (char **)g_ptr_array_free(values, FALSE);
    address->label = g_strdup_printf("%s of %s", name ? name : "the user's name",
                                     host ? host : "the default host");
    return address;
}

PostgresAddress *postgres_address_new(const char *url, GError **error) {
    unsigned pool = 0;
    g_autofree char *plain = take_pool(url, &pool, error);
    if (!plain)
        return NULL;
    char *said = NULL;
    PQconninfoOption *options = PQconninfoParse(plain, &said);
    PQfreemem(said);
    PostgresAddress *address = NULL;
    if (!options)
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "the database URL is malformed: write "
                            "postgres://USER:PASSWORD@HOST:PORT/NAME?SETTING=VALUE, with special "
                            "characters percent-encoded");
    else if (!is_plausible(options))
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                            "the database URL has a bare \"@\", \"/\" or \":\" where none can be: "
                            "percent-encode the special characters of user and password");
    else
        address = from_options(options);
    PQconninfoFree(options);
    if (address)
        address->pool = pool;
    return address;
}

void postgres_address_free(PostgresAddress *address) {
    if (!address)
        return;
    for (char **value = address->values; *value; value++)
        explicit_bzero(*value, strlen(*value));
    g_strfreev(address->names);
    g_strfreev(address->values);
    g_free(address->label);
    g_free(address);
}
