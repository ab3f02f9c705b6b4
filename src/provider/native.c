#include "provider/native.h"

#include "provider/operate.h"

/* Two ways to evaluate a node. one() is for nodes that give exactly one value, and hands it back;
 * many() is for all, and hands each value to a function while the node is still at work, so that
 * whatever happens behind a value happens inside of the node that gave it, as in jq, where an error
 * further down comes back through every point that could still give more. */

struct Native {
    const NativeTree *tree;
    Value *constants; /* owned; VALUE_NONE until needed */
    size_t constant_count;
    Value truths[2]; /* false and true */
    Value *slots;    /* of bound variables; borrowed */
    Value settings;  /* borrowed */
    double now;
    NativeMeter *meter;
    unsigned labels; /* first, any and all at work */
    unsigned broken; /* NATIVE_BREAK: which of them is left */
};

/* Takes one output, which it borrows. Anything but NATIVE_DONE ends the evaluation of the node. */
typedef NativeStatus (*Take)(Native *native, void *data, Value value);

typedef NativeStatus (*One)(Native *native, const NativeNode *node, Value input, Held *out);
typedef NativeStatus (*Many)(Native *native, const NativeNode *node, Value input, Take take,
                             void *data);

static NativeStatus one(Native *native, const NativeNode *node, Value input, Held *out);
static NativeStatus many(Native *native, const NativeNode *node, Value input, Take take,
                         void *data);

Native *native_new(const NativeTree *tree) {
    Native *native = g_new0(Native, 1);
    native->tree = tree;
    native->truths[0] = value_new_bool(false);
    native->truths[1] = value_new_bool(true);
    native->constant_count = tree->constants->len;
    native->constants = g_new0(Value, tree->constants->len + 1);
    native->slots = g_new0(Value, tree->slots + 1);
    return native;
}

void native_free(Native *native) {
    if (native == NULL)
        return;
    for (size_t i = 0; i < native->constant_count; i++)
        value_clear(&native->constants[i]);
    g_free(native->constants);
    g_free(native->slots);
    g_free(native);
}

/* --- values ----------------------------------------------------------------------------------- */

static Value make_constant(const NativeConstant *constant) {
    switch (constant->kind) {
    case CONSTANT_NUMBER:
        return value_new_number(constant->number);
    case CONSTANT_TEXT:
        return value_new_text(constant->text, constant->length);
    case CONSTANT_NULL:
        return value_new_null();
    default:
        return value_new_bool(constant->kind == CONSTANT_TRUE);
    }
}

/* Borrowed. */
static Value constant_at(Native *native, size_t place) {
    Value *constant = &native->constants[place];
    if (value_kind(*constant) == VALUE_KIND_NONE)
        *constant = make_constant(&g_array_index(native->tree->constants, NativeConstant, place));
    return *constant;
}

static bool is_truthy(Value value) {
    ValueKind kind = value_kind(value);
    return kind > VALUE_KIND_BOOL || (kind == VALUE_KIND_BOOL && value_truth(value));
}

static NativeStatus lend(Held *out, Value value) {
    *out = (Held){value, false};
    return NATIVE_DONE;
}

static NativeStatus own(Held *out, Value value) {
    *out = (Held){value, true};
    return NATIVE_DONE;
}

/* A result may be part of what is about to be released: then it needs a reference of its own. */
static NativeStatus release(Held *held, NativeStatus status, Held *out) {
    if (held->owned && status == NATIVE_DONE && !out->owned)
        own(out, value_copy(out->value));
    held_clear(held);
    return status;
}

static NativeStatus fail(Native *native, Value value, const char *words) {
    return native_fail(native->meter, operate_complaint(value, words));
}

/* --- exactly one value ------------------------------------------------------------------------ */

static NativeStatus one_input(Native *native G_GNUC_UNUSED, const NativeNode *node G_GNUC_UNUSED,
                              Value input, Held *out) {
    return lend(out, input);
}

static NativeStatus one_literal(Native *native, const NativeNode *node, Value input G_GNUC_UNUSED,
                                Held *out) {
    return lend(out, constant_at(native, node->place));
}

