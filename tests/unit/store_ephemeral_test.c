/* States, sealed tokens and security events in the database: what sync/ephemeral falls back to. */
#include "unit/store_support.h"

#include "base/clock.h"
#include "base/id.h"
#include "store/oauth_state.h"
#include "store/security_event.h"
#include "store/token_cache.h"

/* --- states ---------------------------------------------------------------------------------- */

static void put_state(DbUnit *unit) {
    OauthState state = {
        .state_hash = "h1", .content = "{\"a\":1}", .expires_at = START_MS + 600000};
    store_ok(oauth_state_put(unit, &state, START_MS, &error));
}

static void take_state(DbUnit *unit) {
    g_autofree char *content = NULL;
    store_ok(oauth_state_take(unit, "h1", START_MS + 1, &content, &error));
    g_assert_cmpstr(content, ==, "{\"a\":1}");
}

static void find_no_state(DbUnit *unit) {
    g_autofree char *content = NULL;
    store_ok(oauth_state_take(unit, "h1", START_MS + 1, &content, &error));
    g_assert_null(content);
}

static void a_state_is_taken_once(void) {
    store_in(ORG_A, put_state);
    store_in(ORG_A, take_state);
    store_in(ORG_A, find_no_state);
}

static void a_state_belongs_to_its_organization(void) {
    store_in(ORG_A, put_state);
    store_in(ORG_B, find_no_state);
    store_in(ORG_A, take_state);
}

static void take_late(DbUnit *unit) {
    g_autofree char *content = NULL;
    store_ok(oauth_state_take(unit, "h1", START_MS + 600000, &content, &error));
    g_assert_null(content);
}

static void a_state_that_is_over_is_refused(void) {
    store_in(ORG_A, put_state);
    store_in(ORG_A, take_late);
}

static void put_later(DbUnit *unit) {
    OauthState state = {.state_hash = "h2", .content = "{}", .expires_at = START_MS + 1300000};
    store_ok(oauth_state_put(unit, &state, START_MS + 700000, &error));
    g_autofree char *content = NULL;
    store_ok(oauth_state_take(unit, "h1", START_MS, &content, &error));
    g_assert_null(content); /* swept */
}

static void states_that_nobody_came_back_with_are_forgotten(void) {
    store_in(ORG_A, put_state);
    store_in(ORG_A, put_later);
}

/* --- tokens ---------------------------------------------------------------------------------- */

static CachedToken token_of(int64_t version, const char *sealed) {
    return (CachedToken){.integration_id = INTEGRATION_A,
                         .credential = "main",
                         .version = version,
                         .sealed = sealed,
                         .checksum = "c",
                         .expires_at = START_MS + 60000};
}

static void expect_token(DbUnit *unit, int64_t version, int64_t at, const char *sealed) {
    CachedToken wanted = token_of(version, "");
    g_autoptr(CachedToken) token = NULL;
    store_ok(token_cache_get(unit, &wanted, at, &token, &error));
    g_assert_cmpstr(token ? token->sealed : NULL, ==, sealed);
}

static void keep_tokens(DbUnit *unit) {
    CachedToken second = token_of(2, "second");
    CachedToken first = token_of(1, "first");
    store_ok(token_cache_put(unit, &second, START_MS, &error));
    store_ok(token_cache_put(unit, &first, START_MS, &error)); /* too late */
    expect_token(unit, 2, START_MS, "second");
    expect_token(unit, 1, START_MS, NULL);
    expect_token(unit, 3, START_MS, NULL);
    expect_token(unit, 2, START_MS + 60000, NULL);
    store_ok(token_cache_drop(unit, &second, &error));
    store_ok(token_cache_drop(unit, &second, &error));
    expect_token(unit, 2, START_MS, NULL);
}

static void a_token_is_given_for_its_version_until_it_is_over(void) {
    store_in(ORG_A, keep_tokens);
}

static void put_token(DbUnit *unit) {
    CachedToken token = token_of(1, "sealed");
    store_ok(token_cache_put(unit, &token, START_MS, &error));
}

static void find_no_token(DbUnit *unit) {
    expect_token(unit, 1, START_MS, NULL);
}

static void a_token_belongs_to_its_organization(void) {
    store_in(ORG_A, put_token);
    store_in(ORG_B, find_no_token);
}

static void put_much(DbUnit *unit) {
    g_autofree char *sealed = g_strnfill(TOKEN_CACHE_SEALED_MAX + 1, 's');
    CachedToken token = token_of(1, sealed);
    store_fails(ERROR_LIMIT, token_cache_put(unit, &token, START_MS, &error));
}

static void too_long_a_token_is_refused(void) {
    store_in(ORG_A, put_much);
}

/* --- events ---------------------------------------------------------------------------------- */

static void add_events(DbUnit *unit) {
    for (int i = 0; i < 20; i++) {
        g_autofree char *id = g_strdup_printf("id-%03d", i);
        g_autofree char *text = g_strdup_printf("{\"n\":%d}", i);
        SecurityEvent event = {.id = id, .event = text, .at = START_MS + i};
        store_ok(security_event_put(unit, &event, &error));
    }
}

static void trim_events(DbUnit *unit) {
    store_ok(security_event_trim(unit, 5, &error));
    store_ok(security_event_trim(unit, 5, &error));
    g_autoptr(GPtrArray) events = NULL;
    store_ok(security_event_list(unit, NULL, 100, &events, &error));
    g_assert_cmpuint(events->len, ==, 5);
    const SecurityEvent *newest = g_ptr_array_index(events, 0);
    g_assert_cmpstr(newest->event, ==, "{\"n\":19}");
    g_assert_cmpint(newest->at, ==, START_MS + 19);
    g_autoptr(GPtrArray) older = NULL;
    store_ok(security_event_list(unit, "id-017", 100, &older, &error));
    g_assert_cmpuint(older->len, ==, 2);
}

static void keep_few(DbUnit *unit) {
    store_ok(security_event_trim(unit, 100, &error));
    g_autoptr(GPtrArray) events = NULL;
    store_ok(security_event_list(unit, NULL, 100, &events, &error));
    g_assert_cmpuint(events->len, ==, 20);
}

static void the_newest_events_are_kept(void) {
    store_in(ORG_A, add_events);
    store_in(ORG_B, add_events);
    store_in(ORG_A, keep_few);
    store_in(ORG_A, trim_events);
    store_in(ORG_B, keep_few);
}

static const StoreTest tests[] = {
    {"a_state_is_taken_once", a_state_is_taken_once},
    {"a_state_belongs_to_its_organization", a_state_belongs_to_its_organization},
    {"a_state_that_is_over_is_refused", a_state_that_is_over_is_refused},
    {"states_that_nobody_came_back_with_are_forgotten",
     states_that_nobody_came_back_with_are_forgotten},
    {"a_token_is_given_for_its_version_until_it_is_over",
     a_token_is_given_for_its_version_until_it_is_over},
    {"a_token_belongs_to_its_organization", a_token_belongs_to_its_organization},
    {"too_long_a_token_is_refused", too_long_a_token_is_refused},
    {"the_newest_events_are_kept", the_newest_events_are_kept},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "ephemeral", tests, G_N_ELEMENTS(tests));
}
