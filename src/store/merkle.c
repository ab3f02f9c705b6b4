#include "store/merkle.h"

#include "base/error.h"

#include <string.h>

/* RFC 6962 section 2.1: the prefixes keep a leaf from being taken for a node. */
#define LEAF_PREFIX 0x00
#define NODE_PREFIX 0x01

void merkle_leaf_hash(const void *input, size_t size, uint8_t out[DIGEST_SIZE]) {
    const uint8_t prefix = LEAF_PREFIX;
    const DigestPiece pieces[] = {{&prefix, 1}, {input, size}};
    digest_sha256_pieces(pieces, G_N_ELEMENTS(pieces), out);
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

void merkle_append_to(MerkleTree *tree, const uint8_t leaf_hash[DIGEST_SIZE], MerkleSink sink,
                      void *data) {
    size_t count = merkle_frontier_count(tree->size);
    uint64_t position = tree->size;
    unsigned level = 0;
    uint8_t hash[DIGEST_SIZE];
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    if (sink) {
        sink(data, level, position, hash);
    }
    /* Like a binary counter: every trailing set bit is a subtree that the leaf completes. */
    for (; position & 1; position >>= 1) {
        count--;
        level++;
        merkle_node_hash(tree->nodes[count], hash, hash);
        if (sink) {
            sink(data, level, position >> 1, hash);
        }
    }
    memcpy(tree->nodes[count], hash, DIGEST_SIZE);
    tree->size++;
}

void merkle_append(MerkleTree *tree, const uint8_t leaf_hash[DIGEST_SIZE]) {
    merkle_append_to(tree, leaf_hash, NULL, NULL);
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

/* --- inclusion proofs ------------------------------------------------------------------------- */

/* The level of the largest complete subtree that begins a range of this size. */
static unsigned level_of(uint64_t size) {
    return 63 - (unsigned)__builtin_clzll(size);
}

/* The hash of the leaves from first on, which begin on a multiple of the largest power of two that
 * fits: complete subtrees from the left, folded from the right. */
static bool range_hash(const MerkleReader *reader, uint64_t first, uint64_t size,
                       uint8_t hash_out[DIGEST_SIZE], GError **error) {
    uint8_t parts[MERKLE_LEVELS + 1][DIGEST_SIZE];
    size_t count = 0;
    while (size > 0) {
        unsigned level = level_of(size);
        if (!reader->fetch(reader->data, level, first >> level, parts[count], error)) {
            return false;
        }
        count++;
        first += (uint64_t)1 << level;
        size -= (uint64_t)1 << level;
    }
    for (; count > 1; count--) {
        merkle_node_hash(parts[count - 2], parts[count - 1], parts[count - 2]);
    }
    memcpy(hash_out, parts[0], DIGEST_SIZE);
    return true;
}

bool merkle_prove(const MerkleReader *reader, uint64_t index, uint64_t size, MerklePath *path_out,
                  GError **error) {
    MerklePath down = {0}; /* from the root */
    uint64_t first = 0;
    while (size > 1) {
        uint64_t left = (uint64_t)1 << level_of(size - 1);
        bool goes_left = index < first + left;
        uint64_t other = goes_left ? first + left : first;
        if (!range_hash(reader, other, goes_left ? size - left : left, down.hashes[down.count],
                        error)) {
            return false;
        }
        down.count++;
        first = goes_left ? first : first + left;
        size = goes_left ? left : size - left;
    }
    path_out->count = down.count;
    for (size_t i = 0; i < down.count; i++) {
        memcpy(path_out->hashes[i], down.hashes[down.count - 1 - i], DIGEST_SIZE);
    }
    return true;
}

/* RFC 9162 section 2.1.3.2. */
bool merkle_verify(const MerklePath *path, const uint8_t leaf_hash[DIGEST_SIZE], uint64_t index,
                   uint64_t size, const uint8_t root[DIGEST_SIZE]) {
    uint64_t last = size - 1;
    uint8_t hash[DIGEST_SIZE];
    if (index >= size || path->count > MERKLE_LEVELS) {
        return false;
    }
    memcpy(hash, leaf_hash, DIGEST_SIZE);
    for (size_t i = 0; i < path->count; i++) {
        if (last == 0) {
            return false;
        }
        if ((index & 1) == 0 && index != last) {
            merkle_node_hash(hash, path->hashes[i], hash);
        } else {
            merkle_node_hash(path->hashes[i], hash, hash);
            for (; (index & 1) == 0 && index != 0; index >>= 1) {
                last >>= 1;
            }
        }
        index >>= 1;
        last >>= 1;
    }
    return last == 0 && memcmp(hash, root, DIGEST_SIZE) == 0;
}
