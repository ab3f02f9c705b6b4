/* summary.h - what an evidence document says about all its rows, computed while they stream by.
 *
 * A SummaryPlan is the definition's part, a Summary one run over one document. Members:
 *
 *     count                      rows
 *     count where EXPR           rows for which EXPR is true
 *     sum EXPR [where EXPR]      of numbers; 0 without any
 *     min EXPR [where EXPR]      smallest number or string; null without any
 *     max EXPR [where EXPR]
 *     distinct EXPR [where EXPR] the different values in order of appearance, at most 1,000
 *     group EXPR [where EXPR]    {value: number of rows}, at most 1,000 values
 *     = EXPR                     computed at the end from the reducers above it
 *
 * EXPR after `where` extends to the end of the text. Expressions see the typed row; those behind
 * `=` see an object of the members above them that are reducers. Memory does not grow with rows.
 *
 * A row with unread fields is not taken by a member that needs one of them, and counts as missed
 * there; the same happens to a row whose expression fails or gives the wrong kind of value. null
 * is neither summed nor compared nor grouped and is not missed.
 *
 * A plan is immutable once used and may be shared between threads; a Summary belongs to one.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/expr.h"

/* Most different values that distinct and group hold. */
#define SUMMARY_MAX_VALUES 1000

typedef struct SummaryPlan SummaryPlan;

SummaryPlan *summary_plan_new(void);
void summary_plan_free(SummaryPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SummaryPlan, summary_plan_free)

/* Appends a member. ERROR_CONFIGURATION for an unknown reducer, a bad expression, a name used
 * twice, or an `=` that reads a name which is no reducer above it. */
bool summary_plan_add(SummaryPlan *plan, const char *name, const char *text,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
size_t summary_plan_count(const SummaryPlan *plan);
const char *summary_plan_name(const SummaryPlan *plan, size_t index);
/* The expression of a member and that of its where, either NULL when there is none: for checks
 * against the declared fields. Borrowed. */
const Expr *summary_plan_expr(const SummaryPlan *plan, size_t index);
const Expr *summary_plan_where(const SummaryPlan *plan, size_t index);
/* Whether the member is an `= EXPR`. */
bool summary_plan_is_final(const SummaryPlan *plan, size_t index);

/* The compiled expressions of a plan. Compiling costs 15 ms and more, so summaries of one plan that
 * are many (one for each parent row) share one. Belongs to one thread; the plan is borrowed. */
typedef struct SummaryProgram SummaryProgram;

SummaryProgram *summary_program_new(const SummaryPlan *plan);
void summary_program_free(SummaryProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(SummaryProgram, summary_program_free)

typedef struct Summary Summary;

/* One run with a shared program, which must outlive it. Several may be fed by turns. */
Summary *summary_new_with(SummaryProgram *program, Value settings, int64_t now_ms);

/* One run. The plan is borrowed; settings are referenced. */
Summary *summary_new(const SummaryPlan *plan, Value settings, int64_t now_ms);
void summary_free(Summary *summary);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Summary, summary_free)

/* Feeds one typed row. unread: the names of its unread fields (as from field_set_check), or NULL.
 * Fails only as expr_program_eval does. */
bool summary_feed(Summary *summary, Value row, const GPtrArray *unread,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Computes the members behind `=`. Once, after the last row. An expression that gives no single
 * value is ERROR_CONFIGURATION. */
bool summary_finish(Summary *summary, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* After summary_finish, in the plan's order. Owned by the caller. */
Value summary_value(const Summary *summary, size_t index);
/* All members as one object, for title, description and metadata. Owned. */
Value summary_object(const Summary *summary);
/* Whether distinct or group left values out. */
bool summary_overflowed(const Summary *summary, size_t index);
/* Rows that the member could not take. */
int64_t summary_missed(const Summary *summary, size_t index);
int64_t summary_rows(const Summary *summary);

/* Appends `"name":value,...` in the plan's order, without braces: the end of a document. */
void summary_append_json(const Summary *summary, GString *out);
