/* log.h - one JSON object a line on standard error.
 *
 * Only the faces (api, cli, sync, main) log; libraries return errors. A line has time, level,
 * event and the given fields. Field values are text or numbers that the caller made; secrets have
 * no way in, because a Secret has no print function. Safe from any thread; one write(2) a line.
 */
#pragma once

#include <glib.h>
#include <stdint.h>

typedef enum { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } LogLevel;

typedef struct {
    const char *key;
    const char *text; /* NULL: the number is meant */
    int64_t number;
} LogField;

static inline const char *log_text_or_empty(const char *text) {
    return text != NULL ? text : "";
}

#define LOG_TEXT(k, v) ((LogField){.key = (k), .text = log_text_or_empty(v)})
#define LOG_INT(k, v) ((LogField){.key = (k), .number = (v)})

/* Lines below this level are dropped (default LOG_INFO). */
void log_set_level(LogLevel level);

/* The level with this name ("debug", "info", "warn", "error"), or LOG_INFO. */
LogLevel log_level_from_name(const char *name);

/* Replaces standard error as the destination (tests); -1 restores it. */
void log_set_descriptor(int descriptor);

void log_write(LogLevel level, const char *event, const LogField *fields, size_t count);

/* log_line(LOG_INFO, "job_done", LOG_TEXT("job", id), LOG_INT("rows", n)); */
#define log_line(level, event, ...)                                                                \
    log_write(level, event, (const LogField[]){__VA_ARGS__},                                       \
              sizeof((const LogField[]){__VA_ARGS__}) / sizeof(LogField))
