/* digest.h - SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104), by OpenSSL.
 *
 * A Digest is an incremental hash; digest_finish() may be called once.
 */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

#define DIGEST_SIZE 32
#define DIGEST_HEX_SIZE 65 /* 64 digits and the final NUL */

typedef struct Digest Digest;

Digest *digest_new(void);
void digest_free(Digest *digest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Digest, digest_free)

void digest_update(Digest *digest, const void *bytes, size_t size);
void digest_finish(Digest *digest, uint8_t out[DIGEST_SIZE]);

/* One-shot forms; the hash of several pieces is that of the bytes one after the other. */
typedef struct {
    const void *bytes;
    size_t size;
} DigestPiece;

void digest_sha256_pieces(const DigestPiece *pieces, size_t count, uint8_t out[DIGEST_SIZE]);
void digest_sha256(const void *bytes, size_t size, uint8_t out[DIGEST_SIZE]);
void digest_sha256_hex(const void *bytes, size_t size, char out[DIGEST_HEX_SIZE]);
void digest_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        uint8_t out[DIGEST_SIZE]);
