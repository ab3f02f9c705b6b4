#include "comply/framework.h"

#include "base/embedded.h"
#include "base/text.h"
#include "comply/control_id.h"
#include "provider/arena.h"
#include "provider/schema.h"

#include <pthread.h>
#include <string.h>

/* What is behind a Framework: its memory, and its controls by the key of every id. */
struct FrameworkIndex {
    Arena *arena;
    GHashTable *by_key; /* char * -> const FrameworkControl * */
    GHashTable *shared; /* char * -> GPtrArray of const FrameworkControl * */
    bool lettered;      /* the ids of the file have the letter */
};

typedef struct FrameworkIndex FrameworkIndex;

/* --- grammar ---------------------------------------------------------------------------------- */

static bool is_version(const YamlNode *node) {
    return node->plain && strcmp(node->text, "1") == 0;
}

static bool is_letter(const YamlNode *node) {
    return node->length == 1 && g_ascii_isupper(node->text[0]);
}

static bool is_control_id(const YamlNode *node) {
    g_autofree char *key = control_id_key(node->text, NULL, NULL);
    return key != NULL;
}

static bool is_weight(const YamlNode *node) {
    char *end = NULL;
    double weight = g_ascii_strtod(node->text, &end);
    return node->length > 0 && g_ascii_isdigit(node->text[0]) && *end == '\0' && weight <= 1000.0;
}

static const SchemaType version = {SCHEMA_TEXT, .expected = "1, the version of the format",
                                   .accepts = is_version};
static const SchemaType letter = {SCHEMA_TEXT, .expected = "one capital letter",
                                  .accepts = is_letter};
static const SchemaType control_id = {SCHEMA_TEXT, .expected = "the id of a control",
                                      .accepts = is_control_id};
static const SchemaType control_ids = {SCHEMA_LIST, .expected = "a list of ids of the control",
                                       .items = &control_id};
static const SchemaType weight = {SCHEMA_TEXT, .expected = "a weight from 0 to 1000",
                                  .accepts = is_weight};

static const SchemaKey control_keys[] = {{"id", &control_id, SCHEMA_REQUIRED},
                                         {"title", &schema_text, SCHEMA_REQUIRED},
                                         {"level", &schema_text, SCHEMA_OPTIONAL},
                                         {"weight", &weight, SCHEMA_OPTIONAL},
                                         {"aliases", &control_ids, SCHEMA_OPTIONAL},
                                         {"shared", &control_ids, SCHEMA_OPTIONAL},
                                         {NULL, NULL, SCHEMA_OPTIONAL}};
static const SchemaType control = {SCHEMA_MAP, .expected = "a control", .keys = control_keys};
static const SchemaType controls = {SCHEMA_LIST, .expected = "a list of controls",
                                    .items = &control};

static const SchemaKey framework_keys[] = {
    {"assay", &version, SCHEMA_REQUIRED},        {"id", &schema_name, SCHEMA_REQUIRED},
    {"name", &schema_text, SCHEMA_REQUIRED},     {"edition", &schema_text, SCHEMA_REQUIRED},
    {"aliases", &schema_names, SCHEMA_OPTIONAL}, {"letter", &letter, SCHEMA_OPTIONAL},
    {"points", &weight, SCHEMA_OPTIONAL},        {"beyond", &schema_name, SCHEMA_OPTIONAL},
    {"controls", &controls, SCHEMA_REQUIRED},    {NULL, NULL, SCHEMA_OPTIONAL}};
static const SchemaType grammar = {SCHEMA_MAP, .expected = "a framework", .keys = framework_keys};

/* --- loading ---------------------------------------------------------------------------------- */

static const char *const *load_texts(Arena *arena, const YamlNode *list, size_t *count_out) {
    size_t count = list == NULL ? 0 : list->count;
    const char **texts = arena_alloc(arena, count + 1, sizeof *texts);
    for (size_t i = 0; i < count; i++)
        texts[i] = arena_text(arena, list->items[i]->text);
    *count_out = count;
    return texts;
}

