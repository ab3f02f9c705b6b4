#include "provider/xml.h"

#include <expat.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/secmem.h"
#include "provider/scanner.h"
#include "provider/xml_plain.h"

/* Names of elements and keys of maps that one document may have. An answer has some hundred. */
#define NAMES_MAX 65536
/* How often its own size a document may have its repeated elements brought together. */
#define MOVES_MAX 8
/* Texts up to this size never move. */
#define TEXT_ROOM 4096

/* What the plan says about elements of one name. */
typedef struct {
    bool list;
    bool map;
    GPtrArray *items; /* names of lists within it (char *), or NULL */
} Rule;

struct XmlPlan {
    GHashTable *rules; /* name -> Rule */
    ScanLimits limits;
};

/* A name that has come in the document. */
typedef struct Name {
    struct Name *next; /* of the same place */
    const Rule *rule;  /* NULL: none */
    guint seen;        /* 1 + index of its latest run in the open elements; 0: none */
    size_t length;     /* of the key */
    char key[];        /* "name": as it stands in JSON */
} Name;

/* The first names of a document, which mostly are all, are found by a few of their bytes; those
 * that come after are in a table that withstands a document made to slow it down. */
#define PLACES 64
#define FIRST_NAMES 128
#define NAME_ROOM 2048 /* bytes for the first of them */

/* Values of one name in a row within an open element. */
typedef struct {
    Name *name;
    guint before; /* the name's `seen` before this run */
    guint next;   /* 1 + index of the next run of the same name in the same element; 0: none */
    bool list;
    size_t count;
    size_t key;  /* where its key begins in the output */
    size_t from; /* its values, with commas between them */
    size_t to;
} Run;

typedef enum { FRAME_PLAIN, FRAME_MAP, FRAME_ENTRY } FrameKind;

/* An open element. */
typedef struct {
    FrameKind kind;
    const Rule *rule;
    size_t start;    /* where its value begins in the output */
    guint first_run; /* its runs are from here to the end of the stack */
    size_t depth;    /* of its value in the JSON text */
    bool object;     /* the brace is written */
    bool tangled;    /* a name has come again after another, or is repeated and in no list */
} Frame;

typedef struct {
    const XmlPlan *plan;
    XML_Parser parser; /* NULL while the document is plain */
    GString *out;
    size_t before; /* length of out when we began */
    GString *text; /* of the innermost element since its last tag */
    GString *type; /* xsi:type of the innermost element while it has no child */
    GString *moved;
    Name *places[PLACES];
    size_t name_count;
    size_t room_used;
    GHashTable *names; /* text -> Name, those behind the first; NULL: none */
    GArray *frames;    /* of Frame */
    GArray *runs;      /* of Run */
    size_t nodes;
    size_t moves; /* bytes moved */
    const char *reason;
    ErrorCode code;
    _Alignas(Name) char room[NAME_ROOM];
} Reader;

/* Plans. */

static void rule_free(void *data) {
    Rule *rule = data;
    if (rule->items != NULL)
        g_ptr_array_unref(rule->items);
    g_free(rule);
}

static Rule *plan_rule(XmlPlan *plan, const char *name, size_t length) {
    g_autofree char *text = g_strndup(name, length);
    Rule *rule = g_hash_table_lookup(plan->rules, text);
    if (rule == NULL) {
        rule = g_new0(Rule, 1);
        g_hash_table_insert(plan->rules, g_steal_pointer(&text), rule);
    }
    return rule;
}

static bool is_name(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter = g_ascii_isalpha(c) || c == '_' || c == ':';
        if (!letter && (i == 0 || !(g_ascii_isdigit(c) || c == '-')))
            return false;
    }
    return length > 0;
}

static bool refuse_name(const char *text, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "\"%s\" is no name of an XML element (\"Rule\") or pair of names "
                "(\"Buckets.Bucket\").",
                text);
    return false;
}

