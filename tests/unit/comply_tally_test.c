/* From rows to the verdict of a check: the tables of docs/judging.md. */
#include "unit/comply_support.h"

#include "comply/tally.h"

typedef struct {
    const char *says;
    int64_t passed, failed, unread, exempt;
    bool missing;
    Verdict verdict;
} Case;

static void assert_cases(const DefinitionCheck *check, const Case *cases, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const Case *one = &cases[i];
        Tally tally = {.rows = {[VERDICT_PASS] = one->passed,
                                [VERDICT_FAIL] = one->failed,
                                [VERDICT_COULD_NOT_READ] = one->unread,
                                [VERDICT_NOT_APPLICABLE] = one->exempt},
                       .rows_missing = one->missing};
        g_test_message("%s", one->says);
        g_assert_cmpint(tally_judged(&tally), ==, one->passed + one->failed);
        g_assert_cmpstr(verdict_name(tally_verdict(&tally, check)), ==, verdict_name(one->verdict));
    }
}

static void rows_are_counted_with_the_reads_that_left_them_unread(void) {
    Tally tally = {.rows_missing = false};
    tally_add(&tally, VERDICT_PASS, 0);
    tally_add(&tally, VERDICT_FAIL, 1); /* what was judged blames no read */
    tally_add(&tally, VERDICT_COULD_NOT_READ, 5);
    tally_add(&tally, VERDICT_COULD_NOT_READ, UINT64_C(1) << (READ_MAX_NODES - 1) | 4);
    tally_add(&tally, VERDICT_COULD_NOT_READ, 0);
    g_assert_cmpint(tally.rows[VERDICT_PASS], ==, 1);
    g_assert_cmpint(tally.rows[VERDICT_COULD_NOT_READ], ==, 3);
    g_assert_cmpint(tally.unread_by[0], ==, 1);
    g_assert_cmpint(tally.unread_by[1], ==, 0);
    g_assert_cmpint(tally.unread_by[2], ==, 2);
    g_assert_cmpint(tally.unread_by[READ_MAX_NODES - 1], ==, 1);
    g_assert_cmpint(tally.unread_odd, ==, 1);
}

static void all_rows_must_pass(void) {
    static const DefinitionCheck all = {.require = REQUIRE_ALL};
    static const Case cases[] = {
        {"all pass", 12, 0, 0, 0, false, VERDICT_PASS},
        {"one fails", 11, 1, 0, 0, false, VERDICT_FAIL},
        {"exempt rows do not count", 3, 0, 0, 9, false, VERDICT_PASS},
        {"no rows", 0, 0, 0, 0, false, VERDICT_NOT_APPLICABLE},
        {"only exempt rows", 0, 0, 0, 4, false, VERDICT_NOT_APPLICABLE},
        {"one row unread, the rest would pass", 11, 0, 1, 0, false, VERDICT_COULD_NOT_READ},
        {"one row unread, another fails", 10, 1, 1, 0, false, VERDICT_FAIL},
        {"nothing could be read", 0, 0, 12, 0, false, VERDICT_COULD_NOT_READ},
        {"the list was cut, what came passes", 12, 0, 0, 0, true, VERDICT_COULD_NOT_READ},
        {"the list was cut, a row fails already", 11, 1, 0, 0, true, VERDICT_FAIL},
        {"the list was denied", 0, 0, 0, 0, true, VERDICT_COULD_NOT_READ},
        {"the list was cut, what came is exempt", 0, 0, 0, 3, true, VERDICT_COULD_NOT_READ},
    };
    assert_cases(&all, cases, G_N_ELEMENTS(cases));
}

static void more_than_a_share_must_pass(void) {
    static const DefinitionCheck share = {.require = REQUIRE_MORE_THAN, .require_percent = 80};
    static const Case cases[] = {
        {"80 % is not enough", 80, 20, 0, 0, false, VERDICT_FAIL},
        {"81 % is", 81, 19, 0, 0, false, VERDICT_PASS},
        {"4 of 5 is 80 %", 4, 1, 0, 0, false, VERDICT_FAIL},
        {"one more in a large crowd is enough", 800001, 199999, 0, 0, false, VERDICT_PASS},
        {"a share of the judged rows only", 9, 1, 0, 90, false, VERDICT_PASS},
        {"no rows", 0, 0, 0, 0, false, VERDICT_NOT_APPLICABLE},
        {"enough pass even if all unread fail", 95, 0, 5, 0, false, VERDICT_PASS},
        {"too few pass even if all unread pass", 10, 80, 10, 0, false, VERDICT_FAIL},
        {"the unread decide", 79, 11, 10, 0, false, VERDICT_COULD_NOT_READ},
        {"81 of 100 with the last unread as a fail", 81, 18, 1, 0, false, VERDICT_PASS},
        {"80 of 100 with the last unread as a fail", 80, 19, 1, 0, false, VERDICT_COULD_NOT_READ},
        {"nothing could be read", 0, 0, 7, 0, false, VERDICT_COULD_NOT_READ},
        {"a cut list leaves every share open", 99, 1, 0, 0, true, VERDICT_COULD_NOT_READ},
        {"also a low one", 1, 99, 0, 0, true, VERDICT_COULD_NOT_READ},
        {"the list was denied", 0, 0, 0, 0, true, VERDICT_COULD_NOT_READ},
    };
    assert_cases(&share, cases, G_N_ELEMENTS(cases));
}

static void at_least_a_share_must_pass(void) {
    static const DefinitionCheck share = {.require = REQUIRE_AT_LEAST, .require_percent = 95};
    static const Case cases[] = {
        {"95 % is enough", 95, 5, 0, 0, false, VERDICT_PASS},
        {"94 % is not", 94, 6, 0, 0, false, VERDICT_FAIL},
        {"19 of 20", 19, 1, 0, 0, false, VERDICT_PASS},
        {"unread rows decide", 94, 5, 1, 0, false, VERDICT_COULD_NOT_READ},
    };
    assert_cases(&share, cases, G_N_ELEMENTS(cases));
}

static const ComplyTest tests[] = {
    {"rows_are_counted_with_the_reads_that_left_them_unread",
     rows_are_counted_with_the_reads_that_left_them_unread},
    {"all_rows_must_pass", all_rows_must_pass},
    {"more_than_a_share_must_pass", more_than_a_share_must_pass},
    {"at_least_a_share_must_pass", at_least_a_share_must_pass},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "tally", tests, G_N_ELEMENTS(tests));
}
