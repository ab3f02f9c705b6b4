/* The wrapper of hiredis against a real server, which is killed and started again. */
#include "base/error.h"
#include "redis_support.h"

#include <pthread.h>
#include <string.h>

static Redis *redis;

static RedisReply *must(RedisCommand *command) {
    RedisReply *reply = NULL;
    GError *error = NULL;
    bool ok = redis_run(redis, command, &reply, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    return reply;
}

static void must_fail(Redis *on, RedisCommand *command, ErrorCode code) {
    RedisReply *reply = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(redis_run(on, command, &reply, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_null(reply);
}

static RedisCommand *set(const char *key, const void *bytes, size_t size) {
    RedisCommand *command = redis_command_new("SET");
    redis_command_key(command, key);
    redis_command_bytes(command, bytes, size);
    return command;
}

static RedisCommand *get(const char *key) {
    RedisCommand *command = redis_command_new("GET");
    redis_command_key(command, key);
    return command;
}

/* --- values ---------------------------------------------------------------------------------- */

static void bytes_come_back_as_they_were(void) {
    static const char bytes[] = "a\0b\r\nc\xff$-1";
    redis_reply_free(must(set("bytes", bytes, sizeof(bytes))));
    g_autoptr(RedisReply) reply = must(get("bytes"));
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_TEXT);
    g_assert_cmpuint(reply->size, ==, sizeof(bytes));
    g_assert_cmpint(memcmp(reply->text, bytes, sizeof(bytes)), ==, 0);
}

static void keys_have_the_prefix(void) {
    redis_reply_free(must(set("mine", "1", 1)));
    g_autoptr(RedisReply) reply = support_ask(redis, "GET", "assay:mine", NULL);
    g_assert_cmpstr(reply->text, ==, "1");
}

static void what_is_not_there_is_nil(void) {
    g_autoptr(RedisReply) reply = must(get("nothing"));
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_NIL);
}

static void numbers_and_lists_are_read(void) {
    g_autoptr(RedisReply) pushed = support_ask(redis, "RPUSH", "list", "7", "x", "-9", NULL);
    g_assert_cmpint(pushed->kind, ==, REDIS_KIND_INT);
    g_assert_cmpint(pushed->number, ==, 3);
    g_autoptr(RedisReply) list = support_ask(redis, "LRANGE", "list", "0", "-1", NULL);
    g_assert_cmpuint(list->count, ==, 3);
    g_assert_cmpint(redis_reply_number(list, 0, 0), ==, 7);
    g_assert_cmpint(redis_reply_number(list, 2, 0), ==, -9);
    g_assert_cmpint(redis_reply_number(list, 3, 44), ==, 44);
    g_assert_cmpint(redis_reply_number(NULL, 0, 5), ==, 5);
}

static void empty_words_are_words(void) {
    redis_reply_free(must(set("empty", NULL, 0)));
    g_autoptr(RedisReply) reply = must(get("empty"));
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_TEXT);
    g_assert_cmpuint(reply->size, ==, 0);
}

/* --- errors and limits ----------------------------------------------------------------------- */

static void an_error_of_the_server_says_what_to_do_and_no_value(void) {
    redis_reply_free(support_ask(redis, "RPUSH", "assay:wrong", "secret", NULL));
    RedisReply *reply = NULL;
    g_autoptr(GError) error = NULL;
    g_assert_false(redis_run(redis, get("wrong"), &reply, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "a database alone"));
    g_assert_cmpint(redis_state(redis), ==, REDIS_UP); /* it did answer */
}

static void too_large_a_command_is_not_sent(void) {
    g_autofree char *much = g_malloc0(REDIS_COMMAND_MAX + 1);
    must_fail(redis, set("much", much, REDIS_COMMAND_MAX + 1), ERROR_LIMIT);
    redis_reply_free(must(set("much", much, REDIS_COMMAND_MAX - 100)));
}

static void too_large_a_reply_is_refused(void) {
    redis_reply_free(support_ask(redis, "SETRANGE", "assay:large", "1048577", "x", NULL));
    must_fail(redis, get("large"), ERROR_LIMIT);
    RedisCommand *fill = redis_command_new("EVAL");
    redis_command_text(fill, "for i = 1, 10001 do redis.call('RPUSH', 'long', i) end");
    redis_command_int(fill, 0);
    redis_reply_free(must(fill));
    RedisCommand *range = redis_command_new("LRANGE");
    redis_command_text(range, "long");
    redis_command_int(range, 0);
    redis_command_int(range, -1);
    must_fail(redis, range, ERROR_LIMIT);
    g_autoptr(RedisReply) reply = must(get("nothing"));
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_NIL);
}

