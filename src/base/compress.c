#include "base/compress.h"

#include "base/error.h"

#include <limits.h>
#include <stdint.h>
#include <zstd.h>

struct Compressor {
    ZSTD_CCtx *pack;
    ZSTD_DCtx *unpack;
};

Compressor *compressor_new(void) {
    Compressor *compressor = g_new0(Compressor, 1);
    compressor->pack = ZSTD_createCCtx();
    compressor->unpack = ZSTD_createDCtx();
    g_assert(compressor->pack != NULL && compressor->unpack != NULL);
    ZSTD_CCtx_setParameter(compressor->pack, ZSTD_c_compressionLevel, 1);
    ZSTD_CCtx_setParameter(compressor->pack, ZSTD_c_checksumFlag, 1);
    return compressor;
}

void compressor_free(Compressor *compressor) {
    if (compressor == NULL)
        return;
    ZSTD_freeCCtx(compressor->pack);
    ZSTD_freeDCtx(compressor->unpack);
    g_free(compressor);
}

GByteArray *compressor_pack(Compressor *compressor, const void *bytes, size_t size) {
    size_t bound = ZSTD_compressBound(size);
    g_assert(!ZSTD_isError(bound) && bound <= G_MAXUINT);
    GByteArray *out = g_byte_array_sized_new((guint)bound);
    g_byte_array_set_size(out, (guint)bound);
    size_t packed = ZSTD_compress2(compressor->pack, out->data, bound, bytes, size);
    /* The buffer has the bound's size and the level is valid: only memory can be missing. */
    g_assert(!ZSTD_isError(packed));
    g_byte_array_set_size(out, (guint)packed);
    return out;
}

static GByteArray *damaged(GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "A stored compressed block is damaged; restore it from a backup.");
    return NULL;
}

GByteArray *compressor_unpack(Compressor *compressor, const void *bytes, size_t size,
                              size_t max_size, GError **error) {
    unsigned long long content = ZSTD_getFrameContentSize(bytes, size);
    if (content == ZSTD_CONTENTSIZE_ERROR || content == ZSTD_CONTENTSIZE_UNKNOWN)
        return damaged(error);
    if (content > max_size || content > G_MAXUINT) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                    "A compressed block holds %llu bytes, more than the %zu allowed here.", content,
                    max_size);
        return NULL;
    }
    g_autoptr(GByteArray) out = g_byte_array_sized_new((guint)content);
    g_byte_array_set_size(out, (guint)content);
    size_t unpacked =
        ZSTD_decompressDCtx(compressor->unpack, out->data, (size_t)content, bytes, size);
    if (ZSTD_isError(unpacked) || unpacked != content)
        return damaged(error);
    return g_steal_pointer(&out);
}
