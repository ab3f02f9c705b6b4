#include "provider/xml.h"

#include <string.h>

#include "base/error.h"
#include "base/json.h"
#include "base/secmem.h"
#include "provider/markup.h"
#include "provider/scanner.h"
#include "provider/xml_name.h"

/* How often its own size a document may have its repeated elements brought together. */
#define MOVES_MAX 8
/* Texts up to this size never move. */
#define TEXT_ROOM 4096
/* So much of a document needs no memory of its own: nearly every answer is small. */
#define FEW_FRAMES 16
#define FEW_RUNS 32

struct XmlPlan {
    XmlRules rules;
    ScanLimits limits;
};

/* Values of one name in a row within an open element. */
typedef struct {
    XmlName *name;
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
    const XmlRule *rule;
    size_t start;    /* where its value begins in the output */
    guint first_run; /* its runs are from here to the end of the stack */
    size_t depth;    /* of its value in the JSON text */
    bool object;     /* the brace is written */
    bool tangled;    /* a name has come again after another, or is repeated and in no list */
} Frame;

typedef struct {
    Frame *items;
    guint len;
    guint room;
    Frame few[FEW_FRAMES];
} Frames;

typedef struct {
    Run *items;
    guint len;
    guint room;
    Run few[FEW_RUNS];
} Runs;

typedef struct {
    const XmlPlan *plan;
    GString *out;
    size_t before;   /* length of out when we began */
    MarkupSpan text; /* of the innermost element since its last tag; in the document or in pieces */
    GString *pieces; /* of a text that came in several; NULL: none has */
    GString *type;   /* xsi:type of the innermost element while it has no child; NULL: none has */
    GString *moved;  /* NULL: nothing has */
    XmlMember first; /* of the root */
    size_t nodes;
    size_t moves; /* bytes moved */
    const char *reason;
    ErrorCode code;
    Markup markup;
    XmlNames names;
    Frames frames;
    Runs runs;
} Reader;

/* Plans. */

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
    XmlRule *rule = xml_rules_get(&plan->rules, text, length);
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
    plan->limits = limits != NULL ? *limits : scan_default_limits;
    plan->limits.max_depth = MIN(plan->limits.max_depth, SCANNER_MAX_DEPTH);
    for (size_t i = 0; i < G_N_ELEMENTS(always); i++)
        xml_rules_get(&plan->rules, always[i], strlen(always[i]))->list = true;
    for (; lists != NULL && *lists != NULL; lists++) {
        if (!plan_list(plan, *lists, error))
            return NULL;
    }
    for (; maps != NULL && *maps != NULL; maps++) {
        if (!is_name(*maps, strlen(*maps))) {
            (void)refuse_name(*maps, error);
            return NULL;
        }
        xml_rules_get(&plan->rules, *maps, strlen(*maps))->map = true;
    }
    return g_steal_pointer(&plan);
}

void xml_plan_free(XmlPlan *plan) {
    if (plan == NULL)
        return;
    xml_rules_clear(&plan->rules);
    g_free(plan);
}

/* Failing. */

static void fail(Reader *reader, ErrorCode code, const char *reason) {
    if (reader->reason != NULL)
        return;
    reader->reason = reason;
    reader->code = code;
}

static void fail_broken(Reader *reader, const char *reason) {
    fail(reader, ERROR_SERVICE_UNAVAILABLE, reason);
}

static void fail_limit(Reader *reader, const char *reason) {
    fail(reader, ERROR_LIMIT, reason);
}

/* Names. */

static XmlName *some_name(Reader *reader, XmlName *name) {
    if (name == NULL)
        fail_limit(reader, "it has too many names");
    return name;
}

static XmlName *intern(Reader *reader, const char *text, size_t length) {
    return some_name(reader, xml_names_intern(&reader->names, text, length));
}

static bool has_item(const XmlRule *rule, const XmlName *name) {
    if (rule == NULL || rule->items == NULL)
        return false;
    for (guint i = 0; i < rule->items->len; i++) {
        if (xml_name_is(name, rule->items->pdata[i]))
            return true;
    }
    return false;
}

/* Frames and runs. */

/* Room for one more, twice as much as there was. */
static void *grow(void *items, const void *few, size_t size) {
    g_assert(size > 0);
    if (items != few)
        return g_realloc(items, size * 2);
    void *grown = g_malloc(size * 2);
    memcpy(grown, few, size);
    return grown;
}

static void push_frame(Frames *frames, const Frame *frame) {
    if (frames->len == frames->room) {
        frames->items = grow(frames->items, frames->few, frames->room * sizeof *frame);
        frames->room *= 2;
    }
    frames->items[frames->len++] = *frame;
}

