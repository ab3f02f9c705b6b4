/* audit_seal.h - which rows of the audit log are which leaves of its tree, and the leaves' hashes.
 *
 * What a unit seals at once is one row of audit_seal: the ids of its audit rows in their order, and
 * beside them the hashes of their leaves, which follow one another from first_index on. A row and
 * two index entries for each leaf would cost as much as a third of writing the audit row itself,
 * and leaves are seldom asked for. Seals are inserted, and never changed or deleted.
 *
 * An AuditSeal is made empty (zeroed) or by audit_seal_begin(), owns its bytes, and is cleared by
 * audit_seal_clear(). The functions that look something up keep in it what they read last, since
 * those who ask for one leaf mostly ask for its neighbours. Only store/ uses this file.
 */
#pragma once

#include "base/digest.h"
#include "db/db.h"

#include <glib.h>

typedef struct {
    int64_t first_index; /* of its first leaf */
    GString *ids;        /* 36 characters each, ascending; NULL: nothing was read yet */
    GByteArray *hashes;  /* DIGEST_SIZE bytes each */
} AuditSeal;

void audit_seal_clear(AuditSeal *seal);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(AuditSeal, audit_seal_clear)

/* An empty seal whose first leaf will have this index. */
void audit_seal_begin(AuditSeal *seal, int64_t first_index);

/* Adds the leaf of a row whose id is behind those that are there. ERROR_DATABASE when it is not, or
 * is no id (base/id.h). */
bool audit_seal_append(AuditSeal *seal, const char *audit_id, const uint8_t hash[DIGEST_SIZE],
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Stores it, unless it is empty. */
bool audit_seal_insert(DbUnit *unit, const AuditSeal *seal,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Which leaf a row is: -1 when it is not sealed. */
bool audit_seal_find(DbUnit *unit, AuditSeal *seal, const char *audit_id, int64_t *index_out,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The hash of a leaf; *found_out is false when there is none. */
bool audit_seal_hash(DbUnit *unit, AuditSeal *seal, int64_t leaf_index, bool *found_out,
                     uint8_t hash_out[DIGEST_SIZE], GError **error) G_GNUC_WARN_UNUSED_RESULT;
