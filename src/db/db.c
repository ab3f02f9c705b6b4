#include "db/db.h"
#include "base/text.h"
#include "db/driver.h"
#include "db/listening.h"
#include "db/memo.h"
#include "db/postgres.h"
#include "db/sqlite.h"
#include <pthread.h>
#include <string.h>

#define BUSY_LIMIT_MS 30000
#define QUEUE_LIMIT 4096
#define CHANNEL_SIZE_MAX 48

typedef struct {
    const char *scheme;
    const Driver *driver;
} Engine;

static const Engine engines[] = {
    {"sqlite:", &sqlite_driver},
    {"postgres://", &postgres_driver},
    {"postgresql://", &postgres_driver},
};

/* Set while functions of the caller run: waiting there for another unit would never end. */
static _Thread_local bool on_database_thread;

struct Db {
    const Driver *driver;
    DriverDatabase *database;
    Listening *listening;
    Memo *memo; /* of the writer's transaction */
    const StatementCatalogue *catalogue;
    bool rehearse;
};

/* Where a thread waits for its unit. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t finished;
    bool is_finished;
    GError *error;
} Waiter;

typedef struct {
    DriverTask driver; /* first: the driver gives back a pointer to it */
    Db *db;
    char *organization, *actor, *role;
    DbScope scope; /* borrows the three above */
    DbWork work;
    DbDone done;
    void *data;
    GPtrArray *channels; /* char *, what the last attempt has notified; NULL: none */
    Waiter *waiter;      /* of db_run(); NULL when submitted */
} Task;

struct DbUnit {
    Db *db;
    Task *task;
    const DbScope *scope;
    DriverSession *session;
    GPtrArray *statements; /* DbStatement *, owned */
    GError *poison;
    int64_t changes;
};

typedef enum { STATEMENT_BINDING, STATEMENT_ON_ROW } StatementState;

struct DbStatement {
    DbUnit *unit;
    const StatementText *text;
    DriverStatement *driver; /* NULL when it could not be prepared */
    StatementState state;
    uint64_t bound; /* bit N: parameter N + 1 */
    int last;       /* the parameter that was bound last; 0: none */
    bool lent;      /* what is bound lives until the run has ended */
};

G_STATIC_ASSERT(STATEMENT_PARAMETERS_MAX < 64);

/* --- Opening and closing ------------------------------------------------------------------- */

/* The URL itself may hold a password. */
static const Engine *find_engine(const char *url, GError **error) {
    for (size_t i = 0; i < G_N_ELEMENTS(engines); i++) {
        if (g_str_has_prefix(url, engines[i].scheme))
            return &engines[i];
    }
    g_set_error_literal(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                        "the database URL is of no known kind: write sqlite:PATH or "
                        "postgres://USER:PASSWORD@HOST:PORT/NAME");
    return NULL;
}

static void call_heard(DbHeard heard, void *data) {
    on_database_thread = true;
    heard(data);
    on_database_thread = false;
}

static Db *db_new(const Driver *driver, DriverDatabase *database, const DbOptions *options,
                  GError **error) {
    Listening *listening = listening_new(driver, database, call_heard, error);
    if (!listening)
        return NULL;
    Db *db = g_new0(Db, 1);
    db->driver = driver;
    db->database = database;
    db->listening = listening;
    db->memo = memo_new();
    db->catalogue = options->catalogue ? options->catalogue : &statement_catalogue;
    db->rehearse = options->rehearse;
    return db;
}

Db *db_open_with(const char *url, const DbOptions *options, GError **error) {
    const Engine *engine = find_engine(url, error);
    if (!engine)
        return NULL;
    const Driver *driver = engine->driver;
    DriverSettings settings = {
        .url = url,
        .path = url + strlen(engine->scheme),
        .busy_limit_ms = options->busy_limit_ms > 0 ? options->busy_limit_ms : BUSY_LIMIT_MS,
        .queue_limit = options->queue_limit > 0 ? options->queue_limit : QUEUE_LIMIT,
        .pool = options->pool,
    };
    DriverDatabase *database = driver->open(&settings, error);
    if (!database)
        return NULL;
    Db *db = db_new(driver, database, options, error);
    if (!db)
        driver->close(database);
    return db;
}

Db *db_open(const char *url, GError **error) {
    const DbOptions defaults = {0};
    return db_open_with(url, &defaults, error);
}

