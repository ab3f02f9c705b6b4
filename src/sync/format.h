/* format.h - which jobs this program can run.
 *
 * Several versions of the program may work on one database, while it is upgraded node by node. What
 * a job rests on has a number: the format of its definition (the key `assay` of the file), and that
 * of its request and journal (the member `format` of the request, which a program that writes
 * another journal than version 1 puts there). A worker that claims a job of a newer format than it
 * knows touches nothing and lets go of it for FORMAT_DECLINE_MS, the attempt given back, so that a
 * newer worker takes it.
 */
#pragma once

#include "base/json.h"

#include <stdint.h>

/* The newest that this program knows. */
#define FORMAT_KNOWN 1

#define FORMAT_DECLINE_MS 5000

/* The newest format of what a job rests on: its request, and its definition's text. */
int64_t format_of(const Json *request, const char *definition);