static bool plan_list(XmlPlan *plan, const char *text, GError **error) {
    const char *dot = strchr(text, '.');
    size_t length = dot != NULL ? (size_t)(dot - text) : strlen(text);
    if (!is_name(text, length) || (dot != NULL && !is_name(dot + 1, strlen(dot + 1))))
        return refuse_name(text, error);
    Rule *rule = plan_rule(plan, text, length);
    if (dot == NULL) {
        rule->list = true;
        return true;
    }
    if (rule->items == NULL)
        rule->items = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(rule->items, g_strdup(dot + 1));
    return true;
}

XmlPlan *xml_plan_new(const char *const *lists, const char *const *maps, const ScanLimits *limits,
                      GError **error) {
    static const char *const always[] = {"member", "item", "entry"};
    g_autoptr(XmlPlan) plan = g_new0(XmlPlan, 1);
    plan->rules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, rule_free);
    plan->limits = limits != NULL ? *limits : scan_default_limits;
    plan->limits.max_depth = MIN(plan->limits.max_depth, SCANNER_MAX_DEPTH);
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        plan_rule(plan, always[i], strlen(always[i]))->list = true;
    for (; lists != NULL && *lists != NULL; lists++) {
        if (!plan_list(plan, *lists, error))
            return NULL;
    }
    for (; maps != NULL && *maps != NULL; maps++) {
        if (!is_name(*maps, strlen(*maps))) {
            (void)refuse_name(*maps, error);
            return NULL;
        }
        plan_rule(plan, *maps, strlen(*maps))->map = true;
    }
    return g_steal_pointer(&plan);
}

void xml_plan_free(XmlPlan *plan) {
    if (plan == NULL)
        return;
    g_hash_table_unref(plan->rules);
    g_free(plan);
}

/* Failing. */

static void fail(Reader *reader, ErrorCode code, const char *reason) {
    if (reader->reason != NULL)
        return;
    reader->reason = reason;
    reader->code = code;
    if (reader->parser != NULL)
        XML_StopParser(reader->parser, XML_FALSE);
}

static void fail_broken(Reader *reader, const char *reason) {
    fail(reader, ERROR_SERVICE_UNAVAILABLE, reason);
}

static void fail_limit(Reader *reader, const char *reason) {
    fail(reader, ERROR_LIMIT, reason);
}

/* Names. */

static Name **place_of(Reader *reader, const char *text, size_t length) {
    size_t mark = length > 0 ? length + 5U * (uint8_t)text[0] + 11U * (uint8_t)text[length - 1] : 0;
    return &reader->places[mark % PLACES];
}

static Name *known_name(Reader *reader, const char *text, size_t length) {
    Name *name = *place_of(reader, text, length);
    while (name != NULL && (name->length != length + 3 || memcmp(name->key + 1, text, length) != 0))
        name = name->next;
    if (name != NULL || reader->names == NULL)
        return name;
    g_autofree char *key = g_strndup(text, length);
    return g_hash_table_lookup(reader->names, key);
}

/* For a name of this length. */
static Name *allot(Reader *reader, size_t length) {
    size_t size = sizeof(Name) + length + 4;
    size = (size + _Alignof(Name) - 1) / _Alignof(Name) * _Alignof(Name);
    if (size > NAME_ROOM - reader->room_used)
        return g_malloc(size);
    Name *name = (Name *)(void *)&reader->room[reader->room_used];
    reader->room_used += size;
    return name;
}

static Name *name_new(Reader *reader, const char *text, size_t length) {
    Name *name = allot(reader, length);
    name->seen = 0;
    name->length = length + 3;
    name->key[0] = '"';
    memcpy(name->key + 1, text, length);
    name->key[1 + length] = '\0';
    name->rule = g_hash_table_lookup(reader->plan->rules, name->key + 1);
    memcpy(name->key + 1 + length, "\":", sizeof "\":");
    return name;
}

