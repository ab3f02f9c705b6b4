#include "provider/native_parse.h"

#include <math.h>
#include <string.h>

#include "provider/lexer.h"
#include "provider/native_call.h"

/* Constructs inside each other. */
#define MAX_DEPTH 120

/* A variable in scope. */
typedef struct {
    const char *name; /* with its $ */
    size_t length;
    size_t slot;
} Scope;

typedef struct {
    NativeTree *tree;
    const Token *token;
    GArray *scopes; /* Scope, innermost last */
    unsigned depth;
    bool term_only; /* what comes next must be a term: no (...)? and no binding */
} Parser;

typedef const NativeNode *Node; /* NULL: not in the subset */

static Node parse_pipe(Parser *parser);
static Node parse_product(Parser *parser);

/* Nodes. */

static Node make(Parser *parser, const NativeNode *node) {
    return native_tree_add(parser->tree, node);
}

static Node make_pair(Parser *parser, NodeKind kind, Node a, Node b) {
    return native_tree_pair(parser->tree, kind, a, b);
}

static Node make_input(Parser *parser) {
    return make(parser, &(NativeNode){.kind = NODE_INPUT});
}

/* The text is taken. */
static size_t constant_text(Parser *parser, char *text, size_t length) {
    NativeConstant constant = {.kind = CONSTANT_TEXT, .length = length};
    constant.text = g_steal_pointer(&text);
    return native_tree_constant(parser->tree, &constant);
}

static Node make_constant(Parser *parser, NativeConstantKind kind, double number) {
    NativeConstant constant = {.kind = kind, .number = number};
    size_t place = native_tree_constant(parser->tree, &constant);
    NativeNode node = {.kind = NODE_LITERAL, .place = place, .constant = kind == CONSTANT_NUMBER};
    return make(parser, &node);
}

static Node make_text(Parser *parser, char *text, size_t length) {
    size_t place = constant_text(parser, text, length);
    return make(parser, &(NativeNode){.kind = NODE_LITERAL, .place = place});
}

static Node make_step(Parser *parser, Node from, size_t key) {
    if (from == NULL)
        return NULL;
    return make(parser, &(NativeNode){.kind = NODE_STEP, .a = from, .place = key});
}

static Node make_call(Parser *parser, const char *name, unsigned arguments, Node a, Node b) {
    return native_tree_call(parser->tree, native_function_find(name, strlen(name), arguments), a,
                            b);
}

static Node make_operator(Parser *parser, const char *sign, Node a, Node b) {
    return a == NULL || b == NULL ? NULL : make_call(parser, sign, 2, a, b);
}

/* Tokens. */

static bool at(const Parser *parser, const char *text) {
    return token_is(parser->token, text);
}

static bool pass(Parser *parser, const char *text) {
    bool found = at(parser, text);
    parser->token += found;
    return found;
}

/* What a string token or a piece of one says; NULL when it has an escape that jq may read in its
 * own way. Caller frees. */
static char *unescape(const char *text, size_t length, size_t *length_out) {
    static const char escapes[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    g_autoptr(GString) out = g_string_sized_new(length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] != '\\') {
            g_string_append_c(out, text[i]);
            continue;
        }
        const char *escape = ++i < length ? strchr(escapes, text[i]) : NULL;
        if (escape == NULL)
            return NULL;
        g_string_append_c(out, meanings[escape - escapes]);
    }
    *length_out = out->len;
    return g_strdup(out->str);
}

/* The content of the string token at hand. Caller frees. */
static char *token_text(const Token *token, size_t *length_out) {
    return unescape(token->text + 1, token->length - 2, length_out);
}

/* Terms. */

/* Only numbers in the spelling of JSON. */
static Node parse_number(Parser *parser) {
    g_autofree char *text = g_strndup(parser->token->text, parser->token->length);
    size_t whole = strspn(text, "0123456789");
    bool zero = text[0] == '0' && whole > 1;
    bool dot = text[whole] == '.' && !g_ascii_isdigit(text[whole + 1]);
    char *end = NULL;
    double number = g_ascii_strtod(text, &end);
    if (whole == 0 || zero || dot || *end != '\0' || !isfinite(number))
        return NULL;
    parser->token++;
    return make_constant(parser, CONSTANT_NUMBER, number);
}

