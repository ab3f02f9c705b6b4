/* condition.h - an expression that answers yes or no, fast where it is a plain comparison.
 *
 * Most conditions of definitions read `.body.message == "Branch not protected"`: a plain path, ==
 * or
 * !=, and a literal. Those are compared directly; everything else is compiled as a program when it
 * is first asked. A Condition belongs to one thread; its expression must outlive it.
 */
#pragma once

#include "provider/expr.h"

typedef struct Condition Condition;

Condition *condition_new(const Expr *expr);
void condition_free(Condition *condition);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Condition, condition_free)

/* Whether it is compared without a program. */
bool condition_is_plain(const Condition *condition);

/* The answer: true only when the expression gives exactly one value, which is true. An expression
 * that fails, does not compile or runs too long says no. */
bool condition_holds(Condition *condition, const ExprInput *input);
