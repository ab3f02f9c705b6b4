/* alarm.h - things that are to happen at a later time: one thread, a list of due times.
 *
 * What an alarm calls runs on that thread and must be short; whoever has more to do hands it to the
 * pool. An alarm that is cancelled before it was called is never called; alarm_cancel() waits when
 * it is being called at this moment, so that what it points to may be freed afterwards. (Not from
 * within an alarm.)
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Alarms Alarms;

typedef void (*AlarmRing)(void *data);

Alarms *alarms_new(void);
/* Drops what is still set. NULL allowed. */
void alarms_free(Alarms *alarms);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Alarms, alarms_free)

/* Calls ring once, after so many milliseconds; with every_ms > 0 again and again. The number names
 * the alarm, it is never 0. */
uint64_t alarm_set(Alarms *alarms, int64_t after_ms, int64_t every_ms, AlarmRing ring, void *data);
/* Whether it was still to be called. 0 and numbers of the past are allowed. */
bool alarm_cancel(Alarms *alarms, uint64_t number);
