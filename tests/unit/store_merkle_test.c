#include "base/error.h"
#include "base/text.h"
#include "store/merkle.h"

#include <glib.h>
#include <string.h>

/* The leaves and roots that the certificate transparency implementations test with. */
static const struct {
    const char *leaf;
    const char *root; /* of the tree up to and with this leaf */
} vectors[] = {
    {"", "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"},
    {"00", "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"},
    {"10", "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"},
    {"2021", "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"},
    {"3031", "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"},
    {"40414243", "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"},
    {"5051525354555657", "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"},
    {"606162636465666768696a6b6c6d6e6f",
     "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"},
};

static void assert_root(const MerkleTree *tree, const char *expected) {
    uint8_t root[DIGEST_SIZE];
    merkle_root(tree, root);
    g_autofree char *hex = text_hex(root, sizeof root);
    g_assert_cmpstr(hex, ==, expected);
}

static void known_roots_come_out(void) {
    MerkleTree tree;
    merkle_init(&tree);
    for (size_t i = 0; i < G_N_ELEMENTS(vectors); i++) {
        uint8_t input[16];
        uint8_t hash[DIGEST_SIZE];
        size_t size = strlen(vectors[i].leaf) / 2;
        g_assert_true(text_unhex(vectors[i].leaf, input, size));
        merkle_leaf_hash(input, size, hash);
        merkle_append(&tree, hash);
        assert_root(&tree, vectors[i].root);
    }
    g_assert_cmpuint(tree.size, ==, G_N_ELEMENTS(vectors));
}

static void the_empty_tree_has_the_hash_of_nothing(void) {
    MerkleTree tree;
    merkle_init(&tree);
    assert_root(&tree, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 6962 section 2.1 as it is written there: split at the largest power of two below n. */
static void naive_root(uint8_t leaves[][DIGEST_SIZE], size_t count, uint8_t out[DIGEST_SIZE]) {
    if (count == 0) {
        digest_sha256("", 0, out);
        return;
    }
    if (count == 1) {
        memcpy(out, leaves[0], DIGEST_SIZE);
        return;
    }
    size_t split = 1;
    while (split * 2 < count) {
        split *= 2;
    }
    uint8_t node[1 + 2 * DIGEST_SIZE] = {0x01};
    naive_root(leaves, split, node + 1);
    naive_root(leaves + split, count - split, node + 1 + DIGEST_SIZE);
    digest_sha256(node, sizeof node, out);
}

static void frontier_agrees_with_the_recursive_definition(void) {
    uint8_t leaves[70][DIGEST_SIZE];
    MerkleTree tree;
    merkle_init(&tree);
    for (size_t size = 0; size <= G_N_ELEMENTS(leaves); size++) {
        uint8_t expected[DIGEST_SIZE];
        uint8_t root[DIGEST_SIZE];
        naive_root(leaves, size, expected);
        merkle_root(&tree, root);
        g_assert_cmpint(memcmp(root, expected, sizeof root), ==, 0);
        if (size < G_N_ELEMENTS(leaves)) {
            uint8_t input = (uint8_t)size;
            merkle_leaf_hash(&input, 1, leaves[size]);
            merkle_append(&tree, leaves[size]);
        }
    }
}

static void a_stored_frontier_goes_on_like_the_tree_it_came_from(void) {
    MerkleTree whole;
    MerkleTree restored;
    merkle_init(&whole);
    merkle_init(&restored);
    for (uint8_t i = 0; i < 40; i++) {
        uint8_t hash[DIGEST_SIZE];
        merkle_leaf_hash(&i, 1, hash);
        merkle_append(&whole, hash);
        merkle_append(&restored, hash);
        uint8_t stored[MERKLE_LEVELS * DIGEST_SIZE];
        size_t size = merkle_frontier_count(restored.size) * DIGEST_SIZE;
        memcpy(stored, restored.nodes, size);
        GError *error = NULL;
        g_assert_true(merkle_restore(&restored, whole.size, stored, size, &error));
        g_assert_no_error(error);
    }
    uint8_t a[DIGEST_SIZE];
    uint8_t b[DIGEST_SIZE];
    merkle_root(&whole, a);
    merkle_root(&restored, b);
    g_assert_cmpint(memcmp(a, b, sizeof a), ==, 0);
}

static void a_frontier_of_the_wrong_length_is_damage(void) {
    static const struct {
        uint64_t size;
        size_t bytes;
    } cases[] = {{1, 0}, {3, DIGEST_SIZE}, {4, 2 * DIGEST_SIZE}, {4, 31}, {UINT64_MAX, 64 * 32}};
    static const uint8_t bytes[64 * 32];
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        MerkleTree tree;
        g_autoptr(GError) error = NULL;
        g_assert_false(merkle_restore(&tree, cases[i].size, bytes, cases[i].bytes, &error));
        g_assert_error(error, ASSAY_ERROR, ERROR_DATABASE);
    }
}

static void a_leaf_is_never_a_node(void) {
    uint8_t halves[2 * DIGEST_SIZE] = {1, 2, 3};
    uint8_t leaf[DIGEST_SIZE];
    uint8_t node[DIGEST_SIZE];
    merkle_leaf_hash(halves, sizeof halves, leaf);
    merkle_node_hash(halves, halves + DIGEST_SIZE, node);
    g_assert_cmpint(memcmp(leaf, node, DIGEST_SIZE), !=, 0);
}

/* --- proofs ----------------------------------------------------------------------------------- */

#define PROOF_LEAVES 70
#define PROOF_LEVELS 8

/* Complete subtrees as a sink was told of them. */
typedef struct {
    uint8_t hashes[PROOF_LEVELS][PROOF_LEAVES][DIGEST_SIZE];
    bool known[PROOF_LEVELS][PROOF_LEAVES];
    unsigned asked;
} Subtrees;

static void keep_subtree(void *data, unsigned level, uint64_t position,
                         const uint8_t hash[DIGEST_SIZE]) {
    Subtrees *subtrees = data;
    g_assert_false(subtrees->known[level][position]);
    subtrees->known[level][position] = true;
    memcpy(subtrees->hashes[level][position], hash, DIGEST_SIZE);
}

static bool fetch_subtree(void *data, unsigned level, uint64_t position,
                          uint8_t hash_out[DIGEST_SIZE], GError **error) {
    Subtrees *subtrees = data;
    subtrees->asked++;
    if (level >= PROOF_LEVELS || position >= PROOF_LEAVES || !subtrees->known[level][position]) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE, "not there");
        return false;
    }
    memcpy(hash_out, subtrees->hashes[level][position], DIGEST_SIZE);
    return true;
}

