#include "provider/condition.h"

struct Condition {
    const Expr *expr;
    ValuePath *path; /* NULL: not a plain comparison */
    Value literal;
    bool negated;
    ExprProgram *program; /* made when first needed */
};

/* A JSON scalar is the same in jq. */
static bool parse_literal(const char *text, Value *literal_out) {
    if (text[0] == '\0' || strchr("\"tfn-0123456789", text[0]) == NULL)
        return false;
    return value_parse(text, strlen(text), literal_out, NULL);
}

/* `PATH == LITERAL`. Where the first sign stands inside of something else, neither side can be
 * read and the expression is left to jq. */
static void split(Condition *condition, const char *source) {
    const char *equal = strstr(source, "==");
    const char *differs = strstr(source, "!=");
    bool negated = equal == NULL || (differs != NULL && differs < equal);
    const char *sign = negated ? differs : equal;
    if (sign == NULL)
        return;
    g_autofree char *left = g_strndup(source, (size_t)(sign - source));
    g_autofree char *right = g_strdup(sign + 2);
    g_autoptr(ValuePath) path = value_path_parse(g_strstrip(left), NULL);
    if (path == NULL || !parse_literal(g_strstrip(right), &condition->literal))
        return;
    condition->path = g_steal_pointer(&path);
    condition->negated = negated;
}

Condition *condition_new(const Expr *expr) {
    Condition *condition = g_new0(Condition, 1);
    condition->expr = expr;
    split(condition, expr_source(expr));
    return condition;
}

void condition_free(Condition *condition) {
    if (condition == NULL)
        return;
    value_path_free(condition->path);
    value_clear(&condition->literal);
    expr_program_free(condition->program);
    g_free(condition);
}

bool condition_is_plain(const Condition *condition) {
    return condition->path != NULL;
}

static bool compare(const Condition *condition, Value root) {
    g_auto(Value) value = VALUE_NONE;
    if (!value_path_get(condition->path, root, &value))
        return false;
    return value_equal(value, condition->literal) != condition->negated;
}

bool condition_holds(Condition *condition, const ExprInput *input) {
    if (condition->path != NULL)
        return compare(condition, input->root);
    if (condition->program == NULL)
        condition->program = expr_program_new(&condition->expr, 1);
    g_auto(ExprResult) result = {.outcome = EXPR_NONE};
    bool truth = false;
    if (!expr_program_eval(condition->program, input, &result, NULL))
        return false;
    return expr_result_bool(&result, &truth) && truth;
}
