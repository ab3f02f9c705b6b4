/* Read graphs beyond lists and children: what they become when loaded, and what is refused. */
#include "provider/definition_load.h"
#include "provider_support.h"

static const char calls[] = "calls:\n"
                            "  me: {get: /me}\n"
                            "  zones: {get: /zones, rows: .}\n"
                            "  hosts: {get: '/zones/\\(.zone.name)/hosts', rows: .}\n"
                            "  logs: {get: '/zones/\\(.zone.name)/logs', rows: .}\n"
                            "  new_way: {get: '/new/\\(.host.id)'}\n"
                            "  old_way: {get: '/old/\\(.host.id)'}\n";

static char *evidence_of(const char *read, const char *row_of) {
    return g_strdup_printf("evidence:\n"
                           "  one:\n"
                           "    title: One\n"
                           "    description: One\n"
                           "    type: config\n"
                           "    read:\n%s%s"
                           "    row: {a: .settings.team}\n"
                           "    fields: {a: 'string?'}\n",
                           read, row_of);
}

static Definition *loaded(const char *read) {
    g_autofree char *evidence = evidence_of(read, "");
    return support_load(&(SupportParts){.calls = calls, .evidence = evidence});
}

static const ReadNode *node(const Definition *definition, const char *name) {
    const EvidenceType *type = definition_type(definition, "one");
    int index = evidence_type_node(type, name);
    g_assert_cmpint(index, >=, 0);
    return &type->nodes[index];
}

/* --- what is right ---------------------------------------------------------------------------- */

static void rows_may_come_from_an_expression(void) {
    g_autoptr(Definition) definition = loaded("      zone: {each: '[\"eu\"]'}\n"
                                              "      host: {call: hosts, for: zone}\n");
    const ReadNode *zone = node(definition, "zone");
    g_assert_null(zone->call);
    g_assert_true(zone->list);
    g_assert_cmpint(zone->mode, ==, READ_ROWS);
    g_assert_cmpstr(expr_source(zone->each), ==, "[\"eu\"]");
    g_assert_cmpstr(zone->each_text, ==, "[\"eu\"]");
    g_assert_null(zone->index_on);
    g_assert_cmpint(zone->index_per, ==, READ_NO_PARENT);
    g_assert_cmpuint(definition_type(definition, "one")->row_of, ==, 1);
    g_autoptr(GPtrArray) needs = g_ptr_array_new();
    evidence_type_needs(definition_type(definition, "one"), NULL, needs);
    g_assert_cmpuint(needs->len, ==, 0);
}

static void an_index_hangs_on_its_rows_and_is_read_once_per_another(void) {
    g_autoptr(Definition) definition =
        loaded("      log: {call: logs, for: host, index: {on: .host, key: .host.id + .zone.name,\n"
               "        once_per: zone}, where: .log.on == true and .zone.name != \"\"}\n"
               "      host: {call: hosts, for: zone}\n"
               "      zone: {call: zones}\n");
    const EvidenceType *type = definition_type(definition, "one");
    const ReadNode *log = node(definition, "log");
    g_assert_cmpint(log->parent, ==, evidence_type_node(type, "host"));
    g_assert_cmpint(log->index_per, ==, evidence_type_node(type, "zone"));
    g_assert_false(log->list);
    g_assert_cmpint(log->mode, ==, READ_ROWS);
    g_assert_cmpstr(log->index_text, ==, ".host");
    g_assert_cmpuint(type->row_of, ==, (size_t)evidence_type_node(type, "host"));
}

static void alternatives_are_tried_in_order(void) {
    g_autoptr(Definition) definition =
        loaded("      zone: {call: zones}\n"
               "      host: {call: hosts, for: zone}\n"
               "      way: {first: [new_way, old_way], for: host}\n");
    const ReadNode *way = node(definition, "way");
    g_assert_cmpstr(way->call->name, ==, "new_way");
    g_assert_cmpuint(way->first_count, ==, 1);
    g_assert_cmpstr(way->first[0]->name, ==, "old_way");
    g_assert_false(way->list);
}