/* Makes the control known under one of its ids. */
static void index_id(Framework *framework, const FrameworkControl *row, const YamlNode *node,
                     Diagnostics *diagnostics) {
    FrameworkIndex *lookup = framework->lookup;
    char *key = control_id_key(node->text, framework->letter, NULL);
    const FrameworkControl *other = g_hash_table_lookup(lookup->by_key, key);
    if (other != NULL)
        diagnostics_error(diagnostics, node->line, node->column,
                          "'%s' is the id of control %s already", node->text, other->id);
    g_hash_table_insert(lookup->by_key, key, (void *)(uintptr_t)row);
}

/* Makes the control one of those that a shared id stands for. */
static void index_shared(Framework *framework, const FrameworkControl *row, const YamlNode *node,
                         Diagnostics *diagnostics) {
    FrameworkIndex *lookup = framework->lookup;
    g_autofree char *key = control_id_key(node->text, framework->letter, NULL);
    GPtrArray *rows = g_hash_table_lookup(lookup->shared, key);
    if (rows == NULL) {
        rows = g_ptr_array_new();
        g_hash_table_insert(lookup->shared, g_strdup(key), rows);
        index_id(framework, row, node, diagnostics);
    }
    g_ptr_array_add(rows, (void *)(uintptr_t)row);
}

static void load_control(Framework *framework, const YamlNode *node, FrameworkControl *row,
                         Diagnostics *diagnostics) {
    Arena *arena = framework->lookup->arena;
    const YamlNode *aliases = yaml_member(node, "aliases");
    const YamlNode *shared = yaml_member(node, "shared");
    const char *weight_text = yaml_member_text(node, "weight");
    row->id = arena_text(arena, yaml_member_text(node, "id"));
    row->title = arena_text(arena, yaml_member_text(node, "title"));
    row->level = arena_text(arena, yaml_member_text(node, "level"));
    row->weight = weight_text == NULL ? 1.0 : g_ascii_strtod(weight_text, NULL);
    row->aliases = load_texts(arena, aliases, &row->alias_count);
    row->shared = load_texts(arena, shared, &row->shared_count);
    index_id(framework, row, yaml_member(node, "id"), diagnostics);
    for (size_t i = 0; i < row->alias_count; i++)
        index_id(framework, row, aliases->items[i], diagnostics);
    for (size_t i = 0; i < row->shared_count; i++)
        index_shared(framework, row, shared->items[i], diagnostics);
}

static void load_controls(Framework *framework, const YamlNode *list, Diagnostics *diagnostics) {
    if (list->count > FRAMEWORK_MAX_CONTROLS) {
        diagnostics_error(diagnostics, list->line, list->column,
                          "%zu controls; a framework has at most %d", list->count,
                          FRAMEWORK_MAX_CONTROLS);
        return;
    }
    Arena *arena = framework->lookup->arena;
    FrameworkControl *rows = arena_alloc(arena, list->count, sizeof *rows);
    for (size_t i = 0; i < list->count; i++) {
        rows[i].index = i;
        load_control(framework, list->items[i], &rows[i], diagnostics);
    }
    framework->controls = rows;
    framework->control_count = list->count;
    if (list->count > 0 && framework->letter != NULL) {
        g_autofree char *key =
            control_id_key(rows[0].id, framework->letter, &framework->lookup->lettered);
    }
}

static Framework *new_framework(void) {
    Arena *arena = arena_new();
    Framework *framework = g_new0(Framework, 1);
    framework->lookup = g_new0(FrameworkIndex, 1);
    framework->lookup->arena = arena;
    framework->lookup->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    framework->lookup->shared =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    return framework;
}

