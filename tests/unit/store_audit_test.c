#include "unit/store_support.h"

#include "base/clock.h"
#include "store/activity.h"
#include "store/audit.h"

#include <string.h>

static const AuditActor ada = {.kind = AUDIT_USER,
                               .id = "u1",
                               .name = "ada@example.com",
                               .address = "192.0.2.1",
                               .request_id = "r-1"};

static void add(DbUnit *unit, AuditAction action, const char *result, const char *target) {
    AuditEntry entry = {.action = action,
                        .actor = &ada,
                        .result = result,
                        .target_kind = "integration",
                        .target_id = target,
                        .target_name = target ? "acme" : NULL};
    store_ok(audit_add(unit, &entry, &error));
}

static GPtrArray *list(DbUnit *unit, const AuditFilter *filter) {
    GPtrArray *rows = NULL;
    store_ok(audit_list(unit, filter, &rows, &error));
    return rows;
}

static Json *record_at(const GPtrArray *rows, guint index) {
    const AuditRow *row = g_ptr_array_index(rows, index);
    Json *json = NULL;
    store_ok((json = json_parse(row->record, strlen(row->record), AUDIT_RECORD_MAX, &error)) !=
             NULL);
    return json;
}

/* --- writing ---------------------------------------------------------------------------------- */

static void writes(DbUnit *unit) {
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "fields", "name");
    AuditEntry entry = {.action = AUDIT_INTEGRATION_CHANGED,
                        .actor = &ada,
                        .target_kind = "integration",
                        .target_id = INTEGRATION_A,
                        .target_name = "acme",
                        .details = details};
    store_ok(audit_add(unit, &entry, &error));
}

static void reads(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = list(unit, &(AuditFilter){0});
    g_assert_cmpuint(rows->len, ==, 1);
    const AuditRow *row = g_ptr_array_index(rows, 0);
    g_autoptr(Json) record = record_at(rows, 0);
    g_assert_cmpstr(json_member_string(record, "id", ""), ==, row->id);
    g_assert_cmpstr(json_member_string(record, "organizationId", ""), ==, ORG_A);
    g_assert_cmpstr(json_member_string(record, "action", ""), ==, "integration.change");
    g_assert_cmpstr(json_member_string(record, "result", ""), ==, "ok");
    g_assert_cmpstr(json_text(json_path(record, "actor.name")), ==, "ada@example.com");
    g_assert_cmpstr(json_text(json_path(record, "actor.address")), ==, "192.0.2.1");
    g_assert_cmpstr(json_text(json_path(record, "actor.requestId")), ==, "r-1");
    g_assert_cmpstr(json_text(json_path(record, "target.id")), ==, INTEGRATION_A);
    g_assert_cmpstr(json_text(json_path(record, "details.fields")), ==, "name");
    g_assert_cmpint(row->at, ==, START_MS);
    g_assert_cmpint(row->leaf_index, ==, -1);
    g_autoptr(AuditRow) same = NULL;
    store_ok(audit_get(unit, row->id, &same, &error));
    g_assert_cmpstr(same->record, ==, row->record);
}

static void reads_nothing(DbUnit *unit) {
    g_autoptr(GPtrArray) rows = list(unit, &(AuditFilter){0});
    g_assert_cmpuint(rows->len, ==, 0);
    AuditRow *row = NULL;
    store_fails(ERROR_NOT_FOUND, audit_get(unit, "nothing", &row, &error));
}

static void a_row_says_who_what_from_where_and_with_what_result(void) {
    store_in(ORG_A, writes);
    store_in(ORG_A, reads);
    store_in(ORG_B, reads_nothing);
}

