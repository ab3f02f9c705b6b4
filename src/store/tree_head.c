#include "store/tree_head.h"

#include "base/clock.h"
#include "store/record.h"

#include <string.h>

/* What a writer needs. */
typedef struct {
    int64_t size;
    RecordBytes frontier;
} Head;

static const RecordColumn columns[] = {
    RECORD_COLUMN(Head, size, RECORD_INT, 0),
    RECORD_COLUMN(Head, frontier, RECORD_BYTES, MERKLE_LEVELS *DIGEST_SIZE),
};
static const RecordShape shape = RECORD_SHAPE(Head, "head of the tree", columns);

static bool begin(DbUnit *unit, const TreeStatements *statements, GError **error) {
    MerkleTree tree;
    uint8_t root[DIGEST_SIZE];
    merkle_init(&tree);
    merkle_root(&tree, root);
    DbStatement *statement = db_prepare(unit, statements->begin);
    db_bind_blob(statement, "frontier", "", 0);
    db_bind_blob(statement, "root", root, sizeof root);
    return db_exec(statement, error);
}

bool tree_head_lock(DbUnit *unit, const TreeStatements *statements, MerkleTree *tree_out,
                    GError **error) {
    g_autofree Head *head = NULL;
    if (!record_one(db_prepare(unit, statements->lock), &shape, &head, error))
        return false;
    if (!head && (!begin(unit, statements, error) ||
                  !record_must(db_prepare(unit, statements->lock), &shape, &head, error)))
        return false;
    return merkle_restore(tree_out, (uint64_t)head->size, head->frontier.bytes, head->frontier.size,
                          error);
}

bool tree_head_advance(DbUnit *unit, const TreeStatements *statements, uint64_t old_size,
                       const MerkleTree *tree, GError **error) {
    uint8_t root[DIGEST_SIZE];
    merkle_root(tree, root);
    DbStatement *statement = db_prepare(unit, statements->advance);
    db_bind_int(statement, "size", (int64_t)tree->size);
    db_bind_int(statement, "old_size", (int64_t)old_size);
    db_bind_blob(statement, "frontier", tree->nodes,
                 merkle_frontier_count(tree->size) * DIGEST_SIZE);
    db_bind_blob(statement, "root", root, sizeof root);
    db_bind_int(statement, "now", clock_now_ms());
    return record_change(unit, statement, ERROR_DATABASE,
                         "The head of the ledger moved while it was locked.", error);
}

bool tree_head_read(DbUnit *unit, const TreeStatements *statements, TreeHead *head_out,
                    GError **error) {
    DbStatement *statement = db_prepare(unit, statements->read);
    bool found = false;
    if (!db_step(statement, &found, error))
        return false;
    TreeHead head = {0};
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
