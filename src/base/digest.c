#include "base/digest.h"

#include "base/text.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct Digest {
    EVP_MD_CTX *context;
};

/* Fetched once: an implicit fetch for each hash costs more than hashing a small record. */
static EVP_MD *sha256;
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;

/* Each thread keeps a context for the one-shot forms: making one costs as much as what it hashes.
 */
static pthread_key_t context_key;

/* Hashing memory fails only when memory runs out or OpenSSL is misconfigured; nothing that relies
 * on a hash may go on without it. */
static void must(bool success) {
    if (!success)
        abort();
}

static void free_context(void *context) {
    EVP_MD_CTX_free(context);
}

static void fetch_sha256(void) {
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    must(sha256 != NULL && pthread_key_create(&context_key, free_context) == 0);
}

static const EVP_MD *algorithm(void) {
    must(pthread_once(&sha256_once, fetch_sha256) == 0);
    return sha256;
}

Digest *digest_new(void) {
    Digest *digest = g_new0(Digest, 1);
    digest->context = EVP_MD_CTX_new();
    must(digest->context != NULL && EVP_DigestInit_ex(digest->context, algorithm(), NULL) == 1);
    return digest;
}

void digest_free(Digest *digest) {
    if (digest == NULL)
        return;
    EVP_MD_CTX_free(digest->context);
    g_free(digest);
}

void digest_update(Digest *digest, const void *bytes, size_t size) {
    must(EVP_DigestUpdate(digest->context, bytes, size) == 1);
}

void digest_finish(Digest *digest, uint8_t out[DIGEST_SIZE]) {
    must(EVP_DigestFinal_ex(digest->context, out, NULL) == 1);
}

static EVP_MD_CTX *context_of_thread(void) {
    const EVP_MD *kind = algorithm();
    EVP_MD_CTX *context = pthread_getspecific(context_key);
    if (context) {
        must(EVP_DigestInit_ex(context, NULL, NULL) == 1);
        return context;
    }
    context = EVP_MD_CTX_new();
    must(context != NULL && EVP_DigestInit_ex(context, kind, NULL) == 1 &&
         pthread_setspecific(context_key, context) == 0);
    return context;
}

void digest_sha256_pieces(const DigestPiece *pieces, size_t count, uint8_t out[DIGEST_SIZE]) {
    EVP_MD_CTX *context = context_of_thread();
    for (size_t i = 0; i < count; i++)
        must(EVP_DigestUpdate(context, pieces[i].bytes, pieces[i].size) == 1);
    must(EVP_DigestFinal_ex(context, out, NULL) == 1);
}

void digest_sha256(const void *bytes, size_t size, uint8_t out[DIGEST_SIZE]) {
    digest_sha256_pieces(&(DigestPiece){bytes, size}, 1, out);
}

void digest_sha256_hex(const void *bytes, size_t size, char out[DIGEST_HEX_SIZE]) {
    uint8_t hash[DIGEST_SIZE];
    digest_sha256(bytes, size, hash);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    memcpy(out, hex, DIGEST_HEX_SIZE);
}

void digest_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        uint8_t out[DIGEST_SIZE]) {
    must(key_size <= INT_MAX);
    /* HMAC() takes a NULL key for "the key of before". */
    must(HMAC(algorithm(), key != NULL ? key : "", (int)key_size, bytes, size, out, NULL) != NULL);
}
