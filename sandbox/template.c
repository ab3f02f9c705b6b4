#include "sandbox/template.h"

#include "base/error.h"
#include "base/text.h"

#include <string.h>

#define INCLUDE_DEPTH 8
#define INCLUDE_KEY ">"

#define CONDITION_KEY "?"
#define VALUE_KEY "="
#define EACH_MARK '*'

typedef enum { OP_LITERAL, OP_FIELD, OP_VARIABLE, OP_UNLESS, OP_COMMA, OP_EACH } OpKind;

/* A test of a field: one of the values of a comma list, or none of them. */
typedef struct {
    FieldRef ref;
    bool negated;
    char *values;
} Test;

/* What is rendered for every item of a collection. */
typedef struct {
    const Collection *of;
    Template *body;
    Condition *when;
    bool commas;
} Each;

typedef struct {
    OpKind kind;
    bool whole;   /* a field that keeps its JSON type */
    FieldRef ref; /* of OP_FIELD */
    Variable variable;
    size_t start; /* of a literal in the text; of OP_UNLESS: the operation to go on with */
    size_t length;
    guint part; /* of OP_UNLESS: the test; of OP_EACH: the loop */
} Op;

struct Template {
    GArray *ops;
    GArray *tests;
    GArray *loops;
    GString *text; /* all literals */
    size_t flushed;
};

typedef struct {
    const TemplateScope *scope;
    Template *out;
    unsigned depth;
} Compiler;

static const char *const variable_names[VARIABLES] = {
    [VARIABLE_LIMIT] = "rate.limit",   [VARIABLE_REMAINING] = "rate.remaining",
    [VARIABLE_USED] = "rate.used",     [VARIABLE_RESET] = "rate.reset",
    [VARIABLE_WAIT] = "wait",          [VARIABLE_REQUEST] = "request",
    [VARIABLE_NEEDED] = "needed",      [VARIABLE_SCOPES] = "scopes",
    [VARIABLE_LINK] = "link",          [VARIABLE_NEXT] = "next",
    [VARIABLE_ROWS] = "rows",          [VARIABLE_SUBJECT] = "call.subject",
    [VARIABLE_CALLER] = "call.caller", [VARIABLE_CALLER_ID] = "call.caller_id",
    [VARIABLE_HERE] = "call.region",   [VARIABLE_HOME] = "call.home",
    [VARIABLE_SENT] = "call.sent",     [VARIABLE_OPERATION] = "call.operation",
    [VARIABLE_NOW] = "call.now",       [VARIABLE_STATE] = "call.state",
};

/* What stands before a place of an array or object. */
typedef enum { BEFORE_NOTHING, BEFORE_PERHAPS, BEFORE_SOMETHING } Before;

typedef bool (*CompileShared)(Compiler *compiler, const Json *json, GError **error);

static bool compile_value(Compiler *compiler, const Json *json, GError **error);
static bool compile_members(Compiler *compiler, const Json *json, GError **error);

static void clear_test(gpointer data) {
    g_free(((Test *)data)->values);
}

static void clear_each(gpointer data) {
    Each *each = data;
    template_free(each->body);
    condition_free(each->when);
}

static Template *template_new(void) {
    Template *out = g_new0(Template, 1);
    out->ops = g_array_new(FALSE, TRUE, sizeof(Op));
    out->tests = g_array_new(FALSE, TRUE, sizeof(Test));
    out->loops = g_array_new(FALSE, TRUE, sizeof(Each));
    g_array_set_clear_func(out->tests, clear_test);
    g_array_set_clear_func(out->loops, clear_each);
    out->text = g_string_new(NULL);
    return out;
}

void variables_set(Variables *variables, Variable which, const char *text) {
    variables->text[which] = text;
    variables->length[which] = text == NULL ? 0 : strlen(text);
}

static void flush(Template *out) {
    if (out->text->len > out->flushed) {
        Op op = {
            .kind = OP_LITERAL, .start = out->flushed, .length = out->text->len - out->flushed};
        g_array_append_val(out->ops, op);
        out->flushed = out->text->len;
    }
}

static void add_op(Template *out, Op op) {
    flush(out);
    g_array_append_val(out->ops, op);
}

static bool find_variable(const char *name, Variable *out) {
    for (Variable i = 0; i < VARIABLES; i++) {
        if (strcmp(variable_names[i], name) == 0) {
            *out = i;
            return true;
        }
    }
    return false;
}

