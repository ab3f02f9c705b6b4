#include "db/postgres_wire.h"
#include <libpq-fe.h>
#include <poll.h>
#include <string.h>

#define VERSION_LEAST 150000

struct Wire {
    PGconn *connection;
    PGresult *result; /* of the last event */
    PostgresFailure failure;
};

/* --- Connecting ---------------------------------------------------------------------------- */

typedef struct {
    const char *sign; /* in libpq's message; libpq tells no SQLSTATE here */
    bool passes;
    const char *advice;
} ConnectText;

static const ConnectText connect_texts[] = {
    {"could not translate host name", true, "its host name is not known"},
    {"password authentication failed", false, "user or password is wrong"},
    {"no password supplied", false,
     "it wants a password: write it into the URL, or into a file that PGPASSFILE names"},
    {"pg_hba.conf", false, "it lets this user in from elsewhere only: see its pg_hba.conf"},
    {"does not exist", false, "this user or this database does not exist there: create it first"},
    {"certificate", false, "its certificate is not trusted: see sslmode and sslrootcert"},
    {"does not support SSL", false, "it speaks no TLS, and sslmode wants it"},
    {"invalid ", false, "a setting of the URL has a value that it cannot have"},
    {"is starting up", true, "it is just starting: try again"},
    {"is shutting down", true, "it is being stopped: start it again"},
    {"recovery mode", true, "it is in recovery: try again"},
    {"session is read-only", true,
     "none of the servers can be written: see which one is the primary"},
    {"connection slots", true, "it has too many connections: raise max_connections or lower pool="},
    {"too many c", true, "it has too many connections: raise max_connections or lower pool="},
    {"timeout expired", true, "it did not answer in time: check host, port and firewall"},
};

static const ConnectText *find_connect_text(const char *said) {
    static const ConnectText unknown = {"", true,
                                        "it cannot be reached: check host and port, and that it "
                                        "runs"};
    for (size_t i = 0; i < G_N_ELEMENTS(connect_texts); i++) {
        if (strstr(said, connect_texts[i].sign))
            return &connect_texts[i];
    }
    return &unknown;
}

static void set_connect_error(GError **error, const PostgresAddress *address,
                              const PGconn *connection, bool *passes_out) {
    const ConnectText *text = find_connect_text(PQerrorMessage(connection));
    *passes_out = text->passes;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "cannot connect to PostgreSQL, database %s: %s", address->label, text->advice);
}

static bool check_server(const PostgresAddress *address, const PGconn *connection, GError **error) {
    int version = PQserverVersion(connection);
    const char *encoding = PQparameterStatus(connection, "server_encoding");
    if (version < VERSION_LEAST)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the database %s is PostgreSQL %d: use version 15 or a newer one",
                    address->label, version / 10000);
    else if (g_strcmp0(encoding, "UTF8") != 0)
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the database %s does not keep text as UTF-8: create it with encoding UTF8",
                    address->label);
    else
        return true;
    return false;
}

/* What the server says besides is for its own log. */
static void ignore_notice(void *unused, const PGresult *result) {
    (void)unused;
    (void)result;
}

Wire *wire_open(const PostgresAddress *address, bool *passes_out, GError **error) {
    *passes_out = false;
    PGconn *connection = PQconnectdbParams((const char *const *)address->names,
                                           (const char *const *)address->values, 0);
    if (!connection)
        g_error("out of memory while connecting to a database");
    if (PQstatus(connection) != CONNECTION_OK) {
        set_connect_error(error, address, connection, passes_out);
        PQfinish(connection);
        return NULL;
    }
    if (!check_server(address, connection, error)) {
        PQfinish(connection);
        return NULL;
    }
    PQsetNoticeReceiver(connection, ignore_notice, NULL);
    (void)PQenterPipelineMode(connection);
    Wire *wire = g_new0(Wire, 1);
    wire->connection = connection;
    return wire;
}

void wire_close(Wire *wire) {
    if (!wire)
        return;
    PQclear(wire->result);
    PQfinish(wire->connection);
    postgres_failure_clear(&wire->failure);
    g_free(wire);
}

/* --- Sending ------------------------------------------------------------------------------- */

void wire_prepare(Wire *wire, const char *name, const char *sql) {
    (void)PQsendPrepare(wire->connection, name, sql, 0, NULL);
}

void wire_run(Wire *wire, const char *name, const WireValues *values) {
    static const WireValues none = {0};
    const WireValues *given = values ? values : &none;
    (void)PQsendQueryPrepared(wire->connection, name, given->count, given->values, given->lengths,
                              given->formats, 1);
}

void wire_command(Wire *wire, const char *sql) {
    (void)PQsendQueryParams(wire->connection, sql, 0, NULL, NULL, NULL, NULL, 0);
}

void wire_sync(Wire *wire) {
    (void)PQpipelineSync(wire->connection);
}

/* --- Receiving ----------------------------------------------------------------------------- */

void wire_stream(Wire *wire) {
    (void)PQsetSingleRowMode(wire->connection);
}

static void read_failure(Wire *wire) {
    const PGresult *result = wire->result;
    const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    postgres_failure_clear(&wire->failure);
    wire->failure.said = g_strdup(PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY));
    wire->failure.constraint = g_strdup(PQresultErrorField(result, PG_DIAG_CONSTRAINT_NAME));
    wire->failure.is_lost = PQstatus(wire->connection) != CONNECTION_OK;
    if (state)
        g_strlcpy(wire->failure.state, state, sizeof wire->failure.state);
}

