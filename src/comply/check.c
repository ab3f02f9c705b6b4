#include "comply/check.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"
#include "provider/unread.h"
#include "store/finding.h"

#include <string.h>

#define FIELD_WORDS ((FIELD_MAX_NAMES + 63) / 64)
#define NO_LEAF SIZE_MAX

/* A set of fields, bit per index in the type's FieldSet. */
typedef struct {
    uint64_t words[FIELD_WORDS];
} FieldBits;

/* One check: where its expressions are among the leaves, and what they need. */
typedef struct {
    size_t applies; /* NO_LEAF: every row */
    size_t pass;
    size_t resource;
    FieldBits needs;
    FieldBits applies_needs;
    uint64_t nodes;
    uint64_t sources; /* nodes, and those that its fields come from */
} CheckPlan;

/* What of one row cannot be judged. */
typedef struct {
    FieldBits fields;
    uint64_t unread;  /* reads that failed */
    uint64_t lacking; /* reads that the customer's plan does not have */
} RowGaps;

struct CheckSet {
    const EvidenceType *type;
    Value settings;
    int64_t now_ms;
    CheckPlan *plans;
    size_t count;
    GPtrArray *leaves; /* const Expr *, each text once */
    FieldBits wanted;  /* fields that any check names */
    ExprProgram *program;
    ExprResult *results; /* of the last row */
    bool evaluated;      /* results hold something */
    RowVerdict *verdicts;
    char **made; /* names that had to be written, by check */
    char *problem;
};

/* --- sets of fields --------------------------------------------------------------------------- */

static void bits_set(FieldBits *bits, size_t field) {
    bits->words[field / 64] |= UINT64_C(1) << (field % 64);
}

static bool bits_has(const FieldBits *bits, size_t field) {
    return (bits->words[field / 64] >> (field % 64)) & 1;
}

static void bits_add(FieldBits *bits, const FieldBits *more) {
    for (size_t i = 0; i < FIELD_WORDS; i++)
        bits->words[i] |= more->words[i];
}

static bool bits_meet(const FieldBits *a, const FieldBits *b) {
    uint64_t both = 0;
    for (size_t i = 0; i < FIELD_WORDS; i++)
        both |= a->words[i] & b->words[i];
    return both != 0;
}

/* The fields that an expression names; all when it may look at the whole row. */
static FieldBits fields_of(const EvidenceType *type, const Expr *expr) {
    FieldBits bits = {{0}};
    for (size_t i = 0; expr != NULL && i < field_set_count(type->fields); i++) {
        if (expr_mentions(expr, field_set_name(type->fields, i)))
            bits_set(&bits, i);
    }
    return bits;
}

/* The reads that these fields come from. */
static uint64_t sources_of(const EvidenceType *type, const FieldBits *fields) {
    uint64_t nodes = 0;
    if (type->row_fields == NULL)
        return type->row_nodes;
    for (size_t i = 0; i < type->row_field_count; i++) {
        size_t field;
        if (field_set_find(type->fields, type->row_fields[i].name, &field) &&
            bits_has(fields, field))
            nodes |= type->row_fields[i].nodes;
    }
    return nodes;
}

/* --- life ------------------------------------------------------------------------------------- */

/* The place of an expression among the leaves; equal texts share one. */
static size_t leaf_of(CheckSet *set, const Expr *expr) {
    if (expr == NULL)
        return NO_LEAF;
    for (guint i = 0; i < set->leaves->len; i++) {
        const Expr *leaf = g_ptr_array_index(set->leaves, i);
        if (strcmp(expr_source(leaf), expr_source(expr)) == 0)
            return i;
    }
    g_ptr_array_add(set->leaves, (void *)(uintptr_t)expr);
    return set->leaves->len - 1;
}

static void plan_check(CheckSet *set, const DefinitionCheck *check, CheckPlan *plan) {
    plan->applies = leaf_of(set, check->applies);
    plan->pass = leaf_of(set, check->pass);
    plan->resource = leaf_of(set, check->resource);
    plan->nodes = check->nodes;
    plan->applies_needs = fields_of(set->type, check->applies);
    plan->needs = plan->applies_needs;
    FieldBits more = fields_of(set->type, check->pass);
    bits_add(&plan->needs, &more);
    more = fields_of(set->type, check->resource);
    bits_add(&plan->needs, &more);
    bits_add(&set->wanted, &plan->needs);
    plan->sources = plan->nodes | sources_of(set->type, &plan->needs);
}

