#include "net/redis.h"

#include "base/clock.h"
#include "base/error.h"

#include <hiredis/hiredis.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>

#define PREFIX "assay:"
#define DEFAULT_PORT 6379
#define CONNECT_MS 300
#define ANSWER_MS 500
#define FIRST_REST_MS 100
#define LONGEST_REST_MS 5000
#define START_ID_MAX 40

/* Where the server is. */
typedef struct {
    char *host; /* NULL: a socket */
    char *path;
    int port;
    char *user; /* NULL: none */
    Secret *password;
    int64_t database;
} Address;

typedef struct {
    char *bytes;
    size_t size;
    bool of_start; /* the id of the server's start goes in front */
} Word;

struct RedisCommand {
    GArray *words; /* Word */
    size_t size;
    const RedisScript *script; /* NULL: a plain command */
};

typedef struct {
    RedisCommand *command;
    RedisDone done;
    void *data;
} Job;

struct Redis {
    Address address;
    pthread_t thread;
    pthread_mutex_t lock; /* over the following four */
    pthread_cond_t wake;
    GQueue jobs;
    RedisState state;
    bool ending;
    /* of the thread */
    redisContext *context; /* NULL: not connected */
    char start[START_ID_MAX + 1];
    int64_t rest_until;
    int64_t rest_ms;
};

/* --- URLs ------------------------------------------------------------------------------------ */

static void address_clear(Address *address) {
    g_free(address->host);
    g_free(address->path);
    g_free(address->user);
    secret_free(address->password);
}

static bool read_number(const char *text, int64_t most, int64_t *out) {
    size_t digits = strspn(text, "0123456789");
    *out = g_ascii_strtoll(text, NULL, 10);
    return digits > 0 && digits <= 9 && text[digits] == '\0' && *out <= most;
}

/* "[USER][:PASSWORD]", percent-encoded. */
static bool read_login(Address *address, const char *text, size_t size, GError **error) {
    const char *colon = memchr(text, ':', size);
    size_t name = colon ? (size_t)(colon - text) : size;
    if (name > 0) {
        address->user = g_uri_unescape_segment(text, text + name, NULL);
    }
    if (!colon) {
        return true;
    }
    char *password = g_uri_unescape_segment(colon + 1, text + size, NULL);
    address->password = password ? secret_take(password, strlen(password), error) : NULL;
    g_free(password);
    return address->password != NULL;
}

static bool read_place(Address *address, const char *text) {
    const char *slash = strchr(text, '/');
    g_autofree char *host = slash ? g_strndup(text, (gsize)(slash - text)) : g_strdup(text);
    char *port = host[0] == '[' ? strchr(host, ']') : host;
    port = port ? strchr(port, ':') : NULL;
    int64_t number = DEFAULT_PORT;
    if (port) {
        *port = '\0';
    }
    if (host[0] == '\0' || (port && (!read_number(port + 1, 65535, &number) || number == 0)) ||
        (slash && slash[1] && !read_number(slash + 1, 1000000, &address->database))) {
        return false;
    }
    bool bracketed = host[0] == '[' && g_str_has_suffix(host, "]");
    address->host = bracketed ? g_strndup(host + 1, strlen(host) - 2) : g_strdup(host);
    address->port = (int)number;
    return true;
}

static bool read_url(Address *address, const char *url, GError **error) {
    const char *rest = url;
    if (g_str_has_prefix(url, "unix:/")) {
        rest = url + strlen("unix:");
        rest += g_str_has_prefix(rest, "///") ? strlen("//") : 0;
        address->path = rest[1] != '/' ? g_strdup(rest) : NULL;
    }
    if (address->path) {
        return true;
    }
    if (g_str_has_prefix(url, "redis://")) {
        rest = url + strlen("redis://");
        const char *at = strrchr(rest, '@');
        g_autoptr(GError) failure = NULL;
        bool login = !at || read_login(address, rest, (size_t)(at - rest), &failure);
        if (login && read_place(address, at ? at + 1 : rest)) {
            return true;
        }
    }
    bool tls = g_str_has_prefix(url, "rediss://");
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        tls ? "redis_url: there is no TLS to Redis; use a tunnel on this machine "
                              "and its redis:// address"
                            : "redis_url is not understood: write redis://HOST:PORT/DATABASE or "
                              "unix:/PATH");
    return false;
}

/* --- commands -------------------------------------------------------------------------------- */