static Name *intern(Reader *reader, const char *text, size_t length) {
    Name *name = known_name(reader, text, length);
    if (name != NULL)
        return name;
    if (reader->name_count >= NAMES_MAX) {
        fail_limit(reader, "it has too many names");
        return NULL;
    }
    bool first = reader->name_count++ < FIRST_NAMES;
    if (!first)
        reader->room_used = NAME_ROOM;
    name = name_new(reader, text, length);
    if (first) {
        Name **place = place_of(reader, text, length);
        name->next = *place;
        *place = name;
        return name;
    }
    if (reader->names == NULL)
        reader->names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(reader->names, g_strndup(text, length), name);
    return name;
}

static void free_names(Reader *reader) {
    for (size_t i = 0; i < PLACES; i++) {
        for (Name *name = reader->places[i], *next; name != NULL; name = next) {
            next = name->next;
            if ((char *)name < reader->room || (char *)name >= reader->room + NAME_ROOM)
                g_free(name);
        }
    }
    if (reader->names != NULL)
        g_hash_table_unref(reader->names);
}

static bool has_item(const Rule *rule, const Name *name) {
    if (rule == NULL || rule->items == NULL)
        return false;
    for (guint i = 0; i < rule->items->len; i++) {
        const char *item = rule->items->pdata[i];
        size_t length = strlen(item);
        if (name->length == length + 3 && memcmp(name->key + 1, item, length) == 0)
            return true;
    }
    return false;
}

/* Frames and runs. */

static Frame *innermost(const Reader *reader) {
    g_assert(reader->frames->data != NULL && reader->frames->len > 0);
    return &g_array_index(reader->frames, Frame, reader->frames->len - 1);
}

static Run *run_at(const Reader *reader, guint index) {
    g_assert(reader->runs->data != NULL && index < reader->runs->len);
    return &g_array_index(reader->runs, Run, index);
}

static Run *last_run(const Reader *reader, const Frame *frame) {
    guint count = reader->runs->len;
    return count > frame->first_run ? run_at(reader, count - 1) : NULL;
}

static bool is_blank(const GString *text) {
    for (gsize i = 0; i < text->len; i++) {
        if (!g_ascii_isspace(text->str[i]))
            return false;
    }
    return true;
}

/* Writes the brace of an element that turns out to be an object. */
static void open_object(Reader *reader, Frame *frame) {
    frame->object = true;
    g_string_append_c(reader->out, '{');
    if (reader->type->len == 0)
        return;
    g_string_append(reader->out, "\"@type\":");
    json_append_quoted(reader->out, reader->type->str, reader->type->len);
    g_string_truncate(reader->type, 0);
}

static void append_comma(Reader *reader) {
    if (reader->out->str[reader->out->len - 1] != '{')
        g_string_append_c(reader->out, ',');
}

static void append_name(Reader *reader, const Name *name) {
    g_string_append_len(reader->out, name->key, (gssize)name->length);
}

static void push_run(Reader *reader, const Frame *frame, Name *name, bool list) {
    guint index = reader->runs->len;
    Run run = {.name = name, .before = name->seen, .list = list, .key = reader->out->len};
    if (name->seen > frame->first_run)
        run_at(reader, name->seen - 1)->next = index + 1;
    append_name(reader, name);
    if (list)
        g_string_append_c(reader->out, '[');
    run.from = run.to = reader->out->len;
    name->seen = index + 1;
    g_array_append_val(reader->runs, run);
}

static void end_run(Reader *reader, const Frame *frame) {
    const Run *last = last_run(reader, frame);
    if (last != NULL && last->list)
        g_string_append_c(reader->out, ']');
}

