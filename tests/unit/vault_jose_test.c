/* Signed tokens: which are believed, and every way in which one may not be. */
#include "base/error.h"
#include "base/secmem.h"
#include "base/text.h"
#include "vault/id_token.h"
#include "vault/jose.h"

#include <cjose/cjose.h>
#include <string.h>

#define NOW 1700000000000
#define ISSUER "https://id.example"
#define CLIENT "assay"

/* --- whoever signs ---------------------------------------------------------------------------- */

typedef struct {
    cjose_jwk_t *rsa;
    cjose_jwk_t *other; /* RSA, in no set */
    cjose_jwk_t *curve;
    cjose_jwk_t *wide; /* P-384 */
} Signers;

static Signers signers;

static cjose_jwk_t *named(cjose_jwk_t *key, const char *id) {
    cjose_err fault;
    g_assert_nonnull(key);
    g_assert_true(cjose_jwk_set_kid(key, id, strlen(id), &fault));
    return key;
}

static void make_signers(void) {
    static const uint8_t exponent[] = {1, 0, 1};
    cjose_err fault;
    signers.rsa = named(cjose_jwk_create_RSA_random(2048, exponent, 3, &fault), "rsa");
    signers.other = named(cjose_jwk_create_RSA_random(2048, exponent, 3, &fault), "rsa");
    signers.curve = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &fault), "curve");
    signers.wide = named(cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_384, &fault), "wide");
}

/* The public key as its owner publishes it; members are added to it. */
static Json *published(const cjose_jwk_t *key, const char *members) {
    cjose_err fault;
    g_autoptr(GError) error = NULL;
    char *text = cjose_jwk_to_json(key, false, &fault);
    g_assert_nonnull(text);
    Json *json = json_parse(text, strlen(text), JOSE_KEYS_MAX, &error);
    g_assert_no_error(error);
    cjose_get_dealloc()(text);
    g_autoptr(Json) more = json_parse(members, strlen(members), JOSE_KEYS_MAX, &error);
    void *iterator = NULL;
    const char *name;
    Json *value;
    g_assert_no_error(error);
    while (json_next(more, &iterator, &name, &value))
        json_put(json, name, json_ref(value));
    return json;
}

/* Takes the keys; ends in NULL. */
static JoseKeys *set_of(Json *first, ...) {
    g_autoptr(Json) set = json_new_object();
    g_autoptr(GError) error = NULL;
    Json *list = json_new_array();
    va_list more;
    va_start(more, first);
    for (Json *key = first; key; key = va_arg(more, Json *))
        json_add(list, key);
    va_end(more);
    json_put(set, "keys", list);
    g_autofree char *text = json_print(set, JSON_COMPACT);
    JoseKeys *keys = jose_keys_parse(text, strlen(text), &error);
    g_assert_no_error(error);
    return keys;
}

static JoseKeys *usual_keys(void) {
    return set_of(published(signers.rsa, "{\"use\":\"sig\",\"alg\":\"RS256\"}"),
                  published(signers.curve, "{}"), NULL);
}

static char *sign(const cjose_jwk_t *key, const char *algorithm, const char *id,
                  const char *claims) {
    cjose_err fault;
    cjose_header_t *header = cjose_header_new(&fault);
    g_assert_true(cjose_header_set(header, CJOSE_HDR_ALG, algorithm, &fault));
    if (id)
        g_assert_true(cjose_header_set(header, CJOSE_HDR_KID, id, &fault));
    cjose_jws_t *jws = cjose_jws_sign(key, header, (const uint8_t *)claims, strlen(claims), &fault);
    const char *text = NULL;
    g_assert_nonnull(jws);
    g_assert_true(cjose_jws_export(jws, &text, &fault));
    char *token = g_strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

/* Header and claims as they are, with a signature of these bytes. */
static char *forge(const char *header, const char *claims, const char *signature) {
    g_autofree char *first = text_base64url(header, strlen(header));
    g_autofree char *second = text_base64url(claims, strlen(claims));
    g_autofree char *third = text_base64url(signature, strlen(signature));
    return g_strjoin(".", first, second, third, NULL);
}

static void assert_verdict(const JoseKeys *keys, const char *token, JoseVerdict expected) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) claims = NULL;
    JoseVerdict verdict = jose_verify(keys, token, &claims, &error);
    g_assert_cmpint(verdict, ==, expected);
    if (expected == JOSE_VALID) {
        g_assert_no_error(error);
        g_assert_cmpstr(json_member_string(claims, "sub", NULL), ==, "ada");
        return;
    }
    g_assert_null(claims);
    g_assert_error(error, ASSAY_ERROR, (int)ERROR_AUTHENTICATION_FAILED);
    g_assert_null(strstr(error->message, "ada"));
}

