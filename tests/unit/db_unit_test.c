/* Units of work: scope, binding, poisoning, columns. */
#include "db_support.h"
#include <string.h>

/* --- Scope --------------------------------------------------------------------------------- */

static void organizations_do_not_see_each_other(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "mine"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &note);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 1);
    g_assert_cmpint(support_note_count(f.db, &scope_two), ==, 0);
    fixture_clear(&f);
}

static bool bind_org(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "note_count");
    db_bind_text(statement, "org", "org-1");
    return db_exec(statement, error);
}

static void caller_cannot_bind_the_organization(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_two, DB_READ, bind_org, NULL, ERROR_INTERNAL, ":org");
    fixture_clear(&f);
}

static bool run_named(DbUnit *unit, void *name, GError **error) {
    return db_exec(db_prepare(unit, name), error);
}

static void tenant_statement_needs_an_organization(void) {
    Fixture f;
    fixture_init(&f);
    char name[] = "note_count";
    expect_error(f.db, &scope_nobody, DB_READ, run_named, name, ERROR_INTERNAL,
                 "note_count needs a scope with an organization");
    expect_error(f.db, &scope_system, DB_READ, run_named, name, ERROR_INTERNAL,
                 "needs a scope with an organization");
    fixture_clear(&f);
}

static void system_statement_is_refused_outside_system_scope(void) {
    Fixture f;
    fixture_init(&f);
    char name[] = "note_list_everywhere";
    expect_error(f.db, &scope_one, DB_READ, run_named, name, ERROR_INTERNAL, "system scope only");
    expect_run(f.db, &scope_system, DB_READ, run_named, name);
    fixture_clear(&f);
}

static void system_statement_with_org_needs_both(void) {
    Fixture f;
    fixture_init(&f);
    char name[] = "note_read_other";
    const DbScope both = {.organization = "org-1", .system = true};
    expect_error(f.db, &scope_system, DB_READ, run_named, name, ERROR_INTERNAL, "an organization");
    expect_run(f.db, &both, DB_READ, run_named, name);
    fixture_clear(&f);
}

static bool put_setting(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "setting_put");
    db_bind_text(statement, "name", "colour");
    db_bind_text(statement, "value", "green");
    return db_exec(statement, error);
}

static void installation_statement_runs_in_any_scope(void) {
    Fixture f;
    fixture_init(&f);
    expect_run(f.db, &scope_nobody, DB_WRITE, put_setting, NULL);
    expect_run(f.db, &scope_one, DB_WRITE, put_setting, NULL);
    expect_run(f.db, &scope_system, DB_WRITE, put_setting, NULL);
    fixture_clear(&f);
}

static bool compare_scope(DbUnit *unit, void *expected, GError **error) {
    (void)error;
    const DbScope *given = db_unit_scope(unit);
    const DbScope *scope = expected;
    g_assert_cmpstr(given->organization, ==, scope->organization);
    g_assert_cmpstr(given->actor, ==, scope->actor);
    g_assert_cmpstr(given->role, ==, scope->role);
    g_assert_true(given->system == scope->system);
    return true;
}

static void unit_knows_its_scope(void) {
    Fixture f;
    fixture_init(&f);
    DbScope copy = scope_one;
    expect_run(f.db, &scope_one, DB_READ, compare_scope, &copy);
    fixture_clear(&f);
}

/* --- Poisoning ----------------------------------------------------------------------------- */

/* Inserts a note, fails on its twin, goes on as if nothing had happened. */
static bool ignore_a_failure(DbUnit *unit, void *data, GError **error) {
    (void)error;
    GError *first = NULL, *second = NULL;
    g_assert_true(insert_note(unit, data, NULL));
    g_assert_false(insert_note(unit, data, &first));
    Note other = {"other", "fine by itself"};
    g_assert_false(insert_note(unit, &other, &second));
    g_assert_error(first, ASSAY_ERROR, ERROR_CONFLICT);
    g_assert_cmpstr(first->message, ==, second->message);
    g_clear_error(&first);
    g_clear_error(&second);
    return true;
}

static void failed_statement_poisons_the_unit(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "secret body"};
    expect_error(f.db, &scope_one, DB_WRITE, ignore_a_failure, &note, ERROR_CONFLICT,
                 "note_insert");
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 0);
    fixture_clear(&f);
}