static bool is_xml(const Compiler *compiler) {
    return compiler->scope->format == TEMPLATE_XML;
}

static bool compile_reference(Compiler *compiler, const char *name, bool whole, GError **error) {
    const TemplateScope *scope = compiler->scope;
    Op op = {.whole = whole && !is_xml(compiler)};
    const char *constant = g_hash_table_lookup(scope->constants, name);
    if (constant != NULL) {
        bool quoted = whole && !is_xml(compiler) &&
                      (constant[0] == '\0' || constant[strspn(constant, "0123456789")] != '\0');
        g_string_append_printf(compiler->out->text, quoted ? "\"%s\"" : "%s", constant);
        return true;
    }
    if (find_variable(name, &op.variable)) {
        op.kind = OP_VARIABLE;
    } else if (scope->collection != NULL && field_find(scope->collection, name, &op.ref)) {
        op.kind = OP_FIELD;
    } else {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A reply refers to ${%s}, which is no field, constant or variable.", name);
        return false;
    }
    add_op(compiler->out, op);
    return true;
}

void template_append_xml(GString *out, const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        switch (text[i]) {
        case '&':
            g_string_append(out, "&amp;");
            break;
        case '<':
            g_string_append(out, "&lt;");
            break;
        case '>':
            g_string_append(out, "&gt;");
            break;
        case '"':
            g_string_append(out, "&quot;");
            break;
        default:
            g_string_append_c(out, text[i]);
        }
    }
}

/* Text without its quotes; literals are escaped as the format asks for. */
static void add_text(Compiler *compiler, const char *text, size_t length, bool escape) {
    GString *out = compiler->out->text;
    if (!escape) {
        g_string_append_len(out, text, (gssize)length);
        return;
    }
    if (is_xml(compiler)) {
        template_append_xml(out, text, length);
        return;
    }
    g_autoptr(GString) quoted = g_string_new(NULL);
    json_append_quoted(quoted, text, length);
    g_string_append_len(out, quoted->str + 1, (gssize)quoted->len - 2);
}

static bool compile_pieces(Compiler *compiler, const char *text, bool escape, GError **error) {
    const char *open;
    while ((open = strstr(text, "${")) != NULL) {
        const char *close = strchr(open, '}');
        if (close == NULL) {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "A reply has ${ without } in \"%s\".", text);
            return false;
        }
        add_text(compiler, text, (size_t)(open - text), escape);
        g_autofree char *name = g_strndup(open + 2, (size_t)(close - open - 2));
        if (!compile_reference(compiler, name, false, error)) {
            return false;
        }
        text = close + 1;
    }
    add_text(compiler, text, strlen(text), escape);
    return true;
}

/* Compiles the shared template of that name with a function for the place where it stands. */
static bool compile_shared(Compiler *compiler, const char *name, CompileShared compile,
                           GError **error) {
    const Json *shared = json_member(compiler->scope->shared, name);
    if (shared == NULL || compiler->depth == INCLUDE_DEPTH) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A reply includes ${>%s}, which is not there or includes itself.", name);
        return false;
    }
    compiler->depth++;
    bool compiled = compile(compiler, shared, error);
    compiler->depth--;
    return compiled;
}

static bool compile_string(Compiler *compiler, const char *text, GError **error) {
    size_t length = strlen(text);
    if (g_str_has_prefix(text, "${") && strchr(text, '}') == text + length - 1) {
        bool include = text[2] == '>';
        g_autofree char *name = g_strndup(text + 2 + include, length - 3 - include);
        return include ? compile_shared(compiler, name, compile_value, error)
                       : compile_reference(compiler, name, true, error);
    }
    const char *quote = is_xml(compiler) ? "" : "\"";
    g_string_append(compiler->out->text, quote);
    if (!compile_pieces(compiler, text, true, error)) {
        return false;
    }
    g_string_append(compiler->out->text, quote);
    return true;
}

