/* What is asked of an identity provider, how often, and what is not believed. The provider is a
 * script; a real one is in tests/system/sign_on_test.py. */
#include "unit/connect_support.h"
#include "unit/net_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "connect/openid.h"

#include <cjose/cjose.h>
#include <pthread.h>
#include <string.h>

#define NOW 1700000000000
#define CLIENT "assay"
#define STEPS_MAX 8

/* --- a provider ------------------------------------------------------------------------------- */

typedef struct {
    Peer *peer;
    char *issuer;
    PeerStep steps[STEPS_MAX];
    char *texts[STEPS_MAX];
    Openid *openid;
    cjose_jwk_t *keys[2];
    pthread_mutex_t lock;
    pthread_cond_t changed;
} World;

/* What one login was told. */
typedef struct {
    World *world;
    unsigned times;
    char *endpoint;
    char *subject;
    char *email;
    GError *error;
} Told;

static void told_clear(Told *told) {
    g_free(told->endpoint);
    g_free(told->subject);
    g_free(told->email);
    g_clear_error(&told->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Told, told_clear)

static void world_clear(World *world) {
    openid_free(world->openid);
    peer_free(world->peer);
    g_free(world->issuer);
    for (size_t i = 0; i < STEPS_MAX; i++)
        g_free(world->texts[i]);
    cjose_jwk_release(world->keys[0]);
    cjose_jwk_release(world->keys[1]);
    pthread_mutex_destroy(&world->lock);
    pthread_cond_destroy(&world->changed);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(World, world_clear)

static cjose_jwk_t *new_key(const char *id) {
    cjose_err fault;
    cjose_jwk_t *key = cjose_jwk_create_EC_random(CJOSE_JWK_EC_P_256, &fault);
    g_assert_true(cjose_jwk_set_kid(key, id, strlen(id), &fault));
    return key;
}

/* The n-th answer; before anything is asked. */
static void answers(World *world, unsigned n, const char *status, const char *body) {
    world->texts[n] = g_strdup_printf(
        "HTTP/1.1 %s\r\nConnection: close\r\nContent-Type: application/json\r\n\r\n%s", status,
        body);
    world->steps[n] = (PeerStep){.bytes = world->texts[n], .then = PEER_CLOSE};
}

static void describes(World *world, unsigned n, const char *issuer, const char *more) {
    g_autofree char *body = g_strdup_printf(
        "{\"issuer\":\"%s\",\"authorization_endpoint\":\"%s/auth\",\"token_endpoint\":\"%s/token\","
        "\"jwks_uri\":\"%s/keys\"%s}",
        issuer, world->issuer, world->issuer, world->issuer, more);
    answers(world, n, "200 OK", body);
}

static void publishes(World *world, unsigned n, unsigned count) {
    g_autoptr(GString) body = g_string_new("{\"keys\":[");
    for (unsigned i = 0; i < count; i++) {
        cjose_err fault;
        char *key = cjose_jwk_to_json(world->keys[i], false, &fault);
        g_string_append_printf(body, "%s%s", i > 0 ? "," : "", key);
        cjose_get_dealloc()(key);
    }
    g_string_append(body, "]}");
    answers(world, n, "200 OK", body->str);
}

static char *id_token(World *world, unsigned key, const char *nonce, const char *more) {
    g_autofree char *claims = g_strdup_printf(
        "{\"iss\":\"%s\",\"aud\":\"" CLIENT "\",\"sub\":\"ada\",\"nonce\":\"%s\","
        "\"exp\":%d,\"iat\":%d%s}",
        world->issuer, nonce, (int)(NOW / 1000 + 3600), (int)(NOW / 1000 + 60), more);
    cjose_err fault;
    cjose_header_t *header = cjose_header_new(&fault);
    g_assert_true(cjose_header_set(header, CJOSE_HDR_ALG, "ES256", &fault));
    g_assert_true(cjose_header_set(header, CJOSE_HDR_KID, key == 0 ? "one" : "two", &fault));
    cjose_jws_t *jws =
        cjose_jws_sign(world->keys[key], header, (const uint8_t *)claims, strlen(claims), &fault);
    const char *text = NULL;
    g_assert_true(cjose_jws_export(jws, &text, &fault));
    char *token = g_strdup(text);
    cjose_jws_release(jws);
    cjose_header_release(header);
    return token;
}

#define WITH_EMAIL ",\"email\":\"ada@example.com\",\"email_verified\":true"

static void gives(World *world, unsigned n, unsigned key, const char *nonce, const char *more) {
    g_autofree char *token = id_token(world, key, nonce, more);
    g_autofree char *body =
        g_strdup_printf("{\"id_token\":\"%s\",\"access_token\":\"Access-1\"}", token);
    answers(world, n, "200 OK", body);
}

static void world_init(World *world) {
    *world = (World){0};
    pthread_mutex_init(&world->lock, NULL);
    pthread_cond_init(&world->changed, NULL);
    clock_freeze(NOW);
    for (size_t i = 0; i < STEPS_MAX; i++)
        world->steps[i] = (PeerStep){.then = PEER_RESET};
    world->peer = peer_new(world->steps, STEPS_MAX);
    world->issuer = peer_url(world->peer, "");
    world->keys[0] = new_key("one");
    world->keys[1] = new_key("two");
    g_autoptr(Secret) secret = secret_of(PLANTED);
    OpenidConfig config = {.issuer = world->issuer,
                           .client_id = CLIENT,
                           .client_secret = secret,
                           .redirect_uri = "http://127.0.0.1/back",
                           .allow_private = true};
    must((world->openid = openid_new(&config, &error)) != NULL);
}

/* --- logins ----------------------------------------------------------------------------------- */

static void note(const OpenidAnswer *answer, void *data) {
    Told *told = data;
    World *world = told->world;
    pthread_mutex_lock(&world->lock);
    told->times++;
    told->error = answer->error ? g_error_copy(answer->error) : NULL;
    told->endpoint = g_strdup(answer->authorization_endpoint);
    told->subject = g_strdup(json_member_string(answer->claims, "sub", NULL));
    told->email = g_strdup(json_member_string(answer->claims, "email", NULL));
    pthread_cond_broadcast(&world->changed);
    pthread_mutex_unlock(&world->lock);
}

static void begin(World *world, const char *code, Told *told) {
    *told = (Told){.world = world};
    OpenidWish wish = {
        .code = code, .verifier = "Verifier-1", .nonce = "n", .told = note, .data = told};
    must(openid_ask(world->openid, &wish, &error));
}

static void wait_for(Told *told) {
    World *world = told->world;
    pthread_mutex_lock(&world->lock);
    while (told->times == 0)
        pthread_cond_wait(&world->changed, &world->lock);
    pthread_mutex_unlock(&world->lock);
    g_assert_cmpuint(told->times, ==, 1);
}

static void log_in(World *world, const char *code, Told *told) {
    begin(world, code, told);
    wait_for(told);
}

static void assert_is_ada(const Told *told) {
    g_assert_no_error(told->error);
    g_assert_cmpstr(told->subject, ==, "ada");
    g_assert_cmpstr(told->email, ==, "ada@example.com");
}

static void assert_refused(const Told *told, ErrorCode code, const char *part) {
    g_assert_error(told->error, ASSAY_ERROR, (int)code);
    assert_holds(told->error->message, part);
    assert_lacks(told->error->message, PLANTED);
    g_assert_null(told->subject);
    g_assert_null(told->endpoint);
}

/* --- what is asked ---------------------------------------------------------------------------- */

static void a_login_asks_for_description_token_and_keys_and_the_next_for_a_token_only(void) {
    g_auto(World) world;
    g_auto(Told) there = {0};
    g_auto(Told) first = {0};
    g_auto(Told) second = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    gives(&world, 1, 0, "n", WITH_EMAIL);
    publishes(&world, 2, 1);
    gives(&world, 3, 0, "n", WITH_EMAIL);
    log_in(&world, NULL, &there);
    g_autofree char *endpoint = g_strconcat(world.issuer, "/auth", NULL);
    g_assert_cmpstr(there.endpoint, ==, endpoint);
    log_in(&world, "Code-1", &first);
    log_in(&world, "Code-2", &second);
    assert_is_ada(&first);
    assert_is_ada(&second);
    g_assert_cmpuint(peer_requests(world.peer), ==, 4);
}

static void the_secret_goes_in_the_header_and_the_code_in_the_body(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    gives(&world, 1, 0, "n", WITH_EMAIL);
    publishes(&world, 2, 1);
    log_in(&world, "Code/1", &told);
    g_autofree char *request = peer_request(world.peer, 1);
    g_autofree char *basic =
        g_base64_encode((const guchar *)CLIENT ":" PLANTED, strlen(CLIENT ":" PLANTED));
    assert_holds(request, basic);
    assert_holds(request, "grant_type=authorization_code&code=Code%2F1&redirect_uri=");
    assert_holds(request, "code_verifier=Verifier-1");
    assert_lacks(request, PLANTED);
    assert_lacks(request, "client_id=");
}

static void many_who_begin_at_once_ask_for_one_description(void) {
    g_auto(World) world;
    Told told[20] = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++)
        begin(&world, NULL, &told[i]);
    for (size_t i = 0; i < G_N_ELEMENTS(told); i++) {
        wait_for(&told[i]);
        g_assert_no_error(told[i].error);
        told_clear(&told[i]);
    }
    g_assert_cmpuint(peer_requests(world.peer), ==, 1);
}

static void a_code_whose_answer_is_lost_is_not_sent_again(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    log_in(&world, "Code-1", &told);
    assert_refused(&told, ERROR_SERVICE_UNAVAILABLE, "try again");
    g_assert_cmpuint(peer_requests(world.peer), ==, 2);
}

static void userinfo_completes_what_the_token_leaves_out(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    g_autofree char *more = g_strdup_printf(",\"userinfo_endpoint\":\"%s/me\"", world.issuer);
    describes(&world, 0, world.issuer, more);
    gives(&world, 1, 0, "n", "");
    publishes(&world, 2, 1);
    answers(&world, 3, "200 OK", "{\"sub\":\"ada\"" WITH_EMAIL "}");
    log_in(&world, "Code-1", &told);
    assert_is_ada(&told);
    g_autofree char *request = peer_request(world.peer, 3);
    assert_holds(request, "Bearer Access-1");
}

/* --- keys ------------------------------------------------------------------------------------- */

static void a_new_key_is_looked_for_but_not_more_than_once_a_minute(void) {
    g_auto(World) world;
    g_auto(Told) first = {0};
    g_auto(Told) early = {0};
    g_auto(Told) later = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    gives(&world, 1, 0, "n", WITH_EMAIL);
    publishes(&world, 2, 1);
    gives(&world, 3, 1, "n", WITH_EMAIL);
    gives(&world, 4, 1, "n", WITH_EMAIL);
    publishes(&world, 5, 2);
    log_in(&world, "Code-1", &first);
    assert_is_ada(&first);
    log_in(&world, "Code-2", &early);
    assert_refused(&early, ERROR_AUTHENTICATION_FAILED, "published");
    g_assert_cmpuint(peer_requests(world.peer), ==, 4);
    clock_advance(OPENID_REFRESH_MS);
    log_in(&world, "Code-3", &later);
    assert_is_ada(&later);
    g_assert_cmpuint(peer_requests(world.peer), ==, 6);
}

static void what_is_kept_is_read_again_after_an_hour(void) {
    g_auto(World) world;
    g_auto(Told) first = {0};
    g_auto(Told) second = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    describes(&world, 1, world.issuer, "");
    log_in(&world, NULL, &first);
    clock_advance(OPENID_KEEP_MS);
    log_in(&world, NULL, &second);
    g_assert_no_error(second.error);
    g_assert_cmpuint(peer_requests(world.peer), ==, 2);
}

/* --- what is not believed --------------------------------------------------------------------- */

static void a_provider_of_another_name_gets_no_code(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    describes(&world, 0, "https://id.example", "");
    log_in(&world, "Code-1", &told);
    assert_refused(&told, ERROR_SERVICE_UNAVAILABLE, "oidc.issuer");
    g_assert_cmpuint(peer_requests(world.peer), ==, 1);
}

static void endpoints_without_tls_elsewhere_are_refused(void) {
    static const char *const more[] = {",\"userinfo_endpoint\":\"http://id.example/me\"",
                                       ",\"userinfo_endpoint\":\"file:///etc/passwd\"",
                                       ",\"userinfo_endpoint\":\"https://id.example/#x\""};
    for (size_t i = 0; i < G_N_ELEMENTS(more); i++) {
        g_auto(World) world;
        g_auto(Told) told = {0};
        world_init(&world);
        describes(&world, 0, world.issuer, more[i]);
        log_in(&world, NULL, &told);
        assert_refused(&told, ERROR_SERVICE_UNAVAILABLE, "https");
    }
}

static void a_token_for_another_login_or_of_another_key_is_refused(void) {
    g_auto(World) world;
    g_auto(Told) other = {0};
    g_auto(Told) unknown = {0};
    world_init(&world);
    describes(&world, 0, world.issuer, "");
    gives(&world, 1, 0, "another", WITH_EMAIL);
    publishes(&world, 2, 1);
    answers(&world, 3, "200 OK", "{\"id_token\":\"e30.e30.\",\"access_token\":\"Access-1\"}");
    log_in(&world, "Code-1", &other);
    assert_refused(&other, ERROR_AUTHENTICATION_FAILED, "another login");
    log_in(&world, "Code-2", &unknown);
    assert_refused(&unknown, ERROR_AUTHENTICATION_FAILED, "RS256");
}

static void userinfo_about_somebody_else_is_refused(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    g_autofree char *more = g_strdup_printf(",\"userinfo_endpoint\":\"%s/me\"", world.issuer);
    describes(&world, 0, world.issuer, more);
    gives(&world, 1, 0, "n", "");
    publishes(&world, 2, 1);
    answers(&world, 3, "200 OK", "{\"sub\":\"eve\"" WITH_EMAIL "}");
    log_in(&world, "Code-1", &told);
    assert_refused(&told, ERROR_AUTHENTICATION_FAILED, "two different people");
}

static void refusals_and_rubbish_are_told_without_the_providers_words(void) {
    static const struct {
        const char *status;
        const char *body;
        ErrorCode code;
        const char *part;
    } cases[] = {
        {"400 Bad Request", "{\"error\":\"invalid_grant\",\"error_description\":\"" PLANTED "\"}",
         ERROR_AUTHENTICATION_FAILED, "start again"},
        {"401 Unauthorized", "{\"error\":\"invalid_client\"}", ERROR_CONFIGURATION,
         "oidc.client_secret"},
        {"400 Bad Request", "<html>" PLANTED, ERROR_CONFIGURATION, "oidc.client_id"},
        {"500 Oops", PLANTED, ERROR_SERVICE_UNAVAILABLE, "500"},
        {"302 Found", "", ERROR_SERVICE_UNAVAILABLE, "302"},
        {"200 OK", "[]", ERROR_SERVICE_UNAVAILABLE, "a token"},
        {"200 OK", "{}", ERROR_SERVICE_UNAVAILABLE, "no id token"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(World) world;
        g_auto(Told) told = {0};
        world_init(&world);
        describes(&world, 0, world.issuer, "");
        answers(&world, 1, cases[i].status, cases[i].body);
        log_in(&world, "Code-1", &told);
        assert_refused(&told, cases[i].code, cases[i].part);
    }
}

/* --- the end ---------------------------------------------------------------------------------- */

static void whoever_waits_when_it_stops_is_told(void) {
    g_auto(World) world;
    g_auto(Told) told = {0};
    world_init(&world);
    world.steps[0] = (PeerStep){.then = PEER_HOLD};
    begin(&world, NULL, &told);
    openid_stop(world.openid);
    wait_for(&told);
    assert_refused(&told, ERROR_CANCELLED, "stopping");
    OpenidWish wish = {.told = note, .data = &told};
    must_fail(ERROR_CANCELLED, "stopping", openid_ask(world.openid, &wish, &error));
    openid_stop(world.openid);
}

static void an_issuer_must_be_reached_safely(void) {
    static const struct {
        const char *issuer;
        bool allow_private;
    } cases[] = {
        {"http://id.example", false},   {"http://id.example", true}, {"http://127.0.0.1:1", false},
        {"https://id.example?x", true}, {"https://a#b", true},       {"nonsense", true},
        {"http://10.0.0.1", true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        OpenidConfig config = {.issuer = cases[i].issuer,
                               .client_id = CLIENT,
                               .redirect_uri = "https://assay.example/back",
                               .allow_private = cases[i].allow_private};
        must_fail(ERROR_CONFIGURATION, "https", openid_new(&config, &error) != NULL);
    }
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define ADD(name) g_test_add_func("/connect/openid/" #name, name)
    ADD(a_login_asks_for_description_token_and_keys_and_the_next_for_a_token_only);
    ADD(the_secret_goes_in_the_header_and_the_code_in_the_body);
    ADD(many_who_begin_at_once_ask_for_one_description);
    ADD(a_code_whose_answer_is_lost_is_not_sent_again);
    ADD(userinfo_completes_what_the_token_leaves_out);
    ADD(a_new_key_is_looked_for_but_not_more_than_once_a_minute);
    ADD(what_is_kept_is_read_again_after_an_hour);
    ADD(a_provider_of_another_name_gets_no_code);
    ADD(endpoints_without_tls_elsewhere_are_refused);
    ADD(a_token_for_another_login_or_of_another_key_is_refused);
    ADD(userinfo_about_somebody_else_is_refused);
    ADD(refusals_and_rubbish_are_told_without_the_providers_words);
    ADD(whoever_waits_when_it_stops_is_told);
    ADD(an_issuer_must_be_reached_safely);
    return g_test_run();
}