void db_close(Db *db) {
    if (!db)
        return;
    g_assert(!on_database_thread);
    listening_free(db->listening);
    db->driver->close(db->database);
    memo_free(db->memo);
    g_free(db);
}

const StatementCatalogue *db_catalogue(const Db *db) {
    return db->catalogue;
}

/* --- Units --------------------------------------------------------------------------------- */

static void statement_free(void *data) {
    DbStatement *statement = data;
    if (statement->driver && statement->driver->holder == statement)
        statement->driver->holder = NULL;
    g_free(statement);
}

/* The poison wins over what the work function says: it is the cause. */
static bool judge_unit(DbUnit *unit, bool done, GError **work_error, GError **error) {
    if (unit->poison) {
        g_propagate_error(error, g_steal_pointer(&unit->poison));
        return false;
    }
    if (done && !*work_error)
        return true;
    if (*work_error)
        g_propagate_error(error, g_steal_pointer(work_error));
    else
        g_set_error_literal(error, ASSAY_ERROR, ERROR_INTERNAL,
                            "a unit of work failed and did not say why");
    return false;
}

static bool task_attempt(DriverTask *driver_task, DriverSession *session, GError **error) {
    Task *task = (Task *)driver_task;
    DbUnit unit = {.db = task->db, .task = task, .scope = &task->scope, .session = session};
    unit.statements = g_ptr_array_new_with_free_func(statement_free);
    g_clear_pointer(&task->channels, g_ptr_array_unref);
    g_autoptr(GError) work_error = NULL;
    on_database_thread = true;
    bool done = task->work(&unit, task->data, &work_error);
    on_database_thread = false;
    bool commit = judge_unit(&unit, done, &work_error, error);
    g_ptr_array_unref(unit.statements);
    return commit;
}

const DbScope *db_unit_scope(const DbUnit *unit) {
    return unit->scope;
}

int64_t db_changes(const DbUnit *unit) {
    return unit->changes;
}

void db_unit_poison(DbUnit *unit, GError *error) {
    if (unit->poison)
        g_error_free(error);
    else
        unit->poison = error;
}

static void poison(DbUnit *unit, ErrorCode code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void poison(DbUnit *unit, ErrorCode code, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    db_unit_poison(unit, g_error_new_valist(ASSAY_ERROR, (int)code, format, arguments));
    va_end(arguments);
}

/* Passes on what a driver's function has said; its failure is the unit's. */
static bool settle(DbUnit *unit, bool done, GError *failure, GError **error) {
    if (!done)
        db_unit_poison(unit, failure);
    if (!unit->poison)
        return true;
    g_propagate_error(error, g_error_copy(unit->poison));
    return false;
}

bool driver_lock_schema(DbUnit *unit, GError **error) {
    const Driver *driver = unit->db->driver;
    GError *failure = NULL;
    bool done =
        unit->poison || !driver->lock_schema || driver->lock_schema(unit->session, &failure);
    return settle(unit, done, failure, error);
}

bool driver_migrate(DbUnit *unit, const MigrationText *migration, GError **error) {
    GError *failure = NULL;
    bool done = unit->poison || unit->db->driver->migrate(unit->session, migration, &failure);
    return settle(unit, done, failure, error);
}

/* --- Running and submitting ---------------------------------------------------------------- */

static Task *task_new(Db *db, const DbJob *job) {
    Task *task = g_new0(Task, 1);
    task->db = db;
    task->organization = g_strdup(job->scope.organization);
    task->actor = g_strdup(job->scope.actor);
    task->role = g_strdup(job->scope.role);
    task->scope = (DbScope){.organization = task->organization,
                            .actor = task->actor,
                            .role = task->role,
                            .system = job->scope.system};
    task->work = job->work;
    task->done = job->done;
    task->data = job->data;
    task->driver.mode = job->mode;
    task->driver.organization = task->organization;
    task->driver.attempt = task_attempt;
    task->driver.rehearse = db->rehearse;
    return task;
}

static void task_free(Task *task) {
    if (task->channels)
        g_ptr_array_unref(task->channels);
    g_free(task->organization);
    g_free(task->actor);
    g_free(task->role);
    g_free(task);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Task, task_free)

/* After the commit; the engine has told its listeners by itself if it can. */
static void tell_listeners(const Task *task, const GError *error) {
    if (error || !task->channels || task->db->driver->notify)
        return;
    for (unsigned i = 0; i < task->channels->len; i++)
        listening_tell(task->db->listening, task->channels->pdata[i]);
}

/* Done may submit units and must not wait, as the work function. */
static void finish_submitted(DriverTask *driver_task, const GError *error) {
    Task *task = (Task *)driver_task;
    tell_listeners(task, error);
    on_database_thread = true;
    if (task->done)
        task->done(task->data, error);
    on_database_thread = false;
    task_free(task);
}

bool db_submit(Db *db, const DbJob *job, GError **error) {
    g_autoptr(Task) task = task_new(db, job);
    task->driver.finish = finish_submitted;
    if (!db->driver->submit(db->database, &task->driver, error))
        return false;
    (void)g_steal_pointer(&task);
    return true;
}

/* The waiting thread owns the task and frees it as soon as the lock is given back. */
static void finish_waited(DriverTask *driver_task, const GError *error) {
    Waiter *waiter = ((Task *)driver_task)->waiter;
    tell_listeners((Task *)driver_task, error);
    pthread_mutex_lock(&waiter->lock);
    waiter->error = error ? g_error_copy(error) : NULL;
    waiter->is_finished = true;
    pthread_cond_signal(&waiter->finished);
    pthread_mutex_unlock(&waiter->lock);
}

static void wait_until_finished(Waiter *waiter) {
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->is_finished)
        pthread_cond_wait(&waiter->finished, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
}

bool db_run(Db *db, const DbScope *scope, DbMode mode, DbWork work, void *data, GError **error) {
    g_assert(!on_database_thread);
    Waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER, .finished = PTHREAD_COND_INITIALIZER};
    const DbJob job = {.scope = *scope, .mode = mode, .work = work, .data = data};
    g_autoptr(Task) task = task_new(db, &job);
    task->waiter = &waiter;
    task->driver.finish = finish_waited;
    task->driver.waits = true;
    if (!db->driver->submit(db->database, &task->driver, error))
        return false;
    wait_until_finished(&waiter);
    if (!waiter.error)
        return true;
    g_propagate_error(error, waiter.error);
    return false;
}

