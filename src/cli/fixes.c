#include "cli/fixes.h"

#include "cli/mark.h"

#include <string.h>

#define NAMED_MAX 3 /* resources named in one line */

int fixes_rank(const char *severity) {
    static const char *const ranks[] = {"low", "medium", "high", "critical"};
    for (size_t i = 0; i < G_N_ELEMENTS(ranks); i++)
        if (g_strcmp0(ranks[i], severity) == 0)
            return (int)i + 1;
    return 0;
}

static const char *text_of(const Json *finding, const char *key) {
    return json_member_string(finding, key, "");
}

static int compare(const void *a, const void *b) {
    static const char *const keys[] = {"check", "integration", "resource"};
    const Json *first = *(const Json *const *)a;
    const Json *second = *(const Json *const *)b;
    int rank = fixes_rank(text_of(second, "severity")) - fixes_rank(text_of(first, "severity"));
    for (size_t i = 0; rank == 0 && i < G_N_ELEMENTS(keys); i++)
        rank = strcmp(text_of(first, keys[i]), text_of(second, keys[i]));
    return rank;
}

GPtrArray *fixes_sort(const Json *findings) {
    GPtrArray *sorted = g_ptr_array_new();
    for (size_t i = 0; i < json_count(findings); i++)
        g_ptr_array_add(sorted, json_item(findings, i));
    g_ptr_array_sort(sorted, compare);
    return sorted;
}

static bool same_group(const Json *a, const Json *b) {
    return strcmp(text_of(a, "check"), text_of(b, "check")) == 0 &&
           strcmp(text_of(a, "integrationId"), text_of(b, "integrationId")) == 0 &&
           strcmp(text_of(a, "severity"), text_of(b, "severity")) == 0;
}

/* "acme/a, acme/b, acme/c and 1,200 more". */
static char *name_resources(const GPtrArray *sorted, guint from, guint until) {
    GString *names = g_string_new(NULL);
    guint named = MIN(until - from, NAMED_MAX);
    for (guint i = from; i < from + named; i++)
        g_string_append_printf(names, "%s%s", i > from ? ", " : "",
                               text_of(g_ptr_array_index(sorted, i), "resource"));
    if (until - from > named) {
        g_autofree char *more = output_number(until - from - named);
        g_string_append_printf(names, " and %s more", more);
    }
    g_autofree char *whole = g_string_free(names, FALSE);
    return output_text(whole);
}

static void print_group(const Output *output, const GPtrArray *sorted, guint from, guint until) {
    const Json *first = g_ptr_array_index(sorted, from);
    Mark severity = mark_of(text_of(first, "severity"));
    g_autofree char *title = output_text(text_of(first, "title"));
    g_autofree char *where = output_text(text_of(first, "integration"));
    g_autofree char *resources = name_resources(sorted, from, until);
    g_autofree char *remedy = output_text(text_of(first, "remediation"));
    output_line(output, "  %s%-8s%s  %s (%s): %s", output_tone_on(output, severity.tone),
                severity.word, output_tone_off(output, severity.tone), title, where, resources);
    if (*remedy != '\0')
        output_line(output, "            %s", remedy);
}

void fixes_print(const Output *output, const Json *findings, size_t most) {
    g_autoptr(GPtrArray) sorted = fixes_sort(findings);
    if (sorted->len == 0 || output->json)
        return;
    output_tone(output, TONE_STRONG, "What to fix next");
    guint from = 0;
    for (size_t groups = 0; from < sorted->len && groups < most; groups++) {
        guint until = from + 1;
        while (until < sorted->len &&
               same_group(g_ptr_array_index(sorted, from), g_ptr_array_index(sorted, until)))
            until++;
        print_group(output, sorted, from, until);
        from = until;
    }
}
