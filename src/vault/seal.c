#include "vault/seal.h"

#include "base/digest.h"
#include "base/error.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define SEAL_VERSION "v1"
#define AAD_VERSION 1
#define IV_SIZE 12 /* the length GCM is made for: SP 800-38D section 5.2.1.1 */
#define TAG_SIZE 16

/* Four thirds of the largest secret, and ample room for the other parts. */
#define SEALED_MAX (SECRET_MAX / 3 * 4 + 256)

struct DataKey {
    atomic_uint references;
    Secret *bytes;
    char id[DATA_KEY_ID_SIZE];
};

enum { PART_VERSION, PART_KEY_ID, PART_IV, PART_TAG, PART_CIPHERTEXT, PARTS };

/* What sealed text holds, decoded. */
typedef struct {
    uint8_t iv[IV_SIZE];
    uint8_t tag[TAG_SIZE];
    uint8_t *ciphertext; /* owned */
    size_t size;
} Sealed;

static EVP_CIPHER *aes_256_gcm;
static pthread_once_t fetch_once = PTHREAD_ONCE_INIT;

static void sealed_clear(Sealed *sealed) {
    g_clear_pointer(&sealed->ciphertext, g_free);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Sealed, sealed_clear)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

static void fetch_cipher(void) {
    aes_256_gcm = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
    g_assert(aes_256_gcm != NULL);
}

void seal_prepare(void) {
    uint8_t nothing[DIGEST_SIZE];
    pthread_once(&fetch_once, fetch_cipher);
    digest_sha256("", 0, nothing);
}

DataKey *data_key_new(Secret *bytes, const char *purpose, GError **error) {
    if (secret_size(bytes) != DATA_KEY_SIZE) {
        g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                    "A key of %zu bytes was given where %d are needed.", secret_size(bytes),
                    DATA_KEY_SIZE);
        return NULL;
    }
    static const char domain[] = "assay key id 1";
    uint8_t hash[DIGEST_SIZE];
    g_autoptr(Digest) digest = digest_new();
    digest_update(digest, domain, sizeof domain);
    digest_update(digest, purpose, strlen(purpose) + 1);
    digest_update(digest, secret_bytes(bytes), secret_size(bytes));
    digest_finish(digest, hash);
    g_autofree char *hex = text_hex(hash, (DATA_KEY_ID_SIZE - 1) / 2);

    DataKey *key = g_new0(DataKey, 1);
    atomic_init(&key->references, 1);
    key->bytes = secret_ref(bytes);
    memcpy(key->id, hex, DATA_KEY_ID_SIZE);
    return key;
}

DataKey *data_key_ref(DataKey *key) {
    atomic_fetch_add(&key->references, 1);
    return key;
}

void data_key_free(DataKey *key) {
    if (key == NULL || atomic_fetch_sub(&key->references, 1) > 1)
        return;
    secret_free(key->bytes);
    g_free(key);
}

const char *data_key_id(const DataKey *key) {
    return key->id;
}

Secret *data_key_bytes(const DataKey *key) {
    return key->bytes;
}

static void append_part(GByteArray *out, const void *bytes, size_t size) {
    uint32_t length = GUINT32_TO_BE((uint32_t)size);
    g_byte_array_append(out, (const guint8 *)&length, sizeof length);
    g_byte_array_append(out, bytes, (guint)size);
}

static void append_text(GByteArray *out, const char *text) {
    append_part(out, text != NULL ? text : "", text != NULL ? strlen(text) : 0);
}

static void append_number(GByteArray *out, int64_t number) {
    uint64_t bytes = GUINT64_TO_BE((uint64_t)number);
    append_part(out, &bytes, sizeof bytes);
}

/* Every part with its length before it, so that no two places have the same bytes. */
static GByteArray *associated_data(const DataKey *key, const SealContext *context) {
    GByteArray *out = g_byte_array_new();
    g_byte_array_append(out, &(const guint8){AAD_VERSION}, 1);
    append_text(out, context->organization_id);
    append_text(out, context->integration_id);
    append_text(out, context->credential_id);
    append_text(out, context->field);
    append_number(out, context->version);
    append_number(out, context->expires_at);
    append_text(out, key->id);
    return out;
}

/* A context with key, nonce and associated data in place. Nothing of it depends on hostile input:
 * OpenSSL can only run out of memory here. */
static EVP_CIPHER_CTX *cipher_begin(const DataKey *key, const SealContext *context,
                                    const uint8_t iv[IV_SIZE], bool encrypt) {
    pthread_once(&fetch_once, fetch_cipher);
    g_autoptr(GByteArray) aad = associated_data(key, context);
    EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
    int ignored;
    bool ready =
        cipher != NULL &&
        EVP_CipherInit_ex2(cipher, aes_256_gcm, secret_bytes(key->bytes), iv, encrypt, NULL) == 1 &&
        EVP_CipherUpdate(cipher, NULL, &ignored, aad->data, (int)aad->len) == 1;
    g_assert(ready);
    return cipher;
}

