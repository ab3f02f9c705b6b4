#include "provider/facts.h"

#include <string.h>

#include "base/error.h"
#include "base/text.h"
#include "provider/lexer.h"

/* The builtins of jq 1.6 that are allowed, a space around each. Left out are those that reach
 * outside (input, env, halt, modules), depend on the local time zone, or write to the terminal. */
static const char builtins[] =
    " IN INDEX acos add all any arrays ascii_downcase ascii_upcase asin atan booleans bsearch "
    "capture cbrt ceil combinations contains cos date del delpaths empty endswith error exp "
    "exp10 exp2 explode fabs false finites first flatten floor from_entries fromdate "
    "fromdateiso8601 fromjson fromstream getpath gmtime group_by gsub has implode in index "
    "indices infinite inside isempty isinfinite isnan isnormal isvalid iterables join keys "
    "keys_unsorted last leaf_paths length limit log log10 log2 ltrimstr map map_values match "
    "max max_by min min_by nan normals not now nth null nulls numbers objects path paths pow "
    "range recurse recurse_down repeat reverse rindex round rtrimstr scalars scan select "
    "setpath sin sort sort_by split splits sqrt startswith strftime strings strptime sub tan "
    "test to_entries todate todateiso8601 tojson tonumber tostream tostring transpose true "
    "trunc truncate_stream type unique unique_by until utf8bytelength values walk while "
    "with_entries ";

/* Builtins that look at their arguments only, never at `.` by themselves; the number is how many
 * arguments they then have, -1 for any. */
static const struct {
    const char *name;
    int arguments;
} blind[] = {
    {"true", -1},  {"false", -1},    {"null", -1}, {"empty", -1}, {"now", -1}, {"nan", -1},
    {"range", -1}, {"infinite", -1}, {"limit", 2}, {"first", 1},  {"last", 1}, {"isempty", 1},
    {"error", 1},  {"any", 2},       {"all", 2},   {"nth", 2},
};

/* Builtins that give more outputs than their input has parts. */
static const char *const generators[] = {"combinations", "range",  "recurse", "recurse_down",
                                         "repeat",       "splits", "until",   "while"};

static const char *const formats[] = {"@base32", "@base32d", "@base64", "@base64d", "@csv", "@html",
                                      "@json",   "@sh",      "@text",   "@tsv",     "@uri"};

static const char *const keywords[] = {"and", "as",    "catch", "elif",   "else", "end", "foreach",
                                       "if",  "label", "or",    "reduce", "then", "try", "break"};

/* A bracket, an interpolation, or an if: what `.` is inside. */
typedef struct {
    char open;         /* ( [ { " or 'i' for if */
    bool root;         /* `.` was the root when it was opened */
    bool current;      /* `.` is the root now */
    bool binding;      /* behind `as` or `label`: the next | changes nothing */
    bool pattern;      /* between `as` and its | or ( */
    bool key;          /* an object's member name comes next */
    bool reducing;     /* the ( ... ) of reduce or foreach: behind its ; `.` is something else */
    unsigned reducers; /* reduce and foreach whose `as` is still to come */
    bool body;         /* the next ( opens the body of a reduce */
} Group;

typedef struct {
    const char *source;
    const Token *tokens;
    size_t at;
    GArray *groups;
    bool term;           /* the last token ended a term, so that .x and [ follow it up */
    GPtrArray *bound;    /* char *: names that `as` or label binds */
    GPtrArray *used;     /* const Token *: variables */
    GPtrArray *compared; /* char *: with an order operator */
    GPtrArray *guarded;  /* char *: with null */
    Facts *facts;
} Walk;

static bool contains(const char *const *names, size_t count, const Token *token) {
    for (size_t i = 0; i < count; i++) {
        if (token_is(token, names[i]))
            return true;
    }
    return false;
}

static Group *top(Walk *walk) {
    return &g_array_index(walk->groups, Group, walk->groups->len - 1);
}

static const Token *peek(const Walk *walk, size_t ahead) {
    const Token *token = &walk->tokens[walk->at];
    while (ahead-- > 0 && token->kind != TOKEN_END)
        token++;
    return token;
}

static bool refuse(const Walk *walk, const Token *token, const char *why, GError **error) {
    g_autofree char *position = lexer_position(walk->source, token->text);
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "\"%.*s\" at %s %s.",
                (int)MIN(token->length, 40), token->text, position, why);
    return false;
}

static void add_unique(GPtrArray *list, const char *text) {
    for (guint i = 0; i < list->len; i++) {
        if (strcmp(list->pdata[i], text) == 0)
            return;
    }
    g_ptr_array_add(list, g_strdup(text));
}