static void add_run(Runs *runs, const Run *run) {
    if (runs->len == runs->room) {
        runs->items = grow(runs->items, runs->few, runs->room * sizeof *run);
        runs->room *= 2;
    }
    runs->items[runs->len++] = *run;
}

static Frame *innermost(Reader *reader) {
    return &reader->frames.items[reader->frames.len - 1];
}

static Run *run_at(const Reader *reader, guint index) {
    g_assert(index < reader->runs.len);
    return &reader->runs.items[index];
}

static Run *last_run(const Reader *reader, const Frame *frame) {
    guint count = reader->runs.len;
    return count > frame->first_run ? run_at(reader, count - 1) : NULL;
}

static bool is_blank(const MarkupSpan *text) {
    for (size_t i = 0; i < text->length; i++) {
        if (!g_ascii_isspace(text->text[i]))
            return false;
    }
    return true;
}

static void forget_text(Reader *reader) {
    reader->text.length = 0;
}

static inline void append(Reader *reader, const char *text, size_t length) {
    GString *out = reader->out;
    if (out->allocated_len - out->len <= length) {
        g_string_append_len(out, text, (gssize)length);
        return;
    }
    memcpy(out->str + out->len, text, length);
    out->len += length;
    out->str[out->len] = '\0';
}

static void append_text(const Reader *reader) {
    json_append_quoted(reader->out, reader->text.text, reader->text.length);
}

static bool has_type(const Reader *reader) {
    return reader->type != NULL && reader->type->len > 0;
}

/* Writes the brace of an element that turns out to be an object. */
static void open_object(Reader *reader, Frame *frame) {
    frame->object = true;
    g_string_append_c(reader->out, '{');
    if (!has_type(reader))
        return;
    g_string_append(reader->out, "\"@type\":");
    json_append_quoted(reader->out, reader->type->str, reader->type->len);
    g_string_truncate(reader->type, 0);
}

static void append_comma(Reader *reader) {
    if (reader->out->str[reader->out->len - 1] != '{')
        g_string_append_c(reader->out, ',');
}

static void append_name(Reader *reader, const XmlName *name) {
    g_string_append_c(reader->out, '"');
    append(reader, name->text, name->length);
    append(reader, "\":", 2);
}

static void push_run(Reader *reader, const Frame *frame, XmlName *name, bool list) {
    guint index = reader->runs.len;
    Run run = {.name = name, .before = name->seen, .list = list, .key = reader->out->len};
    if (name->seen > frame->first_run)
        run_at(reader, name->seen - 1)->next = index + 1;
    append_name(reader, name);
    if (list)
        g_string_append_c(reader->out, '[');
    run.from = run.to = reader->out->len;
    name->seen = index + 1;
    add_run(&reader->runs, &run);
}

static void end_run(Reader *reader, const Frame *frame) {
    const Run *last = last_run(reader, frame);
    if (last != NULL && last->list)
        g_string_append_c(reader->out, ']');
}

