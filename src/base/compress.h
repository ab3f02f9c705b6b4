/* compress.h - zstd frames for evidence chunks and recorded responses.
 *
 * A Compressor is owned by one thread and reused; its level is 1 unless said otherwise (recorded
 * responses are many and short-lived in cache; level 1 costs a third of level 3 here).
 */
#pragma once

#include <glib.h>
#include <stddef.h>

typedef struct Compressor Compressor;

Compressor *compressor_new(void);
void compressor_free(Compressor *compressor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Compressor, compressor_free)

/* Compresses into a new byte array that the caller owns. */
GByteArray *compressor_pack(Compressor *compressor, const void *bytes, size_t size);

/* Restores a frame whose content is at most max_size bytes; ERROR_LIMIT beyond it, ERROR_DATABASE
 * when the frame is damaged. */
GByteArray *compressor_unpack(Compressor *compressor, const void *bytes, size_t size,
                              size_t max_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