/* --- signatures ------------------------------------------------------------------------------- */

#define ADA "{\"sub\":\"ada\"}"

static void the_three_algorithms_are_verified(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autoptr(JoseKeys) any = set_of(published(signers.rsa, "{}"), NULL);
    g_autofree char *rs = sign(signers.rsa, "RS256", "rsa", ADA);
    g_autofree char *ps = sign(signers.rsa, "PS256", "rsa", ADA);
    g_autofree char *es = sign(signers.curve, "ES256", "curve", ADA);
    assert_verdict(keys, rs, JOSE_VALID);
    assert_verdict(keys, es, JOSE_VALID);
    assert_verdict(any, ps, JOSE_VALID);
}

static void a_key_is_used_with_the_algorithm_it_is_for_only(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autofree char *ps = sign(signers.rsa, "PS256", "rsa", ADA);
    g_autofree char *rs = sign(signers.rsa, "RS256", "curve", ADA);
    assert_verdict(keys, ps, JOSE_INVALID);
    assert_verdict(keys, rs, JOSE_INVALID);
}

static void no_signature_and_shared_secrets_are_refused(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    static const char *const headers[] = {
        "{\"alg\":\"none\"}",
        "{\"alg\":\"None\",\"kid\":\"rsa\"}",
        "{\"alg\":\"HS256\",\"kid\":\"rsa\"}",
        "{\"alg\":\"RS512\",\"kid\":\"rsa\"}",
        "{\"alg\":\"rs256\",\"kid\":\"rsa\"}",
        "{\"alg\":[\"RS256\"],\"kid\":\"rsa\"}",
        "{\"kid\":\"rsa\"}",
        "{}",
        "[]",
        "null",
        "",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(headers); i++) {
        g_autofree char *token = forge(headers[i], ADA, i % 2 ? "" : "signature");
        assert_verdict(keys, token, JOSE_INVALID);
    }
}

static void a_public_key_is_no_shared_secret(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autoptr(Json) json = published(signers.rsa, "{}");
    const char *modulus = json_member_string(json, "n", "");
    cjose_err fault;
    cjose_jwk_t *secret =
        cjose_jwk_create_oct_spec((const uint8_t *)modulus, strlen(modulus), &fault);
    g_autofree char *token = sign(secret, "HS256", "rsa", ADA);
    assert_verdict(keys, token, JOSE_INVALID);
    cjose_jwk_release(secret);
}

static void somebody_elses_signature_is_refused(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autofree char *token = sign(signers.other, "RS256", "rsa", ADA);
    assert_verdict(keys, token, JOSE_INVALID);
}

static void any_changed_character_is_noticed(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autofree char *token = sign(signers.curve, "ES256", "curve", ADA);
    for (size_t i = 0; token[i]; i++) {
        g_autofree char *changed = g_strdup(token);
        g_autoptr(GError) error = NULL;
        g_autoptr(Json) claims = NULL;
        /* The last character of a part has bits that do not count. */
        if (token[i] == '.' || token[i + 1] == '.' || token[i + 1] == '\0')
            continue;
        changed[i] = token[i] == 'A' ? 'Q' : 'A';
        g_assert_cmpint(jose_verify(keys, changed, &claims, &error), !=, JOSE_VALID);
        g_assert_nonnull(error);
    }
}

static void a_cut_token_is_refused_wherever_it_is_cut(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autofree char *token = sign(signers.rsa, "RS256", "rsa", ADA);
    for (size_t i = 0; i + 1 < strlen(token); i++) {
        g_autofree char *cut = g_strndup(token, i);
        assert_verdict(keys, cut, JOSE_INVALID);
    }
    g_autofree char *longer = g_strconcat(token, ".x", NULL);
    g_autofree char *huge = g_strnfill(JOSE_TOKEN_MAX + 1, 'a');
    assert_verdict(keys, longer, JOSE_INVALID);
    assert_verdict(keys, huge, JOSE_INVALID);
}

static void keys_and_extensions_within_a_token_count_for_nothing(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    g_autofree char *critical =
        forge("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"crit\":[\"b64\"],\"b64\":false}", ADA, "x");
    g_autofree char *typed =
        forge("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"typ\":\"logout+jwt\"}", ADA, "x");
    g_autoptr(Json) own = published(signers.other, "{}");
    g_autofree char *text = json_print(own, JSON_COMPACT);
    g_autofree char *header =
        g_strdup_printf("{\"alg\":\"RS256\",\"kid\":\"rsa\",\"jwk\":%s}", text);
    g_autofree char *with_key = forge(header, ADA, "x");
    assert_verdict(keys, critical, JOSE_INVALID);
    assert_verdict(keys, typed, JOSE_INVALID);
    assert_verdict(keys, with_key, JOSE_INVALID);
}

