/* diagnostic.h - what is wrong with a file somebody wrote, line by line.
 *
 * A Diagnostics collects up to DIAGNOSTICS_MAX messages about one file, in the order in which they
 * are found, so that a person can mend a whole definition or framework at once. Each message reads
 * "NAME:LINE:COLUMN: what was found, what was expected". Errors past the maximum are counted only.
 */
#pragma once

#include "base/error.h"

#define DIAGNOSTICS_MAX 50

typedef struct Diagnostics Diagnostics;

typedef struct {
    unsigned line; /* from 1; 0 when the message is about the whole file */
    unsigned column;
    bool warning;
    const char *text; /* the whole message, position included */
} Diagnostic;

/* A list for the file of this name. Owned by the caller. */
Diagnostics *diagnostics_new(const char *name);
void diagnostics_free(Diagnostics *diagnostics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Diagnostics, diagnostics_free)

void diagnostics_error(Diagnostics *diagnostics, unsigned line, unsigned column, const char *format,
                       ...) G_GNUC_PRINTF(4, 5);
void diagnostics_warning(Diagnostics *diagnostics, unsigned line, unsigned column,
                         const char *format, ...) G_GNUC_PRINTF(4, 5);

/* The messages kept, errors and warnings together. Borrowed. */
size_t diagnostics_count(const Diagnostics *diagnostics);
const Diagnostic *diagnostics_get(const Diagnostics *diagnostics, size_t index);

/* How many errors were reported, those past the maximum included. */
size_t diagnostics_errors(const Diagnostics *diagnostics);

/* Sets error to the first error and the number of the others; true when there is none. */
bool diagnostics_result(const Diagnostics *diagnostics, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* The candidate nearest to text by spelling, or NULL when none is near. Candidates end in NULL. */
const char *diagnostics_nearest(const char *text, const char *const *candidates);
