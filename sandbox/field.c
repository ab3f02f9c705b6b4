#include "sandbox/field.h"

#include "base/clock.h"
#include "base/error.h"

#include <string.h>

#define NUMBER_PREFIX "number:"
#define TODAY "today"
#define DIGITS_MAX 20

typedef enum {
    KIND_CONST,
    KIND_TEXT,
    KIND_STEP,
    KIND_BETWEEN,
    KIND_HEX,
    KIND_PICK,
    KIND_BY,
    KIND_NTH,
    KIND_ANY,
    KIND_ISO,
    KIND_EPOCH,
    KIND_BARE,
    KIND_TIME
} FieldKind;

typedef enum { PART_LITERAL, PART_FIELD, PART_INDEX, PART_NUMBER } PartKind;

typedef struct {
    PartKind kind;
    char *text;      /* of a literal */
    unsigned digits; /* of a number: at least so many */
    FieldRef ref;
} Part;

struct Field {
    FieldKind kind;
    uint64_t salt;
    FieldValue value; /* of a constant; owns its text */
    GArray *parts;    /* Part, of a text */
    int64_t from;     /* step: base; between: first; time: seconds; hex: digits */
    int64_t to;       /* step: step; between: last; time: span in seconds */
    unsigned digits;  /* between: a text of so many digits; 0: a number */
    GPtrArray *choices;
    GArray *weights;  /* int64_t, cumulative */
    char **list;      /* nth, any */
    GPtrArray *names; /* by: the texts that choices belong to; the last choice has none */
    FieldRef by;
};

typedef struct {
    Collection *of;
    Constants *constants;
    const char *name;
} Loader;

static Field *load_value(const Loader *loader, const Json *json, GError **error);

static void clear_part(gpointer data) {
    g_free(((Part *)data)->text);
}

static void field_free(gpointer data) {
    Field *field = data;
    if (field == NULL) {
        return;
    }
    g_free((char *)(uintptr_t)field->value.text);
    g_strfreev(field->list);
    g_clear_pointer(&field->parts, g_array_unref);
    g_clear_pointer(&field->choices, g_ptr_array_unref);
    g_clear_pointer(&field->weights, g_array_unref);
    g_clear_pointer(&field->names, g_ptr_array_unref);
    g_free(field);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Field, field_free)

/* splitmix64's finalizer. */
static uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}

static uint64_t hash_text(const char *text) {
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *text != '\0'; text++) {
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    }
    return hash;
}

static Field *field_new(const Loader *loader, FieldKind kind) {
    Field *field = g_new0(Field, 1);
    field->kind = kind;
    field->salt = hash_text(loader->name);
    return field;
}

static void refuse(const Loader *loader, GError **error, const char *why) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION, "The field %s.%s %s.", loader->of->name,
                loader->name, why);
}

/* Field texts are pasted into JSON bodies as they are. */
static bool is_plain(const char *text) {
    for (; *text != '\0'; text++) {
        if ((unsigned char)*text < 0x20 || *text == '"' || *text == '\\') {
            return false;
        }
    }
    return true;
}

static void add_literal(GArray *parts, const char *text, size_t length) {
    if (length > 0) {
        Part part = {.kind = PART_LITERAL, .text = g_strndup(text, length)};
        g_array_append_val(parts, part);
    }
}

static bool add_reference(const Loader *loader, GArray *parts, const char *name, GError **error) {
    Part part = {.kind = PART_FIELD};
    const char *constant = g_hash_table_lookup(loader->constants, name);
    guint64 digits;
    if (strcmp(name, "index") == 0) {
        part.kind = PART_INDEX;
    } else if (strcmp(name, "number") == 0) {
        part.kind = PART_NUMBER;
    } else if (g_str_has_prefix(name, NUMBER_PREFIX) &&
               g_ascii_string_to_unsigned(name + strlen(NUMBER_PREFIX), 10, 1, DIGITS_MAX, &digits,
                                          NULL)) {
        part.kind = PART_NUMBER;
        part.digits = (unsigned)digits;
    } else if (constant != NULL) {
        add_literal(parts, constant, strlen(constant));
        return true;
    } else if (!field_find(loader->of, name, &part.ref)) {
        refuse(loader, error, "names a field that is not declared before it");
        return false;
    }
    g_array_append_val(parts, part);
    return true;
}

