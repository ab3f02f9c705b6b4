#include "unit/database_stage.h"
#include "db/migrate.h"
#include <glib.h>
#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TEMPLATE_LOCK "7711"

static GHashTable *names; /* folder/file -> name of the database */
static PGconn *server;    /* to the database "postgres" */

bool stage_is_postgres(void) {
    return g_strcmp0(g_getenv("ASSAY_TEST_DATABASE"), "postgres") == 0;
}

static const char *required(const char *variable) {
    const char *value = g_getenv(variable);
    if (!value)
        g_error("%s is not set: run the test beside scripts/with-postgres", variable);
    return value;
}

static char *url_of(const char *name) {
    g_autofree char *host = g_uri_escape_string(required("PGHOST"), NULL, FALSE);
    return g_strdup_printf("postgresql://%s:%s@/%s?host=%s&port=%s", required("PGUSER"),
                           required("PGPASSWORD"), name, host, required("PGPORT"));
}

static void ignore_notice(void *unused, const PGresult *result) {
    (void)unused;
    (void)result;
}

/* A test may have killed the server: it is waited for. */
static void mend(PGconn *connection) {
    for (int i = 0; PQstatus(connection) != CONNECTION_OK && i < 60000; i++) {
        g_usleep(5000);
        PQreset(connection);
    }
}

static PGconn *connect_to(const char *url) {
    PGconn *connection = PQconnectdb(url);
    mend(connection);
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    if (PQstatus(connection) != CONNECTION_OK)
        g_error("no PostgreSQL to test with: %s", PQerrorMessage(connection));
    return connection;
}

static char *ask(PGconn *connection, const char *sql, bool must) {
    PGresult *result = PQexec(connection, sql);
    if (PQstatus(connection) != CONNECTION_OK) {
        PQclear(result);
        mend(connection);
        result = PQexec(connection, sql);
    }
    ExecStatusType status = PQresultStatus(result);
    bool done = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
    if (must && !done)
        g_error("%s: %s", sql, PQerrorMessage(connection));
    char *answer = g_strdup(done && PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "");
    PQclear(result);
    return answer;
}

static bool run(const char *sql) {
    g_autofree char *answer = ask(server, sql, true);
    return *answer != '\0';
}

static void try_to_drop(const char *name) {
    g_autofree char *sql = g_strdup_printf("drop database if exists \"%s\" with (force)", name);
    g_free(ask(server, sql, false));
}

static void drop_all(void) {
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, names);
    while (g_hash_table_iter_next(&iter, NULL, &name))
        try_to_drop(name);
    PQfinish(server);
    g_hash_table_unref(names);
}

/* A child that the test forks has no business with the parent's connection. */
static pid_t owner;

static void drop_all_of_owner(void) {
    if (getpid() == owner)
        drop_all();
}

static void connect_once(void) {
    if (server && getpid() == owner)
        return;
    g_autofree char *url = url_of("postgres");
    server = connect_to(url);
    names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    owner = getpid();
    atexit(drop_all_of_owner);
}

/* The name says which migrations it has. */
static char *template_name(const StatementCatalogue *catalogue) {
    g_autoptr(GChecksum) checksum = g_checksum_new(G_CHECKSUM_SHA256);
    for (size_t i = 0; i < catalogue->migration_count; i++)
        g_checksum_update(checksum, (const guchar *)catalogue->migrations[i].postgres, -1);
    return g_strdup_printf("template_%.16s", g_checksum_get_string(checksum));
}

static void migrate(const char *name, const StatementCatalogue *catalogue) {
    g_autoptr(GError) error = NULL;
    g_autofree char *url = url_of(name);
    const DbOptions options = {.catalogue = catalogue};
    Db *db = db_open_with(url, &options, &error);
    g_assert_no_error(error);
    bool migrated = migrate_apply(db, &error);
    g_assert_no_error(error);
    g_assert_true(migrated);
    db_close(db);
}

static char *ensure_template(const StatementCatalogue *catalogue) {
    if (!catalogue)
        return g_strdup("template0");
    char *name = template_name(catalogue);
    g_autofree char *exists =
        g_strdup_printf("select 1 from pg_database where datname = '%s'", name);
    run("select pg_advisory_lock(" TEMPLATE_LOCK ")");
    if (!run(exists)) {
        g_autofree char *making = g_strconcat("making_", name, NULL);
        g_autofree char *create = g_strdup_printf("create database %s", making);
        g_autofree char *rename = g_strdup_printf("alter database %s rename to %s", making, name);
        try_to_drop(making);
        run(create);
        migrate(making, catalogue);
        run(rename);
    }
    run("select pg_advisory_unlock(" TEMPLATE_LOCK ")");
    return name;
}

static char *create(const char *place, const StatementCatalogue *migrated) {
    static unsigned count;
    g_autofree char *source = ensure_template(migrated);
    char *name = g_strdup_printf("test_%d_%u", (int)getpid(), ++count);
    g_autofree char *sql = g_strdup_printf("create database %s template %s", name, source);
    run(sql);
    g_hash_table_insert(names, g_strdup(place), name);
    return name;
}

char *stage_database_url(const char *folder, const char *file, const StatementCatalogue *migrated) {
    g_autofree char *place = g_build_filename(folder, file, NULL);
    if (!stage_is_postgres())
        return g_strconcat("sqlite:", place, NULL);
    connect_once();
    const char *known = g_hash_table_lookup(names, place);
    return url_of(known ? known : create(place, migrated));
}

char *stage_url(const char *folder, const char *file) {
    return stage_database_url(folder, file, &statement_catalogue);
}

static gboolean drop_in(gpointer place, gpointer name, gpointer folder) {
    bool inside = g_str_has_prefix(place, folder);
    if (inside)
        try_to_drop(name);
    return inside;
}

void stage_leave(const char *folder) {
    if (names)
        g_hash_table_foreach_remove(names, drop_in, (gpointer)(uintptr_t)folder);
}

char *stage_database_ask(const char *url, const char *sql) {
    PGconn *connection = connect_to(url);
    char *answer = ask(connection, sql, true);
    PQfinish(connection);
    return answer;
}
