/* The grammar from outside: every key of a real definition is misspelt, dropped, doubled and given
 * values of another kind, and every time somebody is told where. */
#include "provider/definition_grammar.h"
#include "provider/definition_load.h"
#include "provider_support.h"

/* A key in the text of a definition, found through its tree. */
typedef struct {
    const YamlNode *key;
    const YamlNode *value;
    bool closed; /* its map takes known keys only */
    bool required;
} Place;

typedef struct {
    GArray *places; /* Place */
} Walk;

static const SchemaKey *known_key(const SchemaType *type, const char *name) {
    for (const SchemaKey *key = type->keys; key->name != NULL; key++) {
        if (strcmp(key->name, name) == 0)
            return key;
    }
    return NULL;
}

/* The alternative that has the kind of the node. */
static const SchemaType *resolve(const SchemaType *type, const YamlNode *node) {
    if (type == NULL || type->kind != SCHEMA_EITHER)
        return type;
    for (const SchemaType *const *one = type->either; *one != NULL; one++) {
        bool map = (*one)->kind == SCHEMA_MAP || (*one)->kind == SCHEMA_MAP_OF;
        bool list = (*one)->kind == SCHEMA_LIST;
        if (map == (node->kind == YAML_KIND_MAP) && list == (node->kind == YAML_KIND_LIST))
            return *one;
    }
    return NULL;
}

static void walk(Walk *state, const SchemaType *type, const YamlNode *node) {
    const SchemaType *fits = resolve(type, node);
    if (fits == NULL || node->kind == YAML_KIND_SCALAR)
        return;
    for (size_t i = 0; i < node->count; i++) {
        const SchemaType *below = fits->items;
        Place place = {.value = node->items[i]};
        if (node->kind == YAML_KIND_MAP) {
            place.key = node->keys[i];
            place.closed = fits->kind == SCHEMA_MAP;
        }
        if (place.closed) {
            const SchemaKey *known = known_key(fits, place.key->text);
            g_assert_nonnull(known);
            below = known->type;
            place.required = known->presence == SCHEMA_REQUIRED;
        }
        if (place.key != NULL)
            g_array_append_val(state->places, place);
        walk(state, below, node->items[i]);
    }
}

typedef struct {
    char *text;
    YamlTree *tree;
    Diagnostics *diagnostics;
    GArray *places;
} Subject;

static Subject subject_of(const char *text, size_t size) {
    Subject subject = {.text = g_strndup(text, size)};
    subject.diagnostics = diagnostics_new("subject");
    subject.tree = yaml_tree_parse(text, size, subject.diagnostics);
    g_assert_nonnull(subject.tree);
    subject.places = g_array_new(FALSE, FALSE, sizeof(Place));
    Walk state = {subject.places};
    walk(&state, &definition_grammar, yaml_tree_root(subject.tree));
    return subject;
}

static Subject github_subject(void) {
    g_autoptr(Definition) github = support_github();
    return subject_of(github->text, github->text_size);
}

static Subject demo_subject(void) {
    g_autofree char *text = support_text(&(SupportParts){.head = NULL});
    return subject_of(text, strlen(text));
}

static void subject_clear(Subject *subject) {
    g_free(subject->text);
    yaml_tree_free(subject->tree);
    diagnostics_free(subject->diagnostics);
    g_array_unref(subject->places);
}

static size_t offset_of(const Subject *subject, const YamlNode *node) {
    const char *line = subject->text;
    for (unsigned i = 1; i < node->line; i++)
        line = strchr(line, '\n') + 1;
    return (size_t)(line - subject->text) + node->column - 1;
}

static char *with_replaced(const Subject *subject, size_t from, size_t length, const char *text) {
    g_autofree char *before = g_strndup(subject->text, from);
    return g_strconcat(before, text, subject->text + from + length, NULL);
}

/* Whether loading reports something on this line and column with these words. */
static bool reports(const char *text, const YamlNode *node, const char *words) {
    g_autoptr(Diagnostics) diagnostics = diagnostics_new("file");
    g_autoptr(GError) error = NULL;
    g_autoptr(Definition) definition =
        definition_load("file", text, strlen(text), diagnostics, &error);
    if (definition != NULL)
        return false;
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    for (size_t i = 0; i < diagnostics_count(diagnostics); i++) {
        const Diagnostic *message = diagnostics_get(diagnostics, i);
        bool here = message->line == node->line && message->column == node->column;
        if (here && strstr(message->text, words) != NULL)
            return true;
    }
    return false;
}

