#include "base/log.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

/* Longest text of one field: a line stays far below what a pipe takes in one write. */
#define TEXT_MAX 1000

static const char *const level_names[] = {
    [LOG_DEBUG] = "debug", [LOG_INFO] = "info", [LOG_WARN] = "warn", [LOG_ERROR] = "error"};

static atomic_int least_level = LOG_INFO;
static atomic_int descriptor = STDERR_FILENO;

void log_set_level(LogLevel level) {
    atomic_store(&least_level, (int)level);
}

LogLevel log_level_from_name(const char *name) {
    for (unsigned level = 0; level < G_N_ELEMENTS(level_names); level++) {
        if (g_strcmp0(level_names[level], name) == 0)
            return (LogLevel)level;
    }
    return LOG_INFO;
}

void log_set_descriptor(int new_descriptor) {
    atomic_store(&descriptor, new_descriptor < 0 ? STDERR_FILENO : new_descriptor);
}

static void append_text(GString *line, const char *text) {
    size_t length = strnlen(text, TEXT_MAX);
    if (text[length] != '\0') {
        /* Cut before a character, not inside it. */
        while (length > 0 && ((unsigned char)text[length] & 0xc0) == 0x80)
            length--;
    }
    json_append_quoted(line, text, length);
}

static void append_field(GString *line, const LogField *field) {
    g_string_append_c(line, ',');
    append_text(line, field->key);
    g_string_append_c(line, ':');
    if (field->text != NULL)
        append_text(line, field->text);
    else
        g_string_append_printf(line, "%" G_GINT64_FORMAT, field->number);
}

/* Logging has nobody to tell that it fails: what cannot be written is lost. */
static void write_line(const GString *line) {
    ssize_t written;
    do
        written = write(atomic_load(&descriptor), line->str, line->len);
    while (written < 0 && errno == EINTR);
}

void log_write(LogLevel level, const char *event, const LogField *fields, size_t count) {
    if ((int)level < atomic_load(&least_level) || level > LOG_ERROR)
        return;
    g_autofree char *time = clock_format(clock_now_ms());
    g_autoptr(GString) line = g_string_sized_new(256);
    g_string_append_printf(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time,
                           level_names[level]);
    append_text(line, event);
    for (size_t i = 0; i < count; i++)
        append_field(line, &fields[i]);
    g_string_append(line, "}\n");
    write_line(line);
}