CheckSet *check_set_new(const EvidenceType *type, Value settings, int64_t now_ms) {
    CheckSet *set = g_new0(CheckSet, 1);
    set->type = type;
    set->settings = value_copy(settings);
    set->now_ms = now_ms;
    set->count = type->check_count;
    set->plans = g_new0(CheckPlan, MAX(set->count, 1));
    set->verdicts = g_new0(RowVerdict, MAX(set->count, 1));
    set->made = g_new0(char *, MAX(set->count, 1));
    set->leaves = g_ptr_array_new();
    for (size_t i = 0; i < set->count; i++)
        plan_check(set, &type->checks[i], &set->plans[i]);
    set->program =
        expr_program_new((const Expr *const *)(const void *)set->leaves->pdata, set->leaves->len);
    set->results = g_new0(ExprResult, MAX(set->leaves->len, 1));
    return set;
}

static void forget_row(CheckSet *set) {
    if (set->evaluated)
        expr_results_clear(set->results, set->leaves->len);
    set->evaluated = false;
    for (size_t i = 0; i < set->count; i++)
        g_clear_pointer(&set->made[i], g_free);
}

void check_set_free(CheckSet *set) {
    if (set == NULL)
        return;
    forget_row(set);
    expr_program_free(set->program);
    value_clear(&set->settings);
    g_ptr_array_unref(set->leaves);
    g_free(set->results);
    g_free(set->plans);
    g_free(set->verdicts);
    g_free(set->made);
    g_free(set->problem);
    g_free(set);
}

size_t check_set_count(const CheckSet *set) {
    return set->count;
}

const char *check_set_problem(const CheckSet *set) {
    return set->problem;
}

/* --- what of a row cannot be judged ----------------------------------------------------------- */

typedef struct {
    const EvidenceType *type;
    RowGaps *gaps;
} ReadsWalk;

static bool note_read(const char *key, Value word, void *data) {
    ReadsWalk *walk = data;
    int node = evidence_type_node(walk->type, key);
    if (node < 0)
        return true;
    bool lacking = g_strcmp0(value_text(word), UNREAD_NOT_APPLICABLE) == 0;
    *(lacking ? &walk->gaps->lacking : &walk->gaps->unread) |= UINT64_C(1) << node;
    return true;
}

static void note_fields(const EvidenceType *type, Value names, RowGaps *gaps) {
    for (size_t i = 0; i < value_count(names); i++) {
        g_auto(Value) name = value_at(names, i);
        size_t field;
        if (value_text(name) != NULL && field_set_find(type->fields, value_text(name), &field))
            bits_set(&gaps->fields, field);
    }
}

/* Reads and removes the row's own word on what is missing. A row whose word cannot be read is
 * unread as a whole. */
static void take_unread(const CheckSet *set, Value *row, RowGaps *gaps) {
    g_auto(Value) unread = value_get(*row, UNREAD_MEMBER);
    if (value_kind(unread) == VALUE_KIND_NONE)
        return;
    value_remove(row, UNREAD_MEMBER);
    if (value_kind(unread) != VALUE_KIND_OBJECT) {
        gaps->unread = UINT64_MAX;
        memset(&gaps->fields, 0xff, sizeof gaps->fields);
        return;
    }
    g_auto(Value) fields = value_get(unread, UNREAD_FIELDS);
    g_auto(Value) reads = value_get(unread, UNREAD_READS);
    ReadsWalk walk = {set->type, gaps};
    note_fields(set->type, fields, gaps);
    value_each_member(reads, note_read, &walk);
}

/* Holds the fields that checks name against their types. */
static void check_types(const CheckSet *set, Value row, RowGaps *gaps) {
    for (size_t i = 0; i < field_set_count(set->type->fields); i++) {
        if (!bits_has(&set->wanted, i) || bits_has(&gaps->fields, i))
            continue;
        g_auto(Value) value = value_get(row, field_set_name(set->type->fields, i));
        if (!field_check(field_set_type(set->type->fields, i), value))
            bits_set(&gaps->fields, i);
    }
}

/* --- names of resources ----------------------------------------------------------------------- */

/* A name that is too long keeps its beginning, and a hash that tells it from others. */
static char *shorten(const char *text) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(text, strlen(text), hash);
    hash[16] = '\0';
    size_t room = FINDING_RESOURCE_MAX - strlen("~") - strlen(hash);
    while (room > 0 && ((unsigned char)text[room] & 0xc0) == 0x80)
        room--;
    return g_strdup_printf("%.*s~%s", (int)room, text, hash);
}

