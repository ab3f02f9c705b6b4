/* postgres_wire.h - one connection to PostgreSQL, in libpq's pipeline mode.
 *
 * Commands are queued by wire_prepare() and wire_run() and go out with wire_sync(); what comes back
 * is received in the same order, one event at a time:
 *
 *     wire_run(wire, "begin", NULL); wire_run(wire, "note_list", &values); wire_sync(wire);
 *     wire_receive() -> WIRE_DONE             (begin)
 *     wire_stream();
 *     wire_receive() -> WIRE_ROW, WIRE_ROW, WIRE_DONE
 *     wire_receive() -> WIRE_SYNCED
 *
 * An error skips all commands up to the next sync. A lost connection is WIRE_FAILED with is_lost,
 * and then for ever. Sending never fails by itself: what could not be sent is lost when it is
 * received. https://www.postgresql.org/docs/15/libpq-pipeline-mode.html
 *
 * Owned and used by one thread at a time. Nothing here waits for locks or counts time: a call
 * blocks until the server answers or the operating system gives the connection up.
 */
#pragma once

#include "db/postgres_address.h"
#include "db/postgres_error.h"
#include <stdint.h>

typedef struct Wire Wire;
typedef struct WireRow WireRow; /* one row of a result */

/* Parameters of a command, as libpq wants them; formats: 0 text, 1 binary. */
typedef struct {
    int count;
    const char *const *values; /* NULL: null */
    const int *lengths;
    const int *formats;
} WireValues;

typedef enum { WIRE_ROW, WIRE_DONE, WIRE_FAILED, WIRE_SKIPPED, WIRE_SYNCED } WireEvent;

/* Connects. NULL with ERROR_CONFIGURATION and a sentence that never repeats the password;
 * *passes_out says whether it may succeed later. */
Wire *wire_open(const PostgresAddress *address, bool *passes_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;
void wire_close(Wire *wire); /* NULL allowed */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Wire, wire_close)

/* --- Sending */

void wire_prepare(Wire *wire, const char *name, const char *sql);

/* Runs a prepared statement; its rows come in binary. values may be NULL. */
void wire_run(Wire *wire, const char *name, const WireValues *values);

/* Runs an unprepared statement without parameters. */
void wire_command(Wire *wire, const char *sql);

void wire_sync(Wire *wire);

/* --- Receiving */

/* The command whose events come next gives its rows one by one, not all with WIRE_DONE. */
void wire_stream(Wire *wire);

WireEvent wire_receive(Wire *wire);

/* After WIRE_FAILED; borrowed until the next event. */
const PostgresFailure *wire_failure(const Wire *wire);

/* After WIRE_DONE: rows inserted, updated or deleted; whether the command was this one. */
int64_t wire_changes(const Wire *wire);
bool wire_was(const Wire *wire, const char *command);

/* After WIRE_ROW, and after WIRE_DONE of a command that was not streamed (its first row; NULL when
 * there is none). The caller frees it. */
WireRow *wire_take_row(Wire *wire);

/* Syncs and receives all: of each command the first column of its first row as text, "" without a
 * row. NULL when one failed: wire_failure(). */
char **wire_ask_all(Wire *wire);

/* So, of the last command only. */
char *wire_ask(Wire *wire) G_GNUC_WARN_UNUSED_RESULT;

/* Runs a text of many statements to its end, outside of the pipeline, which must be empty. False:
 * wire_failure(). */
bool wire_script(Wire *wire, const char *sql) G_GNUC_WARN_UNUSED_RESULT;

/* --- Rows */

void wire_row_free(WireRow *row); /* NULL allowed */
int wire_row_columns(const WireRow *row);
unsigned wire_row_type(const WireRow *row, int column); /* OID of the column's type */
bool wire_row_is_null(const WireRow *row, int column);
size_t wire_row_size(const WireRow *row); /* bytes that it takes, about */
/* Borrowed; followed by a NUL byte that does not count. */
const char *wire_row_bytes(const WireRow *row, int column, size_t *size_out);

/* --- Notifications */

/* Waits until the server says something, or wake_fd is readable. False when the connection is
 * lost. */
bool wire_wait(Wire *wire, int wake_fd);

/* The channel of the next notification; NULL when there is none. Caller frees. */
char *wire_next_channel(Wire *wire);
