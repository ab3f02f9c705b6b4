#include "provider/diagnostic.h"

#include "base/text.h"
#include <stdarg.h>

/* Two wrong letters still suggest a word, three no more. */
#define NEAR_DISTANCE 2
#define MAX_MESSAGE 400

struct Diagnostics {
    char *name;
    GArray *messages; /* Diagnostic */
    size_t errors;
};

static void message_clear(void *pointer) {
    g_free((char *)(uintptr_t)((Diagnostic *)pointer)->text);
}

Diagnostics *diagnostics_new(const char *name) {
    Diagnostics *diagnostics = g_new0(Diagnostics, 1);
    diagnostics->name = g_strdup(name);
    diagnostics->messages = g_array_new(FALSE, FALSE, sizeof(Diagnostic));
    g_array_set_clear_func(diagnostics->messages, message_clear);
    return diagnostics;
}

void diagnostics_free(Diagnostics *diagnostics) {
    if (diagnostics == NULL)
        return;
    g_free(diagnostics->name);
    g_array_unref(diagnostics->messages);
    g_free(diagnostics);
}

static void add(Diagnostics *diagnostics, bool warning, unsigned line, unsigned column,
                const char *format, va_list arguments) G_GNUC_PRINTF(5, 0);

static void add(Diagnostics *diagnostics, bool warning, unsigned line, unsigned column,
                const char *format, va_list arguments) {
    if (!warning)
        diagnostics->errors++;
    if (diagnostics->messages->len >= DIAGNOSTICS_MAX)
        return;
    g_autofree char *said = g_strdup_vprintf(format, arguments);
    g_autofree char *safe = text_one_line(said, MAX_MESSAGE);
    Diagnostic message = {.line = line, .column = column, .warning = warning};
    if (line > 0)
        message.text = g_strdup_printf("%s:%u:%u: %s", diagnostics->name, line, column, safe);
    else
        message.text = g_strdup_printf("%s: %s", diagnostics->name, safe);
    g_array_append_val(diagnostics->messages, message);
}

void diagnostics_error(Diagnostics *diagnostics, unsigned line, unsigned column, const char *format,
                       ...) {
    va_list arguments;
    va_start(arguments, format);
    add(diagnostics, false, line, column, format, arguments);
    va_end(arguments);
}

void diagnostics_warning(Diagnostics *diagnostics, unsigned line, unsigned column,
                         const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    add(diagnostics, true, line, column, format, arguments);
    va_end(arguments);
}

size_t diagnostics_count(const Diagnostics *diagnostics) {
    return diagnostics->messages->len;
}

const Diagnostic *diagnostics_get(const Diagnostics *diagnostics, size_t index) {
    g_return_val_if_fail(index < diagnostics->messages->len, NULL);
    return &g_array_index(diagnostics->messages, Diagnostic, index);
}

size_t diagnostics_errors(const Diagnostics *diagnostics) {
    return diagnostics->errors;
}

bool diagnostics_result(const Diagnostics *diagnostics, GError **error) {
    if (diagnostics->errors == 0)
        return true;
    const char *first = "the file is wrong";
    for (size_t i = 0; i < diagnostics->messages->len; i++) {
        const Diagnostic *message = diagnostics_get(diagnostics, i);
        if (message->warning)
            continue;
        first = message->text;
        break;
    }
    if (diagnostics->errors == 1)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s", first);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "%s (and %zu more)", first,
                    diagnostics->errors - 1);
    return false;
}

/* Fewest changes first; among equals the one of the same length, as letters are often swapped. */
static size_t distance_of(const char *text, const char *candidate) {
    size_t length = strlen(text);
    size_t other = strlen(candidate);
    unsigned changes = text_distance(text, candidate, NEAR_DISTANCE);
    if (changes > NEAR_DISTANCE || changes >= other)
        return SIZE_MAX;
    return changes * 1000 + (length > other ? length - other : other - length);
}

const char *diagnostics_nearest(const char *text, const char *const *candidates) {
    const char *nearest = NULL;
    size_t best = SIZE_MAX;
    for (size_t i = 0; candidates[i] != NULL; i++) {
        size_t distance = distance_of(text, candidates[i]);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
