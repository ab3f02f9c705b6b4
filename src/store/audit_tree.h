/* audit_tree.h - the audit log, sealed.
 *
 * Audit rows are inserted unchained, because a chain would make all requests wait for each other.
 * A sequencer (the scheduler, once a second while there is something) appends what is not sealed
 * yet to the organization's audit tree: RFC 6962 hashing, leaf input 0x01 || SHA-256(salt ||
 * record) as in store/ledger.h. From then on changing, removing or back-dating a row is detectable
 * by anybody who kept a root.
 *
 * Sealing walks the rows in the order of their ids, which is nearly always that of their commits,
 * and the head remembers how far it came, in the unit that stores the leaves (store/audit_seal.h).
 * So a crash leaves rows to be sealed later, and each row gets exactly one leaf. A row whose id is
 * not the highest of its organization when audit_add() writes it may be behind the walk: it is
 * remembered by itself in audit_pending until the walk has come to it or, when it was behind, it is
 * sealed as a late one. For the others one row there says that the organization has something to
 * seal, which costs nothing once it is there. Since writes of an organization follow one another,
 * no row is passed over. Two sequencers wait for each other at the head of the tree.
 */
#pragma once

#include "store/record.h"
#include "store/tree_head.h"

/* Most rows that one unit seals. */
#define AUDIT_SEAL_MAX 500

typedef TreeHead AuditTreeHead;

/* The proof that a row is in the tree of this size. */
typedef struct {
    int64_t leaf_index;
    int64_t tree_size;
    uint8_t leaf_hash[DIGEST_SIZE];
    uint8_t root[DIGEST_SIZE];
    char *salt; /* hexadecimal, needed to make the leaf from the record */
    MerklePath path;
} AuditProof;

void audit_proof_clear(AuditProof *proof);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditProof, audit_proof_clear)

/* Ids (char *) of organizations that have rows to seal, at most limit (system scope); among them
 * AUDIT_INSTALLATION. The array frees them. */
bool audit_tree_waiting(DbUnit *unit, int64_t limit, GPtrArray **organizations_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Seals at most limit (0, or more than that: AUDIT_SEAL_MAX) rows of the unit's organization, the
 * oldest first. *sealed_out is their number; less than the limit means that nothing is left. */
bool audit_tree_seal(DbUnit *unit, int64_t limit, int64_t *sealed_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The whole round of the sequencer: seals what waits, everywhere, in units of AUDIT_SEAL_MAX rows,
 * at most rounds units. *sealed_out is how many rows. Waits; not from a database thread. */
bool audit_tree_sequence(Db *db, int64_t rounds, int64_t *sealed_out,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Size and root now; an empty tree has size 0 and the root of the empty tree. */
bool audit_tree_head(DbUnit *unit, AuditTreeHead *head_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The proof of a row in the tree of now. ERROR_NOT_FOUND when there is no such row,
 * ERROR_CONFLICT when it is not sealed yet. */
bool audit_tree_prove(DbUnit *unit, const char *audit_id, AuditProof *proof_out,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