static void word_clear(gpointer data) {
    Word *word = data;
    if (word->bytes) {
        secmem_wipe(word->bytes, word->size);
    }
    g_free(word->bytes);
}

static void add_word(RedisCommand *command, const void *bytes, size_t size, bool of_start) {
    Word word = {.bytes = g_malloc(size + 1), .size = size, .of_start = of_start};
    if (size > 0) {
        memcpy(word.bytes, bytes, size);
    }
    command->size += size;
    g_array_append_val(command->words, word);
}

RedisCommand *redis_command_new(const char *verb) {
    RedisCommand *command = g_new0(RedisCommand, 1);
    command->words = g_array_new(FALSE, FALSE, sizeof(Word));
    g_array_set_clear_func(command->words, word_clear);
    redis_command_text(command, verb);
    return command;
}

RedisCommand *redis_command_new_script(const RedisScript *script, unsigned keys) {
    RedisCommand *command = redis_command_new("EVALSHA");
    g_autofree char *sha1 = g_compute_checksum_for_string(G_CHECKSUM_SHA1, script->text, -1);
    command->script = script;
    redis_command_text(command, sha1);
    redis_command_int(command, keys);
    return command;
}

void redis_command_free(RedisCommand *command) {
    if (command) {
        g_array_free(command->words, TRUE);
        g_free(command);
    }
}

void redis_command_key(RedisCommand *command, const char *key) {
    g_autofree char *full = g_strconcat(PREFIX, key, NULL);
    redis_command_text(command, full);
}

void redis_command_key_of_start(RedisCommand *command, const char *key) {
    add_word(command, key, strlen(key), true);
}

void redis_command_text(RedisCommand *command, const char *text) {
    add_word(command, text, text ? strlen(text) : 0, false);
}

void redis_command_bytes(RedisCommand *command, const void *bytes, size_t size) {
    add_word(command, bytes, size, false);
}

void redis_command_int(RedisCommand *command, int64_t number) {
    g_autofree char *text = g_strdup_printf("%" G_GINT64_FORMAT, number);
    redis_command_text(command, text);
}

/* --- replies --------------------------------------------------------------------------------- */

static void reply_clear(RedisReply *reply) {
    for (size_t i = 0; i < reply->count; i++) {
        reply_clear(&reply->items[i]);
    }
    g_free(reply->items);
    if (reply->text) {
        secmem_wipe(reply->text, reply->size);
    }
    g_free(reply->text);
}

void redis_reply_free(RedisReply *reply) {
    if (reply) {
        reply_clear(reply);
        g_free(reply);
    }
}

int64_t redis_reply_number(const RedisReply *reply, size_t n, int64_t fallback) {
    if (!reply || n >= reply->count) {
        return fallback;
    }
    const RedisReply *item = &reply->items[n];
    if (item->kind == REDIS_KIND_INT) {
        return item->number;
    }
    return item->kind == REDIS_KIND_TEXT ? g_ascii_strtoll(item->text, NULL, 10) : fallback;
}

static bool copy_reply(const redisReply *from, RedisReply *to, unsigned depth);

static bool copy_list(const redisReply *from, RedisReply *to, unsigned depth) {
    to->kind = REDIS_KIND_LIST;
    if (from->elements > REDIS_LIST_MAX || depth > 4) {
        return false;
    }
    to->items = g_new0(RedisReply, from->elements + 1);
    for (size_t i = 0; i < from->elements; i++) {
        to->count = i + 1;
        if (!copy_reply(from->element[i], &to->items[i], depth + 1)) {
            return false;
        }
    }
    return true;
}

static bool copy_text(const redisReply *from, RedisReply *to) {
    if (from->len > REDIS_TEXT_MAX) {
        return false;
    }
    to->kind = REDIS_KIND_TEXT;
    to->text = g_malloc(from->len + 1);
    memcpy(to->text, from->str, from->len);
    to->text[from->len] = '\0';
    to->size = from->len;
    return true;
}

/* False when it is larger than anybody asked for. */
static bool copy_reply(const redisReply *from, RedisReply *to, unsigned depth) {
    switch (from->type) {
    case REDIS_REPLY_INTEGER:
        to->kind = REDIS_KIND_INT;
        to->number = from->integer;
        return true;
    case REDIS_REPLY_ARRAY:
        return copy_list(from, to, depth);
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS:
        return copy_text(from, to);
    default:
        to->kind = REDIS_KIND_NIL;
        return true;
    }
}

