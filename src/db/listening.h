/* listening.h - who listens on which channel, and the one thread that calls them.
 *
 * db.c adds and removes listeners and tells of the commits of its own process where the engine does
 * not; the engine's watch (driver.h) tells of everybody else's. What is told is only marked: the
 * thread calls each marked listener once, however often it was told since (coalesced), and without
 * a lock held, so that a listener may submit units and add listeners.
 *
 * The thread starts with the first listener and sleeps while there is none. A listener is called
 * once when the watch begins to see its channel: what was committed before may have been missed.
 */
#pragma once

#include "db/driver.h"

typedef struct Listening Listening;

/* Calls heard(data); db.c marks the thread as one of the database's around it. */
typedef void (*ListeningCall)(DbHeard heard, void *data);

/* NULL with ERROR_INTERNAL when the system has no more descriptors. */
Listening *listening_new(const Driver *driver, DriverDatabase *database, ListeningCall call,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Joins the thread and forgets all listeners. Before the driver closes the database. NULL allowed.
 */
void listening_free(Listening *listening);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Listening, listening_free)

/* The channel is copied. NULL when the thread cannot be started. */
DbListener *listening_add(Listening *listening, const char *channel, DbHeard heard, void *data,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Frees the listener, after a call of it that runs now has ended. */
void listening_remove(DbListener *listener);

/* Marks the listeners of the channel; all when it is NULL. */
void listening_tell(Listening *listening, const char *channel);
