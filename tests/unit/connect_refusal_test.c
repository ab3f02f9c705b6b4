/* The sentences that people read when a provider's answer was no. */
#include "unit/connect_support.h"
#include "unit/provider_support.h"

#include "connect/refusal.h"

#include <string.h>

static const char calls[] =
    "calls:\n"
    "  users: {get: /users, rows: ., needs: {scope: [repo], permission: ['administration:read']}}\n"
    "  keys: {get: /keys, needs: {scope: ['read:org', security_events]}}\n"
    "  open: {get: /open}\n";

static Definition *definition;

static char *sentence(Outcome outcome, int status, const char *url, const char *transport) {
    Refusal refusal = {.definition = definition,
                       .call = definition_call(definition, "users"),
                       .outcome = outcome,
                       .status = status,
                       .url = url,
                       .transport = transport};
    return refusal_sentence(&refusal);
}

#define URL "https://api.demo.test/teams/a/users?token=" PLANTED

static void contract_has_its_sentences(void) {
    static const struct {
        Outcome outcome;
        const char *says;
    } table[] = {
        {OUTCOME_AUTH_EXPIRED, "Authentication failed for Demo. Please re-authorize."},
        {OUTCOME_RATE_LIMITED, "Rate limit exceeded for Demo. Please try again later."},
        {OUTCOME_FORBIDDEN, "Insufficient permissions for Demo. Please check scopes: repo (scope), "
                            "or administration:read (permission)."},
        {OUTCOME_UNLICENSED, "Demo answered with status 402 to /teams/a/users. The plan of this "
                             "account does not include it."},
        {OUTCOME_UNAVAILABLE,
         "Demo answered with status 402 to /teams/a/users. Please try again later."},
        {OUTCOME_TIMEOUT, "Demo answered with status 402 to /teams/a/users. No answer came in "
                          "time; please try again later."},
        {OUTCOME_BROKEN,
         "Demo answered with status 402 to /teams/a/users. The answer could not be read."},
        {OUTCOME_ENDLESS, "Demo answered with status 402 to /teams/a/users. The list did not end."},
        {OUTCOME_BAD_REQUEST, "Demo answered with status 402 to /teams/a/users. Check the settings "
                              "of this connection."},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = sentence(table[i].outcome, 402, URL, NULL);
        g_assert_cmpstr(text, ==, table[i].says);
    }
}

static void good_news_have_no_sentence(void) {
    g_assert_null(sentence(OUTCOME_OK, 200, URL, NULL));
    g_assert_null(sentence(OUTCOME_ABSENT, 404, URL, NULL));
}

static void every_other_outcome_has_one_and_tells_no_query(void) {
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        if (outcome == OUTCOME_OK || outcome == OUTCOME_ABSENT)
            continue;
        g_autofree char *answered = sentence((Outcome)outcome, 500, URL, NULL);
        g_autofree char *silent = sentence((Outcome)outcome, 0, URL, "the connection was reset");
        assert_holds(answered, "Demo");
        assert_holds(silent, "Demo");
        assert_lacks(answered, PLANTED);
        assert_lacks(silent, PLANTED);
        assert_lacks(answered, "?");
        assert_lacks(silent, "?");
    }
}

static void without_an_answer_the_reason_is_told(void) {
    g_autofree char *text = sentence(OUTCOME_UNAVAILABLE, 0, URL, "the connection was reset");
    g_assert_cmpstr(text, ==,
                    "Demo: the connection was reset (/teams/a/users). Please try again later.");
    g_autofree char *rootless =
        sentence(OUTCOME_UNAVAILABLE, 0, "https://sts.demo.test/", "sts.demo.test is not found");
    g_assert_cmpstr(rootless, ==, "Demo: sts.demo.test is not found. Please try again later.");
}

static void only_the_path_is_named(void) {
    static const struct {
        const char *url;
        const char *path;
    } table[] = {{"https://api.demo.test", "to /."},
                 {"https://api.demo.test?key=" PLANTED, "to /."},
                 {"https://api.demo.test/a#" PLANTED, "to /a."},
                 {"http://127.0.0.1:8080/v3/a?b", "to /v3/a."},
                 {"no URL", "to /."},
                 {"", "to /."},
                 {NULL, "to /."}};
    for (size_t i = 0; i < G_N_ELEMENTS(table); i++) {
        g_autofree char *text = sentence(OUTCOME_UNAVAILABLE, 503, table[i].url, NULL);
        assert_holds(text, table[i].path);
        assert_lacks(text, PLANTED);
        assert_lacks(text, "api.demo.test");
    }
}

static void permissions_are_told_by_vocabulary(void) {
    g_autofree char *two = refusal_needs(definition_call(definition, "users"));
    g_autofree char *all = refusal_needs(definition_call(definition, "keys"));
    g_assert_cmpstr(two, ==, "repo (scope), or administration:read (permission)");
    g_assert_cmpstr(all, ==, "read:org and security_events (scope)");
    g_assert_null(refusal_needs(definition_call(definition, "open")));
    g_assert_null(refusal_needs(NULL));
}

static void a_call_without_needs_points_to_the_setup(void) {
    Refusal refusal = {.definition = definition, .outcome = OUTCOME_FORBIDDEN, .status = 403};
    g_autofree char *text = refusal_sentence(&refusal);
    g_assert_cmpstr(
        text, ==,
        "Insufficient permissions for Demo. Please check the scopes that its setup names.");
}

static void several_permissions_are_told_in_one_sentence(void) {
    g_autofree char *two = refusal_permissions(definition, "one (scope); two (scope)");
    g_assert_cmpstr(
        two, ==,
        "Insufficient permissions for Demo. Please check scopes: one (scope); two (scope).");
    Refusal refusal = {.definition = definition,
                       .call = definition_call(definition, "keys"),
                       .outcome = OUTCOME_FORBIDDEN,
                       .status = 403};
    g_autofree char *needs = refusal_needs(refusal.call);
    g_autofree char *same = refusal_permissions(definition, needs);
    g_autofree char *sentence = refusal_sentence(&refusal);
    g_assert_cmpstr(sentence, ==, same);
}

#define ADD(name) g_test_add_func("/connect/refusal/" #name, name)

int main(int argc, char **argv) {
    connect_test_init(&argc, &argv);
    SupportParts parts = {.calls = calls, .evidence = small_evidence};
    definition = support_load(&parts);
    ADD(contract_has_its_sentences);
    ADD(good_news_have_no_sentence);
    ADD(every_other_outcome_has_one_and_tells_no_query);
    ADD(without_an_answer_the_reason_is_told);
    ADD(only_the_path_is_named);
    ADD(permissions_are_told_by_vocabulary);
    ADD(a_call_without_needs_points_to_the_setup);
    ADD(several_permissions_are_told_in_one_sentence);
    int failed = g_test_run();
    definition_free(definition);
    return failed;
}
