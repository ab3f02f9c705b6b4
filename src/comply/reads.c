#include "comply/reads.h"

#include "base/json.h"
#include "store/evidence.h"

#include <string.h>

struct Reads {
    const EvidenceType *type;
    uint64_t chain;      /* nodes from the root to the one that makes the rows */
    uint64_t plan_lacks; /* nodes where "unlicensed" means not applicable */
    ReadState states[READ_MAX_NODES];
};

static uint64_t bit(size_t node) {
    return UINT64_C(1) << node;
}

static uint64_t chain_of(const EvidenceType *type) {
    uint64_t nodes = 0;
    for (int node = (int)type->row_of; node != READ_NO_PARENT;
         node = type->nodes[(size_t)node].parent)
        nodes |= bit((size_t)node);
    return nodes;
}

/* --- what the definition says of "unlicensed" ------------------------------------------------- */

typedef struct {
    bool some;
    bool all;
} Licence;

static void look_at(Licence *licence, const ResponseRule *rules, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (rules[i].is != OUTCOME_UNLICENSED)
            continue;
        licence->some = true;
        licence->all = licence->all && rules[i].then == THEN_NOT_APPLICABLE;
    }
}

/* The record counts answers by outcome and not by rule, so all rules must agree. */
static bool unlicensed_is_not_applicable(const Definition *definition, const ReadNode *node) {
    Licence licence = {.all = true};
    if (node->call)
        look_at(&licence, node->call->responses, node->call->response_count);
    for (size_t i = 0; i < node->first_count; i++)
        look_at(&licence, node->first[i]->responses, node->first[i]->response_count);
    look_at(&licence, definition->responses, definition->response_count);
    return licence.some && licence.all;
}

/* --- the record ------------------------------------------------------------------------------- */

static uint64_t count_of(const Json *object, const char *key) {
    return (uint64_t)MAX(json_member_int(object, key, 0), 0);
}

static void take_state(ReadState *state, const Json *entry) {
    state->known = true;
    state->lists = count_of(entry, "lists");
    state->lists_ended = count_of(entry, "listsEnded");
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        state->outcomes[outcome] =
            count_of(json_member(entry, "outcomes"), outcome_name((Outcome)outcome));
    g_free(state->message);
    g_free(state->needs);
    state->message = g_strdup(json_member_string(entry, "message", NULL));
    state->needs = g_strdup(json_member_string(entry, "needs", NULL));
}

static void take_entries(Reads *reads, const Json *entries) {
    for (size_t i = 0; i < json_count(entries); i++) {
        const Json *entry = json_item(entries, i);
        const char *name = json_member_string(entry, "node", "");
        int node = evidence_type_node(reads->type, name);
        if (node >= 0)
            take_state(&reads->states[node], entry);
    }
}

Reads *reads_new(const Definition *definition, const EvidenceType *type, const char *record,
                 GError **error) {
    g_autoptr(Json) json = json_parse(record, strlen(record), EVIDENCE_RECORD_MAX, NULL);
    if (json == NULL || json_kind(json) != JSON_KIND_OBJECT) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                            "The evidence record is damaged: it is no JSON object.");
        return NULL;
    }
    Reads *reads = g_new0(Reads, 1);
    reads->type = type;
    reads->chain = chain_of(type);
    for (size_t node = 0; node < type->node_count; node++) {
        if (unlicensed_is_not_applicable(definition, &type->nodes[node]))
            reads->plan_lacks |= bit(node);
    }
    take_entries(reads, json_path(json, "completeness.reads"));
    return reads;
}

void reads_free(Reads *reads) {
    if (reads == NULL)
        return;
    for (size_t node = 0; node < READ_MAX_NODES; node++) {
        g_free(reads->states[node].message);
        g_free(reads->states[node].needs);
    }
    g_free(reads);
}

/* --- questions -------------------------------------------------------------------------------- */

/* Answers that are no gap: the customer's plan does not have the thing, and that is said. */
static uint64_t excused(const Reads *reads, size_t node) {
    return reads->plan_lacks & bit(node) ? reads->states[node].outcomes[OUTCOME_UNLICENSED] : 0;
}

static uint64_t unread_of(const ReadState *state) {
    uint64_t unread = 0;
    for (int outcome = 0; outcome < OUTCOMES; outcome++) {
        if (!outcome_judgeable((Outcome)outcome))
            unread += state->outcomes[outcome];
    }
    return unread;
}

/* Lists whose end was not seen, beyond those that the given number of answers explains. */
static bool has_open_lists(const ReadState *state, uint64_t explained) {
    return state->lists > state->lists_ended + explained;
}

static bool has_gap(const Reads *reads, size_t node) {
    const ReadState *state = &reads->states[node];
    uint64_t fine = excused(reads, node);
    return !state->known || unread_of(state) > fine || has_open_lists(state, fine);
}

uint64_t reads_rows_missing(const Reads *reads, uint64_t nodes) {
    uint64_t missing = 0;
    for (size_t node = 0; node < reads->type->node_count; node++) {
        if ((nodes & reads->chain & bit(node)) != 0 && has_gap(reads, node))
            missing |= bit(node);
    }
    return missing;
}

bool reads_cut_short(const Reads *reads) {
    for (size_t node = 0; node < reads->type->node_count; node++) {
        const ReadState *state = &reads->states[node];
        uint64_t denied = state->outcomes[OUTCOME_FORBIDDEN] + state->outcomes[OUTCOME_UNLICENSED];
        bool cut = !state->known || unread_of(state) > denied || has_open_lists(state, denied);
        if ((reads->chain & bit(node)) != 0 && cut)
            return true;
    }
    return false;
}

const ReadState *reads_state(const Reads *reads, size_t node) {
    g_assert(node < READ_MAX_NODES);
    return &reads->states[node];
}

/* What a person should hear of first. */
Outcome read_state_failure(const ReadState *state) {
    static const Outcome order[] = {
        OUTCOME_AUTH_EXPIRED, OUTCOME_FORBIDDEN, OUTCOME_UNLICENSED,
        OUTCOME_BAD_REQUEST,  OUTCOME_ENDLESS,   OUTCOME_BROKEN,
        OUTCOME_UNAVAILABLE,  OUTCOME_TIMEOUT,   OUTCOME_RATE_LIMITED,
    };
    for (size_t i = 0; i < G_N_ELEMENTS(order); i++) {
        if (state->outcomes[order[i]] > 0)
            return order[i];
    }
    return OUTCOME_OK;
}