static NativeStatus one_settings(Native *native, const NativeNode *node G_GNUC_UNUSED,
                                 Value input G_GNUC_UNUSED, Held *out) {
    if (value_kind(native->settings) == VALUE_KIND_NONE)
        return own(out, value_new_object());
    return lend(out, native->settings);
}

static NativeStatus one_now(Native *native, const NativeNode *node G_GNUC_UNUSED,
                            Value input G_GNUC_UNUSED, Held *out) {
    return own(out, value_new_number(native->now));
}

static NativeStatus one_variable(Native *native, const NativeNode *node, Value input G_GNUC_UNUSED,
                                 Held *out) {
    return lend(out, native->slots[node->place]);
}

static NativeStatus index_by(Native *native, Value from, Value key, Held *out) {
    Value part;
    char *message = NULL;
    size_t work = (value_count(from) + value_length(from) / 8) * (value_count(key) + 1);
    native->meter->steps -= (int64_t)work;
    if (native->meter->steps < 0)
        return NATIVE_STOPPED;
    if (!operate_index(from, key, &part, &message))
        return native_fail(native->meter, message);
    return own(out, part);
}

/* Where the cheap way fails, the other one says why. */
static NativeStatus step(Native *native, const NativeNode *node, Value from, Held *out) {
    Value part, key = constant_at(native, node->place);
    return operate_step(from, key, &part) ? lend(out, part) : index_by(native, from, key, out);
}

static NativeStatus one_step(Native *native, const NativeNode *node, Value input, Held *out) {
    Held from;
    NativeStatus status = one(native, node->a, input, &from);
    if (status != NATIVE_DONE)
        return status;
    return release(&from, step(native, node, from.value, out), out);
}

static NativeStatus one_index(Native *native, const NativeNode *node, Value input, Held *out) {
    Held key, from;
    NativeStatus status = one(native, node->b, input, &key);
    if (status != NATIVE_DONE)
        return status;
    status = one(native, node->a, input, &from);
    if (status == NATIVE_DONE)
        status = release(&from, index_by(native, from.value, key.value, out), out);
    return release(&key, status, out);
}

static NativeStatus one_pipe(Native *native, const NativeNode *node, Value input, Held *out) {
    Held left;
    NativeStatus status = one(native, node->a, input, &left);
    if (status != NATIVE_DONE)
        return status;
    return release(&left, one(native, node->b, left.value, out), out);
}

/* Evaluates a condition; its value is only looked at. */
static NativeStatus judge(Native *native, const NativeNode *node, Value input, bool *truth_out) {
    Held value;
    NativeStatus status = one(native, node, input, &value);
    if (status != NATIVE_DONE)
        return status;
    *truth_out = is_truthy(value.value);
    held_clear(&value);
    return NATIVE_DONE;
}

static NativeStatus one_and(Native *native, const NativeNode *node, Value input, Held *out) {
    bool decisive = node->kind == NODE_OR, truth = false;
    NativeStatus status = judge(native, node->a, input, &truth);
    if (status == NATIVE_DONE && truth != decisive)
        status = judge(native, node->b, input, &truth);
    return status == NATIVE_DONE ? lend(out, native->truths[truth]) : status;
}

static NativeStatus one_alternative(Native *native, const NativeNode *node, Value input,
                                    Held *out) {
    NativeStatus status = one(native, node->a, input, out);
    if (status != NATIVE_DONE || is_truthy(out->value))
        return status;
    held_clear(out);
    return one(native, node->b, input, out);
}

static NativeStatus one_if(Native *native, const NativeNode *node, Value input, Held *out) {
    bool truth = false;
    NativeStatus status = judge(native, node->a, input, &truth);
    return status == NATIVE_DONE ? one(native, truth ? node->b : node->c, input, out) : status;
}

static NativeStatus one_bind(Native *native, const NativeNode *node, Value input, Held *out) {
    Held bound;
    NativeStatus status = one(native, node->a, input, &bound);
    if (status != NATIVE_DONE)
        return status;
    native->slots[node->place] = bound.value;
    return release(&bound, one(native, node->b, input, out), out);
}