static Node parse_string(Parser *parser) {
    size_t length;
    char *text = token_text(parser->token++, &length);
    return text == NULL ? NULL : make_text(parser, text, length);
}

/* "a\(x)b": ("a" + (x | tostring)) + "b". */
static Node parse_interpolation(Parser *parser) {
    Node sum = NULL;
    for (;;) {
        const Token *piece = parser->token++;
        bool last = piece->kind == TOKEN_TEXT_CLOSE;
        size_t length;
        char *text = unescape(piece->text + 1, piece->length - (last ? 2 : 3), &length);
        if (text == NULL)
            return NULL;
        Node part = make_text(parser, text, length);
        sum = sum == NULL ? part : make_operator(parser, "+", sum, part);
        if (last || sum == NULL)
            return sum;
        Node inner = parse_pipe(parser);
        if (inner == NULL ||
            (parser->token->kind != TOKEN_TEXT_NEXT && parser->token->kind != TOKEN_TEXT_CLOSE))
            return NULL;
        sum = make_operator(parser, "+", sum, make_call(parser, "tostring", 0, inner, NULL));
        if (sum == NULL)
            return NULL;
    }
}

static bool is_keyword(const char *name, size_t length) {
    static const char keywords[] =
        " as import include module def if then else elif reduce foreach end and or label try "
        "catch break __loc__ ";
    g_autofree char *word = g_strdup_printf(" %.*s ", (int)length, name);
    return strstr(keywords, word) != NULL;
}

static Node parse_variable(Parser *parser) {
    const Token *token = parser->token++;
    for (guint i = parser->scopes->len; i > 0; i--) {
        const Scope *scope = &g_array_index(parser->scopes, Scope, i - 1);
        if (scope->length == token->length && memcmp(scope->name, token->text, token->length) == 0)
            return make(parser, &(NativeNode){.kind = NODE_VARIABLE, .place = scope->slot});
    }
    if (token_is(token, "$settings"))
        return make(parser, &(NativeNode){.kind = NODE_SETTINGS});
    return token_is(token, "$now") ? make(parser, &(NativeNode){.kind = NODE_NOW}) : NULL;
}

static Node parse_array(Parser *parser) {
    parser->token++;
    Node inside =
        at(parser, "]") ? make(parser, &(NativeNode){.kind = NODE_EMPTY}) : parse_pipe(parser);
    if (inside == NULL || !pass(parser, "]"))
        return NULL;
    return make(parser, &(NativeNode){.kind = NODE_ARRAY, .a = inside});
}

static Node parse_if(Parser *parser) {
    parser->token++;
    Node condition = parse_pipe(parser);
    if (condition == NULL || !pass(parser, "then"))
        return NULL;
    Node then = parse_pipe(parser);
    if (then == NULL)
        return NULL;
    Node otherwise;
    if (at(parser, "elif")) {
        otherwise = parse_if(parser);
    } else {
        if (!pass(parser, "else"))
            return NULL;
        otherwise = parse_pipe(parser);
        if (otherwise == NULL || !pass(parser, "end"))
            return NULL;
    }
    if (otherwise == NULL)
        return NULL;
    NativeNode node = {.kind = NODE_IF, .a = condition, .b = then, .c = otherwise};
    return make(parser, &node);
}

/* Calls. */

static Node parse_definition(Parser *parser, const char *text) {
    g_autoptr(GArray) tokens = lexer_tokens(text, NULL);
    g_assert(tokens != NULL);
    const Token *behind = parser->token;
    parser->token = &g_array_index(tokens, Token, 0);
    Node node = parse_pipe(parser);
    parser->token = behind;
    return node;
}