bool db_reads_here(const Db *db) {
    return db->driver->reads_here;
}

bool db_stamp(const Db *db, DbStamp *stamp_out) {
    return db->driver->stamp && db->driver->stamp(db->database, stamp_out);
}

/* --- News ---------------------------------------------------------------------------------- */

static bool is_channel(const char *text) {
    size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_.-");
    return size > 0 && size <= CHANNEL_SIZE_MAX && text[size] == '\0';
}

DbListener *db_listen(Db *db, const char *channel, DbHeard heard, void *data, GError **error) {
    if (is_channel(channel))
        return listening_add(db->listening, channel, heard, data, error);
    g_set_error(error, ASSAY_ERROR, ERROR_INTERNAL,
                "\"%s\" is no channel: a-z, 0-9, \"_\", \".\" and \"-\", at most %d", channel,
                CHANNEL_SIZE_MAX);
    return NULL;
}

void db_listen_end(DbListener *listener) {
    if (!listener)
        return;
    g_assert(!on_database_thread);
    listening_remove(listener);
}

/* Whether the unit may notify the channel, and has not yet. */
static bool is_news(DbUnit *unit, const char *channel) {
    if (unit->poison)
        return false;
    if (unit->task->driver.mode == DB_READ)
        poison(unit, ERROR_INTERNAL, "a unit that reads has nothing to notify of");
    else if (!is_channel(channel))
        poison(unit, ERROR_INTERNAL, "\"%s\" is no channel", channel);
    GPtrArray *channels = unit->task->channels;
    return !unit->poison &&
           !(channels && g_ptr_array_find_with_equal_func(channels, channel, g_str_equal, NULL));
}

void db_notify(DbUnit *unit, const char *channel) {
    if (!is_news(unit, channel))
        return;
    const Driver *driver = unit->db->driver;
    GError *error = NULL;
    if (driver->notify && !driver->notify(unit->session, channel, &error)) {
        db_unit_poison(unit, error);
        return;
    }
    Task *task = unit->task;
    if (!task->channels)
        task->channels = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(task->channels, g_strdup(channel));
}

static bool learns(const DbUnit *unit) {
    return unit->db->driver->era && unit->task->driver.mode == DB_WRITE &&
           unit->scope->organization && !unit->poison;
}