static void writes_hostile(DbUnit *unit) {
    g_autofree char *name = g_strnfill(100000, 'x');
    name[1] = '\x1b';
    name[2] = '\n';
    AuditActor nobody = {.kind = AUDIT_USER, .name = name};
    AuditEntry entry = {.action = AUDIT_SESSION_LOGIN, .actor = &nobody, .result = AUDIT_DENIED};
    store_ok(audit_add(unit, &entry, &error));
    g_autoptr(GPtrArray) rows = list(unit, &(AuditFilter){0});
    g_autoptr(Json) record = record_at(rows, 0);
    const char *kept = json_text(json_path(record, "actor.name"));
    g_assert_cmpuint(strlen(kept), <=, 256);
    g_assert_null(strpbrk(kept, "\x1b\n"));
}

static void names_from_outside_are_cut_and_cleaned(void) {
    store_in(AUDIT_INSTALLATION, writes_hostile);
}

static void writes_too_much(DbUnit *unit) {
    g_autofree char *text = g_strnfill(AUDIT_RECORD_MAX, 'x');
    g_autoptr(Json) details = json_new_object();
    json_put_string(details, "text", text);
    AuditEntry entry = {.action = AUDIT_SETTINGS_CHANGED, .actor = &ada, .details = details};
    store_fails(ERROR_LIMIT, audit_add(unit, &entry, &error));
    AuditEntry odd = {.action = AUDIT_SETTINGS_CHANGED, .actor = &ada, .result = ""};
    store_fails(ERROR_CONFIGURATION, audit_add(unit, &odd, &error));
}

static void a_record_has_a_limit(void) {
    store_in(ORG_A, writes_too_much);
}

static void installation_row_names_no_organization(DbUnit *unit) {
    add(unit, AUDIT_KEYS_ROTATED, NULL, NULL);
    g_autoptr(GPtrArray) rows = list(unit, &(AuditFilter){0});
    g_autoptr(Json) record = record_at(rows, 0);
    g_assert_true(json_kind(json_member(record, "organizationId")) == JSON_KIND_NULL);
}

static void rows_of_the_installation_stand_apart(void) {
    store_in(AUDIT_INSTALLATION, installation_row_names_no_organization);
    store_in(ORG_A, reads_nothing);
}

/* --- filters ---------------------------------------------------------------------------------- */

static void fills_first(DbUnit *unit) {
    add(unit, AUDIT_SESSION_LOGIN, AUDIT_DENIED, NULL);
    add(unit, AUDIT_SESSION_LOGIN, NULL, NULL);
    add(unit, AUDIT_SESSION_LOGOUT, NULL, NULL);
}

static void fills_second(DbUnit *unit) {
    add(unit, AUDIT_INTEGRATION_CONNECTED, NULL, INTEGRATION_A);
    add(unit, AUDIT_INTEGRATION_CONNECTED, AUDIT_FAILED, "other");
}

static void filters(DbUnit *unit) {
    static const struct {
        AuditFilter filter;
        guint count;
    } cases[] = {
        {{0}, 5},
        {{.action = "session.login"}, 2},
        {{.action = "session."}, 3},
        {{.action = "session"}, 0},
        {{.action = "integration."}, 2},
        {{.action = "integration.connect"}, 2},
        {{.action = "."}, 0},
        {{.actor_id = "u1"}, 5},
        {{.actor_id = "ada@example.com"}, 5},
        {{.actor_id = "eve@example.com"}, 0},
        {{.target_id = INTEGRATION_A}, 1},
        {{.target_id = "acme"}, 2},
        {{.result = AUDIT_DENIED}, 1},
        {{.result = AUDIT_FAILED}, 1},
        {{.from = START_MS + 1}, 2},
        {{.until = START_MS + 1}, 3},
        {{.from = START_MS, .until = START_MS}, 0},
        {{.limit = 2}, 2},
        {{.oldest_first = true, .limit = 4}, 4},
        {{.action = "session.", .result = AUDIT_OK}, 2},
        {{.action = "' or 1=1 --"}, 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) rows = list(unit, &cases[i].filter);
        if (rows->len != cases[i].count)
            g_error("case %zu: %u rows", i, rows->len);
    }
}

