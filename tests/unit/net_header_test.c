#include "net/header.h"

#include "base/error.h"

#include <string.h>

static void names_compare_without_case_and_repetition_is_kept(void) {
    g_autoptr(NetHeaders) headers = net_headers_new(1000);
    g_assert_true(net_headers_add(headers, "Link", "<a>; rel=next", NULL));
    g_assert_true(net_headers_add(headers, "ETag", "\"1\"", NULL));
    g_assert_true(net_headers_add(headers, "LINK", "<b>; rel=last", NULL));
    g_assert_cmpstr(net_headers_get(headers, "link"), ==, "<a>; rel=next");
    g_assert_cmpstr(net_headers_get_nth(headers, "Link", 1), ==, "<b>; rel=last");
    g_assert_null(net_headers_get_nth(headers, "Link", 2));
    g_assert_null(net_headers_get(headers, "Lin"));
    g_assert_null(net_headers_get(headers, "Links"));
    g_assert_cmpuint(net_headers_count(headers), ==, 3);
    NetHeader second = net_headers_at(headers, 1);
    g_assert_cmpstr(second.name, ==, "ETag");
    g_assert_cmpstr(second.value, ==, "\"1\"");
}

static void set_replaces_all_of_that_name(void) {
    g_autoptr(NetHeaders) headers = net_headers_new(1000);
    g_assert_true(net_headers_add(headers, "Accept", "a", NULL));
    g_assert_true(net_headers_add(headers, "X-Other", "o", NULL));
    g_assert_true(net_headers_add(headers, "accept", "b", NULL));
    g_assert_true(net_headers_set(headers, "ACCEPT", "c", NULL));
    g_assert_cmpuint(net_headers_count(headers), ==, 2);
    g_assert_cmpstr(net_headers_get(headers, "accept"), ==, "c");
    g_assert_cmpstr(net_headers_get(headers, "x-other"), ==, "o");
}

/* Every byte, at every place of texts around the width in which they are looked at. */
static void controls_are_found_wherever_they_stand(void) {
    for (size_t length = 1; length < 20; length++) {
        for (int byte = 1; byte < 256; byte++) {
            g_autofree char *value = g_strnfill(length, 'v');
            value[(size_t)byte % length] = (char)byte;
            g_autoptr(NetHeaders) headers = net_headers_new(1000);
            bool control = (byte < 0x20 && byte != '\t') || byte == 0x7f;
            g_assert_cmpint(net_headers_add(headers, "Name", value, NULL), ==, !control);
        }
    }
}

static void nothing_can_break_out_of_its_field(void) {
    static const char *const names[] = {"", "A B", "A:", "A\r\nB", "\xc3\xa4", "A(", "A\t"};
    static const char *const values[] = {"a\r\nX: y", "a\nb", "a\rb", "a\x01", "\x7f"};
    g_autoptr(NetHeaders) headers = net_headers_new(1000);
    for (unsigned i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(net_headers_add(headers, names[i], "v", &error));
        g_assert_error(error, ASSAY_ERROR, (int)ERROR_CONFIGURATION);
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++) {
        g_autoptr(GError) error = NULL;
        g_assert_false(net_headers_set(headers, "Authorization", values[i], &error));
        g_assert_error(error, ASSAY_ERROR, (int)ERROR_CONFIGURATION);
        g_assert_nonnull(strstr(error->message, "Authorization"));
    }
    g_assert_cmpuint(net_headers_count(headers), ==, 0);
    g_assert_true(net_headers_add(headers, "X-Good", "tab\tand \xc3\xa4", NULL));
}

static void list_never_passes_its_bound(void) {
    g_autoptr(NetHeaders) headers = net_headers_new(20);
    g_autoptr(GError) error = NULL;
    g_assert_true(net_headers_add(headers, "A", "12345678", NULL)); /* 11 with its NULs */
    g_assert_false(net_headers_add(headers, "B", "1234567", &error));
    g_assert_error(error, ASSAY_ERROR, (int)ERROR_LIMIT);
    g_assert_false(net_headers_add_line(headers, "B: 1234567", 10));
    g_assert_true(net_headers_add_line(headers, "B: 123456\r\n", 11));
    g_assert_cmpuint(net_headers_count(headers), ==, 2);
}

static void received_lines_are_trimmed_and_lowered(void) {
    static const struct {
        const char *line;
        const char *name;
        const char *value;
    } rows[] = {
        {"Content-Type: text/plain\r\n", "content-type", "text/plain"},
        {"X-Empty:\r\n", "x-empty", ""},
        {"X-Blank: \t \r\n", "x-blank", ""},
        {"X-Colon: a:b : c  \r\n", "x-colon", "a:b : c"},
        {"X-Bare:no-break", "x-bare", "no-break"},
        {"no field at all\r\n", NULL, NULL},
        {": no name\r\n", NULL, NULL},
        {"\r\n", NULL, NULL},
        {"", NULL, NULL},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autoptr(NetHeaders) headers = net_headers_new(1000);
        g_assert_true(net_headers_add_line(headers, rows[i].line, strlen(rows[i].line)));
        g_assert_cmpuint(net_headers_count(headers), ==, rows[i].name ? 1 : 0);
        if (rows[i].name) {
            g_assert_cmpstr(net_headers_at(headers, 0).name, ==, rows[i].name);
            g_assert_cmpstr(net_headers_at(headers, 0).value, ==, rows[i].value);
        }
    }
    g_autoptr(NetHeaders) headers = net_headers_new(1000);
    g_assert_true(net_headers_add_line(headers, "A: b\0c", 6));
    g_assert_cmpuint(net_headers_count(headers), ==, 0);
}

static void list_is_reused_and_grows(void) {
    g_autoptr(NetHeaders) headers = net_headers_new(1 << 20);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 500; i++) {
            g_autofree char *name = g_strdup_printf("X-%u", i);
            g_autofree char *value = g_strdup_printf("value %u of round %u", i, round);
            g_assert_true(net_headers_add(headers, name, value, NULL));
        }
        g_autofree char *expected = g_strdup_printf("value 499 of round %u", round);
        g_assert_cmpstr(net_headers_get(headers, "x-499"), ==, expected);
        g_assert_cmpuint(net_headers_count(headers), ==, 500);
        net_headers_clear(headers);
        g_assert_cmpuint(net_headers_count(headers), ==, 0);
        g_assert_null(net_headers_get(headers, "x-499"));
    }
}

/* The pointer stays valid storage of the list, so what it held can be looked at. */
static void wiping_overwrites_also_what_was_cleared_before(void) {
    g_autoptr(NetHeaders) headers = net_headers_new(1000);
    g_assert_true(net_headers_add(headers, "Authorization", "Bearer planted", NULL));
    const char *value = net_headers_get(headers, "Authorization");
    net_headers_clear(headers);
    g_assert_cmpint(memcmp(value, "Bearer ", 7), ==, 0);
    net_headers_wipe(headers);
    g_assert_cmpint(memcmp(value, "\0\0\0\0\0\0\0", 7), ==, 0);
    net_headers_free(NULL);
}

#define ADD(name) g_test_add_func("/net/header/" #name, name)

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    ADD(names_compare_without_case_and_repetition_is_kept);
    ADD(set_replaces_all_of_that_name);
    ADD(nothing_can_break_out_of_its_field);
    ADD(controls_are_found_wherever_they_stand);
    ADD(list_never_passes_its_bound);
    ADD(received_lines_are_trimmed_and_lowered);
    ADD(list_is_reused_and_grows);
    ADD(wiping_overwrites_also_what_was_cleared_before);
    return g_test_run();
}
