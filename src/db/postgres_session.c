#include "db/postgres_session.h"
#include "db/postgres_roles.h"
#include "db/postgres_value.h"
#include "db/postgres_wire.h"
#include <string.h>

#define ASIDE_SIZE_MAX (64 * 1024 * 1024) /* rows of one unit that wait in memory */

/* The driver's own statements, prepared with the connection. A name with a dot is no statement's.
 */
typedef struct {
    const char *name, *sql;
} Control;

static const Control controls[] = {
    {".read", "begin isolation level repeatable read read only"},
    {".write", "begin isolation level read committed read write"},
    {".enter", "select set_config('role', $1, true), set_config('assay.org', $2, true)"},
    {".lock", "select pg_advisory_xact_lock(1097079153, hashtext($1))"},
    {".role", "select set_config('role', $1, true)"},
    {".schema", "select set_config('assay.migrating', 'on', true), set_config('role', coalesce("
                "(select rolname from pg_roles where rolname = 'assay_owner'"
                " and pg_has_role(session_user, oid, 'member')), 'none'), true),"
                " pg_advisory_xact_lock(" POSTGRES_SCHEMA_LOCK ")"},
    {".notify", "select pg_notify($1, '')"},
    {".written", "select pg_current_xact_id_if_assigned()::text"},
    {".commit", "commit"},
    {".rollback", "rollback"},
};

typedef enum { ROLE_NONE, ROLE_APP, ROLE_SCHEDULER, ROLE_OWNER } Role;

static const char *const role_names[] = {"none", "assay_app", "assay_scheduler", NULL};

typedef struct {
    DriverStatement head;
    DriverSession *session;
    bool prepared; /* on the connection */
    bool used;     /* in session->used */
    bool running;  /* rows, or the end, are still to come */
    WireRow *row;  /* the current one */
    GQueue aside;  /* WireRow *, those that came while another statement was run */
    int64_t changes;
    char *values[STATEMENT_PARAMETERS_MAX];
    int lengths[STATEMENT_PARAMETERS_MAX];
    int formats[STATEMENT_PARAMETERS_MAX];
    char room[POSTGRES_TEXT_ROOM];
} Statement;

struct DriverSession {
    SessionSettings settings;
    Wire *wire;             /* NULL: not connected */
    GHashTable *statements; /* StatementText * -> Statement * */
    GPtrArray *used;        /* Statement *, since the unit began; not owned */
    GPtrArray *channels;    /* char *, to be notified with the commit */
    const DriverTask *task; /* the unit; NULL between units */
    bool begun;             /* "begin" was sent */
    Role role;              /* that the transaction has now */
    Statement *streaming;   /* whose rows come next on the wire */
    bool asks_written;      /* whether it has comes behind them */
    bool unsynced;          /* the end of an earlier unit has not been received */
    size_t aside_size;
    bool written;    /* the transaction has changed something */
    CommitMark mark; /* of the connection's last commit */
    PostgresRetry retry;
};

/* --- Life ---------------------------------------------------------------------------------- */

static void clear_rows(Statement *statement) {
    g_clear_pointer(&statement->row, wire_row_free);
    g_queue_clear_full(&statement->aside, (GDestroyNotify)wire_row_free);
    statement->running = false;
}

static void clear_values(Statement *statement) {
    for (size_t i = 0; i < STATEMENT_PARAMETERS_MAX; i++)
        g_clear_pointer(&statement->values[i], g_free);
}

static void statement_free(void *data) {
    Statement *statement = data;
    clear_rows(statement);
    clear_values(statement);
    g_free(statement);
}

DriverSession *postgres_session_new(const SessionSettings *settings) {
    DriverSession *session = g_new0(DriverSession, 1);
    session->settings = *settings;
    session->statements = g_hash_table_new_full(NULL, NULL, NULL, statement_free);
    session->used = g_ptr_array_new();
    session->channels = g_ptr_array_new_with_free_func(g_free);
    return session;
}

void postgres_session_disconnect(DriverSession *session) {
    GHashTableIter iter;
    gpointer statement;
    g_clear_pointer(&session->wire, wire_close);
    session->unsynced = false;
    session->streaming = NULL;
    g_hash_table_iter_init(&iter, session->statements);
    while (g_hash_table_iter_next(&iter, NULL, &statement))
        ((Statement *)statement)->prepared = false;
}

