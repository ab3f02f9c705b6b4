#include "vault/jose.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

#include <cjose/cjose.h>
#include <string.h>

#define RSA_BYTES_MIN 256
#define KEYS_USED_MAX 64

typedef struct {
    const char *name;
    const char *type;  /* kty */
    const char *curve; /* crv; NULL: none */
} Algorithm;

static const Algorithm algorithms[] = {
    {"RS256", "RSA", NULL},
    {"PS256", "RSA", NULL},
    {"ES256", "EC", "P-256"},
};

typedef struct {
    char *id;              /* kid; NULL: none */
    char *algorithm;       /* alg; NULL: whatever fits its type */
    const Algorithm *kind; /* the first of the table for its type */
    cjose_jwk_t *key;
} Key;

struct JoseKeys {
    GPtrArray *keys;
};

static bool refuse(GError **error, const char *why) {
    g_set_error(error, ASSAY_ERROR, ERROR_AUTHENTICATION_FAILED,
                "The signed token cannot be trusted: %s.", why);
    return false;
}

/* --- keys ------------------------------------------------------------------------------------- */

static void key_free(void *data) {
    Key *key = data;
    g_free(key->id);
    g_free(key->algorithm);
    cjose_jwk_release(key->key);
    g_free(key);
}

void jose_keys_free(JoseKeys *keys) {
    if (!keys)
        return;
    g_ptr_array_unref(keys->keys);
    g_free(keys);
}

size_t jose_keys_count(const JoseKeys *keys) {
    return keys->keys->len;
}

static const Algorithm *algorithm_named(const char *name) {
    for (size_t i = 0; name && i < G_N_ELEMENTS(algorithms); i++)
        if (strcmp(algorithms[i].name, name) == 0)
            return &algorithms[i];
    return NULL;
}

static const Algorithm *algorithm_of_key(const Json *json) {
    const char *type = json_member_string(json, "kty", "");
    const char *curve = json_member_string(json, "crv", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(algorithms); i++)
        if (strcmp(algorithms[i].type, type) == 0 &&
            (!algorithms[i].curve || g_strcmp0(algorithms[i].curve, curve) == 0))
            return &algorithms[i];
    return NULL;
}

static bool is_long_enough(const Json *json) {
    const char *modulus = json_member_string(json, "n", NULL);
    g_autofree uint8_t *bytes = NULL;
    size_t size = 0;
    return !modulus ||
           (text_unbase64(modulus, strlen(modulus), &bytes, &size) && size >= RSA_BYTES_MIN);
}

static bool lists(const Json *array, const char *word) {
    for (size_t i = 0; i < json_count(array); i++)
        if (g_strcmp0(json_text(json_item(array, i)), word) == 0)
            return true;
    return false;
}

/* Whether its owner says that it is for signatures (RFC 7517 sections 4.2 to 4.4). */
static bool is_for_signatures(const Json *json) {
    const char *use = json_member_string(json, "use", NULL);
    const char *algorithm = json_member_string(json, "alg", NULL);
    const Json *operations = json_member(json, "key_ops");
    return (!use || strcmp(use, "sig") == 0) && (!operations || lists(operations, "verify")) &&
           (!algorithm || algorithm_named(algorithm));
}

static void take_key(JoseKeys *keys, const Json *json) {
    const Algorithm *fitting = algorithm_of_key(json);
    if (!fitting || !is_for_signatures(json) || !is_long_enough(json))
        return;
    g_autofree char *text = json_print(json, JSON_COMPACT);
    cjose_err fault;
    cjose_jwk_t *imported = cjose_jwk_import(text, strlen(text), &fault);
    if (!imported)
        return;
    Key *key = g_new0(Key, 1);
    key->id = g_strdup(json_member_string(json, "kid", NULL));
    key->algorithm = g_strdup(json_member_string(json, "alg", NULL));
    key->kind = fitting;
    key->key = imported;
    g_ptr_array_add(keys->keys, key);
}

JoseKeys *jose_keys_parse(const char *text, size_t size, GError **error) {
    g_autoptr(Json) json = json_parse(text, size, JOSE_KEYS_MAX, NULL);
    const Json *list = json_member(json, "keys");
    if (!list || json_kind(list) != JSON_KIND_ARRAY) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "What should be a set of keys (RFC 7517) is none.");
        return NULL;
    }
    JoseKeys *keys = g_new0(JoseKeys, 1);
    keys->keys = g_ptr_array_new_with_free_func(key_free);
    for (size_t i = 0; i < MIN(json_count(list), (size_t)KEYS_USED_MAX); i++)
        take_key(keys, json_item(list, i));
    return keys;
}

