#include "sandbox/target.h"

#include <string.h>

/* Decodes in place; plus means blank in a query only. */
static bool decode(char *text, bool query) {
    char *out = text;
    for (; *text != '\0'; text++, out++) {
        if (query && *text == '+') {
            *out = ' ';
        } else if (*text == '%') {
            if (!g_ascii_isxdigit(text[1]) || !g_ascii_isxdigit(text[2])) {
                return false;
            }
            *out = (char)(g_ascii_xdigit_value(text[1]) * 16 + g_ascii_xdigit_value(text[2]));
            text += 2;
        } else {
            *out = *text;
        }
    }
    *out = '\0';
    return true;
}

static bool split_path(Target *target, char *path) {
    char *next = *path == '/' ? path + 1 : NULL;
    bool sound = next != NULL;
    while (next != NULL && sound) {
        char *segment = next;
        next = strchr(segment, '/');
        if (next != NULL) {
            *next++ = '\0';
        }
        if (*segment == '\0' && next == NULL) {
            break;
        }
        sound = target->segment_count < TARGET_SEGMENTS && decode(segment, false);
        if (sound) {
            target->segments[target->segment_count++] = segment;
        }
    }
    return sound;
}

static bool split_query(Target *target, char *query) {
    while (query != NULL && *query != '\0') {
        char *next = strchr(query, '&');
        if (next != NULL) {
            *next++ = '\0';
        }
        char *value = strchr(query, '=');
        if (value != NULL) {
            *value++ = '\0';
        }
        if (target->parameter_count == TARGET_PARAMETERS || !decode(query, true) ||
            (value != NULL && !decode(value, true))) {
            return false;
        }
        target->parameters[target->parameter_count].name = query;
        target->parameters[target->parameter_count++].value = value == NULL ? "" : value;
        query = next;
    }
    return true;
}

bool target_init(Target *target, const char *text) {
    target->segment_count = 0;
    target->parameter_count = 0;
    target->copy = g_strdup(text);
    char *query = strchr(target->copy, '?');
    if (query != NULL) {
        *query++ = '\0';
    }
    return split_path(target, target->copy) && split_query(target, query);
}

void target_clear(Target *target) {
    g_free(target->copy);
}

const char *target_parameter(const Target *target, const char *name) {
    for (size_t i = 0; i < target->parameter_count; i++) {
        if (strcmp(target->parameters[i].name, name) == 0) {
            return target->parameters[i].value;
        }
    }
    return NULL;
}

uint64_t target_number(const Target *target, const char *name, uint64_t max, uint64_t fallback) {
    const char *text = target_parameter(target, name);
    guint64 number;
    if (text == NULL || !g_ascii_string_to_unsigned(text, 10, 1, G_MAXINT64, &number, NULL)) {
        return fallback;
    }
    return MIN(number, max);
}
