#include "net/url.h"

#include "base/error.h"

#include <string.h>

static void assert_slice(UrlSlice slice, const char *expected) {
    if (!expected) {
        g_assert_null(slice.at);
        return;
    }
    g_autofree char *text = g_strndup(slice.at, slice.length);
    g_assert_cmpstr(text, ==, expected);
}

static void urls_are_taken_apart(void) {
    static const struct {
        const char *text;
        bool tls;
        const char *host;
        unsigned port;
        const char *path;
        const char *query;
    } rows[] = {
        {"https://api.github.com", true, "api.github.com", 443, "", NULL},
        {"https://api.github.com/", true, "api.github.com", 443, "/", NULL},
        {"HTTPS://Api.GitHub.com:8443/a/b?c=d#e", true, "Api.GitHub.com", 8443, "/a/b", "c=d"},
        {"http://127.0.0.1:1/?", false, "127.0.0.1", 1, "/", ""},
        {"http://[::1]:65535/x", false, "::1", 65535, "/x", NULL},
        {"https://[2001:db8::1]?q", true, "2001:db8::1", 443, "", "q"},
        {"https://a_b.example/%2F?x=%20#frag?no", true, "a_b.example", 443, "/%2F", "x=%20"},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Url url;
        g_autoptr(GError) error = NULL;
        g_assert_true(url_parse(rows[i].text, &url, &error));
        g_assert_true(url.tls == rows[i].tls);
        assert_slice(url.host, rows[i].host);
        g_assert_cmpuint(url.port, ==, rows[i].port);
        assert_slice(url.path, rows[i].path);
        assert_slice(url.query, rows[i].query);
    }
}

static void doubtful_urls_are_refused_without_repeating_them(void) {
    static const char *const texts[] = {
        "",
        "/path",
        "api.github.com",
        "ftp://host/secret",
        "file:///etc/secret",
        "https:/host/secret",
        "https://",
        "https:///secret",
        "https://user@host/secret",
        "https://user:secret@host/",
        "https://good.example\\@evil.example/secret",
        "https://good.example/a b secret",
        "https://good.example/\tsecret",
        "https://good.example/\r\nsecret",
        "https://g\xc3\xb6od.example/secret",
        "https://good%2eexample/secret",
        "https://host:0/secret",
        "https://host:65536/secret",
        "https://host:/secret",
        "https://host:80x/secret",
        "https://host:000080/secret",
        "https://[::1/secret",
        "https://[::1]x/secret",
        "https://[::1%25lo]/secret",
        "https://[]/secret",
        "https://ho(st/secret",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(texts); i++) {
        Url url = {.port = 7};
        g_autoptr(GError) error = NULL;
        g_test_message("%s", texts[i]);
        g_assert_false(url_parse(texts[i], &url, &error));
        g_assert_error(error, ASSAY_ERROR, (int)ERROR_CONFIGURATION);
        g_assert_null(strstr(error->message, "secret"));
        g_assert_cmpuint(url.port, ==, 7);
    }
}

static void urls_and_hosts_are_bounded(void) {
    g_autofree char *path = g_strnfill(URL_MAX, 'a');
    g_autofree char *long_url = g_strconcat("https://h/", path, NULL);
    g_autofree char *host = g_strnfill(254, 'h');
    g_autofree char *long_host = g_strconcat("https://", host, "/", NULL);
    Url url;
    g_assert_false(url_parse(long_url, &url, NULL));
    long_url[URL_MAX] = '\0';
    g_assert_true(url_parse(long_url, &url, NULL));
    g_assert_false(url_parse(long_host, &url, NULL));
    g_autofree char *resolved = url_resolve("https://h/", path, NULL);
    g_assert_null(resolved);
}

static void origins_are_scheme_host_and_port(void) {
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } rows[] = {
        {"https://a.example/x", "https://A.example:443/y?z", true},
        {"http://a.example:80", "http://a.example", true},
        {"https://a.example", "http://a.example", false},
        {"https://a.example:443", "http://a.example:443", false},
        {"https://a.example", "https://a.example:444", false},
        {"https://a.example", "https://a.example.", false},
        {"https://a.example", "https://b.a.example", false},
        {"https://a.example", "https://a.example.evil.example", false},
        {"https://a.example", "nonsense", false},
        {"nonsense", "nonsense", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_assert_true(url_text_same_origin(rows[i].a, rows[i].b) == rows[i].same);
        g_assert_true(url_text_same_origin(rows[i].b, rows[i].a) == rows[i].same);
    }
}

