/* retry.h - whether and when a request is sent again.
 *
 * Pure: what happened goes in, a decision comes out. The rules: three attempts; only rate_limited,
 * unavailable and timeout are tried again, a broken answer once more; the wait is what the provider
 * asked for, else a random share ("full jitter") of 1 s, 2 s, 4 s ... up to 30 s. A wait of more
 * than 30 s is never slept: the work is parked until then.
 */
#pragma once

#include "base/outcome.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    unsigned attempts;     /* at most, the first included */
    int64_t first_wait_ms; /* doubles with every attempt */
    int64_t max_wait_ms;   /* longest back-off, and the longest wait that is slept */
} RetryPolicy;

extern const RetryPolicy retry_default;

/* The longest wait that an answer may ask for; longer ones are cut to it. */
#define RETRY_ASKED_MAX_MS (24LL * 3600 * 1000)

typedef struct {
    Outcome outcome;
    unsigned attempts;   /* made so far */
    bool once_more;      /* this attempt failed so that one more try makes sense (broken: always) */
    bool once_more_used; /* an earlier attempt was given that one more try */
    int64_t asked_ms;    /* wait that the answer asked for; -1 when it did not */
    bool single;         /* the request may not be sent twice */
} RetryCase;

typedef enum { RETRY_STOP, RETRY_AGAIN, RETRY_PARK } RetryChoice;

typedef struct {
    RetryChoice choice;
    int64_t wait_ms; /* AGAIN: before the next attempt; PARK: before the work is resumed */
} RetryDecision;

/* random is any 64 random bits, for the jitter. */
RetryDecision retry_decide(const RetryPolicy *policy, const RetryCase *what, uint64_t random);

/* Reads a Retry-After value (RFC 9110 section 10.2.3): delta seconds, or an HTTP-date in any of its
 * three forms, as a wait from now_ms (wall time), at least 0 and at most RETRY_ASKED_MAX_MS. False
 * when the text is neither. */
bool retry_after_parse(const char *text, int64_t now_ms, int64_t *wait_ms_out);

/* Reads an HTTP-date (RFC 9110 section 5.6.7) into wall milliseconds. */
bool retry_http_date(const char *text, int64_t *time_ms_out);