bool seal_secret(const DataKey *key, const SealContext *context, const Secret *secret,
                 char **sealed_out, GError **error) {
    uint8_t iv[IV_SIZE], tag[TAG_SIZE];
    size_t size = secret_size(secret);
    g_autofree uint8_t *ciphertext = g_malloc(size + 1);
    secmem_random(iv, sizeof iv);
    g_autoptr(EVP_CIPHER_CTX) cipher = cipher_begin(key, context, iv, true);
    int written, rest;
    if (EVP_CipherUpdate(cipher, ciphertext, &written, secret_bytes(secret), (int)size) != 1 ||
        EVP_CipherFinal_ex(cipher, ciphertext + written, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) != 1) {
        g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO, "OpenSSL did not seal a secret; try again.");
        return false;
    }
    g_autofree char *iv_text = text_base64url(iv, sizeof iv);
    g_autofree char *tag_text = text_base64url(tag, sizeof tag);
    g_autofree char *text = text_base64url(ciphertext, size);
    *sealed_out = g_strjoin(".", SEAL_VERSION, key->id, iv_text, tag_text, text, NULL);
    return true;
}

static bool refuse(GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "A sealed secret was altered or moved from its place, so it stays closed; restore "
                "the database from a backup or enter the secret again.");
    return false;
}

static bool refuse_key(const char *sealed_with, const DataKey *key, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CRYPTO,
                "A secret was sealed with key %s, and the key at hand is %s; start with the "
                "encryption key that was in use when it was stored.",
                sealed_with, key->id);
    return false;
}

/* Decodes base64url in its one canonical spelling: altered text must not mean the same bytes. */
static bool decode(const char *text, uint8_t **bytes_out, size_t *size_out) {
    return strpbrk(text, "+/=") == NULL && text_unbase64(text, strlen(text), bytes_out, size_out);
}

static bool decode_exactly(const char *text, uint8_t *out, size_t size) {
    g_autofree uint8_t *bytes = NULL;
    size_t got;
    if (!decode(text, &bytes, &got) || got != size)
        return false;
    memcpy(out, bytes, size);
    return true;
}

static bool is_key_id(const char *text) {
    return strlen(text) == DATA_KEY_ID_SIZE - 1 &&
           strspn(text, "0123456789abcdef") == DATA_KEY_ID_SIZE - 1;
}

static bool sealed_parse(const DataKey *key, const char *text, Sealed *sealed_out, GError **error) {
    if (strnlen(text, SEALED_MAX + 1) > SEALED_MAX)
        return refuse(error);
    g_auto(GStrv) parts = g_strsplit(text, ".", PARTS + 1);
    if (g_strv_length(parts) != PARTS || strcmp(parts[PART_VERSION], SEAL_VERSION) != 0 ||
        !is_key_id(parts[PART_KEY_ID]))
        return refuse(error);
    if (strcmp(parts[PART_KEY_ID], key->id) != 0)
        return refuse_key(parts[PART_KEY_ID], key, error);
    if (!decode_exactly(parts[PART_IV], sealed_out->iv, IV_SIZE) ||
        !decode_exactly(parts[PART_TAG], sealed_out->tag, TAG_SIZE) ||
        !decode(parts[PART_CIPHERTEXT], &sealed_out->ciphertext, &sealed_out->size) ||
        sealed_out->size > SECRET_MAX)
        return refuse(error);
    return true;
}

/* Decrypts into out; true only when the tag is right. */
static bool decrypt(const DataKey *key, const SealContext *context, Sealed *sealed,
                    unsigned char *out) {
    g_autoptr(EVP_CIPHER_CTX) cipher = cipher_begin(key, context, sealed->iv, false);
    int written, rest;
    return EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG_SIZE, sealed->tag) == 1 &&
           EVP_CipherUpdate(cipher, out, &written, sealed->ciphertext, (int)sealed->size) == 1 &&
           EVP_CipherFinal_ex(cipher, out + written, &rest) == 1;
}

bool seal_open(const DataKey *key, const SealContext *context, const char *sealed,
               Secret **secret_out, GError **error) {
    g_auto(Sealed) parsed = {0};
    if (!sealed_parse(key, sealed, &parsed, error))
        return false;
    g_autoptr(Secret) secret = secret_blank(parsed.size, error);
    if (secret == NULL)
        return false;
    if (!decrypt(key, context, &parsed, secret_room(secret)))
        return refuse(error);
    *secret_out = g_steal_pointer(&secret);
    return true;
}
