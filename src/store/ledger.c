#include "store/ledger.h"

/* The first byte of a leaf input says how the rest was made. */
#define LEAF_VERSION 0x01

static const RecordColumn columns[] = {
    RECORD_COLUMN(LedgerLeaf, leaf_index, RECORD_INT, 0),
    RECORD_COLUMN(LedgerLeaf, leaf_hash, RECORD_BYTES, DIGEST_SIZE),
    RECORD_COLUMN(LedgerLeaf, evidence_id, RECORD_TEXT, 0),
};
static const RecordShape shape = RECORD_SHAPE(LedgerLeaf, "ledger leaf", columns);

static const TreeStatements statements = {.begin = "ledger_begin",
                                          .lock = "ledger_lock",
                                          .advance = "ledger_advance",
                                          .read = "ledger_head"};

void ledger_leaf_input(RecordBytes salt, RecordBytes record, uint8_t out[LEDGER_LEAF_INPUT_SIZE]) {
    const DigestPiece pieces[] = {{salt.bytes, salt.size}, {record.bytes, record.size}};
    out[0] = LEAF_VERSION;
    digest_sha256_pieces(pieces, G_N_ELEMENTS(pieces), out + 1);
}

bool ledger_append(DbUnit *unit, const char *evidence_id,
                   const uint8_t input[LEDGER_LEAF_INPUT_SIZE], int64_t *index_out,
                   GError **error) {
    MerkleTree tree;
    if (!tree_head_lock(unit, &statements, &tree, error)) {
        return false;
    }
    uint8_t leaf_hash[DIGEST_SIZE];
    merkle_leaf_hash(input, LEDGER_LEAF_INPUT_SIZE, leaf_hash);
    LedgerLeaf leaf = {.leaf_index = (int64_t)tree.size,
                       .leaf_hash = {leaf_hash, sizeof leaf_hash},
                       .evidence_id = evidence_id};
    merkle_append(&tree, leaf_hash);
    if (!record_write(unit, "ledger_leaf_insert", &shape, &leaf, error) ||
        !tree_head_advance(unit, &statements, tree.size - 1, &tree, error)) {
        return false;
    }
    *index_out = leaf.leaf_index;
    return true;
}

bool ledger_head(DbUnit *unit, LedgerHead *head_out, GError **error) {
    return tree_head_read(unit, &statements, head_out, error);
}

bool ledger_leaves(DbUnit *unit, int64_t first_index, int64_t limit, GPtrArray **leaves_out,
                   GError **error) {
    DbStatement *statement = db_prepare(unit, "ledger_leaves");
    db_bind_int(statement, "first", first_index);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, leaves_out, error);
}
