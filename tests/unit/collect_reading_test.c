/* Reads beyond lists and their children: rows that are given, lists that are joined by key, reads
 * that stand alone, polls, alternatives, and answers in an envelope. */
#include "unit/collect_support.h"

#include <string.h>

static const char head[] =
    "assay: 1\n"
    "id: demo\n"
    "name: Demo\n"
    "category: devops\n"
    "summary: A provider for tests\n"
    "checked: 2026-11-20\n"
    "hosts: [api.demo.test]\n"
    "settings:\n"
    "  team: {label: Team, pattern: '[a-z]+'}\n"
    "  api_url: {label: API URL, default: 'https://api.demo.test', format: url}\n"
    "auth:\n"
    "  token:\n"
    "    label: Token\n"
    "    scheme: bearer\n"
    "    fields: {access_token: {label: Token, secret: true}}\n"
    "http: {base_url: .settings.api_url}\n"
    "calls:\n"
    "  me: {get: /me}\n"
    "  zones: {get: /zones, rows: .}\n"
    "  hosts: {get: '/zones/\\(.zone.name)/hosts', rows: .}\n"
    "  logs: {get: '/zones/\\(.zone.name)/logs', rows: .}\n"
    "  all_logs: {get: /logs, rows: .}\n"
    "  make: {get: /make, poll: {until: .ready == true, every: 1ms, for: 10s}}\n"
    "  slow: {get: /slow, poll: {until: .ready == true, every: 1ms, for: 1ms}}\n"
    "  report: {get: /report, rows: .}\n"
    "  pages: {get: /pages, rows: ., page: link}\n"
    "  tree: {get: /tree, decode: xml, rows: .hosts.host, lists: [tag]}\n"
    "  table: {get: /table, decode: csv, rows: .}\n"
    "  detail: {get: '/detail/\\(.host.id)'}\n"
    "  new_way: {get: '/new/\\(.host.id)', responses: [{status: 404, is: absent}]}\n"
    "  old_way: {get: '/old/\\(.host.id)', responses: [{status: 404, is: absent}]}\n"
    "evidence:\n"
    "  one:\n"
    "    title: One\n"
    "    description: One\n"
    "    type: config\n";

static Bench *bench_of(const char *rest) {
    g_autofree char *text = g_strconcat(head, rest, NULL);
    return bench_new(text);
}

static const char *const one[] = {"one", NULL};

/* Runs and compares the details of the only record. */
static void assert_details(Bench *bench, const char *details) {
    bench_run(bench, one);
    g_autofree char *data = bench_data(bench, 0);
    g_autofree char *wanted = g_strdup_printf("{\"details\":%s}", details);
    g_assert_cmpstr(data, ==, wanted);
}

static void answer_zones(Bench *bench) {
    bench_answer(bench, "/zones", 200, NULL, "[{\"name\":\"eu\"},{\"name\":\"us\"}]");
    bench_answer(bench, "/zones/eu/hosts", 200, NULL, "[{\"id\":\"a\"},{\"id\":\"b\"}]");
    bench_answer(bench, "/zones/us/hosts", 200, NULL, "[{\"id\":\"a\"}]");
}

/* --- rows without a call ---------------------------------------------------------------------- */

static void each_gives_rows_of_an_expression(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      zone: {each: '[\"eu\", \"us\"] | map({name: .})'}\n"
                                      "      host: {call: hosts, for: zone}\n"
                                      "    row: {zone: .zone.name, id: .host.id}\n"
                                      "    fields: {zone: string, id: string}\n");
    answer_zones(bench);
    assert_details(bench, "[{\"id\":\"a\",\"zone\":\"eu\"},{\"id\":\"b\",\"zone\":\"eu\"},"
                          "{\"id\":\"a\",\"zone\":\"us\"}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void each_may_look_at_the_row_above(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      zone: {call: zones}\n"
                                      "      letter: {each: '.zone.name / \"\"', for: zone}\n"
                                      "    row: {letter: .letter}\n"
                                      "    fields: {letter: string}\n");
    answer_zones(bench);
    assert_details(bench, "[{\"letter\":\"e\"},{\"letter\":\"u\"},{\"letter\":\"u\"},"
                          "{\"letter\":\"s\"}]");
}