static void what_was_signed_must_be_an_object(void) {
    g_autoptr(JoseKeys) keys = usual_keys();
    static const char *const bodies[] = {"[]", "1", "nothing", "{\"sub\":\"ada\",\"sub\":\"eve\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(bodies); i++) {
        g_autofree char *token = sign(signers.rsa, "RS256", "rsa", bodies[i]);
        assert_verdict(keys, token, JOSE_INVALID);
    }
}

/* --- key sets --------------------------------------------------------------------------------- */

static void a_key_that_is_not_in_the_set_is_told_from_a_wrong_signature(void) {
    g_autoptr(JoseKeys) old = set_of(published(signers.rsa, "{}"), NULL);
    g_autoptr(JoseKeys) fresh = usual_keys();
    g_autofree char *token = sign(signers.curve, "ES256", "curve", ADA);
    assert_verdict(old, token, JOSE_UNKNOWN_KEY);
    assert_verdict(fresh, token, JOSE_VALID);
}

static void without_a_name_the_only_fitting_key_is_meant(void) {
    g_autoptr(JoseKeys) one = usual_keys();
    g_autoptr(JoseKeys) two =
        set_of(published(signers.rsa, "{}"), published(signers.other, "{\"kid\":\"2\"}"), NULL);
    g_autofree char *token = sign(signers.rsa, "RS256", NULL, ADA);
    assert_verdict(one, token, JOSE_VALID);
    assert_verdict(two, token, JOSE_INVALID);
}

static void keys_for_anything_else_are_left_out(void) {
    static const uint8_t exponent[] = {1, 0, 1};
    cjose_err fault;
    cjose_jwk_t *small = cjose_jwk_create_RSA_random(1024, exponent, 3, &fault);
    static const char *const members[] = {"{\"use\":\"enc\"}",
                                          "{\"alg\":\"RSA-OAEP\"}",
                                          "{\"key_ops\":[\"encrypt\"]}",
                                          "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",
                                          "{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}",
                                          "{\"n\":\"\"}",
                                          "{\"n\":\"?\"}"};
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        g_autoptr(JoseKeys) keys = set_of(published(signers.rsa, members[i]), NULL);
        g_assert_cmpuint(jose_keys_count(keys), ==, 0);
    }
    g_autoptr(JoseKeys) keys =
        set_of(published(small, "{}"), published(signers.wide, "{}"), json_new_int(1),
               published(signers.curve, "{\"key_ops\":[\"verify\"]}"), NULL);
    g_assert_cmpuint(jose_keys_count(keys), ==, 1);
    cjose_jwk_release(small);
}

static void what_is_no_key_set_is_refused(void) {
    static const char *const texts[] = {"", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[}", "<html>"};
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_null(jose_keys_parse(texts[i], strlen(texts[i]), &error));
        g_assert_error(error, ASSAY_ERROR, (int)ERROR_SERVICE_UNAVAILABLE);
    }
}

/* --- hashes ----------------------------------------------------------------------------------- */

