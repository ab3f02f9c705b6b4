#include "base/clock.h"
#include "cli/program.h"

/* Tests look at the same data at another time; not in releases. */
static void take_test_clock(void) {
#ifdef ASSAY_TEST_HOOKS
    const char *offset = g_getenv("ASSAY_TEST_CLOCK_OFFSET");
    if (offset)
        clock_set_offset(g_ascii_strtoll(offset, NULL, 10));
#endif
}

int main(int argc, char **argv) {
    take_test_clock();
    return program_main(argc, argv);
}
