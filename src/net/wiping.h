/* wiping.h - the memory of libcurl: whatever it lets go of is wiped first, as it may have held a
 * credential or a secret answer.
 *
 * libcurl takes a buffer of 16 KiB for every transfer. Wiping and finding that memory again for
 * each would cost more than parsing a small answer does, so a few such buffers are kept as they
 * are, for the next transfer to write over. Whoever had a secret answer calls wiping_drain(); so
 * does the end of an engine. For all threads.
 */
#pragma once

#include <stddef.h>

/* As the functions of the C library. */
void *wiping_alloc(size_t size);
void *wiping_zeroed(size_t count, size_t size);
void *wiping_realloc(void *memory, size_t size);
void wiping_free(void *memory);

/* Wipes and frees the buffers that are kept. */
void wiping_drain(void);
