/* audit_object.h - audit rows, proofs and activity as the API's objects.
 *
 * Audit row: {id, organizationId, at, action, result, actor: {kind, id, name, address, requestId},
 * target: {kind, id, name} or null, details, leafIndex}; leafIndex is null until it is sealed.
 * Proof: {leafIndex, treeSize, rootHash, leafHash, salt, path: [...], record}, all hashes and the
 * salt hexadecimal. leafHash = SHA-256(0x00 || 0x01 || SHA-256(salt || record)).
 * Activity: {id, at, action, result, actor, target: {kind, id} or null, sentence}.
 *
 * Callers own what is returned.
 */
#pragma once

#include "base/json.h"
#include "store/activity.h"
#include "store/audit_tree.h"

/* NULL when the stored record is damaged. */
Json *audit_object(const AuditRow *row);
Json *audit_proof_object(const AuditRow *row, const AuditProof *proof);
Json *activity_object(const Activity *activity);
