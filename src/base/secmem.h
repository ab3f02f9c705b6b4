/* secmem.h - memory for secrets (libsodium inside).
 *
 * A Secret owns bytes that live in one guarded arena (locked when used, between guard pages,
 * left out of core dumps) and are wiped when it is freed. It has no print function; its log form
 * is SECRET_MASK. Only vault/ makes Secrets from sealed bytes and only connect/ and vault/ read
 * them through secret_bytes(); everybody else passes the pointer on.
 *
 * secmem_start() is called once by main before any thread starts; it makes the process undumpable
 * (prctl PR_SET_DUMPABLE 0, RLIMIT_CORE 0) and allocates the arena.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define SECRET_MASK "[secret]"
#define SECRET_MAX 65536 /* largest secret, in bytes */

typedef struct Secret Secret;

bool secmem_start(GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A new secret with a copy of the bytes (a NUL is kept behind them for text use). ERROR_LIMIT when
 * larger than SECRET_MAX or when the arena is full. */
Secret *secret_new(const void *bytes, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* As secret_new, and wipes the source. */
Secret *secret_take(void *bytes, size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Random bytes from the kernel. */
Secret *secret_random(size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* A secret of this size that the caller fills through secret_room() before anybody else sees it, so
 * that decrypted bytes never stand in ordinary memory. It begins as zeros. */
Secret *secret_blank(size_t size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
unsigned char *secret_room(Secret *secret);

/* The value of an environment variable, which is overwritten in place and then unset; NULL without
 * error when it is not set. */
Secret *secret_from_environment(const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

Secret *secret_ref(Secret *secret);
void secret_free(Secret *secret); /* drops one reference; wipes with the last; NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Secret, secret_free)

/* Borrowed views; the text is NUL-terminated. */
const unsigned char *secret_bytes(const Secret *secret);
const char *secret_text(const Secret *secret);
size_t secret_size(const Secret *secret);

/* Compares in time that depends on the lengths only. */
bool secmem_equal(const void *a, size_t a_size, const void *b, size_t b_size);

/* Overwrites memory in a way that the compiler keeps. */
void secmem_wipe(void *bytes, size_t size);

/* Fills out with random bytes (not secret by itself: nonces, salts, jitter seeds). */
void secmem_random(void *out, size_t size);

/* For memory that held secrets but is managed by GLib: wipes, then g_free. NULL allowed. */
void secmem_free_text(char *text);