/* Makes the output ready for the value of a child of this name. */
static void begin_member(Reader *reader, Frame *frame, Name *name) {
    Run *last = last_run(reader, frame);
    if (last != NULL && last->name == name) {
        if (last->count > 0)
            g_string_append_c(reader->out, ',');
        frame->tangled = frame->tangled || !last->list;
        return;
    }
    end_run(reader, frame);
    append_comma(reader);
    frame->tangled = frame->tangled || name->seen > frame->first_run;
    push_run(reader, frame, name,
             (name->rule != NULL && name->rule->list) || has_item(frame->rule, name));
}

/* Brings the values of each name together. Everything of the element has been written but the
 * closing brace. */
static void untangle(Reader *reader, const Frame *frame) {
    GString *out = reader->out, *moved = reader->moved;
    const Run *runs = (const Run *)(void *)reader->runs->data;
    g_string_truncate(moved, 0);
    g_string_append_len(moved, out->str + frame->start, (gssize)(out->len - frame->start));
    reader->moves += moved->len;
    if (reader->moves / MOVES_MAX > reader->plan->limits.max_bytes) {
        fail_limit(reader, "its elements are in too much disorder");
        return;
    }
    g_string_truncate(out, runs[frame->first_run].key);
    for (guint i = frame->first_run; i < reader->runs->len; i++) {
        if (runs[i].before > frame->first_run)
            continue; /* has been brought to the first of its name */
        bool array = runs[i].list || runs[i].next != 0 || runs[i].count > 1;
        if (i > frame->first_run)
            g_string_append_c(out, ',');
        append_name(reader, runs[i].name);
        if (array)
            g_string_append_c(out, '[');
        size_t count = 0;
        for (guint at = i + 1; at != 0; at = runs[at - 1].next) {
            const Run *run = &runs[at - 1];
            if (count > 0 && run->count > 0)
                g_string_append_c(out, ',');
            g_string_append_len(out, moved->str + (run->from - frame->start),
                                (gssize)(run->to - run->from));
            count += run->count;
        }
        if (array)
            g_string_append_c(out, ']');
    }
}

/* Lists that the plan knows of and that have not come. */
static void append_absent(Reader *reader, const Frame *frame) {
    if (frame->rule == NULL || frame->rule->items == NULL)
        return;
    for (guint i = 0; i < frame->rule->items->len; i++) {
        const char *item = frame->rule->items->pdata[i];
        Name *name = intern(reader, item, strlen(item));
        if (name == NULL || name->seen > frame->first_run)
            continue;
        append_comma(reader);
        push_run(reader, frame, name, true);
        g_string_append_c(reader->out, ']');
    }
}

static void pop_runs(Reader *reader, const Frame *frame) {
    while (reader->runs->len > frame->first_run) {
        const Run *run = run_at(reader, reader->runs->len - 1);
        run->name->seen = run->before;
        g_array_set_size(reader->runs, reader->runs->len - 1);
    }
}

static void close_object(Reader *reader, const Frame *frame) {
    end_run(reader, frame);
    if (frame->tangled)
        untangle(reader, frame);
    append_absent(reader, frame);
    g_string_append_c(reader->out, '}');
}

/* Maps. */

/* The run of this name when there is exactly one with one value. */
static const Run *only_run(const Reader *reader, const Frame *frame, const char *key) {
    const Run *found = NULL;
    for (guint i = frame->first_run; i < reader->runs->len; i++) {
        const Run *run = run_at(reader, i);
        if (strcmp(run->name->key, key) != 0)
            continue;
        if (found != NULL || run->count != 1 || run->list)
            return NULL;
        found = run;
    }
    return found;
}