/* The arguments of a call, if any; false when they are not for us. */
static bool parse_arguments(Parser *parser, Node *arguments, unsigned *count_out) {
    unsigned count = 0;
    bool more = pass(parser, "(");
    while (more) {
        if (count == NATIVE_MAX_ARGUMENTS)
            return false;
        arguments[count] = parse_pipe(parser);
        if (arguments[count++] == NULL)
            return false;
        more = pass(parser, ";");
        if (!more && !pass(parser, ")"))
            return false;
    }
    *count_out = count;
    return true;
}

static Node parse_call(Parser *parser) {
    const Token *name = parser->token++;
    Node arguments[NATIVE_MAX_ARGUMENTS] = {NULL};
    unsigned count;
    if (!parse_arguments(parser, arguments, &count))
        return NULL;
    const char *definition = count == 0 ? native_call_definition(name) : NULL;
    return definition != NULL ? parse_definition(parser, definition)
                              : native_call_make(parser->tree, name, arguments, count);
}

/* Words that stand for a value. */
static Node parse_word(Parser *parser) {
    static const struct {
        const char *name;
        NativeConstantKind kind;
    } literals[] = {{"null", CONSTANT_NULL}, {"false", CONSTANT_FALSE}, {"true", CONSTANT_TRUE}};
    bool called = token_is(parser->token + 1, "(");
    for (size_t i = 0; !called && i < G_N_ELEMENTS(literals); i++) {
        if (pass(parser, literals[i].name))
            return make_constant(parser, literals[i].kind, 0);
    }
    if (!called && pass(parser, "empty"))
        return make(parser, &(NativeNode){.kind = NODE_EMPTY});
    if (!called && pass(parser, "now"))
        return make(parser, &(NativeNode){.kind = NODE_NOW});
    return parse_call(parser);
}

/* Objects. */

/* `- 1` and terms, joined by |. */
static Node parse_member_value(Parser *parser);

/* One key and, for the short forms {a}, {"a b"} and {$a}, its value. */
static bool parse_key(Parser *parser, size_t *key_out, Node *value_out) {
    const Token *token = parser->token;
    bool long_form = token_is(token + 1, ":");
    size_t length = token->length;
    char *text = NULL;
    if (token->kind == TOKEN_NAME && !is_keyword(token->text, length))
        text = g_strndup(token->text, length);
    else if (token->kind == TOKEN_STRING)
        text = token_text(token, &length);
    else if (token->kind == TOKEN_VARIABLE && !long_form)
        text = g_strndup(token->text + 1, --length);
    if (text == NULL)
        return false;
    *key_out = constant_text(parser, text, length);
    if (long_form) {
        parser->token += 2;
        *value_out = parse_member_value(parser);
    } else if (token->kind == TOKEN_VARIABLE) {
        *value_out = parse_variable(parser);
    } else {
        parser->token++;
        *value_out = make_step(parser, make_input(parser), *key_out);
    }
    return *value_out != NULL;
}

static Node parse_object(Parser *parser) {
    g_autoptr(GArray) keys = g_array_new(FALSE, FALSE, sizeof(size_t));
    g_autoptr(GPtrArray) values = g_ptr_array_new();
    parser->token++;
    bool more = !at(parser, "}");
    while (more) {
        size_t key;
        Node value;
        if (!parse_key(parser, &key, &value))
            return NULL;
        g_array_append_val(keys, key);
        g_ptr_array_add(values, (void *)(uintptr_t)value);
        more = pass(parser, ",");
    }
    if (!pass(parser, "}"))
        return NULL;
    NativeNode node = {.kind = NODE_OBJECT, .count = values->len};
    if (node.count > 0) {
        node.keys =
            native_tree_keep(parser->tree, g_memdup2(keys->data, keys->len * sizeof(size_t)));
        node.values =
            native_tree_keep(parser->tree, g_memdup2(values->pdata, values->len * sizeof(void *)));
    }
    return make(parser, &node);
}

/* Terms and what follows them. */

static Node parse_parenthesis(Parser *parser) {
    parser->token++;
    Node inside = parse_pipe(parser);
    return inside != NULL && pass(parser, ")") ? inside : NULL;
}

