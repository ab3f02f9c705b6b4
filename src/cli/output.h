/* output.h - what a command says: its result on one stream, everything else on the other.
 *
 * With --json the result stream carries exactly one JSON object and nothing else; failures are
 * objects too. Without it, results are text for people. Errors, hints and progress go to the other
 * stream. Colour is used on a terminal only, and not when NO_COLOR is set (no-color.org).
 *
 * Text from outside (names, resources, messages) may hold anything, also sequences that move a
 * terminal's cursor: output_text() and the grid print it on one line with control characters
 * replaced.
 */
#pragma once

#include "base/json.h"

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

typedef enum {
    TONE_PLAIN,
    TONE_STRONG, /* bold */
    TONE_MUTED,
    TONE_GOOD,
    TONE_PARTIAL,
    TONE_BAD,
    TONE_UNREAD,
    TONE_STALE,
    TONES
} Tone;

typedef struct {
    FILE *result; /* standard output */
    FILE *notes;  /* standard error */
    bool json;
    bool quiet;     /* no notes but errors */
    bool colour;    /* of the result stream */
    unsigned width; /* columns of the terminal behind the result stream; 0: it is none */
    bool live;      /* whether notes go to a terminal */
    unsigned live_width;
} Output;

/* The two standard streams, with what they are connected to. */
void output_init(Output *output, FILE *result, FILE *notes);

/* Prints the command's object: with --json as one line, else nothing. */
void output_json(const Output *output, const Json *object);

/* A line of result text for people; nothing with --json. */
void output_line(const Output *output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* One of several facts about a thing: "  TITLE        VALUE". A value that says nothing is left
 * out. */
void output_field(const Output *output, const char *title, const char *value);

/* A line in a tone. */
void output_tone(const Output *output, Tone tone, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* A line beside the result: a hint or a next step. Nothing with --quiet. */
void output_note(const Output *output, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* The failure of the command: {"success": false, "error": {code, message, retryable, details}} with
 * --json, else "assay: MESSAGE". */
void output_failure(const Output *output, const GError *error);

/* The error object of that form. */
Json *output_error_json(const GError *error);

/* Control sequences that begin and end a tone; "" without colour. Static storage. */
const char *output_tone_on(const Output *output, Tone tone);
const char *output_tone_off(const Output *output, Tone tone);

/* A text from outside, made fit for one line. Caller frees; NULL becomes "". */
char *output_text(const char *text);

/* "2,300". Caller frees. */
char *output_number(int64_t number);

/* How long ago, or until: "just now", "5 minutes ago", "in 3 days", "never" for 0. Caller frees. */
char *output_age(int64_t time_ms, int64_t now_ms);

/* Flushes the result; ERROR_INTERNAL when it could not be written whole. */
bool output_finish(const Output *output, GError **error) G_GNUC_WARN_UNUSED_RESULT;