static void load_whole(Framework *framework, const YamlNode *root, Diagnostics *diagnostics) {
    Arena *arena = framework->lookup->arena;
    framework->id = arena_text(arena, yaml_member_text(root, "id"));
    framework->name = arena_text(arena, yaml_member_text(root, "name"));
    framework->edition = arena_text(arena, yaml_member_text(root, "edition"));
    const char *points = yaml_member_text(root, "points");
    framework->points = points == NULL ? 0 : g_ascii_strtod(points, NULL);
    framework->letter = arena_text(arena, yaml_member_text(root, "letter"));
    framework->beyond = arena_text(arena, yaml_member_text(root, "beyond"));
    framework->aliases = load_texts(arena, yaml_member(root, "aliases"), &framework->alias_count);
    load_controls(framework, yaml_member(root, "controls"), diagnostics);
}

Framework *framework_load(const char *name, const char *text, size_t size, Diagnostics *diagnostics,
                          GError **error) {
    g_autoptr(Diagnostics) own = diagnostics == NULL ? diagnostics_new(name) : NULL;
    Diagnostics *messages = diagnostics == NULL ? own : diagnostics;
    g_autoptr(YamlTree) tree = yaml_tree_parse(text, size, messages);
    if (tree != NULL)
        schema_check(&grammar, yaml_tree_root(tree), messages);
    g_autoptr(Framework) framework = new_framework();
    if (tree != NULL && diagnostics_errors(messages) == 0)
        load_whole(framework, yaml_tree_root(tree), messages);
    if (!diagnostics_result(messages, error))
        return NULL;
    g_assert(framework->name != NULL); /* the grammar wants one */
    return g_steal_pointer(&framework);
}

void framework_free(Framework *framework) {
    if (framework == NULL)
        return;
    g_hash_table_unref(framework->lookup->by_key);
    g_hash_table_unref(framework->lookup->shared);
    arena_free(framework->lookup->arena);
    g_free(framework->lookup);
    g_free(framework);
}

/* --- the embedded ones ------------------------------------------------------------------------ */

#define EMBEDDED_MAX 64

static pthread_mutex_t embedded_mutex = PTHREAD_MUTEX_INITIALIZER;
static const char *embedded_ids[EMBEDDED_MAX + 1];
static Framework *embedded[EMBEDDED_MAX]; /* NULL until asked for */

static void list_embedded(void) {
    for (size_t i = 0; i < EMBEDDED_MAX && framework_table[i].name != NULL; i++)
        embedded_ids[i] = framework_table[i].name;
}

const char *const *framework_ids(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, list_embedded);
    return embedded_ids;
}

/* "ISO 27001:2013" and iso27001_2013 are the same. Caller frees. */
static char *loose_name(const char *name) {
    GString *loose = g_string_new(NULL);
    for (const char *at = name; *at != '\0'; at++) {
        if (g_ascii_isalnum(*at))
            g_string_append_c(loose, g_ascii_tolower(*at));
    }
    return g_string_free(loose, FALSE);
}

static bool is_called(const char *name, const char *loose) {
    g_autofree char *mine = loose_name(name);
    return strcmp(mine, loose) == 0;
}

static const Framework *load_embedded(size_t index, GError **error) {
    pthread_mutex_lock(&embedded_mutex);
    const EmbeddedFile *file = &framework_table[index];
    if (embedded[index] == NULL)
        embedded[index] = framework_load(file->name, file->text, file->size, NULL, error);
    const Framework *framework = embedded[index];
    pthread_mutex_unlock(&embedded_mutex);
    return framework;
}

static bool has_name(const Framework *framework, const char *loose) {
    bool found = is_called(framework->name, loose);
    for (size_t i = 0; i < framework->alias_count; i++)
        found = found || is_called(framework->aliases[i], loose);
    return found;
}

static const Framework *find_by_name(const char *loose, GError **error) {
    for (size_t i = 0; framework_ids()[i] != NULL; i++) {
        const Framework *framework = load_embedded(i, error);
        if (framework == NULL || has_name(framework, loose))
            return framework;
    }
    return NULL;
}

