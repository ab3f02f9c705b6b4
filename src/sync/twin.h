/* twin.h - a worker process that costs no second start of the program.
 *
 * A command that will want a worker forks it before it has done anything else: no thread runs yet,
 * no file is open, no secret was read and secmem_start() was not called. The twin is spared what an
 * executed worker pays before its main(): loading and relocating the libraries. For all else it is
 * like one: it has the socket WORKER_SOCKET, the name of a worker, no signal blocked, and nothing
 * of the environment, which is wiped where the kernel put it.
 *
 * station_start() takes the twin, once; further workers, those of the service and those of another
 * program are executed. There is at most one twin in a process, and all of this belongs to the main
 * thread before it starts others, and to the first that starts a station.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* True in the twin, which calls secmem_start() and worker_main() next. False in its parent, also
 * when the system gave no process: then there is no twin. The arguments are main()'s. */
bool twin_start(int argc, char **argv);

/* False: there is no twin (left). The caller owns socket and process. */
bool twin_take(int *socket_out, pid_t *pid_out);

/* Ends a twin that nobody has taken and waits for it. */
void twin_end(void);
