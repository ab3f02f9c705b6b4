/* The program's own SQL on SQLite, and what scripts/embed-sql refuses to build. */
#include "db/migrate.h"
#include "db_support.h"
#include <glib/gstdio.h>
#include <string.h>

/* --- The table ----------------------------------------------------------------------------- */

static void statements_are_found_by_name(void) {
    const StatementCatalogue *catalogue = &statement_catalogue;
    g_assert_cmpuint(catalogue->statement_count, >, 0);
    for (size_t i = 0; i < catalogue->statement_count; i++) {
        const StatementText *statement = &catalogue->statements[i];
        g_assert_true(statement_find(catalogue, statement->name) == statement);
        if (i > 0)
            g_assert_cmpstr(catalogue->statements[i - 1].name, <, statement->name);
    }
    g_assert_null(statement_find(catalogue, ""));
    g_assert_null(statement_find(catalogue, "zzz"));
}

static void parameters_are_numbered_from_one(void) {
    static const char *const names[] = {"org", "id"};
    const StatementText statement = {.name = "x", .parameters = names, .parameter_count = 2};
    g_assert_cmpint(statement_parameter(&statement, "org"), ==, 1);
    g_assert_cmpint(statement_parameter(&statement, "id"), ==, 2);
    g_assert_cmpint(statement_parameter(&statement, "identifier"), ==, 0);
    for (int last = 0; last <= (int)statement.parameter_count; last++) {
        g_assert_cmpint(statement_parameter_behind(&statement, "org", last), ==, 1);
        g_assert_cmpint(statement_parameter_behind(&statement, "id", last), ==, 2);
        g_assert_cmpint(statement_parameter_behind(&statement, "identifier", last), ==, 0);
    }
}

static void tenant_statements_mention_the_organization(void) {
    for (size_t i = 0; i < statement_catalogue.statement_count; i++) {
        const StatementText *statement = &statement_catalogue.statements[i];
        g_assert_cmpstr(statement->purpose, !=, "");
        if (statement->kind == STATEMENT_TENANT && !statement_parameter(statement, "org"))
            g_error("%s mentions no :org", statement->name);
    }
}

/* --- On SQLite ----------------------------------------------------------------------------- */

static bool prepare_named(DbUnit *unit, void *name, GError **error) {
    (void)error;
    return db_prepare(unit, name) != NULL;
}

static void every_statement_prepares_on_sqlite(void) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *url = g_strconcat(f.url, "2", NULL);
    const DbOptions options = {.catalogue = &statement_catalogue};
    g_autoptr(Db) db = support_open(url, &options);
    const DbScope all = {.organization = "org-1", .system = true};
    for (size_t i = 0; i < statement_catalogue.statement_count; i++) {
        g_autofree char *name = g_strdup(statement_catalogue.statements[i].name);
        expect_run(db, &all, DB_WRITE, prepare_named, name);
    }
    g_clear_pointer(&db, db_close);
    fixture_clear(&f);
}

#define TENANT_TABLES                                                                              \
    " from sqlite_master m join pragma_table_info(m.name) o"                                       \
    " on o.name = 'organization_id' and m.type = 'table'"

/* Each lists what breaks the rule of tenant tables, as text. */
static const StatementText questions[] = {
    {"foreign_keys", "Foreign keys that begin otherwise.", STATEMENT_INSTALLATION,
     "select m.name || ' -> ' || k.\"table\"" TENANT_TABLES
     " join pragma_foreign_key_list(m.name) k on k.seq = 0 and k.\"from\" <> 'organization_id'",
     "", NULL, 0},
    {"loose_tables", "Tables that are not strict.", STATEMENT_INSTALLATION,
     "select name from pragma_table_list where type = 'table' and not strict"
     " and name not like 'sqlite_%'",
     "", NULL, 0},
    {"null_keys", "Key columns that may be null.", STATEMENT_INSTALLATION,
     "select m.name || '.' || c.name from sqlite_master m join pragma_table_info(m.name) c"
     " on m.type = 'table' and c.pk > 0 and c.\"notnull\" = 0",
     "", NULL, 0},
    {"tenant_tables", "Tables of organizations.", STATEMENT_INSTALLATION,
     "select m.name" TENANT_TABLES, "", NULL, 0},
    {"unique_indexes", "Unique indexes and primary keys that begin otherwise.",
     STATEMENT_INSTALLATION,
     "select m.name || ' ' || i.name" TENANT_TABLES
     " join pragma_index_list(m.name) i on i.\"unique\" = 1"
     " join pragma_index_info(i.name) c on c.seqno = 0 and c.name <> 'organization_id'",
     "", NULL, 0},
    {"unkeyed_tables", "Tables without a primary key.", STATEMENT_INSTALLATION,
     "select m.name" TENANT_TABLES
     " where not exists (select 1 from pragma_table_info(m.name) p where p.pk = 1"
     " and p.name = 'organization_id')",
     "", NULL, 0},
};

