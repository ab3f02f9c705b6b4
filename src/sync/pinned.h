/* pinned.h - the definitions that jobs have pinned, as a worker that runs one after the other has
 * them.
 *
 * A job names its definition by the hash of its text. Nearly always the registry has the same text,
 * and its definition is given, which stays for as long as the registry. Otherwise (the operator has
 * replaced the file since, or this worker was started before) the text is loaded, and kept with the
 * last PINNED_KEPT of its kind, so that the jobs that were queued before a change do not load it
 * one by one.
 *
 * Life: pinned_new, one job after the other, pinned_free. What pinned_find() gives is borrowed
 * until it is called again: by then the job before has ended. One thread at a time.
 */
#pragma once

#include "provider/registry.h"
#include "store/definition_text.h"

#define PINNED_KEPT 4

typedef struct Pinned Pinned;

/* The registry is borrowed and must outlive the result. */
Pinned *pinned_new(Registry *registry);
void pinned_free(Pinned *pinned); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pinned, pinned_free)

/* ERROR_CONFIGURATION when the text is no definition. */
const Definition *pinned_find(Pinned *pinned, const DefinitionText *text,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* How many are kept beside the registry's. */
size_t pinned_count(const Pinned *pinned);