/* Makes `"K":V` of `{"key":"K","value":V`, and of the key a member of the map. */
static void close_entry(Reader *reader, const Frame *frame) {
    GString *out = reader->out, *moved = reader->moved;
    const Run *key = only_run(reader, frame, "\"key\":");
    const Run *value = only_run(reader, frame, "\"value\":");
    if (key == NULL || value == NULL || reader->runs->len != frame->first_run + 2 ||
        out->str[key->from] != '"') {
        fail_broken(reader, "an entry of a map has not one key and one value");
        return;
    }
    g_string_truncate(moved, 0);
    g_string_append_len(moved, out->str + key->from, (gssize)(key->to - key->from));
    Name *name = intern(reader, moved->str, moved->len);
    if (name == NULL)
        return;
    g_string_append_c(moved, ':');
    g_string_append_len(moved, out->str + value->from, (gssize)(value->to - value->from));
    g_string_truncate(out, frame->start);
    g_string_append_len(out, moved->str, (gssize)moved->len);
    pop_runs(reader, frame);
    const Frame *map = frame - 1;
    if (name->seen > map->first_run) {
        fail_broken(reader, "a map has a key twice");
        return;
    }
    Run run = {.name = name, .before = name->seen};
    name->seen = reader->runs->len + 1;
    g_array_append_val(reader->runs, run);
}

/* Elements. */

static bool is_named(const Name *name, const char *text) {
    size_t length = strlen(text);
    return name->length == length + 3 && memcmp(name->key + 1, text, length) == 0;
}

static bool begin_child(Reader *reader, Frame *frame, Name *name) {
    if (!is_blank(reader->text)) {
        fail_broken(reader, "text stands beside elements");
        return false;
    }
    if (!frame->object)
        open_object(reader, frame);
    if (frame->kind != FRAME_MAP) {
        begin_member(reader, frame, name);
        return true;
    }
    if (!is_named(name, "entry")) {
        fail_broken(reader, "a map has something else than entries");
        return false;
    }
    append_comma(reader);
    return true;
}

static Frame root_frame(Reader *reader, const Name *name) {
    g_string_append_c(reader->out, '{');
    append_name(reader, name);
    return (Frame){.depth = 2};
}

static Frame child_frame(const Reader *reader, const Frame *parent) {
    if (parent->kind == FRAME_MAP)
        return (Frame){.depth = parent->depth, .kind = FRAME_ENTRY};
    return (Frame){.depth = parent->depth + 1 + last_run(reader, parent)->list};
}

/* The following may be called again after a failure, when expat has not stopped yet. */

static bool begin_element(void *data, const XmlTag *tag) {
    Reader *reader = data;
    Name *name = reader->reason == NULL ? intern(reader, tag->name, tag->length) : NULL;
    if (name == NULL)
        return false;
    if (reader->nodes-- == 0) {
        fail_limit(reader, "it has too many values");
        return false;
    }
    Frame frame;
    if (reader->frames->len == 0) {
        frame = root_frame(reader, name);
    } else {
        Frame *parent = innermost(reader);
        if (!begin_child(reader, parent, name))
            return false;
        frame = child_frame(reader, parent);
    }
    if (frame.depth > reader->plan->limits.max_depth) {
        fail_limit(reader, "it is nested too deeply");
        return false;
    }
    frame.start = reader->out->len;
    frame.first_run = reader->runs->len;
    if (frame.kind != FRAME_ENTRY) {
        frame.rule = name->rule;
        frame.kind = name->rule != NULL && name->rule->map ? FRAME_MAP : FRAME_PLAIN;
    }
    g_array_append_val(reader->frames, frame);
    g_string_truncate(reader->type, 0);
    if (tag->type != NULL)
        g_string_append_len(reader->type, tag->type, (gssize)tag->type_length);
    g_string_truncate(reader->text, 0);
    return true;
}

/* Ends an element without children. False when it was an empty item of a list and is no value. */
static bool close_leaf(Reader *reader, Frame *frame, const Run *run) {
    bool root = reader->frames->len == 1;
    bool holds_lists = frame->rule != NULL && frame->rule->items != NULL;
    if (frame->kind == FRAME_ENTRY || (frame->kind == FRAME_MAP && !is_blank(reader->text))) {
        fail_broken(reader, "a map has text or an empty entry");
        return false;
    }
    if (!is_blank(reader->text)) {
        json_append_quoted(reader->out, reader->text->str, reader->text->len);
        return true;
    }
    if (root || holds_lists || frame->kind == FRAME_MAP || reader->type->len > 0) {
        open_object(reader, frame);
        close_object(reader, frame);
        return true;
    }
    if (run != NULL && run->list)
        return false;
    json_append_quoted(reader->out, reader->text->str, reader->text->len);
    return true;
}

