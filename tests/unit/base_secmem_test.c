#include "base/secmem.h"

#include "base/error.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#define MARKER "planted-9b1f6c2e"

static Secret *make(const void *bytes, size_t size) {
    g_autoptr(GError) error = NULL;
    Secret *secret = secret_new(bytes, size, &error);
    g_assert_no_error(error);
    g_assert_nonnull(secret);
    return secret;
}

static bool is_zero(const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

static void a_secret_is_a_copy_with_a_nul_behind(void) {
    char source[] = "to\0ken";
    g_autoptr(Secret) secret = make(source, 6);
    memset(source, 'x', sizeof source);
    g_assert_cmpuint(secret_size(secret), ==, 6);
    g_assert_true(memcmp(secret_bytes(secret), "to\0ken", 7) == 0);
    g_assert_cmpstr(secret_text(secret), ==, "to");
}

static void an_empty_secret_is_empty_text(void) {
    g_autoptr(Secret) secret = make(NULL, 0);
    g_assert_cmpuint(secret_size(secret), ==, 0);
    g_assert_cmpstr(secret_text(secret), ==, "");
}

static void taking_wipes_the_source(void) {
    g_autoptr(GError) error = NULL;
    unsigned char source[] = "token";
    g_autoptr(Secret) secret = secret_take(source, 5, &error);
    g_assert_no_error(error);
    g_assert_cmpstr(secret_text(secret), ==, "token");
    g_assert_true(is_zero(source, sizeof source));
}

static void taking_wipes_the_source_also_when_it_is_too_large(void) {
    g_autoptr(GError) error = NULL;
    g_autofree unsigned char *source = g_malloc(SECRET_MAX + 1);
    memset(source, 'x', SECRET_MAX + 1);
    g_assert_null(secret_take(source, SECRET_MAX + 1, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_true(is_zero(source, SECRET_MAX + 1));
}

static void the_last_reference_wipes(void) {
    Secret *secret = make("token-of-acme", 13);
    Secret *second = secret_ref(secret);
    const unsigned char *bytes = secret_bytes(secret);
    secret_free(secret);
    g_assert_cmpstr(secret_text(second), ==, "token-of-acme");
    secret_free(second);
    g_assert_true(is_zero(bytes, 14));
    secret_free(NULL);
}

static void a_blank_secret_is_filled_by_its_maker(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) secret = secret_blank(4, &error);
    g_assert_no_error(error);
    g_assert_true(is_zero(secret_bytes(secret), 5));
    memcpy(secret_room(secret), "abcd", 4);
    g_assert_cmpstr(secret_text(secret), ==, "abcd");
}

static void random_secrets_differ(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Secret) a = secret_random(32, &error);
    g_autoptr(Secret) b = secret_random(32, &error);
    g_assert_no_error(error);
    g_assert_false(secmem_equal(secret_bytes(a), 32, secret_bytes(b), 32));
    g_assert_false(is_zero(secret_bytes(a), 32));
    g_assert_null(secret_random(SECRET_MAX + 1, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
}

static void the_largest_secret_fits_and_no_larger(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *bytes = g_malloc0(SECRET_MAX + 1);
    memset(bytes, 'm', SECRET_MAX);
    g_autoptr(Secret) secret = make(bytes, SECRET_MAX);
    g_assert_cmpuint(strlen(secret_text(secret)), ==, SECRET_MAX);
    g_assert_null(secret_new(bytes, SECRET_MAX + 1, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_null(strstr(error->message, "mmm"));
}

static void a_full_arena_refuses_and_works_again_when_secrets_go(void) {
    g_autoptr(GPtrArray) secrets = g_ptr_array_new_with_free_func((GDestroyNotify)secret_free);
    g_autoptr(GError) error = NULL;
    Secret *secret;
    while ((secret = secret_blank(1000, &error)) != NULL) {
        g_ptr_array_add(secrets, secret);
        g_assert_cmpuint(secrets->len, <, 2000);
    }
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_cmpuint(secrets->len, >, 900);
    g_ptr_array_remove_index(secrets, secrets->len / 2);
    g_clear_error(&error);
    g_autoptr(Secret) again = secret_blank(1000, &error);
    g_assert_no_error(error);
    g_assert_nonnull(again);
    g_ptr_array_set_size(secrets, 0);
    g_autoptr(Secret) large = secret_blank(SECRET_MAX, &error);
    g_assert_no_error(error);
    g_assert_nonnull(large);
}

/* Secrets of many sizes come and go; each must keep its own bytes. */
static void churn(uint64_t seed) {
    Secret *held[64] = {NULL};
    unsigned char letters[64] = {0};
    for (int i = 0; i < 5000; i++) {
        seed = seed * 6364136223846793005U + 1442695040888963407U;
        size_t slot = seed >> 58;
        if (held[slot] != NULL) {
            const unsigned char *bytes = secret_bytes(held[slot]);
            size_t size = secret_size(held[slot]);
            for (size_t j = 0; j < size; j++)
                g_assert_cmpint(bytes[j], ==, letters[slot]);
            g_assert_cmpint(bytes[size], ==, 0);
        }
        g_clear_pointer(&held[slot], secret_free);
        g_autoptr(GError) error = NULL;
        held[slot] = secret_blank(seed >> 40 & 511, &error);
        g_assert_no_error(error);
        letters[slot] = (unsigned char)(seed >> 32);
        memset(secret_room(held[slot]), letters[slot], secret_size(held[slot]));
    }
    for (size_t slot = 0; slot < G_N_ELEMENTS(held); slot++)
        secret_free(held[slot]);
}

static void *churn_thread(void *data) {
    churn((uint64_t)(uintptr_t)data);
    return NULL;
}

static void secrets_never_share_bytes(void) {
    pthread_t threads[4];
    for (uintptr_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_create(&threads[i], NULL, churn_thread, (void *)(i + 1)), ==, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++)
        g_assert_cmpint(pthread_join(threads[i], NULL), ==, 0);
}

/* The flags line that /proc/self/smaps gives for the mapping with this address. Caller frees. */
static char *mapping_flags(const void *address) {
    g_autofree char *maps = NULL;
    g_assert_true(g_file_get_contents("/proc/self/smaps", &maps, NULL, NULL));
    g_auto(GStrv) lines = g_strsplit(maps, "\n", -1);
    bool inside = false;
    for (char **line = lines; *line != NULL; line++) {
        char *dash;
        guint64 from = g_ascii_strtoull(*line, &dash, 16);
        if (dash != *line && *dash == '-')
            inside = from <= (uintptr_t)address &&
                     (uintptr_t)address < g_ascii_strtoull(dash + 1, NULL, 16);
        else if (inside && g_str_has_prefix(*line, "VmFlags:"))
            return g_strconcat(*line, " ", NULL);
    }
    return NULL;
}

static void secrets_are_left_out_of_core_dumps(void) {
    g_autoptr(Secret) secret = make("token", 5);
    g_autofree char *flags = mapping_flags(secret_bytes(secret));
    g_assert_nonnull(flags);
    g_assert_nonnull(strstr(flags, " dd "));
}

static void equal_means_same_length_and_bytes(void) {
    g_assert_true(secmem_equal("abc", 3, "abc", 3));
    g_assert_true(secmem_equal("", 0, "", 0));
    g_assert_false(secmem_equal("abc", 3, "abd", 3));
    g_assert_false(secmem_equal("abc", 3, "abcd", 4));
    g_assert_false(secmem_equal("abc", 3, "", 0));
}

static void wiping_leaves_zeros_and_nothing_else(void) {
    unsigned char bytes[] = "abcdef";
    secmem_wipe(bytes + 1, 3);
    g_assert_true(memcmp(bytes, "a\0\0\0ef", 7) == 0);
    secmem_wipe(NULL, 0);
    secmem_free_text(NULL);
    secmem_free_text(g_strdup("token"));
}

static void an_unset_variable_is_no_secret_and_no_error(void) {
    g_autoptr(GError) error = NULL;
    g_assert_null(secret_from_environment("ASSAY_TEST_UNSET", &error));
    g_assert_no_error(error);
}

/* Whether the environment that the kernel shows of this process has the text. */
static bool environment_shows(const char *text) {
    g_autofree char *bytes = NULL;
    gsize size;
    g_assert_true(g_file_get_contents("/proc/self/environ", &bytes, &size, NULL));
    return memmem(bytes, size, text, strlen(text)) != NULL;
}

static void child_takes_a_secret_from_its_environment(void) {
    g_autoptr(GError) error = NULL;
    g_assert_true(environment_shows(MARKER));
    g_autoptr(Secret) secret = secret_from_environment("ASSAY_TEST_SECRET", &error);
    g_assert_no_error(error);
    g_assert_cmpstr(secret_text(secret), ==, MARKER);
    g_assert_null(getenv("ASSAY_TEST_SECRET"));
    g_assert_false(environment_shows(MARKER));
    g_assert_cmpstr(getenv("ASSAY_TEST_OTHER"), ==, "stays");
}

static void a_secret_leaves_the_environment_that_the_kernel_shows(void) {
    g_setenv("ASSAY_TEST_SECRET", MARKER, TRUE);
    g_setenv("ASSAY_TEST_OTHER", "stays", TRUE);
    g_test_trap_subprocess("/base/secmem/subprocess/environment", 0, 0);
    g_test_trap_assert_passed();
    g_unsetenv("ASSAY_TEST_SECRET");
}

static void child_refuses_a_large_secret_of_its_environment(void) {
    g_autoptr(GError) error = NULL;
    g_assert_null(secret_from_environment("ASSAY_TEST_SECRET", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_LIMIT);
    g_assert_null(getenv("ASSAY_TEST_SECRET"));
    g_assert_false(environment_shows("LLLLLLLL"));
}

static void a_secret_too_large_to_hold_leaves_the_environment_too(void) {
    g_autofree char *large = g_strnfill(SECRET_MAX + 1, 'L');
    g_setenv("ASSAY_TEST_SECRET", large, TRUE);
    g_test_trap_subprocess("/base/secmem/subprocess/large", 0, 0);
    g_test_trap_assert_passed();
    g_unsetenv("ASSAY_TEST_SECRET");
}

static void child_starts_secret_memory(void) {
    g_autoptr(GError) error = NULL;
    g_assert_true(secmem_start(&error));
    g_assert_no_error(error);
    struct rlimit core;
    g_assert_cmpint(getrlimit(RLIMIT_CORE, &core), ==, 0);
    g_assert_cmpuint(core.rlim_cur, ==, 0);
    g_assert_cmpuint(core.rlim_max, ==, 0);
#ifndef ASSAY_SANITIZED
    g_assert_cmpint(prctl(PR_GET_DUMPABLE), ==, 0);
#endif
    g_autoptr(Secret) secret = make("token", 5);
    g_assert_cmpstr(secret_text(secret), ==, "token");
}

static void a_started_process_writes_no_core(void) {
    g_test_trap_subprocess("/base/secmem/subprocess/start", 0, 0);
    g_test_trap_assert_passed();
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/base/secmem/a_secret_is_a_copy_with_a_nul_behind",
                    a_secret_is_a_copy_with_a_nul_behind);
    g_test_add_func("/base/secmem/an_empty_secret_is_empty_text", an_empty_secret_is_empty_text);
    g_test_add_func("/base/secmem/taking_wipes_the_source", taking_wipes_the_source);
    g_test_add_func("/base/secmem/taking_wipes_the_source_also_when_it_is_too_large",
                    taking_wipes_the_source_also_when_it_is_too_large);
    g_test_add_func("/base/secmem/the_last_reference_wipes", the_last_reference_wipes);
    g_test_add_func("/base/secmem/a_blank_secret_is_filled_by_its_maker",
                    a_blank_secret_is_filled_by_its_maker);
    g_test_add_func("/base/secmem/random_secrets_differ", random_secrets_differ);
    g_test_add_func("/base/secmem/the_largest_secret_fits_and_no_larger",
                    the_largest_secret_fits_and_no_larger);
    g_test_add_func("/base/secmem/a_full_arena_refuses_and_works_again_when_secrets_go",
                    a_full_arena_refuses_and_works_again_when_secrets_go);
    g_test_add_func("/base/secmem/secrets_never_share_bytes", secrets_never_share_bytes);
    g_test_add_func("/base/secmem/secrets_are_left_out_of_core_dumps",
                    secrets_are_left_out_of_core_dumps);
    g_test_add_func("/base/secmem/equal_means_same_length_and_bytes",
                    equal_means_same_length_and_bytes);
    g_test_add_func("/base/secmem/wiping_leaves_zeros_and_nothing_else",
                    wiping_leaves_zeros_and_nothing_else);
    g_test_add_func("/base/secmem/an_unset_variable_is_no_secret_and_no_error",
                    an_unset_variable_is_no_secret_and_no_error);
    g_test_add_func("/base/secmem/a_secret_leaves_the_environment_that_the_kernel_shows",
                    a_secret_leaves_the_environment_that_the_kernel_shows);
    g_test_add_func("/base/secmem/a_secret_too_large_to_hold_leaves_the_environment_too",
                    a_secret_too_large_to_hold_leaves_the_environment_too);
    g_test_add_func("/base/secmem/a_started_process_writes_no_core",
                    a_started_process_writes_no_core);
    g_test_add_func("/base/secmem/subprocess/environment",
                    child_takes_a_secret_from_its_environment);
    g_test_add_func("/base/secmem/subprocess/large",
                    child_refuses_a_large_secret_of_its_environment);
    g_test_add_func("/base/secmem/subprocess/start", child_starts_secret_memory);
    return g_test_run();
}