typedef struct {
    const char *name;
    GString *answer;
} Question;

static bool ask(DbUnit *unit, void *data, GError **error) {
    const Question *question = data;
    g_string_truncate(question->answer, 0);
    DbStatement *statement = db_prepare(unit, question->name);
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        g_string_append_printf(question->answer, "%s, ", db_column_text(statement, 0));
    }
}

/* Migrates a new database with the given migrations and asks. */
static char *answer_of(const char *name, const StatementCatalogue *migrations) {
    Fixture f;
    fixture_init(&f);
    g_autofree char *url = g_strconcat(f.url, "2", NULL);
    const DbOptions options = {.catalogue = migrations};
    db_close(support_open(url, &options));
    const StatementCatalogue asking = {questions, G_N_ELEMENTS(questions), NULL, 0};
    const DbOptions ask_options = {.catalogue = &asking};
    g_autoptr(GError) error = NULL;
    g_autoptr(Db) db = db_open_with(url, &ask_options, &error);
    g_assert_no_error(error);
    Question question = {.name = name, .answer = g_string_new(NULL)};
    expect_run(db, &scope_nobody, DB_READ, ask, &question);
    g_clear_pointer(&db, db_close);
    fixture_clear(&f);
    return g_string_free(question.answer, FALSE);
}

static void keys_of_tenant_tables_begin_with_the_organization(void) {
    static const char *const rules[] = {"unique_indexes", "foreign_keys", "unkeyed_tables",
                                        "null_keys", "loose_tables"};
    g_autofree char *tables = answer_of("tenant_tables", &statement_catalogue);
    g_assert_nonnull(strstr(tables, "evidence, "));
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        g_autofree char *broken = answer_of(rules[i], &statement_catalogue);
        if (*broken)
            g_error("%s: %s", rules[i], broken);
    }
}

