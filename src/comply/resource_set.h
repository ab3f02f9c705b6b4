/* resource_set.h - the worst verdict of each resource that matters, in few bytes.
 *
 * One row of a resource may pass and another fail: the worst wins. A set knows the resources of one
 * check that are failing or have an open finding; each is 16 bytes of the SHA-256 of its name and
 * one of state, so that 100,000 of them stay below 4 MiB.
 */
#pragma once

#include "base/verdict.h"

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint8_t bytes[16];
} ResourceKey;

/* The key of a resource's name. */
ResourceKey resource_key(const char *resource);

typedef struct ResourceSet ResourceSet;

ResourceSet *resource_set_new(void);
void resource_set_free(ResourceSet *set);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(ResourceSet, resource_set_free)

size_t resource_set_count(const ResourceSet *set);

/* Adds a resource that no row was seen of; one that is there stays as it is. */
void resource_set_add(ResourceSet *set, ResourceKey key);

/* Notes a row. Resources that are not in the set are added when the verdict is fail, else left
 * out. True when the resource fails now and did not before. */
bool resource_set_note(ResourceSet *set, ResourceKey key, Verdict verdict);

/* The worst verdict seen; false when the resource is not in the set or no row was seen of it. */
bool resource_set_worst(const ResourceSet *set, ResourceKey key, Verdict *verdict_out);
