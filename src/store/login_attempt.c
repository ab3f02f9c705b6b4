#include "store/login_attempt.h"

#include "base/clock.h"
#include "base/digest.h"

#include <arpa/inet.h>
#include <string.h>

/* One second, doubled with every failure beyond the free ones. */
#define LOCK_FIRST_MS 1000
#define LOCK_DOUBLINGS 20 /* far beyond LOGIN_LOCK_MAX_MS */

/* A host of an IPv6 network may use all of its /64. */
#define IPV6_NETWORK 8

typedef struct {
    int64_t failures;
    int64_t last_at;
    int64_t locked_until;
} Count;

static const RecordColumn columns[] = {
    RECORD_COLUMN(Count, failures, RECORD_INT, 0),
    RECORD_COLUMN(Count, last_at, RECORD_INT, 0),
    RECORD_COLUMN(Count, locked_until, RECORD_INT, 0),
};
static const RecordShape shape = RECORD_SHAPE(Count, "login attempt", columns);

/* --- keys ------------------------------------------------------------------------------------- */

/* Hashed, because people type passwords into the field of the address. */
static char *user_key(const char *email) {
    char hex[DIGEST_HEX_SIZE];
    digest_sha256_hex(email ? email : "", email ? strlen(email) : 0, hex);
    return g_strconcat("user:", hex, NULL);
}

static char *address_key(const char *address) {
    unsigned char bytes[sizeof(struct in6_addr)];
    char network[INET6_ADDRSTRLEN];
    if (!address || inet_pton(AF_INET6, address, bytes) != 1 ||
        IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)bytes))
        return g_strdup_printf("address:%.*s", STORE_NAME_MAX / 2, address ? address : "");
    memset(bytes + IPV6_NETWORK, 0, sizeof bytes - IPV6_NETWORK);
    return g_strconcat("address:", inet_ntop(AF_INET6, bytes, network, sizeof network), NULL);
}

/* --- counts ----------------------------------------------------------------------------------- */

/* Reads the count and keeps it from others; what is old counts as nothing. */
static bool read_count(DbUnit *unit, const char *key, Count *count_out, GError **error) {
    DbStatement *begin = db_prepare(unit, "login_attempt_begin");
    db_bind_text(begin, "source", key);
    db_bind_int(begin, "now", clock_now_ms());
    if (!db_exec(begin, error))
        return false;
    g_autofree Count *count = NULL;
    DbStatement *get = db_prepare(unit, "login_attempt_get");
    db_bind_text(get, "source", key);
    if (!record_must(get, &shape, &count, error))
        return false;
    bool old = count->last_at + LOGIN_FORGET_MS <= clock_now_ms();
    *count_out = *count;
    if (old)
        *count_out = (Count){0};
    return true;
}

static bool write_count(DbUnit *unit, const char *key, const Count *count, GError **error) {
    DbStatement *statement = db_prepare(unit, "login_attempt_set");
    db_bind_text(statement, "source", key);
    db_bind_int(statement, "failures", count->failures);
    db_bind_int(statement, "locked_until", count->locked_until);
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}

/* How long a key is locked after this many failures. */
static int64_t lock_ms(int64_t failures, int64_t free_failures) {
    int64_t beyond = failures - free_failures;
    if (beyond < 0)
        return 0;
    return MIN((int64_t)LOCK_FIRST_MS << MIN(beyond, LOCK_DOUBLINGS), LOGIN_LOCK_MAX_MS);
}

static bool count_failure(DbUnit *unit, const char *key, int64_t free_failures, Count count,
                          GError **error) {
    count.failures++;
    count.locked_until = clock_now_ms() + lock_ms(count.failures, free_failures);
    return write_count(unit, key, &count, error);
}

bool login_attempt_take(DbUnit *unit, const LoginSource *source, int64_t *wait_ms_out,
                        GError **error) {
    g_autofree char *user = user_key(source->email);
    g_autofree char *address = address_key(source->address);
    Count of_user;
    Count of_address;
    *wait_ms_out = 0;
    /* Always in this order, so that two attempts do not wait for each other crosswise. */
    if (!read_count(unit, address, &of_address, error) || !read_count(unit, user, &of_user, error))
        return false;
    int64_t until = MAX(of_user.locked_until, of_address.locked_until);
    if (until > clock_now_ms()) {
        *wait_ms_out = until - clock_now_ms();
        g_set_error(error, ASSAY_ERROR, ERROR_RATE_LIMITED,
                    "There were too many failed attempts to log in; wait %" G_GINT64_FORMAT
                    " seconds.",
                    (*wait_ms_out + 999) / 1000);
        return false;
    }
    return count_failure(unit, address, LOGIN_ADDRESS_FREE, of_address, error) &&
           count_failure(unit, user, LOGIN_USER_FREE, of_user, error);
}

bool login_attempt_forgive(DbUnit *unit, const LoginSource *source, GError **error) {
    g_autofree char *user = user_key(source->email);
    g_autofree char *address = address_key(source->address);
    Count of_address;
    if (!read_count(unit, address, &of_address, error))
        return false;
    of_address.failures = MAX(of_address.failures - 1, 0);
    of_address.locked_until = 0;
    DbStatement *forget = db_prepare(unit, "login_attempt_forget");
    db_bind_text(forget, "source", user);
    return write_count(unit, address, &of_address, error) && db_exec(forget, error);
}

bool login_attempt_prune(DbUnit *unit, GError **error) {
    DbStatement *statement = db_prepare(unit, "login_attempt_prune");
    db_bind_int(statement, "before", clock_now_ms() - LOGIN_FORGET_MS);
    return db_exec(statement, error);
}
