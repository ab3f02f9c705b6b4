#include "base/id.h"

#include "base/clock.h"

#include <glib.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

#define THREADS 4
#define IDS_A_THREAD 5000

static void ids_have_the_form_of_uuid_version_7(void) {
    clock_freeze(INT64_C(0x0123456789ab) + 0x010000000000);
    g_autofree char *id = id_new();
    clock_thaw();
    g_assert_cmpuint(strlen(id), ==, ID_SIZE - 1);
    g_assert_true(id_is_valid(id));
    g_assert_cmpint(id[14], ==, '7');
    g_assert_nonnull(strchr("89ab", id[19]));
    g_assert_true(strncmp(id, "02234567-89ab-7", 15) == 0);
}

static void ids_of_one_millisecond_sort_by_creation(void) {
    clock_freeze(INT64_C(5000000000000));
    char before[ID_SIZE], after[ID_SIZE];
    id_write(before);
    /* More than the counter of one millisecond holds. */
    for (int i = 0; i < 20000; i++) {
        id_write(after);
        g_assert_cmpstr(before, <, after);
        memcpy(before, after, ID_SIZE);
    }
    clock_thaw();
}

static void ids_sort_by_creation_when_the_clock_steps_back(void) {
    clock_freeze(INT64_C(6000000000000));
    g_autofree char *first = id_new();
    clock_freeze(INT64_C(5900000000000));
    g_autofree char *second = id_new();
    clock_freeze(INT64_C(6000000000001));
    g_autofree char *third = id_new();
    clock_thaw();
    g_assert_cmpstr(first, <, second);
    g_assert_cmpstr(second, <, third);
}

static void *make_ids(void *data) {
    char(*ids)[ID_SIZE] = data;
    for (int i = 0; i < IDS_A_THREAD; i++)
        id_write(ids[i]);
    return NULL;
}

static void threads_make_different_ids_each_in_order(void) {
    static char ids[THREADS][IDS_A_THREAD][ID_SIZE];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, make_ids, ids[i]), ==, 0);
    for (int i = 0; i < THREADS; i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);

    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    for (int i = 0; i < THREADS; i++) {
        for (int j = 0; j < IDS_A_THREAD; j++) {
            g_assert_true(j == 0 || strcmp(ids[i][j - 1], ids[i][j]) < 0);
            g_assert_true(g_hash_table_add(seen, ids[i][j]));
        }
    }
}

static void canonical_uuids_of_any_version_are_valid(void) {
    g_assert_true(id_is_valid("00000000-0000-0000-0000-000000000000"));
    g_assert_true(id_is_valid("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"));
    g_assert_true(id_is_valid("017f22e2-79b0-7cc3-98c4-dc0c0c07398f"));
}

static void other_text_is_no_id(void) {
    static const char *const cases[] = {
        "",
        "acme",
        "017F22E2-79B0-7CC3-98C4-DC0C0C07398F",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "{17f22e2-79b0-7cc3-98c4-dc0c0c07398}",
        "017f22e-279b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f\n",
    };
    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        g_assert_false(id_is_valid(cases[i]));
    g_assert_false(id_is_valid(NULL));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/id/ids_have_the_form_of_uuid_version_7",
                    ids_have_the_form_of_uuid_version_7);
    g_test_add_func("/base/id/ids_of_one_millisecond_sort_by_creation",
                    ids_of_one_millisecond_sort_by_creation);
    g_test_add_func("/base/id/ids_sort_by_creation_when_the_clock_steps_back",
                    ids_sort_by_creation_when_the_clock_steps_back);
    g_test_add_func("/base/id/threads_make_different_ids_each_in_order",
                    threads_make_different_ids_each_in_order);
    g_test_add_func("/base/id/canonical_uuids_of_any_version_are_valid",
                    canonical_uuids_of_any_version_are_valid);
    g_test_add_func("/base/id/other_text_is_no_id", other_text_is_no_id);
    return g_test_run();
}