static Field *load_text(const Loader *loader, const char *text, GError **error) {
    if (!is_plain(text)) {
        refuse(loader, error, "has characters that JSON would escape");
        return NULL;
    }
    g_autoptr(Field) field = field_new(loader, KIND_TEXT);
    field->parts = g_array_new(FALSE, FALSE, sizeof(Part));
    g_array_set_clear_func(field->parts, clear_part);
    const char *open;
    while ((open = strstr(text, "${")) != NULL) {
        const char *close = strchr(open, '}');
        if (close == NULL) {
            refuse(loader, error, "has ${ without }");
            return NULL;
        }
        add_literal(field->parts, text, (size_t)(open - text));
        g_autofree char *name = g_strndup(open + 2, (size_t)(close - open - 2));
        if (!add_reference(loader, field->parts, name, error)) {
            return NULL;
        }
        text = close + 1;
    }
    add_literal(field->parts, text, strlen(text));
    return g_steal_pointer(&field);
}

static Field *load_constant(const Loader *loader, const Json *json) {
    Field *field = field_new(loader, KIND_CONST);
    char *text = json_print(json, JSON_COMPACT);
    field->value = (FieldValue){.text = text, .length = strlen(text), .quoted = false};
    return field;
}

/* A number, or the name of a constant that is one. */
static bool load_bound(const Loader *loader, const Json *json, int64_t *out, GError **error) {
    const char *name = json_text(json);
    const char *text = name == NULL ? NULL : g_hash_table_lookup(loader->constants, name);
    if (text != NULL) {
        *out = g_ascii_strtoll(text, NULL, 10);
        return true;
    }
    if (json == NULL || json_kind(json) != JSON_KIND_INT) {
        refuse(loader, error, "needs two numbers");
        return false;
    }
    *out = json_integer_or(json, 0);
    return true;
}

static Field *load_range(const Loader *loader, FieldKind kind, const Json *pair, GError **error) {
    g_autoptr(Field) field = field_new(loader, kind);
    if (!load_bound(loader, json_item(pair, 0), &field->from, error) ||
        !load_bound(loader, json_item(pair, 1), &field->to, error)) {
        return NULL;
    }
    if (kind == KIND_BETWEEN && field->to < field->from) {
        field->to = field->from;
    }
    return g_steal_pointer(&field);
}

static Field *load_hex(const Loader *loader, const Json *digits, GError **error) {
    int64_t count = json_integer_or(digits, 0);
    if (count < 1 || count > 64) {
        refuse(loader, error, "wants 1 to 64 hexadecimal digits");
        return NULL;
    }
    Field *field = field_new(loader, KIND_HEX);
    field->from = count;
    return field;
}

static Field *load_pick(const Loader *loader, const Json *list, GError **error) {
    g_autoptr(Field) field = field_new(loader, KIND_PICK);
    field->choices = g_ptr_array_new_with_free_func(field_free);
    field->weights = g_array_new(FALSE, FALSE, sizeof(int64_t));
    int64_t sum = 0;
    for (size_t i = 0; i < json_count(list); i++) {
        const Json *pair = json_item(list, i);
        int64_t weight = json_integer_or(json_item(pair, 0), -1);
        Field *choice = load_value(loader, json_item(pair, 1), error);
        if (choice == NULL) {
            return NULL;
        }
        g_ptr_array_add(field->choices, choice);
        sum += MAX(weight, 0);
        g_array_append_val(field->weights, sum);
    }
    if (sum <= 0) {
        refuse(loader, error, "needs [weight, value] pairs with a weight above 0");
        return NULL;
    }
    return g_steal_pointer(&field);
}