static void the_challenge_is_that_of_the_specification(void) {
    g_autofree char *challenge = jose_challenge("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    g_assert_cmpstr(challenge, ==, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
}

static void at_hash_is_that_of_the_specification(void) {
    g_autofree char *hash =
        jose_half_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"); /* Core A.4 */
    g_assert_cmpstr(hash, ==, "77QmUPtjPfzWtF2AnpK9RQ");
}

/* --- what it says ----------------------------------------------------------------------------- */

#define CLAIMS                                                                                     \
    "{\"iss\":\"" ISSUER "\",\"aud\":\"" CLIENT                                                    \
    "\",\"sub\":\"ada\",\"nonce\":\"n\",\"exp\":1700000300,\"iat\":1700000000"

static bool passes(const char *more, const char *access_token, int64_t now_ms) {
    g_autofree char *text = g_strconcat("{\"x\":0", more, "}", NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(Json) claims = json_parse(CLAIMS "}", strlen(CLAIMS "}"), JOSE_TOKEN_MAX, &error);
    g_assert_no_error(error);
    g_autoptr(Json) changes = json_parse(text, strlen(text), JOSE_TOKEN_MAX, &error);
    g_assert_no_error(error);
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(changes, &iterator, &name, &value)) {
        if (json_kind(value) == JSON_KIND_NULL)
            json_remove(claims, name);
        else
            json_put(claims, name, json_ref(value));
    }
    IdTokenExpected expected = {.issuer = ISSUER,
                                .client_id = CLIENT,
                                .nonce = "n",
                                .access_token = access_token,
                                .now_ms = now_ms};
    bool ok = id_token_check(claims, &expected, &error);
    if (!ok)
        g_assert_error(error, ASSAY_ERROR, (int)ERROR_AUTHENTICATION_FAILED);
    return ok;
}

static void a_right_token_proves_who_it_is(void) {
    g_assert_true(passes("", NULL, NOW));
    g_assert_true(passes(",\"aud\":[\"" CLIENT "\"],\"azp\":\"" CLIENT "\"", NULL, NOW));
    g_assert_true(passes(",\"exp\":1700000300.5", NULL, NOW));
}

static void every_rule_is_kept(void) {
    static const char *const broken[] = {
        ",\"iss\":\"https://id.example/\"",
        ",\"iss\":null",
        ",\"aud\":\"another\"",
        ",\"aud\":null",
        ",\"aud\":[]",
        ",\"aud\":{}",
        ",\"aud\":[\"" CLIENT "\",\"another\"]",
        ",\"aud\":[\"" CLIENT "\",1]",
        ",\"azp\":\"another\"",
        ",\"azp\":1",
        ",\"nonce\":\"another\"",
        ",\"nonce\":null",
        ",\"exp\":null",
        ",\"exp\":\"1700000300\"",
        ",\"exp\":-1",
        ",\"exp\":1e300",
        ",\"iat\":null",
        ",\"iat\":1700000100",
        ",\"iat\":1699990000",
        ",\"nbf\":1700000100",
        ",\"nbf\":\"soon\"",
        ",\"sub\":\"\"",
        ",\"sub\":null",
        ",\"sub\":7",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(broken); i++)
        if (passes(broken[i], NULL, NOW))
            g_error("this should not pass: %s", broken[i]);
}

static void a_token_is_over_at_its_time_and_the_skew_of_clocks(void) {
    g_assert_true(passes("", NULL, 1700000300000 + ID_TOKEN_SKEW_MS - 1));
    g_assert_false(passes("", NULL, 1700000300000 + ID_TOKEN_SKEW_MS));
    g_assert_true(passes("", NULL, NOW - ID_TOKEN_SKEW_MS));
    g_assert_false(passes("", NULL, NOW - ID_TOKEN_SKEW_MS - 1));
}

static void the_access_token_must_be_the_one_it_was_made_with(void) {
    g_autofree char *hash = jose_half_hash("access");
    g_autofree char *with = g_strdup_printf(",\"at_hash\":\"%s\"", hash);
    g_assert_true(passes(with, "access", NOW));
    g_assert_false(passes(with, "another", NOW));
    g_assert_false(passes(with, NULL, NOW));
    g_assert_true(passes("", "access", NOW));
    g_assert_false(passes(",\"at_hash\":1", "access", NOW));
}

int main(int argc, char **argv) {
    g_autoptr(GError) error = NULL;
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(&error));
    make_signers();
#define ADD(name) g_test_add_func("/vault/jose/" #name, name)
    ADD(the_three_algorithms_are_verified);
    ADD(a_key_is_used_with_the_algorithm_it_is_for_only);
    ADD(no_signature_and_shared_secrets_are_refused);
    ADD(a_public_key_is_no_shared_secret);
    ADD(somebody_elses_signature_is_refused);
    ADD(any_changed_character_is_noticed);
    ADD(a_cut_token_is_refused_wherever_it_is_cut);
    ADD(keys_and_extensions_within_a_token_count_for_nothing);
    ADD(what_was_signed_must_be_an_object);
    ADD(a_key_that_is_not_in_the_set_is_told_from_a_wrong_signature);
    ADD(without_a_name_the_only_fitting_key_is_meant);
    ADD(keys_for_anything_else_are_left_out);
    ADD(what_is_no_key_set_is_refused);
    ADD(the_challenge_is_that_of_the_specification);
    ADD(at_hash_is_that_of_the_specification);
    ADD(a_right_token_proves_who_it_is);
    ADD(every_rule_is_kept);
    ADD(a_token_is_over_at_its_time_and_the_skew_of_clocks);
    ADD(the_access_token_must_be_the_one_it_was_made_with);
    int status = g_test_run();
    cjose_jwk_release(signers.rsa);
    cjose_jwk_release(signers.other);
    cjose_jwk_release(signers.curve);
    cjose_jwk_release(signers.wide);
    return status;
}