static void rows_are_found_by_action_actor_target_result_and_time(void) {
    store_in(ORG_A, fills_first);
    clock_advance(1000);
    store_in(ORG_A, fills_second);
    store_in(ORG_A, filters);
}

/* Page by page in one direction, the ids. */
static char *walk(DbUnit *unit, bool oldest_first) {
    g_autoptr(GString) ids = g_string_new(NULL);
    g_autofree char *cursor = NULL;
    for (;;) {
        AuditFilter filter = {.oldest_first = oldest_first, .limit = 2};
        if (oldest_first)
            filter.after_id = cursor;
        else
            filter.before_id = cursor;
        g_autoptr(GPtrArray) rows = list(unit, &filter);
        for (guint i = 0; i < rows->len; i++) {
            const AuditRow *row = g_ptr_array_index(rows, i);
            g_free(cursor);
            cursor = g_strdup(row->id);
            oldest_first ? g_string_append(ids, row->id) : g_string_prepend(ids, row->id);
        }
        if (rows->len < 2)
            return g_strdup(ids->str);
    }
}

static void walks_both_ways(DbUnit *unit) {
    g_autofree char *forward = walk(unit, true);
    g_autofree char *backward = walk(unit, false);
    g_assert_cmpuint(strlen(forward), ==, (size_t)5 * 36);
    g_assert_cmpstr(forward, ==, backward);
}

static void pages_in_both_directions_meet_every_row_once(void) {
    store_in(ORG_A, fills_first);
    store_in(ORG_A, fills_second);
    store_in(ORG_A, walks_both_ways);
}

#define DAY_MS (24 * 3600 * INT64_C(1000))

static guint count_between(DbUnit *unit, int64_t from, int64_t until, bool oldest_first) {
    AuditFilter filter = {.from = from, .until = until, .oldest_first = oldest_first};
    g_autoptr(GPtrArray) rows = list(unit, &filter);
    return rows->len;
}

static void counts_by_time(DbUnit *unit) {
    for (int oldest_first = 0; oldest_first < 2; oldest_first++) {
        g_assert_cmpuint(count_between(unit, 0, START_MS + DAY_MS, oldest_first), ==, 3);
        g_assert_cmpuint(count_between(unit, START_MS + DAY_MS, 0, oldest_first), ==, 2);
        g_assert_cmpuint(count_between(unit, START_MS, START_MS + 40 * DAY_MS, oldest_first), ==,
                         3);
        g_assert_cmpuint(count_between(unit, START_MS, START_MS + 41 * DAY_MS, oldest_first), ==,
                         5);
        g_assert_cmpuint(count_between(unit, INT64_MAX - 1, INT64_MAX, oldest_first), ==, 0);
        g_assert_cmpuint(count_between(unit, INT64_MIN, INT64_MAX, oldest_first), ==, 5);
    }
}

/* The last of the tests: ids never go back in time, and those of later tests would be ahead. */
static void rows_of_long_ago_are_found_by_their_time(void) {
    store_in(ORG_A, fills_first);
    clock_advance(40 * DAY_MS);
    store_in(ORG_A, fills_second);
    store_in(ORG_A, counts_by_time);
}

/* --- actions and activity --------------------------------------------------------------------- */

static void every_action_has_a_name_of_its_own_and_words_in_pairs(void) {
    for (unsigned i = 0; i < AUDIT_ACTIONS; i++) {
        AuditAction action;
        const char *name = audit_action_name(i);
        g_assert_nonnull(strchr(name, '.'));
        g_assert_true(audit_action_from_name(name, &action));
        g_assert_cmpuint(action, ==, i);
        g_assert_true((audit_action_done(i) == NULL) == (audit_action_undone(i) == NULL));
    }
    AuditAction none;
    g_assert_false(audit_action_from_name("session.", &none));
    g_assert_false(audit_action_from_name(NULL, &none));
    g_assert_cmpstr(audit_action_name(AUDIT_ACTIONS), ==, "unknown");
}