static Field *load_by(const Loader *loader, const Json *json, GError **error) {
    g_autoptr(Field) field = field_new(loader, KIND_BY);
    field->choices = g_ptr_array_new_with_free_func(field_free);
    field->names = g_ptr_array_new_with_free_func(g_free);
    if (!field_find(loader->of, json_member_string(json, "by", ""), &field->by)) {
        refuse(loader, error, "follows a field that is not declared before it");
        return NULL;
    }
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(json_member(json, "values"), &iterator, &key, &value)) {
        Field *choice = load_value(loader, value, error);
        if (choice == NULL) {
            return NULL;
        }
        g_ptr_array_add(field->choices, choice);
        g_ptr_array_add(field->names, g_strdup(key));
    }
    Field *otherwise = load_value(loader, json_member(json, "else"), error);
    if (otherwise == NULL) {
        return NULL;
    }
    g_ptr_array_add(field->choices, otherwise);
    return g_steal_pointer(&field);
}

/* A time, or "today-90d", "today+90d" of the constant today. */
static bool parse_from(const Loader *loader, const char *text, int64_t *time_ms_out) {
    const char *today = g_hash_table_lookup(loader->constants, TODAY);
    int64_t shift = 0;
    if (!g_str_has_prefix(text, TODAY) || today == NULL) {
        return clock_parse(text, time_ms_out);
    }
    const char *rest = text + strlen(TODAY);
    if (!clock_parse(today, time_ms_out) ||
        (rest[0] != '\0' && !clock_parse_duration(rest + 1, &shift))) {
        return false;
    }
    *time_ms_out += rest[0] == '-' ? -shift : shift;
    return rest[0] == '\0' || rest[0] == '-' || rest[0] == '+';
}

static Field *load_time(const Loader *loader, const Json *json, GError **error) {
    int64_t from;
    int64_t within;
    if (!parse_from(loader, json_member_string(json, "from", ""), &from) ||
        !clock_parse_duration(json_member_string(json, "within", ""), &within) || within < 1000) {
        refuse(loader, error, "needs from (a time) and within (a duration)");
        return NULL;
    }
    const char *as = json_member_string(json, "as", "");
    bool epoch = strcmp(as, "epoch") == 0;
    bool bare = strcmp(as, "bare") == 0;
    Field *field = field_new(loader, epoch ? KIND_EPOCH : bare ? KIND_BARE : KIND_TIME);
    field->from = from / 1000;
    field->to = within / 1000;
    return field;
}

static Field *load_list(const Loader *loader, FieldKind kind, const Json *name, GError **error) {
    const char *text =
        json_text(name) == NULL ? NULL : g_hash_table_lookup(loader->constants, json_text(name));
    if (text == NULL || text[0] == '\0') {
        refuse(loader, error, "names no constant with a list");
        return NULL;
    }
    Field *field = field_new(loader, kind);
    field->list = g_strsplit(text, ",", -1);
    field->to = (int64_t)g_strv_length(field->list);
    return field;
}

static Field *load_iso(const Loader *loader, const Json *name, GError **error) {
    FieldRef ref;
    if (json_text(name) == NULL || !field_find(loader->of, json_text(name), &ref)) {
        refuse(loader, error, "follows a field that is not declared before it");
        return NULL;
    }
    Field *field = field_new(loader, KIND_ISO);
    field->by = ref;
    return field;
}

static Field *load_object(const Loader *loader, const Json *json, GError **error) {
    const Json *part;
    if ((part = json_member(json, "step")) != NULL) {
        return load_range(loader, KIND_STEP, part, error);
    }
    if ((part = json_member(json, "between")) != NULL) {
        Field *field = load_range(loader, KIND_BETWEEN, part, error);
        if (field != NULL) {
            field->digits = (unsigned)CLAMP(json_member_int(json, "digits", 0), 0, DIGITS_MAX);
        }
        return field;
    }
    if ((part = json_member(json, "hex")) != NULL) {
        return load_hex(loader, part, error);
    }
    if ((part = json_member(json, "pick")) != NULL) {
        return load_pick(loader, part, error);
    }
    if ((part = json_member(json, "time")) != NULL) {
        return load_time(loader, part, error);
    }
    if (json_member(json, "by") != NULL) {
        return load_by(loader, json, error);
    }
    if ((part = json_member(json, "nth")) != NULL) {
        return load_list(loader, KIND_NTH, part, error);
    }
    if ((part = json_member(json, "any")) != NULL) {
        return load_list(loader, KIND_ANY, part, error);
    }
    if ((part = json_member(json, "iso")) != NULL) {
        return load_iso(loader, part, error);
    }
    refuse(loader, error, "is of no known kind (step, between, hex, pick, by, time, ...)");
    return NULL;
}

