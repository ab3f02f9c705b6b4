#include "collect/cassette.h"

#include "base/compress.h"
#include "base/error.h"
#include "base/text.h"
#include "store/journal.h"

#include <stdlib.h>
#include <string.h>

#define BATCH_SIZE (512 * 1024)             /* raw bytes that start a write */
#define BATCH_RAW_MAX (80U * 1024U * 1024U) /* a batch holds at least one answer, of any size */
#define RECORD_MAGIC 0x31534341U            /* "ACS1" */

/* A recording in a batch: this header, then its texts, each with a NUL behind it and of the given
 * size without it. Numbers are in the order of the machine, which is little endian on all that we
 * build for. */
typedef enum {
    PART_NODE,
    PART_METHOD,
    PART_URL,
    PART_ASKED,
    PART_ANSWERED,
    PART_MESSAGE,
    PART_HEADERS,
    PART_BODY,
    PARTS
} Part;

typedef struct {
    uint32_t magic;
    uint32_t size; /* of the whole recording, this header included */
    uint16_t status;
    uint8_t outcome;
    uint8_t then;
    uint32_t parts[PARTS];
} RecordHeader;

/* Where a recording is; sorted by (hash, batch, offset). */
typedef struct {
    uint64_t hash;
    uint32_t batch;
    uint32_t offset;
    bool used;
} Entry;

typedef struct {
    Cassette *cassette;
    GByteArray *packed;
    int64_t entries;
    int64_t raw_size;
} Write;

struct Cassette {
    CassetteConfig config;
    bool durable;
    Compressor *compressor;
    GArray *entries; /* Entry */
    bool sorted;
    uint32_t batches;    /* finished batches */
    GByteArray *filling; /* the batch being filled */
    unsigned filling_count;
    uint32_t loaded; /* number of the batch in loaded_bytes */
    GByteArray *loaded_bytes;
    GPtrArray *memory; /* GByteArray *: all batches of a cassette without a database */
    unsigned writes;   /* in flight */
    uint64_t count;
    uint8_t chain[DIGEST_SIZE];
    GError *error;
    NetCall wake;
    void *wake_data;
};

/* --- keys and the index ----------------------------------------------------------------------- */

static uint64_t key_hash(const CassetteKey *key) {
    const char *parts[] = {key->node, key->method, key->url, key->body ? key->body : ""};
    uint64_t hash = 0xcbf29ce484222325U; /* FNV-1a; entries are compared whole afterwards */
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        const char *c = parts[i];
        do
            hash = (hash ^ (uint8_t)*c) * 0x100000001b3U;
        while (*c++ != '\0');
    }
    return hash;
}

static int compare_entries(const void *a, const void *b) {
    const Entry *one = a;
    const Entry *two = b;
    if (one->hash != two->hash)
        return one->hash < two->hash ? -1 : 1;
    if (one->batch != two->batch)
        return one->batch < two->batch ? -1 : 1;
    return one->offset < two->offset ? -1 : one->offset > two->offset;
}

