/* redis_support.h - the private Redis of scripts/with-redis, killed and started again by tests. */
#pragma once

#include "net/redis.h"

/* A connection to it; fails the test when there is none to be had. */
Redis *support_redis(void);

/* Kills the server as a crash would; returns when it is gone. */
void support_kill(void);

/* Starts it again, empty; returns when it answers. */
void support_start(void);

/* Forgets everything, in a server that runs. */
void support_flush(Redis *redis);

/* Runs a command of words (NULL ends them) that must succeed. */
RedisReply *support_ask(Redis *redis, const char *verb, ...) G_GNUC_NULL_TERMINATED;

/* Waits until the connection is used again after a failure. */
void support_await(Redis *redis);