const Framework *framework_find(const char *id, GError **error) {
    const char *const *ids = framework_ids();
    g_autofree char *loose = loose_name(id);
    for (size_t i = 0; ids[i] != NULL; i++) {
        if (is_called(ids[i], loose))
            return load_embedded(i, error);
    }
    GError *broken = NULL;
    const Framework *framework = find_by_name(loose, &broken);
    if (broken != NULL) {
        g_propagate_error(error, broken);
        return NULL;
    }
    if (framework == NULL) {
        const char *nearest = diagnostics_nearest(id, ids);
        g_autofree char *known = g_strjoinv(", ", (char **)(uintptr_t)ids);
        g_autofree char *shown = text_name(id);
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND, "There is no framework '%s'; %s %s.",
                    shown, nearest ? "did you mean" : "known are", nearest ? nearest : known);
    }
    return framework;
}

/* --- controls --------------------------------------------------------------------------------- */

const FrameworkControl *framework_control(const Framework *framework, const char *id) {
    g_autofree char *key = control_id_key(id, framework->letter, NULL);
    return key == NULL ? NULL : g_hash_table_lookup(framework->lookup->by_key, key);
}

static bool add_ref(GArray *refs, const Framework *framework, const FrameworkControl *row) {
    ControlRef ref = {framework, row};
    g_array_append_val(refs, ref);
    return true;
}

/* All controls under this key, one unless the id is shared. */
static bool add_by_key(GArray *refs, const Framework *framework, const char *key) {
    const GPtrArray *shared =
        key == NULL ? NULL : g_hash_table_lookup(framework->lookup->shared, key);
    for (guint i = 0; shared != NULL && i < shared->len; i++)
        add_ref(refs, framework, g_ptr_array_index(shared, i));
    const FrameworkControl *row =
        key == NULL ? NULL : g_hash_table_lookup(framework->lookup->by_key, key);
    return shared != NULL || (row != NULL && add_ref(refs, framework, row));
}

/* With the framework named. */
static bool add_named(GArray *refs, const Framework *framework, const char *id) {
    g_autofree char *key = control_id_key(id, framework->letter, NULL);
    return add_by_key(refs, framework, key);
}

/* For an id that names no framework: one with a letter that this framework does not write is meant
 * for another. */
static void add_bare(GArray *refs, const Framework *framework, const char *id) {
    bool lettered = false;
    g_autofree char *key = control_id_key(id, framework->letter, &lettered);
    if (!lettered || framework->lookup->lettered)
        add_by_key(refs, framework, key);
}

static bool find_in_named(GArray *refs, const char *text, const char *colon, GError **error) {
    g_autofree char *name = g_strndup(text, (size_t)(colon - text));
    const Framework *framework = framework_find(name, error);
    if (framework == NULL)
        return false;
    if (add_named(refs, framework, colon + 1))
        return true;
    const Framework *rest = framework->beyond ? framework_find(framework->beyond, error) : NULL;
    if (framework->beyond && rest == NULL)
        return false;
    if (rest != NULL && add_named(refs, rest, colon + 1))
        return true;
    g_autofree char *shown = text_name(colon + 1);
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND, "%s has no control '%s'.", framework->name,
                shown);
    return false;
}

static bool find_in_all(GArray *refs, const char *text, GError **error) {
    for (size_t i = 0; framework_ids()[i] != NULL; i++) {
        const Framework *framework = load_embedded(i, error);
        if (framework == NULL)
            return false;
        add_bare(refs, framework, text);
    }
    if (refs->len > 0)
        return true;
    g_autofree char *shown = text_name(text);
    g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                "No framework has a control '%s'; write FRAMEWORK:ID, such as "
                "iso27001_2022:A.8.5.",
                shown);
    return false;
}

GArray *framework_control_find(const char *text, GError **error) {
    g_autoptr(GArray) refs = g_array_new(FALSE, FALSE, sizeof(ControlRef));
    const char *colon = strrchr(text, ':');
    bool found =
        colon != NULL ? find_in_named(refs, text, colon, error) : find_in_all(refs, text, error);
    return found ? g_steal_pointer(&refs) : NULL;
}

bool framework_control_known(void *data G_GNUC_UNUSED, const char *framework,
                             const char *control_text) {
    const Framework *found = framework_find(framework, NULL);
    return found != NULL && framework_control(found, control_text) != NULL;
}
