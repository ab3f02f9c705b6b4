/* database_stage.h - where a test keeps its database: a SQLite file, or a database of a PostgreSQL.
 *
 * The same tests run on both engines: with ASSAY_TEST_DATABASE=postgres in the environment, and a
 * server beside them (scripts/with-postgres, found by PGHOST and PGPORT), each file that a test
 * asks for is a database of that server. It begins as a copy of a template that the first test
 * makes, so that it costs no migration; old ones are dropped when they are left, and all when the
 * program ends.
 */
#pragma once

#include "db/statement.h"
#include <stdbool.h>

/* Whether the databases are on PostgreSQL. */
bool stage_is_postgres(void);

/* The URL of the database in folder/file; the same one for the same names. A new one is empty, or
 * has been migrated as the catalogue says; a file of SQLite is not made. Caller frees. */
char *stage_database_url(const char *folder, const char *file, const StatementCatalogue *migrated);

/* As stage_database_url() with the program's own catalogue. */
char *stage_url(const char *folder, const char *file);

/* Drops the databases of the folder. The others are dropped when the program ends. */
void stage_leave(const char *folder);

/* Runs SQL in the database of the URL as its superuser and gives the first column of the first row
 * ("" without a row); fails the test when it cannot. PostgreSQL only. Caller frees. */
char *stage_database_ask(const char *url, const char *sql);
