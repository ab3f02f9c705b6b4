/* embedded.h - files of the repository that are part of the binary (made by scripts/embed-files).
 *
 * Each table ends with a row whose name is NULL; rows are sorted by name.
 */
#pragma once

#include <stddef.h>

typedef struct {
    const char *name; /* file name without its suffix */
    const char *text; /* the bytes, with a NUL behind them */
    size_t size;
} EmbeddedFile;

extern const EmbeddedFile builtin_table[];   /* providers/ *.yaml, linked into the provider floor */
extern const EmbeddedFile framework_table[]; /* frameworks/ *.yaml, linked into the comply floor */
