#include "connect/bearer.h"

#include "base/error.h"

/* The state is the token, borrowed from the credentials. */

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

static bool authorize(void *state, const AuthorizerAttempt *attempt, NetHeaders *extra,
                      AuthorizerStamp *stamp, GError **error) {
    (void)attempt;
    (void)stamp;
    const Secret *token = state;
    size_t size = secret_size(token) + sizeof "Bearer ";
    char *value = g_malloc(size);
    g_snprintf(value, size, "Bearer %s", secret_text(token));
    bool ok = net_headers_add(extra, "Authorization", value, error);
    secmem_wipe(value, size);
    g_free(value);
    return ok;
}

static void forget(void *state) {
    (void)state;
}

static const AuthorizerMethods methods = {.authorize = authorize, .free = forget};

/* A line break would begin another header, and a NUL would cut the token short. */
bool bearer_new(const AuthorizerConfig *config, Authorizer **authorizer_out, GError **error) {
    const Secret *token = token_of(config->auth, config->credentials);
    const char *problem = NULL;
    if (!token || secret_size(token) == 0)
        problem = "the credential has no token";
    else if (!is_one_word(token))
        problem = "the token holds a blank, a line break or another character that no token has";
    if (problem) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s: %s; connect again",
                    config->definition->name, problem);
        return false;
    }
    *authorizer_out = authorizer_new(&methods, (void *)(uintptr_t)token);
    return true;
}
