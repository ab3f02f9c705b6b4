#include "store/audit_tree.h"

#include "base/text.h"
#include "store/audit.h"
#include "store/audit_seal.h"
#include "store/ledger.h"

#include <string.h>

/* Subtrees below this level are hashed anew from their leaves: seven of eight need no row. */
#define LEVEL_STORED 4

static const TreeStatements statements = {.begin = "audit_tree_begin",
                                          .lock = "audit_tree_lock",
                                          .advance = "audit_tree_advance",
                                          .read = "audit_tree_head"};

typedef struct {
    const char *id;
    const char *record;
    RecordBytes salt;
} Pending;

static const RecordColumn columns[] = {
    RECORD_COLUMN(Pending, id, RECORD_TEXT, 0),
    RECORD_COLUMN(Pending, record, RECORD_TEXT, 0),
    RECORD_COLUMN(Pending, salt, RECORD_BYTES, 0),
};
static const RecordShape shape = RECORD_SHAPE(Pending, "audit row", columns);

void audit_proof_clear(AuditProof *proof) {
    g_clear_pointer(&proof->salt, g_free);
}

/* --- sealing ---------------------------------------------------------------------------------- */

/* Stores the subtrees that a leaf completes. */
typedef struct {
    DbUnit *unit;
    GError **error;
    bool failed;
} Growth;

static void store_node(void *data, unsigned level, uint64_t position,
                       const uint8_t hash[DIGEST_SIZE]) {
    Growth *growth = data;
    if (growth->failed || level < LEVEL_STORED)
        return;
    DbStatement *statement = db_prepare(growth->unit, "audit_tree_node");
    db_bind_int(statement, "level", (int64_t)level);
    db_bind_int(statement, "position", (int64_t)position);
    db_bind_blob(statement, "hash", hash, DIGEST_SIZE);
    growth->failed = !db_exec(statement, growth->error);
}

static void leaf_hash(const Pending *row, uint8_t hash_out[DIGEST_SIZE]) {
    uint8_t input[LEDGER_LEAF_INPUT_SIZE];
    ledger_leaf_input(row->salt, (RecordBytes){row->record, strlen(row->record)}, input);
    merkle_leaf_hash(input, sizeof input, hash_out);
}

static bool append_all(DbUnit *unit, const GPtrArray *rows, MerkleTree *tree, GError **error) {
    g_auto(AuditSeal) seal = {0};
    Growth growth = {.unit = unit, .error = error};
    audit_seal_begin(&seal, (int64_t)tree->size);
    for (guint i = 0; i < rows->len && !growth.failed; i++) {
        const Pending *row = g_ptr_array_index(rows, i);
        uint8_t hash[DIGEST_SIZE];
        leaf_hash(row, hash);
        if (!audit_seal_append(&seal, row->id, hash, error))
            return false;
        merkle_append_to(tree, hash, store_node, &growth);
    }
    return !growth.failed && audit_seal_insert(unit, &seal, error);
}

static const char *last_id(const GPtrArray *rows) {
    const Pending *last = g_ptr_array_index(rows, rows->len - 1);
    return last->id;
}

/* None of the rows waits any more, nor any before them. */
static bool forget(DbUnit *unit, const GPtrArray *rows, GError **error) {
    DbStatement *done = db_prepare(unit, "audit_tree_sealed");
    db_bind_text(done, "last_id", last_id(rows));
    return db_exec(done, error);
}

/* Rows that the walk has passed; they are told in the order of their ids. */
static bool seal_late(DbUnit *unit, const char *walked, int64_t limit, MerkleTree *tree,
                      int64_t *sealed, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    DbStatement *pending = db_prepare(unit, "audit_tree_pending");
    db_bind_text(pending, "walked_id", walked);
    record_bind_limit(pending, limit);
    if (!record_all(pending, &shape, &rows, error) || !append_all(unit, rows, tree, error))
        return false;
    *sealed += rows->len;
    if (rows->len == 0)
        return true;
    if (!forget(unit, rows, error))
        return false;
    if (db_changes(unit) == rows->len)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "An audit row was sealed while its tree was locked.");
    return false;
}

