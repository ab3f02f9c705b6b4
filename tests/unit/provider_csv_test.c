/* CSV tables as JSON objects: quoting, strictness, limits, base64. */
#include "provider/csv.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"

static void assert_json(const char *csv, const char *expected) {
    g_autoptr(GString) out = g_string_new("before ");
    GError *error = NULL;
    bool good = csv_to_json(NULL, csv, strlen(csv), out, &error);
    g_assert_no_error(error);
    g_assert_true(good);
    g_assert_cmpstr(out->str + strlen("before "), ==, expected);
}

/* The output stays as it was, and the message says nothing of the table. */
static void assert_refused(const ScanLimits *limits, const char *csv, size_t size, ErrorCode code) {
    g_autoptr(GString) out = g_string_new("as it was");
    g_autoptr(GError) error = NULL;
    g_assert_false(csv_to_json(limits, csv, size, out, &error));
    g_assert_error(error, ASSAY_ERROR, (int)code);
    g_assert_cmpstr(out->str, ==, "as it was");
    g_assert_null(strstr(error->message, "hidden"));
}

static void assert_broken(const char *csv) {
    assert_refused(NULL, csv, strlen(csv), ERROR_SERVICE_UNAVAILABLE);
}

static void lines_become_objects_of_strings(void) {
    assert_json("a,b\n1,true\n,x y\n", "[{\"a\":\"1\",\"b\":\"true\"},{\"a\":\"\",\"b\":\"x y\"}]");
    assert_json("a\n1", "[{\"a\":\"1\"}]");
    assert_json("a,b\n", "[]");
    assert_json("a,b", "[]");
    assert_json("b,a\n1,2", "[{\"b\":\"1\",\"a\":\"2\"}]");
    assert_json("a,b\n1,\n,2\n,", "[{\"a\":\"1\",\"b\":\"\"},{\"a\":\"\",\"b\":\"2\"},"
                                  "{\"a\":\"\",\"b\":\"\"}]");
    assert_json("a\n 1 \n", "[{\"a\":\" 1 \"}]");
}

static void both_line_ends_are_read(void) {
    assert_json("a,b\r\n1,2\r\n3,4", "[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"3\",\"b\":\"4\"}]");
    assert_json("a\n1\r\n2\n", "[{\"a\":\"1\"},{\"a\":\"2\"}]");
}

static void blank_lines_and_the_mark_are_dropped(void) {
    assert_json("\xef\xbb\xbf"
                "a\n\n1\n\r\n\n2\n\n",
                "[{\"a\":\"1\"},{\"a\":\"2\"}]");
    assert_json("\n\r\na\n1", "[{\"a\":\"1\"}]");
    assert_json("a\n\"\"\n", "[{\"a\":\"\"}]");
}

static void quoted_fields_hold_anything(void) {
    assert_json("a,b\n\"1,2\",\"x\ny\r\nz\"\n", "[{\"a\":\"1,2\",\"b\":\"x\\ny\\r\\nz\"}]");
    assert_json("a\n\"say \"\"no\"\"\"\n", "[{\"a\":\"say \\\"no\\\"\"}]");
    assert_json("a,b\n\"\"\"\",\"\"\n", "[{\"a\":\"\\\"\",\"b\":\"\"}]");
    assert_json("a,b\n\"\"\"\"\"\",\"x\"\"y\"", "[{\"a\":\"\\\"\\\"\",\"b\":\"x\\\"y\"}]");
    assert_json("\"a,\"\"b\"\n1\n", "[{\"a,\\\"b\":\"1\"}]");
    assert_json("\"a\",\"b\"\r\n\"1\",\"2\"\r\n", "[{\"a\":\"1\",\"b\":\"2\"}]");
}

static void text_is_escaped_and_mended(void) {
    assert_json("a\n\\\t\x01\x7f\n", "[{\"a\":\"\\\\\\t\\u0001\\u007f\"}]");
    assert_json("\xc3\xa9\n\xf0\x9f\x98\x80\n", "[{\"\xc3\xa9\":\"\xf0\x9f\x98\x80\"}]");
    assert_json("a\n\xff\n", "[{\"a\":\"\xef\xbf\xbd\"}]");
}

static void a_credential_report_comes_out(void) {
    assert_json("user,arn,user_creation_time,password_enabled,mfa_active,access_key_1_active\n"
                "<root_account>,arn:aws:iam::123456789012:root,2019-02-01T00:00:00+00:00,"
                "not_supported,true,false\n"
                "ann,arn:aws:iam::123456789012:user/ann,2020-01-01T00:00:00+00:00,true,false,N/A",
                "[{\"user\":\"<root_account>\",\"arn\":\"arn:aws:iam::123456789012:root\","
                "\"user_creation_time\":\"2019-02-01T00:00:00+00:00\",\"password_enabled\":"
                "\"not_supported\",\"mfa_active\":\"true\",\"access_key_1_active\":\"false\"},"
                "{\"user\":\"ann\",\"arn\":\"arn:aws:iam::123456789012:user/ann\","
                "\"user_creation_time\":\"2020-01-01T00:00:00+00:00\",\"password_enabled\":"
                "\"true\",\"mfa_active\":\"false\",\"access_key_1_active\":\"N/A\"}]");
}