static void open_group(Walk *walk, char open) {
    Group *outer = top(walk);
    Group group = {
        .open = open,
        .root = outer->current && !outer->pattern,
        .current = outer->current && !outer->pattern,
        .pattern = outer->pattern,
        .key = open == '{',
        .reducing = outer->body && open == '(',
    };
    if (group.reducing) {
        outer->body = false;
        outer->pattern = false;
        group.pattern = false;
        group.root = group.current = outer->current;
    }
    g_array_append_val(walk->groups, group);
}

static void close_group(Walk *walk) {
    g_array_set_size(walk->groups, walk->groups->len - 1);
}

/* Paths. */

static bool is_identifier(const char *name, size_t length) {
    for (size_t i = 0; i < length; i++) {
        if (!g_ascii_isalnum(name[i]) && name[i] != '_')
            return false;
    }
    return length > 0 && !g_ascii_isdigit(name[0]);
}

static void append_step(GString *path, const char *name, size_t length) {
    if (is_identifier(name, length)) {
        g_string_append_c(path, '.');
        g_string_append_len(path, name, (gssize)length);
        return;
    }
    g_string_append(path, path->len == 0 ? ".[\"" : "[\"");
    g_string_append_len(path, name, (gssize)length);
    g_string_append(path, "\"]");
}

/* A string token whose content is its own spelling. */
static bool is_simple_string(const Token *token) {
    return token->kind == TOKEN_STRING && memchr(token->text, '\\', token->length) == NULL;
}

static bool is_index(const Token *token) {
    return token->kind == TOKEN_NUMBER && token->length <= 9 &&
           strspn(token->text, "0123456789") >= token->length;
}

/* Appends the step at the walk's position to path and passes it; false when what comes is no step
 * with a fixed name (nothing is passed then). */
static bool take_step(Walk *walk, GString *path, bool first) {
    const Token *token = peek(walk, 0), *next = peek(walk, 1);
    if (token->kind == TOKEN_FIELD) {
        append_step(path, token->text + 1, token->length - 1);
        walk->at++;
        return true;
    }
    if (token_is(token, ".") && is_simple_string(next)) {
        append_step(path, next->text + 1, next->length - 2);
        walk->at += 2;
        return true;
    }
    if (token_is(token, ".") && first) { /* the path's own dot */
        walk->at++;
        return true;
    }
    if (!token_is(token, "["))
        return false;
    if (token_is(next, "]")) {
        g_string_append(path, path->len == 0 ? ".[]" : "[]");
        walk->at += 2;
        return true;
    }
    if (!token_is(peek(walk, 2), "]"))
        return false;
    if (is_simple_string(next))
        append_step(path, next->text + 1, next->length - 2);
    else if (is_index(next))
        g_string_append_printf(path, "%s[%.*s]", path->len == 0 ? "." : "", (int)next->length,
                               next->text);
    else
        return false;
    walk->at += 3;
    return true;
}

/* Operators and brackets beside which a comparison stands alone. */
static bool ends_comparison(const Token *token) {
    static const char *const ends[] = {"|",  ",",    ";",  ":",    "//",   "and",
                                       "or", "then", "if", "elif", "else", "end"};
    return token->kind == TOKEN_END || token->kind == TOKEN_OPEN || token->kind == TOKEN_CLOSE ||
           token->kind == TOKEN_TEXT_OPEN || token->kind == TOKEN_TEXT_NEXT ||
           token->kind == TOKEN_TEXT_CLOSE || contains(ends, G_N_ELEMENTS(ends), token);
}

static bool is_equality(const Token *token) {
    return token_is(token, "==") || token_is(token, "!=");
}

static bool is_order(const Token *token) {
    return token_is(token, "<") || token_is(token, "<=") || token_is(token, ">") ||
           token_is(token, ">=");
}

/* The token before the index, or TOKEN_END at the beginning. */
static const Token *before(const Walk *walk, size_t index, size_t back) {
    static const Token beginning = {.kind = TOKEN_END, .text = ""};
    return index >= back ? &walk->tokens[index - back] : &beginning;
}

/* Whether the path in tokens [from, at) is compared with null and used for nothing else. */
static bool is_null_test(const Walk *walk, size_t from) {
    if (is_equality(peek(walk, 0)) && token_is(peek(walk, 1), "null"))
        return ends_comparison(before(walk, from, 1)) && ends_comparison(peek(walk, 2)) &&
               peek(walk, 2)->kind != TOKEN_OPEN;
    return is_equality(before(walk, from, 1)) && token_is(before(walk, from, 2), "null") &&
           ends_comparison(before(walk, from, 3)) && ends_comparison(peek(walk, 0)) &&
           peek(walk, 0)->kind != TOKEN_OPEN;
}

