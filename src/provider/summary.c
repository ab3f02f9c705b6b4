#include "provider/summary.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "provider/lexer.h"

/* Most members, and most bytes that the values of one distinct or group may take as JSON. */
#define MAX_MEMBERS 100
#define MAX_BYTES (1 << 20)

typedef struct {
    char *name;
    size_t kind; /* index into reducers, or FINAL */
    Expr *expr;  /* NULL: none */
    Expr *where; /* NULL: every row */
} Member;

struct SummaryPlan {
    GPtrArray *members;
};

/* What one member has gathered so far. */
typedef struct {
    int64_t count;
    int64_t missed;
    double sum;
    Value value;      /* of min and max; the list of distinct; at the end, the result */
    GHashTable *seen; /* of distinct and group: JSON or key -> int64_t * */
    size_t bytes;
    bool overflowed;
} Tally;

struct SummaryProgram {
    const SummaryPlan *plan;
    ExprProgram *reducers; /* each member's expr, then its where */
    ExprProgram *finals;   /* the members behind `=` */
    const Expr **leaves;
    ExprResult *results; /* for the larger of the two */
};

struct Summary {
    const SummaryPlan *plan;
    SummaryProgram *program;
    SummaryProgram *own_program; /* NULL: borrowed */
    Tally *tallies;
    Value settings;
    int64_t now_ms;
    int64_t rows;
};

/* Reducers: how one value that passed `where` is taken. False: missed. */

static bool take_row(Tally *tally, Value value G_GNUC_UNUSED) {
    tally->count++;
    return true;
}

static bool take_sum(Tally *tally, Value value) {
    if (value_kind(value) != VALUE_KIND_NUMBER)
        return value_is_null(value);
    tally->sum += value_number(value, 0);
    return true;
}

static bool take_extreme(Tally *tally, Value value, int sign) {
    ValueKind kind = value_kind(value), before = value_kind(tally->value);
    if (kind <= VALUE_KIND_NULL)
        return true;
    bool ordered = kind == VALUE_KIND_NUMBER || kind == VALUE_KIND_STRING;
    if (!ordered || (before != VALUE_KIND_NONE && before != kind))
        return false;
    if (before == VALUE_KIND_NONE || value_compare(value, tally->value) * sign > 0) {
        value_clear(&tally->value);
        tally->value = value_apart(value);
    }
    return true;
}

static bool take_min(Tally *tally, Value value) {
    return take_extreme(tally, value, -1);
}

static bool take_max(Tally *tally, Value value) {
    return take_extreme(tally, value, 1);
}

/* Counts a key; whether it is new. Past the limits new keys are left out. */
static bool count_key(Tally *tally, const char *key) {
    int64_t *times = g_hash_table_lookup(tally->seen, key);
    if (times != NULL) {
        ++*times;
        return false;
    }
    size_t size = strlen(key);
    if (g_hash_table_size(tally->seen) == SUMMARY_MAX_VALUES || tally->bytes + size > MAX_BYTES) {
        tally->overflowed = true;
        return false;
    }
    tally->bytes += size;
    times = g_new(int64_t, 1);
    *times = 1;
    g_hash_table_insert(tally->seen, g_strdup(key), times);
    return true;
}

static bool take_distinct(Tally *tally, Value value) {
    if (value_is_null(value))
        return true;
    g_autofree char *json = value_to_json(value);
    if (count_key(tally, json))
        value_push(&tally->value, value_apart(value));
    return true;
}

static bool take_group(Tally *tally, Value value) {
    ValueKind kind = value_kind(value);
    if (kind <= VALUE_KIND_NULL)
        return true;
    if (kind == VALUE_KIND_ARRAY || kind == VALUE_KIND_OBJECT)
        return false;
    g_autofree char *key =
        kind == VALUE_KIND_STRING ? g_strdup(value_text(value)) : value_to_json(value);
    count_key(tally, key);
    return true;
}

/* What a reducer gives at the end. Owned. */

static Value give_count(const Tally *tally) {
    return value_new_number((double)tally->count);
}

static Value give_sum(const Tally *tally) {
    return value_new_number(tally->sum);
}

static Value give_value(const Tally *tally) {
    return value_kind(tally->value) == VALUE_KIND_NONE ? value_new_null()
                                                       : value_copy(tally->value);
}

