/* States, tokens and events: in the database alone, and in the Redis of scripts/with-redis where
 * there is one, which is then also killed in the middle. */
#include "unit/sync_support.h"

#include "base/clock.h"
#include "base/error.h"
#include "contract/redis_support.h"
#include "store/token_cache.h"
#include "sync/ephemeral.h"

#include <pthread.h>
#include <string.h>

typedef struct {
    Place place;
    Redis *redis; /* NULL: the database alone */
    Ephemeral *ephemeral;
} Desk;

static bool with_redis(void) {
    return g_getenv("REDIS_URL") != NULL;
}

static void desk_init(Desk *desk) {
    place_init(&desk->place);
    desk->redis = with_redis() ? support_redis() : NULL;
    if (desk->redis) {
        support_await(desk->redis);
        support_flush(desk->redis);
    }
    desk->ephemeral = ephemeral_new(desk->place.db, desk->redis);
}

static void desk_clear(Desk *desk) {
    ephemeral_free(desk->ephemeral);
    redis_free(desk->redis);
    place_clear(&desk->place);
    clock_thaw();
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Desk, desk_clear)

/* Redis goes away, and comes back empty; without one nothing happens. */
static void lose_redis(const Desk *desk) {
    if (desk->redis) {
        support_kill();
    }
}

static void find_redis(const Desk *desk) {
    if (desk->redis) {
        support_start();
        support_await(desk->redis);
    }
}

/* --- states ---------------------------------------------------------------------------------- */

static char *new_state(const Desk *desk, const char *organization) {
    char *state = NULL;
    must(ephemeral_state_new(desk->ephemeral, organization, "{\"provider\":\"slack\"}", &state,
                             &error));
    return state;
}

static void expect_taken(const Desk *desk, const char *state, const char *organization) {
    g_autofree char *whose = NULL;
    g_autofree char *content = NULL;
    must(ephemeral_state_take(desk->ephemeral, state, &whose, &content, &error));
    g_assert_cmpstr(whose, ==, organization);
    g_assert_cmpstr(content, ==, "{\"provider\":\"slack\"}");
}

static void expect_refused(const Desk *desk, const char *state) {
    char *whose = NULL;
    char *content = NULL;
    must_fail(ERROR_AUTHENTICATION_FAILED, "start again",
              ephemeral_state_take(desk->ephemeral, state, &whose, &content, &error));
    g_assert_null(whose);
    g_assert_null(content);
}

static void a_state_is_accepted_once(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *state = new_state(&desk, ORG_A);
    g_autofree char *other = new_state(&desk, ORG_B);
    g_assert_cmpstr(state, !=, other);
    g_assert_cmpint(state[0], ==, desk.redis ? 'r' : 'd');
    expect_taken(&desk, state, ORG_A);
    expect_refused(&desk, state);
    expect_taken(&desk, other, ORG_B);
}

static void what_is_no_state_of_ours_is_refused(void) {
    static const char *const texts[] = {
        "",
        "d",
        "r.",
        "dAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.org-a",
        "rAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.org-a",
        "xAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.org-a",
        "dAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAorg-a",
        "dAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.no-such-organization",
        "dAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA.\xff\xfe",
    };
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
        expect_refused(&desk, texts[i]);
    }
    g_autofree char *endless = g_strnfill(5000, 'd');
    expect_refused(&desk, endless);
}

static void a_state_of_one_organization_is_not_anothers(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *state = new_state(&desk, ORG_A);
    g_autofree char *forged = g_strdup(state);
    forged[strlen(forged) - 1] = 'b'; /* org-b */
    expect_refused(&desk, forged);
    forged[strlen(forged) - 1] = 'a';
    forged[0] = forged[0] == 'd' ? 'r' : 'd'; /* another place */
    expect_refused(&desk, forged);
    expect_taken(&desk, state, ORG_A);
}

static void a_state_is_over_after_ten_minutes(void) {
    g_auto(Desk) desk = {0};
    clock_freeze(clock_now_ms());
    desk_init(&desk);
    g_autofree char *state = new_state(&desk, ORG_A);
    if (desk.redis) {
        g_autoptr(RedisReply) keys = support_ask(desk.redis, "KEYS", "assay:*state:*", NULL);
        g_assert_cmpuint(keys->count, ==, 1);
        g_autoptr(RedisReply) left = support_ask(desk.redis, "PTTL", keys->items[0].text, NULL);
        g_assert_cmpint(left->number, >, STATE_LIFE_MS - 60000);
        g_assert_cmpint(left->number, <=, STATE_LIFE_MS);
        return;
    }
    clock_advance(STATE_LIFE_MS);
    expect_refused(&desk, state);
}