static Field *load_value(const Loader *loader, const Json *json, GError **error) {
    if (json == NULL) {
        refuse(loader, error, "lacks a value");
        return NULL;
    }
    switch (json_kind(json)) {
    case JSON_KIND_STRING:
        return load_text(loader, json_text(json), error);
    case JSON_KIND_OBJECT:
        return load_object(loader, json, error);
    default:
        return load_constant(loader, json);
    }
}

static bool load_fields(Loader *loader, const Json *fields, GError **error) {
    Collection *of = loader->of;
    void *iterator = NULL;
    const char *key;
    Json *value;
    while (json_next(fields, &iterator, &key, &value)) {
        loader->name = key;
        if (of->field_count == FIELD_MAX) {
            refuse(loader, error, "is one field too many");
            return false;
        }
        Field *field = load_value(loader, value, error);
        if (field == NULL) {
            return false;
        }
        of->field_names[of->field_count] = g_strdup(key);
        of->fields[of->field_count++] = field;
    }
    return true;
}

/* How many items there are: a constant or number at the top, a field of the parent inside. */
static bool load_count(Loader *loader, const Json *count, GError **error) {
    Collection *of = loader->of;
    int64_t number = 0;
    loader->name = "count";
    of->count_field = -1;
    if (of->parent == NULL) {
        if (!load_bound(loader, count, &number, error)) {
            return false;
        }
        of->count = (uint64_t)CLAMP(number, 0, COLLECTION_ITEMS_MAX);
        return true;
    }
    FieldRef ref;
    if (!field_find(of->parent, json_text(count) == NULL ? "" : json_text(count), &ref) ||
        ref.up != 0) {
        refuse(loader, error, "must name a field of the parent");
        return false;
    }
    of->count_field = ref.field;
    return true;
}

Collection *field_load(const char *name, const Json *description, Collection *parent,
                       Constants *constants, uint64_t seed, GError **error) {
    g_autoptr(Collection) collection = g_new0(Collection, 1);
    collection->name = g_strdup(name);
    collection->parent = parent;
    collection->seed = mix(seed ^ hash_text(name));
    collection->key_prefix = g_strdup(json_member_string(description, "key", NULL));
    Loader loader = {.of = collection, .constants = constants};
    if (!load_count(&loader, json_member(description, "count"), error) ||
        !load_fields(&loader, json_member(description, "fields"), error)) {
        return NULL;
    }
    return g_steal_pointer(&collection);
}

void collection_free(Collection *collection) {
    if (collection == NULL) {
        return;
    }
    for (size_t i = 0; i < collection->field_count; i++) {
        g_free(collection->field_names[i]);
        field_free(collection->fields[i]);
    }
    g_free(collection->name);
    g_free(collection->key_prefix);
    g_free(collection->first);
    g_free(collection);
}

bool field_find(const Collection *collection, const char *name, FieldRef *ref_out) {
    const char *dot = strchr(name, '.');
    unsigned char up = 0;
    for (const Collection *at = collection; at != NULL; at = at->parent, up++) {
        size_t prefix = strlen(at->name);
        bool named =
            dot != NULL && (size_t)(dot - name) == prefix && strncmp(at->name, name, prefix) == 0;
        const char *field = named ? dot + 1 : name;
        for (size_t i = 0; (named || (dot == NULL && up == 0)) && i < at->field_count; i++) {
            if (strcmp(at->field_names[i], field) == 0) {
                *ref_out = (FieldRef){.up = up, .field = (unsigned char)i};
                return true;
            }
        }
    }
    return false;
}