static void grow(Subtrees *subtrees, MerkleTree *tree) {
    uint8_t leaf[DIGEST_SIZE];
    merkle_leaf_hash(&tree->size, sizeof tree->size, leaf);
    merkle_append_to(tree, leaf, keep_subtree, subtrees);
}

/* A path that leads to the root, and no other one does. */
static void assert_proof(const Subtrees *subtrees, const MerklePath *path, uint64_t index,
                         const MerkleTree *tree) {
    uint8_t root[DIGEST_SIZE];
    const uint8_t *leaf = subtrees->hashes[0][index];
    merkle_root(tree, root);
    g_assert_true(merkle_verify(path, leaf, index, tree->size, root));
    g_assert_false(merkle_verify(path, leaf, index + tree->size, tree->size, root));
    g_assert_false(merkle_verify(path, subtrees->hashes[0][tree->size], index, tree->size, root));
    MerklePath altered = *path;
    altered.count++;
    g_assert_false(merkle_verify(&altered, leaf, index, tree->size, root));
    if (path->count == 0)
        return;
    altered.count = path->count - 1;
    g_assert_false(merkle_verify(&altered, leaf, index, tree->size, root));
    altered = *path;
    altered.hashes[index % path->count][3] ^= 1;
    g_assert_false(merkle_verify(&altered, leaf, index, tree->size, root));
    g_assert_false(merkle_verify(path, leaf, index ^ 1, tree->size, root));
}

static void every_leaf_of_every_tree_has_a_proof_and_no_other_is_believed(void) {
    g_autofree Subtrees *subtrees = g_new0(Subtrees, 1);
    MerkleTree trees[PROOF_LEAVES];
    MerkleTree tree;
    merkle_init(&tree);
    for (int i = 0; i < PROOF_LEAVES; i++) {
        trees[i] = tree;
        grow(subtrees, &tree);
    }
    for (uint64_t size = 1; size < PROOF_LEAVES; size++) {
        for (uint64_t index = 0; index < size; index++) {
            MerklePath path;
            g_autoptr(GError) error = NULL;
            subtrees->asked = 0;
            g_assert_true(
                merkle_prove(&(MerkleReader){fetch_subtree, subtrees}, index, size, &path, &error));
            g_assert_no_error(error);
            g_assert_cmpuint(subtrees->asked, <=, 2 * PROOF_LEVELS);
            assert_proof(subtrees, &path, index, &trees[size]);
        }
    }
}

static void a_proof_fails_when_a_subtree_is_lost(void) {
    g_autofree Subtrees *subtrees = g_new0(Subtrees, 1);
    MerkleTree tree;
    MerklePath path;
    g_autoptr(GError) error = NULL;
    merkle_init(&tree);
    for (int i = 0; i < 5; i++)
        grow(subtrees, &tree);
    subtrees->known[1][1] = false;
    g_assert_false(merkle_prove(&(MerkleReader){fetch_subtree, subtrees}, 0, 5, &path, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_DATABASE);
}

static void nothing_is_in_the_empty_tree(void) {
    const MerklePath path = {.count = 0};
    const MerklePath endless = {.count = SIZE_MAX};
    uint8_t zeros[DIGEST_SIZE] = {0};
    g_assert_false(merkle_verify(&path, zeros, 0, 0, zeros));
    g_assert_false(merkle_verify(&endless, zeros, 0, 9, zeros));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/store/merkle/known_roots_come_out", known_roots_come_out);
    g_test_add_func("/store/merkle/the_empty_tree_has_the_hash_of_nothing",
                    the_empty_tree_has_the_hash_of_nothing);
    g_test_add_func("/store/merkle/frontier_agrees_with_the_recursive_definition",
                    frontier_agrees_with_the_recursive_definition);
    g_test_add_func("/store/merkle/a_stored_frontier_goes_on_like_the_tree_it_came_from",
                    a_stored_frontier_goes_on_like_the_tree_it_came_from);
    g_test_add_func("/store/merkle/a_frontier_of_the_wrong_length_is_damage",
                    a_frontier_of_the_wrong_length_is_damage);
    g_test_add_func("/store/merkle/a_leaf_is_never_a_node", a_leaf_is_never_a_node);
    g_test_add_func("/store/merkle/every_leaf_of_every_tree_has_a_proof_and_no_other_is_believed",
                    every_leaf_of_every_tree_has_a_proof_and_no_other_is_believed);
    g_test_add_func("/store/merkle/a_proof_fails_when_a_subtree_is_lost",
                    a_proof_fails_when_a_subtree_is_lost);
    g_test_add_func("/store/merkle/nothing_is_in_the_empty_tree", nothing_is_in_the_empty_tree);
    return g_test_run();
}