/* "field", "field=a,b" or "field!=a,b", perhaps behind "member?". */
static bool add_test(Compiler *compiler, const char *what, guint *place_out, GError **error) {
    const char *mark = strchr(what, '?');
    const char *text = mark == NULL ? what : mark + 1;
    const char *equal = strchr(text, '=');
    bool negated = equal != NULL && equal > text && equal[-1] == '!';
    size_t length = equal == NULL ? strlen(text) : (size_t)(equal - text) - (negated ? 1 : 0);
    g_autofree char *name = g_strndup(text, length);
    Test test = {.negated = negated};
    if (compiler->scope->collection == NULL ||
        !field_find(compiler->scope->collection, name, &test.ref)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The member or item \"%s\" depends on a field that is not there.", what);
        return false;
    }
    test.values = g_strdup(equal == NULL ? "true" : equal + 1);
    g_array_append_val(compiler->out->tests, test);
    add_op(compiler->out, (Op){.kind = OP_UNLESS, .part = compiler->out->tests->len - 1});
    *place_out = compiler->out->ops->len - 1;
    return true;
}

/* What was compiled since the test is what it guards. */
static void end_test(Compiler *compiler, guint place) {
    flush(compiler->out);
    g_array_index(compiler->out->ops, Op, place).start = compiler->out->ops->len;
}

static const Json *find_each(const Json *json, const char **key_out) {
    void *iterator = NULL;
    Json *value = NULL;
    bool found = json != NULL && json_kind(json) == JSON_KIND_OBJECT &&
                 json_next(json, &iterator, key_out, &value) && (*key_out)[0] == EACH_MARK;
    return found ? value : NULL;
}

static bool is_list(const Json *json) {
    const char *key;
    return json_kind(json) == JSON_KIND_ARRAY || find_each(json, &key) != NULL;
}

/* A name "Outer/Inner attributes" taken apart; pieces are borrowed from it. */
typedef struct {
    size_t outer;
    const char *inner;
    size_t inner_length;
} ElementName;

static ElementName name_element(const Compiler *compiler, const char *key, size_t length) {
    const char *slash = memchr(key, '/', length);
    const char *blank = memchr(key, ' ', length);
    const char *item = compiler->scope->item == NULL ? "item" : compiler->scope->item;
    if (slash == NULL || (blank != NULL && blank < slash)) {
        return (ElementName){.outer = length, .inner = item, .inner_length = strlen(item)};
    }
    return (ElementName){.outer = (size_t)(slash - key),
                         .inner = slash + 1,
                         .inner_length = length - (size_t)(slash - key) - 1};
}

static void open_element(Compiler *compiler, const char *name, size_t length) {
    if (length > 0) {
        g_string_append_c(compiler->out->text, '<');
        g_string_append_len(compiler->out->text, name, (gssize)length);
        g_string_append_c(compiler->out->text, '>');
    }
}

static void close_element(Compiler *compiler, const char *name, size_t length) {
    const char *blank = memchr(name, ' ', length);
    size_t end = blank == NULL ? length : (size_t)(blank - name);
    if (length > 0) {
        g_string_append(compiler->out->text, "</");
        g_string_append_len(compiler->out->text, name, (gssize)end);
        g_string_append_c(compiler->out->text, '>');
    }
}

static bool compile_inner(Compiler *compiler, const Json *value, const ElementName *name,
                          GError **error) {
    if (name == NULL) {
        return compile_value(compiler, value, error);
    }
    open_element(compiler, name->inner, name->inner_length);
    if (!compile_value(compiler, value, error)) {
        return false;
    }
    close_element(compiler, name->inner, name->inner_length);
    return true;
}

/* name is of XML, NULL in JSON. */
static bool compile_each(Compiler *compiler, const Json *json, const ElementName *name,
                         GError **error) {
    const char *key = "";
    const Json *row = find_each(json, &key);
    const TemplateScope *outer = compiler->scope;
    TemplateScope scope = *outer;
    scope.collection =
        outer->collections == NULL ? NULL : g_hash_table_lookup(outer->collections, key + 1);
    if (scope.collection == NULL ||
        (scope.collection->parent != NULL && scope.collection->parent != outer->collection)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A reply goes through \"%s\", which is no collection of this place.", key);
        return false;
    }
    Each each = {.of = scope.collection, .body = template_new(), .commas = name == NULL};
    Compiler inside = {.scope = &scope, .out = each.body, .depth = compiler->depth};
    each.when = condition_compile(json_member(json, "when"), scope.collection, error);
    bool compiled = each.when != NULL && compile_inner(&inside, row, name, error);
    flush(each.body);
    g_array_append_val(compiler->out->loops, each); /* freed with the template, whatever happens */
    add_op(compiler->out, (Op){.kind = OP_EACH, .part = compiler->out->loops->len - 1});
    return compiled;
}

