/* postgres.h - the server engine: a pool of connections, each with a thread.
 *
 * Threads and connections are made as they are needed, up to the size of the pool; a task goes to
 * whichever is free (lanes.h keeps the order of one thread's writes). One connection is always left
 * to the reads. postgres_session.h tells how a unit runs on a connection.
 *
 * What passes by itself is tried again, with growing pauses and for as long as the busy limit:
 * serialization failures, deadlocks, locks held by others, servers that restart or hand over to
 * another one. A commit whose answer was lost is asked for (postgres_mark.h) and run again only if
 * it did not happen. What no program can know is whether a standby that is promoted has received
 * what was confirmed before: with asynchronous replication that may be gone after a failover.
 *
 * Listening takes a connection of its own while somebody listens.
 */
#pragma once

#include "db/driver.h"

extern const Driver postgres_driver;