static void note_read(Walk *walk, const char *path, bool kind_only) {
    Facts *facts = walk->facts;
    size_t length = strcspn(path + 1, ".[");
    if (length > 0) {
        g_autofree char *name = g_strndup(path + 1, length);
        add_unique(facts->names, name);
    } else if (path[1] == '[' && path[2] == '"') {
        g_autofree char *name = g_strndup(path + 3, (size_t)(strchr(path + 3, '"') - path - 3));
        add_unique(facts->names, name);
    } else {
        facts->reads_all = true;
        return;
    }
    g_autofree char *read = g_strconcat(path, kind_only ? " | type" : NULL, NULL);
    add_unique(facts->reads, read);
}

/* A path that begins at the root's dot. */
static void walk_path(Walk *walk) {
    size_t from = walk->at;
    bool root = top(walk)->current;
    g_autoptr(GString) path = g_string_new(NULL);
    bool dotted = token_is(peek(walk, 0), ".") && peek(walk, 1)->kind != TOKEN_STRING;
    if (dotted)
        take_step(walk, path, true);
    while (take_step(walk, path, false)) {
        while (token_is(peek(walk, 0), "?"))
            walk->at++;
    }
    walk->term = true;
    if (!root)
        return;
    if (path->len == 0)
        g_string_append_c(path, '.');
    bool null_test = is_null_test(walk, from);
    note_read(walk, path->str, null_test);
    if (null_test)
        add_unique(walk->guarded, path->str);
    else if (is_order(peek(walk, 0)) || is_order(before(walk, from, 1)))
        add_unique(walk->compared, path->str);
}

/* Names. */

static bool is_builtin(const Token *token) {
    char word[32];
    if (token->length + sizeof "  " > sizeof word)
        return false;
    word[0] = word[token->length + 1] = ' ';
    memcpy(word + 1, token->text, token->length);
    word[token->length + 2] = '\0';
    return strstr(builtins, word) != NULL;
}

/* How many arguments the call at the walk's position has. */
static int count_arguments(const Walk *walk) {
    if (!token_is(peek(walk, 1), "("))
        return 0;
    int arguments = 1;
    int depth = 0;
    for (const Token *token = peek(walk, 1); token->kind != TOKEN_END; token++) {
        if (token->kind == TOKEN_OPEN || token->kind == TOKEN_TEXT_OPEN)
            depth++;
        if ((token->kind == TOKEN_CLOSE || token->kind == TOKEN_TEXT_CLOSE) && --depth == 0)
            break;
        if (depth == 1 && token_is(token, ";"))
            arguments++;
    }
    return arguments;
}

static bool looks_at_input(const Walk *walk) {
    const Token *token = peek(walk, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(blind); i++) {
        if (token_is(token, blind[i].name))
            return blind[i].arguments >= 0 && blind[i].arguments != count_arguments(walk);
    }
    return true;
}

static bool walk_builtin(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0);
    if (!is_builtin(token))
        return refuse(walk, token, "is not allowed in an expression", error);
    if (top(walk)->current && looks_at_input(walk))
        walk->facts->reads_all = true;
    if (token_is(token, "now"))
        walk->facts->reads_now = true;
    if (contains(generators, G_N_ELEMENTS(generators), token))
        walk->facts->generates = true;
    if (token_is(token, "any") ||
        token_is(token, "all")) /* (generator; condition on its outputs) */
        top(walk)->body = count_arguments(walk) == 2;
    walk->term = true;
    walk->at++;
    return true;
}

/* then, elif, else and end: back to what `.` was at the if. */
static bool walk_branch(Walk *walk, const Token *token, GError **error) {
    Group *group = top(walk);
    if (group->open != 'i')
        return refuse(walk, token, "has no \"if\" before it", error);
    group->current = group->root;
    group->binding = false;
    walk->term = token_is(token, "end");
    if (walk->term)
        close_group(walk);
    return true;
}

static bool walk_keyword(Walk *walk, const Token *token, GError **error) {
    Group *group = top(walk);
    walk->at++;
    walk->term = false;
    if (token_is(token, "if")) {
        open_group(walk, 'i');
        return true;
    }
    if (token_is(token, "then") || token_is(token, "elif") || token_is(token, "else") ||
        token_is(token, "end"))
        return walk_branch(walk, token, error);
    if (token_is(token, "reduce") || token_is(token, "foreach")) {
        group->reducers++;
    } else if (token_is(token, "label")) {
        group->binding = group->pattern = true;
    } else if (token_is(token, "as")) {
        group->pattern = true;
        group->body = group->reducers > 0;
        group->binding = group->reducers == 0;
        group->reducers -= group->reducers > 0;
    }
    return true;
}