static void only_hashes_of_states_are_stored(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *state = new_state(&desk, ORG_A);
    g_autofree char *random = g_strndup(state + 1, 43);
    if (desk.redis) {
        g_autofree char *pattern = g_strdup_printf("*%s*", random);
        g_autoptr(RedisReply) keys = support_ask(desk.redis, "KEYS", pattern, NULL);
        g_assert_cmpuint(keys->count, ==, 0);
    }
    expect_taken(&desk, state, ORG_A);
}

typedef struct {
    const Desk *desk;
    const char *state;
    bool taken;
} Race;

static void *race(void *data) {
    Race *own = data;
    g_autofree char *whose = NULL;
    g_autofree char *content = NULL;
    own->taken = ephemeral_state_take(own->desk->ephemeral, own->state, &whose, &content, NULL);
    return NULL;
}

static void of_many_at_once_one_gets_in(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *state = new_state(&desk, ORG_A);
    pthread_t threads[8];
    Race races[G_N_ELEMENTS(threads)];
    unsigned taken = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        races[i] = (Race){.desk = &desk, .state = state};
        g_assert_cmpint(pthread_create(&threads[i], NULL, race, &races[i]), ==, 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
        taken += races[i].taken;
    }
    /* A unit that is run twice has taken it the first time: see rehearse in db.h. */
    g_assert_cmpuint(taken, ==, 1);
}

static void too_much_with_a_state_is_refused(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *content = g_strnfill(20000, 'c');
    char *state = NULL;
    must_fail(ERROR_LIMIT, "too much",
              ephemeral_state_new(desk.ephemeral, ORG_A, content, &state, &error));
}

/* --- states, while Redis goes ---------------------------------------------------------------- */

static void a_state_is_made_while_redis_is_gone(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    lose_redis(&desk);
    g_autofree char *state = new_state(&desk, ORG_A); /* the first call already */
    g_assert_cmpint(state[0], ==, 'd');
    g_autofree char *second = new_state(&desk, ORG_A);
    expect_taken(&desk, state, ORG_A);
    expect_refused(&desk, state);
    find_redis(&desk);
    expect_taken(&desk, second, ORG_A); /* it is where it was put */
    expect_refused(&desk, second);
}

static void states_of_a_redis_that_is_gone_are_refused_and_stay_so(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *unused = new_state(&desk, ORG_A);
    g_autofree char *used = new_state(&desk, ORG_A);
    expect_taken(&desk, used, ORG_A);
    if (!desk.redis) {
        return;
    }
    lose_redis(&desk);
    expect_refused(&desk, unused);
    expect_refused(&desk, used);
    find_redis(&desk);
    expect_refused(&desk, unused);
    expect_refused(&desk, used);
}

/* A Redis that starts from a copy holds states that were taken since. */
static void a_restored_redis_accepts_no_state_again(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    if (!desk.redis) {
        return;
    }
    g_autofree char *state = new_state(&desk, ORG_A);
    g_autoptr(RedisReply) keys = support_ask(desk.redis, "KEYS", "assay:*state:*", NULL);
    g_autofree char *key = g_strdup(keys->items[0].text);
    expect_taken(&desk, state, ORG_A);
    lose_redis(&desk);
    find_redis(&desk);
    redis_reply_free(support_ask(desk.redis, "SET", key, "{\"provider\":\"slack\"}", NULL));
    expect_refused(&desk, state);
}

/* --- tokens ---------------------------------------------------------------------------------- */

static const EphemeralTokenKey main_token = {ORG_A, "integration", "main", 3};

static void put_token(const Desk *desk, int64_t version, const char *sealed, int64_t life_ms) {
    EphemeralTokenKey key = main_token;
    key.version = version;
    must(ephemeral_token_put(desk->ephemeral, &key, sealed, clock_now_ms() + life_ms, &error));
}