/* --- the connection -------------------------------------------------------------------------- */

static void set_state(Redis *redis, RedisState state) {
    pthread_mutex_lock(&redis->lock);
    redis->state = state;
    pthread_mutex_unlock(&redis->lock);
}

static void disconnect(Redis *redis) {
    if (redis->context) {
        redisFree(redis->context);
        redis->context = NULL;
    }
}

/* The server does not answer: nobody waits for it again before the rest is over. */
static void fail_connection(Redis *redis, GError **error) {
    disconnect(redis);
    redis->rest_ms = CLAMP(redis->rest_ms * 2, FIRST_REST_MS, LONGEST_REST_MS);
    redis->rest_until = clock_mono_ms() + redis->rest_ms;
    set_state(redis, REDIS_DOWN);
    g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                        "Redis does not answer; what it is used for goes through the database");
}

static void refuse(GError **error, const redisReply *reply) {
    static const struct {
        const char *prefix;
        const char *message;
    } known[] = {
        {"NOAUTH", "Redis wants a password: put it into redis_url"},
        {"WRONGPASS", "Redis does not take the user name or password of redis_url"},
        {"NOPERM", "Redis does not let this user do what Assay needs; see docs/limits.md"},
        {"OOM", "Redis is out of memory"},
        {"WRONGTYPE", "a key of Assay in Redis holds something else: give it a database alone"},
    };
    const char *message = "Redis refused a command";
    for (size_t i = 0; i < G_N_ELEMENTS(known); i++) {
        message = g_str_has_prefix(reply->str, known[i].prefix) ? known[i].message : message;
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, message);
}

/* Sends words, and waits; the reply may be an error of the server. NULL: the connection failed. */
static redisReply *exchange(Redis *redis, int count, const char **words, const size_t *sizes) {
    return redisCommandArgv(redis->context, count, words, sizes);
}

/* As exchange, and an error of the server is an error. */
static redisReply *ask_plainly(Redis *redis, int count, const char **words, GError **error) {
    size_t sizes[4];
    for (int i = 0; i < count; i++) {
        sizes[i] = strlen(words[i]);
    }
    redisReply *reply = exchange(redis, count, words, sizes);
    if (!reply) {
        fail_connection(redis, error);
    } else if (reply->type == REDIS_REPLY_ERROR) {
        refuse(error, reply);
        g_clear_pointer(&reply, freeReplyObject);
    }
    return reply;
}

static bool log_in(Redis *redis, GError **error) {
    const Address *address = &redis->address;
    const char *words[3] = {"AUTH"};
    int count = 1;
    if (!address->password) {
        return true;
    }
    if (address->user) {
        words[count++] = address->user;
    }
    words[count++] = secret_text(address->password);
    redisReply *reply = ask_plainly(redis, count, words, error);
    bool ok = reply != NULL;
    g_clear_pointer(&reply, freeReplyObject);
    return ok;
}

static bool select_database(Redis *redis, GError **error) {
    g_autofree char *number = g_strdup_printf("%" G_GINT64_FORMAT, redis->address.database);
    const char *words[] = {"SELECT", number};
    if (redis->address.database == 0) {
        return true;
    }
    redisReply *reply = ask_plainly(redis, G_N_ELEMENTS(words), words, error);
    bool ok = reply != NULL;
    g_clear_pointer(&reply, freeReplyObject);
    return ok;
}

/* The id of the server's start, in what it says about itself. */
static bool learn_start(Redis *redis, GError **error) {
    const char *words[] = {"INFO", "server"};
    redisReply *reply = ask_plainly(redis, G_N_ELEMENTS(words), words, error);
    if (!reply) {
        return false;
    }
    const char *at = reply->str ? strstr(reply->str, "run_id:") : NULL;
    at = at ? at + strlen("run_id:") : "";
    size_t size = MIN(strspn(at, "0123456789abcdef"), START_ID_MAX);
    memcpy(redis->start, at, size);
    redis->start[size] = '\0';
    freeReplyObject(reply);
    if (size > 0) {
        return true;
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "Redis does not tell its run_id: Assay needs a server that is Redis");
    return false;
}

static struct timeval span_of(int ms) {
    return (struct timeval){.tv_sec = ms / 1000, .tv_usec = (ms % 1000) * 1000};
}