static bool walk_name(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0), *next = peek(walk, 1);
    Group *group = top(walk);
    bool member = group->open == '{' && group->key;
    if (member && token_is(next, ":")) {
        walk->at++;
        return true;
    }
    if (member && (token_is(next, ",") || token_is(next, "}"))) { /* {name} is {name: .name} */
        g_autoptr(GString) path = g_string_new(NULL);
        append_step(path, token->text, token->length);
        if (group->current)
            note_read(walk, path->str, false);
        walk->term = true;
        walk->at++;
        return true;
    }
    if (contains(keywords, G_N_ELEMENTS(keywords), token))
        return walk_keyword(walk, token, error);
    return walk_builtin(walk, error);
}

static bool walk_variable(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0);
    g_autofree char *name = g_strndup(token->text + 1, token->length - 1);
    if (g_str_has_prefix(name, "__") || strcmp(name, "ENV") == 0)
        return refuse(walk, token, "is not allowed in an expression", error);
    if (top(walk)->pattern)
        add_unique(walk->bound, name);
    else
        g_ptr_array_add(walk->used, (void *)(uintptr_t)token);
    walk->facts->reads_now = walk->facts->reads_now || strcmp(name, "now") == 0;
    walk->facts->reads_settings = walk->facts->reads_settings || strcmp(name, "settings") == 0;
    walk->term = true;
    walk->at++;
    return true;
}

static bool walk_format(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0), *next = peek(walk, 1);
    if (!contains(formats, G_N_ELEMENTS(formats), token))
        return refuse(walk, token, "is not a format of jq", error);
    bool before_text = next->kind == TOKEN_STRING || next->kind == TOKEN_TEXT_OPEN;
    if (!before_text && top(walk)->current)
        walk->facts->reads_all = true;
    walk->term = !before_text;
    walk->at++;
    return true;
}

/* Strings, brackets, operators. */

static bool walk_string(Walk *walk) {
    const Token *token = peek(walk, 0), *next = peek(walk, 1);
    Group *group = top(walk);
    bool shorthand = group->open == '{' && group->key &&
                     (token_is(next, ",") || token_is(next, "}")); /* {"a b"} */
    if (shorthand && group->current && is_simple_string(token)) {
        g_autoptr(GString) path = g_string_new(NULL);
        append_step(path, token->text + 1, token->length - 2);
        note_read(walk, path->str, false);
    } else if (shorthand && group->current) {
        walk->facts->reads_all = true;
    }
    walk->term = true;
    walk->at++;
    return true;
}

static bool walk_bracket(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0);
    walk->at++;
    switch (token->kind) {
    case TOKEN_OPEN:
        open_group(walk, token->text[0]);
        walk->term = false;
        return true;
    case TOKEN_TEXT_OPEN:
        if (top(walk)->open == '{' && top(walk)->key && top(walk)->current)
            walk->facts->reads_all = true; /* {"\(..)"} reads the member of that name */
        open_group(walk, '"');
        walk->term = false;
        return true;
    case TOKEN_TEXT_NEXT:
        top(walk)->current = top(walk)->root;
        walk->term = false;
        return true;
    default:
        if (top(walk)->open == 'i')
            return refuse(walk, token, "comes before the \"end\" of an \"if\"", error);
        close_group(walk);
        walk->term = true;
        return true;
    }
}

static void walk_pipe(Group *group) {
    if (!group->binding)
        group->current = false;
    group->binding = group->pattern = group->body = false;
}

static bool walk_operator(Walk *walk) {
    const Token *token = peek(walk, 0);
    Group *group = top(walk);
    if (token_is(token, "..")) {
        walk->facts->reads_all = walk->facts->reads_all || group->current;
        walk->term = true;
    } else if (!token_is(token, "?")) { /* which leaves a term a term */
        walk->term = false;
    }
    if (token_is(token, "|")) {
        walk_pipe(group);
    } else if (token_is(token, ";")) {
        group->current = group->root && !group->reducing;
        group->binding = false;
    } else if (token_is(token, ",") && group->open == '{') {
        group->key = true;
        group->current = group->root;
        group->binding = false;
    } else if (token_is(token, ":") && group->open == '{') {
        group->key = false;
    } else if (token_is(token, "//") || token_is(token, "//=")) {
        bool alternative = token_is(peek(walk, 1), "true");
        walk->facts->alternative_true = walk->facts->alternative_true || alternative;
    }
    walk->at++;
    return true;
}

