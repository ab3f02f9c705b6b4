#include "api/etag.h"

#include "base/digest.h"

#include <string.h>

#define TAG_DIGITS 32

char *etag_of(const char *bytes, size_t size) {
    char hex[DIGEST_HEX_SIZE];
    digest_sha256_hex(bytes, size, hex);
    return g_strdup_printf("\"%.*s\"", TAG_DIGITS, hex);
}

char *etag_of_json(const Json *json) {
    g_autofree char *text = json_print(json, JSON_COMPACT);
    return etag_of(text, strlen(text));
}

bool etag_listed(const char *header, const char *tag, bool weak) {
    const char *rest = header + strspn(header, " \t");
    if (strcmp(rest, "*") == 0)
        return true;
    while (*rest != '\0') {
        bool marked = g_str_has_prefix(rest, "W/");
        const char *open = rest + (marked ? 2 : 0);
        const char *close = *open == '"' ? strchr(open + 1, '"') : NULL;
        if (!close)
            return false;
        size_t length = (size_t)(close - open) + 1;
        if ((weak || !marked) && strncmp(open, tag, length) == 0 && tag[length] == '\0')
            return true;
        rest = close + 1;
        rest += strspn(rest, " \t,");
    }
    return false;
}