void postgres_session_free(DriverSession *session) {
    if (!session)
        return;
    if (session->wire && session->mark.number > 0)
        postgres_mark_forget(session->wire, &session->mark);
    postgres_session_disconnect(session);
    g_hash_table_unref(session->statements);
    g_ptr_array_unref(session->used);
    g_ptr_array_unref(session->channels);
    g_free(session);
}

PostgresRetry postgres_session_retry(const DriverSession *session) {
    return session->retry;
}

/* --- Connecting ---------------------------------------------------------------------------- */

/* After an event that is a failure; what is still to come of the exchange is passed by. */
static void fail(DriverSession *session, const char *what, GError **error) {
    const PostgresFailure *failure = wire_failure(session->wire);
    bool writes = session->task && session->task->mode == DB_WRITE;
    session->retry = postgres_retry(failure, writes);
    postgres_set_error(error, failure, what, session->settings.address->label);
    session->streaming = NULL;
    session->asks_written = false;
    while (!failure->is_lost && wire_receive(session->wire) != WIRE_SYNCED)
        ;
    if (failure->is_lost)
        session->retry = RETRY_RECONNECT;
}

/* What the server holds against a unit that does not go on: another one waits for its locks. */
static bool set_up(DriverSession *session, GError **error) {
    g_autofree char *settings =
        g_strdup_printf("select set_config('lock_timeout', '%" G_GINT64_FORMAT "', false),"
                        " set_config('idle_in_transaction_session_timeout', '60000', false),"
                        " set_config('default_transaction_read_only', 'off', false)",
                        session->settings.lock_limit_ms);
    for (size_t i = 0; i < G_N_ELEMENTS(controls); i++)
        wire_prepare(session->wire, controls[i].name, controls[i].sql);
    postgres_mark_init(&session->mark);
    wire_command(session->wire, settings);
    g_autofree char *answer = wire_ask(session->wire);
    if (answer)
        return true;
    postgres_set_error(error, wire_failure(session->wire), "connecting",
                       session->settings.address->label);
    return false;
}

bool postgres_session_connect(DriverSession *session, bool *passes_out, GError **error) {
    *passes_out = true;
    if (session->wire)
        return true;
    session->wire = wire_open(session->settings.address, passes_out, error);
    if (!session->wire)
        return false;
    if (set_up(session, error))
        return true;
    *passes_out = true;
    postgres_session_disconnect(session);
    return false;
}

bool postgres_session_prepare_roles(DriverSession *session, GError **error) {
    return postgres_roles_prepare(session->wire, session->settings.address->label, error);
}

/* --- The wire within a unit ---------------------------------------------------------------- */

/* Receives the end of a command that is not expected to give rows. */
static bool expect_done(DriverSession *session, const char *what, GError **error) {
    if (wire_receive(session->wire) == WIRE_DONE)
        return true;
    fail(session, what, error);
    return false;
}

static bool expect_synced(DriverSession *session, GError **error) {
    if (wire_receive(session->wire) == WIRE_SYNCED)
        return true;
    fail(session, "synchronizing", error);
    return false;
}

/* What ended the unit before this one, which nobody waited for. */
static bool receive_unsynced(DriverSession *session, GError **error) {
    while (session->unsynced) {
        WireEvent event = wire_receive(session->wire);
        if (event == WIRE_FAILED && wire_failure(session->wire)->is_lost) {
            fail(session, "connecting", error);
            return false;
        }
        session->unsynced = event != WIRE_SYNCED;
    }
    return true;
}

/* Behind the rows of a statement: the number of the transaction, which it has when it has changed
 * something. */
static bool receive_written(DriverSession *session, GError **error) {
    if (!session->asks_written)
        return true;
    session->asks_written = false;
    if (!expect_done(session, "writing", error))
        return false;
    WireRow *row = wire_take_row(session->wire);
    session->written = row && !wire_row_is_null(row, 0);
    wire_row_free(row);
    return true;
}

/* The next row of what streams, or its end (*row_out is NULL). */
static bool receive_row(DriverSession *session, WireRow **row_out, GError **error) {
    Statement *statement = session->streaming;
    *row_out = NULL;
    switch (wire_receive(session->wire)) {
    case WIRE_ROW:
        *row_out = wire_take_row(session->wire);
        return true;
    case WIRE_DONE:
        statement->changes = wire_changes(session->wire);
        session->streaming = NULL;
        return receive_written(session, error) && expect_synced(session, error);
    default:
        fail(session, statement->head.text->name, error);
        return false;
    }
}

static bool refuse_aside(DriverSession *session, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_LIMIT,
                "the statement %s gives too many rows to be left half read: read it to its end "
                "before another one is run",
                session->streaming->head.text->name);
    return false;
}

