/* scan_tree.h - the redact or keep paths of a ScanPlan as a tree, so that a body is held against
 * all of them in one walk.
 *
 * Immutable after construction; may be shared between threads.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* What a plan says about one place of a body. */
typedef struct ScanNode ScanNode;

typedef struct {
    char *name;
    size_t length;
    ScanNode *node;
} ScanChild;

struct ScanNode {
    bool whole;       /* redact or keep everything here */
    ScanNode *each;   /* for every item, and every member without a child of its own */
    GArray *children; /* of ScanChild */
    uint64_t marks;   /* of their names: most members of a body are none of them */
};

/* One bit, by which most names are told apart. */
static inline uint64_t scan_tree_mark(const char *name, size_t length) {
    size_t sum = length > 0 ? length + 5U * (uint8_t)name[0] + 11U * (uint8_t)name[length - 1] : 0;
    return UINT64_C(1) << sum % 64;
}

typedef enum { SCAN_TREE_REDACT, SCAN_TREE_KEEP } ScanTreeKind;

/* texts is a list of paths ending in NULL. ERROR_CONFIGURATION for one that cannot be read. */
ScanNode *scan_tree_new(const char *const *texts, ScanTreeKind kind,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;
void scan_tree_free(ScanNode *node);

/* What is said about the member of an object; NULL: nothing. node may be NULL. */
static inline const ScanNode *scan_tree_member(const ScanNode *node, const char *name,
                                               size_t length) {
    if (node == NULL)
        return NULL;
    if ((node->marks & scan_tree_mark(name, length)) == 0)
        return node->each;
    const ScanChild *child = (const ScanChild *)(const void *)node->children->data;
    for (guint i = 0; i < node->children->len; i++, child++) {
        if (child->length == length && memcmp(child->name, name, length) == 0)
            return child->node;
    }
    return node->each;
}