static void addresses_are_read_and_nonsense_is_refused(void) {
    static const struct {
        const char *url;
        bool good;
    } rows[] = {
        {"redis://127.0.0.1", true},      {"redis://127.0.0.1:6379/3", true},
        {"redis://:word@host:1/0", true}, {"redis://user:p%40ss@host", true},
        {"redis://[::1]:6379", true},     {"unix:///run/redis.sock", true},
        {"rediss://host", false},         {"redis://", false},
        {"redis://host:0", false},        {"redis://host:99999", false},
        {"redis://host/x", false},        {"http://host", false},
        {"unix://relative", false},       {"unix:/run/redis.sock", true},
        {"unix:relative", false},         {"", false},
        {"redis://:6379", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_test_message("%s", rows[i].url);
        g_autoptr(GError) error = NULL;
        g_autoptr(Secret) url = secret_new(rows[i].url, strlen(rows[i].url), NULL);
        g_autoptr(Redis) made = redis_new(url, &error);
        g_assert_true((made != NULL) == rows[i].good);
        g_assert_true(rows[i].good || error_code_of(error) == ERROR_CONFIGURATION);
        g_assert_true(!error || !strstr(error->message, "host:"));
    }
}

static Redis *redis_at(const char *format) {
    g_autofree char *text =
        g_strdup_printf("redis://%s127.0.0.1:%s%s", format, g_getenv("REDIS_PORT"), "/4");
    g_autoptr(Secret) url = secret_new(text, strlen(text), NULL);
    return redis_new(url, NULL);
}

static void another_database_has_other_keys(void) {
    g_autoptr(Redis) other = redis_at("");
    redis_reply_free(must(set("here", "1", 1)));
    RedisReply *reply = NULL;
    GError *error = NULL;
    g_assert_true(redis_run(other, get("here"), &reply, &error));
    g_assert_no_error(error);
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_NIL);
    redis_reply_free(reply);
}

static void a_password_is_sent_and_a_wrong_one_is_told(void) {
    redis_reply_free(
        support_ask(redis, "ACL", "SETUSER", "assay", "on", ">right", "~*", "+@all", NULL));
    g_autoptr(Redis) good = redis_at("assay:right@");
    RedisReply *reply = NULL;
    g_assert_true(redis_run(good, redis_command_new("PING"), &reply, NULL));
    redis_reply_free(reply);
    g_autoptr(Redis) bad = redis_at("assay:wrong@");
    must_fail(bad, redis_command_new("PING"), ERROR_CONFIGURATION);
    must_fail(bad, redis_command_new("PING"), ERROR_SERVICE_UNAVAILABLE); /* rests */
    redis_reply_free(
        support_ask(redis, "ACL", "SETUSER", "weak", "on", ">weak", "~*", "+ping", NULL));
    g_autoptr(Redis) weak = redis_at("weak:weak@");
    must_fail(weak, redis_command_new("PING"), ERROR_CONFIGURATION);
}

/* --- scripts --------------------------------------------------------------------------------- */

static const RedisScript counting = {"return redis.call('INCRBY', KEYS[1], ARGV[1])"};

static int64_t count_by(int64_t number) {
    RedisCommand *command = redis_command_new_script(&counting, 1);
    redis_command_key_of_start(command, "count");
    redis_command_int(command, number);
    g_autoptr(RedisReply) reply = must(command);
    return reply->number;
}

static void a_script_is_sent_once_and_again_when_the_server_forgot_it(void) {
    redis_reply_free(support_ask(redis, "SCRIPT", "FLUSH", NULL));
    g_assert_cmpint(count_by(2), ==, 2);
    g_assert_cmpint(count_by(3), ==, 5);
    redis_reply_free(support_ask(redis, "SCRIPT", "FLUSH", NULL));
    g_assert_cmpint(count_by(1), ==, 6);
}

/* --- loss ------------------------------------------------------------------------------------ */

