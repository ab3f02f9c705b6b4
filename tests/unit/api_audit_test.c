/* What the log says of requests that were refused, and how it is exported. */
#include "unit/api_support.h"

#include "api/audit_export.h"
#include "api/pool.h"
#include "base/clock.h"
#include "store/audit.h"
#include "store/membership.h"
#include "store/user.h"

#include <string.h>

#define ADA "01890000-0000-7000-8000-000000000ada"
#define MANY 1050 /* more than ten pages of an export */

/* --- what was refused ------------------------------------------------------------------------- */

static Json *log_of(const Stage *stage, const char *token, const char *path) {
    g_auto(Answer) answer = stage_ask(stage, &(Ask){.path = path, .token = token});
    g_assert_cmpuint(answer.status, ==, 200);
    return json_ref(json_member(answer.json, "audit"));
}

static Json *denials(const Stage *stage) {
    return log_of(stage, stage->tokens[ROLE_OWNER], "/api/audit?action=request.deny");
}

static bool add_ada(DbUnit *unit, void *data, GError **error) {
    const User ada = {
        .id = ADA, .email = "ada@example.com", .name = "Ada", .password_hash = "none"};
    const Membership member = {.user_id = ADA, .role = "member"};
    (void)data;
    return user_insert(unit, &ada, error) && membership_insert(unit, &member, error);
}

/* The integration of A is somebody's own from then on. */
static void give_to_ada(const Stage *stage) {
    const DbScope scope = {.organization = ORG_A, .actor = "test", .system = true};
    must(db_run(stage->db, &scope, DB_WRITE, add_ada, NULL, &error));
    g_auto(Answer) given =
        stage_send(stage, ROLE_OWNER, "PATCH", "/api/integrations/" INTEGRATION_A,
                   "{\"ownerUserId\":\"" ADA "\"}");
    g_assert_cmpuint(given.status, ==, 200);
}

static void refusals_within_handlers_are_noted_once(void) {
    static const struct {
        Role role;
        const char *method;
        const char *path;
        const char *body;
        const char *operation;
        const char *id;
    } cases[] = {
        {ROLE_ADMIN, "POST", "/api/tokens", "{\"name\":\"all\",\"role\":\"owner\"}", "createToken",
         NULL},
        {ROLE_ADMIN, "POST", "/api/invitations",
         "{\"email\":\"eve@example.com\",\"role\":\"owner\"}", "invite", NULL},
        {ROLE_MEMBER, "POST", "/api/integrations/connect",
         "{\"integrationType\":\"github\",\"name\":\"inside\",\"credentials\":{\"access_token\":"
         "\"ghp_x\",\"organization\":\"acme\",\"api_url\":\"https://10.0.0.1\",\"allow_private\":"
         "\"true\"}}",
         "connectIntegration", NULL},
        {ROLE_ADMIN, "DELETE", "/api/integrations/" INTEGRATION_A "?purge=true", NULL,
         "disconnectIntegration", INTEGRATION_A},
        {ROLE_MEMBER, "PATCH", "/api/integrations/" INTEGRATION_A, "{\"name\":\"mine\"}",
         "changeIntegration", INTEGRATION_A},
        {ROLE_MEMBER, "PATCH", "/api/organization", "{\"name\":\"Psi\"}", "changeOrganization",
         NULL}, /* at the gate */
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    give_to_ada(&stage);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, cases[i].method, cases[i].path, cases[i].body);
        g_test_message("%s %s: %s", cases[i].method, cases[i].path, answer.body);
        assert_problem(&answer, 403, "PERMISSION_DENIED");
        g_autoptr(Json) rows = denials(&stage);
        const Json *row = json_item(rows, 0);
        g_assert_cmpuint(json_count(rows), ==, i + 1);
        g_assert_cmpstr(json_text(json_path(row, "details.operation")), ==, cases[i].operation);
        g_assert_cmpstr(json_text(json_path(row, "details.id")), ==, cases[i].id);
        g_assert_cmpstr(json_text(json_path(row, "actor.kind")), ==, AUDIT_TOKEN);
        g_assert_cmpstr(json_member_string(row, "result", ""), ==, AUDIT_DENIED);
    }
}

