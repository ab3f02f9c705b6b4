#include "net/url.h"

#include "base/error.h"

#include <string.h>

static const struct {
    const char *prefix;
    bool tls;
    unsigned port;
} schemes[] = {
    {"https://", true, 443},
    {"http://", false, 80},
};

static bool fail(GError **error, const char *what) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "not a usable URL: %s", what);
    return false;
}

/* RFC 3986 leaves only printable ASCII in a URL; a backslash is read as a slash by some parsers. */
static bool only_url_bytes(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)text[i];
        if (byte <= 0x20 || byte >= 0x7f || byte == '\\') {
            return false;
        }
    }
    return true;
}

static const char *skip_scheme(const char *text, Url *url) {
    for (size_t i = 0; i < G_N_ELEMENTS(schemes); i++) {
        size_t length = strlen(schemes[i].prefix);
        if (g_ascii_strncasecmp(text, schemes[i].prefix, length) == 0) {
            url->tls = schemes[i].tls;
            url->port = schemes[i].port;
            return text + length;
        }
    }
    return NULL;
}

static bool host_is_sound(UrlSlice host, bool bracketed) {
    if (host.length == 0 || host.length > 253) {
        return false;
    }
    for (size_t i = 0; i < host.length; i++) {
        char byte = host.at[i];
        bool good = bracketed ? g_ascii_isxdigit(byte) || byte == ':' || byte == '.'
                              : g_ascii_isalnum(byte) || byte == '-' || byte == '.' || byte == '_';
        if (!good) {
            return false;
        }
    }
    return true;
}

static bool parse_port(UrlSlice digits, unsigned *port) {
    unsigned value = 0;
    if (digits.length == 0 || digits.length > 5) {
        return false;
    }
    for (size_t i = 0; i < digits.length; i++) {
        if (!g_ascii_isdigit(digits.at[i])) {
            return false;
        }
        value = value * 10 + (unsigned)(digits.at[i] - '0');
    }
    *port = value;
    return value >= 1 && value <= 65535;
}

static bool parse_authority(UrlSlice authority, Url *url, GError **error) {
    if (memchr(authority.at, '@', authority.length)) {
        return fail(error, "it carries a user name or password; give credentials separately");
    }
    const char *end = authority.at + authority.length;
    bool bracketed = authority.length && authority.at[0] == '[';
    const char *host = authority.at + (bracketed ? 1 : 0);
    const char *host_end = memchr(host, bracketed ? ']' : ':', (size_t)(end - host));
    if (!host_end && bracketed) {
        return fail(error, "the ']' of an IPv6 address is missing");
    }
    host_end = host_end ? host_end : end;
    url->host = (UrlSlice){host, (size_t)(host_end - host)};
    if (!host_is_sound(url->host, bracketed)) {
        return fail(error, "its host is missing or holds a character that no host name has");
    }
    const char *rest = host_end + (bracketed ? 1 : 0);
    if (rest == end) {
        return true;
    }
    UrlSlice digits = {rest + 1, (size_t)(end - rest - 1)};
    if (*rest != ':' || !parse_port(digits, &url->port)) {
        return fail(error, "its port is not a number from 1 to 65535");
    }
    return true;
}

bool url_parse(const char *text, Url *url_out, GError **error) {
    size_t length = strnlen(text, URL_MAX + 1);
    if (length > URL_MAX) {
        return fail(error, "it is longer than 8192 bytes");
    }
    if (!only_url_bytes(text, length)) {
        return fail(error, "it holds a space, a backslash, a control or a non-ASCII character; "
                           "percent-encode it (host names in xn-- form)");
    }
    Url url = {0};
    const char *authority = skip_scheme(text, &url);
    if (!authority) {
        return fail(error, "it does not begin with https:// (or http://)");
    }
    size_t authority_length = strcspn(authority, "/?#");
    if (!parse_authority((UrlSlice){authority, authority_length}, &url, error)) {
        return false;
    }
    const char *path = authority + authority_length;
    url.path = (UrlSlice){path, strcspn(path, "?#")};
    const char *query = path + url.path.length;
    if (*query == '?') {
        url.query = (UrlSlice){query + 1, strcspn(query + 1, "#")};
    }
    *url_out = url;
    return true;
}

bool url_same_origin(const Url *a, const Url *b) {
    return a->tls == b->tls && a->port == b->port && a->host.length == b->host.length &&
           g_ascii_strncasecmp(a->host.at, b->host.at, a->host.length) == 0;
}

bool url_text_same_origin(const char *a, const char *b) {
    Url one;
    Url other;
    return url_parse(a, &one, NULL) && url_parse(b, &other, NULL) && url_same_origin(&one, &other);
}

