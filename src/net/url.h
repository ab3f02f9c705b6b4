/* url.h - absolute http and https URLs (RFC 3986), strictly.
 *
 * A Url is a view: its slices point into the text that was parsed and live as long as that text.
 * The grammar is narrower than the RFC so that no two parsers can read one URL in two ways: ASCII
 * only, no user information, no backslash, no percent sign in the host, at most URL_MAX bytes.
 * (An international name is written in its xn-- form.)
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define URL_MAX (8 * 1024) /* longest URL, in bytes */

typedef struct {
    const char *at;
    size_t length;
} UrlSlice;

typedef struct {
    bool tls;       /* https */
    UrlSlice host;  /* as written, without the brackets of an IPv6 address */
    unsigned port;  /* the scheme's own when not written */
    UrlSlice path;  /* begins with '/', or is empty */
    UrlSlice query; /* without '?'; at is NULL when there is none */
} Url;

/* Reads an absolute URL; a fragment is dropped. ERROR_CONFIGURATION with what is wrong; the message
 * carries neither the query nor user information. */
bool url_parse(const char *text, Url *url_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether scheme, host and port are the same (RFC 6454 section 5). */
bool url_same_origin(const Url *a, const Url *b);

/* Whether the texts parse and have one origin. */
bool url_text_same_origin(const char *a, const char *b);

/* Whether the host is one of the names: exactly ("api.github.com"), or a subdomain of
 * "*.example.com". hosts ends with NULL. Names compare without case. */
bool url_host_allowed(const Url *url, const char *const *hosts);

/* Resolves a reference from a Location or Link field against an absolute base (RFC 3986 section
 * 5.2: absolute, //host, /path, path, ?query, dot segments removed). Caller frees.
 * ERROR_CONFIGURATION when either is unreadable, of another scheme or too long. */
char *url_resolve(const char *base, const char *reference,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* "https://host:port", host in lower case, the scheme's own port left out. Caller frees. */
char *url_origin(const Url *url);

/* The URL up to its query, for messages and logs. Caller frees. */
char *url_without_query(const char *text);

/* The host as text. Caller frees. */
char *url_dup_host(const Url *url);