/* Makes the wire free for another statement. */
static bool set_aside(DriverSession *session, GError **error) {
    while (session->streaming) {
        Statement *statement = session->streaming;
        WireRow *row;
        if (!receive_row(session, &row, error))
            return false;
        if (!row)
            continue;
        session->aside_size += wire_row_size(row);
        g_queue_push_tail(&statement->aside, row);
        if (session->aside_size > ASIDE_SIZE_MAX)
            return refuse_aside(session, error);
    }
    return true;
}

/* Reads what nobody wants any more. */
static void discard(DriverSession *session) {
    while (session->streaming) {
        WireRow *row;
        if (!receive_row(session, &row, NULL))
            return;
        wire_row_free(row);
    }
}

/* --- Beginning and ending ------------------------------------------------------------------ */

void postgres_session_begin(DriverSession *session, const DriverTask *task) {
    session->task = task;
    session->begun = false;
    session->role = ROLE_NONE;
    session->retry = RETRY_NEVER;
    session->aside_size = 0;
    session->written = false;
    g_ptr_array_set_size(session->channels, 0);
}

static void run_with(DriverSession *session, const char *name, const char *first,
                     const char *second) {
    const char *const values[] = {first, second};
    const WireValues given = {.count = second ? 2 : 1, .values = values};
    wire_run(session->wire, name, &given);
}

/* Queues what must come before a statement of this role; the number of commands. */
static int send_entry(DriverSession *session, Role role) {
    const char *organization = session->task->organization;
    bool writes = session->task->mode == DB_WRITE;
    if (session->role == role || session->role == ROLE_OWNER)
        return 0;
    session->role = role;
    if (session->begun) {
        run_with(session, ".role", role_names[role], NULL);
        return 1;
    }
    session->begun = true;
    wire_run(session->wire, writes ? ".write" : ".read", NULL);
    run_with(session, ".enter", role_names[role], organization ? organization : "");
    if (!writes || !organization)
        return 2;
    run_with(session, ".lock", organization, NULL);
    return 3;
}

static bool receive_entry(DriverSession *session, int commands, GError **error) {
    for (int i = 0; i < commands; i++) {
        if (!expect_done(session, "beginning a unit", error))
            return false;
    }
    return true;
}

static void reset_statements(DriverSession *session) {
    for (unsigned i = 0; i < session->used->len; i++) {
        Statement *statement = session->used->pdata[i];
        clear_rows(statement);
        clear_values(statement);
        statement->used = false;
    }
    g_ptr_array_set_size(session->used, 0);
}

/* Sends the last command of the unit without waiting for what comes of it. */
static void send_end(DriverSession *session, const char *name) {
    if (!session->begun || !session->wire)
        return;
    wire_run(session->wire, name, NULL);
    wire_sync(session->wire);
    session->unsynced = true;
}

static void leave(DriverSession *session) {
    session->task = NULL;
    session->begun = false;
}

void postgres_session_roll_back(DriverSession *session) {
    PostgresRetry retry = session->retry;
    discard(session);
    reset_statements(session);
    if (retry != RETRY_RECONNECT)
        send_end(session, ".rollback");
    session->retry = retry;
    leave(session);
}

/* The server answers a commit of a transaction that has failed with "ROLLBACK" and no error. */
static CommitOutcome receive_commit(DriverSession *session, GError **error) {
    if (!expect_done(session, "committing", error))
        return session->retry == RETRY_RECONNECT ? COMMIT_UNKNOWN : COMMIT_FAILED;
    session->unsynced = true;
    if (wire_was(session->wire, "COMMIT"))
        return COMMIT_DONE;
    g_set_error(error, ASSAY_ERROR, ERROR_DATABASE,
                "committing in the database %s: the server rolled the unit back",
                session->settings.address->label);
    return COMMIT_FAILED;
}

/* Counts the connection's commits on, if there is something to commit; the number of commands. */
static int send_mark(DriverSession *session) {
    int commands = 1;
    if (!session->written || session->role == ROLE_OWNER)
        return 0;
    if (session->mark.number++ == 0)
        commands += postgres_mark_prepare(session->wire);
    commands += send_entry(session, ROLE_APP);
    postgres_mark_send(session->wire, &session->mark);
    return commands;
}