static void reads_activity(DbUnit *unit) {
    add(unit, AUDIT_INTEGRATION_CONNECTED, AUDIT_DENIED, INTEGRATION_A);
    g_autoptr(GPtrArray) rows = NULL;
    store_ok(activity_list(unit, NULL, 0, &rows, &error));
    g_assert_cmpuint(rows->len, ==, 2);
    const Activity *failed = g_ptr_array_index(rows, 0);
    const Activity *done = g_ptr_array_index(rows, 1);
    g_assert_cmpstr(done->sentence, ==, "ada@example.com connected acme");
    g_assert_cmpstr(failed->sentence, ==, "ada@example.com could not connect acme");
    g_assert_cmpstr(failed->result, ==, "failed");
    g_assert_cmpstr(done->target_id, ==, INTEGRATION_A);
    g_assert_cmpstr(done->actor, ==, "ada@example.com");
    g_autoptr(GPtrArray) older = NULL;
    store_ok(activity_list(unit, failed->id, 5, &older, &error));
    g_assert_cmpuint(older->len, ==, 1);
}

static void people_read_what_happened_and_what_failed_but_not_what_was_refused(void) {
    store_in(ORG_A, fills_first);
    store_in(ORG_A, fills_second);
    store_in(ORG_A, reads_activity);
}

static void sentences_name_programs_as_well(void) {
    static const struct {
        const char *record;
        const char *sentence;
    } cases[] = {
        {"{\"action\":\"sync.complete\",\"actor\":{\"kind\":\"system\"},"
         "\"target\":{\"kind\":\"integration\",\"name\":\"acme\"}}",
         "Assay collected evidence from acme"},
        {"{\"action\":\"token.create\",\"actor\":{\"kind\":\"cli\",\"name\":\"root\"},"
         "\"target\":{\"kind\":\"token\",\"id\":\"t1\"}}",
         "root (on the command line) made the token t1"},
        {"{\"action\":\"integration.pause\",\"actor\":{\"kind\":\"token\",\"name\":\"%s%n\"}}",
         "The token %s%n paused it"},
        {"{\"action\":\"settings.change\",\"actor\":{\"kind\":\"user\"}}",
         "Somebody changed settings"},
        {"{\"action\":\"session.login\",\"actor\":{\"kind\":\"user\"}}", NULL},
        {"{\"action\":\"nonsense\"}", NULL},
        {"{}", NULL},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        const char *text = cases[i].record;
        g_autoptr(Json) record = json_parse(text, strlen(text), 1000, NULL);
        g_autofree char *sentence = activity_sentence(record);
        g_assert_cmpstr(sentence, ==, cases[i].sentence);
    }
}

static const StoreTest tests[] = {
    {"a_row_says_who_what_from_where_and_with_what_result",
     a_row_says_who_what_from_where_and_with_what_result},
    {"names_from_outside_are_cut_and_cleaned", names_from_outside_are_cut_and_cleaned},
    {"a_record_has_a_limit", a_record_has_a_limit},
    {"rows_of_the_installation_stand_apart", rows_of_the_installation_stand_apart},
    {"rows_are_found_by_action_actor_target_result_and_time",
     rows_are_found_by_action_actor_target_result_and_time},
    {"pages_in_both_directions_meet_every_row_once", pages_in_both_directions_meet_every_row_once},
    {"every_action_has_a_name_of_its_own_and_words_in_pairs",
     every_action_has_a_name_of_its_own_and_words_in_pairs},
    {"people_read_what_happened_and_what_failed_but_not_what_was_refused",
     people_read_what_happened_and_what_failed_but_not_what_was_refused},
    {"sentences_name_programs_as_well", sentences_name_programs_as_well},
    {"rows_of_long_ago_are_found_by_their_time", rows_of_long_ago_are_found_by_their_time},
};

int main(int argc, char **argv) {
    return store_main(argc, argv, "audit", tests, G_N_ELEMENTS(tests));
}
