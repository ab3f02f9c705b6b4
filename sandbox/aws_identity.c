#include "sandbox/aws_identity.h"

#include "base/digest.h"
#include "base/text.h"

#include <string.h>

#define SESSION_KEY_PREFIX "ASIASANDBOX"
#define ROLE_ID "AROASANDBOXROLE000001"

struct AwsIdentities {
    char *role_arn;
    char *external_id;
    char *account;
    char *partition;
    int64_t session_seconds;
    AwsIdentity *base;
    GHashTable *by_key;  /* AwsIdentity by access key */
    GQueue *sessions;    /* AwsIdentity, the oldest first; owned by by_key */
    GHashTable *signing; /* AwsSigningKey by credential */
    uint64_t serial;
    uint64_t session_calls; /* of sessions that are gone */
};

static void identity_free(gpointer data) {
    AwsIdentity *identity = data;
    g_free(identity->access_key);
    g_free(identity->secret);
    g_free(identity->token);
    g_free(identity->arn);
    g_free(identity->id);
    g_free(identity);
}

static AwsIdentity *make_base(const AwsIdentityOptions *options) {
    AwsIdentity *base = g_new0(AwsIdentity, 1);
    base->access_key = g_strdup(options->access_key);
    base->secret = g_strdup(options->secret);
    base->token = g_strdup(options->token);
    base->id = g_strdup("AIDASANDBOXAUDITOR001");
    base->arn =
        g_strdup_printf("arn:%s:iam::%s:user/assay-auditor", options->partition, options->account);
    return base;
}

AwsIdentities *aws_identities_new(const AwsIdentityOptions *options) {
    AwsIdentities *identities = g_new0(AwsIdentities, 1);
    identities->role_arn = g_strdup(options->role_arn);
    identities->external_id = g_strdup(options->external_id);
    identities->account = g_strdup(options->account);
    identities->partition = g_strdup(options->partition);
    identities->session_seconds = options->session_seconds;
    identities->by_key = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, identity_free);
    identities->sessions = g_queue_new();
    identities->signing = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    identities->base = make_base(options);
    g_hash_table_insert(identities->by_key, identities->base->access_key, identities->base);
    return identities;
}

void aws_identities_free(AwsIdentities *identities) {
    if (identities != NULL) {
        g_free(identities->role_arn);
        g_free(identities->external_id);
        g_free(identities->account);
        g_free(identities->partition);
        g_queue_free(identities->sessions);
        g_hash_table_unref(identities->by_key);
        g_hash_table_unref(identities->signing);
        g_free(identities);
    }
}

static void drop_session(AwsIdentities *identities) {
    AwsIdentity *oldest = g_queue_pop_head(identities->sessions);
    if (oldest != NULL) {
        identities->session_calls += oldest->calls;
        g_hash_table_remove(identities->by_key, oldest->access_key);
    }
}

void aws_identities_reset(AwsIdentities *identities) {
    while (!g_queue_is_empty(identities->sessions)) {
        drop_session(identities);
    }
    g_hash_table_remove_all(identities->signing);
    identities->base->calls = 0;
    identities->session_calls = 0;
}

AwsIdentity *aws_identity_find(AwsIdentities *identities, const char *access_key) {
    return g_hash_table_lookup(identities->by_key, access_key);
}

const AwsSigningKey *aws_identity_key(AwsIdentities *identities, const AwsIdentity *identity,
                                      const char *credential, const AwsScope *scope) {
    AwsSigningKey *key = g_hash_table_lookup(identities->signing, credential);
    if (key == NULL) {
        if (g_hash_table_size(identities->signing) >= AWS_CREDENTIALS_MAX) {
            g_hash_table_remove_all(identities->signing);
        }
        key = g_new0(AwsSigningKey, 1);
        aws_signing_key(identity->secret, scope, key);
        g_hash_table_insert(identities->signing, g_strdup(credential), key);
    }
    return key;
}

bool aws_role_trusts(const AwsIdentities *identities, const char *role_arn,
                     const char *external_id) {
    return identities->role_arn != NULL && strcmp(identities->role_arn, role_arn) == 0 &&
           (identities->external_id == NULL ||
            g_strcmp0(identities->external_id, external_id) == 0);
}

/* Text that follows from the number of the session alone, and is none that could be guessed to be
 * somebody's. */
static char *made_up(uint64_t serial, const char *purpose, bool longer) {
    uint8_t hash[2 * DIGEST_SIZE];
    g_autofree char *seed = g_strdup_printf("assay-sandbox %s %" G_GUINT64_FORMAT, purpose, serial);
    digest_sha256(seed, strlen(seed), hash);
    digest_sha256(hash, DIGEST_SIZE, hash + DIGEST_SIZE);
    return text_base64url(hash, longer ? sizeof(hash) : 30);
}

const AwsIdentity *aws_role_assume(AwsIdentities *identities, const char *session_name,
                                   int64_t seconds, int64_t now_ms) {
    const char *slash = strrchr(identities->role_arn, '/');
    const char *role = slash == NULL ? identities->role_arn : slash + 1;
    int64_t lives = identities->session_seconds > 0 ? identities->session_seconds : seconds;
    uint64_t serial = ++identities->serial;
    if (identities->sessions->length >= AWS_SESSIONS_MAX) {
        drop_session(identities);
    }
    AwsIdentity *session = g_new0(AwsIdentity, 1);
    session->access_key =
        g_strdup_printf(SESSION_KEY_PREFIX "%09" G_GINT64_MODIFIER "u", serial % 1000000000);
    session->secret = made_up(serial, "secret", false);
    session->token = made_up(serial, "token", true);
    session->arn = g_strdup_printf("arn:%s:sts::%s:assumed-role/%s/%s", identities->partition,
                                   identities->account, role, session_name);
    session->id = g_strdup_printf(ROLE_ID ":%s", session_name);
    session->expires_ms = now_ms + lives * 1000;
    session->session = true;
    g_hash_table_replace(identities->by_key, session->access_key, session);
    g_queue_push_tail(identities->sessions, session);
    return session;
}

uint64_t aws_identity_calls(const AwsIdentities *identities, bool session) {
    if (!session) {
        return identities->base->calls;
    }
    uint64_t calls = identities->session_calls;
    for (const GList *at = identities->sessions->head; at != NULL; at = at->next) {
        calls += ((const AwsIdentity *)at->data)->calls;
    }
    return calls;
}