/* A unit that only notifies has sent nothing so far. */
static CommitOutcome commit_write(DriverSession *session, GError **error) {
    const GPtrArray *channels = session->channels;
    int before = (int)channels->len;
    if (!session->begun && channels->len == 0)
        return COMMIT_DONE;
    if (!session->begun)
        before += send_entry(session, ROLE_APP);
    for (unsigned i = 0; i < channels->len; i++)
        run_with(session, ".notify", channels->pdata[i], NULL);
    before += send_mark(session);
    wire_run(session->wire, ".commit", NULL);
    wire_sync(session->wire);
    if (!receive_unsynced(session, error) || !receive_entry(session, before, error))
        return session->retry == RETRY_RECONNECT ? COMMIT_UNKNOWN : COMMIT_FAILED;
    return receive_commit(session, error);
}

CommitOutcome postgres_session_commit(DriverSession *session, GError **error) {
    CommitOutcome outcome = COMMIT_DONE;
    discard(session);
    reset_statements(session);
    if (session->retry != RETRY_NEVER) {
        g_set_error(error, ASSAY_ERROR, ERROR_DATABASE, "the database %s was lost",
                    session->settings.address->label);
        outcome = COMMIT_FAILED;
    } else if (session->task->mode == DB_READ) {
        send_end(session, ".commit");
    } else {
        outcome = commit_write(session, error);
    }
    if (outcome == COMMIT_FAILED && session->retry != RETRY_RECONNECT)
        send_end(session, ".rollback");
    /* Its mark is ahead of its row now. */
    if (outcome == COMMIT_FAILED && session->written)
        postgres_session_disconnect(session);
    leave(session);
    return outcome;
}

bool postgres_session_marked(const DriverSession *session, CommitMark *mark_out) {
    *mark_out = session->mark;
    return session->written && session->role != ROLE_OWNER;
}

bool postgres_session_find_out(DriverSession *session, const CommitMark *mark, bool *committed_out,
                               GError **error) {
    if (postgres_mark_fence(session->wire, mark, committed_out))
        return true;
    postgres_set_error(error, wire_failure(session->wire), "looking for a commit",
                       session->settings.address->label);
    return false;
}

/* --- Statements ---------------------------------------------------------------------------- */

DriverStatement *postgres_session_prepare(DriverSession *session, const StatementText *text,
                                          GError **error) {
    (void)error;
    Statement *statement = g_hash_table_lookup(session->statements, text);
    if (!statement) {
        statement = g_new0(Statement, 1);
        statement->head.text = text;
        statement->session = session;
        g_queue_init(&statement->aside);
        g_hash_table_insert(session->statements, (gpointer)(uintptr_t)text, statement);
    }
    if (statement->used)
        postgres_session_reset(&statement->head);
    else
        g_ptr_array_add(session->used, statement);
    statement->used = true;
    statement->changes = 0;
    return &statement->head;
}

static void bind_copy(Statement *statement, int index, const void *bytes, size_t size, int format) {
    char *copy = g_malloc(size + 1);
    if (size > 0)
        memcpy(copy, bytes, size);
    copy[size] = '\0';
    statement->values[index] = copy;
    statement->lengths[index] = (int)size;
    statement->formats[index] = format;
}

bool postgres_session_bind(DriverStatement *head, int parameter, const DriverValue *value,
                           GError **error) {
    Statement *statement = (Statement *)head;
    int index = parameter - 1;
    char number[G_ASCII_DTOSTR_BUF_SIZE];
    if (value->size > INT32_MAX / 2) {
        g_set_error(error, ASSAY_ERROR, ERROR_LIMIT, "%s: a value is too large", head->text->name);
        return false;
    }
    g_clear_pointer(&statement->values[index], g_free);
    switch (value->kind) {
    case VALUE_NULL:
        break;
    case VALUE_INT:
        g_snprintf(number, sizeof number, "%" G_GINT64_FORMAT, value->integer);
        bind_copy(statement, index, number, strlen(number), 0);
        break;
    case VALUE_REAL:
        g_ascii_dtostr(number, sizeof number, value->real);
        bind_copy(statement, index, number, strlen(number), 0);
        break;
    case VALUE_TEXT:
        bind_copy(statement, index, value->bytes, value->size, 0);
        break;
    case VALUE_BLOB:
        bind_copy(statement, index, value->bytes, value->size, 1);
        break;
    }
    return true;
}

static Role role_for(const StatementText *text) {
    return text->kind == STATEMENT_SYSTEM ? ROLE_SCHEDULER : ROLE_APP;
}

