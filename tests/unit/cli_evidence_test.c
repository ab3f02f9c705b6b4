/* Evidence records and their data, large and damaged ones too. */
#include "base/clock.h"
#include "base/compress.h"
#include "base/digest.h"
#include "base/id.h"
#include "cli/evidence.h"
#include "present/evidence_object.h"
#include "store/document.h"
#include "unit/cli_support.h"

#include <string.h>

#define NOW INT64_C(1760000000000)
#define DAY INT64_C(86400000)

/* --- evidence as a run leaves it -------------------------------------------------------------- */

typedef struct {
    const char *integration_id;
    const char *type;
    const char *data;   /* NULL: none */
    const char *sha256; /* NULL: that of the data */
    double completeness;
    char id[ID_SIZE];
} Made;

static bool store_document(DbUnit *unit, const Made *made, const char *sha256, char **id_out,
                           GError **error) {
    g_autoptr(Compressor) compressor = compressor_new();
    g_autofree char *id = id_new();
    size_t size = strlen(made->data);
    DocumentEnd end = {.id = id, .sha256 = sha256, .size = (int64_t)size};
    if (!document_begin(unit, id, NULL, error))
        return false;
    for (size_t at = 0, seq = 0; at < size; at += DOCUMENT_CHUNK_RAW, seq++) {
        size_t part = MIN(size - at, (size_t)DOCUMENT_CHUNK_RAW);
        g_autoptr(GByteArray) packed = compressor_pack(compressor, made->data + at, part);
        DocumentChunk chunk = {
            .seq = (int64_t)seq, .raw_size = (int64_t)part, .bytes = {packed->data, packed->len}};
        if (!document_append_chunk(unit, id, &chunk, error))
            return false;
    }
    return document_finish(unit, &end, id_out, error);
}

static bool store_work(DbUnit *unit, void *data, GError **error) {
    Made *made = data;
    char hash[DIGEST_HEX_SIZE];
    g_autofree char *document = NULL;
    id_write(made->id);
    g_autofree char *record = g_strdup_printf(
        "{\"version\":1,\"id\":\"%s\",\"integrationId\":\"%s\",\"evidenceType\":\"%s\",\"source\":"
        "\"github\",\"title\":\"Title\",\"description\":\"About \\u001b[31m3 rows\","
        "\"collectedAt\":\"2025-10-09T08:53:20.000Z\",\"completeness\":{\"complete\":false,"
        "\"share\":0.5,\"reads\":[{\"node\":\"repo\",\"requests\":2,\"rows\":3,"
        "\"message\":\"Insufficient permissions\"}]}}",
        made->id, made->integration_id, made->type);
    if (made->data) {
        digest_sha256_hex(made->data, strlen(made->data), hash);
        if (!store_document(unit, made, made->sha256 ? made->sha256 : hash, &document, error))
            return false;
    }
    Evidence row = {.id = made->id,
                    .integration_id = made->integration_id,
                    .evidence_type = made->type,
                    .source = "github",
                    .record = record,
                    .document_id = document,
                    .data_sha256 = document ? (made->sha256 ? made->sha256 : hash) : NULL,
                    .completeness = made->completeness,
                    .collected_at = NOW,
                    .valid_from = NOW,
                    .valid_until = NOW + 30 * DAY};
    return evidence_insert(unit, &row, NULL, NULL, error);
}

static void make(const Session *session, Made *made) {
    must(session_run(session, DB_WRITE, store_work, made, &error));
}

/* --- objects ---------------------------------------------------------------------------------- */

static double quality_at(int64_t now_ms, double completeness) {
    Evidence row = {.id = "e",
                    .record = "{}",
                    .completeness = completeness,
                    .valid_from = NOW,
                    .valid_until = NOW + 30 * DAY};
    Json *made = NULL;
    must(evidence_object(&row, NULL, now_ms, &made, &error));
    g_autoptr(Json) json = made;
    return json_member_real(json, "quality", -1);
}

static void quality_is_completeness_times_freshness(void) {
    g_assert_cmpfloat(quality_at(NOW, 1), ==, 1);
    g_assert_cmpfloat(quality_at(NOW + 15 * DAY, 1), ==, 0.5);
    g_assert_cmpfloat(quality_at(NOW + 15 * DAY, 0.5), ==, 0.25);
    g_assert_cmpfloat(quality_at(NOW + 31 * DAY, 1), ==, 0);
    g_assert_cmpfloat(quality_at(NOW - DAY, 1), ==, 1);
    g_assert_cmpfloat(quality_at(NOW, 1.0 / 3), ==, 0.3333);
}