/* The questions above find what they look for. */
static void rules_of_tenant_tables_catch_what_breaks_them(void) {
    static const MigrationText bad = {
        1, "bad", "b1",
        "create table loose (organization_id text, id text, primary key (organization_id, id));"
        "create table swapped (organization_id text not null, id text not null,"
        " primary key (id, organization_id),"
        " foreign key (id, organization_id) references loose (id, organization_id)) strict;"
        "create table bare (organization_id text not null) strict;",
        ""};
    const MigrationText migrations[] = {statement_catalogue.migrations[0], bad};
    StatementCatalogue catalogue = *support_catalogue();
    catalogue.migrations = migrations;
    static const struct {
        const char *rule, *finding;
    } cases[] = {
        {"unique_indexes", "swapped"}, {"foreign_keys", "swapped -> loose"},
        {"unkeyed_tables", "bare"},    {"null_keys", "loose.organization_id"},
        {"loose_tables", "loose"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *answer = answer_of(cases[i].rule, &catalogue);
        if (!strstr(answer, cases[i].finding))
            g_error("%s did not find %s: %s", cases[i].rule, cases[i].finding, answer);
    }
}

/* --- embed-sql ----------------------------------------------------------------------------- */

typedef struct {
    const char *statements; /* file note.sql */
    const char *migration;  /* file migrations/0000_first.sql; NULL: one good table */
    const char *says;       /* part of the refusal; NULL: accepted */
} EmbedCase;

static const char good_table[] =
    "create table note (organization_id {{id}} not null, id {{id}} not null) {{strict}};\n";

static void write_file(const char *folder, const char *name, const char *text) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void remove_file(const char *folder, const char *name) {
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_remove(path);
}

/* Runs the script on one case; returns what it said, and the table that it wrote if any. */
static char *embed_with(const EmbedCase *c, const char *scheduler, char **table_out) {
    const char *source = g_getenv("ASSAY_SOURCE") ? g_getenv("ASSAY_SOURCE") : ".";
    g_autofree char *script = g_build_filename(source, "scripts", "embed-sql", NULL);
    g_autofree char *folder = g_dir_make_tmp("assay-sql-XXXXXX", NULL);
    g_autofree char *migrations = g_build_filename(folder, "migrations", NULL);
    g_autofree char *output = g_build_filename(folder, "table.c", NULL);
    g_assert_cmpint(g_mkdir(migrations, 0700), ==, 0);
    write_file(folder, "note.sql", c->statements);
    write_file(folder, "scheduler.txt", scheduler);
    write_file(migrations, "0000_first.sql", c->migration ? c->migration : good_table);
    const char *arguments[] = {"python3", script, output, folder, NULL};
    char *said = NULL;
    int status = 0;
    g_assert_true(g_spawn_sync(NULL, (char **)(uintptr_t)arguments, NULL, G_SPAWN_SEARCH_PATH, NULL,
                               NULL, NULL, &said, &status, NULL));
    *table_out = NULL;
    bool wrote = g_file_get_contents(output, table_out, NULL, NULL);
    g_assert_true(wrote == (status == 0));
    remove_file(migrations, "0000_first.sql");
    remove_file(folder, "note.sql");
    remove_file(folder, "scheduler.txt");
    remove_file(folder, "table.c");
    remove_file(folder, "migrations");
    g_rmdir(folder);
    return said;
}

static char *embed(const EmbedCase *c, char **table_out) {
    return embed_with(c, "note select\n", table_out);
}

#define TENANT(sql) "-- name: n\n-- Why.\n" sql "\n"
#define TENANT_WHERE(condition)                                                                    \
    TENANT("select id from note where organization_id = :org and " condition ";")

#define SYSTEM(sql) "-- name: n\n-- Why.\n-- system\n" sql "\n"

static const EmbedCase embed_cases[] = {
    {TENANT("select id from note where organization_id = :org;"), NULL, NULL},
    {TENANT("select count(*), max(id), 2 * 3 from note where organization_id = :org;"), NULL, NULL},
    {TENANT_WHERE("cast(:x as text) is null"), NULL, NULL},
    {TENANT_WHERE("id is not distinct from :x"), NULL, NULL},
    {TENANT_WHERE("id = 'it''s like now()'"), NULL, NULL},
    {TENANT("select replace(id, 'a', 'b') from note where organization_id = :org;"), NULL, NULL},
    {"-- name: n\n-- Why.\n-- system\nselect id from note;\n", NULL, NULL},
    /* scope */
    {TENANT("select id from note;"), NULL, "mentions no :org"},
    {"-- name: n\n-- Why.\n-- installation\nselect id from note;\n", NULL,
     "note belongs to organizations"},
    {"-- name: n\n-- Why.\n-- system\n-- installation\nselect id from note;\n", NULL, "one marker"},
    {"-- name: n\n-- Why.\nselect id from note\n-- system\n;\n", NULL, "a marker stands between"},
    /* form */
    {"select 1;\n", NULL, "SQL before the first"},
    {"-- name: N\n-- Why.\nselect :org;\n", NULL, "is no name"},
    {"-- name: n\nselect id from note where organization_id = :org;\n", NULL, "purpose"},
    {TENANT("select id from note where organization_id = :org"), NULL, "exactly one statement"},
    {TENANT("select :org; select 2;"), NULL, "exactly one statement"},
    {TENANT("select :org;") TENANT("select :org;"), NULL, "is also in note.sql"},
    {TENANT_WHERE("id = ?1"), NULL, "unknown syntax at '?1"},
    {TENANT_WHERE("id = $1"), NULL, "unknown syntax"},
    {TENANT_WHERE("\"id\" = :x"), NULL, "unknown syntax"},
    {TENANT_WHERE("id = :x /* why */"), NULL, "/"},
    {TENANT_WHERE("id = 'open"), NULL, "unknown syntax"},
    {TENANT_WHERE("id = {{number}}"), NULL, "unknown macro"},
    /* what the engines do not read alike */
    {TENANT_WHERE("id like :x"), NULL, "like"},
    {TENANT_WHERE("id ILIKE :x"), NULL, "only PostgreSQL"},
    {TENANT_WHERE("id -> 'a' = :x"), NULL, "JSON operators"},
    {TENANT_WHERE("id ->> 'a' = :x"), NULL, "JSON operators"},
    {TENANT_WHERE("json_extract(id, '$') = :x"), NULL, "JSON functions"},
    {TENANT_WHERE("jsonb_typeof (id) = :x"), NULL, "JSON functions"},
    {TENANT_WHERE("id = :x order by id nulls last"), NULL, "not null"},
    {TENANT_WHERE(":x is null"), NULL, "cannot tell its type"},
    {TENANT_WHERE(":x is not null"), NULL, "cannot tell its type"},
    {TENANT_WHERE("id::text = :x"), NULL, "use cast"},
    {TENANT_WHERE("id == :x"), NULL, "use ="},
    {TENANT_WHERE("id = max(:x, (id))"), NULL, "only on SQLite"},
    {TENANT_WHERE("id = greatest(:x, id)"), NULL, "use case"},
    {TENANT_WHERE("id = any(:x)"), NULL, "arrays"},
    {TENANT_WHERE("id > now()"), NULL, "clock"},
    {TENANT_WHERE("id > current_timestamp"), NULL, "clock"},
    {TENANT("select * from note where organization_id = :org;"), NULL, "name the columns"},
    {TENANT("select n.* from note n where organization_id = :org;"), NULL, "name the columns"},
    {TENANT("delete from note where organization_id = :org returning *;"), NULL,
     "name the columns"},
    {TENANT("insert or ignore into note values (:org, :id);"), NULL, "on conflict"},
    {TENANT("replace into note values (:org, :id);"), NULL, "on conflict"},
    {TENANT("with x as (delete from note where organization_id = :org returning id) select id"
            " from x;"),
     NULL, "changes inside WITH"},
    {TENANT("begin; select :org;"), NULL, "exactly one"},
    {TENANT("commit and :org;"), NULL, "transactions belong"},
    /* dialects */
    {TENANT("-- dialect: sqlite\nselect :org, :a;\n-- dialect: postgres\nselect :org;\n"
            "-- dialect: end"),
     NULL, "exactly one"},
    {TENANT("select :org\n-- dialect: sqlite\n, :a\n-- dialect: end\n;"), NULL, "same parameters"},
    {TENANT("select :org\n-- dialect: oracle\n, 1\n-- dialect: end\n;"), NULL, "unknown dialect"},
    {TENANT("select :org\n-- dialect: sqlite\n, 1;"), NULL, "without \"-- dialect: end\""},
    {TENANT("select :org\n-- dialect: end\n;"), NULL, "without a beginning"},
    {TENANT("select :org from note\n-- dialect: sqlite\nwhere id glob 'a'\n-- dialect: postgres\n"
            "where id ilike 'a'\n-- dialect: end\n;"),
     NULL, NULL},
    /* migrations */
    {"", "create table note (organization_id {{id}} not null);\n", "ends with {{strict}}"},
    {"", "create table note (id {{id}} not null, n boolean) {{strict}};\n", "use {{int}}"},
    {"", "create table note (id {{id}} not null) {{strict}}\n", "without \";\""},
    {"", "create table note (id {{id}} default :x) {{strict}};\n", "has no parameters"},
    {"", "create trigger t after insert on note;\n", "trigger"},
};

static void embed_sql_refuses_what_the_engines_read_differently(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(embed_cases); i++) {
        const EmbedCase *c = &embed_cases[i];
        g_autofree char *table = NULL;
        g_autofree char *said = embed(c, &table);
        if (c->says ? !strstr(said, c->says) : !table)
            g_error("case %zu, expected \"%s\", got: %s\n%s%s", i, c->says ? c->says : "no refusal",
                    said, c->statements, c->migration ? c->migration : "");
    }
}