static Node parse_field(Parser *parser, Node from) {
    const Token *token = parser->token++;
    char *name = g_strndup(token->text + 1, token->length - 1);
    return make_step(parser, from, constant_text(parser, name, token->length - 1));
}

/* `."a b"`, from its string on. */
static Node parse_quoted_field(Parser *parser, Node from) {
    size_t length;
    char *name = token_text(parser->token++, &length);
    return name == NULL ? NULL : make_step(parser, from, constant_text(parser, name, length));
}

static Node parse_dot(Parser *parser) {
    Node input = make_input(parser);
    parser->token++;
    if (parser->token->kind == TOKEN_STRING)
        return parse_quoted_field(parser, input);
    return parser->token->kind == TOKEN_TEXT_OPEN || parser->token->kind == TOKEN_FORMAT ? NULL
                                                                                         : input;
}

static Node parse_term(Parser *parser) {
    const Token *token = parser->token;
    switch (token->kind) {
    case TOKEN_NUMBER:
        return parse_number(parser);
    case TOKEN_STRING:
        return parse_string(parser);
    case TOKEN_TEXT_OPEN:
        return parse_interpolation(parser);
    case TOKEN_FIELD:
        return parse_field(parser, make_input(parser));
    case TOKEN_VARIABLE:
        return parse_variable(parser);
    case TOKEN_NAME:
        return parse_word(parser);
    case TOKEN_OPEN:
        return *token->text == '('   ? parse_parenthesis(parser)
               : *token->text == '[' ? parse_array(parser)
                                     : parse_object(parser);
    default:
        return token_is(token, ".") ? parse_dot(parser) : NULL;
    }
}

/* A slice is an index by {start, end}. */
static Node make_slice(Parser *parser, Node from, Node start, Node end) {
    start = start != NULL ? start : make_constant(parser, CONSTANT_NULL, 0);
    end = end != NULL ? end : make_constant(parser, CONSTANT_NULL, 0);
    if (start == NULL || end == NULL)
        return NULL;
    size_t *keys = native_tree_keep(parser->tree, g_new(size_t, 2));
    const NativeNode **values = native_tree_keep(parser->tree, g_new(const NativeNode *, 2));
    keys[0] = constant_text(parser, g_strdup("start"), strlen("start"));
    keys[1] = constant_text(parser, g_strdup("end"), strlen("end"));
    values[0] = start;
    values[1] = end;
    NativeNode node = {.kind = NODE_OBJECT, .keys = keys, .values = values, .count = 2};
    return make_pair(parser, NODE_INDEX, from, make(parser, &node));
}

static const NativeConstant *constant_of(const Parser *parser, Node node) {
    return &g_array_index(parser->tree->constants, NativeConstant, node->place);
}

/* `-1` is a sign and a literal. */
static Node fold_sign(Parser *parser, Node key) {
    bool signed_literal = key->kind == NODE_CALL && key->a != NULL && key->b == NULL &&
                          key->a->kind == NODE_LITERAL && strcmp(key->function->name, "-x") == 0 &&
                          constant_of(parser, key->a)->kind == CONSTANT_NUMBER;
    if (!signed_literal)
        return key;
    return make_constant(parser, CONSTANT_NUMBER, -constant_of(parser, key->a)->number);
}

/* A step by a literal is cheaper than an index that is computed. */
static Node make_index(Parser *parser, Node from, Node key) {
    key = key != NULL ? fold_sign(parser, key) : NULL;
    if (key == NULL)
        return NULL;
    if (key->kind != NODE_LITERAL)
        return make_pair(parser, NODE_INDEX, from, key);
    NativeConstantKind kind = constant_of(parser, key)->kind;
    bool plain = kind == CONSTANT_TEXT || kind == CONSTANT_NUMBER;
    return plain ? make_step(parser, from, key->place) : make_pair(parser, NODE_INDEX, from, key);
}

