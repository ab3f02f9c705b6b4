#include "cli/progress.h"

#include "base/clock.h"

#include <string.h>

#define INTERVAL_MS 100
#define CLEAR_LINE "\r\033[K"

void progress_init(Progress *progress, const Output *output, const char *subject) {
    *progress = (Progress){.output = output, .subject = subject};
}

char *progress_text(const char *subject, const Json *report) {
    GString *text = g_string_new(subject);
    g_string_append_c(text, ':');
    const char *type = json_member_string(report, "evidenceType", NULL);
    const char *message = json_member_string(report, "message", NULL);
    if (!message)
        message = type ? NULL : json_member_string(report, "phase", "working");
    if (type)
        g_string_append_printf(text, " %s", type);
    if (json_member(report, "rows")) {
        g_autofree char *rows = output_number(json_member_int(report, "rows", 0));
        g_autofree char *calls = output_number(json_member_int(report, "calls", 0));
        g_string_append_printf(text, " %s rows, %s calls", rows, calls);
    }
    if (message)
        g_string_append_printf(text, " %s", message);
    g_autofree char *whole = g_string_free(text, FALSE);
    return output_text(whole);
}

/* What fits on one line: a wrapped line could not be wiped. */
static char *fit(const char *text, unsigned width) {
    glong length = g_utf8_strlen(text, -1);
    glong most = width > 1 ? (glong)width - 1 : 1;
    return length <= most ? g_strdup(text) : g_utf8_substring(text, 0, most);
}

void progress_show(const Json *report, void *data) {
    Progress *progress = data;
    const Output *output = progress->output;
    int64_t now = clock_mono_ms();
    if (!output->live || output->quiet)
        return;
    if (progress->drawn && now - progress->drawn_at < INTERVAL_MS)
        return;
    g_autofree char *text = progress_text(progress->subject, report);
    g_autofree char *line = fit(text, output->live_width);
    fprintf(output->notes, CLEAR_LINE "%s", line);
    fflush(output->notes);
    progress->drawn = true;
    progress->drawn_at = now;
}

void progress_clear(Progress *progress) {
    if (!progress->drawn)
        return;
    fputs(CLEAR_LINE, progress->output->notes);
    fflush(progress->output->notes);
    progress->drawn = false;
}