bool db_knows(const DbUnit *unit, const char *fact) {
    return learns(unit) && memo_has(unit->db->memo, unit->db->driver->era(unit->session),
                                    unit->scope->organization, fact);
}

void db_learn(DbUnit *unit, const char *fact) {
    if (learns(unit))
        memo_add(unit->db->memo, unit->db->driver->era(unit->session), unit->scope->organization,
                 fact);
}

void db_forget(DbUnit *unit, const char *fact) {
    if (learns(unit))
        memo_remove(unit->db->memo, unit->db->driver->era(unit->session), unit->scope->organization,
                    fact);
}

/* --- Statements ---------------------------------------------------------------------------- */

/* Whether the scope may run it; the poison says why not. */
static bool check_scope(DbUnit *unit, const StatementText *text) {
    if (text->kind == STATEMENT_SYSTEM && !unit->scope->system) {
        poison(unit, ERROR_INTERNAL, "the statement %s may run in system scope only", text->name);
        return false;
    }
    bool needs_organization = text->kind == STATEMENT_TENANT || statement_parameter(text, "org");
    if (needs_organization && !unit->scope->organization) {
        poison(unit, ERROR_INTERNAL, "the statement %s needs a scope with an organization",
               text->name);
        return false;
    }
    return true;
}

static DriverStatement *prepare_with_driver(DbUnit *unit, const StatementText *text) {
    GError *error = NULL;
    DriverStatement *driver = unit->db->driver->prepare(unit->session, text, &error);
    if (!driver)
        db_unit_poison(unit, error);
    return driver;
}

DbStatement *db_prepare(DbUnit *unit, const char *name) {
    DbStatement *statement = g_new0(DbStatement, 1);
    statement->unit = unit;
    g_ptr_array_add(unit->statements, statement);
    if (unit->poison)
        return statement;
    statement->text = statement_find(unit->db->catalogue, name);
    if (!statement->text)
        poison(unit, ERROR_INTERNAL, "there is no statement %s", name);
    else if (check_scope(unit, statement->text))
        statement->driver = prepare_with_driver(unit, statement->text);
    if (statement->driver)
        statement->driver->holder = statement;
    return statement;
}

/* Whether the handle can still be used; if not, the unit is poisoned. */
static bool is_usable(DbStatement *statement) {
    if (statement->unit->poison)
        return false;
    if (statement->driver->holder == statement)
        return true;
    poison(statement->unit, ERROR_INTERNAL,
           "the statement %s was prepared again while it was in use", statement->text->name);
    return false;
}

static void bind_value(DbStatement *statement, const char *name, const DriverValue *value) {
    if (!is_usable(statement))
        return;
    DbUnit *unit = statement->unit;
    int parameter = statement_parameter_behind(statement->text, name, statement->last);
    GError *error = NULL;
    if (parameter == 0)
        poison(unit, ERROR_INTERNAL, "the statement %s has no parameter :%s", statement->text->name,
               name);
    else if (statement->state == STATEMENT_ON_ROW)
        poison(unit, ERROR_INTERNAL, "the statement %s is on a row: reset it before binding",
               statement->text->name);
    else if (!unit->db->driver->bind(statement->driver, parameter, value, &error))
        db_unit_poison(unit, error);
    else
        statement->bound |= UINT64_C(1) << (parameter - 1);
    statement->last = parameter;
}

/* Binds for the caller, who has no business with the scope's own parameter. */
static void bind_caller_value(DbStatement *statement, const char *name, const DriverValue *value) {
    if (strcmp(name, "org") == 0)
        poison(statement->unit, ERROR_INTERNAL, "the parameter :org is bound from the scope only");
    else
        bind_value(statement, name, value);
}

void db_lend(DbStatement *statement) {
    statement->lent = true;
}

void db_bind_text(DbStatement *statement, const char *name, const char *text) {
    if (!text) {
        db_bind_null(statement, name);
        return;
    }
    size_t size = strlen(text);
    if (!text_is_utf8(text, size)) {
        poison(statement->unit, ERROR_INTERNAL, "the value of :%s is not UTF-8 text", name);
        return;
    }
    bind_caller_value(
        statement, name,
        &(DriverValue){.kind = VALUE_TEXT, .bytes = text, .size = size, .lent = statement->lent});
}

void db_bind_int(DbStatement *statement, const char *name, int64_t value) {
    bind_caller_value(statement, name, &(DriverValue){.kind = VALUE_INT, .integer = value});
}

