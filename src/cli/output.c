#include "cli/output.h"

#include "base/error.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define CELL_MAX 4096    /* bytes of a text from outside */
#define MESSAGE_MAX 4096 /* bytes of an error message */
#define WIDTH_LEAST 40
#define WIDTH_USUAL 80

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS (60 * SECOND_MS)
#define HOUR_MS (60 * MINUTE_MS)
#define DAY_MS (24 * HOUR_MS)

static const char *const tones[TONES] = {
    [TONE_PLAIN] = "",          [TONE_STRONG] = "\033[1m",   [TONE_MUTED] = "\033[2m",
    [TONE_GOOD] = "\033[32m",   [TONE_PARTIAL] = "\033[33m", [TONE_BAD] = "\033[31m",
    [TONE_UNREAD] = "\033[35m", [TONE_STALE] = "\033[33m",
};

/* The columns of the terminal behind a stream; 0 when it is none. */
static unsigned width_of(FILE *stream) {
    int descriptor = fileno(stream);
    struct winsize size = {0};
    if (descriptor < 0 || !isatty(descriptor))
        return 0;
    if (ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return WIDTH_USUAL;
    return MAX(size.ws_col, WIDTH_LEAST);
}

static bool wants_colour(void) {
    const char *refused = g_getenv("NO_COLOR");
    return (!refused || *refused == '\0') && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

void output_init(Output *output, FILE *result, FILE *notes) {
    *output = (Output){
        .result = result, .notes = notes, .width = width_of(result), .live_width = width_of(notes)};
    output->colour = output->width > 0 && wants_colour();
    output->live = output->live_width > 0 && g_strcmp0(g_getenv("TERM"), "dumb") != 0;
}

const char *output_tone_on(const Output *output, Tone tone) {
    return output->colour ? tones[tone] : "";
}

const char *output_tone_off(const Output *output, Tone tone) {
    return output->colour && tone != TONE_PLAIN ? "\033[0m" : "";
}

void output_json(const Output *output, const Json *object) {
    if (!output->json)
        return;
    g_autofree char *text = json_print(object, JSON_COMPACT);
    fprintf(output->result, "%s\n", text);
}

static void G_GNUC_PRINTF(3, 0)
    print_line(const Output *output, Tone tone, const char *format, va_list values) {
    if (output->json)
        return;
    fputs(output_tone_on(output, tone), output->result);
    vfprintf(output->result, format, values);
    fprintf(output->result, "%s\n", output_tone_off(output, tone));
}

void output_line(const Output *output, const char *format, ...) {
    va_list values;
    va_start(values, format);
    print_line(output, TONE_PLAIN, format, values);
    va_end(values);
}

void output_field(const Output *output, const char *title, const char *value) {
    g_autofree char *text = output_text(value);
    if (*text != '\0')
        output_line(output, "  %-12s %s", title, text);
}

void output_tone(const Output *output, Tone tone, const char *format, ...) {
    va_list values;
    va_start(values, format);
    print_line(output, tone, format, values);
    va_end(values);
}

void output_note(const Output *output, const char *format, ...) {
    if (output->quiet || output->json)
        return;
    /* The note stands behind what was printed before it, wherever the two streams go. */
    fflush(output->result);
    va_list values;
    va_start(values, format);
    vfprintf(output->notes, format, values);
    va_end(values);
    fputc('\n', output->notes);
}

Json *output_error_json(const GError *error) {
    ErrorCode code = error_code_of(error);
    Json *json = json_new_object();
    json_put_string(json, "code", error_code_name(code));
    json_put_string(json, "message", error->message);
    json_put_bool(json, "retryable", error_code_retryable(code));
    json_put(json, "details", json_new_object());
    return json;
}

void output_failure(const Output *output, const GError *error) {
    if (output->json) {
        g_autoptr(Json) json = json_new_object();
        json_put_bool(json, "success", false);
        json_put(json, "error", output_error_json(error));
        output_json(output, json);
        return;
    }
    fflush(output->result);
    g_autofree char *message = text_one_line(error->message, MESSAGE_MAX);
    fprintf(output->notes, "assay: %s\n", message);
}

char *output_text(const char *text) {
    return text_one_line(text ? text : "", CELL_MAX);
}

char *output_number(int64_t number) {
    g_autofree char *digits = g_strdup_printf("%" G_GINT64_FORMAT, number);
    GString *out = g_string_new(NULL);
    size_t length = strlen(digits);
    for (size_t i = 0; i < length; i++) {
        bool group = i > 0 && (length - i) % 3 == 0 && digits[i - 1] != '-';
        if (group)
            g_string_append_c(out, ',');
        g_string_append_c(out, digits[i]);
    }
    return g_string_free(out, FALSE);
}

char *output_age(int64_t time_ms, int64_t now_ms) {
    static const struct {
        int64_t unit;
        int64_t until;
        const char *name;
    } units[] = {
        {MINUTE_MS, HOUR_MS, "minute"}, {HOUR_MS, DAY_MS, "hour"}, {DAY_MS, INT64_MAX, "day"}};
    if (time_ms == 0)
        return g_strdup("never");
    int64_t distance = ABS(now_ms - time_ms);
    if (distance < MINUTE_MS)
        return g_strdup(time_ms > now_ms ? "in a moment" : "just now");
    size_t i = 0;
    while (distance >= units[i].until)
        i++;
    int64_t count = distance / units[i].unit;
    return g_strdup_printf("%s%" G_GINT64_FORMAT " %s%s%s", time_ms > now_ms ? "in " : "", count,
                           units[i].name, count == 1 ? "" : "s", time_ms > now_ms ? "" : " ago");
}

bool output_finish(const Output *output, GError **error) {
    if (fflush(output->result) == 0 && !ferror(output->result))
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                        "the result could not be written to standard output; is the disk full?");
    return false;
}