static const char given_zones[] =
    "    read:\n"
    "      zone:\n"
    "        call: zones\n"
    "        given: 'if .settings.team == \"a\" then [{name: \"us\"}] else null end'\n"
    "      host: {call: hosts, for: zone}\n"
    "    row: {zone: .zone.name, id: .host.id}\n"
    "    fields: {zone: string, id: string}\n";

static void given_rows_need_no_call(void) {
    g_autoptr(Bench) bench = bench_of(given_zones);
    bench_answer(bench, "/zones/us/hosts", 200, NULL, "[{\"id\":\"c\"}]");
    assert_details(bench, "[{\"id\":\"c\",\"zone\":\"us\"}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void without_given_rows_the_call_is_made(void) {
    g_autoptr(Bench) bench = bench_of(given_zones);
    json_put_string(bench->settings, "team", "b");
    answer_zones(bench);
    assert_details(bench, "[{\"id\":\"a\",\"zone\":\"eu\"},{\"id\":\"b\",\"zone\":\"eu\"},"
                          "{\"id\":\"a\",\"zone\":\"us\"}]");
}

static void an_answer_that_is_given_is_not_asked_for(void) {
    g_autoptr(Bench) bench =
        bench_of("    read:\n"
                 "      zone: {each: '[{name: \"eu\"}]'}\n"
                 "      host: {call: hosts, for: zone}\n"
                 "      detail: {call: detail, for: host, given: 'if .host.id == \"a\" then [] "
                 "else null end'}\n"
                 "    row: {id: .host.id, size: .detail.size}\n"
                 "    fields: {id: string, size: 'int?'}\n");
    answer_zones(bench);
    bench_answer(bench, "/detail/b", 200, NULL, "{\"size\":3}");
    assert_details(bench, "[{\"id\":\"a\",\"size\":null},{\"id\":\"b\",\"size\":3}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void rows_that_are_no_array_fail_the_type(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      zone: {each: '{name: \"eu\"}'}\n"
                                      "    row: {name: .zone.name}\n"
                                      "    fields: {name: string}\n");
    bench_run(bench, one);
    g_assert_cmpstr(bench_error(bench, 0, "message"), ==, "zone does not give an array of rows");
}

/* --- indexes ---------------------------------------------------------------------------------- */

static const char zone_index[] =
    "    read:\n"
    "      zone: {call: zones}\n"
    "      host: {call: hosts, for: zone}\n"
    "      log: {call: logs, for: host, index: {on: .host, key: .host.id, once_per: zone}}\n"
    "    row: {zone: .zone.name, id: .host.id, log: .log.name}\n"
    "    fields: {zone: string, id: string, log: 'string?'}\n";

static void an_index_joins_each_row_with_its_own(void) {
    g_autoptr(Bench) bench = bench_of(zone_index);
    answer_zones(bench);
    bench_answer(bench, "/zones/eu/logs", 200, NULL,
                 "[{\"host\":\"b\",\"name\":\"one\"},{\"host\":\"b\",\"name\":\"two\"},"
                 "{\"host\":\"z\",\"name\":\"nobody\"},{\"host\":null,\"name\":\"none\"}]");
    bench_answer(bench, "/zones/us/logs", 200, NULL, "[{\"host\":\"a\",\"name\":\"three\"}]");
    assert_details(bench, "[{\"id\":\"a\",\"log\":null,\"zone\":\"eu\"},"
                          "{\"id\":\"b\",\"log\":\"one\",\"zone\":\"eu\"},"
                          "{\"id\":\"a\",\"log\":\"three\",\"zone\":\"us\"}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_autoptr(Json) record = bench_record(bench, 0);
    g_assert_true(json_member_bool(json_member(record, "completeness"), "complete", false));
    g_assert_cmpint(
        json_member_int(json_item(json_path(record, "completeness.reads"), 2), "rows", -1), ==, 5);
}

static void a_denied_index_is_unread_for_every_row(void) {
    g_autoptr(Bench) bench = bench_of(zone_index);
    answer_zones(bench);
    bench_answer(bench, "/zones/eu/logs", 403, NULL, "{}");
    bench_answer(bench, "/zones/us/logs", 200, NULL, "[]");
    bench_run(bench, one);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "{\"_unread\":{\"fields\":[\"log\"],\"reads\":{\"log\":"
                             "\"forbidden\"}},\"id\":\"a\",\"log\":null,\"zone\":\"eu\"}");
    bench_assert_holds(data, "{\"id\":\"a\",\"log\":null,\"zone\":\"us\"}");
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "PERMISSION_DENIED");
}

