#include "provider/registry.h"

#include "base/embedded.h"
#include "base/text.h"
#include "provider/definition_load.h"
#include "provider/yaml.h"

#define SUFFIX ".yaml"
#define MAX_FILES 1000

/* Aliases of the contract that hold before any definition is parsed. */
static const struct {
    const char *alias;
    const char *id;
} contract_aliases[] = {
    {"azure_ad", "entra_id"},       {"azuread", "entra_id"},      {"google_data", "google"},
    {"gsuite", "google_workspace"}, {"highlevel", "gohighlevel"}, {"microsoft_entra", "entra_id"},
};

typedef struct {
    char *id;
    char *path; /* NULL: embedded */
    char *own_text;
    const char *text;
    size_t size;
    Definition *definition;
} Entry;

struct Registry {
    GHashTable *entries; /* id -> Entry */
    GPtrArray *ids;      /* sorted, ends in NULL; borrowed from entries */
    void *derived;
    void (*free_derived)(void *derived);
};

static void entry_free(void *pointer) {
    Entry *entry = pointer;
    g_free(entry->id);
    g_free(entry->path);
    g_free(entry->own_text);
    definition_free(entry->definition);
    g_free(entry);
}

static void add_entry(Registry *registry, char *id, char *path, const EmbeddedFile *file) {
    Entry *entry = g_new0(Entry, 1);
    entry->id = id;
    entry->path = path;
    if (file != NULL) {
        entry->text = file->text;
        entry->size = file->size;
    }
    g_hash_table_replace(registry->entries, entry->id, entry);
}

static bool add_folder(Registry *registry, const char *folder, GError **error) {
    if (folder == NULL || !g_file_test(folder, G_FILE_TEST_IS_DIR))
        return true;
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    if (dir == NULL) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the folder of provider definitions %s cannot be read", folder);
        return false;
    }
    const char *name;
    for (size_t count = 0; (name = g_dir_read_name(dir)) != NULL && count < MAX_FILES; count++) {
        if (name[0] == '.' || !g_str_has_suffix(name, SUFFIX))
            continue;
        char *id = g_strndup(name, strlen(name) - strlen(SUFFIX));
        add_entry(registry, id, g_build_filename(folder, name, NULL), NULL);
    }
    return true;
}

static int compare_ids(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void list_ids(Registry *registry) {
    GHashTableIter iterator;
    void *id;
    g_hash_table_iter_init(&iterator, registry->entries);
    while (g_hash_table_iter_next(&iterator, &id, NULL))
        g_ptr_array_add(registry->ids, id);
    g_ptr_array_sort(registry->ids, compare_ids);
    g_ptr_array_add(registry->ids, NULL);
}

Registry *registry_new(const char *folder, GError **error) {
    g_autoptr(Registry) registry = g_new0(Registry, 1);
    registry->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, entry_free);
    registry->ids = g_ptr_array_new();
    for (const EmbeddedFile *file = builtin_table; file->name != NULL; file++)
        add_entry(registry, g_strdup(file->name), NULL, file);
    if (!add_folder(registry, folder, error))
        return NULL;
    list_ids(registry);
    return g_steal_pointer(&registry);
}

void registry_free(Registry *registry) {
    if (registry == NULL)
        return;
    if (registry->derived != NULL)
        registry->free_derived(registry->derived);
    g_ptr_array_unref(registry->ids);
    g_hash_table_unref(registry->entries);
    g_free(registry);
}

const char *const *registry_ids(Registry *registry) {
    return (const char *const *)registry->ids->pdata;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool read_file(Entry *entry, GError **error) {
    g_autoptr(GError) cause = NULL;
    char *text = NULL;
    gsize size = 0;
    if (entry->text != NULL)
        return true;
    if (!g_file_get_contents(entry->path, &text, &size, &cause)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the provider definition %s cannot be read: %s", entry->path, cause->message);
        return false;
    }
    entry->own_text = text;
    entry->text = text;
    entry->size = size;
    return true;
}

static const Definition *load_entry(Entry *entry, GError **error) {
    if (entry->definition != NULL)
        return entry->definition;
    if (!read_file(entry, error))
        return NULL;
    g_autofree char *embedded = g_strdup_printf("providers/%s" SUFFIX, entry->id);
    const char *name = entry->path != NULL ? entry->path : embedded;
    g_autoptr(Definition) loaded = definition_load(name, entry->text, entry->size, NULL, error);
    if (loaded == NULL)
        return NULL;
    if (strcmp(loaded->id, entry->id) != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s says that its id is '%s'; file name and id must be the same", name,
                    loaded->id);
        return NULL;
    }
    entry->definition = g_steal_pointer(&loaded);
    return entry->definition;
}

/* Aliases that only a definition itself knows: files of the operator, so there are few. */
static Entry *find_by_alias(Registry *registry, const char *name) {
    for (size_t i = 0; registry->ids->pdata[i] != NULL; i++) {
        Entry *entry = g_hash_table_lookup(registry->entries, registry->ids->pdata[i]);
        const Definition *definition = load_entry(entry, NULL);
        if (definition != NULL && g_strv_contains(definition->aliases, name))
            return entry;
    }
    return NULL;
}

static Entry *find_entry(Registry *registry, const char *id_or_alias) {
    g_autofree char *name = g_ascii_strdown(id_or_alias, -1);
    Entry *entry = g_hash_table_lookup(registry->entries, name);
    if (entry != NULL)
        return entry;
    for (size_t i = 0; i < G_N_ELEMENTS(contract_aliases); i++) {
        if (strcmp(contract_aliases[i].alias, name) == 0)
            return g_hash_table_lookup(registry->entries, contract_aliases[i].id);
    }
    return find_by_alias(registry, name);
}

static Entry *need_entry(Registry *registry, const char *id_or_alias, GError **error) {
    Entry *entry = find_entry(registry, id_or_alias);
    if (entry != NULL)
        return entry;
    const char *nearest = diagnostics_nearest(id_or_alias, registry_ids(registry));
    g_autofree char *shown = text_name(id_or_alias);
    if (nearest != NULL)
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no provider '%s'; did you mean '%s'?", shown, nearest);
    else
        g_set_error(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                    "there is no provider '%s'; `assay provider list` shows those there are",
                    shown);
    return NULL;
}

const char *registry_resolve(Registry *registry, const char *id_or_alias) {
    const Entry *entry = find_entry(registry, id_or_alias);
    return entry == NULL ? NULL : entry->id;
}

const Definition *registry_find(Registry *registry, const char *id_or_alias, GError **error) {
    Entry *entry = need_entry(registry, id_or_alias, error);
    return entry == NULL ? NULL : load_entry(entry, error);
}

bool registry_text(Registry *registry, const char *id_or_alias, const char **text_out,
                   size_t *size_out, GError **error) {
    Entry *entry = need_entry(registry, id_or_alias, error);
    if (entry == NULL || !read_file(entry, error))
        return false;
    *text_out = entry->text;
    *size_out = entry->size;
    return true;
}

/* --- what is kept beside ---------------------------------------------------------------------- */

void registry_keep(Registry *registry, void *derived, void (*free_derived)(void *derived)) {
    g_assert(registry->derived == NULL);
    registry->derived = derived;
    registry->free_derived = free_derived;
}

void *registry_kept(const Registry *registry) {
    return registry->derived;
}
