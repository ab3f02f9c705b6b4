#include "provider/path.h"

#include <string.h>

#include "base/error.h"

void path_free(Path *path) {
    if (path == NULL)
        return;
    for (size_t i = 0; i < path->count; i++)
        g_free(path->steps[i].name);
    g_free(path->steps);
    g_free(path->text);
    g_free(path);
}

static void add_name(GArray *steps, const char *from, const char *to) {
    PathStep step = {
        .kind = PATH_NAME,
        .name = g_strndup(from, (size_t)(to - from)),
        .length = (size_t)(to - from),
    };
    g_array_append_val(steps, step);
}

static bool is_name_byte(char byte, bool first) {
    return g_ascii_isalpha(byte) || byte == '_' || (!first && g_ascii_isdigit(byte));
}

/* An identifier at p. */
static const char *take_identifier(GArray *steps, const char *p) {
    const char *end = p;
    while (is_name_byte(*end, end == p))
        end++;
    if (end == p)
        return NULL;
    add_name(steps, p, end);
    return end;
}

/* A string literal without escapes whose opening quote is at p. */
static const char *take_quoted(GArray *steps, const char *p) {
    const char *end = p + 1;
    while (*end != '"' && *end != '\\' && (unsigned char)*end >= 0x20)
        end++;
    if (*end != '"')
        return NULL;
    add_name(steps, p + 1, end);
    return end + 1;
}

static const char *take_index(GArray *steps, const char *p) {
    char *end = NULL;
    const char *digits = p[0] == '-' ? p + 1 : p;
    if (!g_ascii_isdigit(*digits))
        return NULL;
    gint64 index = g_ascii_strtoll(p, &end, 10);
    if (end - digits > 9)
        return NULL;
    PathStep step = {.kind = PATH_INDEX, .index = index};
    g_array_append_val(steps, step);
    return end;
}

/* What stands in brackets; the opening one is at p. */
static const char *take_bracket(GArray *steps, const char *p, bool each) {
    p++;
    if (each && *p == ']') {
        PathStep step = {.kind = PATH_EACH};
        g_array_append_val(steps, step);
        return p + 1;
    }
    p = *p == '"' ? take_quoted(steps, p) : take_index(steps, p);
    return p != NULL && *p == ']' ? p + 1 : NULL;
}

static const char *take_step(GArray *steps, const char *p, bool first, bool each) {
    if (first) /* behind the dot that every path begins with */
        return *p == '['   ? take_bracket(steps, p, each)
               : *p == '"' ? take_quoted(steps, p)
                           : take_identifier(steps, p);
    if (*p == '[')
        return take_bracket(steps, p, each);
    if (*p != '.')
        return NULL;
    return p[1] == '"' ? take_quoted(steps, p + 1) : take_identifier(steps, p + 1);
}

static void clear_step(void *data) {
    g_free(((PathStep *)data)->name);
}

Path *path_parse(const char *text, bool each, GError **error) {
    g_autofree char *trimmed = g_strstrip(g_strdup(text));
    g_autoptr(GArray) steps = g_array_new(FALSE, FALSE, sizeof(PathStep));
    g_array_set_clear_func(steps, clear_step);
    const char *p = trimmed[0] == '.' ? trimmed + 1 : NULL;
    while (p != NULL && *p != '\0' && steps->len <= PATH_MAX_STEPS)
        p = take_step(steps, p, p == trimmed + 1, each);
    if (p == NULL || *p != '\0' || steps->len > PATH_MAX_STEPS) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "\"%.80s\" is not a plain path; write it like .name, .a.b[0]%s or .[\"x-y\"].",
                    trimmed, each ? ", .items[].id" : "");
        return NULL;
    }
    Path *path = g_new0(Path, 1);
    path->text = g_steal_pointer(&trimmed);
    path->count = steps->len;
    path->steps = (PathStep *)(void *)g_array_free(g_steal_pointer(&steps), FALSE);
    return path;
}