static bool close_branch(Reader *reader, Frame *frame) {
    if (!is_blank(reader->text))
        fail_broken(reader, "text stands beside elements");
    else if (frame->kind == FRAME_ENTRY)
        close_entry(reader, frame);
    else
        close_object(reader, frame);
    return true;
}

/* Tells the parent's run of the value that has ended; one that is none is taken back. */
static void end_value(Reader *reader, const Frame *parent, bool is_value) {
    Run *run = last_run(reader, parent);
    if (is_value)
        run->count++;
    else if (run->count > 0)
        g_string_truncate(reader->out, run->to);
    run->to = reader->out->len;
}

static bool end_element(void *data) {
    Reader *reader = data;
    if (reader->reason != NULL)
        return false;
    Frame *frame = innermost(reader);
    bool root = reader->frames->len == 1;
    /* The frame's own runs lie above its parent's last one; an entry of a map is in none. */
    const Run *run =
        root || frame->kind == FRAME_ENTRY ? NULL : run_at(reader, frame->first_run - 1);
    bool is_value = frame->object ? close_branch(reader, frame) : close_leaf(reader, frame, run);
    if (reader->reason != NULL)
        return false;
    if (frame->kind != FRAME_ENTRY) {
        pop_runs(reader, frame);
        if (!root)
            end_value(reader, frame - 1, is_value);
    }
    g_array_set_size(reader->frames, reader->frames->len - 1);
    g_string_truncate(reader->text, 0);
    g_string_truncate(reader->type, 0);
    if (reader->out->len - reader->before > reader->plan->limits.max_bytes)
        fail_limit(reader, "it is too large");
    return reader->reason == NULL;
}

static bool take_text(void *data, const char *text, size_t length) {
    Reader *reader = data;
    if (reader->reason == NULL)
        g_string_append_len(reader->text, text, (gssize)length);
    return reader->reason == NULL;
}

/* Handlers of expat. */

static void on_start(void *data, const XML_Char *name, const XML_Char **attributes) {
    XmlTag tag = {.name = name, .length = strlen(name)};
    for (const XML_Char *const *at = (const XML_Char *const *)attributes; at[0] != NULL; at += 2) {
        if (strcmp(at[0], "xsi:type") == 0)
            tag.type = at[1];
    }
    tag.type_length = tag.type != NULL ? strlen(tag.type) : 0;
    (void)begin_element(data, &tag);
}

static void on_end(void *data, const XML_Char *name) {
    (void)name;
    (void)end_element(data);
}

static void on_text(void *data, const XML_Char *text, int length) {
    (void)take_text(data, text, (size_t)length);
}

/* Entities are declared in a document type; no API answers with one, but attacks and error pages
 * do. Stopping here leaves the declaration unread. */
static void on_doctype(void *data, const XML_Char *name, const XML_Char *system,
                       const XML_Char *public, int has_subset) {
    (void)name, (void)system, (void)public, (void)has_subset;
    fail_broken(data, "it declares a document type");
}

/* One document. */

/* Answers of STS carry credentials, so what the parser lets go of is wiped. */

static void wiping_free(void *memory) {
    if (memory != NULL)
        secmem_wipe(memory, malloc_usable_size(memory));
    free(memory);
}

