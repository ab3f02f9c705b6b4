/* The head of the wal-index, as bytes. */
#include "db/wal_header.h"
#include <glib.h>
#include <string.h>

#define VERSION 3007000

typedef struct {
    uint32_t words[2][WAL_HEADER_SIZE / sizeof(uint32_t)];
} Index;

static Index index_of(uint32_t changes) {
    Index index = {0};
    for (int copy = 0; copy < 2; copy++) {
        index.words[copy][0] = VERSION;
        index.words[copy][2] = changes;
        ((uint8_t *)index.words[copy])[12] = 1; /* initialized */
        index.words[copy][6] = 77 * changes;    /* checksum */
    }
    return index;
}

static void headers_that_are_the_same_give_the_same_stamp(void) {
    Index one = index_of(5);
    Index same = index_of(5);
    uint8_t first[WAL_HEADER_SIZE];
    uint8_t second[WAL_HEADER_SIZE];
    g_assert_true(wal_header_read(&one, first));
    g_assert_true(wal_header_read(&same, second));
    g_assert_cmpint(memcmp(first, second, sizeof first), ==, 0);
}

static void any_byte_of_the_header_makes_another_stamp(void) {
    Index one = index_of(5);
    uint8_t first[WAL_HEADER_SIZE];
    g_assert_true(wal_header_read(&one, first));
    for (size_t i = 4; i < WAL_HEADER_SIZE; i++) {
        if (i == 12)
            continue;
        Index other = index_of(5);
        ((uint8_t *)other.words[0])[i] ^= 0x40;
        ((uint8_t *)other.words[1])[i] ^= 0x40;
        uint8_t stamp[WAL_HEADER_SIZE];
        g_assert_true(wal_header_read(&other, stamp));
        g_assert_cmpint(memcmp(stamp, first, sizeof stamp), !=, 0);
    }
}

static void a_header_that_is_being_written_gives_none(void) {
    for (size_t i = 0; i < WAL_HEADER_SIZE; i++) {
        for (int copy = 0; copy < 2; copy++) {
            Index index = index_of(5);
            uint8_t stamp[WAL_HEADER_SIZE] = {0};
            ((uint8_t *)index.words[copy])[i] ^= 1;
            g_assert_false(wal_header_read(&index, stamp));
            g_assert_cmpuint(stamp[8], ==, 0);
        }
    }
}

static void a_header_of_nobody_or_another_version_gives_none(void) {
    Index empty = {0};
    Index strange = index_of(5);
    Index unborn = index_of(5);
    uint8_t stamp[WAL_HEADER_SIZE];
    strange.words[0][0] = strange.words[1][0] = VERSION + 1;
    ((uint8_t *)unborn.words[0])[12] = ((uint8_t *)unborn.words[1])[12] = 0;
    g_assert_false(wal_header_read(&empty, stamp));
    g_assert_false(wal_header_read(&strange, stamp));
    g_assert_false(wal_header_read(&unborn, stamp));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/wal_header/headers_that_are_the_same_give_the_same_stamp",
                    headers_that_are_the_same_give_the_same_stamp);
    g_test_add_func("/wal_header/any_byte_of_the_header_makes_another_stamp",
                    any_byte_of_the_header_makes_another_stamp);
    g_test_add_func("/wal_header/a_header_that_is_being_written_gives_none",
                    a_header_that_is_being_written_gives_none);
    g_test_add_func("/wal_header/a_header_of_nobody_or_another_version_gives_none",
                    a_header_of_nobody_or_another_version_gives_none);
    return g_test_run();
}