typedef struct {
    const char *scheduler; /* file scheduler.txt */
    const char *statement;
    const char *says; /* NULL: accepted */
} SchedulerCase;

#define INSERT_NOTE "insert into note (organization_id, id) values (:o, :id)"
#define LOCKED "\n-- dialect: sqlite\n-- dialect: postgres\nfor update\n-- dialect: end\n;"

static const SchedulerCase scheduler_cases[] = {
    {"note select\n", SYSTEM("delete from note where id = :id;"),
     "\"note delete\" in scheduler.txt"},
    {"note select\n", SYSTEM(INSERT_NOTE ";"), "\"note insert\""},
    {"note insert\n", SYSTEM(INSERT_NOTE ";"), NULL},
    {"note insert\n", SYSTEM(INSERT_NOTE " on conflict do nothing;"), "\"note select\""},
    {"note insert select\n",
     SYSTEM(INSERT_NOTE " on conflict (id) do update set id = excluded.id;"), "\"note update\""},
    {"note select\n", SYSTEM("update note set id = :id;"), "\"note update\""},
    {"note select\n", SYSTEM("select id from note" LOCKED), "\"note update\""},
    {"\n", SYSTEM("select 1 from other join note on note.id = other.id;"), "\"note select\""},
    {"# all\nnote select # rows\n", SYSTEM("select note.id from note;"), NULL},
    {"note read\n", SYSTEM("select 1;"), "scheduler.txt:1: a line is one table"},
    {"note select\nnote update\n", SYSTEM("select 1;"), "scheduler.txt:2: a line is one table"},
};

