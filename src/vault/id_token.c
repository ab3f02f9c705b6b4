#include "vault/id_token.h"

#include "base/error.h"
#include "base/secmem.h"
#include "vault/jose.h"

#include <string.h>

#define SECOND_MS 1000
#define SECONDS_MAX (INT64_MAX / SECOND_MS / 2)

typedef bool (*Rule)(const Json *claims, const IdTokenExpected *expected);

static bool is_text(const Json *claims, const char *name, const char *wanted) {
    const char *text = json_member_string(claims, name, NULL);
    return text && secmem_equal(text, strlen(text), wanted, strlen(wanted));
}

/* A time in milliseconds; false when it is none. */
static bool read_time(const Json *claims, const char *name, int64_t *ms_out) {
    double seconds = json_member_real(claims, name, -1);
    if (!(seconds > 0) || seconds > (double)SECONDS_MAX)
        return false;
    *ms_out = (int64_t)seconds * SECOND_MS;
    return true;
}

static bool is_of_issuer(const Json *claims, const IdTokenExpected *expected) {
    return is_text(claims, "iss", expected->issuer);
}

/* For this client and for nobody else: others are not known here, and so not trusted. */
static bool is_for_client(const Json *claims, const IdTokenExpected *expected) {
    const Json *audience = json_member(claims, "aud");
    if (json_text(audience))
        return is_text(claims, "aud", expected->client_id);
    for (size_t i = 0; i < json_count(audience); i++)
        if (g_strcmp0(json_text(json_item(audience, i)), expected->client_id) != 0)
            return false;
    return audience && json_kind(audience) == JSON_KIND_ARRAY && json_count(audience) > 0;
}

static bool is_authorized_party(const Json *claims, const IdTokenExpected *expected) {
    return !json_member(claims, "azp") || is_text(claims, "azp", expected->client_id);
}

static bool is_not_over(const Json *claims, const IdTokenExpected *expected) {
    int64_t ends = 0;
    return read_time(claims, "exp", &ends) && expected->now_ms < ends + ID_TOKEN_SKEW_MS;
}

static bool is_fresh(const Json *claims, const IdTokenExpected *expected) {
    int64_t issued = 0;
    return read_time(claims, "iat", &issued) && issued <= expected->now_ms + ID_TOKEN_SKEW_MS &&
           issued >= expected->now_ms - ID_TOKEN_AGE_MS - ID_TOKEN_SKEW_MS;
}

static bool has_begun(const Json *claims, const IdTokenExpected *expected) {
    int64_t begins = 0;
    return !json_member(claims, "nbf") ||
           (read_time(claims, "nbf", &begins) && begins <= expected->now_ms + ID_TOKEN_SKEW_MS);
}

static bool is_of_this_login(const Json *claims, const IdTokenExpected *expected) {
    return is_text(claims, "nonce", expected->nonce);
}

static bool is_with_access_token(const Json *claims, const IdTokenExpected *expected) {
    if (!json_member(claims, "at_hash") || !expected->access_token)
        return !json_member(claims, "at_hash");
    g_autofree char *hash = jose_half_hash(expected->access_token);
    return is_text(claims, "at_hash", hash);
}

static bool names_somebody(const Json *claims, const IdTokenExpected *expected) {
    const char *subject = json_member_string(claims, "sub", "");
    (void)expected;
    return *subject != '\0' && strlen(subject) <= ID_TOKEN_SUBJECT_MAX;
}

bool id_token_check(const Json *claims, const IdTokenExpected *expected, GError **error) {
    static const struct {
        Rule holds;
        const char *broken;
    } rules[] = {
        {is_of_issuer, "is of another issuer"},
        {is_for_client, "is for another client"},
        {is_authorized_party, "was asked for by another client"},
        {is_not_over, "has expired"},
        {is_fresh, "was not issued just now; see whether the clocks are right"},
        {has_begun, "is not valid yet"},
        {is_of_this_login, "belongs to another login"},
        {is_with_access_token, "came with the access token of another"},
        {names_somebody, "names nobody"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (rules[i].holds(claims, expected))
            continue;
        g_set_error(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                    "The token of the identity provider %s.", rules[i].broken);
        return false;
    }
    return true;
}
