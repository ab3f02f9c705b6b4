/* condition.h - an expression that answers yes or no, fast where it is a plain comparison.
 *
 * Most conditions of definitions read `.body.message == "Branch not protected"`: a plain path, ==
 * or !=, and a literal. Those are compared directly; most others are evaluated natively. For the
 * few that need libjq, whose programs take 17 ms to compile, a ConditionPool compiles all of a
 * definition's as one program when the first of them is asked; where that program fails, each
 * has one of its own. A Condition belongs to one thread; its expression and its pool must outlive
 * it.
 */
#pragma once

#include "provider/expr.h"

typedef struct Condition Condition;

typedef struct ConditionPool ConditionPool;

/* Empty. Expressions are added before the first condition is asked; those that need no libjq are
 * passed over. The expressions are borrowed. */
ConditionPool *condition_pool_new(void);
void condition_pool_add(ConditionPool *pool, const Expr *expr);
void condition_pool_free(ConditionPool *pool);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ConditionPool, condition_pool_free)

/* How many expressions are compiled together. */
size_t condition_pool_count(const ConditionPool *pool);

/* The pool is borrowed and may be NULL. */
Condition *condition_new(const Expr *expr, ConditionPool *pool);
void condition_free(Condition *condition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Condition, condition_free)

/* Whether it is compared without a program. */
bool condition_is_plain(const Condition *condition);

/* The answer: true only when the expression gives exactly one value, which is true. An expression
 * that fails, does not compile or runs too long says no. */
bool condition_holds(Condition *condition, const ExprInput *input);
