/* Rows under checks: what a row says of itself, of its types, and what expressions make of it. */
#include "unit/comply_support.h"

#include "comply/check.h"
#include "provider/definition_load.h"
#include "store/finding.h"

#include <string.h>

/* Judges one row of branches by one check, whose keys besides title and the like are given. */
typedef struct {
    const char *says;
    const char *keys; /* of the check */
    const char *row;
    Verdict verdict;
    const char *resource; /* NULL: none */
} Case;

static Definition *definition_with(const char *keys) {
    g_autofree char *check =
        g_strdup_printf("      one: {title: T, severity: low, remediation: R, %s}\n", keys);
    return comply_definition(check, NULL);
}

static void judge_case(const Case *given) {
    g_autoptr(Definition) definition = definition_with(given->keys);
    g_auto(Value) settings = value_new_object();
    value_put(&settings, "floor", value_new_string("7"));
    g_autoptr(CheckSet) set =
        check_set_new(definition_type(definition, "branches"), settings, START_MS);
    const RowVerdict *verdicts = NULL;
    comply_ok(check_set_judge(set, given->row, strlen(given->row), &verdicts, &error));
    g_test_message("%s", given->says);
    g_assert_null(check_set_problem(set));
    g_assert_cmpstr(verdict_name(verdicts[0].verdict), ==, verdict_name(given->verdict));
    g_assert_cmpstr(verdicts[0].resource, ==, given->resource);
}

static void judge_cases(const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++)
        judge_case(&cases[i]);
}

#define PLAIN "resource: .repository, pass: .protected"
#define LIVE "resource: .repository, applies: '.archived | not', pass: .protected"
#define ROW(more) "{\"age\":3,\"archived\":false,\"protected\":true,\"repository\":\"a\"" more "}"

static void pass_decides_rows_that_can_be_read(void) {
    static const Case cases[] = {
        {"true passes", PLAIN, ROW(""), VERDICT_PASS, "a"},
        {"false fails", PLAIN,
         "{\"age\":3,\"archived\":false,\"protected\":false,\"repository\":\"a\"}", VERDICT_FAIL,
         "a"},
        {"a computed boolean counts", "resource: .repository, pass: '.age != null and .age > 2'",
         ROW(""), VERDICT_PASS, "a"},
        {"settings are seen", "resource: .repository, pass: '$settings.floor == \"7\"'", ROW(""),
         VERDICT_PASS, "a"},
        {"now is the time of the run", "resource: .repository, pass: 'now == 1760000000'", ROW(""),
         VERDICT_PASS, "a"},
        {"a resource may be computed", "resource: '.repository + \"/main\"', pass: .protected",
         ROW(""), VERDICT_PASS, "a/main"},
        {"a number names a resource", "resource: .age, pass: .protected", ROW(""), VERDICT_PASS,
         "3"},
    };
    judge_cases(cases, G_N_ELEMENTS(cases));
}

static void anything_but_one_boolean_could_not_be_read(void) {
    static const Case cases[] = {
        {"no value", "resource: .repository, pass: 'empty'", ROW(""), VERDICT_COULD_NOT_READ, "a"},
        {"two values", "resource: .repository, pass: '.protected, .archived'", ROW(""),
         VERDICT_COULD_NOT_READ, "a"},
        {"a number", "resource: .repository, pass: .age", ROW(""), VERDICT_COULD_NOT_READ, "a"},
        {"null", "resource: .repository, pass: '.age | null'", ROW(""), VERDICT_COULD_NOT_READ,
         "a"},
        {"an error", "resource: .repository, pass: '.repository + 1 == 2'", ROW(""),
         VERDICT_COULD_NOT_READ, "a"},
        {"applies that is no boolean", "resource: .repository, applies: .age, pass: .protected",
         ROW(""), VERDICT_COULD_NOT_READ, "a"},
        {"no resource", "resource: '.repository | empty', pass: .protected", ROW(""),
         VERDICT_COULD_NOT_READ, NULL},
        {"an empty resource", "resource: '\"\"', pass: .protected", ROW(""), VERDICT_COULD_NOT_READ,
         NULL},
        {"a resource that is an object", "resource: '{a: .repository}', pass: .protected", ROW(""),
         VERDICT_COULD_NOT_READ, NULL},
    };
    judge_cases(cases, G_N_ELEMENTS(cases));
}

