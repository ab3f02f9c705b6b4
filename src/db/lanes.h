/* lanes.h - tasks that wait for one of several connections.
 *
 * Writes of one submitting thread go one after another, in the order of their submission: each
 * thread has a lane, and a lane gives its next task when the one before it was released. Everything
 * else goes as soon as somebody takes it, reads and writes by turns. At most `writers` writes are
 * out at a time, so that writes that wait for a lock of the database leave a connection to the
 * reads.
 *
 * Any thread pushes; the threads of the pool take, run, finish and then release. The lanes own no
 * task: whoever took one finishes it.
 */
#pragma once

#include "db/driver.h"

typedef struct Lanes Lanes;
typedef struct Lane Lane; /* of one submitting thread; none for a read */

/* limit: how many tasks may wait, those of waiting threads (task->waits) apart. */
Lanes *lanes_new(unsigned limit, unsigned writers);
void lanes_free(Lanes *lanes); /* NULL allowed; must be empty */
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Lanes, lanes_free)

/* ERROR_LIMIT when full, ERROR_CANCELLED when closed; then the task was not taken. *short_out: more
 * tasks could run than threads wait for one. */
bool lanes_push(Lanes *lanes, DriverTask *task, bool *short_out,
                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Some thread will take a task at once. Said before each lanes_take(): when a thread is started,
 * and by it before it finishes a task. */
void lanes_expect(Lanes *lanes);

/* The next task that may run, waited for; NULL when the lanes are closed and empty. After the task
 * was finished its lane is released. */
DriverTask *lanes_take(Lanes *lanes, Lane **lane_out);
void lanes_release(Lanes *lanes, Lane *lane);

void lanes_close(Lanes *lanes);
