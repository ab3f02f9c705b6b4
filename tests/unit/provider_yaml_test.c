/* YAML trees, diagnostics and closed grammars: what is accepted, and what a person is told. */
#include "provider/schema.h"
#include "provider/yaml.h"

typedef struct {
    Diagnostics *diagnostics;
    YamlTree *tree;
} Parsed;

static Parsed parse_size(const char *text, size_t size) {
    Parsed parsed = {.diagnostics = diagnostics_new("file.yaml")};
    parsed.tree = yaml_tree_parse(text, size, parsed.diagnostics);
    return parsed;
}

static Parsed parse(const char *text) {
    return parse_size(text, strlen(text));
}

static void parsed_clear(Parsed *parsed) {
    yaml_tree_free(parsed->tree);
    diagnostics_free(parsed->diagnostics);
}

/* The text is refused with exactly this message. */
static void assert_refused(const char *text, const char *message) {
    Parsed parsed = parse(text);
    g_assert_null(parsed.tree);
    g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 1);
    g_assert_cmpstr(diagnostics_get(parsed.diagnostics, 0)->text, ==, message);
    parsed_clear(&parsed);
}

static void every_node_knows_its_line_and_column(void) {
    Parsed parsed = parse("a: 1\nb:\n  - x\n  - {c: 'two'}\n");
    const YamlNode *root = yaml_tree_root(parsed.tree);
    g_assert_cmpint(root->kind, ==, YAML_KIND_MAP);
    g_assert_cmpuint(root->count, ==, 2);
    const YamlNode *list = yaml_member(root, "b");
    g_assert_cmpint(list->kind, ==, YAML_KIND_LIST);
    g_assert_cmpuint(list->items[0]->line, ==, 3);
    g_assert_cmpuint(list->items[0]->column, ==, 5);
    const YamlNode *two = yaml_member(list->items[1], "c");
    g_assert_cmpstr(two->text, ==, "two");
    g_assert_cmpuint(two->line, ==, 4);
    g_assert_cmpuint(two->column, ==, 9);
    g_assert_false(two->plain);
    g_assert_true(yaml_member(root, "a")->plain);
    parsed_clear(&parsed);
}

static void members_keep_the_order_of_the_file(void) {
    Parsed parsed = parse("z: 1\na: 2\nm: 3\n");
    const YamlNode *root = yaml_tree_root(parsed.tree);
    g_assert_cmpstr(root->keys[0]->text, ==, "z");
    g_assert_cmpstr(root->keys[1]->text, ==, "a");
    g_assert_cmpstr(root->keys[2]->text, ==, "m");
    parsed_clear(&parsed);
}

static void scalars_are_typed_only_when_plain(void) {
    Parsed parsed = parse("a: true\nb: 'true'\nc: 12\nd: '12'\ne: null\nf: 'null'\ng: yes\n"
                          "h: 99999999999999999999\n");
    const YamlNode *root = yaml_tree_root(parsed.tree);
    bool truth = false;
    int64_t number = 0;
    g_assert_true(yaml_bool(yaml_member(root, "a"), &truth));
    g_assert_true(truth);
    g_assert_false(yaml_bool(yaml_member(root, "b"), &truth));
    g_assert_true(yaml_int(yaml_member(root, "c"), &number));
    g_assert_cmpint(number, ==, 12);
    g_assert_false(yaml_int(yaml_member(root, "d"), &number));
    g_assert_true(yaml_is_null(yaml_member(root, "e")));
    g_assert_null(yaml_member_text(root, "e"));
    g_assert_false(yaml_is_null(yaml_member(root, "f")));
    g_assert_false(yaml_bool(yaml_member(root, "g"), &truth));
    g_assert_false(yaml_int(yaml_member(root, "h"), &number));
    g_assert_null(yaml_member(root, "nothing"));
    g_assert_null(yaml_member(yaml_member(root, "a"), "x"));
    parsed_clear(&parsed);
}

static void aliases_and_anchors_are_refused(void) {
    assert_refused("a: &x [1]\nb: *x\n",
                   "file.yaml:1:4: anchors are not allowed, write the value out");
    assert_refused("b: *x\n", "file.yaml:1:4: aliases are not allowed, write the value out");
    assert_refused("a: {<<: 1}\n",
                   "file.yaml:1:5: merge keys are not allowed, write the members out");
}

