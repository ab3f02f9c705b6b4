/* ledger.h - the append-only log of an organization's evidence.
 *
 * One leaf per evidence record, appended in the unit of work that stores the record (evidence.h
 * does it; nobody else appends). The leaf is hash-only and salted, so that data and salt can be
 * erased while the tree stays.
 *
 * Leaf input, version 1: 0x01 || SHA-256(salt || record bytes), 33 bytes. Leaf hash and tree by
 * RFC 6962 (store/merkle.h). The head row is locked last in a unit, because all writers of an
 * organization meet there.
 */
#pragma once

#include "base/digest.h"
#include "store/record.h"
#include "store/tree_head.h"

#define LEDGER_LEAF_INPUT_SIZE (1 + DIGEST_SIZE)

typedef TreeHead LedgerHead;

typedef struct {
    int64_t leaf_index;
    RecordBytes leaf_hash;
    const char *evidence_id;
} LedgerLeaf;

/* Makes the version 1 leaf input of a record. */
void ledger_leaf_input(RecordBytes salt, RecordBytes record, uint8_t out[LEDGER_LEAF_INPUT_SIZE]);

/* Appends a leaf by its input; *index_out is its index from 0. */
bool ledger_append(DbUnit *unit, const char *evidence_id,
                   const uint8_t input[LEDGER_LEAF_INPUT_SIZE], int64_t *index_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Size and root now; a ledger without leaves has size 0 and the root of the empty tree. */
bool ledger_head(DbUnit *unit, LedgerHead *head_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* LedgerLeaf* from first_index on. The array frees its rows. */
bool ledger_leaves(DbUnit *unit, int64_t first_index, int64_t limit, GPtrArray **leaves_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
