/* The cassette: what was recorded is found once, in order, after a restart as well. */
#include "unit/collect_support.h"

#include "base/error.h"
#include "store/journal.h"

#include <string.h>

static CassetteKey key_of(const char *url) {
    return (CassetteKey){.node = "user", .method = "GET", .url = url};
}

static void append(Cassette *cassette, const char *url, const char *body) {
    CassetteKey key = key_of(url);
    Recording recording = {.status = 200,
                           .outcome = OUTCOME_OK,
                           .url = url,
                           .headers = "link: <x>\n",
                           .body = body,
                           .body_size = strlen(body)};
    cassette_append(cassette, &key, &recording);
}

/* The body found for a URL, or NULL. */
static const char *find(Cassette *cassette, const char *url) {
    CassetteKey key = key_of(url);
    GError *error = NULL;
    bool found = false;
    static Recording recording;
    bool ok = cassette_find(cassette, &key, &found, &recording, &error);
    g_assert_no_error(error);
    g_assert_true(ok);
    return found ? recording.body : NULL;
}

static void an_empty_cassette_finds_nothing(void) {
    g_autoptr(Cassette) cassette = cassette_new_in_memory();
    g_assert_null(find(cassette, "a"));
    g_assert_cmpuint(cassette_count(cassette), ==, 0);
}

static void the_same_question_finds_the_first_answer_first(void) {
    g_autoptr(Cassette) cassette = cassette_new_in_memory();
    append(cassette, "a", "one");
    append(cassette, "b", "other");
    append(cassette, "a", "two");
    g_assert_cmpstr(find(cassette, "a"), ==, "one");
    g_assert_cmpstr(find(cassette, "a"), ==, "two");
    g_assert_null(find(cassette, "a"));
    g_assert_cmpstr(find(cassette, "b"), ==, "other");
}

static void node_method_and_body_belong_to_the_question(void) {
    g_autoptr(Cassette) cassette = cassette_new_in_memory();
    append(cassette, "a", "one");
    CassetteKey others[] = {
        {"other", "GET", "a", NULL}, {"user", "POST", "a", NULL}, {"user", "GET", "a", "{}"}};
    for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
        bool found = true;
        Recording recording;
        g_assert_true(cassette_find(cassette, &others[i], &found, &recording, NULL));
        g_assert_false(found);
    }
}

static void everything_of_an_answer_comes_back(void) {
    g_autoptr(Cassette) cassette = cassette_new_in_memory();
    CassetteKey key = {"user", "POST", "a", "{\"q\":1}"};
    const char body[] = "with\0nul";
    Recording put = {.status = 403,
                     .outcome = OUTCOME_UNLICENSED,
                     .then = THEN_NOT_APPLICABLE,
                     .url = "final",
                     .message = "no",
                     .headers = "date: now\n",
                     .body = body,
                     .body_size = sizeof body};
    cassette_append(cassette, &key, &put);
    bool found = false;
    Recording got;
    g_assert_true(cassette_find(cassette, &key, &found, &got, NULL));
    g_assert_true(found);
    g_assert_cmpint(got.status, ==, 403);
    g_assert_cmpint(got.outcome, ==, OUTCOME_UNLICENSED);
    g_assert_cmpint(got.then, ==, THEN_NOT_APPLICABLE);
    g_assert_cmpstr(got.url, ==, "final");
    g_assert_cmpstr(got.message, ==, "no");
    g_assert_cmpstr(got.headers, ==, "date: now\n");
    g_assert_cmpuint(got.body_size, ==, sizeof body);
    g_assert_true(memcmp(got.body, body, sizeof body) == 0);
}

