#include "comply/finding_batch.h"

#include "store/event.h"
#include "store/finding.h"

typedef struct {
    const FindingCheck *check;
    char *resource;
    bool fails;
} Change;

struct FindingBatch {
    FindingPlace place;
    GArray *changes; /* Change */
    FindingCounts counts;
};

static void clear_change(void *data) {
    Change *change = data;
    g_free(change->resource);
}

FindingBatch *finding_batch_new(const FindingPlace *place) {
    FindingBatch *batch = g_new0(FindingBatch, 1);
    batch->place = *place;
    batch->changes = g_array_sized_new(FALSE, FALSE, sizeof(Change), FINDING_BATCH_SIZE);
    g_array_set_clear_func(batch->changes, clear_change);
    return batch;
}

void finding_batch_free(FindingBatch *batch) {
    if (batch == NULL)
        return;
    g_array_unref(batch->changes);
    g_free(batch);
}

const FindingCounts *finding_batch_counts(const FindingBatch *batch) {
    return &batch->counts;
}

/* --- writing ---------------------------------------------------------------------------------- */

/* A unit may run again, so that it counts for itself. */
typedef struct {
    const FindingBatch *batch;
    FindingCounts counts;
} Write;

static void count(FindingCounts *counts, FindingChange change) {
    int64_t *const places[] = {
        [FINDING_UNCHANGED] = NULL,
        [FINDING_REFRESHED] = &counts->refreshed,
        [FINDING_NOW_OPEN] = &counts->opened,
        [FINDING_NOW_REOPEN] = &counts->regressed,
        [FINDING_NOW_RESOLVED] = &counts->resolved,
    };
    if (places[change] != NULL)
        ++*places[change];
}

static bool write_change(DbUnit *unit, const FindingPlace *place, const Change *change,
                         FindingChange *change_out, GError **error) {
    FindingKey key = {place->integration_id, change->check->id, change->resource};
    if (!change->fails)
        return finding_resolve(unit, &key, place->evidence_id, place->at, change_out, error);
    FindingFailure failure = {.key = key,
                              .severity = change->check->severity,
                              .title = change->check->title,
                              .evidence_id = place->evidence_id,
                              .at = place->at,
                              .likely_new = change->check->none_open};
    return finding_fail(unit, &failure, change_out, error);
}

static int64_t moved(const FindingCounts *counts) {
    return counts->opened + counts->regressed + counts->resolved;
}

static bool tell(DbUnit *unit, const FindingPlace *place, const Change *change, const char *state,
                 GError **error) {
    g_autoptr(Json) data = json_new_object();
    EventNews news = {.kind = EVENT_FINDING,
                      .integration_id = place->integration_id,
                      .job_id = place->job_id,
                      .data = data};
    json_put_string(data, "state", state);
    json_put_string(data, "check", change->check->id);
    json_put_string(data, "resource", change->resource);
    json_put_string(data, "severity", change->check->severity);
    json_put_string(data, "title", change->check->title);
    json_put_string(data, "evidenceId", place->evidence_id);
    return event_add(unit, &news, error);
}

static bool tell_change(DbUnit *unit, const Write *write, const Change *change, FindingChange what,
                        GError **error) {
    static const char *const states[] = {[FINDING_NOW_OPEN] = FINDING_OPENED,
                                         [FINDING_NOW_REOPEN] = FINDING_REGRESSED,
                                         [FINDING_NOW_RESOLVED] = FINDING_RESOLVED};
    const FindingBatch *batch = write->batch;
    const char *state = states[what];
    return state == NULL || moved(&batch->counts) + moved(&write->counts) > FINDING_EVENTS_MAX ||
           tell(unit, &batch->place, change, state, error);
}

static bool write_changes(DbUnit *unit, void *data, GError **error) {
    Write *write = data;
    const FindingBatch *batch = write->batch;
    write->counts = (FindingCounts){0};
    for (guint i = 0; i < batch->changes->len; i++) {
        const Change *change = &g_array_index(batch->changes, Change, i);
        FindingChange what = FINDING_UNCHANGED;
        if (!write_change(unit, &batch->place, change, &what, error))
            return false;
        count(&write->counts, what);
        if (!tell_change(unit, write, change, what, error))
            return false;
    }
    return true;
}

bool finding_batch_flush(FindingBatch *batch, GError **error) {
    if (batch->changes->len == 0)
        return true;
    Write write = {.batch = batch};
    if (!db_run(batch->place.db, batch->place.scope, DB_WRITE, write_changes, &write, error))
        return false;
    batch->counts.opened += write.counts.opened;
    batch->counts.regressed += write.counts.regressed;
    batch->counts.refreshed += write.counts.refreshed;
    batch->counts.resolved += write.counts.resolved;
    g_array_set_size(batch->changes, 0);
    return true;
}

static bool add(FindingBatch *batch, Change change, GError **error) {
    g_array_append_val(batch->changes, change);
    return batch->changes->len < FINDING_BATCH_SIZE || finding_batch_flush(batch, error);
}

bool finding_batch_fail(FindingBatch *batch, const FindingCheck *check, const char *resource,
                        GError **error) {
    return add(batch, (Change){check, g_strdup(resource), true}, error);
}

bool finding_batch_resolve(FindingBatch *batch, const FindingCheck *check, const char *resource,
                           GError **error) {
    return add(batch, (Change){check, g_strdup(resource), false}, error);
}

/* --- open findings ---------------------------------------------------------------------------- */

typedef struct {
    FindingKey key; /* resource: the cursor */
    GPtrArray *resources;
} OpenPage;

static bool read_page(DbUnit *unit, void *data, GError **error) {
    OpenPage *page = data;
    g_clear_pointer(&page->resources, g_ptr_array_unref);
    return finding_open_keys(unit, &page->key, STORE_LIST_MAX, &page->resources, error);
}

static bool walk_page(const GPtrArray *resources, FindingOpenFunc function, void *data,
                      GError **error) {
    for (guint i = 0; i < resources->len; i++) {
        if (!function(g_ptr_array_index(resources, i), data, error))
            return false;
    }
    return true;
}

bool finding_each_open(const FindingPlace *place, const char *check_id, FindingOpenFunc function,
                       void *data, GError **error) {
    g_autofree char *cursor = NULL;
    for (;;) {
        OpenPage page = {.key = {place->integration_id, check_id, cursor}};
        bool read = db_run(place->db, place->scope, DB_READ, read_page, &page, error);
        g_autoptr(GPtrArray) resources = page.resources;
        if (!read || !walk_page(resources, function, data, error))
            return false;
        if (resources->len < STORE_LIST_MAX)
            return true;
        g_free(cursor);
        cursor = g_strdup(g_ptr_array_index(resources, resources->len - 1));
    }
}
