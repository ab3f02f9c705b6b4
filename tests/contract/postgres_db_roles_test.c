/* Who may reach what on PostgreSQL, by the catalogue of the server itself: no table is named here.
 */
#include "db/migrate.h"
#include "store/organization.h"
#include "store/organization_end.h"
#include "unit/database_stage.h"
#include "unit/db_support.h"
#include <glib/gstdio.h>
#include <libpq-fe.h>
#include <string.h>

static char *url;          /* the program's tables, each with one row of org-1 and one of org-2 */
static PGconn *connection; /* as superuser */
static GPtrArray *tables;  /* char *, those with organization_id */

#define TENANT_TABLES                                                                              \
    " from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'organization_id'" \
    " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"

/* Constraints are dropped, so that any value will do. */
static const char fill[] =
    "do $$ declare r record; begin"
    " for r in select conrelid::regclass t, conname from pg_constraint"
    "  where contype in ('c', 'f') and connamespace = 'public'::regnamespace loop"
    "  execute format('alter table %s drop constraint %I', r.t, r.conname); end loop;"
    " for r in select c.relname, string_agg(quote_ident(a.attname), ',') names,"
    "   string_agg(case when a.attname = 'organization_id' then 'o'"
    "    when a.atttypid in (20, 701) then '1' when a.atttypid = 17 then '''\\x00'''"
    "    else '''x''' end, ',') vals"
    "  from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0"
    "   and not a.attisdropped"
    "  where c.oid in (select c.oid" TENANT_TABLES ") group by c.relname loop"
    "  execute format('insert into %I (%s) select %s from unnest(array[''org-1'', ''org-2'']) o',"
    "   r.relname, r.names, r.vals); end loop; end $$";

/* The first field, or the SQLSTATE of the error. */
static char *ask(const char *format, ...) G_GNUC_PRINTF(1, 2);

static char *ask(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *sql = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    PGresult *result = PQexec(connection, sql);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char *answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : PQcmdTuples(result);
    char *copy = g_strdup(state ? state : answer);
    PQclear(result);
    return copy;
}

#define expect(expected, ...)                                                                      \
    do {                                                                                           \
        g_autofree char *answer = ask(__VA_ARGS__);                                                \
        g_assert_cmpstr(answer, ==, expected);                                                     \
    } while (0)

static void begin_as(const char *role, const char *organization) {
    expect("", "begin");
    expect("", "set local role %s", role);
    if (organization)
        expect(organization, "select set_config('assay.org', '%s', true)", organization);
}

static void roll_back(void) {
    expect("", "rollback");
}

static void set_up(const char *folder) {
    url = stage_url(folder, "assay.db");
    connection = PQconnectdb(url);
    expect("", "%s", fill);
    expect("2", "update organization set ended_at = 0");
    tables = g_ptr_array_new_with_free_func(g_free);
    PGresult *result = PQexec(connection, "select c.relname" TENANT_TABLES " order by 1");
    for (int row = 0; row < PQntuples(result); row++)
        g_ptr_array_add(tables, g_strdup(PQgetvalue(result, row, 0)));
    PQclear(result);
    g_assert_cmpuint(tables->len, >, 20);
}

/* --- The application's role ---------------------------------------------------------------- */

static void every_table_of_organizations_is_guarded(void) {
    expect("0",
           "select count(*)" TENANT_TABLES " and not (relrowsecurity and relforcerowsecurity)");
    expect("0", "select count(*)" TENANT_TABLES " and not exists (select from pg_policy p"
                " where p.polrelid = c.oid and p.polname = 'organization' and p.polcmd = '*'"
                " and p.polroles = array['assay_app'::regrole::oid])");
    /* No policy lets anybody else but the scheduler and a migrating owner in. */
    expect("0", "select count(*) from pg_policy"
                " where polname not in ('organization', 'scheduler', 'migration')");
}

/* Whoever adds a table that belongs to no organization says so here. */
static void only_these_tables_belong_to_the_installation(void) {
    expect("api_token budget budget_authority budget_holder commit_mark definition_text"
           " login_attempt organization_name provider_limit schema_migration service_call "
           "settings_mark"
           " setup_token user_account user_identity user_session",
           "select string_agg(c.relname, ' ' order by c.relname) from pg_class c"
           " where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace"
           " and c.oid not in (select c.oid" TENANT_TABLES ")");
}

