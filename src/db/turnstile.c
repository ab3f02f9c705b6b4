#include "db/turnstile.h"
#include "base/error.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

struct Turnstile {
    int file;
};

Turnstile *turnstile_new(const char *path, GError **error) {
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (file < 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "cannot open %s beside the database (%s): give this user write access", path,
                    g_strerror(errno));
        return NULL;
    }
    Turnstile *turnstile = g_new0(Turnstile, 1);
    turnstile->file = file;
    return turnstile;
}

void turnstile_free(Turnstile *turnstile) {
    if (!turnstile)
        return;
    close(turnstile->file);
    g_free(turnstile);
}

void turnstile_enter(Turnstile *turnstile, int64_t limit_ms) {
    const struct timespec pause = {.tv_nsec = 1000000};
    for (int64_t waited = 0; waited < limit_ms; waited++) {
        if (flock(turnstile->file, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            return;
        nanosleep(&pause, NULL);
    }
}

void turnstile_leave(Turnstile *turnstile) {
    (void)flock(turnstile->file, LOCK_UN);
}
