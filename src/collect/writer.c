#include "collect/writer.h"

#include "base/compress.h"
#include "base/error.h"
#include "base/id.h"
#include "base/text.h"

#include <string.h>

#define OPENING "{\"details\":["

typedef struct {
    Writer *writer;
    int64_t seq;
    int64_t raw_size;
    GByteArray *packed;
} Chunk;

struct Writer {
    UnitPlace place;
    const char *job_id;
    const JobLease *lease;
    char id[ID_SIZE];
    char sha256[DIGEST_HEX_SIZE];
    Digest *digest;
    Compressor *compressor;
    GString *filling;
    int64_t next_seq;
    unsigned backlog;
    uint64_t rows;
    uint64_t size;
    GError *error;
    NetCall wake;
    void *wake_data;
};

Writer *writer_new(const UnitPlace *place, const char *job_id, const JobLease *lease) {
    Writer *writer = g_new0(Writer, 1);
    writer->place = *place;
    writer->job_id = job_id;
    writer->lease = lease;
    id_write(writer->id);
    writer->digest = digest_new();
    writer->compressor = compressor_new();
    writer->filling = g_string_sized_new(DOCUMENT_CHUNK_RAW);
    g_string_append(writer->filling, OPENING);
    return writer;
}

void writer_free(Writer *writer) {
    if (!writer)
        return;
    while (writer->backlog > 0 && net_client_step(writer->place.client, -1, NULL))
        continue;
    digest_free(writer->digest);
    compressor_free(writer->compressor);
    g_string_free(writer->filling, TRUE);
    g_clear_error(&writer->error);
    g_free(writer);
}

void writer_watch(Writer *writer, NetCall wake, void *data) {
    writer->wake = wake;
    writer->wake_data = data;
}

static bool chunk_work(DbUnit *unit, void *data, GError **error) {
    Chunk *chunk = data;
    Writer *writer = chunk->writer;
    if (writer->lease && !job_guard(unit, writer->lease, error))
        return false;
    if (chunk->seq == 0 && !document_begin(unit, writer->id, writer->job_id, error))
        return false;
    DocumentChunk row = {.seq = chunk->seq,
                         .raw_size = chunk->raw_size,
                         .bytes = {chunk->packed->data, chunk->packed->len}};
    return document_append_chunk(unit, writer->id, &row, error);
}

static void chunk_done(void *data, const GError *error) {
    Chunk *chunk = data;
    Writer *writer = chunk->writer;
    writer->backlog--;
    if (error && !writer->error)
        writer->error = g_error_copy(error);
    g_byte_array_unref(chunk->packed);
    g_free(chunk);
    if (writer->wake)
        writer->wake(writer->wake_data);
}

static void submit_chunk(Writer *writer, const char *bytes, size_t size) {
    digest_update(writer->digest, bytes, size);
    writer->size += size;
    Chunk *chunk = g_new0(Chunk, 1);
    chunk->writer = writer;
    chunk->seq = writer->next_seq++;
    chunk->raw_size = (int64_t)size;
    chunk->packed = compressor_pack(writer->compressor, bytes, size);
    writer->backlog++;
    unit_submit(&writer->place, DB_WRITE, chunk_work, chunk_done, chunk);
}

static void submit_full_chunks(Writer *writer) {
    GString *filling = writer->filling;
    size_t done = 0;
    while (filling->len - done >= DOCUMENT_CHUNK_RAW) {
        submit_chunk(writer, filling->str + done, DOCUMENT_CHUNK_RAW);
        done += DOCUMENT_CHUNK_RAW;
    }
    if (done > 0)
        g_string_erase(filling, 0, (gssize)done);
}

void writer_row(Writer *writer, const char *json, size_t size) {
    if (writer->rows++ > 0)
        g_string_append_c(writer->filling, ',');
    g_string_append_len(writer->filling, json, (gssize)size);
    submit_full_chunks(writer);
}

void writer_end(Writer *writer, const char *members, size_t size) {
    g_string_append_c(writer->filling, ']');
    if (size > 0) {
        g_string_append_c(writer->filling, ',');
        g_string_append_len(writer->filling, members, (gssize)size);
    }
    g_string_append_c(writer->filling, '}');
    submit_full_chunks(writer);
    if (writer->filling->len > 0)
        submit_chunk(writer, writer->filling->str, writer->filling->len);
    g_string_truncate(writer->filling, 0);
    uint8_t hash[DIGEST_SIZE];
    digest_finish(writer->digest, hash);
    g_autofree char *hex = text_hex(hash, sizeof hash);
    g_strlcpy(writer->sha256, hex, sizeof writer->sha256);
}

unsigned writer_backlog(const Writer *writer) {
    return writer->backlog;
}

const GError *writer_error(const Writer *writer) {
    return writer->error;
}

uint64_t writer_rows(const Writer *writer) {
    return writer->rows;
}

DocumentEnd writer_document(const Writer *writer) {
    return (DocumentEnd){.id = writer->id, .sha256 = writer->sha256, .size = (int64_t)writer->size};
}
