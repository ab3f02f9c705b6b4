#include "cli/checkup.h"

#include "cli/grid.h"

#include <stdarg.h>
#include <string.h>

typedef struct {
    char *subject;
    CheckupState state;
    char *message;
    char *advice; /* NULL: nothing is to be done */
} Finding;

struct Checkup {
    const char *subject;
    GPtrArray *findings;
};

typedef struct {
    const char *status;
    const char *shown;
    Tone tone;
} Look;

static const Look looks[CHECKUP_STATES] = {
    [CHECKUP_OK] = {"ok", "✓ ok", TONE_GOOD},
    [CHECKUP_WARNING] = {"warning", "◐ warning", TONE_PARTIAL},
    [CHECKUP_ERROR] = {"error", "▲ error", TONE_BAD},
};

static void finding_free(void *data) {
    Finding *finding = data;
    g_free(finding->subject);
    g_free(finding->message);
    g_free(finding->advice);
    g_free(finding);
}

Checkup *checkup_new(void) {
    Checkup *checkup = g_new0(Checkup, 1);
    checkup->findings = g_ptr_array_new_with_free_func(finding_free);
    return checkup;
}

void checkup_free(Checkup *checkup) {
    g_ptr_array_unref(checkup->findings);
    g_free(checkup);
}

void checkup_subject(Checkup *checkup, const char *subject) {
    checkup->subject = subject;
}

/* --- adding ----------------------------------------------------------------------------------- */

static G_GNUC_PRINTF(4, 0) void add(Checkup *checkup, CheckupState state, const char *advice,
                                    const char *format, va_list values) {
    Finding *finding = g_new0(Finding, 1);
    finding->subject = g_strdup(checkup->subject);
    finding->state = state;
    finding->message = g_strdup_vprintf(format, values);
    finding->advice = g_strdup(advice);
    g_ptr_array_add(checkup->findings, finding);
}

void checkup_ok(Checkup *checkup, const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(checkup, CHECKUP_OK, NULL, format, values);
    va_end(values);
}

void checkup_warn(Checkup *checkup, const char *advice, const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(checkup, CHECKUP_WARNING, advice, format, values);
    va_end(values);
}

void checkup_fail(Checkup *checkup, const char *advice, const char *format, ...) {
    va_list values;
    va_start(values, format);
    add(checkup, CHECKUP_ERROR, advice, format, values);
    va_end(values);
}

/* What this program has no word for is worth a look. */
static CheckupState state_named(const char *status) {
    for (int state = 0; state < CHECKUP_STATES; state++)
        if (strcmp(looks[state].status, status) == 0)
            return (CheckupState)state;
    return CHECKUP_WARNING;
}

void checkup_take(Checkup *checkup, const Json *json) {
    const Json *list = json_member(json, "findings");
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *item = json_item(list, i);
        Finding *finding = g_new0(Finding, 1);
        finding->subject = g_strdup(json_member_string(item, "check", ""));
        finding->state = state_named(json_member_string(item, "status", ""));
        finding->message = g_strdup(json_member_string(item, "message", ""));
        finding->advice = g_strdup(json_member_string(item, "advice", NULL));
        g_ptr_array_add(checkup->findings, finding);
    }
}

/* --- telling ---------------------------------------------------------------------------------- */

size_t checkup_count(const Checkup *checkup, CheckupState state) {
    size_t count = 0;
    for (guint i = 0; i < checkup->findings->len; i++)
        count += ((Finding *)g_ptr_array_index(checkup->findings, i))->state == state;
    return count;
}

Json *checkup_json(const Checkup *checkup) {
    Json *json = json_new_object();
    Json *list = json_new_array();
    for (guint i = 0; i < checkup->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(checkup->findings, i);
        Json *item = json_new_object();
        json_put_string(item, "check", finding->subject);
        json_put_string(item, "status", looks[finding->state].status);
        json_put_string(item, "message", finding->message);
        json_put_string(item, "advice", finding->advice);
        json_add(list, item);
    }
    json_put_bool(json, "healthy", checkup_count(checkup, CHECKUP_ERROR) == 0);
    json_put_int(json, "errors", (int64_t)checkup_count(checkup, CHECKUP_ERROR));
    json_put_int(json, "warnings", (int64_t)checkup_count(checkup, CHECKUP_WARNING));
    json_put(json, "findings", list);
    return json;
}

static const GridColumn columns[] = {
    {.title = "CHECK"}, {.title = "STATE"}, {.title = "FOUND", .gives_way = true}, {0}};

static void print_advice(const Checkup *checkup, const Output *output) {
    for (guint i = 0; i < checkup->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(checkup->findings, i);
        if (!finding->advice)
            continue;
        g_autofree char *message = output_text(finding->message);
        g_autofree char *advice = output_text(finding->advice);
        output_line(output, "%s", "");
        output_tone(output, looks[finding->state].tone, "%s: %s", finding->subject, message);
        output_line(output, "  %s", advice);
    }
}

void checkup_print(const Checkup *checkup, const Output *output) {
    g_autoptr(Grid) grid = grid_new(columns);
    for (guint i = 0; i < checkup->findings->len; i++) {
        const Finding *finding = g_ptr_array_index(checkup->findings, i);
        grid_add(grid, finding->subject);
        grid_add_tone(grid, looks[finding->state].tone, looks[finding->state].shown);
        grid_add(grid, finding->message);
    }
    grid_print(grid, output);
    print_advice(checkup, output);
}