static const char *name_resource(CheckSet *set, size_t index) {
    const CheckPlan *plan = &set->plans[index];
    if (!set->evaluated || plan->resource == NO_LEAF)
        return NULL;
    const ExprResult *result = &set->results[plan->resource];
    if (result->outcome != EXPR_ONE)
        return NULL;
    const char *text = value_text(result->value);
    if (value_kind(result->value) == VALUE_KIND_NUMBER)
        text = set->made[index] = value_to_json(result->value);
    else if (text != NULL && strlen(text) > FINDING_RESOURCE_MAX)
        text = set->made[index] = shorten(text);
    return text != NULL && *text != '\0' ? text : NULL;
}

/* --- verdicts --------------------------------------------------------------------------------- */

static Verdict judge_pass(const CheckSet *set, const CheckPlan *plan) {
    bool truth;
    if (plan->pass == NO_LEAF || !expr_result_bool(&set->results[plan->pass], &truth))
        return VERDICT_COULD_NOT_READ;
    return truth ? VERDICT_PASS : VERDICT_FAIL;
}

/* Whether `applies` can be read and says no: then the rest does not matter. */
static bool is_exempt(const CheckSet *set, const CheckPlan *plan, const RowGaps *gaps) {
    bool truth = true;
    if (plan->applies == NO_LEAF || bits_meet(&plan->applies_needs, &gaps->fields))
        return false;
    return expr_result_bool(&set->results[plan->applies], &truth) && !truth;
}

static bool applies(const CheckSet *set, const CheckPlan *plan) {
    bool truth = true;
    return plan->applies == NO_LEAF ||
           (expr_result_bool(&set->results[plan->applies], &truth) && truth);
}

static bool is_in(uint64_t nodes, int node) {
    return node != READ_NO_PARENT && (nodes >> node & 1) != 0;
}

/* The failed read that a node of this row hangs on, or the node itself. */
static size_t cause_of(const EvidenceType *type, uint64_t unread, size_t index) {
    const ReadNode *node = &type->nodes[index];
    while (is_in(unread, node->parent) || is_in(unread, node->index_per)) {
        index = (size_t)(is_in(unread, node->parent) ? node->parent : node->index_per);
        node = &type->nodes[index];
    }
    return index;
}

/* The reads to blame for a row that a check could not read; a damaged row blames none. */
static uint64_t causes_of(const CheckSet *set, const CheckPlan *plan, const RowGaps *gaps) {
    uint64_t causes = 0;
    for (size_t node = 0; gaps->unread != UINT64_MAX && node < set->type->node_count; node++) {
        if (is_in(plan->sources & gaps->unread, (int)node))
            causes |= UINT64_C(1) << cause_of(set->type, gaps->unread, node);
    }
    return causes;
}

static RowVerdict judge_check(CheckSet *set, size_t index, const RowGaps *gaps) {
    const CheckPlan *plan = &set->plans[index];
    RowVerdict row = {VERDICT_COULD_NOT_READ, name_resource(set, index), 0};
    if (set->problem != NULL)
        return row;
    if (is_exempt(set, plan, gaps)) {
        row.verdict = VERDICT_NOT_APPLICABLE;
    } else if ((plan->nodes & gaps->unread) != 0) {
        row.verdict = VERDICT_COULD_NOT_READ;
    } else if ((plan->nodes & gaps->lacking) != 0) {
        row.verdict = VERDICT_NOT_APPLICABLE;
        row.resource = NULL;
    } else if (!bits_meet(&plan->needs, &gaps->fields) && row.resource != NULL &&
               applies(set, plan)) {
        row.verdict = judge_pass(set, plan);
    }
    if (row.verdict == VERDICT_COULD_NOT_READ)
        row.unread = causes_of(set, plan, gaps);
    return row;
}

static bool damaged(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "The evidence document is damaged: a row is no JSON object.");
    return false;
}

static void evaluate(CheckSet *set, Value row) {
    g_autoptr(GError) error = NULL;
    ExprInput input = {.root = row, .settings = set->settings, .now_ms = set->now_ms};
    if (set->problem != NULL)
        return;
    set->evaluated = expr_program_eval(set->program, &input, set->results, &error);
    if (!set->evaluated)
        set->problem =
            g_strdup_printf("The checks of %s cannot be run: %s", set->type->name, error->message);
}

bool check_set_judge(CheckSet *set, const char *bytes, size_t size, const RowVerdict **verdicts_out,
                     GError **error) {
    g_auto(Value) row = VALUE_NONE;
    forget_row(set);
    if (!value_parse(bytes, size, &row, NULL) || value_kind(row) != VALUE_KIND_OBJECT)
        return damaged(error);
    RowGaps gaps = {.unread = 0};
    take_unread(set, &row, &gaps);
    check_types(set, row, &gaps);
    evaluate(set, row);
    for (size_t i = 0; i < set->count; i++)
        set->verdicts[i] = judge_check(set, i, &gaps);
    *verdicts_out = set->verdicts;
    return true;
}
