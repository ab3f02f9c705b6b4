#include "base/text.h"

#include "base/secmem.h"

#include <string.h>

static void assert_bytes(const void *got, size_t got_size, const void *expected, size_t size) {
    g_assert_cmpuint(got_size, ==, size);
    g_assert_true(size == 0 || memcmp(got, expected, size) == 0);
}

static void hex_prints_and_reads_back(void) {
    static const uint8_t bytes[] = {0x00, 0x0f, 0xa5, 0xff};
    uint8_t back[4];
    g_autofree char *hex = text_hex(bytes, sizeof bytes);
    g_assert_cmpstr(hex, ==, "000fa5ff");
    g_assert_true(text_unhex("000Fa5Ff", back, sizeof back));
    assert_bytes(back, sizeof back, bytes, sizeof bytes);
    g_autofree char *empty = text_hex(NULL, 0);
    g_assert_cmpstr(empty, ==, "");
}

static void hex_of_another_length_or_alphabet_is_refused(void) {
    uint8_t out[2] = {1, 2};
    g_assert_false(text_unhex("", out, 2));
    g_assert_false(text_unhex("abc", out, 2));
    g_assert_false(text_unhex("abcde", out, 2));
    g_assert_false(text_unhex("abcdef", out, 2));
    g_assert_false(text_unhex("abcg", out, 2));
    g_assert_false(text_unhex("abcd ", out, 2));
    g_assert_false(text_unhex("0xab", out, 2));
    g_assert_cmpint(out[0], ==, 1);
    g_assert_cmpint(out[1], ==, 2);
}

/* RFC 4648 section 10, without the padding. */
static void base64url_gives_the_answers_of_rfc_4648(void) {
    static const char *const cases[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = text_base64url(cases[i][0], strlen(cases[i][0]));
        g_assert_cmpstr(text, ==, cases[i][1]);
    }
    g_autofree char *url = text_base64url("\xfb\xff\xfe", 3);
    g_assert_cmpstr(url, ==, "-__-");
}

static void assert_decodes(const char *text, const void *bytes, size_t size) {
    g_autofree uint8_t *out = NULL;
    size_t out_size = 99;
    g_test_message("%s", text);
    g_assert_true(text_unbase64(text, strlen(text), &out, &out_size));
    assert_bytes(out, out_size, bytes, size);
}

static void base64_is_read_in_both_alphabets_padded_or_not(void) {
    assert_decodes("", "", 0);
    assert_decodes("Zg", "f", 1);
    assert_decodes("Zg==", "f", 1);
    assert_decodes("Zm8=", "fo", 2);
    assert_decodes("Zm8", "fo", 2);
    assert_decodes("Zm9vYmFy", "foobar", 6);
    assert_decodes("-__-", "\xfb\xff\xfe", 3);
    assert_decodes("+//+", "\xfb\xff\xfe", 3);
}

static void base64_with_one_bad_byte_is_refused_and_writes_nothing(void) {
    static const char *const cases[] = {
        "Z",  "Zg=", "Zg===", "Zm9v=", "Zm9v==", "Zm9v====", "=",    "==",   "====",   "Z===",
        "Zh", "Zm9", "Zm9vY", "Zm 9v", "Zm9v\n", "Zm9*",     "Zg=a", "Z=g=", "\x80m9v"};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        uint8_t *out = NULL;
        size_t size = 99;
        g_test_message("case %u", i);
        g_assert_false(text_unbase64(cases[i], strlen(cases[i]), &out, &size));
        g_assert_null(out);
        g_assert_cmpuint(size, ==, 99);
    }
}

static void base64_reads_only_the_given_length(void) {
    g_autofree uint8_t *out = NULL;
    size_t size;
    g_assert_true(text_unbase64("Zm9v!!!!", 4, &out, &size));
    assert_bytes(out, size, "foo", 3);
}

static void random_bytes_survive_base64(void) {
    for (size_t size = 0; size < 100; size++) {
        uint8_t bytes[100];
        secmem_random(bytes, sizeof bytes);
        g_autofree char *text = text_base64url(bytes, size);
        assert_decodes(text, bytes, size);
    }
}