static bool read_walked(DbUnit *unit, char **id_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "audit_tree_walked");
    bool found = false;
    if (!db_step(statement, &found, error))
        return false;
    *id_out = found ? db_column_dup(statement, 0) : g_strdup("");
    db_reset(statement);
    return true;
}

/* All the others, when no late row is left. */
static bool seal_walk(DbUnit *unit, const char *walked, int64_t limit, MerkleTree *tree,
                      int64_t *sealed, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    DbStatement *walk = db_prepare(unit, "audit_tree_walk");
    db_bind_text(walk, "after", walked);
    record_bind_limit(walk, limit);
    if (!record_all(walk, &shape, &rows, error) || !append_all(unit, rows, tree, error))
        return false;
    *sealed += rows->len;
    if (rows->len == 0)
        return true;
    DbStatement *pass = db_prepare(unit, "audit_tree_pass");
    db_bind_text(pass, "walked_id", last_id(rows));
    return db_exec(pass, error) && forget(unit, rows, error);
}

bool audit_tree_seal(DbUnit *unit, int64_t limit, int64_t *sealed_out, GError **error) {
    MerkleTree tree;
    g_autofree char *walked = NULL;
    int64_t most = limit <= 0 ? AUDIT_SEAL_MAX : MIN(limit, AUDIT_SEAL_MAX);
    int64_t sealed = 0;
    *sealed_out = 0;
    if (!tree_head_lock(unit, &statements, &tree, error) || !read_walked(unit, &walked, error))
        return false;
    uint64_t old_size = tree.size;
    if (!seal_late(unit, walked, most, &tree, &sealed, error) ||
        (sealed < most && !seal_walk(unit, walked, most - sealed, &tree, &sealed, error)))
        return false;
    if (sealed > 0 && !tree_head_advance(unit, &statements, old_size, &tree, error))
        return false;
    if (sealed < most && !db_exec(db_prepare(unit, "audit_tree_rest"), error))
        return false;
    db_forget(unit, AUDIT_WAITS);
    *sealed_out = sealed;
    return true;
}

/* --- the sequencer ---------------------------------------------------------------------------- */

bool audit_tree_waiting(DbUnit *unit, int64_t limit, GPtrArray **organizations_out,
                        GError **error) {
    g_autoptr(GPtrArray) found = g_ptr_array_new_with_free_func(g_free);
    DbStatement *statement = db_prepare(unit, "audit_tree_waiting");
    record_bind_limit(statement, limit);
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            break;
        g_ptr_array_add(found, db_column_dup(statement, 0));
    }
    *organizations_out = g_steal_pointer(&found);
    return true;
}

static bool waiting_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray **organizations = data;
    g_clear_pointer(organizations, g_ptr_array_unref);
    return audit_tree_waiting(unit, STORE_LIST_MAX, organizations, error);
}

static bool seal_work(DbUnit *unit, void *data, GError **error) {
    return audit_tree_seal(unit, AUDIT_SEAL_MAX, data, error);
}

/* One organization, until nothing is left or the rounds are spent. */
static bool seal_organization(Db *db, const char *organization, int64_t *rounds,
                              int64_t *sealed_out, GError **error) {
    DbScope scope = {
        .organization = organization, .actor = "sequencer", .role = "system", .system = true};
    int64_t sealed = AUDIT_SEAL_MAX;
    while (sealed == AUDIT_SEAL_MAX && *rounds > 0) {
        if (!db_run(db, &scope, DB_WRITE, seal_work, &sealed, error))
            return false;
        *sealed_out += sealed;
        (*rounds)--;
    }
    return true;
}

bool audit_tree_sequence(Db *db, int64_t rounds, int64_t *sealed_out, GError **error) {
    const DbScope system = {.actor = "sequencer", .role = "system", .system = true};
    g_autoptr(GPtrArray) organizations = NULL;
    int64_t sealed = 0;
    bool ok = db_run(db, &system, DB_READ, waiting_work, &organizations, error);
    for (guint i = 0; ok && i < organizations->len; i++)
        ok = seal_organization(db, g_ptr_array_index(organizations, i), &rounds, &sealed, error);
    if (ok)
        *sealed_out = sealed;
    return ok;
}