/* Runs a statement about a table in a transaction of its own: this many rows, or not allowed. */
static void expect_rows(const char *organization, const char *rows, const char *format,
                        const char *table) {
    g_auto(GStrv) parts = g_strsplit(format, "TABLE", -1);
    g_autofree char *sql = g_strjoinv(table, parts);
    begin_as("assay_app", organization);
    g_autofree char *answer = ask("%s", sql);
    if (strcmp(answer, rows) != 0 && strcmp(answer, "42501") != 0)
        g_error("%s: %s", sql, answer);
    roll_back();
}

static const char change[] = "update TABLE set organization_id = organization_id";
static const char move[] = "update TABLE set organization_id = 'org-2'";

static void forgotten_scope_sees_and_changes_nothing(void) {
    for (unsigned i = 0; i < tables->len; i++) {
        const char *table = tables->pdata[i];
        expect("2", "select count(*) from %s", table);
        begin_as("assay_app", NULL);
        expect("0", "select count(*) from %s", table);
        expect("", "select set_config('assay.org', '', true)");
        expect("0", "select count(*) from %s", table);
        expect("42501", "insert into %s (organization_id) values ('')", table);
        roll_back();
        expect_rows(NULL, "0", change, table);
        expect_rows(NULL, "0", "delete from TABLE", table);
        expect_rows(NULL, "42501", "insert into TABLE (organization_id) values ('org-3')", table);
    }
}

static void scope_is_one_organization(void) {
    for (unsigned i = 0; i < tables->len; i++) {
        const char *table = tables->pdata[i];
        begin_as("assay_app", "org-1");
        expect("1", "select count(*) from %s", table);
        expect("org-1", "select min(organization_id) from %s", table);
        roll_back();
        expect_rows("org-1", "1", change, table);
        expect_rows("org-1", "1", "delete from TABLE", table);
        expect_rows("org-1", "42501", move, table);
        expect_rows("org-1", "42501", "insert into TABLE (organization_id) values ('org-2')",
                    table);
    }
}

static void scope_ends_with_the_transaction(void) {
    begin_as("assay_app", "org-1");
    expect("", "commit");
    expect("", "select current_setting('assay.org', true)");
    expect("postgres", "select current_user");
    begin_as("assay_app", NULL);
    for (unsigned i = 0; i < tables->len; i++)
        expect("0", "select count(*) from %s", (const char *)tables->pdata[i]);
    roll_back();
}

static void application_cannot_change_the_schema(void) {
    static const char *const attempts[] = {
        "create table mine (id text)",
        "delete from schema_migration",
        "insert into schema_migration values (9999, 'x', 'x', 0)",
        "alter table job disable row level security",
        "drop policy organization on job",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(attempts); i++) {
        begin_as("assay_app", "org-1");
        expect("42501", "%s", attempts[i]);
        roll_back();
    }
}

/* --- The scheduler's role ------------------------------------------------------------------ */

/* src/store/sql/scheduler.txt: table -> its verbs. */
static GHashTable *read_list(void) {
    const char *source = g_getenv("ASSAY_SOURCE") ? g_getenv("ASSAY_SOURCE") : ".";
    g_autofree char *path = g_build_filename(source, "src/store/sql/scheduler.txt", NULL);
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
    GHashTable *list = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        char *words = strchr(*line, ' ');
        if (!words || **line == '#')
            continue;
        g_hash_table_insert(list, g_strndup(*line, (gsize)(words - *line)),
                            g_strconcat(words, " ", NULL));
    }
    return list;
}

static void scheduler_reaches_what_is_listed_and_nothing_else(void) {
    static const char *const verbs[] = {"select", "insert", "update", "delete", "truncate"};
    GHashTable *list = read_list();
    PGresult *all = PQexec(connection, "select relname from pg_class where relkind in ('r', 'p')"
                                       " and relnamespace = 'public'::regnamespace");
    for (int row = 0; row < PQntuples(all); row++) {
        const char *table = PQgetvalue(all, row, 0);
        const char *listed = g_hash_table_lookup(list, table);
        for (size_t v = 0; v < G_N_ELEMENTS(verbs); v++) {
            g_autofree char *word = g_strdup_printf(" %s ", verbs[v]);
            bool may = listed && strstr(listed, word);
            g_autofree char *answer =
                ask("select has_table_privilege('assay_scheduler', '%s', '%s')", table, verbs[v]);
            if (strcmp(answer, may ? "t" : "f") != 0)
                g_error("%s on %s: the list says %d, the server %s", verbs[v], table, may, answer);
        }
    }
    g_assert_cmpint(PQntuples(all), >, 20);
    PQclear(all);
    g_hash_table_unref(list);
}