static void error_never_carries_a_value(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"identifier-1234", "secret body"};
    g_autoptr(GError) error = NULL;
    g_assert_false(db_run(f.db, &scope_one, DB_WRITE, ignore_a_failure, &note, &error));
    g_assert_null(strstr(error->message, "secret body"));
    g_assert_null(strstr(error->message, "identifier-1234"));
    fixture_clear(&f);
}

static bool fail_by_itself(DbUnit *unit, void *data, GError **error) {
    g_assert_true(insert_note(unit, data, NULL));
    g_set_error_literal(error, ASSAY_ERROR, ERROR_NOT_FOUND, "no such thing");
    return false;
}

static void unit_that_returns_false_leaves_nothing(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "body"};
    expect_error(f.db, &scope_one, DB_WRITE, fail_by_itself, &note, ERROR_NOT_FOUND, "no such");
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 0);
    fixture_clear(&f);
}

static bool fail_silently(DbUnit *unit, void *data, GError **error) {
    (void)unit;
    (void)data;
    (void)error;
    return false;
}

static void failure_without_a_reason_is_still_an_error(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_one, DB_WRITE, fail_silently, NULL, ERROR_INTERNAL, "did not say");
    expect_error(f.db, &scope_one, DB_READ, fail_silently, NULL, ERROR_INTERNAL, "did not say");
    fixture_clear(&f);
}

static bool poison_twice(DbUnit *unit, void *data, GError **error) {
    (void)error;
    (void)data;
    db_unit_poison(unit, g_error_new(ASSAY_ERROR, ERROR_LIMIT, "the first"));
    db_unit_poison(unit, g_error_new(ASSAY_ERROR, ERROR_LIMIT, "the second"));
    return true;
}

static void first_poison_wins(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_one, DB_WRITE, poison_twice, NULL, ERROR_LIMIT, "the first");
    fixture_clear(&f);
}

static void write_in_a_read_unit_is_refused(void) {
    Fixture f;
    fixture_init(&f);
    Note note = {"n", "body"};
    expect_error(f.db, &scope_one, DB_READ, insert_note, &note, ERROR_DATABASE, "reading only");
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 0);
    fixture_clear(&f);
}

/* --- Statements and binding ---------------------------------------------------------------- */

static void unknown_statement_is_named(void) {
    Fixture f;
    fixture_init(&f);
    char missing[] = "no_such_statement", broken[] = "note_broken";
    expect_error(f.db, &scope_one, DB_READ, run_named, missing, ERROR_INTERNAL,
                 "no statement no_such_statement");
    expect_error(f.db, &scope_one, DB_READ, run_named, broken, ERROR_DATABASE, "note_broken");
    fixture_clear(&f);
}

static bool bind_wrong_name(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "note_body");
    db_bind_text(statement, "identifier", "n");
    db_bind_text(statement, "id", "n");
    return db_exec(statement, error);
}

static bool forget_to_bind(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "note_insert");
    db_bind_text(statement, "id", "n");
    return db_exec(statement, error);
}

static bool forget_to_bind_again(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "note_insert");
    db_bind_text(statement, "id", "n");
    db_bind_text(statement, "body", "b");
    g_assert_true(db_exec(statement, NULL));
    db_bind_text(statement, "id", "m");
    return db_exec(statement, error);
}

static bool bind_broken_text(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "note_body");
    db_bind_text(statement, "id", "\xff\xfe");
    return db_exec(statement, error);
}

static bool bind_on_a_row(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    Note note = {"n", "b"};
    bool row = false;
    g_assert_true(insert_note(unit, &note, NULL));
    DbStatement *statement = db_prepare(unit, "note_body");
    db_bind_text(statement, "id", "n");
    g_assert_true(db_step(statement, &row, NULL));
    g_assert_true(row);
    db_bind_text(statement, "id", "m");
    return db_step(statement, &row, error);
}