static void an_index_may_be_read_once_a_run_and_collect(void) {
    g_autoptr(Bench) bench =
        bench_of("    read:\n"
                 "      zone: {call: zones}\n"
                 "      host: {call: hosts, for: zone}\n"
                 "      log: {call: all_logs, for: host, collect: 2, where: .log.on,\n"
                 "        index: {on: .host, key: .host.id}}\n"
                 "    row: {id: .host.id, logs: '[.log[].name]'}\n"
                 "    fields: {id: string, logs: '[string]'}\n");
    answer_zones(bench);
    bench_answer(bench, "/logs", 200, NULL,
                 "[{\"host\":\"a\",\"name\":\"1\",\"on\":true},{\"host\":\"a\",\"name\":\"2\","
                 "\"on\":false},{\"host\":\"a\",\"name\":\"3\",\"on\":true}]");
    assert_details(bench, "[{\"id\":\"a\",\"logs\":[\"1\",\"3\"]},{\"id\":\"b\",\"logs\":[]},"
                          "{\"id\":\"a\",\"logs\":[\"1\",\"3\"]}]");
    g_autoptr(Json) record = bench_record(bench, 0);
    const Json *log = json_item(json_path(record, "completeness.reads"), 2);
    g_assert_cmpint(json_member_int(log, "requests", -1), ==, 1);
}

static const char report_index[] =
    "    metadata: '{account: .me.account, made: .made.ready}'\n"
    "    read:\n"
    "      me: {call: me}\n"
    "      made: {call: make}\n"
    "      zone: {each: '[{name: \"eu\"}]'}\n"
    "      host: {call: hosts, for: zone}\n"
    "      line: {call: report, for: host, index: {on: .id, key: .host.id, once_per: made}}\n"
    "    row: {id: .host.id, mfa: .line.mfa}\n"
    "    fields: {id: string, mfa: 'bool?'}\n";

static void an_index_may_wait_for_a_read_that_stands_alone(void) {
    g_autoptr(Bench) bench = bench_of(report_index);
    answer_zones(bench);
    bench_answer(bench, "/me", 200, NULL, "{\"account\":\"123\"}");
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":false}");
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":true}");
    bench_answer(bench, "/report", 200, NULL, "[{\"id\":\"b\",\"mfa\":true}]");
    assert_details(bench, "[{\"id\":\"a\",\"mfa\":null},{\"id\":\"b\",\"mfa\":true}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_autoptr(Json) record = bench_record(bench, 0);
    const Json *metadata = json_member(record, "metadata");
    g_assert_cmpstr(json_member_string(metadata, "account", ""), ==, "123");
    g_assert_true(json_member_bool(metadata, "made", false));
}