static void nothing_that_was_sent_stands_in_the_note(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_auto(Answer) refused = stage_send(&stage, ROLE_ADMIN, "POST", "/api/tokens",
                                        "{\"name\":\"ghp_planted\",\"role\":\"owner\"}");
    g_assert_cmpuint(refused.status, ==, 403);
    g_autoptr(Json) rows = denials(&stage);
    g_autofree char *text = json_print(rows, JSON_COMPACT);
    g_assert_nonnull(strstr(text, "createToken"));
    g_assert_null(strstr(text, "ghp_planted"));
}

static void looks_and_what_is_not_there_are_not_noted(void) {
    static const struct {
        Role role;
        unsigned status;
        const char *method;
        const char *path;
    } cases[] = {
        {ROLE_MEMBER, 403, "GET", "/api/tokens"},
        {ROLE_MEMBER, 403, "GET", "/api/audit/export"},
        {ROLE_OWNER, 404, "DELETE", "/api/integrations/" INTEGRATION_B},
        {ROLE_OWNER, 404, "DELETE", "/api/integrations/nonsense"},
    };
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(Answer) answer =
            stage_send(&stage, cases[i].role, cases[i].method, cases[i].path, NULL);
        g_assert_cmpuint(answer.status, ==, cases[i].status);
    }
    g_autoptr(Json) rows = denials(&stage);
    g_autoptr(Json) whole =
        log_of(&stage, stage.operator, "/api/installation/audit?action=request.deny");
    g_assert_cmpuint(json_count(rows), ==, 0);
    g_assert_cmpuint(json_count(whole), ==, 0);
}

/* Sixty a minute of each caller. */
static void refusals_do_not_fill_the_log(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    clock_freeze(clock_now_ms());
    for (int i = 0; i < 70; i++) {
        g_auto(Answer) answer = stage_send(&stage, ROLE_AUDITOR, "POST", "/api/tokens",
                                           "{\"name\":\"x\",\"role\":\"member\"}");
        g_assert_cmpuint(answer.status, ==, 403);
    }
    g_auto(Answer) other = stage_send(&stage, ROLE_MEMBER, "POST", "/api/tokens",
                                      "{\"name\":\"x\",\"role\":\"member\"}");
    g_assert_cmpuint(other.status, ==, 403);
    g_autoptr(Json) rows = denials(&stage);
    g_assert_cmpuint(json_count(rows), ==, 61);
    clock_advance(61000);
    g_auto(Answer) later = stage_send(&stage, ROLE_AUDITOR, "POST", "/api/tokens",
                                      "{\"name\":\"x\",\"role\":\"member\"}");
    g_assert_cmpuint(later.status, ==, 403);
    g_autoptr(Json) more = denials(&stage);
    g_assert_cmpuint(json_count(more), ==, 62);
    clock_thaw();
}

static void a_refusal_that_is_sent_again_is_another_one(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (int i = 0; i < 2; i++) {
        g_auto(Answer) answer = stage_ask(
            &stage, &(Ask){.method = "DELETE",
                           .path = "/api/integrations/" INTEGRATION_A "?purge=true",
                           .token = stage.tokens[ROLE_ADMIN],
                           .headers = "Idempotency-Key: 01890000-0000-7000-8000-000000000099\r\n"});
        g_assert_cmpuint(answer.status, ==, 403);
    }
    g_autoptr(Json) rows = denials(&stage);
    g_assert_cmpuint(json_count(rows), ==, 2);
}

/* --- exports ---------------------------------------------------------------------------------- */

static bool add_many(DbUnit *unit, void *data, GError **error) {
    const AuditActor actor = {.kind = AUDIT_SYSTEM};
    for (int i = 0; i < *(const int *)data; i++) {
        AuditEntry entry = {.action = AUDIT_SYNC_COMPLETED, .actor = &actor};
        if (!audit_add(unit, &entry, error))
            return false;
    }
    return true;
}

