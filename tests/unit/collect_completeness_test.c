/* What was read and what was not. */
#include "collect/completeness.h"

#include <glib.h>

static const char *const nodes[] = {"repo", "protection"};

static Completeness *counter(void) {
    return completeness_new(nodes, G_N_ELEMENTS(nodes));
}

static void nothing_to_read_is_complete(void) {
    g_autoptr(Completeness) counted = counter();
    g_assert_true(completeness_is_complete(counted));
    g_assert_cmpfloat(completeness_share(counted), ==, 1.0);
}

static void absent_answers_are_read(void) {
    g_autoptr(Completeness) counted = counter();
    completeness_answer(counted, 0, OUTCOME_OK, NULL, NULL);
    completeness_answer(counted, 1, OUTCOME_ABSENT, NULL, NULL);
    g_assert_true(completeness_is_complete(counted));
}

static void every_other_outcome_is_a_gap(void) {
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        g_autoptr(Completeness) counted = counter();
        bool read = outcome == OUTCOME_OK || outcome == OUTCOME_ABSENT;
        completeness_answer(counted, 1, (Outcome)outcome, "why", read ? NULL : "right");
        g_assert_true(completeness_is_complete(counted) == read);
        Outcome found;
        const char *message;
        g_autofree char *needs = completeness_needs(counted);
        g_assert_true(completeness_failure(counted, &found, &message) == !read);
        if (!read) {
            g_assert_cmpint(found, ==, outcome);
            g_assert_cmpstr(message, ==, "why");
        }
        g_assert_cmpstr(needs, ==, read ? NULL : "right");
    }
}

static void a_list_whose_end_was_not_seen_is_a_gap(void) {
    g_autoptr(Completeness) counted = counter();
    completeness_answer(counted, 0, OUTCOME_OK, NULL, NULL);
    completeness_node(counted, 0)->lists = 1;
    g_assert_false(completeness_is_complete(counted));
    g_assert_cmpfloat(completeness_share(counted), ==, 0.5);
    completeness_node(counted, 0)->lists_ended = 1;
    g_assert_true(completeness_is_complete(counted));
}

static void a_denied_list_counts_once(void) {
    g_autoptr(Completeness) counted = counter();
    completeness_node(counted, 0)->lists = 1;
    completeness_answer(counted, 0, OUTCOME_FORBIDDEN, "no", NULL);
    g_assert_cmpfloat(completeness_share(counted), ==, 0.0);
}

static void the_share_counts_reads(void) {
    g_autoptr(Completeness) counted = counter();
    for (int i = 0; i < 3; i++)
        completeness_answer(counted, 1, OUTCOME_OK, NULL, NULL);
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, NULL, NULL);
    g_assert_cmpfloat(completeness_share(counted), ==, 0.75);
}

static void the_most_telling_failure_is_told(void) {
    g_autoptr(Completeness) counted = counter();
    completeness_answer(counted, 0, OUTCOME_UNAVAILABLE, "down", NULL);
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, "not allowed", "administration:read");
    completeness_answer(counted, 1, OUTCOME_TIMEOUT, "slow", NULL);
    Outcome outcome;
    const char *message;
    g_assert_true(completeness_failure(counted, &outcome, &message));
    g_assert_cmpint(outcome, ==, OUTCOME_FORBIDDEN);
    g_assert_cmpstr(message, ==, "not allowed");
    g_autofree char *needs = completeness_needs(counted);
    g_assert_cmpstr(needs, ==, "administration:read");
}

static void every_missing_permission_is_told_once(void) {
    g_autoptr(Completeness) counted = counter();
    g_assert_null(completeness_needs(counted));
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, "not allowed", "administration:read");
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, "not allowed", "metadata:read");
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, "not allowed", "administration:read");
    completeness_answer(counted, 0, OUTCOME_FORBIDDEN, "not allowed", "metadata:read");
    completeness_answer(counted, 0, OUTCOME_FORBIDDEN, "not allowed", NULL);
    completeness_answer(counted, 0, OUTCOME_AUTH_EXPIRED, "sign in again", NULL);
    g_autofree char *needs = completeness_needs(counted);
    g_assert_cmpstr(needs, ==, "metadata:read; administration:read");
    g_autoptr(Json) json = completeness_json(counted);
    const Json *reads = json_member(json, "reads");
    g_assert_cmpstr(json_member_string(json_item(reads, 0), "needs", ""), ==, "metadata:read");
    g_assert_cmpstr(json_member_string(json_item(reads, 1), "needs", ""), ==,
                    "administration:read; metadata:read");
    g_assert_cmpstr(json_member_string(json_item(reads, 0), "message", ""), ==, "sign in again");
}

static void the_record_form_names_every_node(void) {
    g_autoptr(Completeness) counted = counter();
    completeness_answer(counted, 0, OUTCOME_OK, NULL, NULL);
    completeness_answer(counted, 1, OUTCOME_FORBIDDEN, "not allowed", "administration:read");
    completeness_node(counted, 0)->rows = 7;
    g_autoptr(Json) json = completeness_json(counted);
    g_autofree char *text = json_print(json, JSON_COMPACT);
    g_assert_cmpstr(text, ==,
                    "{\"complete\":false,\"share\":0.5,\"reads\":["
                    "{\"node\":\"repo\",\"requests\":1,\"pages\":0,\"rows\":7,\"lists\":0,"
                    "\"listsEnded\":0,\"outcomes\":{\"ok\":1}},"
                    "{\"node\":\"protection\",\"requests\":1,\"pages\":0,\"rows\":0,\"lists\":0,"
                    "\"listsEnded\":0,\"outcomes\":{\"forbidden\":1},"
                    "\"message\":\"not allowed\",\"needs\":\"administration:read\"}]}");
}

#define TEST(name)                                                                                 \
    { "/collect/completeness/" #name, name }

int main(int argc, char **argv) {
    static const struct {
        const char *path;
        void (*run)(void);
    } tests[] = {
        TEST(nothing_to_read_is_complete),      TEST(absent_answers_are_read),
        TEST(every_other_outcome_is_a_gap),     TEST(a_list_whose_end_was_not_seen_is_a_gap),
        TEST(a_denied_list_counts_once),        TEST(the_share_counts_reads),
        TEST(the_most_telling_failure_is_told), TEST(every_missing_permission_is_told_once),
        TEST(the_record_form_names_every_node),
    };
    g_test_init(&argc, &argv, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(tests); i++)
        g_test_add_func(tests[i].path, tests[i].run);
    return g_test_run();
}
