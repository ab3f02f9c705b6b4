#include "api/target.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

/* Decodes in place; form rules ('+' is a space) for queries. False for %00, "%4", "%zz". */
static bool decode(char *text, bool form) {
    char *out = text;
    for (const char *in = text; *in; in++) {
        char c = *in;
        if (c == '+' && form)
            c = ' ';
        if (c == '%') {
            int high = g_ascii_xdigit_value(in[1]);
            int low = high < 0 ? -1 : g_ascii_xdigit_value(in[2]);
            if (low < 0 || (high == 0 && low == 0))
                return false;
            c = (char)(high * 16 + low);
            in += 2;
        }
        *out++ = c;
    }
    *out = '\0';
    return text_is_utf8(text, (size_t)(out - text));
}

static bool set_bad(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "The address of the request is not well-formed: percent-encode UTF-8.");
    return false;
}

static bool set_long(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT,
                        "The address of the request is too long or has too many parts.");
    return false;
}

static bool split_path(Target *target, GError **error) {
    const char *path = target->path;
    if (path[0] != '/')
        return set_bad(error);
    target->segments = g_strsplit(path + 1, "/", TARGET_SEGMENTS_MAX + 1);
    if (g_strv_length(target->segments) > TARGET_SEGMENTS_MAX)
        return set_long(error);
    for (char **segment = target->segments; *segment; segment++)
        if (!decode(*segment, false))
            return set_bad(error);
    return true;
}

static bool take_parameter(Target *target, char *text, GError **error) {
    static const char none[] = "";
    if (*text == '\0')
        return true;
    if (target->query_count == TARGET_QUERY_MAX)
        return set_long(error);
    char *equals = strchr(text, '=');
    if (equals)
        *equals = '\0';
    if (!decode(text, true) || (equals && !decode(equals + 1, true)))
        return set_bad(error);
    target->query[target->query_count++] =
        (TargetParameter){.name = text, .value = equals ? equals + 1 : none};
    return true;
}

static bool read_parts(Target *target, const char *text, GError **error) {
    if (strlen(text) > TARGET_MAX)
        return set_long(error);
    const char *mark = strchr(text, '?');
    target->path = mark ? g_strndup(text, (size_t)(mark - text)) : g_strdup(text);
    target->memory = g_strsplit(mark ? mark + 1 : "", "&", -1);
    if (!split_path(target, error))
        return false;
    for (char **parameter = target->memory; *parameter; parameter++)
        if (!take_parameter(target, *parameter, error))
            return false;
    return true;
}

bool target_init(Target *target, const char *text, GError **error) {
    *target = (Target){0};
    if (read_parts(target, text, error))
        return true;
    target_clear(target);
    return false;
}

void target_clear(Target *target) {
    g_free(target->path);
    g_strfreev(target->segments);
    g_strfreev(target->memory);
    *target = (Target){0};
}

const char *target_query(const Target *target, const char *name) {
    for (size_t i = 0; i < target->query_count; i++)
        if (strcmp(target->query[i].name, name) == 0)
            return target->query[i].value;
    return NULL;
}
