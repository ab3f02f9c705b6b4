/* merkle.h - the RFC 6962 (section 2.1) hash tree, without a database.
 *
 * A MerkleTree is the frontier of an append-only tree: for each set bit of its size, from the
 * highest, the root of that complete subtree. Appending costs amortized one node hash, the root at
 * most 63. A plain value: copy it as you like.
 */
#pragma once

#include "base/digest.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MERKLE_LEVELS 63

typedef struct {
    uint64_t size;
    uint8_t nodes[MERKLE_LEVELS][DIGEST_SIZE]; /* the first merkle_frontier_count() are used */
} MerkleTree;

/* SHA-256(0x00 || input). */
void merkle_leaf_hash(const void *input, size_t size, uint8_t out[DIGEST_SIZE]);

/* SHA-256(0x01 || left || right). */
void merkle_node_hash(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE],
                      uint8_t out[DIGEST_SIZE]);

/* An empty tree. */
void merkle_init(MerkleTree *tree);

/* Appends a leaf by its leaf hash. */
void merkle_append(MerkleTree *tree, const uint8_t leaf_hash[DIGEST_SIZE]);

/* Told of every complete subtree of 2^level leaves when its last leaf is there; position counts the
 * subtrees of that level from the left. */
typedef void (*MerkleSink)(void *data, unsigned level, uint64_t position,
                           const uint8_t hash[DIGEST_SIZE]);

/* As merkle_append(), and tells the sink of the leaf (level 0) and of the subtrees it completes. */
void merkle_append_to(MerkleTree *tree, const uint8_t leaf_hash[DIGEST_SIZE], MerkleSink sink,
                      void *data);

/* The root; of an empty tree SHA-256(""). */
void merkle_root(const MerkleTree *tree, uint8_t out[DIGEST_SIZE]);

/* How many frontier nodes a tree of this size has: its set bits. */
size_t merkle_frontier_count(uint64_t size);

/* Restores a tree from its size and stored frontier bytes (the used nodes, one behind the other).
 * ERROR_DATABASE when the byte count does not fit the size. */
bool merkle_restore(MerkleTree *tree, uint64_t size, const void *frontier, size_t frontier_size,
                    GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* --- inclusion proofs (RFC 6962 section 2.1.1) ------------------------------------------------ */

/* From the leaf's sibling upwards. */
typedef struct {
    uint8_t hashes[MERKLE_LEVELS][DIGEST_SIZE];
    size_t count;
} MerklePath;

/* Where complete subtrees come from. */
typedef struct {
    bool (*fetch)(void *data, unsigned level, uint64_t position, uint8_t hash_out[DIGEST_SIZE],
                  GError **error);
    void *data;
} MerkleReader;

/* The proof that the leaf with this index is in the tree of this size; the index is below it. Asks
 * the reader for at most two subtrees a level. */
bool merkle_prove(const MerkleReader *reader, uint64_t index, uint64_t size, MerklePath *path_out,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether the path leads from the leaf hash to the root. */
bool merkle_verify(const MerklePath *path, const uint8_t leaf_hash[DIGEST_SIZE], uint64_t index,
                   uint64_t size, const uint8_t root[DIGEST_SIZE]);