bool collection_find(const Collection *collection, const char *key, uint64_t count,
                     uint64_t *index_out) {
    if (collection->key_prefix == NULL || !g_str_has_prefix(key, collection->key_prefix)) {
        return false;
    }
    const char *digits = key + strlen(collection->key_prefix);
    guint64 number;
    if (digits[0] == '0' || count == 0 ||
        !g_ascii_string_to_unsigned(digits, 10, 1, count, &number, NULL)) {
        return false;
    }
    *index_out = number - 1;
    return true;
}

void item_init(Item *item, const Collection *of, Item *parent, uint64_t index) {
    item->of = of;
    item->parent = parent;
    item->index = index;
    item->hash = mix(of->seed ^ mix((parent == NULL ? 0 : parent->hash) + index + 1));
    item->known = 0;
    item->used = 0;
}

/* Keeps text in the item's scratch; what does not fit is cut off. */
static void keep(Item *item, const char *text, size_t length) {
    size_t room = ITEM_SCRATCH - item->used;
    length = MIN(length, room);
    memcpy(item->scratch + item->used, text, length);
    item->used += length;
}

static void keep_padded(Item *item, int64_t number, unsigned width) {
    char digits[24];
    char *at = digits + sizeof(digits);
    const char *least = at - MAX(width, 1);
    uint64_t rest = number < 0 ? (uint64_t)0 - (uint64_t)number : (uint64_t)number;
    do {
        *--at = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0 || at > least);
    if (number < 0) {
        *--at = '-';
    }
    keep(item, at, (size_t)(digits + sizeof(digits) - at));
}

static void keep_number(Item *item, int64_t number) {
    keep_padded(item, number, 1);
}

static void keep_part(Item *item, const Part *part) {
    FieldValue value;
    switch (part->kind) {
    case PART_LITERAL:
        keep(item, part->text, strlen(part->text));
        break;
    case PART_FIELD:
        value = item_value(item, part->ref);
        keep(item, value.text, value.length);
        break;
    case PART_INDEX:
        keep_number(item, (int64_t)item->index);
        break;
    case PART_NUMBER:
        keep_padded(item, (int64_t)item->index + 1, part->digits);
        break;
    }
}

static void keep_hex(Item *item, uint64_t hash, int64_t digits) {
    static const char alphabet[] = "0123456789abcdef";
    for (int64_t i = 0; i < digits; i++) {
        if (i % 16 == 0) {
            hash = mix(hash + 1);
        }
        keep(item, &alphabet[(hash >> (4 * (i % 16))) & 15], 1);
    }
}

static void keep_time(Item *item, int64_t seconds, const char *zone) {
    g_autofree char *text = clock_format(seconds * 1000);
    keep(item, text, strlen("2026-01-01T00:00:00"));
    keep(item, zone, strlen(zone));
}

/* The fields whose text may refer to other fields: those are computed first, because values lie one
 * behind the other in the scratch. */
static void compute_references(Item *item, const Field *field) {
    for (guint i = 0; i < field->parts->len; i++) {
        const Part *part = &g_array_index(field->parts, Part, i);
        if (part->kind == PART_FIELD) {
            item_value(item, part->ref);
        }
    }
}

static const Field *choose(Item *item, const Field *field, uint64_t hash) {
    if (field->kind == KIND_PICK) {
        const int64_t *weights = (const int64_t *)(const void *)field->weights->data;
        guint last = field->weights->len - 1;
        int64_t drawn = (int64_t)(hash % (uint64_t)weights[last]);
        guint i = 0;
        while (weights[i] <= drawn) {
            i++;
        }
        return g_ptr_array_index(field->choices, i);
    }
    FieldValue value = item_value(item, field->by);
    guint i = 0;
    for (; i < field->names->len; i++) {
        const char *name = g_ptr_array_index(field->names, i);
        if (strlen(name) == value.length && memcmp(name, value.text, value.length) == 0) {
            break;
        }
    }
    return g_ptr_array_index(field->choices, i);
}

