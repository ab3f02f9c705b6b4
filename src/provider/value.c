#include "provider/value.h"

#include <limits.h>
#include <math.h>

#include "provider/path.h"
#include "provider/value_layout.h"

#define INTEGER_MAX 9007199254740992.0 /* 2^53 */

static ValueIndex *index_new(const Value *members, uint32_t count) {
    uint32_t room = count + count / 2;
    ValueIndex *index = g_malloc0(value_index_size(room));
    value_index_begin(index, room);
    for (uint32_t i = 0; i < count; i++)
        (void)value_index_note(index, members, i, members[2 * (size_t)i]);
    return index;
}

static void renew_index(ValueItems *items) {
    g_free(items->index);
    uint32_t members = items->count / 2;
    items->index = members > VALUE_FEW_MEMBERS ? index_new(items->values, members) : NULL;
}

/* The last member is new. */
static void note_last(ValueItems *items) {
    uint32_t members = items->count / 2;
    if (members <= VALUE_FEW_MEMBERS)
        return;
    if (items->index == NULL || items->index->mask / 2 < members)
        renew_index(items);
    else
        (void)value_index_note(items->index, items->values, members - 1,
                               items->values[items->count - 2]);
}

/* --- texts ------------------------------------------------------------------------------------ */

static TextBlock *text_block_new(size_t capacity) {
    g_assert(capacity <= INT_MAX);
    TextBlock *block = g_malloc(sizeof *block + capacity + 1);
    block->head = (ValueBlock){.references = 1, .form = BLOCK_TEXT};
    block->capacity = (uint32_t)capacity;
    return block;
}

/* The text is UTF-8. */
static Value text_of(const char *text, size_t length) {
    if (length == 0)
        return value_made(VALUE_KIND_STRING, NULL, 0);
    TextBlock *block = text_block_new(length);
    memcpy(block->text, text, length);
    block->text[length] = '\0';
    return value_made_text(block, block->text, length);
}

Value value_new_text(const char *text, size_t length) {
    if (value_is_utf8(text, length))
        return text_of(text, length);
    g_autoptr(GString) mended = value_mended_text(text, length);
    return text_of(mended->str, mended->len);
}

Value value_new_string(const char *text) {
    return text == NULL ? value_new_null() : value_new_text(text, strlen(text));
}

/* A block that holds the text alone, with room for more. */
static TextBlock *own_text(Value text, size_t more) {
    size_t length = value_length(text), wanted = length + more;
    ValueBlock *head = value_block(text);
    bool own = head != NULL && head->form == BLOCK_TEXT && head->references == 1;
    TextBlock *block = own ? (TextBlock *)(void *)head : NULL;
    if (own && block->capacity >= wanted)
        return block;
    TextBlock *grown = text_block_new(MAX(wanted, MIN(2 * length, INT_MAX)));
    memcpy(grown->text, value_text(text), length);
    value_clear(&text);
    return grown;
}

void value_append(Value *text, Value more) {
    g_assert(value_kind(*text) == VALUE_KIND_STRING && value_kind(more) == VALUE_KIND_STRING);
    size_t length = value_length(*text), added = value_length(more);
    if (added == 0)
        return;
    Value kept = value_copy(more); /* it may be the text itself */
    TextBlock *block = own_text(*text, added);
    memcpy(block->text + length, value_text(kept), added);
    block->text[length + added] = '\0';
    value_clear(&kept);
    *text = value_made_text(block, block->text, length + added);
}

/* --- containers ------------------------------------------------------------------------------- */

#define FIRST_CAPACITY 8

static bool is_own(const ValueBlock *block, BlockForm form) {
    return block != NULL && block->form == form && block->references == 1;
}

static ValueBlock *container_block(ValueBlock *before, uint64_t capacity) {
    g_assert(capacity < INT_MAX);
    size_t size = sizeof(ValueBlock) + sizeof(ValueItems) + (size_t)capacity * sizeof(Value);
    ValueBlock *block = g_realloc(before, size);
    value_block_items(block)->capacity = (uint32_t)capacity;
    return block;
}

