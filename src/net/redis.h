/* redis.h - a Redis server beside the database, and the only file that knows hiredis (redis.c).
 *
 * Redis is optional and never the only place of anything: every user has a fallback. A Redis owns
 * one connection and one thread, on which commands are sent one after the other; nothing here waits
 * on the caller's thread but redis_run(). A connection that fails or does not answer in time is
 * closed, its command fails, and for a while (100 ms, doubling to 5 s) commands fail at once, so
 * that a server that is down costs nobody time. A command that failed may have been carried out.
 *
 * Keys begin with "assay:". A key of redis_command_key_of_start() also holds the id of this start
 * of the server (run_id): after a restart, or on the server that takes over, it is another key, so
 * that what was restored from an old copy is never seen. What must not come back is kept under such
 * keys: budgets and single-use states.
 *
 * URLs: "redis://[USER:PASSWORD@]HOST[:PORT][/DATABASE]" and "unix:/PATH/OF/SOCKET". There is no
 * TLS: use loopback, a socket, or a tunnel.
 *
 * Errors: ERROR_SERVICE_UNAVAILABLE when the server does not answer, ERROR_CONFIGURATION when it
 * refuses (password, rights, wrong kind of value), ERROR_LIMIT for what is too large,
 * ERROR_CANCELLED once redis_free() began. No message holds a key, a value or the URL.
 */
#pragma once

#include "base/secmem.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REDIS_COMMAND_MAX (1024U * 1024) /* bytes of a command */
#define REDIS_TEXT_MAX (1024U * 1024)    /* bytes of a text in a reply */
#define REDIS_LIST_MAX 10000             /* items of a list in a reply */
#define REDIS_QUEUE_MAX 1024             /* commands that wait */

typedef struct Redis Redis;

/* Does not connect yet. ERROR_CONFIGURATION when the URL is none of the above. */
Redis *redis_new(const Secret *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/* The commands that wait fail; returns when the thread has ended. NULL allowed. */
void redis_free(Redis *redis);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Redis, redis_free)

/* Whether the last command was answered. UNKNOWN before the first. */
typedef enum { REDIS_UNKNOWN, REDIS_UP, REDIS_DOWN } RedisState;
RedisState redis_state(Redis *redis);

/* --- commands -------------------------------------------------------------------------------- */

typedef struct RedisCommand RedisCommand;

/* A script is sent by its SHA-1, and whole when the server does not know it. */
typedef struct {
    const char *text;
} RedisScript;

RedisCommand *redis_command_new(const char *verb);
RedisCommand *redis_command_new_script(const RedisScript *script, unsigned keys);
void redis_command_free(RedisCommand *command);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisCommand, redis_command_free)

/* Words, in order. A NULL text is an empty word. */
void redis_command_key(RedisCommand *command, const char *key);
void redis_command_key_of_start(RedisCommand *command, const char *key);
void redis_command_text(RedisCommand *command, const char *text);
void redis_command_bytes(RedisCommand *command, const void *bytes, size_t size);
void redis_command_int(RedisCommand *command, int64_t number);

typedef enum { REDIS_KIND_NIL, REDIS_KIND_INT, REDIS_KIND_TEXT, REDIS_KIND_LIST } RedisKind;

typedef struct RedisReply {
    RedisKind kind;
    int64_t number;
    char *text; /* with a NUL behind it */
    size_t size;
    struct RedisReply *items;
    size_t count;
} RedisReply;

void redis_reply_free(RedisReply *reply); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(RedisReply, redis_reply_free)

/* Item n of a list as a number (texts are read); fallback when there is none. */
int64_t redis_reply_number(const RedisReply *reply, size_t n, int64_t fallback);

/* Called once, on the thread of the Redis; must not wait. reply is NULL with the error set; both
 * are borrowed. */
typedef void (*RedisDone)(void *data, const RedisReply *reply, const GError *error);

/* Takes the command. Where it cannot be queued, done is called at once on this thread. */
void redis_submit(Redis *redis, RedisCommand *command, RedisDone done, void *data);

/* Takes the command and waits for its end; not from a network loop. */
bool redis_run(Redis *redis, RedisCommand *command, RedisReply **reply_out,
               GError **error) G_GNUC_WARN_UNUSED_RESULT;