static void *wiping_realloc(void *memory, size_t size) {
    size_t had = memory != NULL ? malloc_usable_size(memory) : 0;
    if (memory != NULL && size > 0 && size <= had)
        return memory;
    void *moved = malloc(MAX(size, (size_t)1));
    if (moved != NULL && memory != NULL) {
        memcpy(moved, memory, MIN(had, size));
        wiping_free(memory);
    }
    return moved;
}

static const XML_Memory_Handling_Suite wiping_memory = {malloc, wiping_realloc, wiping_free};

#define FIRST_FRAMES 16

static void reader_init(Reader *reader, const XmlPlan *plan, GString *out) {
    memset(reader, 0, offsetof(Reader, room));
    reader->plan = plan;
    reader->out = out;
    reader->before = out->len;
    reader->text = g_string_sized_new(TEXT_ROOM);
    reader->type = g_string_new(NULL);
    reader->moved = g_string_new(NULL);
    reader->frames = g_array_sized_new(FALSE, FALSE, sizeof(Frame), FIRST_FRAMES);
    reader->runs = g_array_sized_new(FALSE, FALSE, sizeof(Run), FIRST_FRAMES);
    reader->nodes = plan->limits.max_nodes;
}

static void reader_clear(Reader *reader) {
    secmem_wipe(reader->text->str, reader->text->allocated_len);
    g_string_free(reader->text, TRUE);
    g_string_free(reader->type, TRUE);
    g_string_free(reader->moved, TRUE);
    free_names(reader);
    g_array_unref(reader->frames);
    g_array_unref(reader->runs);
}

static bool report(const Reader *reader, size_t size, GError **error) {
    bool malformed = reader->reason == NULL;
    XML_Index at = XML_GetCurrentByteIndex(reader->parser);
    g_set_error(error, ASSAY_ERROR, (int)(malformed ? ERROR_SERVICE_UNAVAILABLE : reader->code),
                "The answer cannot be read at byte %zu of %zu: %s.", at > 0 ? (size_t)at : 0, size,
                malformed ? "it is no well-formed XML" : reader->reason);
    return false;
}

static bool read_plain(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out) {
    static const XmlTaker taker = {begin_element, take_text, end_element};
    Reader reader;
    reader_init(&reader, plan, json_out);
    bool good = xml_plain_read(bytes, size, &taker, &reader);
    if (!good)
        g_string_truncate(json_out, reader.before);
    reader_clear(&reader);
    return good;
}

static bool parse(Reader *reader, const char *bytes, size_t size) {
    XML_SetUserData(reader->parser, reader);
    XML_SetElementHandler(reader->parser, on_start, on_end);
    XML_SetCharacterDataHandler(reader->parser, on_text);
    XML_SetStartDoctypeDeclHandler(reader->parser, on_doctype);
    /* UTF-16, which expat knows by its look, has a NUL in its first two characters. */
    bool wide = memchr(bytes, '\0', MIN(size, 4)) != NULL;
    return !wide && XML_Parse(reader->parser, bytes, (int)size, XML_TRUE) == XML_STATUS_OK;
}

/* Whatever is not plain, and whatever is wrong: it tells where. */
static bool read_by_expat(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                          GError **error) {
    Reader reader;
    reader_init(&reader, plan, json_out);
    reader.parser = XML_ParserCreate_MM("UTF-8", &wiping_memory, NULL);
    g_assert(reader.parser != NULL); /* memory has run out */
    bool good = parse(&reader, bytes, size);
    if (!good) {
        g_string_truncate(json_out, reader.before);
        (void)report(&reader, size, error);
    }
    XML_ParserFree(reader.parser);
    reader_clear(&reader);
    return good;
}

bool xml_to_json(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                 GError **error) {
    if (size > plan->limits.max_bytes || size > INT_MAX) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "The answer of %zu bytes cannot be read: it is too large.", size);
        return false;
    }
    if (!read_plain(plan, bytes, size, json_out) &&
        !read_by_expat(plan, bytes, size, json_out, error))
        return false;
    g_string_append_c(json_out, '}');
    return true;
}