void db_bind_real(DbStatement *statement, const char *name, double value) {
    bind_caller_value(statement, name, &(DriverValue){.kind = VALUE_REAL, .real = value});
}

void db_bind_blob(DbStatement *statement, const char *name, const void *bytes, size_t size) {
    const DriverValue value = {.kind = bytes ? VALUE_BLOB : VALUE_NULL,
                               .bytes = bytes,
                               .size = size,
                               .lent = statement->lent};
    bind_caller_value(statement, name, &value);
}

void db_bind_null(DbStatement *statement, const char *name) {
    bind_caller_value(statement, name, &(DriverValue){.kind = VALUE_NULL});
}

/* Before the first step of a run: :org, and no parameter forgotten. */
static bool begin_run(DbStatement *statement) {
    const StatementText *text = statement->text;
    const char *organization = statement->unit->scope->organization;
    if (statement_parameter(text, "org")) {
        const DriverValue value = {
            .kind = VALUE_TEXT, .bytes = organization, .size = strlen(organization), .lent = true};
        bind_value(statement, "org", &value);
    }
    for (size_t i = 0; i < text->parameter_count; i++) {
        if (!(statement->bound & (UINT64_C(1) << i)))
            poison(statement->unit, ERROR_INTERNAL, "the statement %s needs a value for :%s",
                   text->name, text->parameters[i]);
    }
    return !statement->unit->poison;
}

static void end_run(DbStatement *statement) {
    statement->state = STATEMENT_BINDING;
    statement->bound = 0;
}

static bool step(DbStatement *statement, bool *row_out) {
    DbUnit *unit = statement->unit;
    if (!is_usable(statement))
        return false;
    if (statement->state == STATEMENT_BINDING && !begin_run(statement))
        return false;
    GError *error = NULL;
    bool row = false;
    if (!unit->db->driver->step(statement->driver, &row, &error)) {
        end_run(statement);
        db_unit_poison(unit, error);
        return false;
    }
    if (row) {
        statement->state = STATEMENT_ON_ROW;
    } else {
        end_run(statement);
        unit->changes = unit->db->driver->changes(statement->driver);
    }
    *row_out = row;
    return true;
}

bool db_step(DbStatement *statement, bool *row_out, GError **error) {
    if (step(statement, row_out))
        return true;
    g_propagate_error(error, g_error_copy(statement->unit->poison));
    return false;
}

bool db_exec(DbStatement *statement, GError **error) {
    bool row = true;
    while (row) {
        if (!db_step(statement, &row, error))
            return false;
    }
    return true;
}

void db_reset(DbStatement *statement) {
    if (!is_usable(statement))
        return;
    statement->unit->db->driver->reset(statement->driver);
    end_run(statement);
}

/* --- Columns ------------------------------------------------------------------------------- */

static bool has_column(DbStatement *statement, int index) {
    if (!is_usable(statement))
        return false;
    const Driver *driver = statement->unit->db->driver;
    if (statement->state == STATEMENT_ON_ROW && index >= 0 &&
        index < driver->columns(statement->driver))
        return true;
    poison(statement->unit, ERROR_INTERNAL, "the statement %s has no column %d to read here",
           statement->text->name, index);
    return false;
}

bool db_column_is_null(DbStatement *statement, int index) {
    return !has_column(statement, index) ||
           statement->unit->db->driver->is_null(statement->driver, index);
}

const char *db_column_text(DbStatement *statement, int index) {
    if (db_column_is_null(statement, index))
        return NULL;
    return statement->unit->db->driver->read_text(statement->driver, index);
}

char *db_column_dup(DbStatement *statement, int index) {
    return g_strdup(db_column_text(statement, index));
}

int64_t db_column_int(DbStatement *statement, int index) {
    if (db_column_is_null(statement, index))
        return 0;
    return statement->unit->db->driver->read_int(statement->driver, index);
}

double db_column_real(DbStatement *statement, int index) {
    if (db_column_is_null(statement, index))
        return 0.0;
    return statement->unit->db->driver->read_real(statement->driver, index);
}

/* An empty blob is not null, though SQLite gives no address for it. */
const void *db_column_blob(DbStatement *statement, int index, size_t *size_out) {
    *size_out = 0;
    if (db_column_is_null(statement, index))
        return NULL;
    const void *bytes = statement->unit->db->driver->read_blob(statement->driver, index, size_out);
    return bytes ? bytes : "";
}
