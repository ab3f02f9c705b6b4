#include "collect/completeness.h"

struct Completeness {
    ReadCount *nodes;
    size_t count;
};

/* Failures from the least to the most telling: the one that a person should see first wins. */
static const Outcome failure_order[] = {
    OUTCOME_RATE_LIMITED, OUTCOME_TIMEOUT,   OUTCOME_UNAVAILABLE,
    OUTCOME_BROKEN,       OUTCOME_ENDLESS,   OUTCOME_BAD_REQUEST,
    OUTCOME_UNLICENSED,   OUTCOME_FORBIDDEN, OUTCOME_AUTH_EXPIRED,
};

static int failure_rank(Outcome outcome) {
    for (size_t i = 0; i < G_N_ELEMENTS(failure_order); i++)
        if (failure_order[i] == outcome)
            return (int)i;
    return -1;
}

Completeness *completeness_new(const char *const *nodes, size_t count) {
    Completeness *completeness = g_new0(Completeness, 1);
    completeness->nodes = g_new0(ReadCount, count);
    completeness->count = count;
    for (size_t i = 0; i < count; i++)
        completeness->nodes[i].node = nodes[i];
    return completeness;
}

void completeness_free(Completeness *completeness) {
    if (!completeness)
        return;
    for (size_t i = 0; i < completeness->count; i++) {
        g_free(completeness->nodes[i].message);
        g_clear_pointer(&completeness->nodes[i].needs, g_ptr_array_unref);
    }
    g_free(completeness->nodes);
    g_free(completeness);
}

ReadCount *completeness_node(Completeness *completeness, size_t index) {
    g_return_val_if_fail(index < completeness->count, NULL);
    return &completeness->nodes[index];
}

static Outcome worst_of(const ReadCount *node) {
    Outcome worst = OUTCOME_OK;
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        if (node->outcomes[outcome] > 0 && failure_rank((Outcome)outcome) > failure_rank(worst))
            worst = (Outcome)outcome;
    return worst;
}

static void add_needs(GPtrArray **needs, const char *more) {
    if (!*needs)
        *needs = g_ptr_array_new_with_free_func(g_free);
    if (!g_ptr_array_find_with_equal_func(*needs, more, g_str_equal, NULL))
        g_ptr_array_add(*needs, g_strdup(more));
}

void completeness_answer(Completeness *completeness, size_t index, Outcome outcome,
                         const char *message, const char *needs) {
    ReadCount *node = completeness_node(completeness, index);
    bool worse = failure_rank(outcome) > failure_rank(worst_of(node));
    node->requests++;
    node->outcomes[outcome]++;
    if (needs)
        add_needs(&node->needs, needs);
    if (!worse)
        return;
    g_free(node->message);
    node->message = g_strdup(message);
}

static uint64_t unread_count(const ReadCount *node) {
    uint64_t unread = 0;
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        if (!outcome_judgeable((Outcome)outcome))
            unread += node->outcomes[outcome];
    return unread;
}

/* A list whose failing answer is already counted is not counted twice. */
static uint64_t cut_lists(const ReadCount *node) {
    uint64_t open_lists = node->lists - node->lists_ended;
    uint64_t unread = unread_count(node);
    return open_lists > unread ? open_lists - unread : 0;
}

bool completeness_is_complete(const Completeness *completeness) {
    for (size_t i = 0; i < completeness->count; i++)
        if (unread_count(&completeness->nodes[i]) > 0 || cut_lists(&completeness->nodes[i]) > 0)
            return false;
    return true;
}

double completeness_share(const Completeness *completeness) {
    uint64_t all = 0;
    uint64_t unread = 0;
    for (size_t i = 0; i < completeness->count; i++) {
        const ReadCount *node = &completeness->nodes[i];
        all += node->requests + cut_lists(node);
        unread += unread_count(node) + cut_lists(node);
    }
    return all == 0 ? 1.0 : (double)(all - unread) / (double)all;
}

bool completeness_failure(const Completeness *completeness, Outcome *outcome_out,
                          const char **message_out) {
    const ReadCount *found = NULL;
    for (size_t i = 0; i < completeness->count; i++) {
        const ReadCount *node = &completeness->nodes[i];
        int rank = failure_rank(worst_of(node));
        if (rank >= 0 && (!found || rank > failure_rank(worst_of(found))))
            found = node;
    }
    if (!found)
        return false;
    *outcome_out = worst_of(found);
    *message_out = found->message;
    return true;
}

static char *joined(GPtrArray *needs) {
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < needs->len; i++)
        g_string_append_printf(text, "%s%s", i > 0 ? "; " : "",
                               (const char *)g_ptr_array_index(needs, i));
    return g_strdup(text->str);
}

char *completeness_needs(const Completeness *completeness) {
    g_autoptr(GPtrArray) all = NULL;
    for (size_t i = 0; i < completeness->count; i++) {
        const GPtrArray *needs = completeness->nodes[i].needs;
        for (guint k = 0; needs && k < needs->len; k++)
            add_needs(&all, g_ptr_array_index(needs, k));
    }
    return all ? joined(all) : NULL;
}

static Json *node_json(const ReadCount *node) {
    Json *json = json_new_object();
    json_put_string(json, "node", node->node);
    json_put_int(json, "requests", (int64_t)node->requests);
    json_put_int(json, "pages", (int64_t)node->pages);
    json_put_int(json, "rows", (int64_t)node->rows);
    json_put_int(json, "lists", (int64_t)node->lists);
    json_put_int(json, "listsEnded", (int64_t)node->lists_ended);
    Json *outcomes = json_new_object();
    for (int outcome = 0; outcome < OUTCOMES; outcome++)
        if (node->outcomes[outcome] > 0)
            json_put_int(outcomes, outcome_name((Outcome)outcome),
                         (int64_t)node->outcomes[outcome]);
    json_put(json, "outcomes", outcomes);
    if (node->message)
        json_put_string(json, "message", node->message);
    g_autofree char *needs = node->needs ? joined(node->needs) : NULL;
    if (needs)
        json_put_string(json, "needs", needs);
    return json;
}

Json *completeness_json(const Completeness *completeness) {
    Json *json = json_new_object();
    json_put_bool(json, "complete", completeness_is_complete(completeness));
    json_put_real(json, "share", completeness_share(completeness));
    Json *reads = json_new_array();
    for (size_t i = 0; i < completeness->count; i++)
        json_add(reads, node_json(&completeness->nodes[i]));
    json_put(json, "reads", reads);
    return json;
}
