#include "sync/twin.h"

#include "base/secmem.h"
#include "sync/worker.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct {
    int socket;
    pid_t pid; /* 0: there is none */
} twin;

/* --- in the twin ------------------------------------------------------------------------------ */

/* The texts of the arguments lie one behind the other. */
static void take_name(int argc, char **argv) {
    static const char name[] = "assay\0" WORKER_COMMAND; /* and a NUL */
    if (argc == 0)
        return;
    size_t room = (size_t)(argv[argc - 1] + strlen(argv[argc - 1]) - argv[0]) + 1;
    size_t length = sizeof name < room ? sizeof name : room;
    memset(argv[0], 0, room);
    memcpy(argv[0], name, length - 1);
}

/* Workers empty their environment, yet /proc shows what lay there. */
static void wipe_environment(void) {
    for (char **variable = environ; variable && *variable; variable++)
        secmem_wipe(*variable, strlen(*variable));
    (void)clearenv();
}

static bool become_worker(int socket, int argc, char **argv) {
    sigset_t none;
    sigemptyset(&none);
    wipe_environment();
    take_name(argc, argv);
    if (dup2(socket, WORKER_SOCKET) < 0 || sigprocmask(SIG_SETMASK, &none, NULL) != 0)
        _exit(EXIT_FAILURE);
    if (socket != WORKER_SOCKET)
        close(socket);
    return true;
}

/* --- in its parent ---------------------------------------------------------------------------- */

bool twin_start(int argc, char **argv) {
    int sockets[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0)
        return false;
    pid_t pid = fork();
    if (pid == 0) {
        close(sockets[0]);
        return become_worker(sockets[1], argc, argv);
    }
    close(sockets[1]);
    if (pid < 0)
        close(sockets[0]);
    else {
        twin.socket = sockets[0];
        twin.pid = pid;
    }
    return false;
}

bool twin_take(int *socket_out, pid_t *pid_out) {
    if (twin.pid == 0)
        return false;
    *socket_out = twin.socket;
    *pid_out = twin.pid;
    twin.pid = 0;
    return true;
}

void twin_end(void) {
    int socket;
    pid_t pid;
    if (!twin_take(&socket, &pid))
        return;
    close(socket);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        continue;
}
