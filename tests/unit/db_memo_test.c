/* What the units of one transaction have found out. */
#include "db/memo.h"

#include <glib.h>
#include <string.h>

static void what_was_added_is_known_until_it_is_removed(void) {
    Memo *memo = memo_new();
    g_assert_false(memo_has(memo, 1, "a", "x"));
    memo_add(memo, 1, "a", "x");
    memo_add(memo, 1, "a", "y");
    g_assert_true(memo_has(memo, 1, "a", "x"));
    memo_remove(memo, 1, "a", "x");
    memo_remove(memo, 1, "a", "never");
    g_assert_false(memo_has(memo, 1, "a", "x"));
    g_assert_true(memo_has(memo, 1, "a", "y"));
    memo_free(memo);
}

static void memo_are_those_of_one_organization(void) {
    Memo *memo = memo_new();
    memo_add(memo, 1, "a", "x");
    g_assert_false(memo_has(memo, 1, "b", "x"));
    g_assert_false(memo_has(memo, 1, "x", "a"));
    memo_free(memo);
}

static void another_era_knows_nothing(void) {
    Memo *memo = memo_new();
    memo_add(memo, 1, "a", "x");
    g_assert_false(memo_has(memo, 2, "a", "x"));
    g_assert_false(memo_has(memo, 1, "a", "x"));
    memo_add(memo, 1, "a", "x");
    memo_add(memo, 3, "b", "x");
    g_assert_false(memo_has(memo, 3, "a", "x"));
    memo_free(memo);
    memo_free(NULL);
}

static void what_is_too_long_is_never_known(void) {
    Memo *memo = memo_new();
    char text[400];
    memset(text, 'o', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    memo_add(memo, 1, text, "x");
    memo_remove(memo, 1, text, "x");
    g_assert_false(memo_has(memo, 1, text, "x"));
    memo_free(memo);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/memo/" #name, name)
    ADD(what_was_added_is_known_until_it_is_removed);
    ADD(memo_are_those_of_one_organization);
    ADD(another_era_knows_nothing);
    ADD(what_is_too_long_is_never_known);
    return g_test_run();
}