static bool open_connection(Redis *redis, GError **error) {
    const Address *address = &redis->address;
    redis->context =
        address->path ? redisConnectUnixWithTimeout(address->path, span_of(CONNECT_MS))
                      : redisConnectWithTimeout(address->host, address->port, span_of(CONNECT_MS));
    if (!redis->context || redis->context->err ||
        redisSetTimeout(redis->context, span_of(ANSWER_MS)) != REDIS_OK) {
        fail_connection(redis, error);
        return false;
    }
    return true;
}

static bool connect_if_needed(Redis *redis, GError **error) {
    if (redis->context) {
        return true;
    }
    if (clock_mono_ms() < redis->rest_until) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE,
                            "Redis did not answer a moment ago");
        return false;
    }
    if (open_connection(redis, error) && log_in(redis, error) && select_database(redis, error) &&
        learn_start(redis, error)) {
        redis->rest_ms = 0;
        return true;
    }
    if (redis->context) { /* it answered, and will not have us */
        g_autoptr(GError) ignored = NULL;
        fail_connection(redis, &ignored);
    }
    return false;
}

/* --- one command ----------------------------------------------------------------------------- */

/* A word of the command with what goes in front of it. */
static char *whole_word(const Redis *redis, const Word *word, size_t *size_out) {
    GString *whole = g_string_new(PREFIX);
    g_string_append_printf(whole, "%s:", redis->start);
    g_string_append_len(whole, word->bytes, (gssize)word->size);
    *size_out = whole->len;
    return g_string_free(whole, FALSE);
}

static redisReply *send_words(Redis *redis, const RedisCommand *command, bool whole_script) {
    guint count = command->words->len;
    g_autofree const char **words = g_new0(const char *, count);
    g_autofree size_t *sizes = g_new0(size_t, count);
    g_autoptr(GPtrArray) made = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < count; i++) {
        const Word *word = &g_array_index(command->words, Word, i);
        words[i] = word->bytes;
        sizes[i] = word->size;
        if (word->of_start) {
            words[i] = whole_word(redis, word, &sizes[i]);
            g_ptr_array_add(made, (void *)(uintptr_t)words[i]);
        }
    }
    if (whole_script) {
        words[0] = "EVAL";
        sizes[0] = strlen(words[0]);
        words[1] = command->script->text;
        sizes[1] = strlen(words[1]);
    }
    return exchange(redis, (int)count, words, sizes);
}

static bool is_unknown_script(const redisReply *reply) {
    return reply && reply->type == REDIS_REPLY_ERROR && g_str_has_prefix(reply->str, "NOSCRIPT");
}

static RedisReply *read_answer(const redisReply *answer, GError **error) {
    if (answer->type == REDIS_REPLY_ERROR) {
        refuse(error, answer);
        return NULL;
    }
    g_autoptr(RedisReply) reply = g_new0(RedisReply, 1);
    if (copy_reply(answer, reply, 0)) {
        return g_steal_pointer(&reply);
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT, "Redis answered with too much");
    return NULL;
}

static RedisReply *carry_out(Redis *redis, const RedisCommand *command, GError **error) {
    if (!connect_if_needed(redis, error)) {
        return NULL;
    }
    redisReply *answer = send_words(redis, command, false);
    if (command->script && is_unknown_script(answer)) {
        freeReplyObject(answer);
        answer = send_words(redis, command, true);
    }
    if (!answer) {
        fail_connection(redis, error);
        return NULL;
    }
    set_state(redis, REDIS_UP);
    RedisReply *reply = read_answer(answer, error);
    freeReplyObject(answer);
    return reply;
}

/* --- the thread ------------------------------------------------------------------------------ */

static Job *next_job(Redis *redis) {
    pthread_mutex_lock(&redis->lock);
    while (g_queue_is_empty(&redis->jobs) && !redis->ending) {
        pthread_cond_wait(&redis->wake, &redis->lock);
    }
    Job *job = g_queue_pop_head(&redis->jobs);
    pthread_mutex_unlock(&redis->lock);
    return job;
}

static bool is_ending(Redis *redis) {
    pthread_mutex_lock(&redis->lock);
    bool ending = redis->ending;
    pthread_mutex_unlock(&redis->lock);
    return ending;
}

static GError *ended_error(void) {
    return g_error_new_literal(ASSAY_ERROR, ERROR_CANCELLED, "Redis is not used any more");
}

