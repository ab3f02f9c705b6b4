/* The registry: embedded definitions, a folder of more, ids and aliases. */
#include "provider/registry.h"
#include "provider_support.h"

#include <glib/gstdio.h>

typedef struct {
    char *folder;
} Folder;

static Folder folder_new(void) {
    Folder folder = {.folder = g_dir_make_tmp("assay-registry-XXXXXX", NULL)};
    g_assert_nonnull(folder.folder);
    return folder;
}

static void folder_put(const Folder *folder, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder->folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void folder_clear(Folder *folder) {
    g_autoptr(GDir) dir = g_dir_open(folder->folder, 0, NULL);
    const char *name;
    while ((name = g_dir_read_name(dir)) != NULL) {
        g_autofree char *path = g_build_filename(folder->folder, name, NULL);
        g_assert_cmpint(g_remove(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(folder->folder), ==, 0);
    g_free(folder->folder);
}

static Registry *registry_of(const char *folder) {
    GError *error = NULL;
    Registry *registry = registry_new(folder, &error);
    g_assert_no_error(error);
    return registry;
}

static void embedded_definitions_are_found_by_id_in_any_case(void) {
    g_autoptr(Registry) registry = registry_of(NULL);
    g_autoptr(GError) error = NULL;
    const Definition *github = registry_find(registry, "GitHub", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(github->id, ==, "github");
    g_assert_true(registry_find(registry, "github", NULL) == github);
    g_assert_cmpstr(registry_resolve(registry, "GITHUB"), ==, "github");
    g_assert_true(g_strv_contains(registry_ids(registry), "github"));
}

static void every_embedded_definition_is_right(void) {
    g_autoptr(Registry) registry = registry_of(NULL);
    for (const char *const *id = registry_ids(registry); *id != NULL; id++) {
        g_autoptr(GError) error = NULL;
        g_assert_nonnull(registry_find(registry, *id, &error));
        g_assert_no_error(error);
    }
}

static void an_unknown_provider_gets_a_suggestion(void) {
    g_autoptr(Registry) registry = registry_of(NULL);
    g_autoptr(GError) error = NULL;
    g_assert_null(registry_find(registry, "gitub", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_NOT_FOUND);
    g_assert_cmpstr(error->message, ==, "there is no provider 'gitub'; did you mean 'github'?");
    g_assert_null(registry_resolve(registry, "../github"));
    g_assert_null(registry_resolve(registry, ""));
}

static void a_folder_adds_definitions_and_replaces_embedded_ones(void) {
    Folder folder = folder_new();
    g_autofree char *demo = support_text(&(SupportParts){.head = NULL});
    folder_put(&folder, "demo.yaml", demo);
    g_autofree char *fake = support_text(&(SupportParts){
        .head = "assay: 1\nid: github\nname: Ours\ncategory: devops\nsummary: Ours\n"
                "checked: 2026-11-20\nhosts: [api.demo.test]\naliases: [gh]\n"});
    folder_put(&folder, "github.yaml", fake);
    folder_put(&folder, ".hidden.yaml", "x");
    folder_put(&folder, "notes.txt", "x");
    g_autoptr(Registry) registry = registry_of(folder.folder);
    g_assert_cmpstr(registry_find(registry, "demo", NULL)->name, ==, "Demo");
    g_assert_cmpstr(registry_find(registry, "github", NULL)->name, ==, "Ours");
    g_assert_cmpstr(registry_resolve(registry, "gh"), ==, "github");
    g_assert_false(g_strv_contains(registry_ids(registry), "notes"));
    g_assert_false(g_strv_contains(registry_ids(registry), ".hidden"));
    const char *text = NULL;
    size_t size = 0;
    g_assert_true(registry_text(registry, "demo", &text, &size, NULL));
    g_assert_cmpuint(size, ==, strlen(demo));
    folder_clear(&folder);
}

static void aliases_of_the_contract_hold(void) {
    Folder folder = folder_new();
    g_autofree char *entra = support_text(&(SupportParts){
        .head = "assay: 1\nid: entra_id\nname: Entra ID\ncategory: identity\nsummary: S\n"
                "checked: 2026-11-20\nhosts: [graph.demo.test]\n"});
    folder_put(&folder, "entra_id.yaml", entra);
    g_autoptr(Registry) registry = registry_of(folder.folder);
    static const char *const aliases[] = {"azure_ad", "azuread", "microsoft_entra", "Azure_AD"};
    for (size_t i = 0; i < G_N_ELEMENTS(aliases); i++)
        g_assert_cmpstr(registry_resolve(registry, aliases[i]), ==, "entra_id");
    g_assert_null(registry_resolve(registry, "gsuite"));
    folder_clear(&folder);
}

static void a_wrong_file_is_named_when_it_is_used_and_not_before(void) {
    Folder folder = folder_new();
    folder_put(&folder, "broken.yaml", "assay: 1\nid: [\n");
    g_autofree char *other = support_text(&(SupportParts){.head = NULL});
    folder_put(&folder, "renamed.yaml", other);
    g_autoptr(Registry) registry = registry_of(folder.folder);
    g_autoptr(GError) error = NULL;
    g_assert_null(registry_find(registry, "broken", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "broken.yaml:3:"));
    g_clear_error(&error);
    g_assert_null(registry_find(registry, "renamed", &error));
    g_assert_nonnull(strstr(error->message, "says that its id is 'demo'"));
    g_assert_nonnull(registry_find(registry, "github", NULL));
    folder_clear(&folder);
}

static void a_missing_folder_is_no_error(void) {
    g_autoptr(Registry) registry = registry_of("/nonexistent/providers");
    g_assert_nonnull(registry_find(registry, "github", NULL));
}

/* --- what is kept beside ---------------------------------------------------------------------- */

typedef struct {
    Registry *registry;
    int freed;
} Derived;

/* The definitions are there still. */
static void note_freed(void *derived) {
    Derived *mine = derived;
    g_assert_nonnull(registry_find(mine->registry, "github", NULL));
    mine->freed++;
}

static void what_was_worked_out_lives_as_long_as_the_registry(void) {
    Registry *registry = registry_of(NULL);
    Registry *other = registry_of(NULL);
    Derived derived = {.registry = registry};
    g_assert_null(registry_kept(registry));
    registry_keep(registry, &derived, note_freed);
    g_assert_true(registry_kept(registry) == &derived);
    g_assert_null(registry_kept(other));
    registry_free(other);
    g_assert_cmpint(derived.freed, ==, 0);
    registry_free(registry);
    g_assert_cmpint(derived.freed, ==, 1);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define TEST(name) g_test_add_func("/provider/registry/" #name, name)
    TEST(embedded_definitions_are_found_by_id_in_any_case);
    TEST(every_embedded_definition_is_right);
    TEST(an_unknown_provider_gets_a_suggestion);
    TEST(a_folder_adds_definitions_and_replaces_embedded_ones);
    TEST(aliases_of_the_contract_hold);
    TEST(a_wrong_file_is_named_when_it_is_used_and_not_before);
    TEST(a_missing_folder_is_no_error);
    TEST(what_was_worked_out_lives_as_long_as_the_registry);
    return g_test_run();
}
