/* clock.h - the only source of time.
 *
 * Wall time is milliseconds since 1970-01-01T00:00:00Z (int64_t), as stored in the database; the
 * monotonic clock is milliseconds from an arbitrary start, for timers and deadlines. Tests replace
 * both with clock_freeze(); nothing else in the program may ask the operating system for the time.
 * All functions are safe to call from any thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

/* Wall time now, in milliseconds. */
int64_t clock_now_ms(void);

/* Monotonic time now, in milliseconds. */
int64_t clock_mono_ms(void);

/* The same in microseconds, for measuring. */
int64_t clock_mono_us(void);

/* Stops both clocks at now_ms (tests, replays). */
void clock_freeze(int64_t now_ms);

/* Moves both frozen clocks on by delta_ms. */
void clock_advance(int64_t delta_ms);

/* Lets both clocks run again. */
void clock_thaw(void);

/* Shifts the wall clock by offset_ms while it keeps running (worker processes under test take
 * their parent's clock this way). */
void clock_set_offset(int64_t offset_ms);

/* Shifts the clocks besides by what stands there at each look: memory that several processes under
 * test share, so that all their clocks are set, or time passes for all of them, at once. The
 * monotonic offset only grows. It stays until the process ends. */
typedef struct {
    _Atomic int64_t wall_ms;
    _Atomic int64_t mono_ms;
} ClockOffsets;

void clock_share_offsets(const ClockOffsets *offsets);

/* "2026-11-20T07:31:28.123Z" (RFC 3339, UTC, milliseconds). Caller frees. */
char *clock_format(int64_t time_ms);

/* Reads an RFC 3339 time with any offset and fraction, or a plain date (taken as 00:00:00Z), into
 * milliseconds. Returns false when the text is no such time. */
bool clock_parse(const char *text, int64_t *time_ms_out);

/* Reads a duration such as "30d", "4h", "15m", "90s", "500ms" into milliseconds; false when the
 * text is no duration or overflows. */
bool clock_parse_duration(const char *text, int64_t *duration_ms_out);