static void misspell_all(Subject *subject) {
    size_t tried = 0;
    for (size_t i = 0; i < subject->places->len; i++) {
        const Place *place = &g_array_index(subject->places, Place, i);
        if (!place->closed)
            continue;
        g_autofree char *wrong = g_strdup_printf("%s_x", place->key->text);
        g_autofree char *text =
            with_replaced(subject, offset_of(subject, place->key), place->key->length, wrong);
        g_autofree char *words = g_strdup_printf("unknown key '%s'", wrong);
        if (!reports(text, place->key, words))
            g_error("the misspelt key %s in line %u was not reported", wrong, place->key->line);
        tried++;
    }
    g_assert_cmpuint(tried, >, 50);
}

static void every_misspelt_key_of_github_is_found_where_it_stands(void) {
    Subject subject = github_subject();
    misspell_all(&subject);
    subject_clear(&subject);
}

static void every_misspelt_key_of_a_small_definition_is_found(void) {
    Subject subject = demo_subject();
    size_t tried = 0;
    for (size_t i = 0; i < subject.places->len; i++) {
        const Place *place = &g_array_index(subject.places, Place, i);
        if (!place->closed || place->key->length < 4)
            continue;
        /* Two letters change places, as they do in life. */
        g_autofree char *wrong = g_strdup(place->key->text);
        wrong[1] = place->key->text[2];
        wrong[2] = place->key->text[1];
        if (strcmp(wrong, place->key->text) == 0)
            continue;
        g_autofree char *text =
            with_replaced(&subject, offset_of(&subject, place->key), place->key->length, wrong);
        g_autofree char *words = g_strdup_printf("did you mean '%s'?", place->key->text);
        g_assert_true(reports(text, place->key, words));
        tried++;
    }
    g_assert_cmpuint(tried, >, 30);
    subject_clear(&subject);
}

/* A value of the kind that it is not: text becomes a list, a list or map becomes text. */
static void a_value_of_another_kind_is_found_or_allowed_but_never_read(void) {
    Subject subject = demo_subject();
    size_t refused = 0;
    for (size_t i = 0; i < subject.places->len; i++) {
        const Place *place = &g_array_index(subject.places, Place, i);
        if (place->value->kind != YAML_KIND_SCALAR || !place->value->plain)
            continue;
        size_t from = offset_of(&subject, place->value);
        static const char *const wrong[] = {"[[]]", "{x_y_z: {}}", "", "''", "-1", "\"\\u0007\""};
        for (size_t w = 0; w < G_N_ELEMENTS(wrong); w++) {
            g_autofree char *text = with_replaced(&subject, from, place->value->length, wrong[w]);
            g_autoptr(GError) error = NULL;
            g_autoptr(Definition) definition =
                definition_load("file", text, strlen(text), NULL, &error);
            g_assert_true((definition == NULL) == (error != NULL));
            refused += definition == NULL ? 1 : 0;
            if (w == 0 && definition != NULL)
                g_error("a list was taken for text in line %u", place->value->line);
        }
    }
    g_assert_cmpuint(refused, >, 150);
    subject_clear(&subject);
}

/* Length of a list or map in brackets, 0 when it is written in lines. */
static size_t bracket_length(const char *text) {
    size_t depth = 0;
    bool quoted = false;
    for (size_t i = 0; text[i] != '\0'; i++) {
        quoted ^= text[i] == '\'';
        if (quoted)
            continue;
        depth += strchr("[{", text[i]) != NULL ? 1 : 0;
        depth -= strchr("]}", text[i]) != NULL ? 1 : 0;
        if (depth == 0)
            return i + 1 == 1 ? 0 : i + 1;
    }
    return 0;
}

static void a_list_is_no_map_and_neither_is_text(void) {
    Subject subject = github_subject();
    size_t refused = 0;
    for (size_t i = 0; i < subject.places->len; i++) {
        const Place *place = &g_array_index(subject.places, Place, i);
        size_t from = offset_of(&subject, place->value);
        size_t length =
            place->value->kind == YAML_KIND_SCALAR ? 0 : bracket_length(subject.text + from);
        static const char *const wrong[] = {
            "word", "[word]", "{word: {word: word}}", "[[[]]]", "[{word: word}]", "{}", "[]",
            "''",   "~"};
        for (size_t w = 0; length > 0 && w < G_N_ELEMENTS(wrong); w++) {
            g_autofree char *text = with_replaced(&subject, from, length, wrong[w]);
            g_autoptr(GError) error = NULL;
            g_autoptr(Definition) definition =
                definition_load("file", text, strlen(text), NULL, &error);
            g_assert_true((definition == NULL) == (error != NULL));
            refused += definition == NULL ? 1 : 0;
        }
    }
    g_assert_cmpuint(refused, >, 300);
    subject_clear(&subject);
}

