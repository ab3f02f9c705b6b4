/* scanner.h - the moving parts of scan.h: a strict JSON reader (RFC 8259) over bytes in memory that
 * mends text on its way and copies what its open sinks want.
 *
 * Every function returns false when the input is malformed or passes a limit; the scanner then
 * holds the reason, and scanner_report() makes the error of it. Between calls the scanner stands on
 * the first byte of a value, a member's name, or behind a value.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

/* The scanner recurses once a level, so no plan may ask for more than this. */
#define SCANNER_MAX_DEPTH 512

typedef unsigned char Byte;

/* A sink copies the input in as few pieces as possible: while it is open, the bytes since `from`
 * are still to be copied. */
typedef struct {
    GString *out; /* NULL: nobody wants it, never open */
    const Byte *from;
    bool open;
} Sink;

typedef struct {
    const Byte *start;
    const Byte *p;
    const Byte *end;
    size_t nodes;     /* that may still come */
    size_t max_depth; /* at most SCANNER_MAX_DEPTH */
    Sink recorded;
    Sink kept;
    bool escaped;       /* the last string had an escape */
    const char *reason; /* of a failure */
    ErrorCode code;
} Scanner;

/* The bytes are borrowed; the sinks have no outputs yet. */
void scanner_init(Scanner *s, const char *bytes, size_t size);
/* Opens the sinks and moves to the value; the mark at the beginning is dropped. */
bool scanner_begin(Scanner *s);
/* Nothing may follow the value. Closes the sinks. */
bool scanner_finish(Scanner *s);
/* Makes the error. The position is told, the text never: it is the provider's. False. */
bool scanner_report(const Scanner *s, GError **error);
bool scanner_fail(Scanner *s, const char *reason);
bool scanner_fail_limit(Scanner *s, const char *reason);

/* Passes one value of any kind, about which no plan says anything: the sinks stay as they are.
 * depth is that of the container around it. */
bool scanner_skip(Scanner *s, size_t depth);
/* Passes a string, number or word. */
bool scanner_scalar(Scanner *s);
/* Passes the opening bracket of a container at this depth. */
bool scanner_enter(Scanner *s, size_t depth);
/* Moves to the next item of a container, over a comma when it is not the first. *more_out: false
 * when the closing bracket was there and is passed. */
bool scanner_next(Scanner *s, Byte close, bool first, bool *more_out);
/* Passes a member's name and colon; *end_out is the byte behind the name's closing quote. */
bool scanner_key(Scanner *s, const Byte **end_out);

void sink_open(Sink *sink, const Byte *from);
/* Copies what is open up to `to`. */
void sink_close(Sink *sink, const Byte *to);
/* Puts text in the place of [from, to) in every open sink. */
void scanner_replace(Scanner *s, const Byte *from, const Byte *to, const char *text);
