/* The audit log, asked of a server, and in a file both ways. */
#include "base/clock.h"
#include "store/audit.h"
#include "unit/cli_support.h"

#include <string.h>
#include <sys/stat.h>

#define MANY 10050 /* more than one answer of an export has */

static void make_tokens(void) {
    g_autoptr(Json) one = desk_json("tokens create one --role member", 0);
    g_autoptr(Json) two = desk_json("tokens create two --role member", 0);
    g_autoptr(Json) revoked = desk_json("tokens revoke one", 0);
}

static char *newest(const char *line) {
    g_autoptr(Json) log = desk_json(line, 0);
    const Json *row = json_item(json_member(log, "audit"), 0);
    return g_strdup(json_member_string(row, "id", ""));
}

/* Everything there is so far gets its leaf. */
static void seal(const char *log) {
    g_autofree char *id = newest(log);
    g_autofree char *line = g_strdup_printf("%s --proof %s", log, id);
    g_autoptr(Json) proof = desk_json(line, 0);
}

/* --- entries ---------------------------------------------------------------------------------- */

static void entries_are_filtered_as_here(void) {
    static const char *const lines[] = {
        "audit",
        "audit --action token.create",
        "audit --action token. --oldest-first",
        "audit --action user.",
        "audit --target one",
        "audit --result denied",
        "audit --actor nobody",
        "audit --from 1h --limit 2",
        "audit --from 2026-01-01 --until 2026-01-02",
        "audit --installation",
    };
    clock_freeze(1790000000000);
    desk_serve("owner", true);
    make_tokens();
    seal("audit");
    for (size_t i = 0; i < G_N_ELEMENTS(lines); i++)
        desk_same(lines[i], 0);
    g_autoptr(Json) page = desk_json(desk_there("audit --limit 2"), 0);
    g_autofree char *next =
        g_strdup_printf("audit --limit 2 --cursor %s", json_member_string(page, "nextCursor", ""));
    desk_same(next, 0);
    g_auto(Said) said = desk_run(desk_there("audit --limit 2"));
    assert_holds(said.err, "There are more: --cursor ");
}

static void a_filter_that_cannot_be_is_refused_in_both_ways(void) {
    desk_serve("owner", false);
    desk_fails("audit --result maybe", 2, "--result wants ok, denied or failed");
    desk_fails_there("audit --result maybe", 2, "--result wants ok, denied or failed");
    desk_fails_there("audit --from someday", 2, "--from");
    desk_fails_there("audit --cursor nonsense", 2, "cursor");
}

static void the_installations_log_is_for_the_operator(void) {
    desk_serve("owner", false);
    desk_fails_there("audit --installation", 4, "operator");
    desk_fails_there("audit --installation --proof 01890000-0000-7000-8000-000000000001", 4,
                     "operator");
}

static void a_member_does_not_read_the_log(void) {
    desk_serve("member", false);
    g_autofree char *file = g_build_filename(desk_folder(), "audit.ndjson", NULL);
    g_autofree char *line = g_strdup_printf("audit export %s", file);
    desk_fails_there("audit", 4, "The role member does not allow this");
    desk_fails_there(line, 4, "The role member does not allow this");
    g_assert_false(g_file_test(file, G_FILE_TEST_EXISTS));
}

/* --- proofs ----------------------------------------------------------------------------------- */

static void a_proof_is_the_same_in_both_ways(void) {
    desk_serve("owner", false);
    make_tokens();
    g_autofree char *id = newest("audit");
    g_autofree char *line = g_strdup_printf("audit --proof %s", id);
    desk_same(line, 0); /* here first, which seals it */
    desk_fails_there("audit --proof 01890000-0000-7000-8000-000000000001", 3, "no such audit row");
}

static void the_installations_entries_are_proven_too(void) {
    desk_serve("owner", true);
    make_tokens();
    g_autoptr(Json) revoked = desk_json(desk_there("tokens revoke two"), 0);
    g_autofree char *id = newest(desk_there("audit --installation"));
    g_autofree char *line = g_strdup_printf("audit --installation --proof %s", id);
    desk_same(line, 0);
    g_autofree char *elsewhere = g_strdup_printf("audit --proof %s", id);
    desk_fails_there(elsewhere, 3, "no such audit row");
}

/* --- export ----------------------------------------------------------------------------------- */