static ValueBlock *container_copy(Value container, BlockForm form, uint64_t capacity) {
    const ValueItems *items = value_items(container);
    ValueBlock *block = container_block(NULL, capacity);
    ValueItems *copies = value_block_items(block);
    *block = (ValueBlock){.references = 1, .form = form};
    copies->count = items != NULL ? items->count : 0;
    copies->index = NULL;
    for (uint32_t i = 0; i < copies->count; i++)
        copies->values[i] = value_copy(items->values[i]);
    if (form == BLOCK_OBJECT)
        renew_index(copies);
    return block;
}

/* The items of the container, which from now on has them for itself, with room for more. */
static ValueItems *own_items(Value *container, BlockForm form, uint32_t more) {
    ValueBlock *block = value_block(*container);
    ValueItems *items = value_items(*container);
    uint64_t wanted = (items != NULL ? items->count : 0) + (uint64_t)more;
    if (is_own(block, form)) {
        uint32_t capacity = value_block_items(block)->capacity;
        if (capacity >= wanted)
            return items;
        block = container_block(block, MAX(wanted, 2 * (uint64_t)capacity));
    } else {
        block = container_copy(*container, form, MAX(wanted, FIRST_CAPACITY));
        value_clear(container);
    }
    items = value_block_items(block);
    *container = value_made(form == BLOCK_ARRAY ? VALUE_KIND_ARRAY : VALUE_KIND_OBJECT, block,
                            (uint64_t)(uintptr_t)items);
    return items;
}

static Value or_null(Value value) {
    return value_kind(value) == VALUE_KIND_NONE ? value_new_null() : value;
}

static uint32_t find_member(Value object, const char *name, size_t length) {
    const ValueItems *items = value_kind(object) == VALUE_KIND_OBJECT ? value_items(object) : NULL;
    if (items == NULL)
        return VALUE_NO_MEMBER;
    if (items->index != NULL)
        return value_index_find(items->index, items->values, name, length);
    for (uint32_t i = 0; i < items->count; i += 2) {
        if (value_same_name(items->values[i], name, length))
            return i / 2;
    }
    return VALUE_NO_MEMBER;
}

static void replace_member(Value *object, uint32_t member, Value value) {
    Value *place = &own_items(object, BLOCK_OBJECT, 0)->values[2 * (size_t)member + 1];
    Value before = *place;
    *place = or_null(value);
    value_clear(&before);
}

/* Takes both. */
static void add_member(Value *object, Value name, Value value) {
    ValueItems *items = own_items(object, BLOCK_OBJECT, 2);
    items->values[items->count++] = name;
    items->values[items->count++] = or_null(value);
    note_last(items);
}

void value_put(Value *object, const char *key, Value value) {
    g_assert(value_kind(*object) == VALUE_KIND_OBJECT);
    uint32_t member = find_member(*object, key, strlen(key));
    if (member != VALUE_NO_MEMBER) {
        replace_member(object, member, value);
        return;
    }
    Value name = value_new_string(key);
    value_set(object, name, value);
    value_clear(&name);
}

void value_set(Value *object, Value key, Value value) {
    g_assert(value_kind(*object) == VALUE_KIND_OBJECT && value_kind(key) == VALUE_KIND_STRING);
    uint32_t member = find_member(*object, value_text(key), value_length(key));
    if (member != VALUE_NO_MEMBER)
        replace_member(object, member, value);
    else
        add_member(object, value_copy(key), value);
}

void value_push(Value *array, Value value) {
    g_assert(value_kind(*array) == VALUE_KIND_ARRAY);
    ValueItems *items = own_items(array, BLOCK_ARRAY, 1);
    items->values[items->count++] = or_null(value);
}

void value_remove(Value *object, const char *key) {
    g_assert(value_kind(*object) == VALUE_KIND_OBJECT);
    uint32_t member = find_member(*object, key, strlen(key));
    if (member == VALUE_NO_MEMBER)
        return;
    ValueItems *items = own_items(object, BLOCK_OBJECT, 0);
    Value *place = &items->values[2 * (size_t)member];
    Value gone[] = {place[0], place[1]};
    items->count -= 2;
    memmove(place, place + 2, (items->count - 2 * (size_t)member) * sizeof *place);
    renew_index(items);
    value_clear(&gone[0]);
    value_clear(&gone[1]);
}

/* --- looking ---------------------------------------------------------------------------------- */