/* What separates a member or item from those before it, if one of them is there. */
static void add_comma(Compiler *compiler, Before before) {
    if (is_xml(compiler) || before == BEFORE_NOTHING) {
        return;
    }
    if (before == BEFORE_SOMETHING) {
        g_string_append_c(compiler->out->text, ',');
    } else {
        add_op(compiler->out, (Op){.kind = OP_COMMA});
    }
}

static Before after(Before before, bool conditional) {
    if (!conditional || before == BEFORE_SOMETHING) {
        return BEFORE_SOMETHING;
    }
    return BEFORE_PERHAPS;
}

static bool compile_item(Compiler *compiler, const Json *json, const ElementName *name,
                         Before *before, GError **error) {
    const char *condition = json_member_string(json, CONDITION_KEY, NULL);
    Before here = *before;
    *before = after(here, condition != NULL);
    if (condition == NULL) {
        add_comma(compiler, here);
        return compile_inner(compiler, json, name, error);
    }
    guint place;
    g_autoptr(Json) bare = json_copy_deep(json);
    json_remove(bare, CONDITION_KEY);
    const Json *value = json_member(bare, VALUE_KEY);
    if (!add_test(compiler, condition, &place, error)) {
        return false;
    }
    add_comma(compiler, here);
    if (!compile_inner(compiler, value == NULL ? bare : value, name, error)) {
        return false;
    }
    end_test(compiler, place);
    return true;
}

static bool compile_items(Compiler *compiler, const Json *json, const ElementName *name,
                          GError **error) {
    const char *key;
    if (find_each(json, &key) != NULL) {
        return compile_each(compiler, json, name, error);
    }
    Before before = BEFORE_NOTHING;
    for (size_t i = 0; i < json_count(json); i++) {
        if (!compile_item(compiler, json_item(json, i), name, &before, error)) {
            return false;
        }
    }
    return true;
}

static bool compile_element(Compiler *compiler, const char *key, size_t length, const Json *value,
                            GError **error) {
    ElementName name = name_element(compiler, key, length);
    bool list = is_list(value);
    size_t outer = list ? name.outer : length;
    open_element(compiler, key, outer);
    if (!(list ? compile_items(compiler, value, &name, error)
               : compile_value(compiler, value, error))) {
        return false;
    }
    close_element(compiler, key, outer);
    return true;
}

static bool compile_named(Compiler *compiler, const char *key, size_t length, const Json *value,
                          GError **error) {
    if (is_xml(compiler)) {
        return compile_element(compiler, key, length, value, error);
    }
    json_append_quoted(compiler->out->text, key, length);
    g_string_append_c(compiler->out->text, ':');
    return compile_value(compiler, value, error);
}

static bool compile_optional(Compiler *compiler, const char *key, const Json *value, Before before,
                             GError **error) {
    const char *mark = strchr(key, '?');
    size_t length = (size_t)(mark - key);
    guint place;
    if (!add_test(compiler, key, &place, error)) {
        return false;
    }
    add_comma(compiler, before);
    if (!compile_named(compiler, key, length, value, error)) {
        return false;
    }
    end_test(compiler, place);
    return true;
}

static bool compile_member(Compiler *compiler, const char *key, const Json *value, Before *before,
                           GError **error) {
    Before here = *before;
    bool conditional = strchr(key, '?') != NULL;
    *before = after(here, conditional);
    if (strcmp(key, INCLUDE_KEY) == 0) {
        bool first = here == BEFORE_NOTHING; /* the first member needs no comma */
        const char *name = first ? json_text(value) : NULL;
        return compile_shared(compiler, name == NULL ? key : name, compile_members, error);
    }
    if (conditional) {
        return compile_optional(compiler, key, value, here, error);
    }
    add_comma(compiler, here);
    return compile_named(compiler, key, strlen(key), value, error);
}

static bool compile_members(Compiler *compiler, const Json *json, GError **error) {
    Before before = BEFORE_NOTHING;
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        if (!compile_member(compiler, key, value, &before, error)) {
            return false;
        }
    }
    return true;
}

/* A test that was copied, and the operation inside that it goes on with. */
typedef struct {
    guint place;
    size_t target;
} Jump;