static bool name_matches(UrlSlice host, const char *name) {
    size_t length = strlen(name);
    if (name[0] != '*') {
        return host.length == length && g_ascii_strncasecmp(host.at, name, length) == 0;
    }
    size_t suffix = length - 1; /* ".example.com", the dot included */
    return suffix > 1 && name[1] == '.' && host.length > suffix &&
           g_ascii_strncasecmp(host.at + host.length - suffix, name + 1, suffix) == 0;
}

bool url_host_allowed(const Url *url, const char *const *hosts) {
    for (size_t i = 0; hosts[i]; i++) {
        if (name_matches(url->host, hosts[i])) {
            return true;
        }
    }
    return false;
}

/* RFC 3986 section 5.2.4. */
static void append_without_dots(GString *out, const char *path, size_t length) {
    size_t start = out->len;
    const char *at = path;
    const char *end = path + length;
    while (at < end) {
        const char *slash = memchr(at + 1, '/', (size_t)(end - at - 1));
        const char *segment_end = slash ? slash : end;
        size_t size = (size_t)(segment_end - at);
        bool up = size == 3 && memcmp(at, "/..", 3) == 0;
        if (up || (size == 2 && memcmp(at, "/.", 2) == 0)) {
            while (up && out->len > start && out->str[out->len - 1] != '/') {
                g_string_truncate(out, out->len - 1);
            }
            if (up && out->len > start) {
                g_string_truncate(out, out->len - 1);
            }
            if (segment_end == end) {
                g_string_append_c(out, '/');
            }
        } else {
            g_string_append_len(out, at, (gssize)size);
        }
        at = segment_end;
    }
}

static bool has_scheme(const char *reference) {
    size_t length = strcspn(reference, ":/?#");
    return reference[length] == ':' && length > 0 && g_ascii_isalpha(reference[0]);
}

/* Everything of the base before its path. */
static void append_base(GString *out, const char *base, const Url *url) {
    g_string_append_len(out, base, url->path.at - base);
}

static void append_merged(GString *out, const Url *base, const char *reference) {
    size_t path_length = strcspn(reference, "?#");
    g_autoptr(GString) path = g_string_new(NULL);
    if (path_length == 0) {
        g_string_append_len(path, base->path.at, (gssize)base->path.length);
    } else if (reference[0] != '/') {
        const char *last = memrchr(base->path.at, '/', base->path.length);
        g_string_append_len(path, base->path.at, last ? last - base->path.at : 0);
        g_string_append_c(path, '/');
    }
    g_string_append_len(path, reference, (gssize)path_length);
    append_without_dots(out, path->str, path->len);
    const char *rest = reference + path_length;
    if (path_length == 0 && *rest != '?' && base->query.at) {
        g_string_append_c(out, '?');
        g_string_append_len(out, base->query.at, (gssize)base->query.length);
    }
    g_string_append_len(out, rest, (gssize)strcspn(rest, "#"));
}

char *url_resolve(const char *base, const char *reference, GError **error) {
    Url from;
    if (!url_parse(base, &from, error)) {
        return NULL;
    }
    if (strnlen(reference, URL_MAX + 1) > URL_MAX) {
        (void)fail(error, "the reference is longer than 8192 bytes");
        return NULL;
    }
    g_autoptr(GString) out = g_string_new(NULL);
    if (has_scheme(reference)) {
        g_string_append_len(out, reference, (gssize)strcspn(reference, "#"));
    } else if (reference[0] == '/' && reference[1] == '/') {
        g_string_append(out, from.tls ? "https:" : "http:");
        g_string_append_len(out, reference, (gssize)strcspn(reference, "#"));
    } else {
        append_base(out, base, &from);
        append_merged(out, &from, reference);
    }
    Url check;
    if (!url_parse(out->str, &check, error)) {
        return NULL;
    }
    return g_strdup(out->str);
}

char *url_origin(const Url *url) {
    g_autofree char *host = url_dup_host(url);
    g_autofree char *lower = g_ascii_strdown(host, -1);
    bool address = strchr(lower, ':') != NULL;
    GString *out = g_string_new(url->tls ? "https://" : "http://");
    g_string_append_printf(out, address ? "[%s]" : "%s", lower);
    if (url->port != (url->tls ? 443U : 80U)) {
        g_string_append_printf(out, ":%u", url->port);
    }
    return g_string_free(out, FALSE);
}

char *url_without_query(const char *text) {
    return g_strndup(text, strcspn(text, "?#"));
}

char *url_dup_host(const Url *url) {
    return g_strndup(url->host.at, url->host.length);
}