/* Exports into a new file; what it has. */
static char *exported(const char *name, const char *filter, bool far) {
    g_autofree char *file = g_build_filename(desk_folder(), name, NULL);
    g_autofree char *line = g_strdup_printf("audit export %s %s", file, filter);
    g_autoptr(Json) said = desk_json(far ? desk_there(line) : line, 0);
    char *text = NULL;
    struct stat status;
    int64_t lines = 0;
    must(g_file_get_contents(file, &text, NULL, &error));
    for (const char *c = text; *c != '\0'; c++)
        lines += *c == '\n';
    g_assert_cmpint(json_member_int(said, "entries", -1), ==, lines);
    g_assert_cmpstr(json_member_string(said, "file", ""), ==, file);
    g_assert_cmpint(stat(file, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 0777, ==, 0600);
    return text;
}

static void an_export_is_the_same_in_both_ways(void) {
    desk_serve("owner", true);
    make_tokens();
    seal("audit");
    g_autofree char *here = exported("here", "--action token.", false);
    g_autofree char *far = exported("far", "--action token.", true);
    g_assert_cmpstr(here, ==, far);
    g_autofree char *first = g_strndup(here, strcspn(here, "\n"));
    g_autoptr(Json) row = json_of(first);
    g_assert_cmpstr(json_text(json_path(row, "target.name")), ==, "desk");
}

static void an_export_stands_in_the_log(void) {
    desk_serve("owner", true);
    g_autofree char *here = exported("here", "", false);
    g_autofree char *far = exported("far", "", true);
    g_autofree char *whole = exported("whole", "--installation", true);
    assert_holds(here, "audit.export");
    assert_holds(far, "\"kind\":\"token\"");
    g_autoptr(Json) log = desk_json("audit --action audit.export", 0);
    g_autoptr(Json) installation = desk_json("audit --installation --action audit.export", 0);
    g_assert_cmpuint(json_count(json_member(log, "audit")), ==, 2);
    g_assert_cmpuint(json_count(json_member(installation, "audit")), ==, 1);
}

static void a_file_that_is_there_is_left_alone(void) {
    desk_serve("owner", true);
    const char *file = desk_file("mine", "precious");
    g_autofree char *text = NULL;
    g_autofree char *line = g_strdup_printf("audit export %s", file);
    desk_fails(line, 1, "name another file");
    desk_fails_there(line, 1, "name another file");
    desk_fails("audit export", 2, "something is missing");
    must(g_file_get_contents(file, &text, NULL, &error));
    g_assert_cmpstr(text, ==, "precious");
}

static bool add_many(DbUnit *unit, void *data, GError **error) {
    const AuditActor actor = {.kind = AUDIT_SYSTEM};
    (void)data;
    for (int i = 0; i < MANY; i++) {
        AuditEntry entry = {.action = AUDIT_SYNC_COMPLETED, .actor = &actor};
        if (!audit_add(unit, &entry, error))
            return false;
    }
    return true;
}

static size_t lines_of(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    return g_strv_length(lines) - 1;
}

static void an_export_of_many_parts_is_whole(void) {
    g_autoptr(Session) session = desk_session();
    must(session_run(session, DB_WRITE, add_many, NULL, &error));
    desk_serve("owner", false);
    g_autofree char *here = exported("here", "--action sync.", false);
    g_autofree char *far = exported("far", "--action sync.", true);
    g_assert_cmpuint(lines_of(here), ==, MANY);
    g_assert_cmpuint(lines_of(far), ==, MANY);
}

static const DeskTest tests[] = {
    {"entries_are_filtered_as_here", entries_are_filtered_as_here},
    {"a_filter_that_cannot_be_is_refused_in_both_ways",
     a_filter_that_cannot_be_is_refused_in_both_ways},
    {"the_installations_log_is_for_the_operator", the_installations_log_is_for_the_operator},
    {"a_member_does_not_read_the_log", a_member_does_not_read_the_log},
    {"a_proof_is_the_same_in_both_ways", a_proof_is_the_same_in_both_ways},
    {"the_installations_entries_are_proven_too", the_installations_entries_are_proven_too},
    {"an_export_is_the_same_in_both_ways", an_export_is_the_same_in_both_ways},
    {"an_export_stands_in_the_log", an_export_stands_in_the_log},
    {"a_file_that_is_there_is_left_alone", a_file_that_is_there_is_left_alone},
    {"an_export_of_many_parts_is_whole", an_export_of_many_parts_is_whole},
};

int main(int argc, char **argv) {
    return desk_main(argc, argv, "audit_remote", tests, G_N_ELEMENTS(tests));
}