static void scheduler_sees_all_organizations_where_it_may(void) {
    GHashTable *list = read_list();
    for (unsigned i = 0; i < tables->len; i++) {
        const char *table = tables->pdata[i];
        const char *listed = g_hash_table_lookup(list, table);
        begin_as("assay_scheduler", NULL);
        expect(listed && strstr(listed, " select ") ? "2" : "42501", "select count(*) from %s",
               table);
        roll_back();
    }
    g_hash_table_unref(list);
}

/* --- The program's statements -------------------------------------------------------------- */

/* Explaining checks what running would. */
static void every_statement_may_run_as_its_role(void) {
    for (size_t i = 0; i < statement_catalogue.statement_count; i++) {
        const StatementText *text = &statement_catalogue.statements[i];
        PQclear(PQprepare(connection, text->name, text->postgres, 0, NULL));
        g_autoptr(GString) nulls = g_string_new(NULL);
        for (size_t n = 0; n < text->parameter_count; n++)
            g_string_append(nulls, n > 0 ? ", null" : "null");
        begin_as(text->kind == STATEMENT_SYSTEM ? "assay_scheduler" : "assay_app", "org-1");
        g_autofree char *answer = ask("explain execute \"%s\"%s%s%s", text->name,
                                      nulls->len ? "(" : "", nulls->str, nulls->len ? ")" : "");
        bool is_migration = g_str_has_prefix(text->name, "schema_migration_insert");
        if ((strcmp(answer, "42501") == 0) != is_migration)
            g_error("%s: %s", text->name, PQerrorMessage(connection));
        roll_back();
    }
}

static bool list_organizations(DbUnit *unit, void *count_out, GError **error) {
    g_autoptr(GPtrArray) found = NULL;
    if (!organization_list(unit, NULL, 10, &found, error))
        return false;
    *(unsigned *)count_out = found->len;
    return true;
}

static bool get_organization(DbUnit *unit, void *unused, GError **error) {
    (void)unused;
    g_autoptr(Organization) organization = NULL;
    return organization_get(unit, &organization, error);
}

/* A superuser's URL, as a small installation has: its units are confined all the same. */
static void units_of_a_superuser_are_confined(void) {
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = db_open(url, &error);
    g_assert_no_error(error);
    unsigned count = 0;
    const DbScope third = {.organization = "org-3"};
    expect_run(db, &scope_system, DB_READ, list_organizations, &count);
    g_assert_cmpuint(count, ==, 2);
    expect_run(db, &scope_one, DB_READ, get_organization, NULL);
    expect_error(db, &third, DB_READ, get_organization, NULL, ERROR_NOT_FOUND, "");
}

/* --- Least privileges ---------------------------------------------------------------------- */

/* The roles of docs/postgresql.md: who owns, who logs in. */
static const char least[] =
    "do $$ begin if not exists (select from pg_roles where rolname = 'assay_owner') then"
    " create role assay_owner nologin;"
    " create role assay_login login noinherit password 'of the login';"
    " create role assay_stranger login password 'of the stranger';"
    " end if; end $$;"
    "grant assay_owner, assay_app, assay_scheduler to assay_login;"
    "alter schema public owner to assay_owner";

/* The same database under another name and password. */
static char *url_as(const char *base, const char *user, const char *password) {
    const char *rest = strchr(base, '@');
    return g_strdup_printf("postgresql://%s:%s%s", user, password, rest);
}

static void program_without_any_rights_of_its_own_works(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *empty = fixture_empty_url(&f);
    g_free(stage_database_ask(empty, least));
    g_autofree char *login = url_as(empty, "assay_login", "of%20the%20login");
    g_autoptr(Db) db = support_open(login, NULL);
    Note note = {"n", "body"};
    expect_run(db, &scope_one, DB_WRITE, insert_note, &note);
    g_assert_cmpint(support_note_count(db, &scope_one), ==, 1);
    g_assert_cmpint(support_note_count(db, &scope_two), ==, 0);
    g_autofree char *owner = stage_database_ask(empty, "select tableowner from pg_tables"
                                                       " where tablename = 'note'");
    g_assert_cmpstr(owner, ==, "assay_owner");
    fixture_clear(&f);
}

static void assert_sees(const char *as, const char *sql, const char *expected) {
    PGconn *other = PQconnectdb(as);
    PGresult *result = PQexec(other, sql);
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    g_assert_cmpstr(state ? state : PQgetvalue(result, 0, 0), ==, expected);
    PQclear(result);
    PQfinish(other);
}