static void land(Template *out, const GArray *jumps, size_t target) {
    for (guint i = 0; i < jumps->len; i++) {
        const Jump *jump = &g_array_index(jumps, Jump, i);
        if (jump->target == target) {
            flush(out);
            g_array_index(out->ops, Op, jump->place).start = out->ops->len;
        }
    }
}

static void embed_test(Template *out, const Template *inside, Op op, GArray *jumps) {
    Test test = g_array_index(inside->tests, Test, op.part);
    test.values = g_strdup(test.values);
    g_array_append_val(out->tests, test);
    op.part = out->tests->len - 1;
    add_op(out, op);
    const Jump jump = {.place = out->ops->len - 1, .target = op.start};
    g_array_append_val(jumps, jump);
}

static void embed_text(Compiler *compiler, const char *text, size_t length, bool percent) {
    g_autofree char *encoded =
        percent ? text_percent_encode(text, length) : g_strndup(text, length);
    add_text(compiler, encoded, strlen(encoded), true);
}

static void embed_value(Compiler *compiler, Op op, bool percent) {
    const size_t quote = op.whole ? 1 : 0;
    op.whole = false;
    embed_text(compiler, "\"", quote, percent);
    add_op(compiler->out, op);
    embed_text(compiler, "\"", quote, percent);
}

/* Copies the operations of a JSON template as those of a text that is such JSON. Fields that stand
 * alone become texts. Commas that depend on what was left out are not known when percent-encoded.
 */
static bool embed(Compiler *compiler, const Template *inside, bool percent, GError **error) {
    g_autoptr(GArray) jumps = g_array_new(FALSE, FALSE, sizeof(Jump));
    for (guint i = 0; i < inside->ops->len; i++) {
        const Op op = g_array_index(inside->ops, Op, i);
        land(compiler->out, jumps, i);
        if (op.kind == OP_LITERAL) {
            embed_text(compiler, inside->text->str + op.start, op.length, percent);
        } else if (op.kind == OP_FIELD || op.kind == OP_VARIABLE) {
            embed_value(compiler, op, percent);
        } else if (op.kind == OP_UNLESS && !percent) {
            embed_test(compiler->out, inside, op, jumps);
        } else if (op.kind == OP_COMMA && !percent) {
            add_op(compiler->out, op);
        } else {
            g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "JSON within a text may have no loops, and no conditions with \"%%json\".");
            return false;
        }
    }
    land(compiler->out, jumps, inside->ops->len);
    return true;
}

static bool compile_embedded(Compiler *compiler, const Json *json, bool percent, GError **error) {
    g_autoptr(Template) inside = template_new();
    TemplateScope scope = *compiler->scope;
    scope.format = TEMPLATE_JSON;
    Compiler inner = {.scope = &scope, .out = inside, .depth = compiler->depth};
    const char *quote = is_xml(compiler) ? "" : "\"";
    if (!compile_value(&inner, json, error)) {
        return false;
    }
    flush(inside);
    g_string_append(compiler->out->text, quote);
    if (!embed(compiler, inside, percent, error)) {
        return false;
    }
    g_string_append(compiler->out->text, quote);
    return true;
}

static bool compile_object(Compiler *compiler, const Json *json, GError **error) {
    const char *key;
    const Json *quoted = json_member(json, "$json");
    const Json *encoded = json_member(json, "%json");
    if (quoted != NULL || encoded != NULL) {
        return compile_embedded(compiler, quoted == NULL ? encoded : quoted, quoted == NULL, error);
    }
    if (is_xml(compiler)) {
        return compile_members(compiler, json, error);
    }
    bool list = find_each(json, &key) != NULL;
    g_string_append_c(compiler->out->text, list ? '[' : '{');
    if (!(list ? compile_each(compiler, json, NULL, error)
               : compile_members(compiler, json, error))) {
        return false;
    }
    g_string_append_c(compiler->out->text, list ? ']' : '}');
    return true;
}

static bool compile_array(Compiler *compiler, const Json *json, GError **error) {
    if (is_xml(compiler)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "An array needs a name in XML.");
        return false;
    }
    g_string_append_c(compiler->out->text, '[');
    if (!compile_items(compiler, json, NULL, error)) {
        return false;
    }
    g_string_append_c(compiler->out->text, ']');
    return true;
}

