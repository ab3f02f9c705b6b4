#include "collect/account.h"

#include "connect/refusal.h"

void account_end(Reading *reading, Outcome outcome) {
    reading->ended = true;
    if (reading->outcome == OUTCOME_OK)
        reading->outcome = outcome;
}

void account_answer(Reading *reading, Outcome outcome, const char *message) {
    const PlanNode *node = reading_plan(reading);
    bool refused = outcome == OUTCOME_FORBIDDEN;
    g_autofree char *needs = refused ? refusal_needs(reading->call) : NULL;
    for (size_t i = 0; i < node->use_count; i++)
        completeness_answer(reading->run->types[node->uses[i].type].completeness,
                            node->uses[i].node, outcome, message, needs);
}

void account_list(const Reading *reading, Counted counted) {
    const PlanNode *node = reading_plan(reading);
    for (size_t i = 0; i < node->use_count; i++) {
        ReadCount *count = completeness_node(reading->run->types[node->uses[i].type].completeness,
                                             node->uses[i].node);
        count->pages += counted.pages;
        count->rows += counted.rows;
        count->lists += counted.begun;
        count->lists_ended += counted.ended;
    }
}

void account_failure(Reading *reading, const GError *error) {
    const PlanNode *node = reading_plan(reading);
    for (size_t i = 0; i < node->use_count; i++)
        run_fail_type(&reading->run->types[node->uses[i].type], g_error_copy(error));
    account_end(reading, OUTCOME_BAD_REQUEST);
}