/* Makes the output ready for the value of a child of this name. */
static void begin_member(Reader *reader, Frame *frame, XmlName *name) {
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

static GString *take_moved(Reader *reader) {
    if (reader->moved == NULL)
        reader->moved = g_string_new(NULL);
    return g_string_truncate(reader->moved, 0);
}

/* Brings the values of each name together. Everything of the element has been written but the
 * closing brace. */
static void untangle(Reader *reader, const Frame *frame) {
    GString *out = reader->out, *moved = take_moved(reader);
    const Run *runs = reader->runs.items;
    g_string_append_len(moved, out->str + frame->start, (gssize)(out->len - frame->start));
    reader->moves += moved->len;
    if (reader->moves / MOVES_MAX > reader->plan->limits.max_bytes) {
        fail_limit(reader, "its elements are in too much disorder");
        return;
    }
    g_string_truncate(out, runs[frame->first_run].key);
    for (guint i = frame->first_run; i < reader->runs.len; i++) {
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
        XmlName *name = intern(reader, item, strlen(item));
        if (name == NULL || name->seen > frame->first_run)
            continue;
        append_comma(reader);
        push_run(reader, frame, name, true);
        g_string_append_c(reader->out, ']');
    }
}

static void pop_runs(Reader *reader, const Frame *frame) {
    while (reader->runs.len > frame->first_run) {
        const Run *run = run_at(reader, reader->runs.len - 1);
        run->name->seen = run->before;
        reader->runs.len--;
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
    for (guint i = frame->first_run; i < reader->runs.len; i++) {
        const Run *run = run_at(reader, i);
        if (!xml_name_is(run->name, key))
            continue;
        if (found != NULL || run->count != 1 || run->list)
            return NULL;
        found = run;
    }
    return found;
}

/* Makes `"K":V` of `{"key":"K","value":V`, and of the key a member of the map. */
static void close_entry(Reader *reader, const Frame *frame) {
    GString *out = reader->out, *moved = take_moved(reader);
    const Run *key = only_run(reader, frame, "key");
    const Run *value = only_run(reader, frame, "value");
    if (key == NULL || value == NULL || reader->runs.len != frame->first_run + 2 ||
        out->str[key->from] != '"') {
        fail_broken(reader, "an entry of a map has not one key and one value");
        return;
    }
    g_string_append_len(moved, out->str + key->from, (gssize)(key->to - key->from));
    XmlName *name =
        some_name(reader, xml_names_intern_copy(&reader->names, moved->str, moved->len));
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
    name->seen = reader->runs.len + 1;
    add_run(&reader->runs, &run);
}

/* Tags and text. After a failure nothing more is read. */

static void forget_type(Reader *reader) {
    if (reader->type != NULL)
        g_string_truncate(reader->type, 0);
}

static void take_type(Reader *reader) {
    forget_type(reader);
    if (!markup_attribute(&reader->markup, "xsi:type", NULL))
        return;
    if (reader->type == NULL)
        reader->type = g_string_new(NULL);
    (void)markup_attribute(&reader->markup, "xsi:type", reader->type);
}

static bool begin_child(Reader *reader, Frame *frame, XmlName *name) {
    if (!is_blank(&reader->text)) {
        fail_broken(reader, "text stands beside elements");
        return false;
    }
    if (!frame->object)
        open_object(reader, frame);
    if (frame->kind != FRAME_MAP) {
        begin_member(reader, frame, name);
        return true;
    }
    if (!xml_name_is(name, "entry")) {
        fail_broken(reader, "a map has something else than entries");
        return false;
    }
    append_comma(reader);
    return true;
}

static Frame root_frame(Reader *reader, const XmlName *name) {
    g_string_append_c(reader->out, '{');
    append_name(reader, name);
    return (Frame){.depth = 2};
}

static Frame child_frame(const Reader *reader, const Frame *parent) {
    if (parent->kind == FRAME_MAP)
        return (Frame){.depth = parent->depth, .kind = FRAME_ENTRY};
    return (Frame){.depth = parent->depth + 1 + last_run(reader, parent)->list};
}

static void on_start(Reader *reader, const MarkupSpan *text) {
    XmlName *name = intern(reader, text->text, text->length);
    if (name == NULL)
        return;
    if (reader->nodes-- == 0) {
        fail_limit(reader, "it has too many values");
        return;
    }
    Frame frame;
    if (reader->frames.len == 0) {
        frame = root_frame(reader, name);
    } else {
        Frame *parent = innermost(reader);
        if (!begin_child(reader, parent, name))
            return;
        frame = child_frame(reader, parent);
    }
    if (frame.depth > reader->plan->limits.max_depth) {
        fail_limit(reader, "it is nested too deeply");
        return;
    }
    frame.start = reader->out->len;
    frame.first_run = reader->runs.len;
    if (frame.kind != FRAME_ENTRY) {
        frame.rule = name->rule;
        frame.kind = name->rule != NULL && name->rule->map ? FRAME_MAP : FRAME_PLAIN;
    }
    push_frame(&reader->frames, &frame);
    take_type(reader);
    forget_text(reader);
}

/* Ends an element without children. False when it was an empty item of a list and is no value. */
static bool close_leaf(Reader *reader, Frame *frame, const Run *run) {
    bool root = reader->frames.len == 1;
    bool holds_lists = frame->rule != NULL && frame->rule->items != NULL;
    if (frame->kind == FRAME_ENTRY || (frame->kind == FRAME_MAP && !is_blank(&reader->text))) {
        fail_broken(reader, "a map has text or an empty entry");
        return false;
    }
    if (!is_blank(&reader->text)) {
        append_text(reader);
        return true;
    }
    if (root || holds_lists || frame->kind == FRAME_MAP || has_type(reader)) {
        open_object(reader, frame);
        close_object(reader, frame);
        return true;
    }
    if (run != NULL && run->list)
        return false;
    append_text(reader);
    return true;
}

static void note_first(Reader *reader, const Frame *root) {
    const Run *run = reader->runs.items;
    if (root->kind == FRAME_PLAIN && !root->tangled && reader->runs.len > 0 && !run->list)
        reader->first = (XmlMember){.key = run->key, .value = run->from, .end = run->to};
}

static bool close_branch(Reader *reader, Frame *frame) {
    if (!is_blank(&reader->text))
        fail_broken(reader, "text stands beside elements");
    else if (frame->kind == FRAME_ENTRY)
        close_entry(reader, frame);
    else
        close_object(reader, frame);
    if (reader->frames.len == 1)
        note_first(reader, frame);
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

static void on_end(Reader *reader) {
    Frame *frame = innermost(reader);
    bool root = reader->frames.len == 1;
    /* The frame's own runs lie above its parent's last one; an entry of a map is in none. */
    const Run *run =
        root || frame->kind == FRAME_ENTRY ? NULL : run_at(reader, frame->first_run - 1);
    bool is_value = frame->object ? close_branch(reader, frame) : close_leaf(reader, frame, run);
    if (reader->reason != NULL)
        return;
    if (frame->kind != FRAME_ENTRY) {
        pop_runs(reader, frame);
        if (!root)
            end_value(reader, frame - 1, is_value);
    }
    reader->frames.len--;
    forget_text(reader);
    forget_type(reader);
    if (reader->out->len - reader->before > reader->plan->limits.max_bytes)
        fail_limit(reader, "it is too large");
}

static void on_text(Reader *reader, const MarkupSpan *piece) {
    bool first = reader->text.length == 0;
    if (first && piece->text != reader->markup.character) {
        reader->text = *piece;
        return;
    }
    if (reader->pieces == NULL)
        reader->pieces = g_string_sized_new(TEXT_ROOM);
    if (first || reader->text.text != reader->pieces->str) {
        g_string_truncate(reader->pieces, 0);
        g_string_append_len(reader->pieces, reader->text.text, (gssize)reader->text.length);
    }
    g_string_append_len(reader->pieces, piece->text, (gssize)piece->length);
    reader->text = (MarkupSpan){reader->pieces->str, reader->pieces->len};
}

/* One document. */

/* What is few stays as it is until it is used. */
static void reader_init(Reader *reader, const XmlPlan *plan, GString *out) {
    memset(reader, 0, offsetof(Reader, markup));
    reader->plan = plan;
    reader->out = out;
    reader->before = out->len;
    reader->text.text = "";
    reader->nodes = plan->limits.max_nodes;
    xml_names_init(&reader->names, &plan->rules);
    reader->frames.items = reader->frames.few;
    reader->frames.len = 0;
    reader->frames.room = FEW_FRAMES;
    reader->runs.items = reader->runs.few;
    reader->runs.len = 0;
    reader->runs.room = FEW_RUNS;
}

/* Answers of STS carry credentials, so what held a text is wiped. */
static void wipe_free(GString *text) {
    if (text == NULL)
        return;
    secmem_wipe(text->str, text->allocated_len);
    g_string_free(text, TRUE);
}

static void reader_clear(Reader *reader) {
    wipe_free(reader->pieces);
    if (reader->type != NULL)
        g_string_free(reader->type, TRUE);
    wipe_free(reader->moved);
    xml_names_clear(&reader->names);
    if (reader->frames.items != reader->frames.few)
        g_free(reader->frames.items);
    if (reader->runs.items != reader->runs.few)
        g_free(reader->runs.items);
}

/* Entities are declared in a document type; no API answers with one, but attacks and error pages
 * do. Stopping here leaves the declaration unread. */
static void read_all(Reader *reader, const char *bytes, size_t size) {
    Markup *markup = &reader->markup;
    markup_init(markup, bytes, size);
    for (bool over = false; !over && reader->reason == NULL;) {
        MarkupKind kind = markup_next(markup);
        MarkupSpan what = {markup->text, markup->length};
        switch (kind) {
        case MARKUP_START:
            on_start(reader, &what);
            break;
        case MARKUP_END:
            on_end(reader);
            break;
        case MARKUP_TEXT:
            on_text(reader, &what);
            break;
        case MARKUP_OVER:
            over = true;
            break;
        case MARKUP_DOCTYPE:
            fail_broken(reader, "it declares a document type");
            break;
        case MARKUP_BROKEN:
            fail_broken(reader, "it is no well-formed XML");
            break;
        }
    }
    markup_clear(markup);
}

bool xml_to_json_telling(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                         XmlMember *first_out, GError **error) {
    *first_out = (XmlMember){0};
    if (size > plan->limits.max_bytes) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "The answer of %zu bytes cannot be read: it is too large.", size);
        return false;
    }
    Reader reader;
    reader_init(&reader, plan, json_out);
    read_all(&reader, bytes, size);
    bool good = reader.reason == NULL;
    *first_out = reader.first;
    if (good) {
        g_string_append_c(json_out, '}');
    } else {
        g_string_truncate(json_out, reader.before);
        g_set_error(error, ASSAY_ERROR, (int)reader.code,
                    "The answer cannot be read at byte %zu of %zu: %s.", reader.markup.event, size,
                    reader.reason);
    }
    reader_clear(&reader);
    return good;
}

bool xml_to_json(const XmlPlan *plan, const char *bytes, size_t size, GString *json_out,
                 GError **error) {
    XmlMember first;
    return xml_to_json_telling(plan, bytes, size, json_out, &first, error);
}