const char *value_kind_name(ValueKind kind) {
    static const char *const names[] = {
        [VALUE_KIND_NONE] = "no value",    [VALUE_KIND_NULL] = "null",
        [VALUE_KIND_BOOL] = "a boolean",   [VALUE_KIND_NUMBER] = "a number",
        [VALUE_KIND_STRING] = "a string",  [VALUE_KIND_ARRAY] = "an array",
        [VALUE_KIND_OBJECT] = "an object",
    };
    return names[kind];
}

size_t value_count(Value value) {
    return value_item_count(value);
}

Value value_member(Value object, const char *name, size_t length) {
    uint32_t member = find_member(object, name, length);
    return member == VALUE_NO_MEMBER ? VALUE_NONE : value_member_at(object, member);
}

Value value_member_name(Value object, size_t index) {
    return value_items(object)->values[2 * index];
}

Value value_member_at(Value object, size_t index) {
    return value_items(object)->values[2 * index + 1];
}

Value value_item(Value array, size_t index) {
    if (value_kind(array) != VALUE_KIND_ARRAY || index >= value_count(array))
        return VALUE_NONE;
    return value_items(array)->values[index];
}

Value value_get(Value object, const char *key) {
    return value_copy(value_member(object, key, strlen(key)));
}

bool value_has(Value object, const char *key) {
    return find_member(object, key, strlen(key)) != VALUE_NO_MEMBER;
}

Value value_at(Value array, size_t index) {
    return value_copy(value_item(array, index));
}

bool value_integer(Value value, int64_t *integer_out) {
    double number = value_number(value, 0.5);
    if (!(fabs(number) <= INTEGER_MAX) || trunc(number) != number)
        return false;
    *integer_out = (int64_t)number;
    return true;
}

void value_each_member(Value object, ValueMemberFunc function, void *data) {
    if (value_kind(object) != VALUE_KIND_OBJECT)
        return;
    ValueOrder order;
    value_order_init(&order, object);
    for (size_t i = 0; i < order.count; i++) {
        if (!function(value_text(order.members[i][0]), order.members[i][1], data))
            break;
    }
    value_order_clear(&order);
}

/* --- parts that are kept for long ------------------------------------------------------------- */

static Value items_apart(Value array) {
    Value apart = value_new_array();
    for (size_t i = 0; i < value_count(array); i++)
        value_push(&apart, value_apart(value_item(array, i)));
    return apart;
}

static Value members_apart(Value object) {
    Value apart = value_new_object();
    for (size_t i = 0; i < value_count(object); i++)
        add_member(&apart, value_apart(value_member_name(object, i)),
                   value_apart(value_member_at(object, i)));
    return apart;
}

Value value_apart(Value value) {
    const ValueBlock *block = value_block(value);
    if (block == NULL || block->form == BLOCK_TEXT)
        return value_copy(value);
    switch (value_kind(value)) {
    case VALUE_KIND_STRING:
        return text_of(value_text(value), value_length(value));
    case VALUE_KIND_ARRAY:
        return items_apart(value);
    default:
        return members_apart(value);
    }
}

/* --- comparing -------------------------------------------------------------------------------- */

static bool equal_items(Value a, Value b) {
    for (size_t i = 0; i < value_count(a); i++) {
        if (!value_equal(value_item(a, i), value_item(b, i)))
            return false;
    }
    return true;
}

static bool equal_members(Value a, Value b) {
    for (size_t i = 0; i < value_count(a); i++) {
        Value name = value_member_name(a, i);
        uint32_t other = find_member(b, value_text(name), value_length(name));
        if (other == VALUE_NO_MEMBER ||
            !value_equal(value_member_at(a, i), value_member_at(b, other)))
            return false;
    }
    return true;
}

bool value_equal(Value a, Value b) {
    ValueKind kind = value_kind(a);
    if (kind != value_kind(b))
        return false;
    if (kind == VALUE_KIND_NUMBER)
        return value_number(a, 0) == value_number(b, 0);
    if (a.words[0] == b.words[0] && a.words[1] == b.words[1])
        return true;
    if (kind == VALUE_KIND_STRING)
        return value_same_name(a, value_text(b), value_length(b));
    if (kind < VALUE_KIND_ARRAY || value_count(a) != value_count(b))
        return false;
    return kind == VALUE_KIND_ARRAY ? equal_items(a, b) : equal_members(a, b);
}

