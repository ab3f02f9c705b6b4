/* thread.h - starts the threads of the database.
 *
 * They block all signals: those are for the threads that the program itself started.
 */
#pragma once

#include "base/error.h"
#include <pthread.h>

/* Runs function(data) on a new thread, to be joined by the caller. ERROR_INTERNAL when the system
 * has no more threads. */
bool thread_start(pthread_t *thread_out, void *(*function)(void *), void *data,
                  GError **error) G_GNUC_WARN_UNUSED_RESULT;