static void everything_but_unreserved_characters_is_percent_encoded(void) {
    static const char unreserved[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    g_autofree char *same = text_percent_encode(unreserved, strlen(unreserved));
    g_assert_cmpstr(same, ==, unreserved);
    g_autofree char *text = text_percent_encode("a b/c?d=e&f+\xc3\xa4%", 15);
    g_assert_cmpstr(text, ==, "a%20b%2Fc%3Fd%3De%26f%2B%C3%A4%25");
    g_autofree char *nul = text_percent_encode("\0\n", 2);
    g_assert_cmpstr(nul, ==, "%00%0A");
}

static void only_well_formed_utf8_without_nul_is_utf8(void) {
    static const struct {
        const char *bytes;
        size_t size;
        bool valid;
    } cases[] = {
        {"", 0, true},
        {"plain", 5, true},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", 9, true},
        {"\xef\xbf\xbf", 3, true},          /* U+FFFF is a code point like others */
        {"\xf4\x8f\xbf\xbf", 4, true},      /* U+10FFFF */
        {"\xf4\x90\x80\x80", 4, false},     /* beyond it */
        {"\xf8\x88\x80\x80\x80", 5, false}, /* five bytes */
        {"\xc0\xaf", 2, false},             /* overlong */
        {"\xe0\x80\xaf", 3, false},
        {"\xf0\x80\x80\xaf", 4, false},
        {"\xc1\xbf", 2, false},
        {"\xed\xa0\x80", 3, false}, /* a surrogate */
        {"\xed\xbf\xbf", 3, false},
        {"\x80", 1, false}, /* a continuation alone */
        {"\xc3", 1, false}, /* cut short */
        {"\xe2\x82", 2, false},
        {"\xc3(", 2, false},
        {"\xff", 1, false},
        {"a\0b", 3, false},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %u", i);
        g_assert_cmpint(text_is_utf8(cases[i].bytes, cases[i].size), ==, cases[i].valid);
    }
    g_assert_true(text_is_utf8(NULL, 0));
    for (size_t at = 0; at < 20; at++) { /* a bad byte at any place of a text of any length */
        char text[] = "abcdefghijklmnopqrst";
        text[at] = '\0';
        g_assert_false(text_is_utf8(text, sizeof text - 1));
        text[at] = (char)0x80;
        g_assert_false(text_is_utf8(text, sizeof text - 1));
        g_assert_true(text_is_utf8(text, at));
    }
}

static void assert_line(const char *text, size_t max, const char *expected) {
    g_autofree char *line = text_one_line(text, max);
    g_assert_cmpstr(line, ==, expected);
}

static void control_characters_do_not_reach_a_line(void) {
    assert_line("one\ntwo\r\x1b[31mred\x7f", 100, "one?two??[31mred?");
    assert_line("csi \xc2\x9b"
                "31m",
                100, "csi ?31m");
    assert_line("lines \u2028 bidi \u202e \u2066 \u2069 \u202c", 100, "lines ? bidi ? ? ? ?");
    assert_line("bad \xff byte", 100, "bad \xef\xbf\xbd byte");
}

static void long_lines_are_cut_between_characters(void) {
    assert_line("", 10, "");
    assert_line("0123456789", 10, "0123456789");
    assert_line("0123456789a", 10, "0123456\xe2\x80\xa6");
    assert_line("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
    assert_line("\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4", 8, "\xc3\xa4\xc3\xa4\xe2\x80\xa6");
    assert_line("abcdef", 3, "\xe2\x80\xa6");
    assert_line("abcdef", 2, "");
    assert_line("abcdef", 0, "");
    for (size_t max = 0; max < 40; max++) {
        g_autofree char *line =
            text_one_line("\xff\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 mixed \xc3 text\n\xff", max);
        g_assert_cmpuint(strlen(line), <=, max);
        g_assert_true(text_is_utf8(line, strlen(line)));
    }
}

static void a_plain_text_shows_as_what_it_is(void) {
    static const struct {
        const char *text;
        bool line;
        bool lines;
    } cases[] = {
        {"", true, true},
        {"caf\xc3\xa9 \xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d \xf0\x9f\x98\x80", true, true},
        {"a\nb", false, true},
        {"a\tb", false, true},
        {"a\rb", false, false},
        {"a\x1b[2Jb", false, false},
        {"a\x7f"
         "b",
         false, false},
        {"csi \xc2\x9b", false, false},
        {"override \u202e \u202c", false, false},
        {"isolate \u2066 \u2069", false, false},
        {"mark \u200f", false, false},
        {"separator \u2028", false, false},
        {"bad \xff", false, false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("case %zu", i);
        g_assert_cmpint(text_is_plain(cases[i].text), ==, cases[i].line);
        g_assert_cmpint(text_is_plain_lines(cases[i].text), ==, cases[i].lines);
    }
}

static void what_is_wrong_with_a_text_is_said(void) {
    static const struct {
        const char *text;
        TextForm form;
        const char *fault; /* NULL: nothing */
    } cases[] = {
        {"", TEXT_LINE, NULL},
        {"12345678", TEXT_LINE, NULL},
        {"1234567890", TEXT_LINE, "must not be longer than 9 bytes"},
        {"1234567890", TEXT_LINES, "must not be longer than 9 bytes"},
        {"1234567890", TEXT_BYTES, "must not be longer than 9 bytes"},
        {"\u00e4\u00e4\u00e4\u00e4\u00e4", TEXT_LINE, "must not be longer than 9 bytes"},
        {"a\nb", TEXT_LINE, "must not have control characters, or such as turn text around"},
        {"a\nb", TEXT_LINES, NULL},
        {"a\033b", TEXT_LINES, "must not have control characters, or such as turn text around"},
        {"a\u202e \u202c", TEXT_LINE,
         "must not have control characters, or such as turn text around"},
        {"a\033b\xff", TEXT_BYTES, NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *fault = text_fault(cases[i].text, cases[i].form, 9);
        g_assert_cmpstr(fault, ==, cases[i].fault);
    }
}

static void assert_name(const char *text, bool shown) {
    g_autofree char *name = text_name(text);
    g_assert_cmpstr(name, ==, shown ? text : "\u2026");
}

static void what_may_be_a_name_is_repeated(void) {
    static const char *const names[] = {"",
                                        "organizationId",
                                        "secret_access_key",
                                        "X-Request-Id",
                                        "soc2:CC8.1",
                                        "A.8.12",
                                        "hipaa:164.312(a)(2)(iv)",
                                        "ec2 instances",
                                        "Gr\xc3\xb6\xc3\x9f"
                                        "e",
                                        "repo-1234567",
                                        "internationalization"};
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_name(names[i], true);
}

static void what_may_be_a_secret_is_not_repeated(void) {
    static const char *const secrets[] = {
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "9f86d081884c7d65",
        "123456789",
        "AKIAIOSFODNN7EXAMPLE",
        "a+b",
        "p%ss",
        "\"",
        "x=y",
        "tr&ck",
        "a\nb",
        "\xff",
        "abcdefghijklmnopqrstuvwxy",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N"};
    for (size_t i = 0; i < G_N_ELEMENTS(secrets); i++)
        assert_name(secrets[i], false);
    g_autofree char *words = g_strnfill(61, ' ');
    assert_name(words, false);
    words[60] = '\0';
    assert_name(words, true);
}

static void prefixes_are_found(void) {
    g_assert_true(text_starts_with("ghp_secret", "ghp_"));
    g_assert_true(text_starts_with("ghp_", "ghp_"));
    g_assert_true(text_starts_with("anything", ""));
    g_assert_false(text_starts_with("ghp", "ghp_"));
    g_assert_false(text_starts_with("xghp_", "ghp_"));
}

static void distance_counts_single_edits(void) {
    static const struct {
        const char *a, *b;
        unsigned limit, expected;
    } cases[] = {
        {"", "", 3, 0},
        {"same", "same", 3, 0},
        {"paginate", "pagniate", 3, 2},
        {"kitten", "sitting", 3, 3},
        {"kitten", "sitting", 2, 3},
        {"abc", "", 3, 3},
        {"", "abc", 2, 3},
        {"abcdef", "uvwxyz", 2, 3},
        {"flaw", "lawn", 5, 2},
        {"ab", "ba", 1, 2},
        {"title", "titel", 0, 1},
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_test_message("%s %s", cases[i].a, cases[i].b);
        g_assert_cmpuint(text_distance(cases[i].a, cases[i].b, cases[i].limit), ==,
                         cases[i].expected);
        g_assert_cmpuint(text_distance(cases[i].b, cases[i].a, cases[i].limit), ==,
                         cases[i].expected);
    }
}

static void texts_too_long_for_a_misspelling_are_far_apart(void) {
    g_autofree char *text = g_strnfill(257, 'a');
    g_assert_cmpuint(text_distance(text, text, 3), ==, 4);
    text[256] = '\0';
    g_assert_cmpuint(text_distance(text, text, 3), ==, 0);
}

static void names_change_between_snake_and_camel(void) {
    static const char *const both[][2] = {{"access_token", "accessToken"},
                                          {"a", "a"},
                                          {"", ""},
                                          {"tenant_id_of_app", "tenantIdOfApp"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(both); i++) {
        g_autofree char *camel = text_camel(both[i][0]);
        g_autofree char *snake = text_snake(both[i][1]);
        g_assert_cmpstr(camel, ==, both[i][1]);
        g_assert_cmpstr(snake, ==, both[i][0]);
    }
}

static void runs_of_capitals_are_one_word(void) {
    static const char *const cases[][2] = {{"hasMFA", "has_mfa"},
                                           {"MFAEnabled", "mfa_enabled"},
                                           {"accessKeyId2Rotated", "access_key_id2_rotated"},
                                           {"AWSAccountID", "aws_account_id"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *snake = text_snake(cases[i][0]);
        g_assert_cmpstr(snake, ==, cases[i][1]);
    }
}

static void odd_underscores_stay(void) {
    static const char *const cases[][2] = {{"_private", "_private"},
                                           {"trailing_", "trailing_"},
                                           {"two__lines", "two__lines"},
                                           {"_", "_"},
                                           {"already_Upper", "alreadyUpper"}};
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *camel = text_camel(cases[i][0]);
        g_test_message("%s", cases[i][0]);
        g_assert_cmpstr(camel, ==, cases[i][1]);
    }
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/text/hex_prints_and_reads_back", hex_prints_and_reads_back);
    g_test_add_func("/base/text/hex_of_another_length_or_alphabet_is_refused",
                    hex_of_another_length_or_alphabet_is_refused);
    g_test_add_func("/base/text/base64url_gives_the_answers_of_rfc_4648",
                    base64url_gives_the_answers_of_rfc_4648);
    g_test_add_func("/base/text/base64_is_read_in_both_alphabets_padded_or_not",
                    base64_is_read_in_both_alphabets_padded_or_not);
    g_test_add_func("/base/text/base64_with_one_bad_byte_is_refused_and_writes_nothing",
                    base64_with_one_bad_byte_is_refused_and_writes_nothing);
    g_test_add_func("/base/text/base64_reads_only_the_given_length",
                    base64_reads_only_the_given_length);
    g_test_add_func("/base/text/random_bytes_survive_base64", random_bytes_survive_base64);
    g_test_add_func("/base/text/everything_but_unreserved_characters_is_percent_encoded",
                    everything_but_unreserved_characters_is_percent_encoded);
    g_test_add_func("/base/text/only_well_formed_utf8_without_nul_is_utf8",
                    only_well_formed_utf8_without_nul_is_utf8);
    g_test_add_func("/base/text/control_characters_do_not_reach_a_line",
                    control_characters_do_not_reach_a_line);
    g_test_add_func("/base/text/long_lines_are_cut_between_characters",
                    long_lines_are_cut_between_characters);
    g_test_add_func("/base/text/a_plain_text_shows_as_what_it_is",
                    a_plain_text_shows_as_what_it_is);
    g_test_add_func("/base/text/what_is_wrong_with_a_text_is_said",
                    what_is_wrong_with_a_text_is_said);
    g_test_add_func("/base/text/what_may_be_a_name_is_repeated", what_may_be_a_name_is_repeated);
    g_test_add_func("/base/text/what_may_be_a_secret_is_not_repeated",
                    what_may_be_a_secret_is_not_repeated);
    g_test_add_func("/base/text/prefixes_are_found", prefixes_are_found);
    g_test_add_func("/base/text/distance_counts_single_edits", distance_counts_single_edits);
    g_test_add_func("/base/text/texts_too_long_for_a_misspelling_are_far_apart",
                    texts_too_long_for_a_misspelling_are_far_apart);
    g_test_add_func("/base/text/names_change_between_snake_and_camel",
                    names_change_between_snake_and_camel);
    g_test_add_func("/base/text/runs_of_capitals_are_one_word", runs_of_capitals_are_one_word);
    g_test_add_func("/base/text/odd_underscores_stay", odd_underscores_stay);
    return g_test_run();
}