static Value give_group(const Tally *tally) {
    Value object = value_new_object();
    GHashTableIter iterator;
    void *key, *times;
    g_hash_table_iter_init(&iterator, tally->seen);
    while (g_hash_table_iter_next(&iterator, &key, &times))
        value_put(&object, key, value_new_number((double)*(int64_t *)times));
    return object;
}

static const struct {
    const char *name;
    bool (*take)(Tally *tally, Value value);
    Value (*give)(const Tally *tally);
} reducers[] = {
    {"count", take_row, give_count},         {"sum", take_sum, give_sum},
    {"min", take_min, give_value},           {"max", take_max, give_value},
    {"distinct", take_distinct, give_value}, {"group", take_group, give_group},
};

#define FINAL G_N_ELEMENTS(reducers)

/* Plans. */

static void member_free(void *data) {
    Member *member = data;
    g_free(member->name);
    expr_free(member->expr);
    expr_free(member->where);
    g_free(member);
}

SummaryPlan *summary_plan_new(void) {
    SummaryPlan *plan = g_new0(SummaryPlan, 1);
    plan->members = g_ptr_array_new_with_free_func(member_free);
    return plan;
}

void summary_plan_free(SummaryPlan *plan) {
    if (plan == NULL)
        return;
    g_ptr_array_unref(plan->members);
    g_free(plan);
}

static const Member *member_at(const SummaryPlan *plan, size_t index) {
    g_assert(index < plan->members->len);
    return plan->members->pdata[index];
}

static const Member *member_named(const SummaryPlan *plan, const char *name) {
    for (guint i = 0; i < plan->members->len; i++) {
        if (strcmp(member_at(plan, i)->name, name) == 0)
            return member_at(plan, i);
    }
    return NULL;
}

static bool refuse(const char *name, const char *why, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The summary member %s %s.", name, why);
    return false;
}

/* Where the word `where` stands outside of all brackets, or NULL. */
static const char *find_where(const GArray *tokens) {
    unsigned depth = 0;
    for (guint i = 0; i < tokens->len; i++) {
        const Token *token = &g_array_index(tokens, Token, i);
        if (token->kind == TOKEN_OPEN || token->kind == TOKEN_TEXT_OPEN)
            depth++;
        else if (token->kind == TOKEN_CLOSE || token->kind == TOKEN_TEXT_CLOSE)
            depth--;
        else if (depth == 0 && token->kind == TOKEN_NAME && token_is(token, "where"))
            return token->text;
    }
    return NULL;
}

static bool parse_part(const char *name, const char *text, size_t length, Expr **expr_out,
                       GError **error) {
    g_autofree char *part = g_strstrip(g_strndup(text, length));
    *expr_out = expr_parse(part, error);
    if (*expr_out == NULL)
        g_prefix_error(error, "Summary member %s: ", name);
    return *expr_out != NULL;
}

static bool parse_reducer(Member *member, const char *text, GError **error) {
    g_autoptr(GArray) tokens = lexer_tokens(text, error);
    if (tokens == NULL) {
        g_prefix_error(error, "Summary member %s: ", member->name);
        return false;
    }
    const Token *word = &g_array_index(tokens, Token, 0);
    while (member->kind < FINAL && !token_is(word, reducers[member->kind].name))
        member->kind++;
    if (member->kind == FINAL || word->text != text)
        return refuse(member->name,
                      "is none of count, sum, min, max, distinct, group, or \"= ...\"", error);
    const char *start = text + strlen(reducers[member->kind].name), *end = text + strlen(text);
    const char *where = find_where(tokens);
    if (where != NULL &&
        !parse_part(member->name, where + strlen("where"), (size_t)(end - where) - strlen("where"),
                    &member->where, error))
        return false;
    size_t length = (size_t)((where != NULL ? where : end) - start);
    bool nothing = strspn(start, " \t\n") >= length;
    if (member->kind == 0) /* count */
        return nothing ||
               refuse(member->name, "counts rows: write count or count where ...", error);
    return parse_part(member->name, start, length, &member->expr, error);
}

static bool parse_final(const SummaryPlan *plan, Member *member, const char *text, GError **error) {
    member->kind = FINAL;
    if (!parse_part(member->name, text, strlen(text), &member->expr, error))
        return false;
    if (expr_reads_all(member->expr))
        return refuse(member->name, "must name the members that it reads", error);
    const char *const *names = expr_names(member->expr);
    for (size_t i = 0; names[i] != NULL; i++) {
        const Member *read = member_named(plan, names[i]);
        if (read == NULL || read->kind == FINAL)
            return refuse(member->name, "reads a name that is no reducer above it", error);
    }
    return true;
}

