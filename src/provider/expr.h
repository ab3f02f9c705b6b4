/* expr.h - expressions of definitions: jq, made safe, pure and cheap (libjq 1.6 inside).
 *
 * Most expressions never meet libjq: those of the subset that native.h evaluates itself, with the
 * same results. Programs of such expressions and plain paths cost nothing to make.
 *
 * Life cycle. A definition's text becomes an Expr by expr_parse(), which lets only an allow-list of
 * builtins pass and needs no libjq. Expressions that are evaluated together are given to one
 * ExprProgram; it compiles them as one jq program at the first evaluation (15 ms and more: keep
 * programs, do not make one per row). Each expression is a leaf with an outcome of its own: one
 * that raises an error does not disturb its neighbours. Leaves that are plain paths (`.repo.name`)
 * never reach jq; a program of plain paths only costs nothing to make.
 *
 * An expression sees its root as `.`, `$settings`, the run's time as `now` and `$now` (seconds),
 * and what it binds itself. Nothing else: no environment, no input, no clock, no files.
 * `fromdate` and `fromdateiso8601` take RFC 3339 with fractions and offsets.
 *
 * Threads: an Expr is immutable and may be shared. A program belongs to one thread at a time;
 * every thread has its own. Regular expressions are run by one thread at a time. One watchdog
 * thread stops an evaluation that passes its time limit; that program cannot be used again and its
 * jq state is leaked on purpose (libjq cannot take it down). libjq has no memory limit and aborts
 * when memory ends: whatever evaluates runs in a worker process.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "provider/value.h"

/* Longest source text of one expression. */
#define EXPR_MAX_SOURCE 16384
/* Evaluations are stopped after this time unless the program says otherwise. */
#define EXPR_TIME_LIMIT_MS 2000

typedef struct Expr Expr;

/* Reads an expression. ERROR_CONFIGURATION names what is refused or unbalanced and its position
 * in the text ("character 12"). Syntax beyond that is checked by expr_check(). */
Expr *expr_parse(const char *source, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void expr_free(Expr *expr);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Expr, expr_free)

/* Compiles the expression by itself and throws the result away (about 20 ms): the full syntax
 * check of `provider check`. ERROR_CONFIGURATION with jq's words. */
bool expr_check(const Expr *expr, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The text as given. Borrowed. */
const char *expr_source(const Expr *expr);
/* The plain path that the expression is, or NULL. Borrowed. */
const ValuePath *expr_plain_path(const Expr *expr);
/* Whether it is evaluated without libjq (for some rare values libjq may be asked all the same). */
bool expr_is_native(const Expr *expr);

/* What the expression may read of its root. expr_reads_all: a bare `.`, `keys`, `..` and the like;
 * otherwise expr_names lists the top-level names it touches, NULL-terminated and sorted
 * (`.repo.x` -> "repo"), and expr_reads the paths, in the syntax of scan's keep paths
 * (".repo.owner.login", ".protection | type", ".alerts[].state"). Never less than what is read.
 * Borrowed. */
bool expr_reads_all(const Expr *expr);
const char *const *expr_names(const Expr *expr);
const char *const *expr_reads(const Expr *expr);
/* Whether it names this top-level member, or may read everything. */
bool expr_mentions(const Expr *expr, const char *name);
/* Appends to keep (a GPtrArray of char *, freed by g_free) the keep paths below one top-level
 * member: of `.repo.owner.login` and "repo" it is ".owner.login"; "." when it is read whole. */
void expr_add_keep(const Expr *expr, const char *name, GPtrArray *keep);
bool expr_reads_now(const Expr *expr);
bool expr_reads_settings(const Expr *expr);

/* For the check of a definition. Whether `// true` occurs (in jq it turns false into true). */
bool expr_has_alternative_true(const Expr *expr);
/* Plain paths that stand directly beside <, <=, > or >= (null < 90 is true in jq): the names of
 * nullable fields must not be among them, unless the expression guards them. NULL-terminated,
 * such as ".maxAge". Borrowed. */
const char *const *expr_order_compared(const Expr *expr);

typedef enum {
    EXPR_ONE,   /* exactly one value */
    EXPR_NONE,  /* no value (empty) */
    EXPR_MANY,  /* more than one value; value is the first */
    EXPR_FAILED /* it raised an error; message says which */
} ExprOutcome;

typedef struct {
    ExprOutcome outcome;
    Value value;
    char *message; /* may quote the provider's data: show to nobody but the definition's author */
} ExprResult;

void expr_result_clear(ExprResult *result);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(ExprResult, expr_result_clear)
void expr_results_clear(ExprResult *results, size_t count);

/* The value as a boolean, when there is exactly one and it is one. */
bool expr_result_bool(const ExprResult *result, bool *truth_out);

typedef struct {
    Value root;     /* borrowed; what `.` is */
    Value settings; /* borrowed; VALUE_NONE is {} */
    int64_t now_ms; /* the run's time */
} ExprInput;

typedef struct ExprProgram ExprProgram;

/* The leaves are borrowed and must outlive the program. Cheap: nothing is compiled yet. */
ExprProgram *expr_program_new(const Expr *const *leaves, size_t count);
/* The same with every leaf but plain paths evaluated by libjq: what native results are held
 * against. */
ExprProgram *expr_program_new_by_jq(const Expr *const *leaves, size_t count);
void expr_program_free(ExprProgram *program);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ExprProgram, expr_program_free)

/* Another time limit than EXPR_TIME_LIMIT_MS; before the first evaluation. */
void expr_program_set_time_limit(ExprProgram *program, unsigned limit_ms);
size_t expr_program_count(const ExprProgram *program);

/* Evaluates all leaves on one input. results has a place for each leaf, is overwritten (clear
 * earlier results first) and owned by the caller. False when the program as a whole failed, with
 * no result to clear: ERROR_CONFIGURATION (it does not compile) or ERROR_TIMEOUT (stopped by the
 * watchdog; later calls fail at once). */
bool expr_program_eval(ExprProgram *program, const ExprInput *input, ExprResult *results,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* One expression once, for settings and the like. Compiles unless it is a plain path; anything but
 * exactly one value is ERROR_CONFIGURATION. */
bool expr_eval_once(const Expr *expr, const ExprInput *input, Value *value_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