static void what_rests_on_a_refused_report_is_unread(void) {
    g_autoptr(Bench) bench = bench_of(report_index);
    answer_zones(bench);
    bench_answer(bench, "/me", 403, NULL, "{}");
    bench_answer(bench, "/make", 403, NULL, "{}");
    bench_run(bench, one);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"line\":\"forbidden\"");
    bench_assert_holds(data, "\"id\":\"b\",\"mfa\":null}");
    g_autoptr(Json) record = bench_record(bench, 0);
    const Json *account = json_member(json_member(record, "metadata"), "account");
    g_assert_cmpint(json_kind(account), ==, JSON_KIND_NULL);
}

/* The rows of `line` leave when `me` is over, which waits for a list below `made`: that list is
 * enough, `made` itself is not over before its rows have left. */
static void two_types_may_wait_for_each_others_side_reads(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      me: {call: me}\n"
                                      "      made: {call: make}\n"
                                      "      line: {call: report, for: me,\n"
                                      "        index: {on: .id, key: '\"a\"', once_per: made}}\n"
                                      "    row_of: me\n"
                                      "    row: {mfa: .line.mfa}\n"
                                      "    fields: {mfa: 'bool?'}\n"
                                      "  two:\n"
                                      "    title: Two\n"
                                      "    description: Two\n"
                                      "    type: config\n"
                                      "    read:\n"
                                      "      me: {call: me}\n"
                                      "      made: {call: make}\n"
                                      "      line: {call: report, for: made}\n"
                                      "    row: {id: .line.id, account: .me.account}\n"
                                      "    fields: {id: string, account: string}\n");
    bench_answer(bench, "/me", 200, NULL, "{\"account\":\"123\"}");
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":false}");
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":true}");
    bench_answer(bench, "/report", 200, NULL, "[{\"id\":\"a\",\"mfa\":true},{\"id\":\"b\"}]");
    static const char *const both[] = {"one", "two", NULL};
    bench_run(bench, both);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_assert_cmpuint(bench->evidence->len, ==, 2);
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_autofree char *data = g_strconcat(first, second, NULL);
    bench_assert_holds(data, "{\"details\":[{\"mfa\":true}]}");
    bench_assert_holds(data, "{\"details\":[{\"account\":\"123\",\"id\":\"a\"},"
                             "{\"account\":\"123\",\"id\":\"b\"}]}");
}

/* --- the same call, read in two ways ---------------------------------------------------------- */

static void answer_pages(Bench *bench) {
    bench_answer(bench, "/pages", 200,
                 "{\"link\":\"<https://api.demo.test/pages?page=2>; rel=\\\"next\\\"\"}",
                 "[{\"id\":\"a\",\"size\":1},{\"id\":\"b\",\"size\":2}]");
    bench_answer(bench, "/pages?page=2", 200, NULL, "[{\"id\":\"c\",\"size\":3}]");
}

/* A type that lists the pages as they are. */
static const char listed[] = "  two:\n"
                             "    title: Two\n"
                             "    description: Two\n"
                             "    type: config\n"
                             "    read: {entry: {call: pages}}\n"
                             "    row: {id: .entry.id}\n"
                             "    fields: {id: string}\n";

static void run_both(Bench *bench) {
    static const char *const both[] = {"one", "two", NULL};
    bench_run(bench, both);
}

static void a_list_that_is_joined_and_listed_is_asked_for_once(void) {
    g_autofree char *text =
        g_strconcat("    read:\n"
                    "      zone: {each: '[{name: \"eu\"}]'}\n"
                    "      host: {call: hosts, for: zone}\n"
                    "      entry: {call: pages, for: host, index: {on: .id, key: .host.id}}\n"
                    "    row: {id: .host.id, size: .entry.size}\n"
                    "    fields: {id: string, size: int}\n",
                    listed, NULL);
    g_autoptr(Bench) bench = bench_of(text);
    answer_zones(bench);
    answer_pages(bench);
    run_both(bench);
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 3); /* hosts, and two pages */
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_autofree char *data = g_strconcat(first, second, NULL);
    bench_assert_holds(data, "[{\"id\":\"a\",\"size\":1},{\"id\":\"b\",\"size\":2}]");
    bench_assert_holds(data, "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]");
}

