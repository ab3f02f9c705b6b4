/* The scanner's moving parts: where it stands after each call, and what its sinks hold. */
#include <string.h>

#include "provider/scanner.h"

static void sinks_copy_what_passed_while_they_were_open(void) {
    static const char text[] = "0123456789";
    const Byte *bytes = (const Byte *)text;
    g_autoptr(GString) out = g_string_new(NULL);
    Sink sink = {.out = out};
    sink_open(&sink, bytes);
    sink_close(&sink, bytes + 3);
    sink_close(&sink, bytes + 5);
    sink_open(&sink, bytes + 7);
    sink_close(&sink, bytes + 9);
    g_assert_cmpstr(out->str, ==, "01278");
    Sink nobody = {.out = NULL};
    sink_open(&nobody, bytes);
    g_assert_false(nobody.open);
    sink_close(&nobody, bytes + 3);
}

static void replacements_reach_open_sinks_only(void) {
    static const char text[] = "abcdef";
    g_autoptr(GString) recorded = g_string_new(NULL);
    g_autoptr(GString) kept = g_string_new(NULL);
    Scanner s;
    scanner_init(&s, text, strlen(text));
    s.recorded.out = recorded;
    s.kept.out = kept;
    sink_open(&s.recorded, s.start);
    scanner_replace(&s, s.start + 1, s.start + 3, "--");
    sink_open(&s.kept, s.start + 3);
    scanner_replace(&s, s.start + 4, s.start + 5, "");
    sink_close(&s.recorded, s.end);
    sink_close(&s.kept, s.end);
    g_assert_cmpstr(recorded->str, ==, "a--df");
    g_assert_cmpstr(kept->str, ==, "df");
}

static void a_value_is_passed_whole(void) {
    static const char *const values[] = {
        "null", "-1.5e3", "\"a\\\"b\"", "[1,[2],{}]", "{\"a\":{\"b\":[]}}", "true", "\"\""};
    for (size_t i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autofree char *text = g_strconcat(values[i], " ,rest", NULL);
        Scanner s;
        scanner_init(&s, text, strlen(text));
        g_assert_true(scanner_begin(&s));
        g_assert_true(scanner_skip(&s, 0));
        g_assert_cmpint(s.p - s.start, ==, (gssize)strlen(values[i]));
        g_autoptr(GError) error = NULL;
        g_assert_false(scanner_finish(&s));
        g_assert_false(scanner_report(&s, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
    }
}

/* Walks "[ 1 , 2 ]" step by step. */
static void items_and_members_are_walked_in_steps(void) {
    static const char text[] = "[ 1 , {\"k\" : 2} ]";
    Scanner s;
    bool more = false;
    const Byte *name_end = NULL;
    scanner_init(&s, text, strlen(text));
    g_assert_true(scanner_begin(&s) && scanner_enter(&s, 1));
    g_assert_true(scanner_next(&s, ']', true, &more) && more && *s.p == '1');
    g_assert_true(scanner_scalar(&s));
    g_assert_true(scanner_next(&s, ']', false, &more) && more && *s.p == '{');
    g_assert_true(scanner_enter(&s, 2));
    g_assert_true(scanner_next(&s, '}', true, &more) && more && *s.p == '"');
    g_assert_true(scanner_key(&s, &name_end) && *s.p == '2');
    g_assert_cmpstr((const char *)name_end, ==, " : 2} ]");
    g_assert_true(scanner_scalar(&s));
    g_assert_true(scanner_next(&s, '}', false, &more) && !more);
    g_assert_true(scanner_next(&s, ']', false, &more) && !more);
    g_assert_true(scanner_finish(&s));
}

static void depth_and_count_are_held_at_every_level(void) {
    Scanner s;
    scanner_init(&s, "[[1]]", 5);
    s.max_depth = 1;
    g_assert_true(scanner_begin(&s));
    g_assert_false(scanner_skip(&s, 0));
    g_assert_cmpint(s.code, ==, ERROR_LIMIT);
    scanner_init(&s, "[1,2,3]", 7);
    s.nodes = 8 + 2;
    g_assert_true(scanner_begin(&s));
    g_assert_false(scanner_skip(&s, 0));
    g_assert_cmpint(s.code, ==, ERROR_LIMIT);
    g_autoptr(GError) error = NULL;
    g_assert_false(scanner_report(&s, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_nonnull(strstr(error->message, "byte 5 of 7"));
}

static void escapes_in_the_last_string_are_told(void) {
    static const struct {
        const char *text;
        bool escaped;
    } cases[] = {{"\"plain\"", false}, {"\"a\\n\"", true}, {"\"\\u0041\"", true}, {"\"\"", false}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        Scanner s;
        scanner_init(&s, cases[i].text, strlen(cases[i].text));
        g_assert_true(scanner_begin(&s) && scanner_scalar(&s) && scanner_finish(&s));
        g_assert_cmpint(s.escaped, ==, cases[i].escaped);
    }
}

/* Strings of every length around the eight bytes that are looked at together, with a special byte
 * at every place. */
static void special_bytes_are_seen_at_every_place(void) {
    for (size_t length = 1; length < 40; length++) {
        for (size_t at = 0; at < length; at++) {
            g_autofree char *text = g_malloc(length + 2);
            memset(text, 'x', length + 2);
            text[0] = text[length + 1] = '"';
            Scanner s;
            text[1 + at] = '\x1f';
            scanner_init(&s, text, length + 2);
            g_assert_true(scanner_begin(&s));
            g_assert_false(scanner_scalar(&s));
            g_assert_cmpint(s.p - s.start, ==, (gssize)(1 + at));
            text[1 + at] = '\xff';
            g_autoptr(GString) out = g_string_new(NULL);
            scanner_init(&s, text, length + 2);
            s.recorded.out = out;
            g_assert_true(scanner_begin(&s) && scanner_scalar(&s) && scanner_finish(&s));
            g_assert_cmpuint(out->len, ==, length + 2 + 2);
            text[1 + at] = '"';
            scanner_init(&s, text, length + 2);
            g_assert_true(scanner_begin(&s) && scanner_scalar(&s));
            g_assert_cmpint(s.p - s.start, ==, (gssize)(2 + at));
        }
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/scanner/" #name, name)
    TEST(sinks_copy_what_passed_while_they_were_open);
    TEST(replacements_reach_open_sinks_only);
    TEST(a_value_is_passed_whole);
    TEST(items_and_members_are_walked_in_steps);
    TEST(depth_and_count_are_held_at_every_level);
    TEST(escapes_in_the_last_string_are_told);
    TEST(special_bytes_are_seen_at_every_place);
    return g_test_run();
}