/* --- reading ---------------------------------------------------------------------------------- */

bool audit_tree_head(DbUnit *unit, AuditTreeHead *head_out, GError **error) {
    return tree_head_read(unit, &statements, head_out, error);
}

static bool damaged(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "The audit tree is damaged; restore the database.");
    return false;
}

/* What a proof reads: stored subtrees, and leaves, which are found near one another. */
typedef struct {
    DbUnit *unit;
    AuditSeal *seal;
} Source;

static bool fetch_stored(const Source *source, unsigned level, uint64_t position,
                         uint8_t hash_out[DIGEST_SIZE], GError **error) {
    DbStatement *statement = db_prepare(source->unit, "audit_tree_fetch");
    bool found = false;
    size_t size = 0;
    db_bind_int(statement, "level", (int64_t)level);
    db_bind_int(statement, "position", (int64_t)position);
    if (!db_step(statement, &found, error))
        return false;
    const void *hash = found ? db_column_blob(statement, 0, &size) : NULL;
    if (size != DIGEST_SIZE)
        return damaged(error);
    memcpy(hash_out, hash, DIGEST_SIZE);
    db_reset(statement);
    return true;
}

static bool fetch_leaf(const Source *source, uint64_t index, uint8_t hash_out[DIGEST_SIZE],
                       GError **error) {
    bool found = false;
    return audit_seal_hash(source->unit, source->seal, (int64_t)index, &found, hash_out, error) &&
           (found || damaged(error));
}

static bool fetch_node(void *data, unsigned level, uint64_t position, uint8_t hash_out[DIGEST_SIZE],
                       GError **error) {
    uint8_t hashes[1 << (LEVEL_STORED - 1)][DIGEST_SIZE];
    if (level >= LEVEL_STORED)
        return fetch_stored(data, level, position, hash_out, error);
    size_t count = (size_t)1 << level;
    for (size_t i = 0; i < count; i++)
        if (!fetch_leaf(data, (position << level) + i, hashes[i], error))
            return false;
    for (; count > 1; count /= 2)
        for (size_t i = 0; i < count / 2; i++)
            merkle_node_hash(hashes[2 * i], hashes[2 * i + 1], hashes[i]);
    memcpy(hash_out, hashes[0], DIGEST_SIZE);
    return true;
}

static bool read_salt(DbUnit *unit, const char *audit_id, char **salt_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "audit_tree_salt");
    bool found = false;
    size_t size = 0;
    db_bind_text(statement, "audit_id", audit_id);
    if (!db_step(statement, &found, error))
        return false;
    if (!found) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND,
                            "There is no such audit row in this organization.");
        return false;
    }
    const void *salt = db_column_blob(statement, 0, &size);
    *salt_out = text_hex(salt, size);
    db_reset(statement);
    return true;
}

bool audit_tree_prove(DbUnit *unit, const char *audit_id, AuditProof *proof_out, GError **error) {
    g_auto(AuditProof) proof = {0};
    g_auto(AuditSeal) seal = {0};
    Source source = {unit, &seal};
    AuditTreeHead head;
    if (!read_salt(unit, audit_id, &proof.salt, error) ||
        !audit_seal_find(unit, &seal, audit_id, &proof.leaf_index, error) ||
        !audit_tree_head(unit, &head, error))
        return false;
    if (proof.leaf_index < 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFLICT,
                            "This audit row is not sealed yet; ask again in a moment.");
        return false;
    }
    if (proof.leaf_index >= head.size)
        return damaged(error);
    proof.tree_size = head.size;
    memcpy(proof.root, head.root, DIGEST_SIZE);
    if (!fetch_leaf(&source, (uint64_t)proof.leaf_index, proof.leaf_hash, error) ||
        !merkle_prove(&(MerkleReader){fetch_node, &source}, (uint64_t)proof.leaf_index,
                      (uint64_t)head.size, &proof.path, error))
        return false;
    *proof_out = proof;
    proof.salt = NULL;
    return true;
}