static void a_missing_required_key_is_named(void) {
    Subject subject = demo_subject();
    size_t tried = 0;
    for (size_t i = 0; i < subject.places->len; i++) {
        const Place *place = &g_array_index(subject.places, Place, i);
        if (!place->required)
            continue;
        /* Renaming takes the key away from its map as well. */
        g_autofree char *wrong = g_strdup_printf("%s_x", place->key->text);
        g_autofree char *text =
            with_replaced(&subject, offset_of(&subject, place->key), place->key->length, wrong);
        g_autofree char *words = g_strdup_printf("lacks the key '%s'", place->key->text);
        g_autoptr(Diagnostics) diagnostics = diagnostics_new("file");
        g_autoptr(Definition) definition =
            definition_load("file", text, strlen(text), diagnostics, NULL);
        g_assert_null(definition);
        bool found = false;
        for (size_t d = 0; d < diagnostics_count(diagnostics); d++)
            found |= strstr(diagnostics_get(diagnostics, d)->text, words) != NULL;
        g_assert_true(found);
        tried++;
    }
    g_assert_cmpuint(tried, >, 20);
    subject_clear(&subject);
}

static void a_key_given_twice_is_refused_at_any_depth(void) {
    Subject subject = demo_subject();
    for (size_t i = 0; i < subject.places->len; i++) {
        const Place *place = &g_array_index(subject.places, Place, i);
        g_autofree char *twice = NULL;
        size_t from = offset_of(&subject, place->key);
        bool flow = from > 0 && strchr("{ ", subject.text[from - 1]) != NULL &&
                    subject.text[from - 1] == '{';
        if (!flow)
            continue;
        g_autofree char *pair = g_strdup_printf("%s: 1, %s", place->key->text, place->key->text);
        twice = with_replaced(&subject, from, place->key->length, pair);
        g_autoptr(GError) error = NULL;
        g_assert_null(definition_load("file", twice, strlen(twice), NULL, &error));
        g_assert_nonnull(strstr(error->message, "given twice"));
    }
    subject_clear(&subject);
}

static void the_words_of_the_grammar_match_the_model(void) {
    g_assert_cmpstr(scheme_name(SCHEME_BEARER), ==, "bearer");
    g_assert_cmpstr(scheme_name(SCHEME_AWS_ROLE), ==, "aws_role");
    g_assert_cmpuint(g_strv_length((char **)(uintptr_t)definition_scheme_words), ==, SCHEMES);
    g_assert_cmpstr(definition_unit_words[UNIT_EPOCH_SECONDS], ==, "epoch_s");
    g_assert_cmpstr(definition_unit_words[UNIT_USED_SIZE], ==, "used/size");
    g_assert_cmpstr(severity_name(SEVERITY_CRITICAL), ==, "critical");
    g_assert_cmpstr(definition_page_words[PAGE_NUMBER], ==, "page");
    g_assert_cmpstr(definition_page_words[PAGE_OFFSET], ==, "offset");
    g_assert_cmpstr(definition_input_words[INPUT_BOOL], ==, "bool");
    g_assert_cmpstr(definition_format_words[INPUT_FORMAT_UUID], ==, "uuid");
    g_assert_cmpstr(definition_then_words[THEN_COULD_NOT_READ], ==, "could_not_read");
    g_assert_cmpint(1 << 0, ==, LIMIT_CONNECTION);
    g_assert_cmpstr(definition_scope_words[4], ==, "service");
    g_assert_cmpint(1 << 4, ==, LIMIT_SERVICE);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/grammar/" #name, name)
    TEST(every_misspelt_key_of_github_is_found_where_it_stands);
    TEST(every_misspelt_key_of_a_small_definition_is_found);
    TEST(a_value_of_another_kind_is_found_or_allowed_but_never_read);
    TEST(a_list_is_no_map_and_neither_is_text);
    TEST(a_missing_required_key_is_named);
    TEST(a_key_given_twice_is_refused_at_any_depth);
    TEST(the_words_of_the_grammar_match_the_model);
    return g_test_run();
}
