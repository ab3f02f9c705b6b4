#include "store/idempotency.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/secmem.h"
#include "base/text.h"

#include <string.h>

#define SALT_SIZE 16

static const RecordColumn columns[] = {
    RECORD_COLUMN(Idempotency, actor, RECORD_TEXT, 0),
    RECORD_COLUMN(Idempotency, idempotency_key, RECORD_TEXT, 0),
    RECORD_COLUMN(Idempotency, salt, RECORD_BYTES, 0),
    RECORD_COLUMN(Idempotency, fingerprint, RECORD_TEXT, 0),
    RECORD_COLUMN(Idempotency, status, RECORD_INT, 0),
    RECORD_COLUMN(Idempotency, media, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Idempotency, body, RECORD_OPTIONAL, STORE_JSON_MAX),
    RECORD_COLUMN(Idempotency, created_at, RECORD_INT, 0),
    RECORD_COLUMN(Idempotency, expires_at, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Idempotency, "idempotency key", columns);

void idempotency_free(Idempotency *idempotency) {
    g_free(idempotency);
}

static char *fingerprint_of(const void *salt, size_t salt_size, const IdempotencyKey *key) {
    g_autoptr(Digest) digest = digest_new();
    uint8_t hash[DIGEST_SIZE];
    digest_update(digest, salt, salt_size);
    digest_update(digest, key->request, key->request_size);
    digest_finish(digest, hash);
    return text_hex(hash, sizeof hash);
}

static void bind_key(DbStatement *statement, const char *actor, const char *key) {
    db_bind_text(statement, "actor", actor);
    db_bind_text(statement, "key", key);
}

/* Nobody reads the key again, and callers make it of what they like. */
static void bind_hash(DbStatement *statement, const IdempotencyKey *key) {
    char hash[DIGEST_HEX_SIZE];
    digest_sha256_hex(key->key, strlen(key->key), hash);
    bind_key(statement, key->actor, hash);
}

static bool check_key(const IdempotencyKey *key, GError **error) {
    size_t length = strlen(key->key);
    if (length > 0 && length <= IDEMPOTENCY_KEY_MAX)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_USAGE,
                "An idempotency key has 1 to %d characters; a UUID is a good one.",
                IDEMPOTENCY_KEY_MAX);
    return false;
}

static IdempotencyState state_of(const Idempotency *stored, const IdempotencyKey *key) {
    g_autofree char *asked = fingerprint_of(stored->salt.bytes, stored->salt.size, key);
    if (strcmp(asked, stored->fingerprint) != 0)
        return IDEMPOTENCY_OTHER;
    return stored->status == 0 ? IDEMPOTENCY_BUSY : IDEMPOTENCY_KEPT;
}

bool idempotency_begin(DbUnit *unit, const IdempotencyKey *key, IdempotencyState *state_out,
                       Idempotency **stored_out, GError **error) {
    uint8_t salt[SALT_SIZE];
    int64_t now = clock_now_ms();
    secmem_random(salt, sizeof salt);
    g_autofree char *fingerprint = fingerprint_of(salt, sizeof salt, key);
    if (!check_key(key, error))
        return false;
    DbStatement *begin = db_prepare(unit, "idempotency_begin");
    bind_hash(begin, key);
    db_bind_blob(begin, "salt", salt, sizeof salt);
    db_bind_text(begin, "fingerprint", fingerprint);
    db_bind_int(begin, "now", now);
    db_bind_int(begin, "expires_at", now + IDEMPOTENCY_HOLD_MS);
    if (!db_exec(begin, error))
        return false;
    bool taken = db_changes(unit) > 0;
    DbStatement *get = db_prepare(unit, "idempotency_get");
    bind_hash(get, key);
    if (!record_must(get, &shape, stored_out, error))
        return false;
    *state_out = taken ? IDEMPOTENCY_NEW : state_of(*stored_out, key);
    return true;
}

bool idempotency_keep(DbUnit *unit, const Idempotency *begun, const IdempotencyAnswer *answer,
                      GError **error) {
    if (answer->body && strlen(answer->body) > STORE_JSON_MAX)
        return idempotency_forget(unit, begun, error);
    DbStatement *statement = db_prepare(unit, "idempotency_keep");
    bind_key(statement, begun->actor, begun->idempotency_key);
    db_bind_int(statement, "created_at", begun->created_at);
    db_bind_int(statement, "status", answer->status);
    db_bind_text(statement, "media", answer->media);
    db_bind_text(statement, "body", answer->body);
    db_bind_int(statement, "expires_at", clock_now_ms() + IDEMPOTENCY_KEEP_MS);
    return db_exec(statement, error);
}

bool idempotency_forget(DbUnit *unit, const Idempotency *begun, GError **error) {
    DbStatement *statement = db_prepare(unit, "idempotency_forget");
    bind_key(statement, begun->actor, begun->idempotency_key);
    db_bind_int(statement, "created_at", begun->created_at);
    return db_exec(statement, error);
}

bool idempotency_prune(DbUnit *unit, GError **error) {
    DbStatement *statement = db_prepare(unit, "idempotency_prune");
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}
