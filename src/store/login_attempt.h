/* login_attempt.h - how often logging in has failed, per user and per address.
 *
 * Each attempt is counted before the password is looked at, so that many at once cannot outrun the
 * counter: login_attempt_take() counts one against both keys, or refuses with ERROR_RATE_LIMITED
 * while one of them is locked. A right password forgets the user's failures and gives the address
 * its count back.
 *
 * After LOGIN_USER_FREE failures of a user, or LOGIN_ADDRESS_FREE of an address, the key is locked
 * for one second, doubling with each further failure up to LOGIN_LOCK_MAX_MS. Failures are
 * forgotten a day after the last one. Addresses that nobody has are counted alike, under a hash, so
 * that neither the answer nor its timing tells whether a user exists.
 */
#pragma once

#include "store/record.h"

#define LOGIN_USER_FREE 5
#define LOGIN_ADDRESS_FREE 50
#define LOGIN_LOCK_MAX_MS (15 * 60 * (int64_t)1000)
#define LOGIN_FORGET_MS (24 * 3600 * (int64_t)1000)

typedef struct {
    const char *email;   /* normal form; also of no user */
    const char *address; /* of the client; IPv6 is counted by its /64 */
} LoginSource;

/* Counts an attempt. ERROR_RATE_LIMITED, with how long to wait in *wait_ms_out (0 otherwise). */
bool login_attempt_take(DbUnit *unit, const LoginSource *source, int64_t *wait_ms_out,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The password was right. */
bool login_attempt_forgive(DbUnit *unit, const LoginSource *source,
                           GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Deletes what is older than LOGIN_FORGET_MS (scheduler, daily). */
bool login_attempt_prune(DbUnit *unit, GError **error) G_GNUC_WARN_UNUSED_RESULT;
