/* Rows out of documents, whatever the pieces they come in. */
#include "unit/comply_support.h"

#include "comply/row_stream.h"

#include <string.h>

static bool collect(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    g_string_append_len(data, bytes, (gssize)size);
    g_string_append_c(data, '\n');
    return true;
}

/* Feeds the document in pieces of this size and returns the rows, one a line. */
static char *rows_of(const char *document, size_t piece) {
    g_autoptr(GString) rows = g_string_new(NULL);
    g_autoptr(RowStream) stream = row_stream_new(collect, rows);
    size_t size = strlen(document);
    for (size_t at = 0; at < size; at += piece)
        comply_ok(row_stream_feed(stream, document + at, MIN(piece, size - at), &error));
    comply_ok(row_stream_end(stream, &error));
    return g_strdup(rows->str);
}

static const char whole[] = "{\"details\":[{\"a\":1},{\"b\":\"x}]\\\"{,\",\"c\":[{},[]]},"
                            "{\"d\":\"\\\\\",\"e\":{\"f\":{\"g\":[1,2,{\"h\":\"]\"}]}}}],"
                            "\"total\":3,\"list\":[{\"no\":\"row\"}]}";
static const char expected[] = "{\"a\":1}\n"
                               "{\"b\":\"x}]\\\"{,\",\"c\":[{},[]]}\n"
                               "{\"d\":\"\\\\\",\"e\":{\"f\":{\"g\":[1,2,{\"h\":\"]\"}]}}}\n";

static void pieces_of_every_size_give_the_same_rows(void) {
    for (size_t piece = 1; piece <= strlen(whole); piece++) {
        g_autofree char *rows = rows_of(whole, piece);
        g_assert_cmpstr(rows, ==, expected);
    }
}

static void empty_documents_have_no_rows(void) {
    static const char *const documents[] = {"{\"details\":[]}", "{\"details\":[],\"total\":0}"};
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autofree char *rows = rows_of(documents[i], 3);
        g_assert_cmpstr(rows, ==, "");
    }
}

static void what_is_no_document_is_damage(void) {
    static const char *const documents[] = {
        "[1,2]",
        "{\"detail\":[]}",
        "{\"details\":{}}",
        "{\"details\":[1]}",
        "{\"details\":[,{}]}",
        "{\"details\":[{}{}]}",
        "{\"details\":[{},]}",
        "{\"details\":[{}}",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_autoptr(GString) rows = g_string_new(NULL);
        g_autoptr(RowStream) stream = row_stream_new(collect, rows);
        comply_fails(ERROR_DATABASE,
                     row_stream_feed(stream, documents[i], strlen(documents[i]), &error));
    }
}

static void a_document_that_ends_early_is_damage(void) {
    size_t end = (size_t)(strstr(whole, "],\"total\"") - whole);
    for (size_t size = 0; size <= end; size++) {
        g_autoptr(GString) rows = g_string_new(NULL);
        g_autoptr(RowStream) stream = row_stream_new(collect, rows);
        comply_ok(row_stream_feed(stream, whole, size, &error));
        comply_fails(ERROR_DATABASE, row_stream_end(stream, &error));
    }
}

static bool refuse(const char *bytes, size_t size, void *data, GError **error) {
    (void)bytes;
    (void)size;
    ++*(int *)data;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CANCELLED, "enough");
    return false;
}

static void a_row_that_is_refused_stops_the_stream(void) {
    int calls = 0;
    g_autoptr(RowStream) stream = row_stream_new(refuse, &calls);
    comply_fails(ERROR_CANCELLED, row_stream_feed(stream, whole, strlen(whole), &error));
    g_assert_cmpint(calls, ==, 1);
}

static bool count(const char *bytes, size_t size, void *data, GError **error) {
    (void)bytes;
    (void)error;
    *(size_t *)data += size;
    return true;
}

static void rows_of_megabytes_pass_and_endless_ones_do_not(void) {
    size_t bytes = 0;
    g_autofree char *filler = g_strnfill(1024 * 1024, 'x');
    g_autoptr(RowStream) stream = row_stream_new(count, &bytes);
    comply_ok(row_stream_feed(stream, "{\"details\":[{\"a\":\"", 18, &error));
    for (int i = 0; i < 20; i++)
        comply_ok(row_stream_feed(stream, filler, 1024 * 1024, &error));
    comply_ok(row_stream_feed(stream, "\"},{\"a\":\"", 9, &error));
    g_assert_cmpuint(bytes, ==, 20 * 1024 * 1024 + 8);
    for (int i = 0; i < 31; i++)
        comply_ok(row_stream_feed(stream, filler, 1024 * 1024, &error));
    comply_fails(ERROR_LIMIT, row_stream_feed(stream, filler, 1024 * 1024, &error));
}

static const ComplyTest tests[] = {
    {"pieces_of_every_size_give_the_same_rows", pieces_of_every_size_give_the_same_rows},
    {"empty_documents_have_no_rows", empty_documents_have_no_rows},
    {"what_is_no_document_is_damage", what_is_no_document_is_damage},
    {"a_document_that_ends_early_is_damage", a_document_that_ends_early_is_damage},
    {"a_row_that_is_refused_stops_the_stream", a_row_that_is_refused_stops_the_stream},
    {"rows_of_megabytes_pass_and_endless_ones_do_not",
     rows_of_megabytes_pass_and_endless_ones_do_not},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "row_stream", tests, G_N_ELEMENTS(tests));
}