static void tables_that_do_not_fit_are_broken(void) {
    assert_broken("");
    assert_broken("\xef\xbb\xbf");
    assert_broken("\n\r\n");
    assert_broken("a,b\nhidden\n");
    assert_broken("a,b\n1,2,hidden\n");
    assert_broken("a,b\n1,2,\n");
    assert_broken("a,b\n1,2\nhidden");
    assert_broken("a\nhidden,2\n");
}

static void headers_without_good_names_are_broken(void) {
    assert_broken("hidden,hidden\n1,2\n");
    assert_broken("a,,b\n1,2,3\n");
    assert_broken("a,\n1,2\n");
    assert_broken("\"\"\n1\n");
    assert_broken("\"hidden\",hidden\n1,2\n");
}

static void misplaced_quotes_and_line_ends_are_broken(void) {
    assert_broken("a\n\"hidden");
    assert_broken("a\n\"hidden\"\"");
    assert_broken("a\nhid\"den\n");
    assert_broken("a\n\"hid\"den\n");
    assert_broken("a\n\"hidden\" \n");
    assert_broken("a\n1\rhidden\n");
    assert_broken("a\n1\r");
    assert_broken("\r");
    assert_broken("\"a\n");
}

static void a_nul_is_broken(void) {
    static const char table[] = "a\n1\0"
                                "2\n";
    assert_refused(NULL, table, sizeof table - 1, ERROR_SERVICE_UNAVAILABLE);
}

static void messages_name_the_row(void) {
    g_autoptr(GString) out = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    static const char table[] = "a,b\n1,2\n3,4\n5\n";
    g_assert_false(csv_to_json(NULL, table, strlen(table), out, &error));
    g_assert_nonnull(strstr(error->message, "row 3"));
}

static void sizes_are_limited(void) {
    static const char table[] = "a,b\n1,2\n3,4\n";
    size_t size = strlen(table);
    const ScanLimits enough = {.max_bytes = 40, .max_nodes = 6};
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(csv_to_json(&enough, table, size, out, NULL));
    g_assert_cmpstr(out->str, ==, "[{\"a\":\"1\",\"b\":\"2\"},{\"a\":\"3\",\"b\":\"4\"}]");
    g_assert_cmpuint(out->len, <=, enough.max_bytes);
    const ScanLimits short_input = {.max_bytes = size - 1, .max_nodes = 6};
    const ScanLimits short_output = {.max_bytes = 36, .max_nodes = 6};
    const ScanLimits few_fields = {.max_bytes = 40, .max_nodes = 5};
    assert_refused(&short_input, table, size, ERROR_LIMIT);
    assert_refused(&short_output, table, size, ERROR_LIMIT);
    assert_refused(&few_fields, table, size, ERROR_LIMIT);
}

/* Each row repeats the names, so a long name would make much of little. */
static void names_are_limited(void) {
    g_autofree char *name = g_strnfill(CSV_MAX_NAME + 1, 'n');
    g_autofree char *table = g_strconcat(name, "\n1\n", NULL);
    assert_refused(NULL, table, strlen(table), ERROR_LIMIT);
    g_autoptr(GString) out = g_string_new(NULL);
    g_assert_true(csv_to_json(NULL, table + 1, strlen(table) - 1, out, NULL));
}

typedef struct {
    int rows;
    int stop_at;
} Counter;

static bool count_row(const char *json, size_t size, void *data, GError **error) {
    Counter *counter = data;
    g_autoptr(Json) row = json_parse(json, size, size, NULL);
    g_assert_nonnull(row);
    if (++counter->rows != counter->stop_at)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "enough");
    return false;
}

static void rows_come_one_by_one_until_the_callback_stops(void) {
    static const char table[] = "a\n1\n2\n3\n";
    Counter counter = {0, 0};
    CsvRows rows = {.row = count_row, .data = &counter};
    int64_t count = -1;
    g_assert_true(csv_rows(&rows, table, strlen(table), &count, NULL));
    g_assert_cmpint(count, ==, 3);
    g_assert_cmpint(counter.rows, ==, 3);
    counter = (Counter){0, 2};
    count = -1;
    g_autoptr(GError) error = NULL;
    g_assert_false(csv_rows(&rows, table, strlen(table), &count, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CANCELLED);
    g_assert_cmpint(counter.rows, ==, 2);
    g_assert_cmpint(count, ==, -1);
}

static void base64_is_decoded_first(void) {
    static const char *const same[] = {"YSxiCjEsMgo=", "YSxi\nCjEs\r\nMgo=\n", "YSxiCjEsMgo"};
    for (size_t i = 0; i < G_N_ELEMENTS(same); i++) {
        g_autoptr(GString) out = g_string_new(NULL);
        g_assert_true(csv_base64_to_json(NULL, same[i], strlen(same[i]), out, NULL));
        g_assert_cmpstr(out->str, ==, "[{\"a\":\"1\",\"b\":\"2\"}]");
    }
    static const char *const wrong[] = {"", "YSxiCjEs Mgo=", "a,b", "YSxiCjE=\nhidden", "YSxiCjE="};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GString) out = g_string_new("as it was");
        g_autoptr(GError) error = NULL;
        g_assert_false(csv_base64_to_json(NULL, wrong[i], strlen(wrong[i]), out, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_SERVICE_UNAVAILABLE);
        g_assert_cmpstr(out->str, ==, "as it was");
        g_assert_null(strstr(error->message, "hidden"));
    }
}