static void embed_sql_holds_the_scheduler_to_its_reach(void) {
    for (size_t i = 0; i < G_N_ELEMENTS(scheduler_cases); i++) {
        const SchedulerCase *one = &scheduler_cases[i];
        const EmbedCase c = {one->statement, NULL, one->says};
        g_autofree char *table = NULL;
        g_autofree char *said = embed_with(&c, one->scheduler, &table);
        if (one->says ? !strstr(said, one->says) : !table)
            g_error("case %zu, expected \"%s\", got: %s", i, one->says ? one->says : "no refusal",
                    said);
    }
}

static void embed_sql_names_file_and_line(void) {
    const EmbedCase c = {TENANT("select id\nfrom note\nwhere id like :org;"), NULL, NULL};
    g_autofree char *table = NULL;
    g_autofree char *said = embed(&c, &table);
    g_assert_nonnull(strstr(said, "note.sql:5: \"like\""));
}

static void expect_in(const char *table, const char *text) {
    if (!table || !strstr(table, text))
        g_error("no %s in:\n%s", text, table);
}

static void embed_sql_guards_every_table_on_postgres(void) {
    const EmbedCase c = {"",
                         "create table note (organization_id {{id}} not null) {{strict}};\n"
                         "create table other (id {{id}} not null) {{strict}};\n",
                         NULL};
    g_autofree char *table = NULL;
    g_autofree char *said = embed(&c, &table);
    expect_in(table, "alter table note enable row level security;");
    expect_in(table, "alter table note force row level security;");
    expect_in(table, "create policy organization on note to assay_app using"
                     " (organization_id = nullif(current_setting('assay.org', true), ''))");
    expect_in(table, "grant select, insert, update, delete on other to assay_app;");
    expect_in(table, "grant select on note to assay_scheduler;");
    g_assert_null(strstr(table, "alter table other"));
    g_assert_null(strstr(table, "on other to assay_scheduler"));
}

static void embed_sql_writes_both_dialects(void) {
    const EmbedCase c = {
        TENANT("insert into note (organization_id, id) -- keys\n"
               "values (:org, cast(:id as {{blob}})), (:org, :other), (:org, :id);"),
        NULL, NULL};
    g_autofree char *table = NULL;
    g_autofree char *said = embed(&c, &table);
    expect_in(table, "{\"org\", \"id\", \"other\"}");
    expect_in(table, "values (\\?1, cast(\\?2 as blob)), (\\?1, \\?3), (\\?1, \\?2);");
    expect_in(table, "values ($1, cast($2 as bytea)), ($1, $3), ($1, $2);");
    expect_in(table, "organization_id text collate \\\"C\\\" not null");
    g_assert_null(strstr(table, "keys"));
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
#define ADD(name) g_test_add_func("/db/statement/" #name, name)
    ADD(statements_are_found_by_name);
    ADD(parameters_are_numbered_from_one);
    ADD(tenant_statements_mention_the_organization);
    ADD(every_statement_prepares_on_sqlite);
    ADD(keys_of_tenant_tables_begin_with_the_organization);
    ADD(rules_of_tenant_tables_catch_what_breaks_them);
    ADD(embed_sql_refuses_what_the_engines_read_differently);
    ADD(embed_sql_holds_the_scheduler_to_its_reach);
    ADD(embed_sql_names_file_and_line);
    ADD(embed_sql_guards_every_table_on_postgres);
    ADD(embed_sql_writes_both_dialects);
    return g_test_run();
}