static bool compile_value(Compiler *compiler, const Json *json, GError **error) {
    switch (json_kind(json)) {
    case JSON_KIND_STRING:
        return compile_string(compiler, json_text(json), error);
    case JSON_KIND_OBJECT:
        return compile_object(compiler, json, error);
    case JSON_KIND_ARRAY:
        return compile_array(compiler, json, error);
    case JSON_KIND_NULL:
        g_string_append(compiler->out->text, is_xml(compiler) ? "" : "null");
        return true;
    default: {
        g_autofree char *text = json_print(json, JSON_COMPACT);
        g_string_append(compiler->out->text, text);
        return true;
    }
    }
}

Template *template_compile(const Json *body, const TemplateScope *scope, GError **error) {
    g_autoptr(Template) out = template_new();
    Compiler compiler = {.scope = scope, .out = out};
    if (!compile_value(&compiler, body, error)) {
        return NULL;
    }
    flush(out);
    return g_steal_pointer(&out);
}

Template *template_compile_text(const char *text, const TemplateScope *scope, GError **error) {
    g_autoptr(Template) out = template_new();
    Compiler compiler = {.scope = scope, .out = out};
    if (!compile_pieces(&compiler, text, false, error)) {
        return NULL;
    }
    flush(out);
    return g_steal_pointer(&out);
}

void template_free(Template *compiled) {
    if (compiled != NULL) {
        g_array_unref(compiled->ops);
        g_array_unref(compiled->tests);
        g_array_unref(compiled->loops);
        g_string_free(compiled->text, TRUE);
        g_free(compiled);
    }
}

static void render_field(FieldValue value, bool whole, GString *out) {
    bool quoted = whole && value.quoted;
    if (quoted) {
        g_string_append_c(out, '"');
    }
    g_string_append_len(out, value.text, (gssize)value.length);
    if (quoted) {
        g_string_append_c(out, '"');
    }
}

/* A variable alone in its text is a number, null or rows: the rows and numbers go in bare. */
static void render_variable(const Op *op, const Variables *variables, GString *out) {
    const char *text = variables->text[op->variable];
    bool quoted = op->whole && text != NULL && op->variable != VARIABLE_ROWS &&
                  text[strspn(text, "0123456789")] != '\0';
    if (text == NULL) {
        g_string_append(out, op->whole ? "null" : "");
        return;
    }
    render_field((FieldValue){text, variables->length[op->variable], quoted}, op->whole, out);
}

static bool test_holds(const Test *test, Item *item) {
    return condition_lists(test->values, item_value(item, test->ref)) != test->negated;
}

static void render_each(const Each *each, Item *item, const Variables *variables, GString *out) {
    Item inside;
    bool top = each->of->parent == NULL;
    uint64_t count = top ? each->of->count : item_child_count(item, each->of);
    bool first = true;
    for (uint64_t i = 0; i < count; i++) {
        item_init(&inside, each->of, top ? NULL : item, i);
        if (!condition_holds(each->when, &inside)) {
            continue;
        }
        if (each->commas && !first) {
            g_string_append_c(out, ',');
        }
        template_render(each->body, &inside, variables, out);
        first = false;
    }
}

/* Between members and items: nothing after an opening bracket. */
static void render_comma(GString *out) {
    if (out->len > 0 && strchr("[{", out->str[out->len - 1]) == NULL) {
        g_string_append_c(out, ',');
    }
}

void template_render(const Template *compiled, Item *item, const Variables *variables,
                     GString *out) {
    const Op *ops = (const Op *)(const void *)compiled->ops->data;
    for (size_t i = 0; i < compiled->ops->len; i++) {
        const Op *op = &ops[i];
        switch (op->kind) {
        case OP_LITERAL:
            g_string_append_len(out, compiled->text->str + op->start, (gssize)op->length);
            break;
        case OP_FIELD:
            render_field(item_value(item, op->ref), op->whole, out);
            break;
        case OP_VARIABLE:
            render_variable(op, variables, out);
            break;
        case OP_UNLESS:
            if (!test_holds(&g_array_index(compiled->tests, Test, op->part), item)) {
                i = op->start - 1;
            }
            break;
        case OP_COMMA:
            render_comma(out);
            break;
        case OP_EACH:
            render_each(&g_array_index(compiled->loops, Each, op->part), item, variables, out);
            break;
        }
    }
}