static void expect_token(const Desk *desk, int64_t version, const char *sealed) {
    EphemeralTokenKey key = main_token;
    key.version = version;
    g_autofree char *got = NULL;
    int64_t expires_at = -1;
    must(ephemeral_token_get(desk->ephemeral, &key, &got, &expires_at, &error));
    g_assert_cmpstr(got, ==, sealed);
    g_assert_true((expires_at > clock_now_ms()) == (sealed != NULL));
}

static void a_token_is_given_for_its_version(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    expect_token(&desk, 3, NULL);
    put_token(&desk, 3, "sealed: three", 60000);
    expect_token(&desk, 3, "sealed: three");
    expect_token(&desk, 2, NULL);
    expect_token(&desk, 4, NULL);
    put_token(&desk, 2, "sealed: late", 60000);
    expect_token(&desk, 3, "sealed: three");
    put_token(&desk, 4, "sealed: four", 60000);
    expect_token(&desk, 3, NULL);
    expect_token(&desk, 4, "sealed: four");
}

static void a_token_that_is_over_is_not_given(void) {
    g_auto(Desk) desk = {0};
    clock_freeze(clock_now_ms());
    desk_init(&desk);
    put_token(&desk, 3, "sealed", 60000);
    put_token(&desk, 4, "over already", 0);
    expect_token(&desk, 4, NULL);
    expect_token(&desk, 3, "sealed");
    clock_advance(60000);
    expect_token(&desk, 3, NULL);
}

static void a_token_is_forgotten_when_it_is_dropped(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    put_token(&desk, 3, "sealed", 60000);
    must(ephemeral_token_drop(desk.ephemeral, &main_token, &error));
    must(ephemeral_token_drop(desk.ephemeral, &main_token, &error));
    expect_token(&desk, 3, NULL);
}

static bool damage_work(DbUnit *unit, void *data, GError **error) {
    CachedToken token = {.integration_id = main_token.integration,
                         .credential = main_token.credential,
                         .version = main_token.version,
                         .sealed = "altered",
                         .checksum = data,
                         .expires_at = clock_now_ms() + 60000};
    return token_cache_put(unit, &token, clock_now_ms(), error);
}

static void damage(const Desk *desk) {
    if (desk->redis) {
        redis_reply_free(support_ask(desk->redis, "SET", "assay:token:org-a:integration:main",
                                     "3 9999999999999 beef altered", NULL));
    } else {
        must(db_run(desk->place.db, &scope_a, DB_WRITE, damage_work, (void *)(uintptr_t) "beef",
                    &error));
    }
}

static void an_altered_token_is_told_and_forgotten(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    put_token(&desk, 3, "sealed", 60000);
    damage(&desk);
    char *sealed = NULL;
    int64_t expires_at = 0;
    must_fail(ERROR_CRYPTO, "forgotten",
              ephemeral_token_get(desk.ephemeral, &main_token, &sealed, &expires_at, &error));
    expect_token(&desk, 3, NULL);
}

static void nonsense_in_redis_is_damage(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    if (!desk.redis) {
        return;
    }
    redis_reply_free(
        support_ask(desk.redis, "SET", "assay:token:org-a:integration:main", "nonsense", NULL));
    char *sealed = NULL;
    int64_t expires_at = 0;
    must_fail(ERROR_CRYPTO, "forgotten",
              ephemeral_token_get(desk.ephemeral, &main_token, &sealed, &expires_at, &error));
}

static void tokens_go_on_while_redis_is_gone(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    put_token(&desk, 3, "before", 60000);
    lose_redis(&desk);
    expect_token(&desk, 3, desk.redis ? NULL : "before"); /* a cache may forget */
    put_token(&desk, 4, "meanwhile", 60000);
    expect_token(&desk, 4, "meanwhile");
    find_redis(&desk);
    expect_token(&desk, 4, "meanwhile"); /* from the database */
    put_token(&desk, 5, "after", 60000);
    expect_token(&desk, 5, "after");
    expect_token(&desk, 3, NULL);
    must(ephemeral_token_drop(desk.ephemeral, &main_token, &error));
    expect_token(&desk, 4, NULL);
    expect_token(&desk, 5, NULL);
}

static void too_long_a_token_is_refused(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *sealed = g_strnfill(70000, 's');
    must_fail(
        ERROR_LIMIT, "too long",
        ephemeral_token_put(desk.ephemeral, &main_token, sealed, clock_now_ms() + 60000, &error));
}

/* --- events ---------------------------------------------------------------------------------- */

