#include "vault/password.h"

#include "base/error.h"
#include "base/text.h"

#include <sodium.h>
#include <string.h>

/* RFC 9106 section 4 recommends 64 MiB where 2 GiB are too much. */
static const PasswordCost own_cost = {.passes = 2, .bytes = (size_t)64 * 1024 * 1024};

static PasswordCost cost_or_own(const PasswordCost *cost) {
    return cost && cost->bytes ? *cost : own_cost;
}

/* --- what may be a password ------------------------------------------------------------------- */

static bool refuse(GError **error, const char *message) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION, message);
    return false;
}

static bool is_repetition(const char *text) {
    return text[strspn(text, (const char[]){text[0], '\0'})] == '\0';
}

/* Whether the password is the address, or what stands before its '@', over and over. */
static bool is_address(const char *text, const char *email) {
    size_t size = strcspn(email, "@");
    if (g_ascii_strcasecmp(text, email) == 0)
        return true;
    while (size > 0 && g_ascii_strncasecmp(text, email, size) == 0)
        text += size;
    return *text == '\0';
}

bool password_check(const Secret *password, const char *email, GError **error) {
    const char *text = secret_text(password);
    size_t size = secret_size(password);
    if (size > PASSWORD_MOST) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A password has at most %d bytes; choose a shorter one.", PASSWORD_MOST);
        return false;
    }
    if (!text_is_utf8(text, size))
        return refuse(error, "A password is text in UTF-8; choose another one.");
    if (g_utf8_strlen(text, (gssize)size) < PASSWORD_LEAST) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "A password has at least %d characters; choose a longer one.", PASSWORD_LEAST);
        return false;
    }
    if (is_repetition(text) || (email && is_address(text, email)))
        return refuse(error, "This password is easily guessed; choose another one.");
    return true;
}

/* --- hashing ---------------------------------------------------------------------------------- */

bool password_hash(const Secret *password, const PasswordCost *cost, char **hash_out,
                   GError **error) {
    PasswordCost used = cost_or_own(cost);
    char hash[crypto_pwhash_STRBYTES];
    if (crypto_pwhash_str(hash, secret_text(password), secret_size(password), used.passes,
                          used.bytes) != 0) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_LIMIT,
                            "There is not enough memory to hash a password; try again later.");
        return false;
    }
    *hash_out = g_strdup(hash);
    return true;
}

/* The same work with the same parameters as for a real hash. */
static void spend(const Secret *password, const PasswordCost *cost) {
    unsigned char key[32];
    static const unsigned char salt[crypto_pwhash_SALTBYTES] = {0};
    PasswordCost used = cost_or_own(cost);
    /* What comes of it does not matter, and neither whether it could be done. */
    (void)!crypto_pwhash(key, sizeof key, secret_text(password), secret_size(password), salt,
                         used.passes, used.bytes, crypto_pwhash_ALG_ARGON2ID13);
    sodium_memzero(key, sizeof key);
}

bool password_verify(const Secret *password, const char *hash, const PasswordCost *cost) {
    if (hash && *hash != '\0' && strlen(hash) < crypto_pwhash_STRBYTES)
        return crypto_pwhash_str_verify(hash, secret_text(password), secret_size(password)) == 0;
    spend(password, cost);
    return false;
}

bool password_is_outdated(const char *hash, const PasswordCost *cost) {
    PasswordCost used = cost_or_own(cost);
    return crypto_pwhash_str_needs_rehash(hash, used.passes, used.bytes) != 0;
}