static guint lower_bound(const GArray *entries, uint64_t hash) {
    guint low = 0;
    guint high = entries->len;
    while (low < high) {
        guint middle = low + (high - low) / 2;
        if (g_array_index(entries, Entry, middle).hash < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool damaged(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "the recorded responses of this job are damaged; cancel the job and sync "
                        "again");
    return false;
}

/* Reads the header at offset and points parts at the texts. */
static bool read_record(const GByteArray *batch, uint32_t offset, RecordHeader *header_out,
                        const char *parts_out[PARTS], GError **error) {
    if (offset > batch->len || batch->len - offset < sizeof(RecordHeader))
        return damaged(error);
    RecordHeader header;
    memcpy(&header, batch->data + offset, sizeof header);
    uint64_t size = sizeof header;
    for (int part = 0; part < PARTS; part++)
        size += (uint64_t)header.parts[part] + 1;
    if (header.magic != RECORD_MAGIC || header.size != size || size > batch->len - offset)
        return damaged(error);
    const char *next = (const char *)batch->data + offset + sizeof header;
    for (int part = 0; part < PARTS; part++) {
        parts_out[part] = next;
        next += header.parts[part] + 1;
    }
    *header_out = header;
    return true;
}

static void chain_batch(Cassette *cassette, const void *bytes, size_t size) {
    uint8_t both[2 * DIGEST_SIZE];
    memcpy(both, cassette->chain, DIGEST_SIZE);
    digest_sha256(bytes, size, both + DIGEST_SIZE);
    digest_sha256(both, sizeof both, cassette->chain);
}

static bool index_batch(Cassette *cassette, const GByteArray *batch, GError **error) {
    uint32_t offset = 0;
    while (offset < batch->len) {
        RecordHeader header;
        const char *parts[PARTS];
        if (!read_record(batch, offset, &header, parts, error))
            return false;
        CassetteKey key = {parts[PART_NODE], parts[PART_METHOD], parts[PART_URL],
                           parts[PART_ASKED]};
        Entry entry = {.hash = key_hash(&key), .batch = cassette->batches, .offset = offset};
        g_array_append_val(cassette->entries, entry);
        cassette->count++;
        offset += header.size;
    }
    cassette->sorted = false;
    cassette->batches++;
    return true;
}

/* --- reading batches back --------------------------------------------------------------------- */

typedef struct {
    const char *job_id;
    int64_t batch;
    JournalBatch *row;
} BatchRead;

static bool read_work(DbUnit *unit, void *data, GError **error) {
    BatchRead *read = data;
    g_clear_pointer(&read->row, journal_batch_free);
    return journal_read(unit, read->job_id, read->batch, &read->row, error);
}

/* *row_out is NULL behind the last batch. */
static bool fetch_batch(Cassette *cassette, int64_t number, JournalBatch **row_out,
                        GError **error) {
    const CassetteConfig *config = &cassette->config;
    BatchRead read = {.job_id = config->lease.job_id, .batch = number};
    bool ok = db_run(config->place.db, &config->place.scope, DB_READ, read_work, &read, error);
    if (ok)
        *row_out = read.row;
    else
        journal_batch_free(read.row);
    return ok;
}

/* NULL when it is damaged. */
static GByteArray *unpack(Cassette *cassette, const JournalBatch *row, GError **error) {
    return compressor_unpack(cassette->compressor, row->bytes.bytes, row->bytes.size, BATCH_RAW_MAX,
                             error);
}

static bool load_batch(Cassette *cassette, uint32_t number, const GByteArray **batch_out,
                       GError **error) {
    if (!cassette->durable) {
        *batch_out = number < cassette->memory->len ? g_ptr_array_index(cassette->memory, number)
                                                    : cassette->filling;
        return true;
    }
    if (!cassette->loaded_bytes || cassette->loaded != number) {
        g_clear_pointer(&cassette->loaded_bytes, g_byte_array_unref);
        g_autoptr(JournalBatch) row = NULL;
        if (!fetch_batch(cassette, number, &row, error))
            return false;
        if (!row)
            return damaged(error);
        cassette->loaded_bytes = unpack(cassette, row, error);
        cassette->loaded = number;
        if (!cassette->loaded_bytes)
            return false;
    }
    *batch_out = cassette->loaded_bytes;
    return true;
}

/* --- life ------------------------------------------------------------------------------------- */

Cassette *cassette_new_in_memory(void) {
    Cassette *cassette = g_new0(Cassette, 1);
    cassette->compressor = compressor_new();
    cassette->entries = g_array_new(FALSE, FALSE, sizeof(Entry));
    cassette->filling = g_byte_array_new();
    cassette->memory = g_ptr_array_new_with_free_func((GDestroyNotify)g_byte_array_unref);
    return cassette;
}

bool cassette_open(const CassetteConfig *config, Cassette **cassette_out, GError **error) {
    g_autoptr(Cassette) cassette = cassette_new_in_memory();
    cassette->config = *config;
    cassette->durable = true;
    for (;;) {
        g_autoptr(JournalBatch) row = NULL;
        if (!fetch_batch(cassette, cassette->batches, &row, error))
            return false;
        if (!row)
            break;
        g_autoptr(GByteArray) batch = unpack(cassette, row, error);
        if (!batch || !index_batch(cassette, batch, error))
            return false;
        chain_batch(cassette, row->bytes.bytes, row->bytes.size);
    }
    *cassette_out = g_steal_pointer(&cassette);
    return true;
}

void cassette_free(Cassette *cassette) {
    if (!cassette)
        return;
    while (cassette->writes > 0 && net_client_step(cassette->config.place.client, -1, NULL))
        continue;
    compressor_free(cassette->compressor);
    g_array_unref(cassette->entries);
    g_byte_array_unref(cassette->filling);
    g_clear_pointer(&cassette->loaded_bytes, g_byte_array_unref);
    g_ptr_array_unref(cassette->memory);
    g_clear_error(&cassette->error);
    g_free(cassette);
}

void cassette_watch(Cassette *cassette, NetCall wake, void *data) {
    cassette->wake = wake;
    cassette->wake_data = data;
}

/* --- finding ---------------------------------------------------------------------------------- */

static bool same_key(const CassetteKey *key, const char *const parts[PARTS]) {
    return strcmp(key->node, parts[PART_NODE]) == 0 &&
           strcmp(key->method, parts[PART_METHOD]) == 0 && strcmp(key->url, parts[PART_URL]) == 0 &&
           strcmp(key->body ? key->body : "", parts[PART_ASKED]) == 0;
}

static void fill_recording(const RecordHeader *header, const char *const parts[PARTS],
                           Recording *recording_out) {
    *recording_out = (Recording){
        .status = header->status,
        .outcome = (Outcome)header->outcome,
        .then = (RespondThen)header->then,
        .url = parts[PART_ANSWERED],
        .message = parts[PART_MESSAGE],
        .headers = parts[PART_HEADERS],
        .body = parts[PART_BODY],
        .body_size = header->parts[PART_BODY],
    };
}

bool cassette_find(Cassette *cassette, const CassetteKey *key, bool *found_out,
                   Recording *recording_out, GError **error) {
    *found_out = false;
    if (cassette->entries->len == 0)
        return true;
    if (!cassette->sorted) {
        qsort(cassette->entries->data, cassette->entries->len, sizeof(Entry), compare_entries);
        cassette->sorted = true;
    }
    uint64_t hash = key_hash(key);
    for (guint i = lower_bound(cassette->entries, hash); i < cassette->entries->len; i++) {
        Entry *entry = &g_array_index(cassette->entries, Entry, i);
        if (entry->hash != hash)
            return true;
        if (entry->used)
            continue;
        const GByteArray *batch;
        RecordHeader header;
        const char *parts[PARTS];
        if (!load_batch(cassette, entry->batch, &batch, error) ||
            !read_record(batch, entry->offset, &header, parts, error))
            return false;
        if (!same_key(key, parts))
            continue;
        entry->used = true;
        *found_out = true;
        fill_recording(&header, parts, recording_out);
        return true;
    }
    return true;
}

/* --- appending -------------------------------------------------------------------------------- */

static bool append_work(DbUnit *unit, void *data, GError **error) {
    Write *write = data;
    JournalBatch batch = {.entries = write->entries,
                          .raw_size = write->raw_size,
                          .bytes = {write->packed->data, write->packed->len}};
    return journal_append(unit, &write->cassette->config.lease, &batch, NULL, error);
}

static void append_done(void *data, const GError *error) {
    Write *write = data;
    Cassette *cassette = write->cassette;
    cassette->writes--;
    if (error && !cassette->error)
        cassette->error = g_error_copy(error);
    g_byte_array_unref(write->packed);
    g_free(write);
    if (cassette->wake)
        cassette->wake(cassette->wake_data);
}

static void write_batch(Cassette *cassette, const GByteArray *batch) {
    Write *write = g_new0(Write, 1);
    write->cassette = cassette;
    write->packed = compressor_pack(cassette->compressor, batch->data, batch->len);
    write->entries = cassette->filling_count;
    write->raw_size = batch->len;
    chain_batch(cassette, write->packed->data, write->packed->len);
    cassette->writes++;
    unit_submit(&cassette->config.place, DB_WRITE, append_work, append_done, write);
}

void cassette_flush(Cassette *cassette) {
    GByteArray *batch = cassette->filling;
    if (batch->len == 0)
        return;
    cassette->batches++;
    if (cassette->durable) {
        write_batch(cassette, batch);
        g_byte_array_set_size(batch, 0);
    } else {
        chain_batch(cassette, batch->data, batch->len);
        g_ptr_array_add(cassette->memory, batch);
        cassette->filling = g_byte_array_new();
    }
    cassette->filling_count = 0;
}

static void append_record(GByteArray *batch, RecordHeader *header, const char *const texts[PARTS]) {
    size_t size = sizeof *header;
    for (int part = 0; part < PARTS; part++)
        size += (size_t)header->parts[part] + 1;
    header->magic = RECORD_MAGIC;
    header->size = (uint32_t)size;
    guint from = batch->len;
    g_byte_array_set_size(batch, from + (guint)size);
    guint8 *to = batch->data + from;
    memcpy(to, header, sizeof *header);
    to += sizeof *header;
    for (int part = 0; part < PARTS; part++) {
        memcpy(to, texts[part], header->parts[part]);
        to[header->parts[part]] = '\0';
        to += header->parts[part] + 1;
    }
}

void cassette_append(Cassette *cassette, const CassetteKey *key, const Recording *recording) {
    const char *texts[PARTS] = {
        key->node,
        key->method,
        key->url,
        key->body ? key->body : "",
        recording->url,
        recording->message ? recording->message : "",
        recording->headers ? recording->headers : "",
        recording->body ? recording->body : "",
    };
    RecordHeader header = {.status = (uint16_t)recording->status,
                           .outcome = (uint8_t)recording->outcome,
                           .then = (uint8_t)recording->then};
    for (int part = 0; part < PARTS; part++)
        header.parts[part] =
            (uint32_t)(part == PART_BODY ? recording->body_size : strlen(texts[part]));
    if (!cassette->durable) {
        Entry entry = {
            .hash = key_hash(key), .batch = cassette->batches, .offset = cassette->filling->len};
        g_array_append_val(cassette->entries, entry);
        cassette->sorted = false;
    }
    append_record(cassette->filling, &header, texts);
    cassette->filling_count++;
    cassette->count++;
    if (cassette->filling->len >= BATCH_SIZE)
        cassette_flush(cassette);
}

unsigned cassette_pending(const Cassette *cassette) {
    return cassette->durable ? cassette->writes + (cassette->filling->len > 0) : 0;
}

const GError *cassette_error(const Cassette *cassette) {
    return cassette->error;
}

uint64_t cassette_count(const Cassette *cassette) {
    return cassette->count;
}

void cassette_hash(const Cassette *cassette, char out[DIGEST_HEX_SIZE]) {
    g_autofree char *hex = text_hex(cassette->chain, DIGEST_SIZE);
    g_strlcpy(out, hex, DIGEST_HEX_SIZE);
}