static void a_server_that_is_gone_fails_at_once_and_is_found_again(void) {
    redis_reply_free(must(set("kept", "1", 1)));
    g_assert_cmpint(count_by(1), >, 0);
    support_kill();
    must_fail(redis, get("kept"), ERROR_SERVICE_UNAVAILABLE);
    g_assert_cmpint(redis_state(redis), ==, REDIS_DOWN);
    must_fail(redis, get("kept"), ERROR_SERVICE_UNAVAILABLE);
    support_start();
    support_await(redis);
    g_assert_cmpint(redis_state(redis), ==, REDIS_UP);
    g_autoptr(RedisReply) reply = must(get("kept"));
    g_assert_cmpint(reply->kind, ==, REDIS_KIND_NIL);
}

/* A dump that is loaded by the next start holds the keys of the last one. */
static void keys_of_a_start_are_not_seen_by_the_next(void) {
    g_assert_cmpint(count_by(10), >=, 10);
    g_autoptr(RedisReply) before = support_ask(redis, "KEYS", "assay:*:count", NULL);
    g_assert_cmpuint(before->count, ==, 1);
    support_kill();
    support_start();
    support_await(redis);
    redis_reply_free(support_ask(redis, "SET", before->items[0].text, "10", NULL));
    g_assert_cmpint(count_by(1), ==, 1);
}

static void a_state_is_unknown_before_the_first_command(void) {
    g_autoptr(Redis) fresh = support_redis();
    g_assert_cmpint(redis_state(fresh), ==, REDIS_UNKNOWN);
    redis_reply_free(support_ask(fresh, "PING", NULL));
    g_assert_cmpint(redis_state(fresh), ==, REDIS_UP);
}

/* --- threads --------------------------------------------------------------------------------- */

typedef struct {
    pthread_mutex_t lock;
    unsigned answered;
    unsigned failed;
} Tally;

static void tally(void *data, const RedisReply *reply, const GError *error) {
    Tally *own = data;
    g_assert_true((reply == NULL) == (error != NULL));
    pthread_mutex_lock(&own->lock);
    own->answered += reply ? 1 : 0;
    own->failed += error ? 1 : 0;
    pthread_mutex_unlock(&own->lock);
}

static void everything_submitted_is_told_even_at_the_end(void) {
    Tally own = {.answered = 0};
    pthread_mutex_init(&own.lock, NULL);
    Redis *busy = support_redis();
    for (unsigned i = 0; i < 500; i++) {
        redis_submit(busy, set("busy", "1", 1), tally, &own);
    }
    redis_free(busy);
    g_assert_cmpuint(own.answered + own.failed, ==, 500);
    pthread_mutex_destroy(&own.lock);
}

static void *ask_often(void *data) {
    for (unsigned i = 0; i < 100; i++) {
        redis_reply_free(must(redis_command_new("PING")));
    }
    return data;
}

static void many_threads_ask_one_connection(void) {
    pthread_t threads[4];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_assert_cmpint(pthread_create(&threads[i], NULL, ask_often, NULL), ==, 0);
    }
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        pthread_join(threads[i], NULL);
    }
}

#define TEST(name) g_test_add_func("/net/redis/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_assert_true(secmem_start(NULL));
    redis = support_redis();
    TEST(bytes_come_back_as_they_were);
    TEST(keys_have_the_prefix);
    TEST(what_is_not_there_is_nil);
    TEST(numbers_and_lists_are_read);
    TEST(empty_words_are_words);
    TEST(an_error_of_the_server_says_what_to_do_and_no_value);
    TEST(too_large_a_command_is_not_sent);
    TEST(too_large_a_reply_is_refused);
    TEST(addresses_are_read_and_nonsense_is_refused);
    TEST(another_database_has_other_keys);
    TEST(a_password_is_sent_and_a_wrong_one_is_told);
    TEST(a_script_is_sent_once_and_again_when_the_server_forgot_it);
    TEST(a_server_that_is_gone_fails_at_once_and_is_found_again);
    TEST(keys_of_a_start_are_not_seen_by_the_next);
    TEST(a_state_is_unknown_before_the_first_command);
    TEST(everything_submitted_is_told_even_at_the_end);
    TEST(many_threads_ask_one_connection);
    int status = g_test_run();
    redis_free(redis);
    return status;
}
