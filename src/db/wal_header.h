/* wal_header.h - what SQLite's wal-index says of the last commit.
 *
 * All processes that have a database in WAL mode open share the wal-index, a piece of memory that
 * begins with two copies of a header of 48 bytes
 * (https://www.sqlite.org/walformat.html#the_wal_index_header). A commit counts changes, moves the
 * end of the log and its checksum, and writes the second copy, then the first, before it returns.
 * So two headers that are the same stand for the same content, and whoever begins after a commit
 * has returned sees its header. It is what SQLite's own readers look at to learn whether their
 * pages are still right.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define WAL_HEADER_SIZE 48

/* Bytes of the wal-index's first block. */
#define WAL_INDEX_BLOCK 32768

/* The header; false when its copies differ, because somebody is writing it or has died doing so,
 * or when it is of another version of the format. */
bool wal_header_read(const volatile void *index, uint8_t header_out[WAL_HEADER_SIZE]);