static const char filtered[] = "    read: {entry: {call: pages, where: .entry.size > 1}}\n"
                               "    row: {id: .entry.id}\n"
                               "    fields: {id: string}\n";

static void lists_that_differ_in_what_they_leave_out_are_asked_for_once(void) {
    g_autofree char *text = g_strconcat(filtered, listed, NULL);
    g_autoptr(Bench) bench = bench_of(text);
    answer_pages(bench);
    run_both(bench);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 2);
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_autofree char *data = g_strconcat(first, second, NULL);
    bench_assert_holds(data, "[{\"id\":\"b\"},{\"id\":\"c\"}]");
    bench_assert_holds(data, "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]");
}

static void a_denied_call_is_denied_to_all_who_read_it(void) {
    g_autofree char *text = g_strconcat(filtered, listed, NULL);
    g_autoptr(Bench) bench = bench_of(text);
    bench_answer(bench, "/pages", 403, NULL, "{}");
    run_both(bench);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 1);
    g_assert_cmpuint(bench_errors(bench), ==, 2);
}

static void one_reader_that_gives_up_does_not_stop_the_other(void) {
    g_autofree char *text = g_strconcat("    read:\n"
                                        "      entry: {call: pages, collect: 1}\n"
                                        "    row: {count: '.entry | length'}\n"
                                        "    fields: {count: int}\n",
                                        listed, NULL);
    g_autoptr(Bench) bench = bench_of(text);
    answer_pages(bench);
    run_both(bench);
    g_assert_cmpuint(cassette_count(bench->cassette), ==, 2);
    g_assert_cmpuint(bench_errors(bench), ==, 1);
    g_assert_cmpstr(bench_error(bench, 0, "evidenceType"), ==, "one");
    g_autofree char *first = bench_data(bench, 0);
    g_autofree char *second = bench_data(bench, 1);
    g_autofree char *data = g_strconcat(first, second, NULL);
    bench_assert_holds(data, "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"c\"}]");
}

/* --- polls and alternatives ------------------------------------------------------------------- */

static const char polled[] = "    read:\n"
                             "      made: {call: make}\n"
                             "    row: {ready: .made.ready, tries: .made.tries}\n"
                             "    fields: {ready: bool, tries: int}\n";

static void a_poll_asks_until_it_is_ready(void) {
    g_autoptr(Bench) bench = bench_of(polled);
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":false,\"tries\":1}");
    bench_answer(bench, "/make", 200, NULL, "{\"tries\":2}");
    bench_answer(bench, "/make", 200, NULL, "{\"ready\":true,\"tries\":3}");
    assert_details(bench, "[{\"ready\":true,\"tries\":3}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

static void a_poll_that_is_never_ready_is_a_timeout(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      zone: {each: '[1]'}\n"
                                      "      made: {call: slow, for: zone}\n"
                                      "    row: {zone: .zone, ready: .made.ready}\n"
                                      "    fields: {zone: int, ready: bool}\n");
    bench_answer(bench, "/slow", 200, NULL, "{\"ready\":false}");
    bench_run(bench, one);
    g_autofree char *data = bench_data(bench, 0);
    bench_assert_holds(data, "\"reads\":{\"made\":\"timeout\"}");
    bench_assert_holds(bench_error(bench, 0, "message"), "not ready in time");
}