static void binding_mistakes_are_errors(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_one, DB_READ, bind_wrong_name, NULL, ERROR_INTERNAL,
                 "no parameter :identifier");
    expect_error(f.db, &scope_one, DB_WRITE, forget_to_bind, NULL, ERROR_INTERNAL, "for :body");
    expect_error(f.db, &scope_one, DB_WRITE, forget_to_bind_again, NULL, ERROR_INTERNAL,
                 "for :body");
    expect_error(f.db, &scope_one, DB_READ, bind_broken_text, NULL, ERROR_INTERNAL, "UTF-8");
    expect_error(f.db, &scope_one, DB_WRITE, bind_on_a_row, NULL, ERROR_INTERNAL, "reset it");
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 0);
    fixture_clear(&f);
}

static bool list_in_its_own_loop(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    Note first = {"1", "a"}, second = {"2", "b"};
    bool row = false;
    g_assert_true(insert_note(unit, &first, NULL) && insert_note(unit, &second, NULL));
    DbStatement *outer = db_prepare(unit, "note_list");
    g_assert_true(db_step(outer, &row, NULL));
    DbStatement *inner = db_prepare(unit, "note_list");
    g_assert_true(db_step(inner, &row, NULL));
    g_assert_cmpstr(db_column_text(inner, 0), ==, "1");
    return db_step(outer, &row, error);
}

static void nested_use_of_one_statement_is_an_error(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_one, DB_WRITE, list_in_its_own_loop, NULL, ERROR_INTERNAL,
                 "note_list was prepared again");
    fixture_clear(&f);
}

static bool use_again(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    Note note = {"n", "body"};
    bool row = false;
    g_assert_true(insert_note(unit, &note, NULL));
    DbStatement *statement = db_prepare(unit, "note_body");
    for (int i = 0; i < 3; i++) {
        db_bind_text(statement, "id", i == 1 ? "absent" : "n");
        if (!db_step(statement, &row, error))
            return false;
        g_assert_true(row == (i != 1));
        db_reset(statement);
    }
    return true;
}

static void statement_is_used_again_after_a_reset(void) {
    Fixture f;
    fixture_init(&f);
    expect_run(f.db, &scope_one, DB_WRITE, use_again, NULL);
    fixture_clear(&f);
}

static bool leave_half_read(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    bool row = false;
    return db_step(db_prepare(unit, "note_list"), &row, error);
}

static void half_read_statement_does_not_hold_up_later_units(void) {
    Fixture f;
    fixture_init(&f);
    Note first = {"1", "a"}, second = {"2", "b"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &first);
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &second);
    expect_run(f.db, &scope_one, DB_READ, leave_half_read, NULL);
    expect_run(f.db, &scope_one, DB_WRITE, leave_half_read, NULL);
    Note third = {"3", "c"};
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &third);
    g_assert_cmpint(support_note_count(f.db, &scope_one), ==, 3);
    fixture_clear(&f);
}

static bool delete_notes(DbUnit *unit, void *int64_out, GError **error) {
    if (!db_exec(db_prepare(unit, "note_delete"), error))
        return false;
    *(int64_t *)int64_out = db_changes(unit);
    if (!db_exec(db_prepare(unit, "note_count"), error))
        return false;
    g_assert_cmpint(db_changes(unit), ==, 0);
    return true;
}

static void changes_are_those_of_the_last_statement(void) {
    Fixture f;
    fixture_init(&f);
    Note first = {"1", "a"}, second = {"2", "b"};
    int64_t changes = -1;
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &first);
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &second);
    expect_run(f.db, &scope_two, DB_WRITE, insert_note, &second);
    expect_run(f.db, &scope_one, DB_WRITE, delete_notes, &changes);
    g_assert_cmpint(changes, ==, 2);
    expect_run(f.db, &scope_one, DB_WRITE, delete_notes, &changes);
    g_assert_cmpint(changes, ==, 0);
    fixture_clear(&f);
}

/* --- Values -------------------------------------------------------------------------------- */