static NativeStatus push(Native *native, void *data, Value value) {
    native->meter->steps -= 4;
    value_push(data, value_copy(value));
    return NATIVE_DONE;
}

static NativeStatus one_array(Native *native, const NativeNode *node, Value input, Held *out) {
    Value list = value_new_array();
    NativeStatus status = many(native, node->a, input, push, &list);
    if (status == NATIVE_DONE)
        return own(out, list);
    value_clear(&list);
    return status;
}

static NativeStatus one_object(Native *native, const NativeNode *node, Value input, Held *out) {
    Value object = value_new_object();
    for (size_t i = 0; i < node->count; i++) {
        Held member;
        NativeStatus status = one(native, node->values[i], input, &member);
        if (status != NATIVE_DONE) {
            value_clear(&object);
            return status;
        }
        Value taken = member.owned ? member.value : value_copy(member.value);
        operate_put(&object, constant_at(native, node->keys[i]), taken);
    }
    return own(out, object);
}

/* jq evaluates the argument before the input. */
static NativeStatus one_call(Native *native, const NativeNode *node, Value input, Held *out) {
    Held argument = {VALUE_NONE, false}, on = {input, false};
    NativeStatus status = NATIVE_DONE;
    if (node->b != NULL)
        status = one(native, node->b, input, &argument);
    if (status != NATIVE_DONE)
        return status;
    if (node->a != NULL)
        status = one(native, node->a, input, &on);
    if (status == NATIVE_DONE) {
        status = node->function->call(native->meter, &on, argument.value, out);
        held_clear(&on);
    }
    held_clear(&argument);
    return status;
}

static NativeStatus one_test(Native *native, const NativeNode *node, Value input, Held *out) {
    const char *text = value_text(input);
    size_t length = value_length(input);
    if (text == NULL)
        return fail(native, input, "cannot be matched, as it is not a string");
    native->meter->steps -= (int64_t)length;
    if (!literals_can_judge(node->literals, text, length))
        return NATIVE_UNABLE;
    return lend(out, native->truths[literals_occur(node->literals, text, length)]);
}

static NativeStatus keep_last(Native *native G_GNUC_UNUSED, void *data, Value value) {
    Value *last = data, next = value_copy(value);
    value_clear(last);
    *last = next;
    return NATIVE_DONE;
}

static NativeStatus one_last(Native *native, const NativeNode *node, Value input, Held *out) {
    Value last = value_new_null();
    NativeStatus status = many(native, node->a, input, keep_last, &last);
    if (status == NATIVE_DONE)
        return own(out, last);
    value_clear(&last);
    return status;
}

/* any and all, as jq 1.6 defines them: a foreach over the outputs of the generator, whose state is
 * lost (null) while the condition is evaluated and then what its last output made of it. For each
 * output that decides, the foreach gives one value; any is true when there was exactly one, all
 * when there was none. */
typedef struct {
    const NativeNode *condition;
    bool decisive; /* the truth that ends it: true for any */
    bool state;    /* the foreach's state as a truth */
    size_t given;
    unsigned label;
} Quest;

static NativeStatus take_judgement(Native *native G_GNUC_UNUSED, void *data, Value value) {
    Quest *quest = data;
    quest->state = is_truthy(value);
    quest->given += quest->state == quest->decisive;
    return NATIVE_DONE;
}

static NativeStatus take_candidate(Native *native, void *data, Value value) {
    Quest *quest = data;
    if (quest->state == quest->decisive) {
        native->broken = quest->label;
        return NATIVE_BREAK;
    }
    quest->state = false;
    return many(native, quest->condition, value, take_judgement, quest);
}

static NativeStatus one_quest(Native *native, const NativeNode *node, Value input, Held *out) {
    bool any = node->kind == NODE_ANY;
    Quest quest = {.condition = node->b, .decisive = any, .state = !any};
    quest.label = ++native->labels;
    NativeStatus status = many(native, node->a, input, take_candidate, &quest);
    if (status == NATIVE_BREAK && native->broken == quest.label)
        status = NATIVE_DONE;
    if (status != NATIVE_DONE)
        return status;
    return lend(out, native->truths[any ? quest.given == 1 : quest.given == 0]);
}