/* Sends the statement with all that must go before it, in one go. */
static int send_statement(DriverSession *session, Statement *statement) {
    const StatementText *text = statement->head.text;
    const WireValues values = {.count = (int)text->parameter_count,
                               .values = (const char *const *)statement->values,
                               .lengths = statement->lengths,
                               .formats = statement->formats};
    int entry = send_entry(session, role_for(text));
    if (!statement->prepared)
        wire_prepare(session->wire, text->name, text->postgres);
    wire_run(session->wire, text->name, &values);
    session->asks_written = session->task->mode == DB_WRITE && !session->written;
    if (session->asks_written)
        wire_run(session->wire, ".written", NULL);
    wire_sync(session->wire);
    return entry;
}

static bool start_run(DriverSession *session, Statement *statement, GError **error) {
    const char *name = statement->head.text->name;
    if (!set_aside(session, error))
        return false;
    int entry = send_statement(session, statement);
    if (!receive_unsynced(session, error) || !receive_entry(session, entry, error))
        return false;
    if (!statement->prepared && !expect_done(session, name, error))
        return false;
    statement->prepared = true;
    statement->running = true;
    session->streaming = statement;
    wire_stream(session->wire);
    return true;
}

static bool next_row(DriverSession *session, Statement *statement, GError **error) {
    wire_row_free(g_steal_pointer(&statement->row));
    statement->row = g_queue_pop_head(&statement->aside);
    if (statement->row)
        return true;
    return session->streaming != statement || receive_row(session, &statement->row, error);
}

bool postgres_session_step(DriverStatement *head, bool *row_out, GError **error) {
    Statement *statement = (Statement *)head;
    DriverSession *session = statement->session;
    bool stepped = (statement->running || start_run(session, statement, error)) &&
                   next_row(session, statement, error);
    if (!stepped || !statement->row) {
        clear_rows(statement);
        clear_values(statement);
    }
    *row_out = stepped && statement->row;
    return stepped;
}

void postgres_session_reset(DriverStatement *head) {
    Statement *statement = (Statement *)head;
    if (statement->session->streaming == statement)
        discard(statement->session);
    clear_rows(statement);
    clear_values(statement);
}

int64_t postgres_session_changes(DriverStatement *head) {
    return ((Statement *)head)->changes;
}

bool postgres_session_notify(DriverSession *session, const char *channel, GError **error) {
    (void)error;
    g_ptr_array_add(session->channels, g_strdup(channel));
    return true;
}

/* --- Migrations ---------------------------------------------------------------------------- */

/* As the owner of the tables from here to the end of the unit. */
bool postgres_session_lock_schema(DriverSession *session, GError **error) {
    g_assert(!session->begun);
    session->begun = true;
    session->role = ROLE_OWNER;
    wire_run(session->wire, ".write", NULL);
    wire_run(session->wire, ".schema", NULL);
    wire_sync(session->wire);
    return receive_unsynced(session, error) &&
           expect_done(session, "beginning to migrate", error) &&
           expect_done(session, "waiting for another migration", error) &&
           expect_synced(session, error);
}

bool postgres_session_migrate(DriverSession *session, const MigrationText *migration,
                              GError **error) {
    g_autofree char *what =
        g_strdup_printf("migration %d (%s)", migration->version, migration->name);
    if (!set_aside(session, error))
        return false;
    if (wire_script(session->wire, migration->postgres))
        return true;
    session->retry = postgres_retry(wire_failure(session->wire), true);
    postgres_set_error(error, wire_failure(session->wire), what, session->settings.address->label);
    return false;
}

/* --- Columns ------------------------------------------------------------------------------- */

static PostgresValue value_at(const Statement *statement, int index) {
    PostgresValue value = {.type = wire_row_type(statement->row, index)};
    value.bytes = wire_row_bytes(statement->row, index, &value.size);
    return value;
}

int postgres_session_columns(DriverStatement *head) {
    return wire_row_columns(((Statement *)head)->row);
}

bool postgres_session_is_null(DriverStatement *head, int index) {
    return wire_row_is_null(((Statement *)head)->row, index);
}

int64_t postgres_session_read_int(DriverStatement *head, int index) {
    return postgres_value_int(value_at((Statement *)head, index));
}

double postgres_session_read_real(DriverStatement *head, int index) {
    return postgres_value_real(value_at((Statement *)head, index));
}

const char *postgres_session_read_text(DriverStatement *head, int index) {
    Statement *statement = (Statement *)head;
    return postgres_value_text(value_at(statement, index), statement->room);
}

const void *postgres_session_read_blob(DriverStatement *head, int index, size_t *size_out) {
    PostgresValue value = value_at((Statement *)head, index);
    *size_out = value.size;
    return value.bytes;
}