bool summary_plan_add(SummaryPlan *plan, const char *name, const char *text, GError **error) {
    if (member_named(plan, name) != NULL)
        return refuse(name, "is there twice", error);
    if (plan->members->len == MAX_MEMBERS)
        return refuse(name, "is one too many", error);
    Member *member = g_new0(Member, 1);
    member->name = g_strdup(name);
    const char *start = text + strspn(text, " \t\n");
    bool parsed = *start == '=' ? parse_final(plan, member, start + 1, error)
                                : parse_reducer(member, start, error);
    if (!parsed) {
        member_free(member);
        return false;
    }
    g_ptr_array_add(plan->members, member);
    return true;
}

size_t summary_plan_count(const SummaryPlan *plan) {
    return plan->members->len;
}

const char *summary_plan_name(const SummaryPlan *plan, size_t index) {
    return member_at(plan, index)->name;
}

const Expr *summary_plan_expr(const SummaryPlan *plan, size_t index) {
    return member_at(plan, index)->expr;
}

const Expr *summary_plan_where(const SummaryPlan *plan, size_t index) {
    return member_at(plan, index)->where;
}

bool summary_plan_is_final(const SummaryPlan *plan, size_t index) {
    return member_at(plan, index)->kind == FINAL;
}

/* Runs. */

static void tally_init(Tally *tally, const Member *member) {
    if (member->kind == FINAL)
        return;
    bool distinct = reducers[member->kind].take == take_distinct;
    if (distinct)
        tally->value = value_new_array();
    if (distinct || reducers[member->kind].take == take_group)
        tally->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
}

SummaryProgram *summary_program_new(const SummaryPlan *plan) {
    SummaryProgram *program = g_new0(SummaryProgram, 1);
    size_t members = plan->members->len, count = 0, finals = 0;
    program->plan = plan;
    program->leaves = g_new(const Expr *, MAX(members * 3, 1));
    for (size_t i = 0; i < members; i++) {
        const Member *member = member_at(plan, i);
        if (member->kind != FINAL && member->expr != NULL)
            program->leaves[count++] = member->expr;
        if (member->kind != FINAL && member->where != NULL)
            program->leaves[count++] = member->where;
    }
    for (size_t i = 0; i < members; i++) {
        if (summary_plan_is_final(plan, i))
            program->leaves[count + finals++] = member_at(plan, i)->expr;
    }
    program->reducers = expr_program_new(program->leaves, count);
    program->finals = expr_program_new(program->leaves + count, finals);
    program->results = g_new0(ExprResult, MAX(MAX(count, finals), 1));
    return program;
}

void summary_program_free(SummaryProgram *program) {
    if (program == NULL)
        return;
    expr_program_free(program->reducers);
    expr_program_free(program->finals);
    g_free(program->results);
    g_free((void *)program->leaves);
    g_free(program);
}

Summary *summary_new_with(SummaryProgram *program, Value settings, int64_t now_ms) {
    Summary *summary = g_new0(Summary, 1);
    size_t members = program->plan->members->len;
    summary->plan = program->plan;
    summary->program = program;
    summary->settings = value_copy(settings);
    summary->now_ms = now_ms;
    summary->tallies = g_new0(Tally, MAX(members, 1));
    for (size_t i = 0; i < members; i++)
        tally_init(&summary->tallies[i], member_at(summary->plan, i));
    return summary;
}

Summary *summary_new(const SummaryPlan *plan, Value settings, int64_t now_ms) {
    SummaryProgram *program = summary_program_new(plan);
    Summary *summary = summary_new_with(program, settings, now_ms);
    summary->own_program = program;
    return summary;
}

void summary_free(Summary *summary) {
    if (summary == NULL)
        return;
    for (size_t i = 0; i < summary->plan->members->len; i++) {
        value_clear(&summary->tallies[i].value);
        g_clear_pointer(&summary->tallies[i].seen, g_hash_table_unref);
    }
    summary_program_free(summary->own_program);
    value_clear(&summary->settings);
    g_free(summary->tallies);
    g_free(summary);
}

static bool needs_unread(const Expr *expr, const GPtrArray *unread) {
    for (guint i = 0; expr != NULL && i < unread->len; i++) {
        if (expr_mentions(expr, unread->pdata[i]))
            return true;
    }
    return false;
}