/* Texts of numbers; what is none is 0. */
static int64_t read_number(FieldValue value) {
    int64_t number = 0;
    for (size_t i = 0; i < MIN(value.length, 18) && g_ascii_isdigit(value.text[i]); i++) {
        number = number * 10 + (value.text[i] - '0');
    }
    return number;
}

static bool is_number(const Field *field) {
    return field->kind == KIND_STEP || field->kind == KIND_EPOCH ||
           (field->kind == KIND_BETWEEN && field->digits == 0);
}

static FieldValue compute(Item *item, const Field *field) {
    uint64_t hash = mix(item->hash ^ field->salt);
    while (field->kind == KIND_PICK || field->kind == KIND_BY) {
        field = choose(item, field, hash);
        hash = mix(hash);
    }
    if (field->kind == KIND_CONST) {
        return field->value;
    }
    if (field->kind == KIND_TEXT) {
        compute_references(item, field);
    }
    if (field->kind == KIND_NTH || field->kind == KIND_ANY) {
        const char *text =
            field->list[(field->kind == KIND_NTH ? item->index : hash) % (uint64_t)field->to];
        return (FieldValue){.text = text, .length = strlen(text), .quoted = true};
    }
    int64_t seconds = field->kind == KIND_ISO ? read_number(item_value(item, field->by)) : 0;
    size_t start = item->used;
    uint64_t span = (uint64_t)(field->to - field->from) + 1;
    switch (field->kind) {
    case KIND_TEXT:
        for (guint i = 0; i < field->parts->len; i++) {
            keep_part(item, &g_array_index(field->parts, Part, i));
        }
        break;
    case KIND_STEP:
        keep_number(item, field->from + field->to * (int64_t)item->index);
        break;
    case KIND_BETWEEN:
        keep_padded(item, field->from + (int64_t)(span == 0 ? 0 : hash % span), field->digits);
        break;
    case KIND_HEX:
        keep_hex(item, hash, field->from);
        break;
    case KIND_EPOCH:
        keep_number(item, field->from + (int64_t)(hash % (uint64_t)field->to));
        break;
    case KIND_ISO:
        keep_time(item, seconds, "Z");
        break;
    default:
        keep_time(item, field->from + (int64_t)(hash % (uint64_t)field->to),
                  field->kind == KIND_BARE ? "" : "Z");
        break;
    }
    return (FieldValue){
        .text = item->scratch + start, .length = item->used - start, .quoted = !is_number(field)};
}

FieldValue item_value(Item *item, FieldRef ref) {
    for (unsigned char i = 0; i < ref.up; i++) {
        item = item->parent;
    }
    uint64_t bit = UINT64_C(1) << ref.field;
    if ((item->known & bit) == 0) {
        item->values[ref.field] = compute(item, item->of->fields[ref.field]);
        item->known |= bit;
    }
    return item->values[ref.field];
}

uint64_t item_child_count(Item *parent, const Collection *child) {
    FieldValue value = item_value(parent, (FieldRef){.field = (unsigned char)child->count_field});
    return MIN((uint64_t)read_number(value), COLLECTION_ITEMS_MAX);
}

uint64_t collection_total(Collection *collection) {
    const Collection *parent = collection->parent;
    if (parent == NULL) {
        return collection->count;
    }
    if (collection->first == NULL) {
        g_autofree Item *item = g_new(Item, 1);
        collection->first = g_new(uint64_t, parent->count + 1);
        collection->first[0] = 0;
        for (uint64_t i = 0; i < parent->count; i++) {
            item_init(item, parent, NULL, i);
            collection->first[i + 1] = collection->first[i] + item_child_count(item, collection);
        }
    }
    return collection->first[parent->count];
}

void collection_locate(Collection *collection, uint64_t position, uint64_t *parent_out,
                       uint64_t *inside_out) {
    g_assert(position < collection_total(collection));
    uint64_t low = 0;
    uint64_t high = collection->parent->count;
    while (high - low > 1) {
        uint64_t middle = low + (high - low) / 2;
        if (collection->first[middle] <= position) {
            low = middle;
        } else {
            high = middle;
        }
    }
    *parent_out = low;
    *inside_out = position - collection->first[low];
}
