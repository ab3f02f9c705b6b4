/* account.h - what a reading tells of its answers to every evidence type that uses it.
 */
#pragma once

#include "collect/walk.h"

/* The reading is at its end; the first outcome that is not ok stays. */
void account_end(Reading *reading, Outcome outcome);

/* One answer, or what was made of it; message is NULL or says what is wrong. */
void account_answer(Reading *reading, Outcome outcome, const char *message);

/* Added to the counts of a list. */
typedef struct {
    unsigned pages;
    unsigned rows;
    unsigned begun;
    unsigned ended;
} Counted;

void account_list(const Reading *reading, Counted counted);

/* An expression failed: the types as a whole do, and the reading ends. The error is borrowed. */
void account_failure(Reading *reading, const GError *error);
