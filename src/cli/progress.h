/* progress.h - one line on the terminal that says what a long command is doing.
 *
 * Drawn on the notes stream only when that is a terminal and --quiet was not given, at most ten
 * times a second, and wiped at the end, so that nothing of it stays in a transcript.
 */
#pragma once

#include "base/json.h"
#include "cli/output.h"

typedef struct {
    const Output *output;
    const char *subject; /* "GitHub" */
    int64_t drawn_at;    /* monotonic; 0: not yet */
    bool drawn;          /* whether the line stands on the terminal */
} Progress;

/* The subject is borrowed. */
void progress_init(Progress *progress, const Output *output, const char *subject);

/* A report {phase, evidenceType, rows, calls, message}; data is the Progress (a CrewProgress). */
void progress_show(const Json *report, void *data);

/* Wipes the line. */
void progress_clear(Progress *progress);

/* "GitHub: branch_protection 2,300 rows, 9,200 calls". Caller frees. */
char *progress_text(const char *subject, const Json *report);