static void what_was_flushed_is_found_after_a_restart(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    bench_use_journal(bench, &lease);
    append(bench->cassette, "a", "one");
    bench_settle(bench);
    append(bench->cassette, "b", "two");
    bench_settle(bench);
    char before[DIGEST_HEX_SIZE];
    cassette_hash(bench->cassette, before);
    bench_use_journal(bench, &lease);
    char after[DIGEST_HEX_SIZE];
    cassette_hash(bench->cassette, after);
    g_assert_cmpstr(before, ==, after);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 2);
    g_assert_cmpstr(find(bench->cassette, "b"), ==, "two");
    g_assert_cmpstr(find(bench->cassette, "a"), ==, "one");
    g_assert_null(find(bench->cassette, "a"));
}

static void what_was_not_flushed_is_asked_again(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    bench_use_journal(bench, &lease);
    append(bench->cassette, "a", "one");
    g_assert_cmpuint(cassette_pending(bench->cassette), ==, 1);
    bench_use_journal(bench, &lease);
    g_assert_null(find(bench->cassette, "a"));
}

static void large_batches_are_written_by_themselves(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    bench_use_journal(bench, &lease);
    g_autofree char *body = g_strnfill(100000, 'x');
    for (int i = 0; i < 10; i++) {
        g_autofree char *url = g_strdup_printf("url-%d", i);
        append(bench->cassette, url, body);
    }
    bench_settle(bench);
    bench_use_journal(bench, &lease);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 10);
    for (int i = 9; i >= 0; i--) {
        g_autofree char *url = g_strdup_printf("url-%d", i);
        g_assert_cmpuint(strlen(find(bench->cassette, url)), ==, 100000);
    }
}

static void a_lost_lease_stops_the_writing(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    lease.fence++;
    bench_use_journal(bench, &lease);
    append(bench->cassette, "a", "one");
    bench_settle(bench);
    g_assert_error(cassette_error(bench->cassette), ASSAY_ERROR, ERROR_CONFLICT);
}

static bool damage_work(DbUnit *unit, void *data, GError **error) {
    const JobLease *lease = data;
    JournalBatch batch = {.entries = 1, .raw_size = 4, .bytes = {"junk", 4}};
    return journal_append(unit, lease, &batch, NULL, error);
}

static void a_damaged_journal_is_an_error_not_an_empty_one(void) {
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    GError *error = NULL;
    g_assert_true(db_run(bench->db, &bench->scope, DB_WRITE, damage_work, &lease, &error));
    CassetteConfig config = {.place = {bench->client, bench->db, bench->scope}, .lease = lease};
    Cassette *cassette = NULL;
    g_assert_false(cassette_open(&config, &cassette, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_DATABASE);
    g_error_free(error);
}

/* A run that is cut off after some answers goes on where it was, and stores the same. */
static void a_run_resumes_from_its_journal(void) {
    static const char *const types[] = {"users", NULL};
    g_autoptr(Bench) bench = bench_new(bench_definition);
    JobLease lease = bench_claim(bench, "job");
    bench_use_journal(bench, &lease);
    json_remove(bench->settings, "team");
    json_remove(bench->settings, "api_url");
    bench_answer(bench, "/users", 200, NULL, "[{\"name\":\"ann\"}]");
    bench_run(bench, types);
    bench_settle(bench);
    exchanges_free(bench->exchanges);
    bench->exchanges = exchanges_new();
    bench_use_journal(bench, &lease);
    bench_run(bench, types);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_assert_cmpstr(first, ==, "{\"details\":[{\"name\":\"ann\"}]}");
    g_assert_cmpstr(first, ==, second);
}

#define TEST(name)                                                                                 \
    { "/collect/cassette/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(an_empty_cassette_finds_nothing),
        TEST(the_same_question_finds_the_first_answer_first),
        TEST(node_method_and_body_belong_to_the_question),
        TEST(everything_of_an_answer_comes_back),
        TEST(what_was_flushed_is_found_after_a_restart),
        TEST(what_was_not_flushed_is_asked_again),
        TEST(large_batches_are_written_by_themselves),
        TEST(a_lost_lease_stops_the_writing),
        TEST(a_damaged_journal_is_an_error_not_an_empty_one),
        TEST(a_run_resumes_from_its_journal),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
