/* sqlite.h - the embedded engine: one file, one writer thread, up to two readers.
 *
 * WAL mode, so that readers and the writer do not wait for each other. Writes go through one thread
 * that commits in groups (group.h) and always begin with the write lock: an upgrade from reading to
 * writing would fail at once whatever the busy timeout. Between processes (command line, worker)
 * the lock is waited for in turns (turnstile.h) up to the busy limit. The writer's connection is
 * opened with the database, a reader's when a read finds none free.
 *
 * synchronous = FULL: a unit that was reported as done survives loss of power, not only of the
 * process. With NORMAL, which is enough against kill -9, the newest commits may vanish after a
 * power cut, and with them ledger leaves and rotated tokens that others have seen already. Group
 * commit pays for it: one sync for all that waits.
 *
 * secure_delete = ON overwrites deleted content. Memory mapping is off: an I/O error in a mapped
 * file is a signal instead of an error. The WAL is checkpointed every 1,000 pages and cut to 8 MiB.
 */
#pragma once

#include "db/driver.h"

extern const Driver sqlite_driver;
