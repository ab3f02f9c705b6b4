#include "store/merkle.h"

#include "base/error.h"

#include <string.h>

/* RFC 6962 section 2.1: the prefixes keep a leaf from being taken for a node. */
#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

void merkle_leaf_hash(const void *input, size_t size, uint8_t out[DIGEST_SIZE]) {
    const uint8_t prefix = LEAF_PREFIX;
    g_autoptr(Digest) digest = digest_new();
    digest_update(digest, &prefix, 1);
    if (size) {
        digest_update(digest, input, size);
    }
    digest_finish(digest, out);
}

void merkle_node_hash(const uint8_t left[DIGEST_SIZE], const uint8_t right[DIGEST_SIZE],
                      uint8_t out[DIGEST_SIZE]) {
    uint8_t input[1 + 2 * DIGEST_SIZE] = {NODE_PREFIX};
    memcpy(input + 1, left, DIGEST_SIZE);
    memcpy(input + 1 + DIGEST_SIZE, right, DIGEST_SIZE);
    digest_sha256(input, sizeof input, out);
}

void merkle_init(MerkleTree *tree) {
    memset(tree, 0, sizeof *tree);
}

size_t merkle_frontier_count(uint64_t size) {
    return (size_t)__builtin_popcountll(size);
}

void merkle_append(MerkleTree *tree, const uint8_t leaf_hash[DIGEST_SIZE]) {
    size_t count = merkle_frontier_count(tree->size);
    uint8_t hash[DIGEST_SIZE];
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    /* Like a binary counter: every trailing set bit is a subtree that the leaf completes. */
    for (uint64_t size = tree->size; size & 1; size >>= 1) {
        count--;
        merkle_node_hash(tree->nodes[count], hash, hash);
    }
    memcpy(tree->nodes[count], hash, DIGEST_SIZE);
    tree->size++;
}

void merkle_root(const MerkleTree *tree, uint8_t out[DIGEST_SIZE]) {
    size_t count = merkle_frontier_count(tree->size);
    if (count == 0) {
        digest_sha256("", 0, out);
        return;
    }
    uint8_t hash[DIGEST_SIZE];
    memcpy(hash, tree->nodes[count - 1], DIGEST_SIZE);
    for (size_t i = count - 1; i > 0; i--) {
        merkle_node_hash(tree->nodes[i - 1], hash, hash);
    }
    memcpy(out, hash, DIGEST_SIZE);
}

bool merkle_restore(MerkleTree *tree, uint64_t size, const void *frontier, size_t frontier_size,
                    GError **error) {
    size_t count = merkle_frontier_count(size);
    if (count > MERKLE_LEVELS || frontier_size != count * DIGEST_SIZE) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                            "The head of the ledger is damaged; restore the database.");
        return false;
    }
    merkle_init(tree);
    tree->size = size;
    if (frontier_size) {
        memcpy(tree->nodes, frontier, frontier_size);
    }
    return true;
}