static void fields_are_held_against_their_types(void) {
    static const Case cases[] = {
        {"an absent field", PLAIN, "{\"age\":3,\"archived\":false,\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
        {"a mistyped field", PLAIN,
         "{\"age\":3,\"archived\":false,\"protected\":\"yes\",\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
        {"null where null is not allowed", PLAIN,
         "{\"age\":3,\"archived\":false,\"protected\":null,\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
        {"a mistyped field that nobody asks for", PLAIN,
         "{\"age\":\"old\",\"archived\":1,\"protected\":true,\"repository\":\"a\"}", VERDICT_PASS,
         "a"},
        {"null where it is allowed", "resource: .repository, pass: .age == null",
         "{\"age\":null,\"archived\":false,\"protected\":true,\"repository\":\"a\"}", VERDICT_PASS,
         "a"},
        {"a check that may look at all needs all",
         "resource: .repository, pass: 'to_entries | length > 0'",
         "{\"age\":\"old\",\"archived\":false,\"protected\":true,\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
        {"a resource that is not text", PLAIN,
         "{\"age\":3,\"archived\":false,\"protected\":true,\"repository\":7}",
         VERDICT_COULD_NOT_READ, "7"},
    };
    judge_cases(cases, G_N_ELEMENTS(cases));
}

#define UNREAD(fields, reads)                                                                      \
    "{\"_unread\":{\"fields\":[" fields "],\"reads\":{" reads "}},\"age\":3,\"archived\":false,"   \
    "\"protected\":false,\"repository\":\"a\"}"
#define ARCHIVED(fields, reads)                                                                    \
    "{\"_unread\":{\"fields\":[" fields "],\"reads\":{" reads "}},\"age\":3,\"archived\":true,"    \
    "\"protected\":false,\"repository\":\"a\"}"

static void what_was_not_read_is_never_a_pass_or_a_fail(void) {
    static const Case cases[] = {
        {"forbidden", PLAIN, UNREAD("\"protected\"", "\"protection\":\"forbidden\""),
         VERDICT_COULD_NOT_READ, "a"},
        {"a service that is down", PLAIN, UNREAD("\"protected\"", "\"protection\":\"unavailable\""),
         VERDICT_COULD_NOT_READ, "a"},
        {"unlicensed, and the definition does not say more", PLAIN,
         UNREAD("\"protected\"", "\"protection\":\"unlicensed\""), VERDICT_COULD_NOT_READ, "a"},
        {"not part of the plan", PLAIN,
         UNREAD("\"protected\"", "\"protection\":\"not_applicable\""), VERDICT_NOT_APPLICABLE,
         NULL},
        {"a field alone", PLAIN, UNREAD("\"protected\"", ""), VERDICT_COULD_NOT_READ, "a"},
        {"a field that the check does not name", "resource: .repository, pass: '.archived | not'",
         UNREAD("\"protected\",\"age\"", ""), VERDICT_PASS, "a"},
        {"a read that the check does not need", "resource: .repository, pass: '.archived | not'",
         UNREAD("\"protected\"", "\"protection\":\"forbidden\""), VERDICT_PASS, "a"},
        {"a read named by reads:",
         "resource: .repository, pass: '.archived | not', reads: [protection]",
         UNREAD("", "\"protection\":\"forbidden\""), VERDICT_COULD_NOT_READ, "a"},
        {"a read that the definition does not know", PLAIN,
         UNREAD("", "\"something\":\"forbidden\""), VERDICT_FAIL, "a"},
        {"a word that cannot be read", PLAIN,
         "{\"_unread\":true,\"age\":3,\"archived\":false,\"protected\":true,"
         "\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
    };
    judge_cases(cases, G_N_ELEMENTS(cases));
}

/* --- which reads are to blame ----------------------------------------------------------------- */

/* A key, what is known of it, what hangs on that, and a line of a report that is asked for first.
 */
static const char keys_definition[] =
    "assay: 1\nid: beta\nname: Beta\ncategory: cloud\nsummary: Keys\nchecked: 2026-11-20\n"
    "hosts: [api.example.com]\n"
    "auth:\n"
    "  pat: {label: Token, scheme: bearer, fields: {access_token: {label: T, secret: true}}}\n"
    "http: {base_url: '\"https://api.example.com\"'}\n"
    "calls:\n"
    "  keys: {get: /keys, rows: .}\n"
    "  key: {get: '/keys/\\(.key.id)'}\n"
    "  rotation: {get: '/keys/\\(.key.id)/rotation'}\n"
    "  request: {get: /request}\n"
    "  report: {get: /report, rows: .}\n"
    "evidence:\n"
    "  keys:\n"
    "    title: Keys\n"
    "    description: Keys\n"
    "    type: config\n"
    "    read:\n"
    "      requested: {call: request}\n"
    "      key: {call: keys}\n"
    "      described: {call: key, for: key}\n"
    "      rotation: {call: rotation, for: described}\n"
    "      line: {call: report, for: key, index: {on: .id, key: .key.id, once_per: requested}}\n"
    "    row_of: key\n"
    "    row: {id: .key.id, spec: .described.spec, rotates: .rotation.on, used: .line.used}\n"
    "    fields: {id: string, spec: string, rotates: bool, used: bool}\n"
    "    checks:\n"
    "      rotates: {title: R, severity: low, remediation: R, resource: .id, pass: .rotates}\n"
    "      used: {title: U, severity: low, remediation: R, resource: .id, pass: .used}\n"
    "      both: {title: B, severity: low, remediation: R, resource: .id, reads: [described],\n"
    "        pass: '.used and .rotates'}\n";

/* The names of the reads in the order of the type, with commas between. */
static char *names_of(const EvidenceType *type, uint64_t nodes) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t node = 0; node < type->node_count; node++)
        if ((nodes >> node & 1) != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", type->nodes[node].name);
    return g_strdup(text->str);
}

#define KEY(unread) "{\"_unread\":" unread ",\"id\":\"k\",\"rotates\":null,\"used\":null}"
#define DESCRIBED "\"described\":\"forbidden\",\"rotation\":\"forbidden\""
#define REQUESTED "\"requested\":\"forbidden\",\"line\":\"forbidden\""
#define UNREAD_FIELDS_OF_KEY "\"fields\":[\"rotates\",\"used\",\"spec\"],\"reads\":"

static void the_read_that_failed_is_blamed_and_not_what_hangs_on_it(void) {
    static const struct {
        const char *row;
        const char *rotates, *used, *both;
    } rows[] = {
        {KEY("{" UNREAD_FIELDS_OF_KEY "{" DESCRIBED "," REQUESTED "}}"), "described", "requested",
         "requested,described"},
        {KEY("{" UNREAD_FIELDS_OF_KEY "{\"rotation\":\"forbidden\",\"line\":\"timeout\"}}"),
         "rotation", "line", "rotation,line"},
        {KEY("{" UNREAD_FIELDS_OF_KEY "{}}"), "", "", ""},
        {KEY("true"), "", "", ""},
    };
    g_autoptr(Definition) definition = NULL;
    comply_ok((definition = definition_load("beta", keys_definition, strlen(keys_definition), NULL,
                                            &error)) != NULL);
    const EvidenceType *type = definition_type(definition, "keys");
    g_autoptr(CheckSet) set = check_set_new(type, VALUE_NONE, START_MS);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const RowVerdict *verdicts = NULL;
        comply_ok(check_set_judge(set, rows[i].row, strlen(rows[i].row), &verdicts, &error));
        const char *wanted[] = {rows[i].rotates, rows[i].used, rows[i].both};
        for (size_t check = 0; check < G_N_ELEMENTS(wanted); check++) {
            g_autofree char *names = names_of(type, verdicts[check].unread);
            g_assert_cmpstr(verdict_name(verdicts[check].verdict), ==, "could_not_read");
            g_assert_cmpstr(names, ==, wanted[check]);
        }
    }
}

static void applies_exempts_rows_that_it_can_read(void) {
    static const Case cases[] = {
        {"not exempt", LIVE, ROW(""), VERDICT_PASS, "a"},
        {"exempt", LIVE, "{\"age\":3,\"archived\":true,\"protected\":false,\"repository\":\"a\"}",
         VERDICT_NOT_APPLICABLE, "a"},
        {"exempt, whatever else was not read", LIVE,
         ARCHIVED("\"protected\"", "\"protection\":\"forbidden\""), VERDICT_NOT_APPLICABLE, "a"},
        {"the exemption itself was not read", LIVE, ARCHIVED("\"archived\"", ""),
         VERDICT_COULD_NOT_READ, "a"},
        {"the exemption is mistyped", LIVE,
         "{\"age\":3,\"archived\":\"no\",\"protected\":true,\"repository\":\"a\"}",
         VERDICT_COULD_NOT_READ, "a"},
    };
    judge_cases(cases, G_N_ELEMENTS(cases));
}

static void unread_is_hidden_from_expressions(void) {
    static const Case one = {"the row has its fields only",
                             "resource: .repository, pass: 'keys | length == 4'", UNREAD("", ""),
                             VERDICT_PASS, "a"};
    judge_case(&one);
}

static void checks_of_a_type_are_judged_together(void) {
    g_autoptr(Definition) definition = comply_definition(
        "      a: {title: A, severity: low, remediation: R, resource: .repository, pass: "
        ".protected}\n"
        "      b: {title: B, severity: low, remediation: R, resource: .repository,\n"
        "        pass: '.archived | not'}\n"
        "      c: {title: C, severity: low, remediation: R, resource: .repository,\n"
        "        pass: '.repository | error'}\n",
        NULL);
    g_autoptr(CheckSet) set =
        check_set_new(definition_type(definition, "branches"), VALUE_NONE, START_MS);
    g_assert_cmpuint(check_set_count(set), ==, 3);
    const RowVerdict *verdicts = NULL;
    static const char row[] =
        "{\"age\":null,\"archived\":false,\"protected\":false,\"repository\":\"a\"}";
    for (int round = 0; round < 3; round++) {
        comply_ok(check_set_judge(set, row, strlen(row), &verdicts, &error));
        g_assert_cmpint(verdicts[0].verdict, ==, VERDICT_FAIL);
        g_assert_cmpint(verdicts[1].verdict, ==, VERDICT_PASS);
        g_assert_cmpint(verdicts[2].verdict, ==, VERDICT_COULD_NOT_READ);
    }
}

static char *long_row(char letter) {
    g_autofree char *name = g_strnfill(3000, 'x');
    name[2999] = letter;
    return g_strdup_printf(
        "{\"age\":3,\"archived\":false,\"protected\":true,\"repository\":\"%s\"}", name);
}

static void long_names_stay_apart(void) {
    g_autoptr(Definition) definition = definition_with(PLAIN);
    g_autoptr(CheckSet) set =
        check_set_new(definition_type(definition, "branches"), VALUE_NONE, START_MS);
    g_autofree char *one = long_row('1');
    g_autofree char *two = long_row('2');
    const RowVerdict *verdicts = NULL;
    comply_ok(check_set_judge(set, one, strlen(one), &verdicts, &error));
    g_autofree char *name = g_strdup(verdicts[0].resource);
    g_assert_cmpuint(strlen(name), ==, FINDING_RESOURCE_MAX);
    comply_ok(check_set_judge(set, two, strlen(two), &verdicts, &error));
    g_assert_cmpstr(verdicts[0].resource, !=, name);
}

static void a_row_that_is_no_object_is_damage(void) {
    g_autoptr(Definition) definition = definition_with(PLAIN);
    g_autoptr(CheckSet) set =
        check_set_new(definition_type(definition, "branches"), VALUE_NONE, START_MS);
    const RowVerdict *verdicts = NULL;
    comply_fails(ERROR_DATABASE, check_set_judge(set, "[1]", 3, &verdicts, &error));
    comply_fails(ERROR_DATABASE, check_set_judge(set, "{\"a\":", 5, &verdicts, &error));
}

/* A stopped state of libjq is leaked on purpose. */
void __lsan_disable(void) __attribute__((weak));
void __lsan_enable(void) __attribute__((weak));

static void a_runaway_expression_leaves_rows_unread(void) {
    g_autoptr(Definition) definition =
        definition_with("resource: .repository, pass: 'last(range(0; 1000000000)) == 0'");
    g_autoptr(CheckSet) set =
        check_set_new(definition_type(definition, "branches"), VALUE_NONE, START_MS);
    const RowVerdict *verdicts = NULL;
    static const char row[] = ROW("");
    if (__lsan_disable != NULL)
        __lsan_disable();
    for (int round = 0; round < 2; round++) {
        comply_ok(check_set_judge(set, row, strlen(row), &verdicts, &error));
        g_assert_cmpint(verdicts[0].verdict, ==, VERDICT_COULD_NOT_READ);
        g_assert_nonnull(strstr(check_set_problem(set), "ran for more than"));
    }
    if (__lsan_enable != NULL)
        __lsan_enable();
}

static const ComplyTest tests[] = {
    {"pass_decides_rows_that_can_be_read", pass_decides_rows_that_can_be_read},
    {"anything_but_one_boolean_could_not_be_read", anything_but_one_boolean_could_not_be_read},
    {"fields_are_held_against_their_types", fields_are_held_against_their_types},
    {"what_was_not_read_is_never_a_pass_or_a_fail", what_was_not_read_is_never_a_pass_or_a_fail},
    {"the_read_that_failed_is_blamed_and_not_what_hangs_on_it",
     the_read_that_failed_is_blamed_and_not_what_hangs_on_it},
    {"applies_exempts_rows_that_it_can_read", applies_exempts_rows_that_it_can_read},
    {"unread_is_hidden_from_expressions", unread_is_hidden_from_expressions},
    {"checks_of_a_type_are_judged_together", checks_of_a_type_are_judged_together},
    {"long_names_stay_apart", long_names_stay_apart},
    {"a_row_that_is_no_object_is_damage", a_row_that_is_no_object_is_damage},
    {"a_runaway_expression_leaves_rows_unread", a_runaway_expression_leaves_rows_unread},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "check", tests, G_N_ELEMENTS(tests));
}