/* --- tokens ----------------------------------------------------------------------------------- */

/* The header: what stands before the first of exactly two dots. */
static Json *read_header(const char *token) {
    size_t length = strnlen(token, JOSE_TOKEN_MAX + 1);
    const char *dot = strchr(token, '.');
    const char *second = dot ? strchr(dot + 1, '.') : NULL;
    g_autofree uint8_t *bytes = NULL;
    size_t size = 0;
    if (length > JOSE_TOKEN_MAX || !second || strchr(second + 1, '.') ||
        !text_unbase64(token, (size_t)(dot - token), &bytes, &size))
        return NULL;
    return json_parse((const char *)bytes, size, JOSE_TOKEN_MAX, NULL);
}

static bool is_plain_token(const Json *header) {
    const char *type = json_member_string(header, "typ", "JWT");
    return !json_member(header, "crit") && !json_member(header, "b64") &&
           g_ascii_strcasecmp(type, "JWT") == 0;
}

static bool key_fits(const Key *key, const Algorithm *algorithm) {
    return strcmp(key->kind->type, algorithm->type) == 0 &&
           (!key->algorithm || strcmp(key->algorithm, algorithm->name) == 0);
}

/* The key that the header means; *known_out tells whether the set has one of that name at all. */
static const Key *find_key(const JoseKeys *keys, const Json *header, const Algorithm *algorithm,
                           bool *known_out) {
    const char *id = json_member_string(header, "kid", NULL);
    const Key *found = NULL;
    size_t fitting = 0;
    *known_out = false;
    for (guint i = 0; i < keys->keys->len; i++) {
        const Key *key = g_ptr_array_index(keys->keys, i);
        if (id && g_strcmp0(key->id, id) != 0)
            continue;
        *known_out = true;
        if (!key_fits(key, algorithm))
            continue;
        found = key;
        fitting++;
    }
    return fitting == 1 ? found : NULL;
}

static Json *open_token(const Key *key, const char *token) {
    cjose_err fault;
    cjose_jws_t *jws = cjose_jws_import(token, strlen(token), &fault);
    uint8_t *bytes = NULL;
    size_t size = 0;
    Json *claims = NULL;
    if (jws && cjose_jws_verify(jws, key->key, &fault) &&
        cjose_jws_get_plaintext(jws, &bytes, &size, &fault))
        claims = json_parse((const char *)bytes, size, JOSE_TOKEN_MAX, NULL);
    cjose_jws_release(jws);
    return claims;
}

JoseVerdict jose_verify(const JoseKeys *keys, const char *token, Json **claims_out,
                        GError **error) {
    g_autoptr(Json) header = read_header(token);
    const Algorithm *algorithm =
        header ? algorithm_named(json_member_string(header, "alg", NULL)) : NULL;
    bool known = false;
    if (!header || json_kind(header) != JSON_KIND_OBJECT || !is_plain_token(header)) {
        (void)refuse(error, "it is none that Assay reads");
        return JOSE_INVALID;
    }
    if (!algorithm) {
        (void)refuse(error, "it is not signed with RS256, PS256 or ES256");
        return JOSE_INVALID;
    }
    const Key *key = find_key(keys, header, algorithm, &known);
    if (!key) {
        (void)refuse(error, known ? "its key is not for this algorithm, or it is not said which"
                                  : "the key that it names is not among the published ones");
        return known ? JOSE_INVALID : JOSE_UNKNOWN_KEY;
    }
    g_autoptr(Json) claims = open_token(key, token);
    if (!claims || json_kind(claims) != JSON_KIND_OBJECT) {
        (void)refuse(error, "the signature is wrong");
        return JOSE_INVALID;
    }
    *claims_out = g_steal_pointer(&claims);
    return JOSE_VALID;
}

/* --- hashes ----------------------------------------------------------------------------------- */

char *jose_challenge(const char *verifier) {
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(verifier, strlen(verifier), hash);
    return text_base64url(hash, sizeof hash);
}

char *jose_half_hash(const char *text) {
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(text, strlen(text), hash);
    return text_base64url(hash, sizeof hash / 2);
}