static void a_damaged_record_is_told(void) {
    Evidence row = {.id = "e", .record = "{\"id\":"};
    Json *json = NULL;
    must_fail(ERROR_DATABASE, "record of the evidence e is damaged",
              evidence_object(&row, NULL, NOW, &json, &error));
    g_assert_null(json);
}

/* --- list ------------------------------------------------------------------------------------- */

static void an_empty_list_says_what_to_do(void) {
    g_autoptr(Session) session = desk_session();
    g_auto(Said) nothing = desk_run("evidence list");
    assert_holds(nothing.out, "There is no such evidence.");
    assert_holds(nothing.err, "Next: assay connect github");
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_auto(Said) connected = desk_run("evidence list");
    assert_holds(connected.err, "Next: assay sync acme");
    g_autoptr(Json) reply = desk_json("evidence list", 0);
    g_assert_cmpuint(json_count(json_member(reply, "evidence")), ==, 0);
}

static void the_list_goes_on_behind_its_cursor(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made rows[3];
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        rows[i] = (Made){.integration_id = id, .type = "a", .completeness = 1};
        make(session, &rows[i]);
    }
    g_autoptr(Json) first = desk_json("evidence list --limit 2", 0);
    const char *cursor = json_member_string(first, "nextCursor", NULL);
    g_assert_cmpuint(json_count(json_member(first, "evidence")), ==, 2);
    g_assert_cmpstr(cursor, ==, rows[1].id);
    g_autofree char *line = g_strdup_printf("evidence list --limit 2 --cursor %s", cursor);
    g_autoptr(Json) second = desk_json(line, 0);
    const Json *last = json_item(json_member(second, "evidence"), 0);
    g_assert_cmpuint(json_count(json_member(second, "evidence")), ==, 1);
    g_assert_cmpstr(json_member_string(last, "id", ""), ==, rows[0].id);
    g_assert_null(json_member_string(second, "nextCursor", NULL));
}

static size_t count_of(const char *options) {
    g_autofree char *line = g_strdup_printf("evidence list %s", options);
    g_autoptr(Json) reply = desk_json(line, 0);
    return json_count(json_member(reply, "evidence"));
}

static void the_list_is_filtered(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *one = desk_add_integration(session, "one", INTEGRATION_CONNECTED);
    g_autofree char *two = desk_add_integration(session, "two", INTEGRATION_CONNECTED);
    Made a = {.integration_id = one, .type = "a", .completeness = 1};
    Made b = {.integration_id = two, .type = "b", .completeness = 1};
    make(session, &a);
    make(session, &b);
    g_assert_cmpuint(count_of(""), ==, 2);
    g_assert_cmpuint(count_of("--type a"), ==, 1);
    g_assert_cmpuint(count_of("--integration two"), ==, 1);
    g_assert_cmpuint(count_of("--source GitHub"), ==, 2);
    g_assert_cmpuint(count_of("--source gsuite"), ==, 0);
    g_assert_cmpuint(count_of("--to 2025-10-09"), ==, 0);
    g_assert_cmpuint(count_of("--from 2025-10-09 --to 2025-10-10"), ==, 2);
    desk_fails("evidence list --integration three", 3, "no integration \"three\"");
}

static void people_see_what_was_not_read(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made made = {.integration_id = id, .type = "users", .completeness = 0.996};
    make(session, &made);
    g_auto(Said) said = desk_run("evidence list");
    assert_holds(said.out, "users     acme         About ?[31m3 rows  99 %  ");
    assert_holds(said.out, made.id);
}

/* --- show ------------------------------------------------------------------------------------- */

static Said show(const Made *made, const char *options) {
    g_autofree char *line = g_strdup_printf("evidence show %s%s", made->id, options);
    return desk_run(line);
}