static bool walk_token(Walk *walk, GError **error) {
    const Token *token = peek(walk, 0);
    bool dot = token_is(token, ".") || token->kind == TOKEN_FIELD;
    if (dot && !walk->term) {
        walk_path(walk);
        return true;
    }
    switch (token->kind) {
    case TOKEN_NAME:
        return walk_name(walk, error);
    case TOKEN_VARIABLE:
        return walk_variable(walk, error);
    case TOKEN_FORMAT:
        return walk_format(walk, error);
    case TOKEN_STRING:
        return walk_string(walk);
    case TOKEN_OPERATOR:
        return walk_operator(walk);
    case TOKEN_OPEN:
    case TOKEN_CLOSE:
    case TOKEN_TEXT_OPEN:
    case TOKEN_TEXT_NEXT:
    case TOKEN_TEXT_CLOSE:
        return walk_bracket(walk, error);
    default: /* numbers, and fields behind a term */
        walk->term = true;
        walk->at++;
        return true;
    }
}

static bool is_bound(const Walk *walk, const Token *variable) {
    if (token_is(variable, "$settings") || token_is(variable, "$now"))
        return true;
    for (guint i = 0; i < walk->bound->len; i++) {
        const char *name = walk->bound->pdata[i];
        if (strlen(name) == variable->length - 1 &&
            memcmp(name, variable->text + 1, variable->length - 1) == 0)
            return true;
    }
    return false;
}

static bool walk_all(Walk *walk, GError **error) {
    Group outermost = {.open = '\0', .root = true, .current = true};
    g_array_append_val(walk->groups, outermost);
    while (peek(walk, 0)->kind != TOKEN_END) {
        if (!walk_token(walk, error))
            return false;
    }
    if (walk->groups->len > 1) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "An \"if\" of the expression has no \"end\".");
        return false;
    }
    for (guint i = 0; i < walk->used->len; i++) {
        const Token *token = walk->used->pdata[i];
        if (!is_bound(walk, token))
            return refuse(walk, token, "is not bound; there are $settings and $now", error);
    }
    return true;
}

static int compare_texts(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool has_text(const GPtrArray *list, const char *text) {
    for (guint i = 0; i < list->len; i++) {
        if (strcmp(list->pdata[i], text) == 0)
            return true;
    }
    return false;
}

static void conclude(Walk *walk) {
    Facts *facts = walk->facts;
    for (guint i = 0; i < walk->compared->len; i++) {
        if (!has_text(walk->guarded, walk->compared->pdata[i]))
            g_ptr_array_add(facts->order_compared, g_strdup(walk->compared->pdata[i]));
    }
    g_ptr_array_sort(facts->names, compare_texts);
    g_ptr_array_sort(facts->reads, compare_texts);
    g_ptr_array_add(facts->names, NULL);
    g_ptr_array_add(facts->reads, NULL);
    g_ptr_array_add(facts->order_compared, NULL);
}

Facts *facts_new(const char *source, GError **error) {
    g_autoptr(GArray) tokens = lexer_tokens(source, error);
    if (tokens == NULL)
        return NULL;
    g_autoptr(Facts) facts = g_new0(Facts, 1);
    facts->names = g_ptr_array_new_with_free_func(g_free);
    facts->reads = g_ptr_array_new_with_free_func(g_free);
    facts->order_compared = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GArray) groups = g_array_new(FALSE, FALSE, sizeof(Group));
    g_autoptr(GPtrArray) bound = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) used = g_ptr_array_new();
    g_autoptr(GPtrArray) compared = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GPtrArray) guarded = g_ptr_array_new_with_free_func(g_free);
    Walk walk = {
        .source = source,
        .tokens = (const Token *)(const void *)tokens->data,
        .groups = groups,
        .bound = bound,
        .used = used,
        .compared = compared,
        .guarded = guarded,
        .facts = facts,
    };
    if (!walk_all(&walk, error))
        return NULL;
    conclude(&walk);
    return g_steal_pointer(&facts);
}

void facts_free(Facts *facts) {
    if (facts == NULL)
        return;
    g_ptr_array_unref(facts->names);
    g_ptr_array_unref(facts->reads);
    g_ptr_array_unref(facts->order_compared);
    g_free(facts);
}

bool facts_calls(const char *source, const char *builtin) {
    g_autoptr(GArray) tokens = lexer_tokens(source, NULL);
    for (guint i = 0; tokens != NULL && i < tokens->len; i++) {
        const Token *token = &g_array_index(tokens, Token, i);
        if (token->kind == TOKEN_NAME && token_is(token, builtin))
            return true;
    }
    return false;
}
