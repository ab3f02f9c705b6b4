/* postgres_watch.h - listens on channels by a connection of its own.
 *
 * A connection that is lost is made anew, with pauses of up to a few seconds; then everybody is
 * told, because something may have been missed. The functions are the driver's (driver.h), and are
 * called by one thread.
 */
#pragma once

#include "db/driver.h"
#include "db/postgres_address.h"

/* The address must outlive the watch. */
DriverWatch *postgres_watch_new(const PostgresAddress *address);
void postgres_watch_free(DriverWatch *watch);

void postgres_watch_wait(DriverWatch *watch, const GPtrArray *channels, int wake_fd,
                         DriverTell tell, void *data);