/* Writes a row of random fields by the rules, and as an object. */
static Json *write_row(GRand *random, gint32 columns, GString *csv) {
    static const char *const texts[] = {"",   "1",    ",",   "\"",       "\"\"",
                                        "\n", "\r\n", "a b", "\xc3\xa9", "'"};
    Json *row = json_new_object();
    for (gint32 i = 0; i < columns; i++) {
        const char *text = texts[g_rand_int_range(random, 0, G_N_ELEMENTS(texts))];
        g_auto(GStrv) parts = g_strsplit(text, "\"", -1);
        g_autofree char *doubled = g_strjoinv("\"\"", parts);
        bool plain = strpbrk(text, ",\"\r\n") == NULL && (columns > 1 || *text != '\0');
        bool quote = !plain || g_rand_boolean(random);
        g_string_append_printf(csv, quote ? "%s\"%s\"" : "%s%s", i > 0 ? "," : "", doubled);
        g_autofree char *name = g_strdup_printf("c%d", i);
        json_put_string(row, name, text);
    }
    return row;
}

static void written_tables_read_back(void) {
    GRand *random = g_rand_new_with_seed(4180);
    for (int round = 0; round < 500; round++) {
        gint32 columns = g_rand_int_range(random, 1, 6), lines = g_rand_int_range(random, 0, 8);
        const char *line_end = g_rand_boolean(random) ? "\n" : "\r\n";
        g_autoptr(GString) csv = g_string_new(NULL);
        g_autoptr(Json) expected = json_new_array();
        for (gint32 i = 0; i < columns; i++)
            g_string_append_printf(csv, "%sc%d", i > 0 ? "," : "", i);
        for (gint32 line = 0; line < lines; line++) {
            g_string_append(csv, line_end);
            json_add(expected, write_row(random, columns, csv));
        }
        g_autofree char *text = json_print(expected, JSON_COMPACT);
        assert_json(csv->str, text);
    }
    g_rand_free(random);
}

/* Whatever comes: good JSON, or an error and an output as it was. */
static void damaged_tables_do_no_harm(void) {
    static const char whole[] = "a,\"b\"\"\",c\r\n1,\"2\n\",3\n\"\",\"\"\"\",x\n\n7,8,9";
    static const char bytes[] = "\",\n\ra\xff";
    GRand *random = g_rand_new_with_seed(7);
    int good = 0;
    for (int round = 0; round < 20000; round++) {
        g_autofree char *table = g_strdup(whole);
        size_t size = (size_t)g_rand_int_range(random, 0, sizeof whole);
        for (gint32 n = g_rand_int_range(random, 0, 4); n > 0; n--)
            table[g_rand_int_range(random, 0, sizeof whole - 1)] =
                bytes[g_rand_int_range(random, 0, sizeof bytes - 1)];
        g_autofree char *exact = g_memdup2(table, size + 1); /* so that ASan sees reads beyond */
        g_autoptr(GString) out = g_string_new("as it was");
        if (!csv_to_json(NULL, exact, size, out, NULL)) {
            g_assert_cmpstr(out->str, ==, "as it was");
            continue;
        }
        good++;
        g_autoptr(GError) error = NULL;
        g_autoptr(Json) json = json_parse(out->str + strlen("as it was"),
                                          out->len - strlen("as it was"), out->len, &error);
        g_assert_no_error(error);
    }
    g_assert_cmpint(good, >, 100);
    g_rand_free(random);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/csv/" #name, name)
    TEST(lines_become_objects_of_strings);
    TEST(both_line_ends_are_read);
    TEST(blank_lines_and_the_mark_are_dropped);
    TEST(quoted_fields_hold_anything);
    TEST(text_is_escaped_and_mended);
    TEST(a_credential_report_comes_out);
    TEST(tables_that_do_not_fit_are_broken);
    TEST(headers_without_good_names_are_broken);
    TEST(misplaced_quotes_and_line_ends_are_broken);
    TEST(a_nul_is_broken);
    TEST(messages_name_the_row);
    TEST(sizes_are_limited);
    TEST(names_are_limited);
    TEST(rows_come_one_by_one_until_the_callback_stops);
    TEST(base64_is_decoded_first);
    TEST(written_tables_read_back);
    TEST(damaged_tables_do_no_harm);
    return g_test_run();
}