static Node parse_bracket(Parser *parser, Node from) {
    parser->token++;
    if (pass(parser, "]"))
        return make(parser, &(NativeNode){.kind = NODE_EACH, .a = from});
    Node start = at(parser, ":") ? NULL : parse_pipe(parser);
    bool slice = at(parser, ":");
    if (start == NULL && !slice)
        return NULL;
    parser->token += slice;
    bool open = slice && at(parser, "]");
    if (open && start == NULL) /* `.[:]` is no slice */
        return NULL;
    Node end = slice && !open ? parse_pipe(parser) : NULL;
    if ((slice && !open && end == NULL) || !pass(parser, "]"))
        return NULL;
    return slice ? make_slice(parser, from, start, end) : make_index(parser, from, start);
}

/* `as $name | body`: the body reaches as far as it can. */
static Node parse_binding(Parser *parser, Node source) {
    parser->token++;
    const Token *name = parser->token;
    if (name->kind != TOKEN_VARIABLE || is_keyword(name->text + 1, name->length - 1) ||
        g_str_has_prefix(name->text, "$__"))
        return NULL;
    parser->token++;
    if (!pass(parser, "|"))
        return NULL;
    Scope scope = {name->text, name->length, parser->tree->slots++};
    g_array_append_val(parser->scopes, scope);
    Node body = parse_pipe(parser);
    g_array_set_size(parser->scopes, parser->scopes->len - 1);
    if (body == NULL)
        return NULL;
    NativeNode node = {.kind = NODE_BIND, .a = source, .b = body, .place = scope.slot};
    return make(parser, &node);
}

/* One step behind a term: .name, ."name", [...]; a ? belongs to it. */
static Node parse_follower(Parser *parser, Node from) {
    Node node;
    if (parser->token->kind == TOKEN_FIELD) {
        node = parse_field(parser, from);
    } else if (at(parser, "[")) {
        node = parse_bracket(parser, from);
    } else {
        parser->token++;
        if (parser->token->kind != TOKEN_STRING)
            return NULL;
        node = parse_quoted_field(parser, from);
    }
    if (node == NULL || !at(parser, "?"))
        return node;
    parser->token++;
    NativeNode optional = *node;
    optional.optional = true;
    return make(parser, &optional);
}

static bool at_follower(const Parser *parser) {
    return parser->token->kind == TOKEN_FIELD || at(parser, "[") || at(parser, ".");
}

/* A path of its own takes the first ? to itself, other terms do not. */
static bool is_fresh_step(Node node, const Token *before, const Token *token) {
    return node->kind == NODE_STEP && !node->optional && *before->text == '.' &&
           (token == before + 1 || token == before + 2) && before->length != 0;
}

/* A term with its steps and bindings, or an if. */
static Node parse_postfix(Parser *parser) {
    const Token *before = parser->token;
    bool term_only = parser->term_only, term = !at(parser, "if");
    parser->term_only = false;
    Node node = term ? parse_term(parser) : parse_if(parser);
    if (node != NULL && term && at(parser, "?") && is_fresh_step(node, before, parser->token)) {
        NativeNode optional = *node;
        optional.optional = true;
        parser->token++;
        node = make(parser, &optional);
    }
    while (node != NULL && term && at_follower(parser))
        node = parse_follower(parser, node);
    for (; node != NULL && at(parser, "?"); term = false) {
        parser->token++;
        node = make(parser, &(NativeNode){.kind = NODE_TRY, .a = node});
    }
    if (node == NULL || (!term && (term_only || at_follower(parser) || at(parser, "as"))))
        return NULL;
    if (term_only && at(parser, "as"))
        return NULL;
    return at(parser, "as") ? parse_binding(parser, node) : node;
}

static Node parse_member_value(Parser *parser) {
    bool negative = pass(parser, "-");
    if (negative && parser->token->kind != TOKEN_NUMBER)
        return NULL;
    parser->term_only = true;
    Node node = parse_postfix(parser);
    if (node != NULL && negative)
        node = make_call(parser, "-x", 2, node, NULL);
    if (node == NULL || !pass(parser, "|"))
        return node;
    return make_pair(parser, NODE_PIPE, node, parse_member_value(parser));
}

/* Operators, from the tightest. */

