/* Turns between processes; two turnstiles on one file stand for two of them. */
#include "base/error.h"
#include "db/turnstile.h"
#include <glib/gstdio.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static char *path;
static int leaves;

static Turnstile *open_turnstile(void) {
    g_autoptr(GError) error = NULL;
    Turnstile *turnstile = turnstile_new(path, &error);
    g_assert_no_error(error);
    return turnstile;
}

/* Whether somebody holds the lock now. */
static bool is_held(void) {
    FILE *file = g_fopen(path, "r");
    g_assert_nonnull(file);
    bool held = flock(fileno(file), LOCK_EX | LOCK_NB) != 0;
    fclose(file);
    return held;
}

static void who_enters_holds_it_until_he_leaves(void) {
    g_autoptr(Turnstile) turnstile = open_turnstile();
    g_assert_false(is_held());
    turnstile_enter(turnstile, 1000);
    g_assert_true(is_held());
    turnstile_leave(turnstile);
    g_assert_false(is_held());
}

static void *enter_and_leave(void *data) {
    turnstile_enter(data, G_MAXINT64);
    g_assert_cmpint(g_atomic_int_get(&leaves), ==, 1);
    turnstile_leave(data);
    return NULL;
}

static void second_waits_for_the_first(void) {
    g_autoptr(Turnstile) first = open_turnstile();
    g_autoptr(Turnstile) second = open_turnstile();
    pthread_t thread;
    leaves = 0;
    turnstile_enter(first, 1000);
    g_assert_cmpint(pthread_create(&thread, NULL, enter_and_leave, second), ==, 0);
    g_atomic_int_inc(&leaves);
    turnstile_leave(first);
    pthread_join(thread, NULL);
    g_assert_false(is_held());
}

static void waiting_ends_at_the_limit(void) {
    g_autoptr(Turnstile) first = open_turnstile();
    g_autoptr(Turnstile) second = open_turnstile();
    turnstile_enter(first, 1000);
    turnstile_enter(second, 5); /* would never return without its limit */
    turnstile_leave(second);
    g_assert_true(is_held());
    turnstile_leave(first);
}

static void closing_lets_the_next_one_come(void) {
    Turnstile *first = open_turnstile();
    turnstile_enter(first, 1000);
    turnstile_free(first);
    g_assert_false(is_held());
    turnstile_free(NULL);
}

static void file_that_cannot_be_opened_is_named(void) {
    g_autoptr(GError) error = NULL;
    g_assert_null(turnstile_new("/nonexistent/turn", &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "/nonexistent/turn"));
}

static void link_is_not_followed(void) {
    g_autoptr(GError) error = NULL;
    g_autofree char *link = g_strconcat(path, "-link", NULL);
    g_assert_cmpint(symlink(path, link), ==, 0);
    g_assert_null(turnstile_new(link, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_unlink(link);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autofree char *folder = g_dir_make_tmp("assay-turn-XXXXXX", NULL);
    path = g_build_filename(folder, "turn", NULL);
#define ADD(name) g_test_add_func("/db/turnstile/" #name, name)
    ADD(who_enters_holds_it_until_he_leaves);
    ADD(second_waits_for_the_first);
    ADD(waiting_ends_at_the_limit);
    ADD(closing_lets_the_next_one_come);
    ADD(file_that_cannot_be_opened_is_named);
    ADD(link_is_not_followed);
    int status = g_test_run();
    g_unlink(path);
    g_rmdir(folder);
    g_free(path);
    return status;
}
