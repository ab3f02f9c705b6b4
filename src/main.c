#include "base/clock.h"
#include "cli/program.h"

#include <stdio.h>
#include <unistd.h>

#ifdef ASSAY_TEST_HOOKS
#include <fcntl.h>
#include <sys/mman.h>

/* A file that is a ClockOffsets, which a test may change at any time. */
static void share_test_clock(const char *path) {
    int file = open(path, O_RDONLY | O_CLOEXEC);
    g_assert(file >= 0);
    void *offsets = mmap(NULL, sizeof(ClockOffsets), PROT_READ, MAP_SHARED, file, 0);
    g_assert(offsets != MAP_FAILED);
    close(file);
    clock_share_offsets(offsets);
}
#endif

/* Tests look at the same data at another time; not in releases. */
static void take_test_clock(void) {
#ifdef ASSAY_TEST_HOOKS
    const char *offset = g_getenv("ASSAY_TEST_CLOCK_OFFSET");
    const char *shared = g_getenv("ASSAY_TEST_CLOCK_FILE");
    if (offset)
        clock_set_offset(g_ascii_strtoll(offset, NULL, 10));
    if (shared)
        share_test_clock(shared);
#endif
}

int main(int argc, char **argv) {
    take_test_clock();
    int status = program_main(argc, argv);
#ifndef ASSAY_SANITIZED
    /* What libraries would clear up now goes with the process, and faster. */
    (void)fflush(NULL);
    _exit(status);
#endif
    return status;
}
