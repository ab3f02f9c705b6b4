/* limiter.h - how many requests somebody may make in a minute.
 *
 * The window slides by the second and is exact to it: no sixty seconds ever see more than the
 * limit, and what was refused does not count. Keys (a token, a user, an address) are forgotten when
 * their minute has passed; there are at most LIMITER_KEYS_MAX, and a new one beyond them is refused
 * until one is forgotten. Any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LIMITER_WINDOW_S 60
#define LIMITER_KEYS_MAX 100000

typedef struct Limiter Limiter;

Limiter *limiter_new(unsigned a_minute);
void limiter_free(Limiter *limiter);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Limiter, limiter_free)

/* Another limit from now on; what was taken counts. */
void limiter_set(Limiter *limiter, unsigned a_minute);

/* Takes one. When refused, *retry_after_s_out is in how many seconds one is free again. */
bool limiter_take(Limiter *limiter, const char *key, unsigned *retry_after_s_out);
