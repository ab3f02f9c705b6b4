#include "sandbox/template.h"

#include "base/error.h"

#include <string.h>

#define INCLUDE_DEPTH 8
#define INCLUDE_KEY ">"

typedef enum { OP_LITERAL, OP_FIELD, OP_VARIABLE, OP_UNLESS } OpKind;

typedef struct {
    OpKind kind;
    bool whole;   /* a field that keeps its JSON type */
    FieldRef ref; /* of OP_FIELD and OP_UNLESS */
    Variable variable;
    size_t start; /* of a literal in the text; of OP_UNLESS: the operation to go on with */
    size_t length;
} Op;

struct Template {
    GArray *ops;
    GString *text; /* all literals */
    size_t flushed;
};

typedef struct {
    const TemplateScope *scope;
    Template *out;
    unsigned depth;
} Compiler;

static const char *const variable_names[VARIABLES] = {
    [VARIABLE_LIMIT] = "rate.limit", [VARIABLE_REMAINING] = "rate.remaining",
    [VARIABLE_USED] = "rate.used",   [VARIABLE_RESET] = "rate.reset",
    [VARIABLE_WAIT] = "wait",        [VARIABLE_REQUEST] = "request",
    [VARIABLE_NEEDED] = "needed",    [VARIABLE_SCOPES] = "scopes",
    [VARIABLE_LINK] = "link",        [VARIABLE_NEXT] = "next",
    [VARIABLE_ROWS] = "rows",
};

typedef bool (*CompileShared)(Compiler *compiler, const Json *json, GError **error);

static bool compile_value(Compiler *compiler, const Json *json, GError **error);
static bool compile_members(Compiler *compiler, const Json *json, GError **error);

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

static bool compile_reference(Compiler *compiler, const char *name, bool whole, GError **error) {
    const TemplateScope *scope = compiler->scope;
    Op op = {.whole = whole};
    const char *constant = g_hash_table_lookup(scope->constants, name);
    if (constant != NULL) {
        bool quoted =
            whole && (constant[0] == '\0' || constant[strspn(constant, "0123456789")] != '\0');
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

/* Text without its quotes; literals are escaped when they go into JSON. */
static void add_text(Compiler *compiler, const char *text, size_t length, bool escape) {
    GString *out = compiler->out->text;
    if (!escape) {
        g_string_append_len(out, text, (gssize)length);
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
    g_string_append_c(compiler->out->text, '"');
    if (!compile_pieces(compiler, text, true, error)) {
        return false;
    }
    g_string_append_c(compiler->out->text, '"');
    return true;
}

static void add_key(Compiler *compiler, const char *key, size_t length, bool first) {
    GString *out = compiler->out->text;
    if (!first) {
        g_string_append_c(out, ',');
    }
    json_append_quoted(out, key, length);
    g_string_append_c(out, ':');
}

static bool compile_optional(Compiler *compiler, const char *key, const Json *value,
                             GError **error) {
    const char *mark = strchr(key, '?');
    Template *out = compiler->out;
    Op op = {.kind = OP_UNLESS};
    if (compiler->scope->collection == NULL ||
        !field_find(compiler->scope->collection, mark + 1, &op.ref)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "The member \"%s\" depends on a field that is not there.", key);
        return false;
    }
    add_op(out, op);
    guint place = out->ops->len - 1;
    add_key(compiler, key, (size_t)(mark - key), false);
    if (!compile_value(compiler, value, error)) {
        return false;
    }
    flush(out);
    g_array_index(out->ops, Op, place).start = out->ops->len;
    return true;
}

static bool compile_member(Compiler *compiler, const char *key, const Json *value, bool first,
                           GError **error) {
    if (strcmp(key, INCLUDE_KEY) == 0) {
        const char *name = first ? json_text(value) : NULL; /* only first members need no comma */
        return compile_shared(compiler, name == NULL ? key : name, compile_members, error);
    }
    if (!first && strchr(key, '?') != NULL) {
        return compile_optional(compiler, key, value, error);
    }
    add_key(compiler, key, strlen(key), first);
    return compile_value(compiler, value, error);
}

static bool compile_members(Compiler *compiler, const Json *json, GError **error) {
    bool first = true;
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json, &iterator, &key, &value)) {
        if (!compile_member(compiler, key, value, first, error)) {
            return false;
        }
        first = false;
    }
    return true;
}

static bool compile_object(Compiler *compiler, const Json *json, GError **error) {
    g_string_append_c(compiler->out->text, '{');
    if (!compile_members(compiler, json, error)) {
        return false;
    }
    g_string_append_c(compiler->out->text, '}');
    return true;
}

static bool compile_array(Compiler *compiler, const Json *json, GError **error) {
    g_string_append_c(compiler->out->text, '[');
    for (size_t i = 0; i < json_count(json); i++) {
        if (i > 0) {
            g_string_append_c(compiler->out->text, ',');
        }
        if (!compile_value(compiler, json_item(json, i), error)) {
            return false;
        }
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
    default: {
        g_autofree char *text = json_print(json, JSON_COMPACT);
        g_string_append(compiler->out->text, text);
        return true;
    }
    }
}

static Template *template_new(void) {
    Template *out = g_new0(Template, 1);
    out->ops = g_array_new(FALSE, TRUE, sizeof(Op));
    out->text = g_string_new(NULL);
    return out;
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

void template_render(const Template *compiled, Item *item, const Variables *variables,
                     GString *out) {
    const Op *ops = (const Op *)(const void *)compiled->ops->data;
    for (size_t i = 0; i < compiled->ops->len; i++) {
        const Op *op = &ops[i];
        FieldValue value;
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
            value = item_value(item, op->ref);
            if (value.length != 4 || memcmp(value.text, "true", 4) != 0) {
                i = op->start - 1;
            }
            break;
        }
    }
}