static bool read_all_kinds(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "cast_all");
    db_bind_text(statement, "text", "žluť");
    db_bind_int(statement, "integer", INT64_MIN);
    db_bind_real(statement, "real", 0.1);
    db_bind_blob(statement, "blob", "a\0b", 3);
    db_bind_null(statement, "nothing");
    bool row = false;
    if (!db_step(statement, &row, error))
        return false;
    size_t size = 0;
    g_autofree char *copy = db_column_dup(statement, 0);
    g_assert_cmpstr(copy, ==, "žluť");
    g_assert_cmpint(db_column_int(statement, 1), ==, INT64_MIN);
    g_assert_true(db_column_real(statement, 2) >= 0.1 && db_column_real(statement, 2) <= 0.1);
    const void *blob = db_column_blob(statement, 3, &size);
    g_assert_cmpuint(size, ==, 3);
    g_assert_true(memcmp(blob, "a\0b", 3) == 0);
    g_assert_true(db_column_is_null(statement, 4));
    g_assert_null(db_column_text(statement, 4));
    g_assert_cmpint(db_column_int(statement, 4), ==, 0);
    g_assert_false(db_column_is_null(statement, 0));
    return true;
}

static bool read_nulls(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    DbStatement *statement = db_prepare(unit, "cast_all");
    db_bind_text(statement, "text", "");
    db_bind_text(statement, "integer", NULL);
    db_bind_blob(statement, "real", NULL, 0);
    db_bind_blob(statement, "blob", "", 0);
    db_bind_null(statement, "nothing");
    bool row = false;
    if (!db_step(statement, &row, error))
        return false;
    size_t size = 1;
    g_assert_cmpstr(db_column_text(statement, 0), ==, "");
    g_assert_true(db_column_is_null(statement, 1));
    g_assert_null(db_column_blob(statement, 2, &size));
    g_assert_nonnull(db_column_blob(statement, 3, &size));
    g_assert_cmpuint(size, ==, 0);
    return true;
}

static void values_come_back_as_bound(void) {
    Fixture f;
    fixture_init(&f);
    expect_run(f.db, &scope_nobody, DB_READ, read_all_kinds, NULL);
    fixture_clear(&f);
}

/* What is lent may go when the statement has run, and also when it never does. */
static bool lend_and_take_back(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    for (int i = 0; i < 3; i++) {
        char id[] = "note-0";
        g_autofree char *body = g_strdup_printf("body %d", i);
        id[5] = (char)('0' + i);
        DbStatement *insert = db_prepare(unit, "note_insert");
        db_lend(insert);
        db_bind_text(insert, "id", id);
        db_bind_text(insert, "body", body);
        if (!db_exec(insert, error))
            return false;
        memset(id, 'x', sizeof id - 1);
        memset(body, 'x', strlen(body));
    }
    char gone[] = "gone";
    DbStatement *unused_insert = db_prepare(unit, "note_insert");
    db_lend(unused_insert);
    db_bind_text(unused_insert, "id", gone);
    return true;
}

static bool read_back(DbUnit *unit, void *data, GError **error) {
    GString *all = data;
    bool row = false;
    g_string_truncate(all, 0);
    DbStatement *list = db_prepare(unit, "note_list");
    while (db_step(list, &row, error) && row)
        g_string_append_printf(all, "%s;", db_column_text(list, 0));
    return *error == NULL;
}

static void lent_values_are_read_when_the_statement_runs(void) {
    Fixture f;
    fixture_init(&f);
    g_autoptr(GString) ids = g_string_new(NULL);
    expect_run(f.db, &scope_one, DB_WRITE, lend_and_take_back, NULL);
    expect_run(f.db, &scope_one, DB_READ, read_back, ids);
    g_assert_cmpstr(ids->str, ==, "note-0;note-1;note-2;");
    fixture_clear(&f);
}

static void empty_is_not_null(void) {
    Fixture f;
    fixture_init(&f);
    expect_run(f.db, &scope_nobody, DB_READ, read_nulls, NULL);
    fixture_clear(&f);
}

static bool read_outside_a_row(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    (void)error;
    DbStatement *statement = db_prepare(unit, "note_list");
    g_assert_null(db_column_text(statement, 0));
    return true;
}

static bool read_missing_column(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    bool row = false;
    DbStatement *statement = db_prepare(unit, "note_count");
    if (!db_step(statement, &row, error))
        return false;
    g_assert_cmpint(db_column_int(statement, 1), ==, 0);
    return true;
}

static void reading_what_is_not_there_fails_the_unit(void) {
    Fixture f;
    fixture_init(&f);
    expect_error(f.db, &scope_one, DB_READ, read_outside_a_row, NULL, ERROR_INTERNAL, "column 0");
    expect_error(f.db, &scope_one, DB_READ, read_missing_column, NULL, ERROR_INTERNAL, "column 1");
    fixture_clear(&f);
}