static void an_alias_bomb_costs_nothing(void) {
    g_autoptr(GString) bomb = g_string_new("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 30; i++)
        g_string_append_printf(bomb, "a%d: &a%d [*a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                               i - 1, i - 1);
    Parsed parsed = parse(bomb->str);
    g_assert_null(parsed.tree);
    g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 1);
    parsed_clear(&parsed);
}

static void tags_duplicates_and_second_documents_are_refused(void) {
    assert_refused("a: !!binary aGk=\n", "file.yaml:1:4: tags are not allowed");
    assert_refused("a: 1\nb: 2\na: 3\n", "file.yaml:3:1: this key is given twice in the same map");
    assert_refused("a: 1\n---\nb: 2\n", "file.yaml:2:1: only one document is allowed in a file");
    assert_refused("? [a]\n: 1\n", "file.yaml:1:3: a key must be a word, not a list or a map");
    assert_refused("", "file.yaml:1:1: the file is empty");
}

static void syntax_errors_name_their_line(void) {
    Parsed parsed = parse("a: 1\nb: [1, 2\nc: 3\n");
    g_assert_null(parsed.tree);
    const Diagnostic *message = diagnostics_get(parsed.diagnostics, 0);
    g_assert_cmpuint(message->line, ==, 3);
    g_assert_true(g_str_has_prefix(message->text, "file.yaml:3:"));
    parsed_clear(&parsed);
}

static void size_depth_and_count_are_bounded(void) {
    g_autofree char *large = g_strnfill(YAML_MAX_SIZE + 1, 'a');
    Parsed parsed = parse_size(large, YAML_MAX_SIZE + 1);
    g_assert_null(parsed.tree);
    g_assert_cmpstr(diagnostics_get(parsed.diagnostics, 0)->text, ==,
                    "file.yaml: the file is larger than 1 MiB");
    parsed_clear(&parsed);

    g_autofree char *deep = g_strnfill(100000, '[');
    parsed = parse(deep);
    g_assert_null(parsed.tree);
    g_assert_cmpstr(diagnostics_get(parsed.diagnostics, 0)->text, ==,
                    "file.yaml:1:33: the file is nested too deeply, at most 32 levels are allowed");
    parsed_clear(&parsed);

    g_autoptr(GString) wide = g_string_new("[");
    for (size_t i = 0; i < YAML_MAX_NODES; i++)
        g_string_append(wide, "1,");
    g_string_append(wide, "1]");
    parsed = parse(wide->str);
    g_assert_null(parsed.tree);
    g_assert_nonnull(strstr(diagnostics_get(parsed.diagnostics, 0)->text, "too many values"));
    parsed_clear(&parsed);
}

static void bytes_that_are_no_text_are_refused(void) {
    static const char bad[] = "a: \xff\xfe\n";
    Parsed parsed = parse(bad);
    g_assert_null(parsed.tree);
    parsed_clear(&parsed);
    parsed = parse_size("a: \"x\\0y\"\n", 10);
    g_assert_null(parsed.tree);
    g_assert_nonnull(strstr(diagnostics_get(parsed.diagnostics, 0)->text, "NUL"));
    parsed_clear(&parsed);
}

/* --- diagnostics ------------------------------------------------------------------------------ */

static void messages_past_the_maximum_are_counted(void) {
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("many");
    for (unsigned i = 1; i <= DIAGNOSTICS_MAX + 10; i++)
        diagnostics_error(diagnostics, i, 1, "number %u", i);
    g_assert_cmpuint(diagnostics_count(diagnostics), ==, DIAGNOSTICS_MAX);
    g_assert_cmpuint(diagnostics_errors(diagnostics), ==, DIAGNOSTICS_MAX + 10);
    g_autoptr(GError) error = NULL;
    g_assert_false(diagnostics_result(diagnostics, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_cmpstr(error->message, ==, "many:1:1: number 1 (and 59 more)");
}

static void warnings_are_no_errors(void) {
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("file");
    diagnostics_warning(diagnostics, 0, 0, "old");
    g_autoptr(GError) error = NULL;
    g_assert_true(diagnostics_result(diagnostics, &error));
    g_assert_cmpstr(diagnostics_get(diagnostics, 0)->text, ==, "file: old");
    g_assert_true(diagnostics_get(diagnostics, 0)->warning);
    diagnostics_error(diagnostics, 2, 3, "wrong");
    g_assert_false(diagnostics_result(diagnostics, &error));
    g_assert_cmpstr(error->message, ==, "file:2:3: wrong");
}

static void control_characters_never_reach_a_message(void) {
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("file");
    diagnostics_error(diagnostics, 1, 1, "found '%s'", "a\x1b[31mb\n");
    g_assert_null(strchr(diagnostics_get(diagnostics, 0)->text, '\x1b'));
    g_assert_null(strchr(diagnostics_get(diagnostics, 0)->text, '\n'));
}

static void only_near_words_are_suggested(void) {
    const char *const words[] = {"title", "resource", "pass", NULL};
    g_assert_cmpstr(diagnostics_nearest("titel", words), ==, "title");
    g_assert_cmpstr(diagnostics_nearest("resorce", words), ==, "resource");
    g_assert_null(diagnostics_nearest("severity", words));
    g_assert_null(diagnostics_nearest("x", words));
}

/* --- closed grammars -------------------------------------------------------------------------- */

static const SchemaType color = {.kind = SCHEMA_TEXT,
                                 .expected = "a color",
                                 .words = (const char *const[]){"red", "green", NULL}};
static const SchemaType either = {
    .kind = SCHEMA_EITHER,
    .expected = "a name or a list of names",
    .either = (const SchemaType *const[]){&schema_name, &schema_names, NULL}};
static const SchemaType inner = {
    .kind = SCHEMA_MAP,
    .expected = "a map with wait",
    .keys = (const SchemaKey[]){{"wait", &schema_duration, SCHEMA_REQUIRED},
                                {"later", NULL, SCHEMA_UNSUPPORTED},
                                {NULL, NULL, SCHEMA_OPTIONAL}}};
static const SchemaType inners = {.kind = SCHEMA_MAP_OF,
                                  .expected = "a map of inners",
                                  .accepts = schema_is_name,
                                  .items = &inner};
static const SchemaType grammar = {
    .kind = SCHEMA_MAP,
    .expected = "a file",
    .keys = (const SchemaKey[]){{"color", &color, SCHEMA_REQUIRED},
                                {"count", &schema_count, SCHEMA_OPTIONAL},
                                {"on", &schema_date, SCHEMA_OPTIONAL},
                                {"who", &either, SCHEMA_OPTIONAL},
                                {"site", &schema_https, SCHEMA_OPTIONAL},
                                {"inners", &inners, SCHEMA_OPTIONAL},
                                {NULL, NULL, SCHEMA_OPTIONAL}}};

static void assert_grammar(const char *text, const char *message) {
    Parsed parsed = parse(text);
    g_assert_nonnull(parsed.tree);
    schema_check(&grammar, yaml_tree_root(parsed.tree), parsed.diagnostics);
    if (message == NULL) {
        g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 0);
    } else {
        g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 1);
        g_assert_cmpstr(diagnostics_get(parsed.diagnostics, 0)->text, ==, message);
    }
    parsed_clear(&parsed);
}

static void what_fits_the_grammar_passes(void) {
    assert_grammar("color: red\ncount: 3\non: 2026-11-20\nwho: [a, b]\nsite: https://x.y\n"
                   "inners: {one: {wait: 60s}}\n",
                   NULL);
    assert_grammar("color: green\nwho: me\ninners: {}\n", NULL);
}

static void what_does_not_fit_is_named_with_what_was_expected(void) {
    assert_grammar("color: red\ncuont: 3\n",
                   "file.yaml:2:1: unknown key 'cuont' in the file; did you mean 'count'?");
    assert_grammar("color: red\nzzzzzzz: 3\n",
                   "file.yaml:2:1: unknown key 'zzzzzzz' in the file, expected one of color, "
                   "count, on, who, site, inners");
    assert_grammar("color: gren\n", "file.yaml:1:8: color: found 'gren', expected one of red, "
                                    "green; did you mean 'green'?");
    assert_grammar("count: 1\n", "file.yaml:1:1: the file lacks the key 'color'");
    assert_grammar("color: red\ncount: 0\n",
                   "file.yaml:2:8: count: found '0', expected a whole number from 1");
    assert_grammar("color: red\ncount: [1]\n",
                   "file.yaml:2:8: count: found a list, expected a whole number from 1");
    assert_grammar("color: red\ncount:\n",
                   "file.yaml:2:7: count: found nothing, expected a whole number from 1");
    assert_grammar("color: red\nwho: {a: 1}\n",
                   "file.yaml:2:6: who: found a map, expected a name or a list of names");
    assert_grammar("color: red\nwho: [a, B]\n",
                   "file.yaml:2:10: who[1]: found 'B', expected a name in snake_case");
    assert_grammar("color: red\nsite: http://x.y\n",
                   "file.yaml:2:7: site: found 'http://x.y', expected an https:// URL");
    assert_grammar("- color\n", "file.yaml:1:1: the file: found a list, expected a file");
}

static void deeper_places_are_named_by_their_path(void) {
    assert_grammar("color: red\ninners:\n  one:\n    wiat: 3s\n    wait: 3s\n",
                   "file.yaml:4:5: unknown key 'wiat' in inners.one; did you mean 'wait'?");
    assert_grammar("color: red\ninners:\n  one: {}\n",
                   "file.yaml:3:8: inners.one lacks the key 'wait'");
    assert_grammar("color: red\ninners:\n  one: {wait: soon}\n",
                   "file.yaml:3:15: inners.one.wait: found 'soon', expected a duration such as "
                   "30d, 4h or 60s");
    assert_grammar("color: red\ninners:\n  One: {wait: 1s}\n",
                   "file.yaml:3:3: 'One' in inners is not a name: letters, digits and _ only");
    assert_grammar("color: red\ninners:\n  one: {wait: 1s, later: 3}\n",
                   "file.yaml:3:19: inners.one.later is not supported in this version");
}

static void all_differences_are_reported_at_once(void) {
    Parsed parsed = parse("colour: red\ncount: x\non: never\n");
    schema_check(&grammar, yaml_tree_root(parsed.tree), parsed.diagnostics);
    g_assert_cmpuint(diagnostics_errors(parsed.diagnostics), ==, 4);
    parsed_clear(&parsed);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/provider/yaml/every_node_knows_its_line_and_column",
                    every_node_knows_its_line_and_column);
    g_test_add_func("/provider/yaml/members_keep_the_order_of_the_file",
                    members_keep_the_order_of_the_file);
    g_test_add_func("/provider/yaml/scalars_are_typed_only_when_plain",
                    scalars_are_typed_only_when_plain);
    g_test_add_func("/provider/yaml/aliases_and_anchors_are_refused",
                    aliases_and_anchors_are_refused);
    g_test_add_func("/provider/yaml/an_alias_bomb_costs_nothing", an_alias_bomb_costs_nothing);
    g_test_add_func("/provider/yaml/tags_duplicates_and_second_documents_are_refused",
                    tags_duplicates_and_second_documents_are_refused);
    g_test_add_func("/provider/yaml/syntax_errors_name_their_line", syntax_errors_name_their_line);
    g_test_add_func("/provider/yaml/size_depth_and_count_are_bounded",
                    size_depth_and_count_are_bounded);
    g_test_add_func("/provider/yaml/bytes_that_are_no_text_are_refused",
                    bytes_that_are_no_text_are_refused);
    g_test_add_func("/provider/diagnostic/messages_past_the_maximum_are_counted",
                    messages_past_the_maximum_are_counted);
    g_test_add_func("/provider/diagnostic/warnings_are_no_errors", warnings_are_no_errors);
    g_test_add_func("/provider/diagnostic/control_characters_never_reach_a_message",
                    control_characters_never_reach_a_message);
    g_test_add_func("/provider/diagnostic/only_near_words_are_suggested",
                    only_near_words_are_suggested);
    g_test_add_func("/provider/schema/what_fits_the_grammar_passes", what_fits_the_grammar_passes);
    g_test_add_func("/provider/schema/what_does_not_fit_is_named_with_what_was_expected",
                    what_does_not_fit_is_named_with_what_was_expected);
    g_test_add_func("/provider/schema/deeper_places_are_named_by_their_path",
                    deeper_places_are_named_by_their_path);
    g_test_add_func("/provider/schema/all_differences_are_reported_at_once",
                    all_differences_are_reported_at_once);
    return g_test_run();
}
