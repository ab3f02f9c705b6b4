#include "provider/condition.h"

struct ConditionPool {
    GPtrArray *leaves;    /* const Expr *, borrowed */
    ExprProgram *program; /* made when first needed */
    ExprResult *results;
    bool failed; /* one of them spoils the others */
};

struct Condition {
    const Expr *expr;
    ConditionPool *pool; /* NULL: not one of its expressions */
    guint place;         /* among them */
    ValuePath *path;     /* NULL: not a plain comparison */
    Value literal;
    bool negated;
    ExprProgram *program; /* made when first needed */
};

ConditionPool *condition_pool_new(void) {
    ConditionPool *pool = g_new0(ConditionPool, 1);
    pool->leaves = g_ptr_array_new();
    return pool;
}

void condition_pool_add(ConditionPool *pool, const Expr *expr) {
    g_assert(pool->program == NULL);
    if (!expr_is_native(expr))
        g_ptr_array_add(pool->leaves, (void *)(uintptr_t)expr);
}

void condition_pool_free(ConditionPool *pool) {
    if (pool == NULL)
        return;
    expr_program_free(pool->program);
    g_ptr_array_unref(pool->leaves);
    g_free(pool->results);
    g_free(pool);
}

size_t condition_pool_count(const ConditionPool *pool) {
    return pool->leaves->len;
}

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

Condition *condition_new(const Expr *expr, ConditionPool *pool) {
    Condition *condition = g_new0(Condition, 1);
    condition->expr = expr;
    if (pool != NULL && g_ptr_array_find(pool->leaves, expr, &condition->place))
        condition->pool = pool;
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

static bool is_true(const ExprResult *result) {
    bool truth = false;
    return expr_result_bool(result, &truth) && truth;
}

/* False when the pool cannot answer. */
static bool ask_pool(ConditionPool *pool, guint place, const ExprInput *input, bool *truth_out) {
    if (pool->failed)
        return false;
    if (pool->program == NULL) {
        pool->program =
            expr_program_new((const Expr *const *)(void *)pool->leaves->pdata, pool->leaves->len);
        pool->results = g_new0(ExprResult, pool->leaves->len);
    }
    pool->failed = !expr_program_eval(pool->program, input, pool->results, NULL);
    if (pool->failed)
        return false;
    *truth_out = is_true(&pool->results[place]);
    expr_results_clear(pool->results, pool->leaves->len);
    return true;
}

bool condition_holds(Condition *condition, const ExprInput *input) {
    bool truth = false;
    if (condition->path != NULL)
        return compare(condition, input->root);
    if (condition->pool != NULL && ask_pool(condition->pool, condition->place, input, &truth))
        return truth;
    if (condition->program == NULL)
        condition->program = expr_program_new(&condition->expr, 1);
    g_auto(ExprResult) result = {.outcome = EXPR_NONE};
    return expr_program_eval(condition->program, input, &result, NULL) && is_true(&result);
}