static void data_are_printed_as_they_were_collected(void) {
    static const char data[] = "{\"details\":[{\"b\":1.50,\"a\":\"\\u00e9\"}],\"total\":1}";
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made made = {.integration_id = id, .type = "users", .data = data, .completeness = 1};
    make(session, &made);
    g_auto(Said) said = show(&made, " --json");
    g_autofree char *end = g_strdup_printf(",\"data\":%s}\n", data);
    g_assert_cmpint(said.status, ==, 0);
    g_assert_true(g_str_has_suffix(said.out, end));
    g_autoptr(Json) json = json_of(said.out);
    g_assert_cmpstr(json_member_string(json, "id", ""), ==, made.id);
    g_assert_cmpstr(json_member_string(json, "integrationId", ""), ==, id);
    g_assert_cmpint(json_member_int(json, "ledgerIndex", -1), ==, 0);
    g_assert_nonnull(json_member(json, "quality"));
    g_assert_nonnull(json_member(json, "sha256"));
}

static void evidence_without_data_has_null(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made made = {.integration_id = id, .type = "users", .completeness = 0};
    make(session, &made);
    g_auto(Said) said = show(&made, " --json");
    g_assert_true(g_str_has_suffix(said.out, ",\"data\":null}\n"));
}

static char *large_document(void) {
    GString *data = g_string_new("{\"details\":[0");
    while (data->len < 3 * (size_t)DOCUMENT_CHUNK_RAW)
        g_string_append_printf(data, ",%zu", data->len);
    g_string_append(data, "]}");
    return g_string_free(data, FALSE);
}

static void large_data_go_through_in_chunks(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    g_autofree char *data = large_document();
    g_autofree char *end = g_strdup_printf(",\"data\":%s}\n", data);
    Made made = {.integration_id = id, .type = "users", .data = data, .completeness = 1};
    make(session, &made);
    g_auto(Said) said = show(&made, " --json");
    g_assert_true(g_str_has_suffix(said.out, end));
    g_auto(Said) text = show(&made, "");
    assert_holds(text.out, "bytes: assay evidence show");
    g_assert_cmpuint(strlen(text.out), <, 2000);
}

static void altered_data_are_told_before_anything_is_printed(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    char other[DIGEST_HEX_SIZE];
    digest_sha256_hex("other", 5, other);
    Made made = {.integration_id = id,
                 .type = "users",
                 .data = "{\"details\":[]}",
                 .sha256 = other,
                 .completeness = 1};
    make(session, &made);
    g_autofree char *line = g_strdup_printf("evidence show %s", made.id);
    desk_fails(line, 1, "do not have the hash that was logged");
    g_autoptr(Json) reply = desk_json(line, 1);
    g_assert_false(json_member_bool(reply, "success", true));
}

static void people_see_facts_reads_and_small_data(void) {
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    Made made = {.integration_id = id,
                 .type = "users",
                 .data = "{\"details\":[{\"name\":\"a\\u001bb\"}]}",
                 .completeness = 0.5};
    make(session, &made);
    g_auto(Said) said = show(&made, "");
    assert_holds(said.out, "Title\n");
    assert_holds(said.out, "  integration  acme\n");
    assert_holds(said.out, "  read         not completely\n");
    assert_holds(said.out, "repo: 3 rows, 2 calls; Insufficient permissions\n");
    assert_holds(said.out, "      \"name\": \"a\\u001bb\"\n");
    assert_lacks(said.out, "\033");
}

static void unknown_evidence_is_not_found(void) {
    g_autoptr(Session) session = desk_session();
    desk_fails("evidence show nonsense", 3, "there is no evidence \"nonsense\"");
    desk_fails("evidence show 019a9e5c-3f5e-7cc1-b6a5-6d1f0c2a9b11", 3, "there is no evidence");
}

/* --- asked of a server ------------------------------------------------------------------------ */

/* A served desk with three items, of which the last has data. */
static void serve_three(Made rows[3]) {
    clock_freeze(NOW + DAY);
    desk_serve("member", false);
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "acme", INTEGRATION_CONNECTED);
    for (size_t i = 0; i < 3; i++) {
        rows[i] = (Made){.integration_id = id, .type = i == 1 ? "a" : "b", .completeness = 0.5};
        rows[i].data = i == 2 ? "{\"details\":[{\"b\":1.50,\"data\":\"\\\"}\"}]}" : NULL;
        make(session, &rows[i]);
    }
}