/* Not-a-number is less than every number, itself included. */
static int compare_numbers(double a, double b) {
    if (isnan(a) || isnan(b))
        return isnan(a) ? -1 : 1;
    return (a > b) - (a < b);
}

static int compare_counts(size_t a, size_t b) {
    return (a > b) - (a < b);
}

static int compare_items(Value a, Value b) {
    size_t shorter = MIN(value_count(a), value_count(b));
    int order = 0;
    for (size_t i = 0; i < shorter && order == 0; i++)
        order = value_compare(value_item(a, i), value_item(b, i));
    return order != 0 ? order : compare_counts(value_count(a), value_count(b));
}

/* First the names, all of them, then the values. */
static int compare_ordered(const ValueOrder *a, const ValueOrder *b) {
    size_t shorter = MIN(a->count, b->count);
    int order = 0;
    for (size_t i = 0; i < shorter && order == 0; i++)
        order = value_compare_texts(a->members[i][0], b->members[i][0]);
    if (order == 0)
        order = compare_counts(a->count, b->count);
    for (size_t i = 0; i < shorter && order == 0; i++)
        order = value_compare(a->members[i][1], b->members[i][1]);
    return order;
}

static int compare_objects(Value a, Value b) {
    ValueOrder one, other;
    value_order_init(&one, a);
    value_order_init(&other, b);
    int order = compare_ordered(&one, &other);
    value_order_clear(&one);
    value_order_clear(&other);
    return order;
}

int value_compare(Value a, Value b) {
    ValueKind kind = value_kind(a);
    if (kind != value_kind(b))
        return kind < value_kind(b) ? -1 : 1;
    switch (kind) {
    case VALUE_KIND_BOOL:
        return (int)value_truth(a) - (int)value_truth(b);
    case VALUE_KIND_NUMBER:
        return compare_numbers(value_number(a, 0), value_number(b, 0));
    case VALUE_KIND_STRING:
        return value_compare_texts(a, b);
    case VALUE_KIND_ARRAY:
        return compare_items(a, b);
    case VALUE_KIND_OBJECT:
        return compare_objects(a, b);
    default:
        return 0;
    }
}

/* --- plain paths ------------------------------------------------------------------------------ */

struct ValuePath {
    Path *path;
};

ValuePath *value_path_parse(const char *text, GError **error) {
    Path *parsed = path_parse(text, false, error);
    if (parsed == NULL)
        return NULL;
    ValuePath *path = g_new0(ValuePath, 1);
    path->path = parsed;
    return path;
}

void value_path_free(ValuePath *path) {
    if (path == NULL)
        return;
    path_free(path->path);
    g_free(path);
}

const char *value_path_text(const ValuePath *path) {
    return path->path->text;
}

const struct Path *value_path_steps(const ValuePath *path) {
    return path->path;
}

size_t value_path_count(const ValuePath *path) {
    return path->path->count;
}

const char *value_path_step(const ValuePath *path, size_t step, int64_t *index_out) {
    g_assert(step < path->path->count);
    const PathStep *at = &path->path->steps[step];
    if (at->kind == PATH_INDEX && index_out != NULL)
        *index_out = at->index;
    return at->name;
}

/* One step, borrowed. jq's rules: null gives null, a member of an object and an item of an array or
 * null; all else is an error (false). */
static bool take_step(const PathStep *step, Value *value) {
    ValueKind kind = value_kind(*value);
    if (kind == VALUE_KIND_NULL)
        return true;
    if (kind == VALUE_KIND_OBJECT && step->kind == PATH_NAME) {
        *value = or_null(value_member(*value, step->name, step->length));
        return true;
    }
    if (kind != VALUE_KIND_ARRAY || step->kind != PATH_INDEX)
        return false;
    int64_t index = step->index + (step->index < 0 ? (int64_t)value_count(*value) : 0);
    *value = or_null(index < 0 ? VALUE_NONE : value_item(*value, (size_t)index));
    return true;
}

bool value_path_get(const ValuePath *path, Value root, Value *value_out) {
    Value value = or_null(root);
    for (size_t i = 0; i < path->path->count; i++) {
        if (!take_step(&path->path->steps[i], &value))
            return false;
    }
    *value_out = value_copy(value);
    return true;
}

Value value_path_find(const ValuePath *path, Value root) {
    Value value;
    return value_path_get(path, root, &value) ? value : value_new_null();
}
