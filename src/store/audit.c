#include "store/audit.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/secmem.h"
#include "base/text.h"
#include "store/audit_seal.h"

#include <string.h>

/* Names may come from outside (what somebody typed as an e-mail address). */
#define NAME_MAX_BYTES 200

#define RECORD_USUAL 512 /* bytes; it grows */
#define ID_STAMP_MAX ((INT64_C(1) << 48) - 1)
#define SLACK_MS (7 * 24 * 3600 * INT64_C(1000))

/* A row as it is inserted. */
typedef struct {
    const char *id;
    int64_t at;
    const char *action;
    const char *actor_id;
    const char *actor_name;
    const char *target_id;
    const char *target_name;
    const char *result;
    bool for_people;
    const char *record;
    RecordBytes salt;
} NewRow;

static const RecordColumn new_columns[] = {
    RECORD_COLUMN(NewRow, id, RECORD_TEXT, 0),
    RECORD_COLUMN(NewRow, at, RECORD_INT, 0),
    RECORD_COLUMN(NewRow, action, RECORD_TEXT, 0),
    RECORD_COLUMN(NewRow, actor_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(NewRow, actor_name, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(NewRow, target_id, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(NewRow, target_name, RECORD_OPTIONAL, 0),
    RECORD_COLUMN(NewRow, result, RECORD_TEXT, 0),
    RECORD_COLUMN(NewRow, for_people, RECORD_BOOL, 0),
    RECORD_COLUMN(NewRow, record, RECORD_TEXT, AUDIT_RECORD_MAX),
    RECORD_COLUMN(NewRow, salt, RECORD_BYTES, AUDIT_SALT_SIZE),
};
static const RecordShape new_shape = RECORD_SHAPE(NewRow, "audit row", new_columns);

static const RecordColumn columns[] = {
    RECORD_COLUMN(AuditRow, id, RECORD_TEXT, 0),
    RECORD_COLUMN(AuditRow, at, RECORD_INT, 0),
    RECORD_COLUMN(AuditRow, action, RECORD_TEXT, 0),
    RECORD_COLUMN(AuditRow, record, RECORD_TEXT, 0),
};
static const RecordShape shape = RECORD_SHAPE(AuditRow, "audit row", columns);

void audit_row_free(AuditRow *row) {
    g_free(row);
}

/* --- the record ------------------------------------------------------------------------------- */

/* Written as it is printed: a tree of values would cost more than the row's insertion. */
static void put(GString *out, const char *key, const char *text) {
    g_string_append(out, out->str[out->len - 1] == '{' ? "\"" : ",\"");
    g_string_append(out, key);
    g_string_append(out, "\":");
    if (text)
        json_append_quoted(out, text, strlen(text));
    else
        g_string_append(out, "null");
}

/* A text of the outside, fit for one line. What had to be made anew for it is freed with *made. */
static const char *name_of(const char *text, char **made) {
    *made = NULL;
    if (!text || text_is_plain_line(text, NAME_MAX_BYTES))
        return text;
    return *made = text_one_line(text, NAME_MAX_BYTES);
}

static void put_name(GString *out, const char *key, const char *text) {
    g_autofree char *made = NULL;
    put(out, key, name_of(text, &made));
}

static void put_actor(GString *out, const AuditActor *actor, const NewRow *row) {
    g_string_append(out, ",\"actor\":{");
    put(out, "kind", actor->kind);
    put(out, "id", row->actor_id);
    put(out, "name", row->actor_name);
    put_name(out, "address", actor->address);
    put_name(out, "requestId", actor->request_id);
    g_string_append_c(out, '}');
}

static void put_target(GString *out, const AuditEntry *entry, const NewRow *row) {
    if (!entry->target_kind) {
        put(out, "target", NULL);
        return;
    }
    g_string_append(out, ",\"target\":{");
    put(out, "kind", entry->target_kind);
    put(out, "id", row->target_id);
    put(out, "name", row->target_name);
    g_string_append_c(out, '}');
}

static char *record_text(const AuditEntry *entry, const NewRow *row, const char *organization) {
    GString *out = g_string_sized_new(RECORD_USUAL);
    bool installation = g_strcmp0(organization, AUDIT_INSTALLATION) == 0;
    g_autofree char *at = clock_format(row->at);
    g_autofree char *details =
        entry->details ? json_print(entry->details, JSON_COMPACT) : g_strdup("null");
    g_string_append_c(out, '{');
    put(out, "id", row->id);
    put(out, "organizationId", installation ? NULL : organization);
    put(out, "at", at);
    put(out, "action", row->action);
    put(out, "result", row->result);
    put_actor(out, entry->actor, row);
    put_target(out, entry, row);
    g_string_append_printf(out, ",\"details\":%s}", details);
    return g_string_free(out, FALSE);
}

/* --- writing ---------------------------------------------------------------------------------- */

static DbStatement *about_row(DbUnit *unit, const char *name, const NewRow *row) {
    DbStatement *statement = db_prepare(unit, name);
    db_lend(statement);
    db_bind_text(statement, "id", row->id);
    return statement;
}

/* Makes sure that the row will be sealed (store/audit_tree.h). Once in a transaction is enough:
 * ids of a process ascend, and no other one writes meanwhile. */
static bool announce(DbUnit *unit, const NewRow *row, GError **error) {
    int64_t waits = 0;
    if (db_knows(unit, AUDIT_WAITS))
        return true;
    if (!record_number(about_row(unit, "audit_waits", row), 0, &waits, error))
        return false;
    if (!waits)
        return db_exec(about_row(unit, "audit_wait", row), error);
    db_learn(unit, AUDIT_WAITS);
    return true;
}

static bool insert(DbUnit *unit, const NewRow *row, GError **error) {
    return announce(unit, row, error) && record_write(unit, "audit_insert", &new_shape, row, error);
}

/* Asked for many at a time. They are stored beside what they salt, and none is used twice. */
static void take_salt(uint8_t out[AUDIT_SALT_SIZE]) {
    static _Thread_local uint8_t pool[64 * AUDIT_SALT_SIZE];
    static _Thread_local size_t left;
    if (left == 0) {
        secmem_random(pool, sizeof pool);
        left = sizeof pool;
    }
    left -= AUDIT_SALT_SIZE;
    memcpy(out, pool + left, AUDIT_SALT_SIZE);
}

bool audit_add(DbUnit *unit, const AuditEntry *entry, GError **error) {
    char id[ID_SIZE];
    uint8_t salt[AUDIT_SALT_SIZE];
    id_write(id);
    take_salt(salt);
    g_autofree char *actor_id = NULL;
    g_autofree char *actor_name = NULL;
    g_autofree char *target_id = NULL;
    g_autofree char *target_name = NULL;
    NewRow row = {.id = id,
                  .at = clock_now_ms(),
                  .action = audit_action_name(entry->action),
                  .actor_id = name_of(entry->actor->id, &actor_id),
                  .actor_name = name_of(entry->actor->name, &actor_name),
                  .target_id = name_of(entry->target_id, &target_id),
                  .target_name = name_of(entry->target_name, &target_name),
                  .result = entry->result ? entry->result : AUDIT_OK,
                  .salt = {salt, sizeof salt}};
    row.for_people =
        audit_action_done(entry->action) != NULL && strcmp(row.result, AUDIT_DENIED) != 0;
    g_autofree char *record = record_text(entry, &row, db_unit_scope(unit)->organization);
    row.record = record;
    return insert(unit, &row, error);
}

/* --- reading ---------------------------------------------------------------------------------- */

static bool find_leaves(DbUnit *unit, GPtrArray *rows, GError **error) {
    g_auto(AuditSeal) seal = {0};
    for (guint i = 0; i < rows->len; i++) {
        AuditRow *row = g_ptr_array_index(rows, i);
        if (!audit_seal_find(unit, &seal, row->id, &row->leaf_index, error))
            return false;
    }
    return true;
}

bool audit_get(DbUnit *unit, const char *id, AuditRow **row_out, GError **error) {
    g_autoptr(AuditRow) row = NULL;
    g_auto(AuditSeal) seal = {0};
    DbStatement *statement = db_prepare(unit, "audit_get");
    db_bind_text(statement, "id", id);
    if (!record_must(statement, &shape, &row, error) ||
        !audit_seal_find(unit, &seal, row->id, &row->leaf_index, error))
        return false;
    *row_out = g_steal_pointer(&row);
    return true;
}

/* "session." means all names that begin so; '/' is the next byte behind '.'. A whole name is the
 * only one between itself and itself with a '!', which no name has. */
static void bind_action(DbStatement *statement, const char *action) {
    g_autofree char *until = NULL;
    if (action && g_str_has_suffix(action, "."))
        until = g_strdup_printf("%.*s/", (int)strlen(action) - 1, action);
    else if (action)
        until = g_strconcat(action, "!", NULL);
    record_bind_filter(statement, "action_from", action);
    record_bind_filter(statement, "action_until", until);
}

/* What ids of this time begin with (RFC 9562 section 5.7). */
static char *id_at(int64_t ms) {
    int64_t stamp = CLAMP(ms, 0, ID_STAMP_MAX);
    return g_strdup_printf("%08x-%04x", (unsigned)(stamp >> 16), (unsigned)(stamp & 0xffff));
}

/* Times bound the ids that are walked: generously, since ids run ahead when a clock is set back. */
static void bind_walk(DbStatement *statement, const AuditFilter *filter) {
    const char *after = filter->oldest_first && filter->after_id ? filter->after_id : "";
    const char *before = !filter->oldest_first && filter->before_id ? filter->before_id : "~";
    g_autofree char *from = id_at(filter->from > SLACK_MS ? filter->from - SLACK_MS : 0);
    g_autofree char *until =
        id_at(filter->until && filter->until < ID_STAMP_MAX - SLACK_MS ? filter->until + SLACK_MS
                                                                       : ID_STAMP_MAX);
    bool bounded = filter->until != 0 && strcmp(until, before) < 0;
    db_bind_text(statement, "after", strcmp(from, after) > 0 ? from : after);
    db_bind_text(statement, "before", bounded ? until : before);
}

bool audit_list(DbUnit *unit, const AuditFilter *filter, GPtrArray **rows_out, GError **error) {
    g_autoptr(GPtrArray) rows = NULL;
    DbStatement *statement =
        db_prepare(unit, filter->oldest_first ? "audit_oldest" : "audit_newest");
    bind_walk(statement, filter);
    bind_action(statement, filter->action);
    record_bind_filter(statement, "actor", filter->actor_id);
    record_bind_filter(statement, "target", filter->target_id);
    record_bind_filter(statement, "result", filter->result);
    db_bind_int(statement, "from", filter->from);
    db_bind_int(statement, "until", filter->until ? filter->until : INT64_MAX);
    record_bind_limit(statement, filter->limit);
    if (!record_all(statement, &shape, &rows, error) || !find_leaves(unit, rows, error))
        return false;
    *rows_out = g_steal_pointer(&rows);
    return true;
}

bool audit_list_for_people(DbUnit *unit, const char *before_id, int64_t limit, GPtrArray **rows_out,
                           GError **error) {
    DbStatement *statement = db_prepare(unit, "audit_for_people");
    record_bind_before(statement, "before", before_id);
    record_bind_limit(statement, limit);
    return record_all(statement, &shape, rows_out, error);
}
