/* The SQL of the program on a real PostgreSQL: every migration runs, every statement prepares. */
#include "db/statement.h"
#include <glib.h>
#include <libpq-fe.h>
#include <stdbool.h>
#include <string.h>

static PGconn *connection;

static PGresult *run(const char *what, const char *sql) {
    PGresult *result = PQexec(connection, sql);
    ExecStatusType status = PQresultStatus(result);
    if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK)
        g_error("%s: %s", what, PQerrorMessage(connection));
    return result;
}

/* Grants and policies name these (src/db/postgres_session.c makes them). */
static void run_migrations(void) {
    PQclear(run("roles", "create role assay_app nologin; create role assay_scheduler nologin;"));
    for (size_t i = 0; i < statement_catalogue.migration_count; i++) {
        const MigrationText *migration = &statement_catalogue.migrations[i];
        PQclear(run(migration->name, migration->postgres));
    }
}

static void every_migration_runs(void) {
    PQclear(run("counting", "select 1 from schema_migration"));
    g_assert_cmpuint(statement_catalogue.migration_count, >, 0);
}

static void first_migration_may_run_twice(void) {
    PQclear(run("again", statement_catalogue.migrations[0].postgres));
}

static void every_statement_prepares(void) {
    g_assert_cmpuint(statement_catalogue.statement_count, >, 0);
    for (size_t i = 0; i < statement_catalogue.statement_count; i++) {
        const StatementText *statement = &statement_catalogue.statements[i];
        PGresult *result = PQprepare(connection, statement->name, statement->postgres, 0, NULL);
        if (PQresultStatus(result) != PGRES_COMMAND_OK) {
            g_test_message("%s: %s", statement->name, PQerrorMessage(connection));
            g_test_fail();
        }
        PQclear(result);
    }
}

/* PostgreSQL knows each parameter's type now: none was guessed to be something we do not send. */
static void every_parameter_has_a_type_that_we_send(void) {
    /* text, bigint, double precision, bytea: pg_type.dat of PostgreSQL 15 */
    static const Oid sent[] = {25, 20, 701, 17};
    for (size_t i = 0; i < statement_catalogue.statement_count; i++) {
        const StatementText *statement = &statement_catalogue.statements[i];
        PGresult *result = PQdescribePrepared(connection, statement->name);
        g_assert_cmpint(PQnparams(result), ==, (int)statement->parameter_count);
        for (int n = 0; n < PQnparams(result); n++) {
            bool known = false;
            for (size_t s = 0; s < G_N_ELEMENTS(sent); s++)
                known = known || PQparamtype(result, n) == sent[s];
            if (!known) {
                g_test_message("%s: the type of :%s is number %u; cast it", statement->name,
                               statement->parameters[n], PQparamtype(result, n));
                g_test_fail();
            }
        }
        PQclear(result);
    }
}

/* The same rule as on SQLite (db_statement_test): indexes of tenant tables begin with the
 * organization. */
static void unique_indexes_of_tenant_tables_begin_with_the_organization(void) {
    PGresult *result = run(
        "indexes", "select c.relname, i.indexrelid::regclass from pg_index i"
                   " join pg_class c on c.oid = i.indrelid"
                   " join pg_attribute o on o.attrelid = c.oid and o.attname = 'organization_id'"
                   " where i.indisunique and c.relnamespace = 'public'::regnamespace"
                   " and i.indkey[0] <> o.attnum");
    for (int row = 0; row < PQntuples(result); row++)
        g_test_message("%s: %s", PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
    g_assert_cmpint(PQntuples(result), ==, 0);
    PQclear(result);
}

/* So a row can never point at one of another organization. */
static void references_between_tenant_tables_begin_with_the_organization(void) {
    PGresult *result =
        run("references", "select k.conrelid::regclass, k.conname from pg_constraint k"
                          " join pg_attribute o on o.attrelid = k.conrelid"
                          "  and o.attname = 'organization_id'"
                          " join pg_attribute t on t.attrelid = k.confrelid"
                          "  and t.attname = 'organization_id'"
                          " where k.contype = 'f' and k.connamespace = 'public'::regnamespace"
                          " and (k.conkey[1] <> o.attnum or k.confkey[1] <> t.attnum)");
    for (int row = 0; row < PQntuples(result); row++)
        g_test_message("%s: %s", PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
    g_assert_cmpint(PQntuples(result), ==, 0);
    PQclear(result);
    result = run("count", "select count(*) from pg_constraint where contype = 'f'");
    g_assert_cmpint(g_ascii_strtoll(PQgetvalue(result, 0, 0), NULL, 10), >, 5);
    PQclear(result);
}

/* Keys are compared byte by byte, as SQLite does. */
static void keys_are_ordered_by_bytes(void) {
    PGresult *result =
        run("collations", "select c.relname, a.attname from pg_index i"
                          " join pg_class c on c.oid = i.indrelid"
                          " join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)"
                          " join pg_collation l on l.oid = a.attcollation"
                          " where c.relnamespace = 'public'::regnamespace and l.collname <> 'C'");
    for (int row = 0; row < PQntuples(result); row++)
        g_test_message("%s.%s is a key without {{id}}", PQgetvalue(result, row, 0),
                       PQgetvalue(result, row, 1));
    g_assert_cmpint(PQntuples(result), ==, 0);
    PQclear(result);
}

int main(int argc, char **argv) {
    g_test_init(&argc, &argv, NULL);
    connection = PQconnectdb("");
    if (PQstatus(connection) != CONNECTION_OK)
        g_error("no PostgreSQL to test with: %s", PQerrorMessage(connection));
    run_migrations();
#define ADD(name) g_test_add_func("/db/postgres/" #name, name)
    ADD(every_migration_runs);
    ADD(first_migration_may_run_twice);
    ADD(every_statement_prepares);
    ADD(every_parameter_has_a_type_that_we_send);
    ADD(unique_indexes_of_tenant_tables_begin_with_the_organization);
    ADD(references_between_tenant_tables_begin_with_the_organization);
    ADD(keys_are_ordered_by_bytes);
    int status = g_test_run();
    PQfinish(connection);
    return status;
}
