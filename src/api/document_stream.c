#include "api/document_stream.h"

#include "api/piece_stream.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/text.h"
#include "store/document.h"

#include <string.h>

typedef struct {
    Desk *desk;
    DbScope scope;
    char *organization;
    char *document_id;
    char *sha256;
    int64_t seq;
    DocumentChunk *chunk; /* of the last read */
    Digest *digest;
    Compressor *compressor;
} Source;

static void free_source(void *data) {
    Source *source = data;
    g_free(source->organization);
    g_free(source->document_id);
    g_free(source->sha256);
    document_chunk_free(source->chunk);
    digest_free(source->digest);
    compressor_free(source->compressor);
    g_free(source);
}

/* --- one piece -------------------------------------------------------------------------------- */

static bool read_work(DbUnit *unit, void *data, GError **error) {
    Source *source = data;
    g_clear_pointer(&source->chunk, document_chunk_free);
    return document_read_chunk(unit, source->document_id, source->seq, &source->chunk, error);
}

static bool check_hash(Source *source, GError **error) {
    uint8_t hash[DIGEST_SIZE];
    digest_finish(source->digest, hash);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    if (g_strcmp0(hex, source->sha256) == 0)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "stored data do not have the hash that was logged: they were damaged or "
                        "altered");
    return false;
}

/* The next chunk, or the end. */
static bool send_next(Stream *stream, void *data, GError **error) {
    Source *source = data;
    if (!db_run(source->desk->config.db, &source->scope, DB_READ, read_work, source, error))
        return false;
    if (!source->chunk) {
        if (!check_hash(source, error))
            return false;
        (void)stream_write_last(stream, "}", 1);
        return true;
    }
    const RecordBytes *bytes = &source->chunk->bytes;
    g_autoptr(GByteArray) raw =
        compressor_unpack(source->compressor, bytes->bytes, bytes->size, DOCUMENT_CHUNK_RAW, error);
    if (!raw)
        return false;
    source->seq++;
    digest_update(source->digest, raw->data, raw->len);
    (void)stream_write(stream, (const char *)raw->data, raw->len);
    return true;
}

/* --- the stream ------------------------------------------------------------------------------- */

Stream *document_stream(const DocumentStream *wish) {
    g_autofree char *object = json_print(wish->object, JSON_COMPACT);
    g_autoptr(GString) head = g_string_new_len(object, (gssize)strlen(object) - 1);
    Source *source = g_new0(Source, 1);
    source->desk = wish->desk;
    source->organization = g_strdup(wish->scope->organization);
    source->scope = (DbScope){.organization = source->organization, .actor = "api"};
    source->document_id = g_strdup(wish->document_id);
    source->sha256 = g_strdup(wish->sha256);
    source->digest = digest_new();
    source->compressor = compressor_new();
    PieceSource pieces = {.pool = source->desk->pool,
                          .make = send_next,
                          .data = source,
                          .free_data = free_source,
                          .failed = "document_not_sent",
                          .of_what = LOG_TEXT("document", source->document_id)};
    Stream *stream = piece_stream_new(&pieces);
    g_string_append(head, wish->document_id ? ",\"data\":" : ",\"data\":null}");
    if (wish->document_id)
        (void)stream_write(stream, head->str, head->len);
    else
        (void)stream_write_last(stream, head->str, head->len);
    return stream;
}