typedef struct {
    char id[16];
    GByteArray *bytes;
} Blob;

static bool store_blob(DbUnit *unit, void *data, GError **error) {
    const Blob *blob = data;
    DbStatement *statement = db_prepare(unit, "blob_insert");
    db_bind_text(statement, "id", blob->id);
    db_bind_blob(statement, "bytes", blob->bytes->data, blob->bytes->len);
    return db_exec(statement, error);
}

static bool compare_blob(DbUnit *unit, void *data, GError **error) {
    const Blob *blob = data;
    bool row = false;
    size_t size = 0;
    DbStatement *statement = db_prepare(unit, "blob_get");
    db_bind_text(statement, "id", blob->id);
    if (!db_step(statement, &row, error))
        return false;
    g_assert_true(row);
    const void *bytes = db_column_blob(statement, 0, &size);
    g_assert_cmpuint(size, ==, blob->bytes->len);
    g_assert_true(memcmp(bytes, blob->bytes->data, size) == 0);
    return true;
}

static void blobs_of_all_sizes_round_trip(void) {
    Fixture f;
    fixture_init(&f);
    static const unsigned sizes[] = {1, 2, 255, 4096, 4097, 262144, 1048577};
    for (size_t i = 0; i < G_N_ELEMENTS(sizes); i++) {
        Blob blob = {.bytes = g_byte_array_new()};
        g_snprintf(blob.id, sizeof blob.id, "%zu", i);
        g_byte_array_set_size(blob.bytes, sizes[i]);
        for (unsigned at = 0; at < sizes[i]; at++)
            blob.bytes->data[at] = (uint8_t)(at * 31 + at / 251);
        expect_run(f.db, &scope_one, DB_WRITE, store_blob, &blob);
        expect_run(f.db, &scope_one, DB_READ, compare_blob, &blob);
        g_byte_array_unref(blob.bytes);
    }
    fixture_clear(&f);
}

static bool list_notes(DbUnit *unit, void *text, GError **error) {
    g_string_truncate(text, 0);
    DbStatement *statement = db_prepare(unit, "note_list");
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        g_string_append_printf(text, "%s=%s;", db_column_text(statement, 0),
                               db_column_text(statement, 1));
    }
}

static void rows_come_in_order(void) {
    Fixture f;
    fixture_init(&f);
    Note second = {"b", "2"}, first = {"a", "1"};
    g_autoptr(GString) text = g_string_new(NULL);
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &second);
    expect_run(f.db, &scope_one, DB_WRITE, insert_note, &first);
    expect_run(f.db, &scope_one, DB_READ, list_notes, text);
    g_assert_cmpstr(text->str, ==, "a=1;b=2;");
    fixture_clear(&f);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/unit/" #name, name)
    ADD(organizations_do_not_see_each_other);
    ADD(caller_cannot_bind_the_organization);
    ADD(tenant_statement_needs_an_organization);
    ADD(system_statement_is_refused_outside_system_scope);
    ADD(system_statement_with_org_needs_both);
    ADD(installation_statement_runs_in_any_scope);
    ADD(unit_knows_its_scope);
    ADD(failed_statement_poisons_the_unit);
    ADD(error_never_carries_a_value);
    ADD(unit_that_returns_false_leaves_nothing);
    ADD(failure_without_a_reason_is_still_an_error);
    ADD(first_poison_wins);
    ADD(write_in_a_read_unit_is_refused);
    ADD(unknown_statement_is_named);
    ADD(binding_mistakes_are_errors);
    ADD(nested_use_of_one_statement_is_an_error);
    ADD(statement_is_used_again_after_a_reset);
    ADD(half_read_statement_does_not_hold_up_later_units);
    ADD(changes_are_those_of_the_last_statement);
    ADD(values_come_back_as_bound);
    ADD(lent_values_are_read_when_the_statement_runs);
    ADD(empty_is_not_null);
    ADD(reading_what_is_not_there_fails_the_unit);
    ADD(blobs_of_all_sizes_round_trip);
    ADD(rows_come_in_order);
    return g_test_run();
}