static void a_server_lists_the_same_evidence(void) {
    Made rows[3];
    serve_three(rows);
    g_autofree char *behind = g_strdup_printf("evidence list --cursor %s", rows[1].id);
    desk_same("evidence list", 0);
    desk_same("evidence list --limit 2", 0);
    desk_same("evidence list --type a --integration acme --source GitHub", 0);
    desk_same("evidence list --from 2025-10-09 --to 2025-10-10", 0);
    desk_same("evidence list --to 2025-10-09", 0);
    desk_same("evidence list --integration nobody", 3);
    desk_same(behind, 0);
}

static void a_server_shows_the_same_item_byte_by_byte(void) {
    Made rows[3];
    serve_three(rows);
    for (size_t i = 1; i < 3; i++) {
        g_autofree char *line = g_strdup_printf("evidence show %s", rows[i].id);
        desk_same(line, 0);
    }
    desk_same("evidence show 019a9e5c-3f5e-7cc1-b6a5-6d1f0c2a9b11", 3);
    desk_same("evidence show nonsense", 3);
}

static void large_data_come_whole_from_a_server(void) {
    Made rows[3];
    serve_three(rows);
    g_autofree char *data = large_document();
    g_autoptr(Session) session = desk_session();
    g_autofree char *id = desk_add_integration(session, "large", INTEGRATION_CONNECTED);
    Made made = {.integration_id = id, .type = "users", .data = data, .completeness = 1};
    make(session, &made);
    g_autofree char *line = g_strdup_printf("evidence show %s", made.id);
    desk_same(line, 0);
}

static void a_server_takes_reviews_in_the_name_of_the_token(void) {
    Made rows[3];
    serve_three(rows);
    g_autofree char *approve =
        g_strdup_printf("evidence review %s --approve --note fine", rows[0].id);
    g_autofree char *named = g_strdup_printf("%s --by mona", approve);
    g_autofree char *show = g_strdup_printf("evidence show %s", rows[0].id);
    g_autoptr(Json) review = desk_json(desk_there(approve), 0);
    g_assert_cmpstr(json_member_string(review, "evidenceId", ""), ==, rows[0].id);
    g_assert_cmpstr(json_member_string(review, "reviewState", ""), ==, "approved");
    g_assert_cmpstr(json_member_string(review, "reviewedBy", ""), ==, "desk");
    g_assert_cmpstr(json_member_string(review, "note", ""), ==, "fine");
    g_auto(Said) said = desk_run(desk_there(approve));
    assert_holds(said.out, "is approved by desk.");
    desk_same(show, 0);
    desk_fails(desk_there(named), 2, "the server knows who asks");
    desk_fails(desk_there("evidence review nonsense --approve"), 3, "no such evidence");
}

static void an_auditor_may_not_review(void) {
    desk_serve("auditor", false);
    desk_fails(desk_there("evidence review 019a9e5c-3f5e-7cc1-b6a5-6d1f0c2a9b11 --approve"), 4,
               "role");
}

int main(int argc, char **argv) {
    static const DeskTest tests[] = {
        {"quality_is_completeness_times_freshness", quality_is_completeness_times_freshness},
        {"a_damaged_record_is_told", a_damaged_record_is_told},
        {"an_empty_list_says_what_to_do", an_empty_list_says_what_to_do},
        {"the_list_goes_on_behind_its_cursor", the_list_goes_on_behind_its_cursor},
        {"the_list_is_filtered", the_list_is_filtered},
        {"people_see_what_was_not_read", people_see_what_was_not_read},
        {"data_are_printed_as_they_were_collected", data_are_printed_as_they_were_collected},
        {"evidence_without_data_has_null", evidence_without_data_has_null},
        {"large_data_go_through_in_chunks", large_data_go_through_in_chunks},
        {"altered_data_are_told_before_anything_is_printed",
         altered_data_are_told_before_anything_is_printed},
        {"people_see_facts_reads_and_small_data", people_see_facts_reads_and_small_data},
        {"unknown_evidence_is_not_found", unknown_evidence_is_not_found},
        {"a_server_lists_the_same_evidence", a_server_lists_the_same_evidence},
        {"a_server_shows_the_same_item_byte_by_byte", a_server_shows_the_same_item_byte_by_byte},
        {"large_data_come_whole_from_a_server", large_data_come_whole_from_a_server},
        {"a_server_takes_reviews_in_the_name_of_the_token",
         a_server_takes_reviews_in_the_name_of_the_token},
        {"an_auditor_may_not_review", an_auditor_may_not_review},
    };
    return desk_main(argc, argv, "evidence", tests, G_N_ELEMENTS(tests));
}
