/* mark.h - how a status looks: shape, word and tone, never the tone alone. */
#pragma once

#include "cli/grid.h"

typedef struct {
    const char *status; /* as in JSON: "non_compliant" */
    const char *shape;
    const char *word; /* for people: "failing" */
    Tone tone;
} Mark;

/* The mark of a status of a control, check, integration or severity; one with the word itself for
 * any other text. status may be NULL. */
Mark mark_of(const char *status);

/* "✓ compliant"; with beside, what the status keeps beside it: "◷ stale (compliant)". Caller frees.
 */
char *mark_text(const char *status, const char *beside);

/* Adds the text of a mark in its tone. */
void mark_add(Grid *grid, const char *status, const char *beside);
