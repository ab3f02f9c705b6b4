#include "sandbox/limit.h"

#include <string.h>

Token *token_new(const char *description, const Window *announced, const Window *secondary) {
    Token *token = g_new0(Token, 1);
    const char *colon = strchr(description, ':');
    token->announced = *announced;
    token->secondary = *secondary;
    if (colon == NULL) {
        token->text = g_strdup(description);
        token->scopes = g_strdup("");
        return token;
    }
    token->text = g_strndup(description, (size_t)(colon - description));
    token->permissions = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) names = g_strsplit(colon + 1, ",", 0);
    token->scopes = g_strjoinv(", ", names);
    for (char **name = names; *name != NULL; name++) {
        g_ptr_array_add(token->permissions, g_strdup(g_strstrip(*name)));
    }
    return token;
}

void token_free(Token *token) {
    if (token != NULL) {
        g_free(token->text);
        g_free(token->scopes);
        g_clear_pointer(&token->permissions, g_ptr_array_unref);
        g_free(token);
    }
}

bool token_may(const Token *token, const char *permission) {
    if (token->permissions == NULL || permission[0] == '\0') {
        return true;
    }
    for (guint i = 0; i < token->permissions->len; i++) {
        if (strcmp(g_ptr_array_index(token->permissions, i), permission) == 0) {
            return true;
        }
    }
    return false;
}

void window_refresh(Window *window, int64_t now_ms) {
    if (now_ms >= window->reset_ms) {
        window->reset_ms = now_ms + window->window_ms;
        window->used = 0;
    }
}

bool window_take(Window *window, int64_t now_ms) {
    if (window->limit == 0) {
        return true;
    }
    window_refresh(window, now_ms);
    if (window->used >= window->limit) {
        return false;
    }
    window->used++;
    return true;
}

int64_t window_wait(const Window *window, int64_t now_ms) {
    return MAX((window->reset_ms - now_ms + 999) / 1000, 1);
}