static const One ones[NODE_KINDS] = {
    [NODE_INPUT] = one_input,
    [NODE_LITERAL] = one_literal,
    [NODE_SETTINGS] = one_settings,
    [NODE_NOW] = one_now,
    [NODE_VARIABLE] = one_variable,
    [NODE_STEP] = one_step,
    [NODE_INDEX] = one_index,
    [NODE_PIPE] = one_pipe,
    [NODE_AND] = one_and,
    [NODE_OR] = one_and,
    [NODE_ALTERNATIVE] = one_alternative,
    [NODE_IF] = one_if,
    [NODE_BIND] = one_bind,
    [NODE_ARRAY] = one_array,
    [NODE_OBJECT] = one_object,
    [NODE_CALL] = one_call,
    [NODE_TEST] = one_test,
    [NODE_LAST] = one_last,
    [NODE_ANY] = one_quest,
    [NODE_ALL] = one_quest,
};

static NativeStatus one(Native *native, const NativeNode *node, Value input, Held *out) {
    if (--native->meter->steps < 0)
        return NATIVE_STOPPED;
    return ones[node->kind](native, node, input, out);
}

/* --- any number of values --------------------------------------------------------------------- */

/* What a node is doing while one of its parts gives values. */
typedef struct {
    const NativeNode *node;
    Value input;
    Value other; /* a value that waits for a second one */
    Take take;
    void *data;
    bool found;
    unsigned label;
} Frame;

#define FRAME(native_node)                                                                         \
    { .node = (native_node), .input = input, .take = take, .data = data }

static NativeStatus hand_on(Native *native, Frame *frame, NativeStatus status, Held *held) {
    if (status != NATIVE_DONE)
        return status;
    status = frame->take(native, frame->data, held->value);
    held_clear(held);
    return status;
}

static NativeStatus take_from_step(Native *native, void *data, Value value) {
    Frame *frame = data;
    Held held = {.owned = false};
    Value part;
    if (!frame->node->optional)
        return hand_on(native, frame, step(native, frame->node, value, &held), &held);
    if (!operate_step(value, constant_at(native, frame->node->place), &part))
        return NATIVE_DONE;
    return frame->take(native, frame->data, part);
}

static NativeStatus many_step(Native *native, const NativeNode *node, Value input, Take take,
                              void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_from_step, &frame);
}

static NativeStatus take_indexed(Native *native, void *data, Value value) {
    Frame *frame = data;
    Held held = {.owned = false};
    NativeStatus status = index_by(native, value, frame->other, &held);
    if (status == NATIVE_ERROR && frame->node->optional)
        return NATIVE_DONE;
    return hand_on(native, frame, status, &held);
}

static NativeStatus take_key(Native *native, void *data, Value value) {
    Frame frame = *(Frame *)data;
    frame.other = value;
    return many(native, frame.node->a, frame.input, take_indexed, &frame);
}

static NativeStatus many_index(Native *native, const NativeNode *node, Value input, Take take,
                               void *data) {
    Frame frame = FRAME(node);
    return many(native, node->b, input, take_key, &frame);
}

static NativeStatus take_container(Native *native, void *data, Value value) {
    Frame *frame = data;
    OperateItems items;
    Value item;
    if (!operate_items_init(&items, value))
        return frame->node->optional ? NATIVE_DONE : fail(native, value, "cannot be iterated over");
    NativeStatus status = NATIVE_DONE;
    while (status == NATIVE_DONE && operate_items_next(&items, &item)) {
        status =
            --native->meter->steps < 0 ? NATIVE_STOPPED : frame->take(native, frame->data, item);
    }
    return status;
}

static NativeStatus many_each(Native *native, const NativeNode *node, Value input, Take take,
                              void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_container, &frame);
}

