/* statement.h - the SQL of Assay as a table: every statement by name, every migration by number.
 *
 * The texts are written once for both engines in src/store/sql/ and become part of the binary by
 * scripts/embed-sql, which makes the table below and refuses at build time what the two engines do
 * not read alike.
 *
 * Statements: src/store/sql/NOUN.sql
 *
 *     -- name: integration_insert
 *     -- Stores a new integration.             (purpose: one or more comment lines, required)
 *     -- system                                (optional: or "-- installation")
 *     insert into integration (organization_id, id, name, created_at)
 *     values (:org, :id, :name, :now);
 *
 * One statement each, ending in ";". Parameters are ":name", with a type where the first use does
 * not give one: cast(:limit as bigint), cast(:bytes as {{blob}}). ":org" is bound by the driver
 * from the scope of the unit and never by the caller. A statement without a marker belongs to one
 * organization and must mention :org; "-- system" may cross organizations and runs in system scope
 * only; "-- installation" runs in any scope and may not touch a table that has organization_id.
 * "-- dialect: sqlite", "-- dialect: postgres" and "-- dialect: end" lines enclose what the two
 * engines cannot agree on; both texts must use the same parameters.
 *
 * Migrations: src/store/sql/migrations/NNNN_name.sql, with the macros {{id}} (text; keys and
 * whatever is ordered: COLLATE "C" on PostgreSQL), {{text}}, {{int}} (64 bits), {{time}}
 * (milliseconds), {{blob}}, {{real}} and {{strict}} behind every table. There are no booleans but
 * integers 0 and 1. A table with the column organization_id is a tenant table: its primary key,
 * unique indexes and foreign keys begin with it.
 */
#pragma once

#include <stddef.h>

typedef enum {
    STATEMENT_TENANT,       /* one organization's rows, needs a scope with an organization */
    STATEMENT_SYSTEM,       /* may cross organizations, needs a system scope */
    STATEMENT_INSTALLATION, /* tables that belong to no organization, any scope */
} StatementKind;

/* Parameters of one statement; more are refused at build time. */
#define STATEMENT_PARAMETERS_MAX 60

typedef struct {
    const char *name;
    const char *purpose;
    StatementKind kind;
    const char *sqlite;            /* parameters as ?N */
    const char *postgres;          /* parameters as $N */
    const char *const *parameters; /* names without the colon; parameter N is parameters[N - 1] */
    size_t parameter_count;
} StatementText;

typedef struct {
    int version;        /* the number before the file's name; the first is 0 */
    const char *name;   /* the rest of the file's name */
    const char *sha256; /* of the file's bytes, hexadecimal */
    const char *sqlite;
    const char *postgres;
} MigrationText;

/* Everything that one database needs: statements sorted by name, migrations by version. */
typedef struct {
    const StatementText *statements;
    size_t statement_count;
    const MigrationText *migrations;
    size_t migration_count;
} StatementCatalogue;

/* The catalogue of src/store/sql, generated. */
extern const StatementCatalogue statement_catalogue;

/* The statement with this name, or NULL. Static storage. */
const StatementText *statement_find(const StatementCatalogue *catalogue, const char *name);

/* The number of the parameter with this name, from 1; 0 when the statement has none such. */
int statement_parameter(const StatementText *statement, const char *name);

/* The same, and found at once when it is the one behind the parameter `last` (0: the first): most
 * callers bind in the order of the statement. */
int statement_parameter_behind(const StatementText *statement, const char *name, int last);
