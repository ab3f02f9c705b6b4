#include "store/document_reader.h"

#include "base/compress.h"
#include "store/document.h"

typedef struct {
    const char *document_id;
    int64_t seq;
    DocumentChunk *chunk;
} ChunkRead;

static bool chunk_work(DbUnit *unit, void *data, GError **error) {
    ChunkRead *read = data;
    g_clear_pointer(&read->chunk, document_chunk_free);
    return document_read_chunk(unit, read->document_id, read->seq, &read->chunk, error);
}

static bool give(Compressor *compressor, const DocumentChunk *chunk, DocumentTake take, void *data,
                 GError **error) {
    g_autoptr(GByteArray) raw = compressor_unpack(compressor, chunk->bytes.bytes, chunk->bytes.size,
                                                  DOCUMENT_CHUNK_RAW, error);
    return raw && take((const char *)raw->data, raw->len, data, error);
}

bool document_each(Db *db, const DbScope *scope, const char *document_id, DocumentTake take,
                   void *data, GError **error) {
    g_autoptr(Compressor) compressor = compressor_new();
    ChunkRead read = {.document_id = document_id};
    bool ok = true;
    for (; ok; read.seq++) {
        ok = db_run(db, scope, DB_READ, chunk_work, &read, error);
        if (!ok || !read.chunk)
            break;
        ok = give(compressor, read.chunk, take, data, error);
    }
    document_chunk_free(read.chunk);
    return ok;
}
