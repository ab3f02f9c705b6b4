#include "store/audit_seal.h"

#include "base/error.h"
#include "base/id.h"

#include <string.h>

#define ID_LENGTH (ID_SIZE - 1)

void audit_seal_clear(AuditSeal *seal) {
    if (seal->ids)
        g_string_free(seal->ids, TRUE);
    g_clear_pointer(&seal->hashes, g_byte_array_unref);
    *seal = (AuditSeal){0};
}

void audit_seal_begin(AuditSeal *seal, int64_t first_index) {
    audit_seal_clear(seal);
    seal->first_index = first_index;
    seal->ids = g_string_new(NULL);
    seal->hashes = g_byte_array_new();
}

static bool damaged(const char *what, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "The audit tree is damaged (%s); restore the database.", what);
    return false;
}

/* --- writing ---------------------------------------------------------------------------------- */

static size_t count_of(const AuditSeal *seal) {
    return seal->hashes ? seal->hashes->len / DIGEST_SIZE : 0;
}

static const char *id_at(const AuditSeal *seal, size_t place) {
    return seal->ids->str + place * ID_LENGTH;
}

bool audit_seal_append(AuditSeal *seal, const char *audit_id, const uint8_t hash[DIGEST_SIZE],
                       GError **error) {
    size_t count = count_of(seal);
    if (strlen(audit_id) != ID_LENGTH)
        return damaged("the id of a row", error);
    if (count > 0 && memcmp(id_at(seal, count - 1), audit_id, ID_LENGTH) >= 0)
        return damaged("the order of its rows", error);
    g_string_append_len(seal->ids, audit_id, ID_LENGTH);
    g_byte_array_append(seal->hashes, hash, DIGEST_SIZE);
    return true;
}

bool audit_seal_insert(DbUnit *unit, const AuditSeal *seal, GError **error) {
    size_t count = count_of(seal);
    if (count == 0)
        return true;
    g_autofree char *first = g_strndup(id_at(seal, 0), ID_LENGTH);
    DbStatement *statement = db_prepare(unit, "audit_seal_insert");
    db_bind_int(statement, "first_index", seal->first_index);
    db_bind_text(statement, "first_id", first);
    db_bind_text(statement, "last_id", id_at(seal, count - 1));
    db_bind_text(statement, "audit_ids", seal->ids->str);
    db_bind_blob(statement, "leaf_hashes", seal->hashes->data, seal->hashes->len);
    return db_exec(statement, error);
}

/* --- looking up ------------------------------------------------------------------------------- */

/* The statement's next row; *found_out is false behind the last. */
static bool read_seal(DbStatement *statement, AuditSeal *seal, bool *found_out, GError **error) {
    size_t size = 0;
    if (!db_step(statement, found_out, error))
        return false;
    if (!*found_out)
        return true;
    const char *ids = db_column_text(statement, 1);
    const void *hashes = db_column_blob(statement, 2, &size);
    if (size == 0 || size % DIGEST_SIZE != 0 || strlen(ids) != size / DIGEST_SIZE * ID_LENGTH)
        return damaged("the size of a seal", error);
    audit_seal_begin(seal, db_column_int(statement, 0));
    g_string_append(seal->ids, ids);
    g_byte_array_append(seal->hashes, hashes, (guint)size);
    return true;
}

static bool has_leaf(const AuditSeal *seal, int64_t leaf_index) {
    return leaf_index >= seal->first_index &&
           leaf_index - seal->first_index < (int64_t)count_of(seal);
}

/* Where the id stands; -1 when it does not. */
static int64_t place_of(const AuditSeal *seal, const char *audit_id) {
    size_t low = 0;
    size_t high = count_of(seal);
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strncmp(id_at(seal, middle), audit_id, ID_LENGTH);
        if (order == 0)
            return (int64_t)middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return -1;
}

bool audit_seal_find(DbUnit *unit, AuditSeal *seal, const char *audit_id, int64_t *index_out,
                     GError **error) {
    int64_t place = place_of(seal, audit_id);
    DbStatement *statement = NULL;
    bool found = place < 0;
    if (found) {
        statement = db_prepare(unit, "audit_seal_of_row");
        db_bind_text(statement, "audit_id", audit_id);
    }
    /* Seals of late rows may lie across the one that is looked for; there are few. */
    while (found && place < 0) {
        if (!read_seal(statement, seal, &found, error))
            return false;
        place = found ? place_of(seal, audit_id) : -1;
    }
    if (statement && found)
        db_reset(statement);
    *index_out = place < 0 ? -1 : seal->first_index + place;
    return true;
}

bool audit_seal_hash(DbUnit *unit, AuditSeal *seal, int64_t leaf_index, bool *found_out,
                     uint8_t hash_out[DIGEST_SIZE], GError **error) {
    if (!has_leaf(seal, leaf_index)) {
        DbStatement *statement = db_prepare(unit, "audit_seal_of_leaf");
        db_bind_int(statement, "leaf_index", leaf_index);
        if (!read_seal(statement, seal, found_out, error))
            return false;
        if (*found_out)
            db_reset(statement);
    }
    *found_out = has_leaf(seal, leaf_index);
    if (*found_out)
        memcpy(hash_out, seal->hashes->data + (leaf_index - seal->first_index) * DIGEST_SIZE,
               DIGEST_SIZE);
    return true;
}