static Node parse_unary(Parser *parser) {
    if (!pass(parser, "-"))
        return parse_postfix(parser);
    Node operand = parse_product(parser);
    return operand == NULL ? NULL : make_call(parser, "-x", 2, operand, NULL);
}

/* jq divides literals while it compiles, and refuses a zero there. */
static bool may_divide(const Parser *parser, Node divisor) {
    if (divisor->kind != NODE_LITERAL)
        return !divisor->constant;
    const NativeConstant *constant =
        &g_array_index(parser->tree->constants, NativeConstant, divisor->place);
    return constant->kind != CONSTANT_NUMBER || constant->number != 0;
}

static Node parse_product(Parser *parser) {
    if (++parser->depth > MAX_DEPTH)
        return NULL;
    Node left = parse_unary(parser);
    while (left != NULL && (at(parser, "*") || at(parser, "/"))) {
        bool division = at(parser, "/");
        parser->token++;
        Node right = parse_unary(parser);
        if (right == NULL || (division && !may_divide(parser, right)))
            return NULL;
        left = make_operator(parser, division ? "/" : "*", left, right);
    }
    parser->depth--;
    return left;
}

static Node parse_sum(Parser *parser) {
    Node left = parse_product(parser);
    while (left != NULL && (at(parser, "+") || at(parser, "-"))) {
        const char *sign = at(parser, "+") ? "+" : "-";
        parser->token++;
        left = make_operator(parser, sign, left, parse_product(parser));
    }
    return left;
}

static const char *comparison(const Parser *parser) {
    static const char *const signs[] = {"==", "!=", "<", "<=", ">", ">="};
    for (size_t i = 0; i < G_N_ELEMENTS(signs); i++) {
        if (at(parser, signs[i]))
            return signs[i];
    }
    return NULL;
}

static Node parse_comparison(Parser *parser) {
    Node left = parse_sum(parser);
    const char *sign = left == NULL ? NULL : comparison(parser);
    if (sign == NULL)
        return left;
    parser->token++;
    Node both = make_operator(parser, sign, left, parse_sum(parser));
    return comparison(parser) == NULL ? both : NULL;
}

static Node parse_and(Parser *parser) {
    Node left = parse_comparison(parser);
    while (left != NULL && pass(parser, "and"))
        left = make_pair(parser, NODE_AND, left, parse_comparison(parser));
    return left;
}

static Node parse_or(Parser *parser) {
    Node left = parse_and(parser);
    while (left != NULL && pass(parser, "or"))
        left = make_pair(parser, NODE_OR, left, parse_and(parser));
    return left;
}

static Node parse_alternative(Parser *parser) {
    if (++parser->depth > MAX_DEPTH)
        return NULL;
    Node left = parse_or(parser);
    if (left != NULL && pass(parser, "//"))
        left = make_pair(parser, NODE_ALTERNATIVE, left, parse_alternative(parser));
    parser->depth--;
    return left;
}

static Node parse_comma(Parser *parser) {
    Node left = parse_alternative(parser);
    while (left != NULL && pass(parser, ","))
        left = make_pair(parser, NODE_COMMA, left, parse_alternative(parser));
    return left;
}

static Node parse_pipe(Parser *parser) {
    if (++parser->depth > MAX_DEPTH)
        return NULL;
    Node left = parse_comma(parser);
    if (left != NULL && pass(parser, "|"))
        left = make_pair(parser, NODE_PIPE, left, parse_pipe(parser));
    parser->depth--;
    return left;
}

NativeTree *native_parse(const char *source) {
    g_autoptr(GArray) tokens = lexer_tokens(source, NULL);
    if (tokens == NULL)
        return NULL;
    g_autoptr(GArray) scopes = g_array_new(FALSE, FALSE, sizeof(Scope));
    g_autoptr(NativeTree) tree = native_tree_new();
    Parser parser = {
        .tree = tree,
        .token = &g_array_index(tokens, Token, 0),
        .scopes = scopes,
    };
    tree->root = parse_pipe(&parser);
    if (tree->root == NULL || parser.token->kind != TOKEN_END)
        return NULL;
    return g_steal_pointer(&tree);
}
