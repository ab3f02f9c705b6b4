/* What evidence records say about reads: which rows may be missing, and why. */
#include "unit/comply_support.h"

#include "comply/reads.h"

#include <string.h>

#define NODE(name, lists, ended, outcomes)                                                         \
    "{\"node\":\"" name "\",\"lists\":" #lists ",\"listsEnded\":" #ended                           \
    ",\"outcomes\":{" outcomes "}}"

static Reads *reads_of(const Definition *definition, const char *type, const char *entries) {
    g_autofree char *record =
        g_strdup_printf("{\"completeness\":{\"complete\":false,\"reads\":[%s]}}", entries);
    Reads *reads = NULL;
    comply_ok((reads = reads_new(definition, definition_type(definition, type), record, &error)) !=
              NULL);
    return reads;
}

typedef struct {
    const char *says;
    const char *type;
    const char *entries;
    uint64_t missing; /* nodes whose rows may be missing, for whoever needs all nodes */
    bool cut;
} Case;

static const Case cases[] = {
    {"all lists ended", "branches", READS_BRANCHES, 0, false},
    {"alerts of two repositories ended", "alerts", READS_ALERTS, 0, false},
    {"the root list was denied", "branches",
     NODE("repo", 1, 0, "\"forbidden\":1") "," NODE("protection", 0, 0, ""), 1, false},
    {"the root list was cut in the middle", "branches",
     NODE("repo", 1, 0, "\"ok\":3,\"timeout\":1") "," NODE("protection", 0, 0, "\"ok\":300"), 1,
     true},
    {"the root list never ended", "branches",
     NODE("repo", 1, 0, "\"ok\":3") "," NODE("protection", 0, 0, "\"ok\":300"), 1, true},
    {"the root list looped", "branches",
     NODE("repo", 1, 0, "\"ok\":3,\"endless\":1") "," NODE("protection", 0, 0, "\"ok\":9"), 1,
     true},
    {"an absent list is an empty one", "branches",
     NODE("repo", 1, 1, "\"absent\":1") "," NODE("protection", 0, 0, ""), 0, false},
    {"what hangs on a row is the row's own matter", "branches",
     NODE("repo", 1, 1, "\"ok\":1") "," NODE("protection", 0, 0, "\"ok\":1,\"forbidden\":1"), 0,
     false},
    {"a list below was denied for one of two", "alerts",
     NODE("repo", 1, 1, "\"ok\":1") "," NODE("alert", 2, 1, "\"ok\":1,\"forbidden\":1"), 2, false},
    {"a list below is not part of the plan", "alerts",
     NODE("repo", 1, 1, "\"ok\":1") "," NODE("alert", 2, 1, "\"ok\":1,\"unlicensed\":1"), 0, false},
    {"a list below is not part of the plan, another was cut", "alerts",
     NODE("repo", 1, 1, "\"ok\":1") "," NODE("alert", 3, 1, "\"ok\":2,\"unlicensed\":1"), 2, true},
    {"the root may not be excused, as its rule does not say so", "alerts",
     NODE("repo", 1, 0, "\"unlicensed\":1") "," NODE("alert", 0, 0, ""), 1, false},
    {"the credential died on the way", "branches",
     NODE("repo", 1, 0, "\"ok\":1,\"auth_expired\":1") "," NODE("protection", 0, 0, ""), 1, true},
    {"a node of the chain without an entry", "alerts", NODE("repo", 1, 1, "\"ok\":1"), 2, true},
    {"no entries at all", "branches", "", 1, true},
    {"entries of unknown nodes are passed over", "branches",
     READS_BRANCHES "," NODE("elsewhere", 1, 0, "\"forbidden\":1"), 0, false},
};

static void gaps_are_found_in_the_record(void) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(Reads) reads = reads_of(definition, cases[i].type, cases[i].entries);
        g_test_message("%s", cases[i].says);
        g_assert_cmpuint(reads_rows_missing(reads, UINT64_MAX), ==, cases[i].missing);
        g_assert_cmpint(reads_cut_short(reads), ==, cases[i].cut);
    }
}

static void only_the_nodes_asked_for_count(void) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    g_autoptr(Reads) reads = reads_of(
        definition, "branches",
        NODE("repo", 1, 0, "\"forbidden\":1") "," NODE("protection", 0, 0, "\"broken\":1"));
    g_assert_cmpuint(reads_rows_missing(reads, 1), ==, 1);
    g_assert_cmpuint(reads_rows_missing(reads, 3), ==, 1);
    g_assert_cmpuint(reads_rows_missing(reads, 2), ==, 0);
    g_assert_cmpuint(reads_rows_missing(reads, 0), ==, 0);
}

static void the_missing_permission_is_kept(void) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    g_autoptr(Reads) reads =
        reads_of(definition, "branches",
                 "{\"node\":\"repo\",\"lists\":1,\"listsEnded\":0,\"outcomes\":{\"forbidden\":1},"
                 "\"message\":\"Insufficient permissions for Alpha.\",\"needs\":\"repo:read\"}");
    const ReadState *state = reads_state(reads, 0);
    g_assert_true(state->known);
    g_assert_cmpstr(state->needs, ==, "repo:read");
    g_assert_cmpstr(state->message, ==, "Insufficient permissions for Alpha.");
    g_assert_cmpint(read_state_failure(state), ==, OUTCOME_FORBIDDEN);
    g_assert_false(reads_state(reads, 1)->known);
    g_assert_cmpint(read_state_failure(reads_state(reads, 1)), ==, OUTCOME_OK);
}

static void the_worst_failure_is_told_first(void) {
    ReadState state = {.outcomes = {[OUTCOME_OK] = 5, [OUTCOME_TIMEOUT] = 2}};
    g_assert_cmpint(read_state_failure(&state), ==, OUTCOME_TIMEOUT);
    state.outcomes[OUTCOME_FORBIDDEN] = 1;
    g_assert_cmpint(read_state_failure(&state), ==, OUTCOME_FORBIDDEN);
    state.outcomes[OUTCOME_AUTH_EXPIRED] = 1;
    g_assert_cmpint(read_state_failure(&state), ==, OUTCOME_AUTH_EXPIRED);
}

static void damaged_records_are_refused(void) {
    g_autoptr(Definition) definition = comply_definition(NULL, NULL);
    const EvidenceType *type = definition_type(definition, "branches");
    comply_fails(ERROR_DATABASE, reads_new(definition, type, "[]", &error) != NULL);
    comply_fails(ERROR_DATABASE, reads_new(definition, type, "{\"a\"", &error) != NULL);
    g_autoptr(Reads) odd = NULL;
    comply_ok((odd = reads_new(definition, type,
                               "{\"completeness\":{\"reads\":[{\"node\":\"repo\",\"lists\":-4,"
                               "\"listsEnded\":\"x\",\"outcomes\":[1]}]}}",
                               &error)) != NULL);
    g_assert_cmpuint(reads_state(odd, 0)->lists, ==, 0);
}

static const ComplyTest tests[] = {
    {"gaps_are_found_in_the_record", gaps_are_found_in_the_record},
    {"only_the_nodes_asked_for_count", only_the_nodes_asked_for_count},
    {"the_missing_permission_is_kept", the_missing_permission_is_kept},
    {"the_worst_failure_is_told_first", the_worst_failure_is_told_first},
    {"damaged_records_are_refused", damaged_records_are_refused},
};

int main(int argc, char **argv) {
    return comply_main_pure(argc, argv, "reads", tests, G_N_ELEMENTS(tests));
}
