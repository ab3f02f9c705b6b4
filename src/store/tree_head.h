/* tree_head.h - the stored head of a Merkle tree: one row per organization with size, frontier and
 * root.
 *
 * Whoever appends locks the head, restores the tree from it, appends, and moves the head on, all in
 * one unit; so all writers of an organization's tree meet at that row, and it is locked as late as
 * possible. The statements differ per tree (store/ledger.c, store/audit_tree.c) and have these
 * parameters and columns:
 *
 *     begin    :frontier, :root           makes the head of an empty tree, if there is none
 *     lock     -> size, frontier          and keeps the row from other writers
 *     advance  :size, :old_size, :frontier, :root, :now
 *     read     -> size, root, updated_at
 *
 * Only store/ uses this file.
 */
#pragma once

#include "db/db.h"
#include "store/merkle.h"

typedef struct {
    const char *begin;
    const char *lock;
    const char *advance;
    const char *read;
} TreeStatements;

typedef struct {
    int64_t size;
    uint8_t root[DIGEST_SIZE];
    int64_t updated_at; /* 0: never */
} TreeHead;

/* Locks the head and restores its tree, making an empty one first when there is none. */
bool tree_head_lock(DbUnit *unit, const TreeStatements *statements, MerkleTree *tree_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores the head of a tree that has grown from old_size since it was locked. */
bool tree_head_advance(DbUnit *unit, const TreeStatements *statements, uint64_t old_size,
                       const MerkleTree *tree, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Size and root now; without a row, those of the empty tree. */
bool tree_head_read(DbUnit *unit, const TreeStatements *statements, TreeHead *head_out,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;
