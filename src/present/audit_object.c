#include "present/audit_object.h"

#include "base/text.h"

#include <string.h>

Json *audit_object(const AuditRow *row) {
    Json *json = json_parse(row->record, strlen(row->record), AUDIT_RECORD_MAX, NULL);
    if (!json)
        return NULL;
    json_put(json, "leafIndex", row->leaf_index < 0 ? NULL : json_new_int(row->leaf_index));
    return json;
}

static void put_hash(Json *json, const char *key, const uint8_t hash[DIGEST_SIZE]) {
    g_autofree char *hex = text_hex(hash, DIGEST_SIZE);
    json_put_string(json, key, hex);
}

Json *audit_proof_object(const AuditRow *row, const AuditProof *proof) {
    Json *json = json_new_object();
    Json *path = json_new_array();
    json_put_int(json, "leafIndex", proof->leaf_index);
    json_put_int(json, "treeSize", proof->tree_size);
    put_hash(json, "rootHash", proof->root);
    put_hash(json, "leafHash", proof->leaf_hash);
    json_put_string(json, "salt", proof->salt);
    for (size_t i = 0; i < proof->path.count; i++) {
        g_autofree char *hex = text_hex(proof->path.hashes[i], DIGEST_SIZE);
        json_add_string(path, hex);
    }
    json_put(json, "path", path);
    json_put_string(json, "record", row->record);
    return json;
}

Json *activity_object(const Activity *activity) {
    Json *json = json_new_object();
    json_put_string(json, "id", activity->id);
    json_put_time(json, "at", activity->at);
    json_put_string(json, "action", activity->action);
    json_put_string(json, "result", activity->result);
    json_put_string(json, "actor", activity->actor);
    Json *target = activity->target_kind ? json_new_object() : NULL;
    if (target) {
        json_put_string(target, "kind", activity->target_kind);
        json_put_string(target, "id", activity->target_id);
    }
    json_put(json, "target", target);
    json_put_string(json, "sentence", activity->sentence);
    return json;
}