/* Whether the row belongs to the member; false in *good_out when that cannot be told. */
static bool is_wanted(const ExprResult *where, bool *good_out) {
    bool truth = false;
    *good_out = expr_result_bool(where, &truth) ||
                (where->outcome == EXPR_ONE && value_is_null(where->value));
    return *good_out && truth;
}

static bool take_member(const Member *member, Tally *tally, const ExprResult *expr,
                        const ExprResult *where) {
    bool good = true;
    if (where != NULL && !is_wanted(where, &good))
        return good;
    if (expr != NULL && expr->outcome != EXPR_ONE)
        return false;
    return reducers[member->kind].take(tally, expr != NULL ? expr->value : VALUE_NONE);
}

static void take_all(Summary *summary, const GPtrArray *unread) {
    const ExprResult *next = summary->program->results;
    for (size_t i = 0; i < summary->plan->members->len; i++) {
        const Member *member = member_at(summary->plan, i);
        if (member->kind == FINAL)
            continue;
        const ExprResult *expr = member->expr != NULL ? next++ : NULL;
        const ExprResult *where = member->where != NULL ? next++ : NULL;
        bool unreadable = unread != NULL && (needs_unread(member->expr, unread) ||
                                             needs_unread(member->where, unread));
        if (unreadable || !take_member(member, &summary->tallies[i], expr, where))
            summary->tallies[i].missed++;
    }
}

bool summary_feed(Summary *summary, Value row, const GPtrArray *unread, GError **error) {
    ExprInput input = {.root = row, .settings = summary->settings, .now_ms = summary->now_ms};
    ExprProgram *program = summary->program->reducers;
    ExprResult *results = summary->program->results;
    if (!expr_program_eval(program, &input, results, error))
        return false;
    summary->rows++;
    take_all(summary, unread);
    expr_results_clear(results, expr_program_count(program));
    return true;
}

static bool finish_one(Summary *summary, size_t index, const ExprResult *result, GError **error) {
    if (result->outcome != EXPR_ONE)
        return refuse(member_at(summary->plan, index)->name, "does not give a single value", error);
    summary->tallies[index].value = value_copy(result->value);
    return true;
}

static bool finish_finals(Summary *summary, Value reduced, GError **error) {
    ExprProgram *program = summary->program->finals;
    ExprResult *results = summary->program->results;
    ExprInput input = {.root = reduced, .settings = summary->settings, .now_ms = summary->now_ms};
    if (!expr_program_eval(program, &input, results, error))
        return false;
    bool good = true;
    for (size_t i = 0, at = 0; good && i < summary->plan->members->len; i++) {
        if (summary_plan_is_final(summary->plan, i))
            good = finish_one(summary, i, &results[at++], error);
    }
    expr_results_clear(results, expr_program_count(program));
    return good;
}

bool summary_finish(Summary *summary, GError **error) {
    g_auto(Value) reduced = value_new_object();
    for (size_t i = 0; i < summary->plan->members->len; i++) {
        const Member *member = member_at(summary->plan, i);
        if (member->kind == FINAL)
            continue;
        Tally *tally = &summary->tallies[i];
        Value result = reducers[member->kind].give(tally);
        value_clear(&tally->value);
        tally->value = result;
        value_put(&reduced, member->name, value_copy(result));
    }
    return finish_finals(summary, reduced, error);
}

Value summary_value(const Summary *summary, size_t index) {
    g_assert(index < summary->plan->members->len);
    return value_copy(summary->tallies[index].value);
}

Value summary_object(const Summary *summary) {
    Value object = value_new_object();
    for (size_t i = 0; i < summary->plan->members->len; i++)
        value_put(&object, member_at(summary->plan, i)->name, summary_value(summary, i));
    return object;
}

bool summary_overflowed(const Summary *summary, size_t index) {
    g_assert(index < summary->plan->members->len);
    return summary->tallies[index].overflowed;
}

int64_t summary_missed(const Summary *summary, size_t index) {
    g_assert(index < summary->plan->members->len);
    return summary->tallies[index].missed;
}

int64_t summary_rows(const Summary *summary) {
    return summary->rows;
}

void summary_append_json(const Summary *summary, GString *out) {
    for (size_t i = 0; i < summary->plan->members->len; i++) {
        const char *name = member_at(summary->plan, i)->name;
        if (i > 0)
            g_string_append_c(out, ',');
        json_append_quoted(out, name, strlen(name));
        g_string_append_c(out, ':');
        value_append_json(out, summary->tallies[i].value);
    }
}
