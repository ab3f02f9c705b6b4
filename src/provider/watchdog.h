/* watchdog.h - stops work that passes its time limit, at no cost to work that does not.
 *
 * The worker marks begin and end with one atomic operation each; one thread looks at all watches
 * every few milliseconds, and when it has seen the same piece of work for as long as its limit, and
 * the work has had the processor for as long, it calls the watch's stop function. It counts its own
 * rounds instead of asking a clock, so that a machine that stood still stops nothing, nor does one
 * that has too much to do. The thread lives while there are watches.
 *
 *     watchdog_begin(watch);
 *     ... work that looks at what stop() sets ...
 *     if (!watchdog_end(watch))
 *         the work was stopped
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

typedef struct Watchdog Watchdog;

/* Called once at most, on the watchdog's thread, between begin and end of the work. */
typedef void (*WatchdogStopFunc)(void *data);

/* NULL when the thread cannot be started. Work is what one thread computes between begin and end:
 * to wait for something is no use of the processor. */
Watchdog *watchdog_new(unsigned limit_ms, WatchdogStopFunc stop,
                       void *data) G_GNUC_WARN_UNUSED_RESULT;
/* Not between begin and end. */
void watchdog_free(Watchdog *watch);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Watchdog, watchdog_free)

void watchdog_begin(Watchdog *watch);
/* False when the work was stopped; the stop function has then returned. */
bool watchdog_end(Watchdog *watch) G_GNUC_WARN_UNUSED_RESULT;
