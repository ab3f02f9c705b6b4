/* limit.h - who may call, and how often: tokens with permissions and windows that are counted.
 *
 * A token is given as TEXT or TEXT:permission,permission. Without a list it may do everything.
 * Each token has its own windows: the announced limit (a fixed window that begins with its first
 * call, as GitHub's does) and the secondary one that is only noticed when it is passed.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    int64_t limit; /* calls a window; 0: none is announced or enforced */
    int64_t window_ms;
    int64_t used;
    int64_t reset_ms; /* wall time; 0: no window is open */
} Window;

typedef struct {
    char *text;
    GPtrArray *permissions; /* char *; NULL: everything */
    char *scopes;           /* the list as given, ", " between; "" for everything */
    Window announced;
    Window secondary;
    uint64_t calls;
} Token;

Token *token_new(const char *description, const Window *announced, const Window *secondary);
void token_free(Token *token);

/* Whether the token opens a route that asks for this permission ("" is open to all). */
bool token_may(const Token *token, const char *permission);

/* Counts one call at a wall time; false (and not counted) when the window is spent. */
bool window_take(Window *window, int64_t now_ms);

/* Opens a new window when the last one has ended. */
void window_refresh(Window *window, int64_t now_ms);

/* Seconds, rounded up, until the window opens again; at least 1. */
int64_t window_wait(const Window *window, int64_t now_ms);