static NativeStatus take_piped(Native *native, void *data, Value value) {
    Frame *frame = data;
    return many(native, frame->node->b, value, frame->take, frame->data);
}

static NativeStatus many_pipe(Native *native, const NativeNode *node, Value input, Take take,
                              void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_piped, &frame);
}

static NativeStatus many_comma(Native *native, const NativeNode *node, Value input, Take take,
                               void *data) {
    NativeStatus status = many(native, node->a, input, take, data);
    return status == NATIVE_DONE ? many(native, node->b, input, take, data) : status;
}

static NativeStatus take_truth(Native *native, void *data, Value value) {
    Frame *frame = data;
    return frame->take(native, frame->data, native->truths[is_truthy(value)]);
}

static NativeStatus take_first_truth(Native *native, void *data, Value value) {
    Frame *frame = data;
    bool decisive = frame->node->kind == NODE_OR, truth = is_truthy(value);
    if (truth == decisive)
        return frame->take(native, frame->data, native->truths[truth]);
    return many(native, frame->node->b, frame->input, take_truth, frame);
}

static NativeStatus many_and(Native *native, const NativeNode *node, Value input, Take take,
                             void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_first_truth, &frame);
}

static NativeStatus take_if_truthy(Native *native, void *data, Value value) {
    Frame *frame = data;
    if (!is_truthy(value))
        return NATIVE_DONE;
    frame->found = true;
    return frame->take(native, frame->data, value);
}

static NativeStatus many_alternative(Native *native, const NativeNode *node, Value input, Take take,
                                     void *data) {
    Frame frame = FRAME(node);
    NativeStatus status = many(native, node->a, input, take_if_truthy, &frame);
    if (status != NATIVE_DONE || frame.found)
        return status;
    return many(native, node->b, input, take, data);
}

static NativeStatus take_condition(Native *native, void *data, Value value) {
    Frame *frame = data;
    const NativeNode *branch = is_truthy(value) ? frame->node->b : frame->node->c;
    return many(native, branch, frame->input, frame->take, frame->data);
}

static NativeStatus many_if(Native *native, const NativeNode *node, Value input, Take take,
                            void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_condition, &frame);
}

/* jq 1.6 catches what is raised behind the outputs, too, breaks included. */
static NativeStatus many_try(Native *native, const NativeNode *node, Value input, Take take,
                             void *data) {
    NativeStatus status = many(native, node->a, input, take, data);
    return status == NATIVE_ERROR || status == NATIVE_BREAK ? NATIVE_DONE : status;
}

static NativeStatus take_bound(Native *native, void *data, Value value) {
    Frame *frame = data;
    native->slots[frame->node->place] = value;
    return many(native, frame->node->b, frame->input, frame->take, frame->data);
}

static NativeStatus many_bind(Native *native, const NativeNode *node, Value input, Take take,
                              void *data) {
    Frame frame = FRAME(node);
    return many(native, node->a, input, take_bound, &frame);
}

/* An object under construction, of which the next member is awaited. */
typedef struct {
    const Frame *frame;
    Value object; /* borrowed */
    size_t next;
} Construction;

static NativeStatus construct(Native *native, const Construction *construction);

static NativeStatus take_member(Native *native, void *data, Value value) {
    const Construction *before = data;
    size_t key = before->frame->node->keys[before->next];
    Construction after = {before->frame, value_copy(before->object), before->next + 1};
    native->meter->steps -= (int64_t)before->next;
    operate_put(&after.object, constant_at(native, key), value_copy(value));
    NativeStatus status = construct(native, &after);
    value_clear(&after.object);
    return status;
}

static NativeStatus construct(Native *native, const Construction *construction) {
    const Frame *frame = construction->frame;
    if (construction->next == frame->node->count)
        return frame->take(native, frame->data, construction->object);
    const NativeNode *value = frame->node->values[construction->next];
    return many(native, value, frame->input, take_member, (void *)(uintptr_t)construction);
}

static NativeStatus many_object(Native *native, const NativeNode *node, Value input, Take take,
                                void *data) {
    Frame frame = FRAME(node);
    Construction construction = {&frame, value_new_object(), 0};
    NativeStatus status = construct(native, &construction);
    value_clear(&construction.object);
    return status;
}