static void do_job(Redis *redis, Job *job) {
    GError *error = NULL;
    RedisReply *reply = NULL;
    if (is_ending(redis)) {
        error = ended_error();
    } else {
        reply = carry_out(redis, job->command, &error);
    }
    redis_command_free(job->command);
    job->done(job->data, reply, error);
    redis_reply_free(reply);
    g_clear_error(&error);
    g_free(job);
}

static void *serve(void *data) {
    Redis *redis = data;
    sigset_t pipe; /* a server that goes away while we write is no reason to die */
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    for (Job *job = next_job(redis); job; job = next_job(redis)) {
        do_job(redis, job);
    }
    disconnect(redis);
    return NULL;
}

Redis *redis_new(const Secret *url, GError **error) {
    Redis *redis = g_new0(Redis, 1);
    if (!read_url(&redis->address, secret_text(url), error)) {
        address_clear(&redis->address);
        g_free(redis);
        return NULL;
    }
    pthread_mutex_init(&redis->lock, NULL);
    pthread_cond_init(&redis->wake, NULL);
    g_queue_init(&redis->jobs);
    g_assert(pthread_create(&redis->thread, NULL, serve, redis) == 0);
    return redis;
}

void redis_free(Redis *redis) {
    if (!redis) {
        return;
    }
    pthread_mutex_lock(&redis->lock);
    redis->ending = true;
    pthread_cond_signal(&redis->wake);
    pthread_mutex_unlock(&redis->lock);
    pthread_join(redis->thread, NULL);
    pthread_cond_destroy(&redis->wake);
    pthread_mutex_destroy(&redis->lock);
    address_clear(&redis->address);
    g_free(redis);
}

RedisState redis_state(Redis *redis) {
    pthread_mutex_lock(&redis->lock);
    RedisState state = redis->state;
    pthread_mutex_unlock(&redis->lock);
    return state;
}

/* --- asking ---------------------------------------------------------------------------------- */

static GError *queue_job(Redis *redis, const RedisCommand *command, Job *job) {
    if (command->size > REDIS_COMMAND_MAX) {
        return g_error_new_literal(ASSAY_ERROR, ERROR_LIMIT, "too much for one command of Redis");
    }
    GError *error = NULL;
    pthread_mutex_lock(&redis->lock);
    if (redis->ending) {
        error = ended_error();
    } else if (g_queue_get_length(&redis->jobs) >= REDIS_QUEUE_MAX) {
        error = g_error_new_literal(ASSAY_ERROR, ERROR_LIMIT, "too much waits for Redis");
    } else {
        g_queue_push_tail(&redis->jobs, job);
        pthread_cond_signal(&redis->wake);
    }
    pthread_mutex_unlock(&redis->lock);
    return error;
}

void redis_submit(Redis *redis, RedisCommand *command, RedisDone done, void *data) {
    Job *job = g_new0(Job, 1);
    *job = (Job){command, done, data};
    GError *error = queue_job(redis, command, job);
    if (error) {
        redis_command_free(command);
        g_free(job);
        done(data, NULL, error);
        g_error_free(error);
    }
}

typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool over;
    RedisReply *reply;
    GError *error;
} Wait;

/* Moves what it holds, so that the waiting thread owns it. */
static void on_waited(void *data, const RedisReply *reply, const GError *error) {
    Wait *wait = data;
    pthread_mutex_lock(&wait->lock);
    if (reply) {
        wait->reply = g_new0(RedisReply, 1);
        *wait->reply = *reply;
        *(RedisReply *)(uintptr_t)reply = (RedisReply){0};
    }
    wait->error = error ? g_error_copy(error) : NULL;
    wait->over = true;
    pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
}

bool redis_run(Redis *redis, RedisCommand *command, RedisReply **reply_out, GError **error) {
    Wait wait = {.over = false};
    pthread_mutex_init(&wait.lock, NULL);
    pthread_cond_init(&wait.ended, NULL);
    redis_submit(redis, command, on_waited, &wait);
    pthread_mutex_lock(&wait.lock);
    while (!wait.over) {
        pthread_cond_wait(&wait.ended, &wait.lock);
    }
    pthread_mutex_unlock(&wait.lock);
    pthread_cond_destroy(&wait.ended);
    pthread_mutex_destroy(&wait.lock);
    if (wait.error) {
        g_propagate_error(error, wait.error);
        return false;
    }
    *reply_out = wait.reply;
    return true;
}
