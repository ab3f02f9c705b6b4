/* timer.h - due times of one loop, in a binary heap.
 *
 * Times are monotonic milliseconds of base/clock.h. Timers of one due time fire in the order in
 * which they were added. A timer fires once. Not for use by more than one thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct TimerHeap TimerHeap;
typedef void (*TimerFn)(void *data);

TimerHeap *timer_heap_new(void);
/* Pending timers are dropped, not fired. */
void timer_heap_free(TimerHeap *heap);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(TimerHeap, timer_heap_free)

/* Adds a timer; the id is never 0 and never used again. */
uint64_t timer_heap_add(TimerHeap *heap, int64_t due_ms, TimerFn fire, void *data);

/* False when it has fired or was cancelled before. */
bool timer_heap_cancel(TimerHeap *heap, uint64_t id);

/* Fires what is due at now_ms; timers that are added meanwhile wait for the next call. Returns how
 * many fired. */
unsigned timer_heap_fire(TimerHeap *heap, int64_t now_ms);

/* The earliest due time; false when there is none. */
bool timer_heap_next(const TimerHeap *heap, int64_t *due_ms_out);

unsigned timer_heap_count(const TimerHeap *heap);
