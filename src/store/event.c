#include "store/event.h"

#include "base/clock.h"

#define TRIM_EVERY 500

static const RecordColumn columns[] = {
    RECORD_COLUMN(Event, seq, RECORD_INT, 0),
    RECORD_COLUMN(Event, at, RECORD_INT, 0),
    RECORD_COLUMN(Event, kind, RECORD_TEXT, 0),
    RECORD_COLUMN(Event, integration_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Event, job_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(Event, data, RECORD_TEXT, STORE_JSON_MAX),
};
static const RecordShape shape = RECORD_SHAPE(Event, "event", columns);

static const RecordColumn place_columns[] = {
    RECORD_COLUMN(EventPlace, organization_id, RECORD_TEXT, 0),
    RECORD_COLUMN(EventPlace, last, RECORD_INT, 0),
};
static const RecordShape place_shape = RECORD_SHAPE(EventPlace, "place of events", place_columns);

void event_free(Event *event) {
    g_free(event);
}

/* --- adding ----------------------------------------------------------------------------------- */

static bool trim(DbUnit *unit, int64_t seq, GError **error) {
    if (seq % TRIM_EVERY != 0 || seq <= EVENTS_KEPT) {
        return true;
    }
    DbStatement *statement = db_prepare(unit, "event_trim");
    db_bind_int(statement, "until", seq - EVENTS_KEPT);
    return db_exec(statement, error);
}

/* Runs a statement that gives the next number. */
static bool take_number(DbStatement *statement, int64_t now, int64_t *seq_out, GError **error) {
    db_bind_int(statement, "at", now);
    return record_number(statement, 0, seq_out, error);
}

static void bind_news(DbStatement *statement, const EventNews *news, int64_t seq, int64_t now) {
    g_autofree char *data = news->data ? json_print(news->data, JSON_COMPACT) : NULL;
    db_bind_int(statement, "seq", seq);
    db_bind_int(statement, "at", now);
    db_bind_text(statement, "kind", news->kind);
    db_bind_text(statement, "integration_id", news->integration_id);
    db_bind_text(statement, "job_id", news->job_id);
    db_bind_text(statement, "data", data ? data : "{}");
}

bool event_add(DbUnit *unit, const EventNews *news, GError **error) {
    int64_t now = clock_now_ms();
    int64_t seq = 0;
    if (!take_number(db_prepare(unit, "event_number"), now, &seq, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "event_insert");
    bind_news(statement, news, seq, now);
    db_notify(unit, EVENT_CHANNEL);
    return db_exec(statement, error) && trim(unit, seq, error);
}

bool event_add_of(DbUnit *unit, const char *organization_id, const EventNews *news,
                  GError **error) {
    int64_t now = clock_now_ms();
    int64_t seq = 0;
    DbStatement *number = db_prepare(unit, "event_number_of");
    db_bind_text(number, "organization", organization_id);
    if (!take_number(number, now, &seq, error)) {
        return false;
    }
    DbStatement *statement = db_prepare(unit, "event_insert_of");
    db_bind_text(statement, "organization", organization_id);
    bind_news(statement, news, seq, now);
    db_notify(unit, EVENT_CHANNEL);
    return db_exec(statement, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

bool event_list(DbUnit *unit, int64_t after, int64_t limit, GPtrArray **events_out,
                GError **error) {
    DbStatement *statement = db_prepare(unit, "event_list");
    db_bind_int(statement, "after", after);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, events_out, error);
}

bool event_range(DbUnit *unit, EventRange *range_out, GError **error) {
    EventRange range = {0};
    if (!record_number(db_prepare(unit, "event_head"), 0, &range.last, error) ||
        !record_number(db_prepare(unit, "event_oldest"), range.last + 1, &range.oldest, error)) {
        return false;
    }
    *range_out = range;
    return true;
}

bool event_news(DbUnit *unit, int64_t since_ms, GPtrArray **places_out, GError **error) {
    DbStatement *statement = db_prepare(unit, "event_news");
    db_bind_int(statement, "since", since_ms);
    record_bind_limit(statement, STORE_LIST_MAX);
    return record_all(statement, &place_shape, places_out, error);
}
