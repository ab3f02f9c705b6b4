/* The document writer: exact bytes, bounded chunks, one hash. */
#include "unit/collect_support.h"

#include "base/error.h"
#include "collect/writer.h"
#include "store/document_reader.h"

#include <string.h>

static bool is_drained(void *data) {
    return writer_backlog(data) == 0;
}

static void drain(const Bench *bench, Writer *writer) {
    GError *error = NULL;
    bool ok = net_client_run_until(bench->client, is_drained, writer, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
}

static Writer *begin(const Bench *bench) {
    UnitPlace place = {bench->client, bench->db, bench->scope};
    return writer_new(&place, NULL, NULL);
}

typedef struct {
    DocumentEnd end;
    char *id;
    GString *text;
    int64_t largest;
} Finishing;

static bool finish_work(DbUnit *unit, void *data, GError **error) {
    Finishing *finishing = data;
    g_clear_pointer(&finishing->id, g_free);
    return document_finish(unit, &finishing->end, &finishing->id, error);
}

static bool take_bytes(const char *bytes, size_t size, void *data, GError **error) {
    (void)error;
    Finishing *finishing = data;
    finishing->largest = MAX(finishing->largest, (int64_t)size);
    g_string_append_len(finishing->text, bytes, (gssize)size);
    return true;
}

/* Finishes the document and reads it back. */
static Finishing finish(const Bench *bench, const Writer *writer) {
    GError *error = NULL;
    Finishing finishing = {.end = writer_document(writer), .text = g_string_new(NULL)};
    bool ok = db_run(bench->db, &bench->scope, DB_WRITE, finish_work, &finishing, &error) &&
              document_each(bench->db, &bench->scope, finishing.id, take_bytes, &finishing, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    return finishing;
}

static void finishing_clear(Finishing *finishing) {
    g_free(finishing->id);
    g_string_free(finishing->text, TRUE);
}

static void a_document_without_rows_is_a_document(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    g_autoptr(Writer) writer = begin(bench);
    writer_end(writer, "\"total\":0", 9);
    drain(bench, writer);
    Finishing finishing = finish(bench, writer);
    g_assert_cmpstr(finishing.text->str, ==, "{\"details\":[],\"total\":0}");
    finishing_clear(&finishing);
}

static void a_document_without_summary_has_no_stray_comma(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    g_autoptr(Writer) writer = begin(bench);
    writer_row(writer, "{\"a\":1}", 7);
    writer_row(writer, "{\"a\":2}", 7);
    writer_end(writer, "", 0);
    drain(bench, writer);
    Finishing finishing = finish(bench, writer);
    g_assert_cmpstr(finishing.text->str, ==, "{\"details\":[{\"a\":1},{\"a\":2}]}");
    g_assert_cmpuint(writer_rows(writer), ==, 2);
    finishing_clear(&finishing);
}

static void long_documents_are_cut_into_bounded_chunks(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    g_autoptr(Writer) writer = begin(bench);
    g_autoptr(GString) expected = g_string_new("{\"details\":[");
    g_autofree char *filler = g_strnfill(90000, 'y');
    for (int i = 0; i < 20; i++) {
        g_autofree char *row = g_strdup_printf("{\"n\":%d,\"x\":\"%s\"}", i, filler);
        g_string_append_printf(expected, "%s%s", i > 0 ? "," : "", row);
        writer_row(writer, row, strlen(row));
    }
    g_string_append(expected, "]}");
    writer_end(writer, "", 0);
    drain(bench, writer);
    Finishing finishing = finish(bench, writer);
    g_assert_true(g_string_equal(finishing.text, expected));
    g_assert_cmpint(finishing.largest, ==, DOCUMENT_CHUNK_RAW);
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(expected->str, expected->len, hash);
    g_assert_cmpstr(finishing.end.sha256, ==, hash);
    finishing_clear(&finishing);
}

static void a_row_larger_than_a_chunk_is_whole(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    g_autoptr(Writer) writer = begin(bench);
    g_autofree char *filler = g_strnfill(3 * DOCUMENT_CHUNK_RAW, 'z');
    g_autofree char *row = g_strdup_printf("{\"x\":\"%s\"}", filler);
    writer_row(writer, row, strlen(row));
    writer_end(writer, "", 0);
    drain(bench, writer);
    Finishing finishing = finish(bench, writer);
    bench_assert_holds(finishing.text->str, row);
    finishing_clear(&finishing);
}

static void equal_documents_are_stored_once(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    char *ids[2];
    for (int i = 0; i < 2; i++) {
        g_autoptr(Writer) writer = begin(bench);
        writer_row(writer, "{}", 2);
        writer_end(writer, "", 0);
        drain(bench, writer);
        Finishing finishing = finish(bench, writer);
        ids[i] = g_strdup(finishing.id);
        finishing_clear(&finishing);
    }
    g_assert_cmpstr(ids[0], ==, ids[1]);
    g_free(ids[0]);
    g_free(ids[1]);
}

static void a_failing_database_is_told(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    UnitPlace place = {bench->client, bench->db, bench->scope};
    place.scope.organization = NULL;
    g_autoptr(Writer) writer = writer_new(&place, NULL, NULL);
    writer_end(writer, "", 0);
    drain(bench, writer);
    g_assert_nonnull(writer_error(writer));
}

static void nothing_is_written_after_the_lease_was_lost(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    UnitPlace place = {bench->client, bench->db, bench->scope};
    g_autoptr(Writer) held = writer_new(&place, "job", &lease);
    writer_end(held, "", 0);
    drain(bench, held);
    g_assert_no_error(writer_error(held));
    lease.fence++;
    g_autoptr(Writer) lost = writer_new(&place, "job", &lease);
    writer_end(lost, "", 0);
    drain(bench, lost);
    g_assert_error(writer_error(lost), ASSAY_ERROR, ERROR_CONFLICT);
    DocumentEnd end = writer_document(lost);
    Finishing finishing = {.end = end, .text = g_string_new(NULL)};
    GError *error = NULL;
    g_assert_false(db_run(bench->db, &bench->scope, DB_WRITE, finish_work, &finishing, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFLICT); /* there is none */
    g_error_free(error);
    finishing_clear(&finishing);
}

static void count_wake(void *data) {
    (*(unsigned *)data)++;
}

static void every_write_wakes_the_watcher(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    g_autoptr(Writer) writer = begin(bench);
    unsigned wakes = 0;
    writer_watch(writer, count_wake, &wakes);
    g_autofree char *row = g_strnfill(2 * DOCUMENT_CHUNK_RAW, ' ');
    writer_row(writer, row, strlen(row));
    writer_end(writer, "", 0);
    drain(bench, writer);
    g_assert_cmpuint(wakes, ==, 3);
}

#define TEST(name)                                                                                 \
    { "/collect/writer/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(a_document_without_rows_is_a_document),
        TEST(a_document_without_summary_has_no_stray_comma),
        TEST(long_documents_are_cut_into_bounded_chunks),
        TEST(a_row_larger_than_a_chunk_is_whole),
        TEST(equal_documents_are_stored_once),
        TEST(a_failing_database_is_told),
        TEST(nothing_is_written_after_the_lease_was_lost),
        TEST(every_write_wakes_the_watcher),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