static void add_entries(const Stage *stage, const char *organization, int count) {
    const DbScope scope = {.organization = organization, .actor = "test"};
    must(db_run(stage->db, &scope, DB_WRITE, add_many, &count, &error));
}

/* The ids of an export's entries, and asserts that they are in order. */
static GPtrArray *ids_of(const Answer *answer, bool oldest_first) {
    g_auto(GStrv) lines = g_strsplit(answer->body, "\n", -1);
    guint count = g_strv_length(lines);
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    g_assert_cmpuint(answer->status, ==, 200);
    g_assert_true(count == 0 || *lines[count - 1] == '\0'); /* every line has its end */
    for (guint i = 0; i + 1 < count; i++) {
        g_autoptr(Json) entry = json_parse(lines[i], strlen(lines[i]), 65536, NULL);
        g_assert_nonnull(entry);
        g_ptr_array_add(ids, g_strdup(json_member_string(entry, "id", "")));
        if (i == 0)
            continue;
        int order = strcmp(g_ptr_array_index(ids, i - 1), g_ptr_array_index(ids, i));
        g_assert_true(oldest_first ? order < 0 : order > 0);
    }
    return ids;
}

static GPtrArray *exported(const Stage *stage, const char *query) {
    g_autofree char *path = g_strdup_printf("/api/audit/export?action=sync.complete%s", query);
    g_auto(Answer) answer = stage_get(stage, ROLE_OWNER, path);
    return ids_of(&answer, strstr(query, "oldest") != NULL);
}

static void an_export_has_every_entry_once_however_many(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_entries(&stage, ORG_A, MANY);
    add_entries(&stage, ORG_B, 3);
    g_autoptr(GPtrArray) newest = exported(&stage, "");
    g_autoptr(GPtrArray) oldest = exported(&stage, "&order=oldest");
    g_assert_cmpuint(newest->len, ==, MANY);
    g_assert_cmpuint(oldest->len, ==, MANY);
    g_assert_cmpstr(g_ptr_array_index(newest, 0), ==, g_ptr_array_index(oldest, MANY - 1));
}

static void a_part_ends_where_it_is_to_and_the_next_goes_on(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    add_entries(&stage, ORG_A, 250);
    g_autoptr(GPtrArray) all = exported(&stage, "&order=oldest");
    g_autoptr(GPtrArray) first = exported(&stage, "&order=oldest&limit=200");
    g_assert_cmpuint(first->len, ==, 200);
    g_autofree char *rest = g_strdup_printf("&order=oldest&limit=200&cursor=%s",
                                            (const char *)g_ptr_array_index(first, 199));
    g_autoptr(GPtrArray) second = exported(&stage, rest);
    g_assert_cmpuint(second->len, ==, 50);
    g_assert_cmpstr(g_ptr_array_index(second, 0), ==, g_ptr_array_index(all, 200));
    g_assert_cmpstr(g_ptr_array_index(second, 49), ==, g_ptr_array_index(all, 249));
}

static void an_export_of_nothing_is_empty(void) {
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    g_autoptr(GPtrArray) none = exported(&stage, "");
    g_assert_cmpuint(none->len, ==, 0);
    add_entries(&stage, ORG_A, 100); /* one whole page and nothing behind it */
    g_autoptr(GPtrArray) page = exported(&stage, "");
    g_assert_cmpuint(page->len, ==, 100);
}

static void wrong_parts_are_refused_and_not_noted(void) {
    static const char *const queries[] = {"limit=0", "limit=many", "limit=1000001", "cursor=x",
                                          "from=yesterday"};
    g_auto(Stage) stage;
    stage_init(&stage, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        g_autofree char *path = g_strdup_printf("/api/audit/export?%s", queries[i]);
        g_auto(Answer) answer = stage_get(&stage, ROLE_OWNER, path);
        assert_problem(&answer, 400, "CONFIGURATION_ERROR");
    }
    g_autoptr(Json) rows =
        log_of(&stage, stage.tokens[ROLE_OWNER], "/api/audit?action=audit.export");
    g_assert_cmpuint(json_count(rows), ==, 0);
}

