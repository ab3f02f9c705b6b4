#include "unit/store_support.h"

#include "store/ledger.h"
#include "store/merkle.h"

#include <string.h>

static void leaf_input_of(int number, uint8_t out[LEDGER_LEAF_INPUT_SIZE]) {
    uint8_t salt = (uint8_t)number;
    ledger_leaf_input((RecordBytes){&salt, 1}, (RecordBytes){"{}", 2}, out);
}

static void append_leaf(DbUnit *unit, int number) {
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    leaf_input_of(number, input);
    g_autofree char *id = g_strdup_printf("evidence-%02d", number);
    int64_t index = -1;
    store_ok(ledger_append(unit, id, input, &index, &error));
    g_assert_cmpint(index, ==, number);
}

static void assert_head(DbUnit *unit, int64_t size) {
    MerkleTree tree;
    merkle_init(&tree);
    for (int i = 0; i < size; i++) {
        uint8_t input[LEDGER_LEAF_INPUT_SIZE];
        uint8_t hash[DIGEST_SIZE];
        leaf_input_of(i, input);
        merkle_leaf_hash(input, sizeof input, hash);
        merkle_append(&tree, hash);
    }
    uint8_t root[DIGEST_SIZE];
    merkle_root(&tree, root);
    LedgerHead head;
    store_ok(ledger_head(unit, &head, &error));
    g_assert_cmpint(head.size, ==, size);
    g_assert_cmpint(memcmp(head.root, root, sizeof root), ==, 0);
}

static void leaf_input_is_version_1(void) {
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    uint8_t expected[DIGEST_SIZE];
    ledger_leaf_input((RecordBytes){"salt", 4}, (RecordBytes){"{\"id\":1}", 8}, input);
    digest_sha256("salt{\"id\":1}", 12, expected);
    g_assert_cmpuint(sizeof input, ==, 33);
    g_assert_cmpuint(input[0], ==, 1);
    g_assert_cmpint(memcmp(input + 1, expected, sizeof expected), ==, 0);
}

static void reads_empty(DbUnit *unit) {
    assert_head(unit, 0);
    LedgerHead head;
    store_ok(ledger_head(unit, &head, &error));
    g_assert_cmpint(head.updated_at, ==, 0);
}

static void an_empty_ledger_has_the_root_of_the_empty_tree(void) {
    store_in(ORG_A, reads_empty);
}

static void appends_nine(DbUnit *unit) {
    for (int i = 0; i < 9; i++) {
        append_leaf(unit, i);
        assert_head(unit, i + 1);
    }
}

static void appends_tenth(DbUnit *unit) {
    append_leaf(unit, 9);
    assert_head(unit, 10);
    LedgerHead head;
    store_ok(ledger_head(unit, &head, &error));
    g_assert_cmpint(head.updated_at, ==, START_MS);
}

static void the_head_grows_as_the_tree_over_all_leaves(void) {
    store_in(ORG_A, appends_nine);
    store_in(ORG_A, appends_tenth);
}

static void other_ledger_is_empty(DbUnit *unit) {
    assert_head(unit, 0);
    g_autoptr(GPtrArray) leaves = NULL;
    store_ok(ledger_leaves(unit, 0, 0, &leaves, &error));
    g_assert_cmpuint(leaves->len, ==, 0);
    append_leaf(unit, 0);
}

static void each_organization_has_a_ledger_of_its_own(void) {
    store_in(ORG_A, appends_nine);
    store_in(ORG_B, other_ledger_is_empty);
    store_in(ORG_A, appends_tenth);
}

static void lists_leaves(DbUnit *unit) {
    g_autoptr(GPtrArray) leaves = NULL;
    store_ok(ledger_leaves(unit, 7, 5, &leaves, &error));
    g_assert_cmpuint(leaves->len, ==, 2);
    const LedgerLeaf *leaf = g_ptr_array_index(leaves, 1);
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    uint8_t hash[DIGEST_SIZE];
    leaf_input_of(8, input);
    merkle_leaf_hash(input, sizeof input, hash);
    g_assert_cmpint(leaf->leaf_index, ==, 8);
    g_assert_cmpstr(leaf->evidence_id, ==, "evidence-08");
    g_assert_cmpuint(leaf->leaf_hash.size, ==, DIGEST_SIZE);
    g_assert_cmpint(memcmp(leaf->leaf_hash.bytes, hash, DIGEST_SIZE), ==, 0);
}

static void leaves_are_listed_from_an_index(void) {
    store_in(ORG_A, appends_nine);
    store_in(ORG_A, lists_leaves);
}

static const StoreTest tests[] = {
    {"leaf_input_is_version_1", leaf_input_is_version_1},
    {"an_empty_ledger_has_the_root_of_the_empty_tree",
     an_empty_ledger_has_the_root_of_the_empty_tree},
    {"the_head_grows_as_the_tree_over_all_leaves", the_head_grows_as_the_tree_over_all_leaves},
    {"each_organization_has_a_ledger_of_its_own", each_organization_has_a_ledger_of_its_own},
    {"leaves_are_listed_from_an_index", leaves_are_listed_from_an_index},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "ledger", tests, G_N_ELEMENTS(tests));
}
