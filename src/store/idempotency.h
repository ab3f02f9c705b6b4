/* idempotency.h - answers to writes, kept under the key that the caller chose.
 *
 * idempotency_begin() takes the key for a request that is about to be handled; idempotency_keep()
 * stores its answer for IDEMPOTENCY_KEEP_MS, idempotency_forget() lets go of a key whose request
 * came to nothing and may be sent again. The same key again finds the stored answer. A handler that
 * died leaves its key taken for IDEMPOTENCY_HOLD_MS.
 *
 * What was asked is remembered as a salted hash, so that a key is not used for two different
 * requests; nothing of the request itself is stored, and of the key only a hash.
 */
#pragma once

#include "store/record.h"

#define IDEMPOTENCY_KEEP_MS (24 * 3600 * (int64_t)1000)
#define IDEMPOTENCY_HOLD_MS (5 * 60 * (int64_t)1000)
#define IDEMPOTENCY_KEY_MAX 200

typedef enum {
    IDEMPOTENCY_NEW,   /* go on, and keep or forget */
    IDEMPOTENCY_BUSY,  /* the same request is being handled */
    IDEMPOTENCY_OTHER, /* the key was used for another request */
    IDEMPOTENCY_KEPT   /* here is the answer */
} IdempotencyState;

typedef struct {
    const char *actor;
    const char *key;
    const void *request; /* what was asked, in one piece */
    size_t request_size;
} IdempotencyKey;

typedef struct {
    const char *actor;
    const char *idempotency_key; /* SHA-256 of it, hexadecimal */
    RecordBytes salt;
    const char *fingerprint;
    int64_t status; /* of the answer; 0: being handled */
    const char *media;
    const char *body; /* or NULL: empty */
    int64_t created_at;
    int64_t expires_at;
} Idempotency;

void idempotency_free(Idempotency *idempotency); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Idempotency, idempotency_free)

/* *stored_out is the row as it is now, whatever the state. */
bool idempotency_begin(DbUnit *unit, const IdempotencyKey *key, IdempotencyState *state_out,
                       Idempotency **stored_out, GError **error) G_GNUC_WARN_UNUSED_RESULT;

typedef struct {
    int64_t status;
    const char *media;
    const char *body; /* NULL: empty; an answer larger than STORE_JSON_MAX is not kept */
} IdempotencyAnswer;

/* begun is what idempotency_begin() gave; somebody else's key is left alone. */
bool idempotency_keep(DbUnit *unit, const Idempotency *begun, const IdempotencyAnswer *answer,
                      GError **error) G_GNUC_WARN_UNUSED_RESULT;
bool idempotency_forget(DbUnit *unit, const Idempotency *begun,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Removes what is over. */
bool idempotency_prune(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