static void the_first_answer_that_is_not_absent_is_taken(void) {
    g_autoptr(Bench) bench = bench_of("    read:\n"
                                      "      zone: {each: '[{name: \"eu\"}]'}\n"
                                      "      host: {call: hosts, for: zone}\n"
                                      "      way: {first: [new_way, old_way], for: host}\n"
                                      "    row: {id: .host.id, way: .way.name}\n"
                                      "    fields: {id: string, way: 'string?'}\n");
    answer_zones(bench);
    bench_answer(bench, "/new/a", 404, NULL, "{}");
    bench_answer(bench, "/old/a", 200, NULL, "{\"name\":\"old\"}");
    bench_answer(bench, "/new/b", 404, NULL, "{}");
    bench_answer(bench, "/old/b", 404, NULL, "{}");
    assert_details(bench, "[{\"id\":\"a\",\"way\":\"old\"},{\"id\":\"b\",\"way\":null}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
}

/* --- envelopes -------------------------------------------------------------------------------- */

static const char tree[] = "    read: {host: {call: tree}}\n"
                           "    row: {id: .host.id, tags: '[.host.tag[]?]'}\n"
                           "    fields: {id: string, tags: '[string]'}\n";

static void an_answer_in_xml_is_recorded_as_json(void) {
    g_autoptr(Bench) bench = bench_of(tree);
    bench_answer_text(bench, "/tree",
                      "<hosts><host><id>a</id><tag>x</tag></host><host><id>b</id></host></hosts>");
    assert_details(bench, "[{\"id\":\"a\",\"tags\":[\"x\"]},{\"id\":\"b\",\"tags\":[]}]");
    g_assert_cmpuint(bench_errors(bench), ==, 0);
    /* The same again from the cassette, which has no envelope. */
    g_ptr_array_set_size(bench->evidence, 0);
    assert_details(bench, "[{\"id\":\"a\",\"tags\":[\"x\"]},{\"id\":\"b\",\"tags\":[]}]");
}

static void an_answer_in_xml_that_is_none_is_broken(void) {
    g_autoptr(Bench) bench = bench_of(tree);
    bench_answer_text(bench, "/tree", "<hosts><host>");
    bench_run(bench, one);
    g_assert_cmpstr(bench_error(bench, 0, "code"), ==, "SERVICE_UNAVAILABLE");
    bench_assert_holds(bench_error(bench, 0, "message"), "the answer could not be read");
}

static void a_table_gives_rows(void) {
    g_autoptr(Bench) bench = bench_of("    read: {host: {call: table}}\n"
                                      "    row: {id: .host.id}\n"
                                      "    fields: {id: string}\n");
    bench_answer_text(bench, "/table", "id,name\r\na,A\r\nb,B\r\n");
    assert_details(bench, "[{\"id\":\"a\"},{\"id\":\"b\"}]");
}

#define TEST(name)                                                                                 \
    { "/collect/reading/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(each_gives_rows_of_an_expression),
        TEST(each_may_look_at_the_row_above),
        TEST(given_rows_need_no_call),
        TEST(without_given_rows_the_call_is_made),
        TEST(an_answer_that_is_given_is_not_asked_for),
        TEST(rows_that_are_no_array_fail_the_type),
        TEST(an_index_joins_each_row_with_its_own),
        TEST(a_denied_index_is_unread_for_every_row),
        TEST(an_index_may_be_read_once_a_run_and_collect),
        TEST(an_index_may_wait_for_a_read_that_stands_alone),
        TEST(what_rests_on_a_refused_report_is_unread),
        TEST(two_types_may_wait_for_each_others_side_reads),
        TEST(a_list_that_is_joined_and_listed_is_asked_for_once),
        TEST(lists_that_differ_in_what_they_leave_out_are_asked_for_once),
        TEST(a_denied_call_is_denied_to_all_who_read_it),
        TEST(one_reader_that_gives_up_does_not_stop_the_other),
        TEST(a_poll_asks_until_it_is_ready),
        TEST(a_poll_that_is_never_ready_is_a_timeout),
        TEST(the_first_answer_that_is_not_absent_is_taken),
        TEST(an_answer_in_xml_is_recorded_as_json),
        TEST(an_answer_in_xml_that_is_none_is_broken),
        TEST(a_table_gives_rows),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
