#include "sync/pinned.h"

#include "provider/definition_load.h"

#include <string.h>

struct Pinned {
    Registry *registry;
    GPtrArray *kept; /* Definition, the one that was asked for last at the end */
};

static void free_definition(void *definition) {
    definition_free(definition);
}

Pinned *pinned_new(Registry *registry) {
    Pinned *pinned = g_new0(Pinned, 1);
    pinned->registry = registry;
    pinned->kept = g_ptr_array_new_with_free_func(free_definition);
    return pinned;
}

void pinned_free(Pinned *pinned) {
    if (!pinned)
        return;
    g_ptr_array_unref(pinned->kept);
    g_free(pinned);
}

size_t pinned_count(const Pinned *pinned) {
    return pinned->kept->len;
}

static bool is_registrys(const Pinned *pinned, const DefinitionText *text) {
    const char *current = NULL;
    size_t size = 0;
    g_autoptr(GError) ignored = NULL; /* the pinned text is what counts */
    return registry_text(pinned->registry, text->provider, &current, &size, &ignored) &&
           size == strlen(text->body) && memcmp(current, text->body, size) == 0;
}

/* Moves it to the end; NULL when it is not there. */
static const Definition *find_kept(const Pinned *pinned, const char *sha256) {
    for (guint i = 0; i < pinned->kept->len; i++) {
        Definition *definition = g_ptr_array_index(pinned->kept, i);
        if (strcmp(definition->sha256, sha256) != 0)
            continue;
        g_ptr_array_add(pinned->kept, g_ptr_array_steal_index(pinned->kept, i));
        return definition;
    }
    return NULL;
}

static const Definition *load(const Pinned *pinned, const DefinitionText *text, GError **error) {
    Definition *definition =
        definition_load(text->provider, text->body, strlen(text->body), NULL, error);
    if (!definition)
        return NULL;
    if (pinned->kept->len == PINNED_KEPT)
        g_ptr_array_remove_index(pinned->kept, 0);
    g_ptr_array_add(pinned->kept, definition);
    return definition;
}

const Definition *pinned_find(Pinned *pinned, const DefinitionText *text, GError **error) {
    if (is_registrys(pinned, text))
        return registry_find(pinned->registry, text->provider, error);
    const Definition *kept = find_kept(pinned, text->sha256);
    return kept ? kept : load(pinned, text, error);
}