static void several_reads_may_stand_alone(void) {
    g_autoptr(Definition) definition = loaded(
        "      me: {call: me}\n"
        "      zone: {call: zones, given: 'if .settings.team == null then [] else null end'}\n"
        "      sum: {call: zones, fold: {total: count}}\n");
    g_assert_cmpstr(node(definition, "zone")->given_text, ==,
                    "if .settings.team == null then [] else null end");
    g_assert_cmpint(node(definition, "me")->parent, ==, READ_NO_PARENT);
    g_assert_cmpuint(definition_type(definition, "one")->row_of, ==, 1);
}

static void metadata_see_what_stands_alone_and_has_one_value(void) {
    static const char evidence[] =
        "evidence:\n"
        "  one:\n"
        "    title: One\n"
        "    description: One\n"
        "    type: config\n"
        "    metadata: '{account: .me.id, total, team: .settings.team}'\n"
        "    read: {me: {call: me}, zone: {call: zones}}\n"
        "    row: {a: .zone.name}\n"
        "    fields: {a: string}\n"
        "    summary: {total: count}\n";
    g_autoptr(Definition) definition =
        support_load(&(SupportParts){.calls = calls, .evidence = evidence});
    g_assert_nonnull(definition_type(definition, "one")->metadata);
    g_autofree char *text = support_text(&(SupportParts){.calls = calls, .evidence = evidence});
    g_autoptr(GString) wrong = g_string_new(text);
    g_string_replace(wrong, ".me.id", ".zone.id", 1);
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", wrong->str, wrong->len, NULL, &error));
    g_assert_nonnull(strstr(error->message, "metadata does not see .zone"));
}

/* --- what is refused -------------------------------------------------------------------------- */

