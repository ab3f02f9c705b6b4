#include "redis_support.h"

#include "base/clock.h"

#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 300000
#define LOOK_MS 5

static pid_t server_id(void) {
    g_autofree char *text = NULL;
    const char *file = g_getenv("REDIS_PID_FILE");
    g_assert_nonnull(file); /* run by scripts/with-redis */
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    return (pid_t)g_ascii_strtoll(text, NULL, 10);
}

Redis *support_redis(void) {
    GError *error = NULL;
    const char *url = g_getenv("REDIS_URL");
    g_assert_nonnull(url);
    g_autoptr(Secret) secret = secret_new(url, strlen(url), &error);
    g_assert_no_error(error);
    Redis *redis = redis_new(secret, &error);
    g_assert_no_error(error);
    return redis;
}

/* A zombie has ended: its parent is the script. */
static bool is_gone(pid_t id) {
    g_autofree char *path = g_strdup_printf("/proc/%d/stat", (int)id);
    g_autofree char *text = NULL;
    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return true;
    }
    const char *state = strrchr(text, ')');
    return state && state[2] == 'Z';
}

void support_kill(void) {
    pid_t id = server_id();
    g_assert_cmpint(kill(id, SIGKILL), ==, 0);
    for (int waited = 0; !is_gone(id); waited += LOOK_MS) {
        g_assert_cmpint(waited, <, PATIENCE_MS);
        g_usleep(LOOK_MS * 1000);
    }
}

void support_start(void) {
    pid_t old = server_id();
    pid_t keeper = (pid_t)g_ascii_strtoll(g_getenv("REDIS_KEEPER"), NULL, 10);
    g_assert_cmpint(kill(keeper, SIGUSR1), ==, 0);
    for (int waited = 0; server_id() == old; waited += LOOK_MS) {
        g_assert_cmpint(waited, <, PATIENCE_MS);
        g_usleep(LOOK_MS * 1000);
    }
}

RedisReply *support_ask(Redis *redis, const char *verb, ...) {
    RedisCommand *command = redis_command_new(verb);
    va_list words;
    va_start(words, verb);
    for (const char *word = va_arg(words, const char *); word; word = va_arg(words, const char *)) {
        redis_command_text(command, word);
    }
    va_end(words);
    RedisReply *reply = NULL;
    GError *error = NULL;
    bool ok = redis_run(redis, command, &reply, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    return reply;
}

void support_flush(Redis *redis) {
    redis_reply_free(support_ask(redis, "FLUSHALL", NULL));
}

void support_await(Redis *redis) {
    for (int waited = 0; waited < PATIENCE_MS; waited += LOOK_MS) {
        g_autoptr(RedisReply) reply = NULL;
        g_autoptr(GError) error = NULL;
        if (redis_run(redis, redis_command_new("PING"), &reply, &error)) {
            return;
        }
        g_usleep(LOOK_MS * 1000);
    }
    g_assert_not_reached();
}
