/* key_check.h - whether the key-encryption key is the one that this database was sealed with.
 *
 * Every organization's data key is unwrapped, because a database may have been put together from
 * several.
 */
#pragma once

#include "db/db.h"
#include "vault/keyring.h"

typedef struct {
    int64_t organizations; /* with a data key */
    int64_t refused;       /* whose data key this key does not open */
    char *first;           /* the name of one of those; NULL: none */
} KeyCheck;

void key_check_clear(KeyCheck *check);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(KeyCheck, key_check_clear)

/* Only an error of the database is an error. */
bool key_check_run(Db *db, const Keyring *keyring, KeyCheck *check_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* ERROR_CRYPTO with what to do when a data key was refused. */
bool key_check_judge(const KeyCheck *check, GError **error) G_GNUC_WARN_UNUSED_RESULT;