static void add_event(const Desk *desk, const char *organization, const char *event) {
    must(ephemeral_event_add(desk->ephemeral, organization, event, &error));
}

/* The newest first, with "," between. */
static char *events_of(const Desk *desk, const char *organization, int64_t limit) {
    g_autoptr(GPtrArray) events = NULL;
    must(ephemeral_event_list(desk->ephemeral, organization, limit, &events, &error));
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < events->len; i++) {
        const SecurityEvent *event = g_ptr_array_index(events, i);
        g_assert_cmpint(event->at, >, 0);
        g_string_append_printf(text, "%s%s", i > 0 ? "," : "", event->event);
    }
    return g_string_free(text, FALSE);
}

static void events_are_listed_with_the_newest_first(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    add_event(&desk, ORG_A, "{\"n\": 1}");
    add_event(&desk, ORG_A, "{\"n\": 2}");
    add_event(&desk, ORG_B, "{\"n\": 3}");
    g_autofree char *all = events_of(&desk, ORG_A, 100);
    g_assert_cmpstr(all, ==, "{\"n\": 2},{\"n\": 1}");
    g_autofree char *newest = events_of(&desk, ORG_A, 1);
    g_assert_cmpstr(newest, ==, "{\"n\": 2}");
    g_autofree char *others = events_of(&desk, ORG_B, 100);
    g_assert_cmpstr(others, ==, "{\"n\": 3}");
}

static void events_of_before_during_and_after_are_one_list(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    add_event(&desk, ORG_A, "1");
    lose_redis(&desk);
    add_event(&desk, ORG_A, "2");
    g_autofree char *meanwhile = events_of(&desk, ORG_A, 100);
    g_assert_cmpstr(meanwhile, ==, desk.redis ? "2" : "2,1");
    find_redis(&desk);
    add_event(&desk, ORG_A, "3");
    g_autofree char *all = events_of(&desk, ORG_A, 100);
    g_assert_cmpstr(all, ==, desk.redis ? "3,2" : "3,2,1"); /* this Redis came back empty */
}

static void redis_keeps_ten_thousand_events(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    if (!desk.redis) {
        return;
    }
    g_autoptr(RedisReply) filled = support_ask(
        desk.redis, "EVAL",
        "for i = 1, 10500 do redis.call('LPUSH', 'assay:events:org-a', 'old') end", "0", NULL);
    add_event(&desk, ORG_A, "{\"new\": true}");
    g_autoptr(RedisReply) count = support_ask(desk.redis, "LLEN", "assay:events:org-a", NULL);
    g_assert_cmpint(count->number, ==, EPHEMERAL_EVENTS);
    g_autofree char *readable = events_of(&desk, ORG_A, 100);
    g_assert_cmpstr(readable, ==, "{\"new\": true}"); /* nonsense is passed over */
}

static void too_long_an_event_is_refused(void) {
    g_auto(Desk) desk = {0};
    desk_init(&desk);
    g_autofree char *event = g_strnfill(9000, 'e');
    must_fail(ERROR_LIMIT, "too long", ephemeral_event_add(desk.ephemeral, ORG_A, event, &error));
}

#define TEST(name) g_test_add_func("/sync/ephemeral/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    TEST(a_state_is_accepted_once);
    TEST(what_is_no_state_of_ours_is_refused);
    TEST(a_state_of_one_organization_is_not_anothers);
    TEST(a_state_is_over_after_ten_minutes);
    TEST(only_hashes_of_states_are_stored);
    TEST(of_many_at_once_one_gets_in);
    TEST(too_much_with_a_state_is_refused);
    TEST(a_state_is_made_while_redis_is_gone);
    TEST(states_of_a_redis_that_is_gone_are_refused_and_stay_so);
    TEST(a_restored_redis_accepts_no_state_again);
    TEST(a_token_is_given_for_its_version);
    TEST(a_token_that_is_over_is_not_given);
    TEST(a_token_is_forgotten_when_it_is_dropped);
    TEST(an_altered_token_is_told_and_forgotten);
    TEST(nonsense_in_redis_is_damage);
    TEST(tokens_go_on_while_redis_is_gone);
    TEST(too_long_a_token_is_refused);
    TEST(events_are_listed_with_the_newest_first);
    TEST(events_of_before_during_and_after_are_one_list);
    TEST(redis_keeps_ten_thousand_events);
    TEST(too_long_an_event_is_refused);
    return g_test_run();
}
