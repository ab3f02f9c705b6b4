#include "sync/format.h"

#include <glib.h>
#include <string.h>

#define KEY "assay:"

/* The key stands in a line of its own, unindented; whatever else is wrong with the text is told
 * when it is loaded. */
static int64_t definition_format(const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, KEY, strlen(KEY)) == 0)
            return g_ascii_strtoll(line + strlen(KEY), NULL, 10);
    }
    return 0;
}

int64_t format_of(const Json *request, const char *definition) {
    int64_t asked = json_member_int(request, "format", 1);
    return MAX(asked, definition_format(definition));
}
