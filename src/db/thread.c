#include "db/thread.h"
#include <signal.h>

bool thread_start(pthread_t *thread_out, void *(*function)(void *), void *data, GError **error) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failure = pthread_create(thread_out, NULL, function, data);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failure == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL, "cannot start a database thread: %s",
                g_strerror(failure));
    return false;
}