static WireEvent lose(Wire *wire) {
    postgres_failure_clear(&wire->failure);
    wire->failure.is_lost = true;
    return WIRE_FAILED;
}

/* Every command is followed by a null result. */
static WireEvent end_command(Wire *wire, WireEvent event) {
    PGresult *result;
    while ((result = PQgetResult(wire->connection)))
        PQclear(result);
    if (event == WIRE_FAILED)
        wire->failure.is_lost |= PQstatus(wire->connection) != CONNECTION_OK;
    return event;
}

WireEvent wire_receive(Wire *wire) {
    PQclear(wire->result);
    wire->result = PQgetResult(wire->connection);
    if (!wire->result)
        return lose(wire);
    switch (PQresultStatus(wire->result)) {
    case PGRES_SINGLE_TUPLE:
        return WIRE_ROW;
    case PGRES_COMMAND_OK:
    case PGRES_TUPLES_OK:
        return end_command(wire, WIRE_DONE);
    case PGRES_PIPELINE_SYNC:
        return WIRE_SYNCED;
    case PGRES_PIPELINE_ABORTED:
        return end_command(wire, WIRE_SKIPPED);
    default:
        read_failure(wire);
        return end_command(wire, WIRE_FAILED);
    }
}

const PostgresFailure *wire_failure(const Wire *wire) {
    return &wire->failure;
}

int64_t wire_changes(const Wire *wire) {
    if (g_str_has_prefix(PQcmdStatus(wire->result), "SELECT"))
        return 0;
    return g_ascii_strtoll(PQcmdTuples(wire->result), NULL, 10);
}

bool wire_was(const Wire *wire, const char *command) {
    return strcmp(PQcmdStatus(wire->result), command) == 0;
}

WireRow *wire_take_row(Wire *wire) {
    if (PQntuples(wire->result) == 0)
        return NULL;
    return (WireRow *)g_steal_pointer(&wire->result);
}

static char *first_text(Wire *wire) {
    WireRow *row = wire_take_row(wire);
    if (!row)
        return g_strdup("");
    size_t size;
    char *text = g_strdup(wire_row_bytes(row, 0, &size));
    wire_row_free(row);
    return text;
}

char **wire_ask_all(Wire *wire) {
    GPtrArray *answers = g_ptr_array_new_with_free_func(g_free);
    bool failed = false;
    wire_sync(wire);
    for (WireEvent event = WIRE_DONE; event != WIRE_SYNCED;) {
        event = wire_receive(wire);
        if (event == WIRE_DONE)
            g_ptr_array_add(answers, first_text(wire));
        failed = failed || (event != WIRE_DONE && event != WIRE_SYNCED);
        if (event == WIRE_FAILED && wire->failure.is_lost)
            break;
    }
    if (!failed) {
        g_ptr_array_add(answers, NULL);
        return (char **)g_ptr_array_free(answers, FALSE);
    }
    g_ptr_array_unref(answers);
    return NULL;
}

char *wire_ask(Wire *wire) {
    g_auto(GStrv) answers = wire_ask_all(wire);
    unsigned count = answers ? g_strv_length(answers) : 0;
    return count > 0 ? g_strdup(answers[count - 1]) : NULL;
}

bool wire_script(Wire *wire, const char *sql) {
    PQclear(wire->result);
    (void)PQexitPipelineMode(wire->connection);
    wire->result = PQexec(wire->connection, sql);
    bool done = PQresultStatus(wire->result) == PGRES_COMMAND_OK ||
                PQresultStatus(wire->result) == PGRES_TUPLES_OK;
    if (!done)
        read_failure(wire);
    (void)PQenterPipelineMode(wire->connection);
    return done;
}

/* --- Rows ---------------------------------------------------------------------------------- */

static const PGresult *result_of(const WireRow *row) {
    return (const PGresult *)row;
}

void wire_row_free(WireRow *row) {
    PQclear((PGresult *)row);
}

int wire_row_columns(const WireRow *row) {
    return PQnfields(result_of(row));
}

unsigned wire_row_type(const WireRow *row, int column) {
    return PQftype(result_of(row), column);
}

bool wire_row_is_null(const WireRow *row, int column) {
    return PQgetisnull(result_of(row), 0, column) != 0;
}

size_t wire_row_size(const WireRow *row) {
    return PQresultMemorySize(result_of(row));
}

const char *wire_row_bytes(const WireRow *row, int column, size_t *size_out) {
    *size_out = (size_t)PQgetlength(result_of(row), 0, column);
    return PQgetvalue(result_of(row), 0, column);
}

/* --- Notifications ------------------------------------------------------------------------- */

bool wire_wait(Wire *wire, int wake_fd) {
    struct pollfd files[] = {{.fd = PQsocket(wire->connection), .events = POLLIN},
                             {.fd = wake_fd, .events = POLLIN}};
    (void)poll(files, G_N_ELEMENTS(files), -1);
    return files[0].revents == 0 || PQconsumeInput(wire->connection) == 1;
}

char *wire_next_channel(Wire *wire) {
    PGnotify *notify = PQnotifies(wire->connection);
    char *channel = notify ? g_strdup(notify->relname) : NULL;
    PQfreemem(notify);
    return channel;
}
