/* registry.h - all providers this installation knows.
 *
 * The definitions embedded in the binary, and the files of DATA/providers, where a file of the same
 * id replaces an embedded one. Nothing is parsed before it is asked for; a definition stays loaded
 * until the registry goes. Ids and aliases are accepted everywhere. Not for several threads at
 * once: each thread (or process) has its own.
 */
#pragma once

#include "provider/definition.h"
#include "provider/diagnostic.h"

typedef struct Registry Registry;

/* folder may be NULL or not exist. Only the names of files are read here. */
Registry *registry_new(const char *folder, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void registry_free(Registry *registry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Registry, registry_free)

/* The provider id for an id or alias, in any case; NULL when unknown. Borrowed. */
const char *registry_resolve(Registry *registry, const char *id_or_alias);

/* The definition, borrowed. ERROR_NOT_FOUND (with the nearest id) when unknown, ERROR_CONFIGURATION
 * when its file is wrong. */
const Definition *registry_find(Registry *registry, const char *id_or_alias,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Known ids in alphabetic order, also of files that are wrong. Ends in NULL. Borrowed. */
const char *const *registry_ids(Registry *registry);

/* The text of a definition as embedded or on disk, for storing by hash; as registry_find. */
bool registry_text(Registry *registry, const char *id_or_alias, const char **text_out,
                   size_t *size_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What a floor above has worked out from the definitions and keeps for as long as they are; there
 * is room for one thing. The registry takes it and frees it first when it goes itself. */
void registry_keep(Registry *registry, void *derived, void (*free_derived)(void *derived));
/* NULL when nothing is kept. Borrowed. */
void *registry_kept(const Registry *registry);