static void hosts_match_exactly_or_below_a_star(void) {
    static const char *const hosts[] = {"api.github.com", "*.Example.com", "*", "*.", NULL};
    static const struct {
        const char *url;
        bool allowed;
    } rows[] = {
        {"https://api.github.com/x", true},   {"https://API.GitHub.com/x", true},
        {"https://x.api.github.com/", false}, {"https://api.github.com.evil.example/", false},
        {"https://a.example.com/", true},     {"https://a.b.example.com/", true},
        {"https://example.com/", false},      {"https://notexample.com/", false},
        {"https://.example.com/", false},     {"https://other.org/", false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        Url url;
        g_test_message("%s", rows[i].url);
        g_assert_true(url_parse(rows[i].url, &url, NULL));
        g_assert_true(url_host_allowed(&url, hosts) == rows[i].allowed);
    }
}

/* RFC 3986 section 5.4, as far as http goes, and what Link and Location fields look like. */
static void references_resolve_as_the_rfc_says(void) {
    static const struct {
        const char *base;
        const char *reference;
        const char *expected; /* NULL: refused */
    } rows[] = {
        {"https://a/b/c/d;p?q", "g", "https://a/b/c/g"},
        {"https://a/b/c/d;p?q", "./g", "https://a/b/c/g"},
        {"https://a/b/c/d;p?q", "g/", "https://a/b/c/g/"},
        {"https://a/b/c/d;p?q", "/g", "https://a/g"},
        {"https://a/b/c/d;p?q", "//g", "https://g"},
        {"https://a/b/c/d;p?q", "?y", "https://a/b/c/d;p?y"},
        {"https://a/b/c/d;p?q", "g?y", "https://a/b/c/g?y"},
        {"https://a/b/c/d;p?q", "#s", "https://a/b/c/d;p?q"},
        {"https://a/b/c/d;p?q", "g#s", "https://a/b/c/g"},
        {"https://a/b/c/d;p?q", "", "https://a/b/c/d;p?q"},
        {"https://a/b/c/d;p?q", ".", "https://a/b/c/"},
        {"https://a/b/c/d;p?q", "..", "https://a/b/"},
        {"https://a/b/c/d;p?q", "../g", "https://a/b/g"},
        {"https://a/b/c/d;p?q", "../..", "https://a/"},
        {"https://a/b/c/d;p?q", "../../../../g", "https://a/g"},
        {"https://a/b/c/d;p?q", "/../g", "https://a/g"},
        {"https://a/b/c/d;p?q", "g/../h", "https://a/b/c/h"},
        {"https://a/b/c/d;p?q", "g?y/../x", "https://a/b/c/g?y/../x"},
        {"https://a/b/c/d;p?q", "..g", "https://a/b/c/..g"},
        {"https://a", "g", "https://a/g"},
        {"https://a?q", "?z", "https://a?z"},
        {"http://a:81/b?q=1", "https://b.example:4/c", "https://b.example:4/c"},
        {"https://api.github.com/repos?page=1",
         "https://api.github.com/organizations/1/repos?page=2&per_page=100",
         "https://api.github.com/organizations/1/repos?page=2&per_page=100"},
        {"https://a/b", "javascript:alert(1)", NULL},
        {"https://a/b", "file:///etc/passwd", NULL},
        {"https://a/b", "//user@evil/", NULL},
        {"https://a/b", "/x y", NULL},
        {"nonsense", "/x", NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(GError) error = NULL;
        g_autofree char *got = url_resolve(rows[i].base, rows[i].reference, &error);
        g_test_message("%s + %s", rows[i].base, rows[i].reference);
        g_assert_cmpstr(got, ==, rows[i].expected);
        g_assert_true((error != NULL) == (rows[i].expected == NULL));
    }
}

static void texts_for_people_have_no_query(void) {
    Url url;
    g_assert_true(url_parse("HTTPS://Api.Example.com:443/a?token=x", &url, NULL));
    g_autofree char *origin = url_origin(&url);
    g_autofree char *host = url_dup_host(&url);
    g_autofree char *plain = url_without_query("https://h/a?token=x#y");
    g_assert_cmpstr(origin, ==, "https://api.example.com");
    g_assert_cmpstr(host, ==, "Api.Example.com");
    g_assert_cmpstr(plain, ==, "https://h/a");
    Url six;
    g_assert_true(url_parse("http://[::1]:8080/", &six, NULL));
    g_autofree char *six_origin = url_origin(&six);
    g_assert_cmpstr(six_origin, ==, "http://[::1]:8080");
}

#define ADD(name) g_test_add_func("/net/url/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(urls_are_taken_apart);
    ADD(doubtful_urls_are_refused_without_repeating_them);
    ADD(urls_and_hosts_are_bounded);
    ADD(origins_are_scheme_host_and_port);
    ADD(hosts_match_exactly_or_below_a_star);
    ADD(references_resolve_as_the_rfc_says);
    ADD(texts_for_people_have_no_query);
    return g_test_run();
}
