#include "store/ledger.h"

#include "base/clock.h"
#include "store/merkle.h"

#include <string.h>

/* The first byte of a leaf input says how the rest was made. */
#define LEAF_VERSION 0x01

static const RecordColumn columns[] = {
    RECORD_COLUMN(LedgerLeaf, leaf_index, RECORD_INT, 0),
    RECORD_COLUMN(LedgerLeaf, leaf_hash, RECORD_BYTES, DIGEST_SIZE),
    RECORD_COLUMN(LedgerLeaf, evidence_id, RECORD_TEXT, 0),
};
static const RecordShape shape = RECORD_SHAPE(LedgerLeaf, "ledger leaf", columns);

/* The stored head. */
typedef struct {
    int64_t size;
    RecordBytes frontier;
} Head;

static const RecordColumn head_columns[] = {
    RECORD_COLUMN(Head, size, RECORD_INT, 0),
    RECORD_COLUMN(Head, frontier, RECORD_BYTES, MERKLE_LEVELS *DIGEST_SIZE),
};
static const RecordShape head_shape = RECORD_SHAPE(Head, "ledger", head_columns);

void ledger_leaf_free(LedgerLeaf *leaf) {
    g_free(leaf);
}

void ledger_leaf_input(RecordBytes salt, RecordBytes record, uint8_t out[LEDGER_LEAF_INPUT_SIZE]) {
    g_autoptr(Digest) digest = digest_new();
    digest_update(digest, salt.bytes, salt.size);
    digest_update(digest, record.bytes, record.size);
    out[0] = LEAF_VERSION;
    digest_finish(digest, out + 1);
}

static bool begin(DbUnit *unit, GError **error) {
    MerkleTree tree;
    uint8_t root[DIGEST_SIZE];
    merkle_init(&tree);
    merkle_root(&tree, root);
    DbStatement *statement = db_prepare(unit, "ledger_begin");
    db_bind_blob(statement, "frontier", "", 0);
    db_bind_blob(statement, "root", root, sizeof root);
    return db_exec(statement, error);
}

/* Locks the head and restores its tree, making an empty one for the first leaf. */
static bool lock_tree(DbUnit *unit, MerkleTree *tree_out, GError **error) {
    g_autofree Head *head = NULL;
    if (!record_one(db_prepare(unit, "ledger_lock"), &head_shape, &head, error)) {
        return false;
    }
    if (!head && (!begin(unit, error) ||
                  !record_must(db_prepare(unit, "ledger_lock"), &head_shape, &head, error))) {
        return false;
    }
    return merkle_restore(tree_out, (uint64_t)head->size, head->frontier.bytes, head->frontier.size,
                          error);
}

static bool advance(DbUnit *unit, const MerkleTree *tree, GError **error) {
    uint8_t root[DIGEST_SIZE];
    merkle_root(tree, root);
    DbStatement *statement = db_prepare(unit, "ledger_advance");
    db_bind_int(statement, "size", (int64_t)tree->size);
    db_bind_blob(statement, "frontier", tree->nodes,
                 merkle_frontier_count(tree->size) * DIGEST_SIZE);
    db_bind_blob(statement, "root", root, sizeof root);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_DATABASE,
                         "The head of the ledger moved while it was locked.", error);
}

bool ledger_append(DbUnit *unit, const char *evidence_id,
                   const uint8_t input[LEDGER_LEAF_INPUT_SIZE], int64_t *index_out,
                   GError **error) {
    MerkleTree tree;
    if (!lock_tree(unit, &tree, error)) {
        return false;
    }
    uint8_t leaf_hash[DIGEST_SIZE];
    merkle_leaf_hash(input, LEDGER_LEAF_INPUT_SIZE, leaf_hash);
    LedgerLeaf leaf = {.leaf_index = (int64_t)tree.size,
                       .leaf_hash = {leaf_hash, sizeof leaf_hash},
                       .evidence_id = evidence_id};
    merkle_append(&tree, leaf_hash);
    if (!record_write(unit, "ledger_leaf_insert", &shape, &leaf, error) ||
        !advance(unit, &tree, error)) {
        return false;
    }
    *index_out = leaf.leaf_index;
    return true;
}

bool ledger_head(DbUnit *unit, LedgerHead *head_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "ledger_head");
    bool found = false;
    if (!db_step(statement, &found, error)) {
        return false;
    }
    LedgerHead head = {0};
    if (!found) {
        digest_sha256("", 0, head.root);
        *head_out = head;
        return true;
    }
    size_t size = 0;
    const void *root = db_column_blob(statement, 1, &size);
    if (size != DIGEST_SIZE) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                            "The head of the ledger is damaged; restore the database.");
        return false;
    }
    memcpy(head.root, root, DIGEST_SIZE);
    head.size = db_column_int(statement, 0);
    head.updated_at = db_column_int(statement, 2);
    db_reset(statement);
    *head_out = head;
    return true;
}

bool ledger_leaves(DbUnit *unit, int64_t first_index, int64_t limit, GPtrArray **leaves_out,
                   GError **error) {
    DbStatement *statement = db_prepare(unit, "ledger_leaves");
    db_bind_int(statement, "first", first_index);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, leaves_out, error);
}
