/* The definitions that jobs have pinned: the registry's, or the last few of another text. */
#include "unit/connect_support.h"
#include "unit/provider_support.h"

#include "base/digest.h"
#include "base/error.h"
#include "sync/pinned.h"

#include <glib/gstdio.h>
#include <string.h>

/* --- texts ------------------------------------------------------------------------------------ */

static Registry *registry_of(const char *demo) {
    g_autofree char *folder = NULL;
    Registry *registry = NULL;
    must((folder = g_dir_make_tmp("assay-pinned-XXXXXX", &error)) != NULL);
    g_autofree char *file = g_build_filename(folder, "demo.yaml", NULL);
    must(g_file_set_contents(file, demo, -1, &error));
    must((registry = registry_new(folder, &error)) != NULL);
    must(registry_find(registry, "demo", &error) != NULL);
    g_unlink(file);
    g_rmdir(folder);
    return registry;
}

/* As a database has it; owned by the caller. */
static DefinitionText *text_of(const char *provider, const char *body) {
    char sha256[DIGEST_HEX_SIZE];
    digest_sha256_hex(body, strlen(body), sha256);
    DefinitionText *text = g_new0(DefinitionText, 1);
    text->provider = provider;
    text->body = g_strdup(body);
    text->sha256 = g_strdup(sha256);
    return text;
}

static void clear_text(DefinitionText *text) {
    g_free((char *)(uintptr_t)text->body);
    g_free((char *)(uintptr_t)text->sha256);
    g_free(text);
}

static char *version(int number) {
    g_autofree char *text = support_text(&(SupportParts){0});
    return g_strdup_printf("%s# version %d\n", text, number);
}

static const Definition *find(Pinned *pinned, const char *body) {
    const Definition *definition = NULL;
    DefinitionText *text = text_of("demo", body);
    must((definition = pinned_find(pinned, text, &error)) != NULL);
    g_assert_cmpstr(definition->sha256, ==, text->sha256);
    clear_text(text);
    return definition;
}

static const Definition *find_version(Pinned *pinned, int number) {
    g_autofree char *body = version(number);
    return find(pinned, body);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void the_registrys_own_text_is_the_registrys_definition(void) {
    g_autofree char *body = version(0);
    g_autoptr(Registry) registry = registry_of(body);
    g_autoptr(Pinned) pinned = pinned_new(registry);
    const Definition *own = NULL;
    must((own = registry_find(registry, "demo", &error)) != NULL);
    g_assert_true(find(pinned, body) == own);
    g_assert_true(find(pinned, body) == own);
    g_assert_cmpuint(pinned_count(pinned), ==, 0);
}

static void another_text_is_loaded_once(void) {
    g_autofree char *body = version(0);
    g_autoptr(Registry) registry = registry_of(body);
    g_autoptr(Pinned) pinned = pinned_new(registry);
    const Definition *one = find_version(pinned, 1);
    g_assert_true(one != registry_find(registry, "demo", NULL));
    g_assert_true(find_version(pinned, 1) == one);
    g_assert_true(find(pinned, body) != one);
    g_assert_true(find_version(pinned, 1) == one);
    g_assert_true(find_version(pinned, 2) != one);
    g_assert_cmpuint(pinned_count(pinned), ==, 2);
}

/* The one that was asked for the longest ago goes. */
static void the_last_few_are_kept(void) {
    g_autofree char *body = version(0);
    g_autoptr(Registry) registry = registry_of(body);
    g_autoptr(Pinned) pinned = pinned_new(registry);
    const Definition *kept[PINNED_KEPT + 1];
    for (int i = 1; i <= PINNED_KEPT; i++)
        kept[i] = find_version(pinned, i);
    g_assert_true(find_version(pinned, 1) == kept[1]);
    (void)find_version(pinned, PINNED_KEPT + 1);
    g_assert_cmpuint(pinned_count(pinned), ==, PINNED_KEPT);
    g_assert_true(find_version(pinned, 1) == kept[1]);
    for (int i = 3; i <= PINNED_KEPT; i++)
        g_assert_true(find_version(pinned, i) == kept[i]);
    (void)find_version(pinned, 2); /* loaded once more */
    g_assert_cmpuint(pinned_count(pinned), ==, PINNED_KEPT);
    for (int i = 100; i < 120; i++)
        (void)find_version(pinned, i);
    g_assert_cmpuint(pinned_count(pinned), ==, PINNED_KEPT);
}

static void a_service_that_is_not_known_any_more_is_what_was_pinned(void) {
    g_autofree char *body = version(0);
    g_autoptr(Registry) registry = NULL;
    must((registry = registry_new(NULL, &error)) != NULL);
    g_autoptr(Pinned) pinned = pinned_new(registry);
    const Definition *one = find(pinned, body);
    g_assert_cmpstr(one->id, ==, "demo");
    g_assert_true(find(pinned, body) == one);
}

static void what_is_no_definition_is_not_kept(void) {
    g_autofree char *body = version(0);
    g_autoptr(Registry) registry = registry_of(body);
    g_autoptr(Pinned) pinned = pinned_new(registry);
    const Definition *one = find_version(pinned, 1);
    DefinitionText *wrong = text_of("demo", "assay: 1\nid: demo\nname: [\n");
    for (int i = 0; i < 2; i++)
        must_fail(ERROR_CONFIGURATION, "demo", pinned_find(pinned, wrong, &error) != NULL);
    clear_text(wrong);
    g_assert_cmpuint(pinned_count(pinned), ==, 1);
    g_assert_true(find_version(pinned, 1) == one);
}

static void none_is_freed(void) {
    pinned_free(NULL);
}

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
#define ADD(name) g_test_add_func("/sync/pinned/" #name, name)
    ADD(the_registrys_own_text_is_the_registrys_definition);
    ADD(another_text_is_loaded_once);
    ADD(the_last_few_are_kept);
    ADD(a_service_that_is_not_known_any_more_is_what_was_pinned);
    ADD(what_is_no_definition_is_not_kept);
    ADD(none_is_freed);
    return g_test_run();
}