/* --- an export and its reader, by hand -------------------------------------------------------- */

typedef struct {
    Stage stage;
    Desk desk;
    SlowReader reader;
    Stream *stream;
} Export;

static void export_init(Export *export, const char *organization, int entries) {
    const DbScope scope = {.organization = organization, .actor = "test"};
    const AuditFilter filter = {.action = "sync.complete", .oldest_first = true};
    stage_init(&export->stage, 0);
    add_entries(&export->stage, organization, entries);
    export->desk = (Desk){.config = {.db = export->stage.db}, .pool = pool_new(1, 4)};
    AuditExport wish = {.desk = &export->desk, .scope = &scope, .filter = &filter};
    export->stream = audit_export(&wish);
    slow_reader_init(&export->reader, export->stream);
}

static void export_clear(Export *export) {
    stream_abandon(export->stream);
    pool_free(export->desk.pool); /* ends what is under way */
    stream_unref(export->stream);
    stage_clear(&export->stage);
}

static size_t lines_in(const char *bytes, size_t size) {
    size_t lines = 0;
    for (size_t i = 0; i < size; i++)
        lines += bytes[i] == '\n';
    return lines;
}

static void memory_holds_one_page_of_an_export(void) {
    Export export;
    char out[4096];
    size_t all = 0;
    size_t of_page = 0;
    size_t most_waiting = 0;
    ssize_t got;
    export_init(&export, ORG_A, MANY);
    while ((got = stream_read(export.stream, out, sizeof out)) >= 0) {
        all += lines_in(out, (size_t)got);
        of_page = got == 0 ? 0 : of_page + lines_in(out, (size_t)got);
        most_waiting = MAX(most_waiting, of_page);
        if (got == 0)
            slow_reader_await(&export.reader);
    }
    g_assert_cmpint(got, ==, STREAM_DONE);
    g_assert_cmpuint(all, ==, MANY);
    g_assert_cmpuint(most_waiting, ==, 100);
    export_clear(&export);
}

static void an_export_that_is_stopped_is_seen_to_be_broken_off(void) {
    Export export;
    char out[4096];
    ssize_t got;
    export_init(&export, ORG_A, MANY);
    g_assert_cmpint(stream_read(export.stream, out, sizeof out), ==, 0);
    slow_reader_await(&export.reader);
    stream_end(export.stream, false); /* as a server that stops does */
    while ((got = stream_read(export.stream, out, sizeof out)) > 0)
        continue;
    g_assert_cmpint(got, ==, STREAM_BROKEN);
    export_clear(&export);
}

static void whoever_goes_away_ends_the_export(void) {
    Export export;
    char out[64];
    export_init(&export, ORG_A, 300);
    g_assert_cmpint(stream_read(export.stream, out, sizeof out), ==, 0);
    slow_reader_await(&export.reader);
    g_assert_cmpint(stream_read(export.stream, out, sizeof out), >, 0);
    export_clear(&export);
}

#define TEST(name)                                                                                 \
    { #name, name }

static const ApiTest tests[] = {
    TEST(refusals_within_handlers_are_noted_once),
    TEST(nothing_that_was_sent_stands_in_the_note),
    TEST(looks_and_what_is_not_there_are_not_noted),
    TEST(refusals_do_not_fill_the_log),
    TEST(a_refusal_that_is_sent_again_is_another_one),
    TEST(an_export_has_every_entry_once_however_many),
    TEST(a_part_ends_where_it_is_to_and_the_next_goes_on),
    TEST(an_export_of_nothing_is_empty),
    TEST(wrong_parts_are_refused_and_not_noted),
    TEST(memory_holds_one_page_of_an_export),
    TEST(an_export_that_is_stopped_is_seen_to_be_broken_off),
    TEST(whoever_goes_away_ends_the_export),
};

int main(int argc, char **argv) {
    return api_main(argc, argv, "audit", tests, G_N_ELEMENTS(tests));
}