static NativeStatus take_subject(Native *native, void *data, Value value) {
    Frame *frame = data;
    Held on = {value, false}, held;
    NativeStatus status = frame->node->function->call(native->meter, &on, frame->other, &held);
    return hand_on(native, frame, status, &held);
}

static NativeStatus take_argument(Native *native, void *data, Value value) {
    Frame frame = *(Frame *)data;
    frame.other = value;
    if (frame.node->a == NULL)
        return take_subject(native, &frame, frame.input);
    return many(native, frame.node->a, frame.input, take_subject, &frame);
}

static NativeStatus many_call(Native *native, const NativeNode *node, Value input, Take take,
                              void *data) {
    Frame frame = FRAME(node);
    if (node->b == NULL)
        return take_argument(native, &frame, VALUE_NONE);
    return many(native, node->b, input, take_argument, &frame);
}

static NativeStatus many_empty(Native *native G_GNUC_UNUSED, const NativeNode *node G_GNUC_UNUSED,
                               Value input G_GNUC_UNUSED, Take take G_GNUC_UNUSED,
                               void *data G_GNUC_UNUSED) {
    return NATIVE_DONE;
}

static NativeStatus take_and_break(Native *native, void *data, Value value) {
    Frame *frame = data;
    NativeStatus status = frame->take(native, frame->data, value);
    if (status != NATIVE_DONE)
        return status;
    native->broken = frame->label;
    return NATIVE_BREAK;
}

static NativeStatus many_first(Native *native, const NativeNode *node, Value input, Take take,
                               void *data) {
    Frame frame = FRAME(node);
    frame.label = ++native->labels;
    NativeStatus status = many(native, node->a, input, take_and_break, &frame);
    return status == NATIVE_BREAK && native->broken == frame.label ? NATIVE_DONE : status;
}

static const Many manys[NODE_KINDS] = {
    [NODE_STEP] = many_step,   [NODE_INDEX] = many_index,
    [NODE_EACH] = many_each,   [NODE_PIPE] = many_pipe,
    [NODE_COMMA] = many_comma, [NODE_AND] = many_and,
    [NODE_OR] = many_and,      [NODE_ALTERNATIVE] = many_alternative,
    [NODE_IF] = many_if,       [NODE_TRY] = many_try,
    [NODE_BIND] = many_bind,   [NODE_OBJECT] = many_object,
    [NODE_CALL] = many_call,   [NODE_EMPTY] = many_empty,
    [NODE_FIRST] = many_first,
};

static NativeStatus many(Native *native, const NativeNode *node, Value input, Take take,
                         void *data) {
    if (!node->single) {
        if (--native->meter->steps < 0)
            return NATIVE_STOPPED;
        return manys[node->kind](native, node, input, take, data);
    }
    Held held = {.owned = false};
    NativeStatus status = one(native, node, input, &held);
    if (status != NATIVE_DONE)
        return status;
    status = take(native, data, held.value);
    held_clear(&held);
    return status;
}

/* --- the whole -------------------------------------------------------------------------------- */

static NativeStatus take_output(Native *native G_GNUC_UNUSED, void *data, Value value) {
    NativeOutputs *outputs = data;
    if (outputs->count++ == 0)
        outputs->first = value_copy(value);
    return NATIVE_DONE;
}

NativeStatus native_eval(Native *native, const NativeInput *input, NativeMeter *meter,
                         NativeOutputs *outputs_out) {
    NativeOutputs outputs = {0};
    bool given = value_kind(input->root) != VALUE_KIND_NONE;
    Value root = given ? input->root : value_new_null();
    native->settings = input->settings;
    native->now = input->now;
    native->meter = meter;
    native->labels = 0;
    NativeStatus status = many(native, native->tree->root, root, take_output, &outputs);
    native->meter = NULL;
    if (status == NATIVE_DONE)
        *outputs_out = outputs;
    else
        value_clear(&outputs.first);
    return status;
}