static void login_without_a_role_and_owner_see_nothing(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *empty = fixture_empty_url(&f);
    g_free(stage_database_ask(empty, least));
    g_autofree char *login = url_as(empty, "assay_login", "of%20the%20login");
    Db *db = support_open(login, NULL);
    Note note = {"n", "body"};
    expect_run(db, &scope_one, DB_WRITE, insert_note, &note);
    db_close(db);
    assert_sees(login, "select count(*) from note", "42501");
    assert_sees(login, "set role assay_owner; select count(*) from note", "0");
    /* A later migration moves rows. */
    assert_sees(login,
                "set role assay_owner; set assay.migrating = 'on'; select count(*) from note", "1");
    fixture_clear(&f);
}

static void user_who_may_not_take_the_roles_is_told(void) {
    Fixture f;
    fixture_init(&f);
    g_free(stage_database_ask(f.url, least));
    g_autofree char *stranger = url_as(f.url, "assay_stranger", "of%20the%20stranger");
    g_autoptr(GError) error = NULL;
    g_assert_null(db_open(stranger, &error));
    g_assert_error(error, ASSAY_ERROR, ERROR_CONFIGURATION);
    g_assert_nonnull(strstr(error->message, "may not act as assay_app and assay_scheduler"));
    fixture_clear(&f);
}

static void roles_are_made_for_a_user_who_may(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *empty = fixture_empty_url(&f);
    g_free(stage_database_ask(empty,
                              "do $$ begin if not exists (select from pg_roles where rolname ="
                              " 'assay_maker') then create role assay_maker login createrole"
                              " password 'm'; end if; end $$;"
                              "grant create on schema public to assay_maker"));
    g_autofree char *maker = url_as(empty, "assay_maker", "m");
    g_autoptr(Db) db = support_open(maker, NULL);
    Note note = {"n", "body"};
    expect_run(db, &scope_one, DB_WRITE, insert_note, &note);
    g_assert_cmpint(support_note_count(db, &scope_one), ==, 1);
    fixture_clear(&f);
}

static bool end_work(DbUnit *unit, void *data, GError **error) {
    int64_t *running = data;
    return organization_end(unit, "x", running, error);
}

/* Whoever adds a table that is to outlive its organization says so here. */
static bool outlives(const char *table) {
    static const char *const logs[] = {"organization", "ledger_head",   "ledger_leaf",
                                       "audit",        "audit_head",    "audit_seal",
                                       "audit_node",   "audit_pending", NULL};
    return g_strv_contains(logs, table);
}

/* Every table has one row of each organization: the last test, as it takes them away. */
static void an_organization_that_ends_leaves_its_logs_alone(void) {
    const DbScope scope = {.organization = "org-1", .actor = "test", .role = "owner"};
    int64_t running = -1;
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = db_open(url, &error);
    g_assert_no_error(error);
    bool ended = db_run(db, &scope, DB_WRITE, end_work, &running, &error);
    g_assert_no_error(error);
    g_assert_true(ended);
    g_assert_cmpint(running, ==, 0);
    for (guint i = 0; i < tables->len; i++) {
        const char *table = g_ptr_array_index(tables, i);
        expect(outlives(table) ? "1" : "0",
               "select count(*) from %s where organization_id = 'org-1'", table);
        expect("1", "select count(*) from %s where organization_id = 'org-2'", table);
    }
    expect("t", "select wrapped_key = '' and name = 'org-1' and ended_at > 0 from organization"
                " where organization_id = 'org-1'");
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    g_autofree char *folder = g_dir_make_tmp("assay-roles-XXXXXX", NULL);
    set_up(folder);
#define ADD(name) g_test_add_func("/db/roles/" #name, name)
    ADD(every_table_of_organizations_is_guarded);
    ADD(only_these_tables_belong_to_the_installation);
    ADD(forgotten_scope_sees_and_changes_nothing);
    ADD(scope_is_one_organization);
    ADD(scope_ends_with_the_transaction);
    ADD(application_cannot_change_the_schema);
    ADD(scheduler_reaches_what_is_listed_and_nothing_else);
    ADD(scheduler_sees_all_organizations_where_it_may);
    ADD(every_statement_may_run_as_its_role);
    ADD(units_of_a_superuser_are_confined);
    ADD(program_without_any_rights_of_its_own_works);
    ADD(login_without_a_role_and_owner_see_nothing);
    ADD(user_who_may_not_take_the_roles_is_told);
    ADD(roles_are_made_for_a_user_who_may);
    ADD(an_organization_that_ends_leaves_its_logs_alone);
    int status = g_test_run();
    g_ptr_array_unref(tables);
    PQfinish(connection);
    g_free(url);
    g_rmdir(folder);
    return status;
}