static void assert_refused(const char *read, const char *row_of, const char *message) {
    g_autofree char *evidence = evidence_of(read, row_of);
    g_autofree char *text = support_text(&(SupportParts){.calls = calls, .evidence = evidence});
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("demo.yaml");
    g_autoptr(GError) error = NULL;
    g_assert_null(definition_load("demo.yaml", text, strlen(text), diagnostics, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        if (strstr(diagnostics_get(diagnostics, i)->text, message) != NULL)
            return;
        g_test_message("found:    %s", diagnostics_get(diagnostics, i)->text);
    }
    g_test_message("expected: %s", message);
    g_test_fail();
}

#define ZONE "      zone: {call: zones}\n"
#define HOST ZONE "      host: {call: hosts, for: zone}\n"

static void a_read_has_exactly_one_source(void) {
    static const char *const reads[] = {"{}", "{call: zones, each: '[1]'}",
                                        "{call: zones, first: [zones]}",
                                        "{first: [zones], each: '[1]'}"};
    for (size_t i = 0; i < G_N_ELEMENTS(reads); i++) {
        g_autofree char *read = g_strdup_printf("      zone: %s\n", reads[i]);
        assert_refused(read, "", "the read 'zone' needs one of call, first and each");
    }
    assert_refused("      zone: {each: '[1]', given: '[1]'}\n", "",
                   "'given' stands beside a call, 'each' in place of one");
}

static void alternatives_must_be_alike(void) {
    assert_refused(HOST "      way: {first: [new_way, logs], for: host}\n", "",
                   "all calls of 'first' give rows, or none: 'logs' differs from 'new_way'");
    assert_refused(HOST "      way: {first: [new_way, newway], for: host}\n", "",
                   "there is no call 'newway'; did you mean 'new_way'?");
    assert_refused(ZONE "      way: {first: [new_way, old_way], for: zone}\n", "",
                   "the call 'old_way' looks at .host, which is not above 'way'");
}

static void an_index_needs_a_list_and_something_to_look_up(void) {
    assert_refused(HOST "      log: {call: logs, index: {on: .a, key: '\"x\"', once_per: zone}}\n",
                   "", "an index needs 'for': the read whose rows look something up");
    assert_refused(HOST "      log: {call: new_way, for: host, index: {on: .a, key: .host.id}}\n",
                   "", "an index needs one call with rows");
    assert_refused(HOST "      log: {each: '[1]', for: host, index: {on: .a, key: .host.id}}\n", "",
                   "an index needs one call with rows");
    assert_refused(HOST "      log: {call: logs, for: host, fold: {n: count},\n"
                        "        index: {on: .a, key: .host.id, once_per: zone}}\n",
                   "", "an index is neither given nor folded");
    assert_refused(HOST "      log: {call: logs, for: host, index: {on: .a}}\n", "",
                   "evidence.one.read.log.index lacks the key 'key'");
}

/* The list of an index is read where its `once_per` stands, not where it is looked up. */
static void the_call_of_an_index_sees_only_what_is_above_its_list(void) {
    assert_refused(HOST "      log: {call: logs, for: host, index: {on: .a, key: .host.id}}\n", "",
                   "the call 'logs' looks at .zone, which is not above 'log' in the read graph");
    assert_refused(HOST "      log: {call: logs, for: host, where: .host.id == .log.host,\n"
                        "        index: {on: .a, key: .host.id, once_per: zone}}\n",
                   "", "where does not see .host");
    assert_refused(HOST "      log: {call: logs, for: host,\n"
                        "        index: {on: .a, key: .log.id, once_per: zone}}\n",
                   "", "key does not see .log");
}

static void an_index_is_read_per_something_above_or_alone(void) {
    assert_refused(HOST "      other: {call: logs, for: zone, collect: 3}\n"
                        "      log: {call: zones, for: host,\n"
                        "        index: {on: .a, key: .host.id, once_per: other}}\n",
                   "",
                   "'once_per' names a read above 'log', or one that stands alone and has one row");
    assert_refused(HOST "      more: {call: zones, collect: 5}\n"
                        "      log: {call: zones, for: host,\n"
                        "        index: {on: .a, key: .host.id, once_per: more}}\n",
                   "",
                   "'once_per' names a read above 'log', or one that stands alone and has one row");
    assert_refused(HOST "      log: {call: zones, for: host,\n"
                        "        index: {on: .a, key: .host.id, once_per: nothing}}\n",
                   "", "there is no read 'nothing' to be done for");
    assert_refused("      a: {call: zones, for: b, index: {on: .x, key: .b.x}}\n"
                   "      b: {call: zones, for: a}\n",
                   "", "depends on itself through 'for' or 'once_per'");
}

static void what_gives_rows_must_be_said_where_several_reads_could(void) {
    assert_refused("      me: {call: me}\n      you: {call: me}\n", "",
                   "several reads stand alone: say which gives rows with 'row_of'");
    assert_refused("      zone: {call: zones}\n      other: {call: zones}\n", "    row_of: zone\n",
                   "the read 'other' would multiply the rows: collect or fold it");
    g_autofree char *evidence =
        evidence_of("      me: {call: me}\n      you: {call: me}\n", "    row_of: you\n");
    g_autoptr(Definition) definition =
        support_load(&(SupportParts){.calls = calls, .evidence = evidence});
    g_assert_cmpuint(definition_type(definition, "one")->row_of, ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(test) g_test_add_func("/provider/read_graph/" #test, test)
    ADD(rows_may_come_from_an_expression);
    ADD(an_index_hangs_on_its_rows_and_is_read_once_per_another);
    ADD(alternatives_are_tried_in_order);
    ADD(several_reads_may_stand_alone);
    ADD(metadata_see_what_stands_alone_and_has_one_value);
    ADD(a_read_has_exactly_one_source);
    ADD(alternatives_must_be_alike);
    ADD(an_index_needs_a_list_and_something_to_look_up);
    ADD(the_call_of_an_index_sees_only_what_is_above_its_list);
    ADD(an_index_is_read_per_something_above_or_alone);
    ADD(what_gives_rows_must_be_said_where_several_reads_could);
    return g_test_run();
}
