#include "db/sqlite.h"
#include "db/group.h"
#include "db/thread.h"
#include "db/turnstile.h"
#include "db/wal_header.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define READERS 2
#define GUESTS 6                  /* connections for reads on the thread that waits for them */
#define WRITER (READERS + GUESTS) /* the index of the writer among the connections */
#define CONNECTIONS (WRITER + 1)
/* Marks the file as ours ("Asy1"), see https://www.sqlite.org/pragma.html#pragma_application_id */
#define APPLICATION_ID 0x41737931
#define WATCH_MS 200                 /* how often the commits of other processes are looked for */
#define VALUE_MAX (64 * 1024 * 1024) /* one value or row, in bytes */

/* Settings of every connection; WAL mode is set by the writer and stays with the file. */
static const char SETTINGS[] = "pragma foreign_keys = on;"
                               "pragma synchronous = full;"
                               "pragma secure_delete = on;"
                               "pragma mmap_size = 0;"
                               "pragma temp_store = memory;"
                               "pragma trusted_schema = off;"
                               "pragma wal_autocheckpoint = 1000;"
                               "pragma journal_size_limit = 8388608;";

/* What every unit runs, prepared once. */
typedef enum {
    CONTROL_READ,
    CONTROL_END_READ,
    CONTROL_WRITE,
    CONTROL_COMMIT,
    CONTROL_MARK,
    CONTROL_RELEASE,
    CONTROL_COUNT
} Control;

static const struct {
    const char *sql;
    const char *what; /* is being done */
} controls[] = {
    [CONTROL_READ] = {"begin", "reading"},
    [CONTROL_END_READ] = {"rollback", "reading"},
    [CONTROL_WRITE] = {"begin immediate", "beginning to write"},
    [CONTROL_COMMIT] = {"commit", "committing"},
    [CONTROL_MARK] = {"savepoint unit", "beginning a unit"},
    [CONTROL_RELEASE] = {"release unit", "ending a unit"},
};

struct DriverSession {
    DriverDatabase *database;
    sqlite3 *handle;
    sqlite3_stmt *controls[CONTROL_COUNT]; /* NULL until it is used */
    GHashTable *statements;                /* StatementText * -> Statement * */
    GPtrArray *used;                       /* Statement *, since the attempt began; not owned */
    uint64_t era;
    pthread_t thread;
    bool started;
};

/* Sessions that nobody uses now; they are opened when they are first lent. */
typedef struct {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    DriverSession *idle[GUESTS];
    unsigned count;
    bool closed;
} Guests;

struct DriverDatabase {
    char *path;
    int64_t busy_limit_ms;
    Turnstile *turnstile;
    Queue *reads;
    Queue *writes;
    Guests guests;
    const volatile void *index; /* the wal-index, mapped as long as a session is open; or NULL */
    DriverSession sessions[CONNECTIONS];
    atomic_int free; /* readers that wait or will at once, less the reads that wait for one */
    pthread_mutex_t opening; /* guards readers and closing */
    int readers;             /* how many run */
    bool closing;
};

typedef struct {
    DriverStatement head;
    DriverSession *session;
    sqlite3_stmt *handle;
    int64_t changes;
    bool used; /* in session->used */
} Statement;

static void statement_free(void *data) {
    Statement *statement = data;
    sqlite3_finalize(statement->handle);
    g_free(statement);
}

/* --- Errors -------------------------------------------------------------------------------- */

typedef struct {
    int result; /* an extended result code, or a primary one */
    ErrorCode code;
    const char *advice;
} ErrorText;

/* Extended codes stand before their primary code. */
static const ErrorText error_texts[] = {
    {SQLITE_CONSTRAINT_UNIQUE, ERROR_CONFLICT, "a row with this key exists already"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, ERROR_CONFLICT, "a row with this key exists already"},
    {SQLITE_CONSTRAINT, ERROR_DATABASE, "a rule of the schema was broken"},
    {SQLITE_FULL, ERROR_DATABASE, "no space is left on its disk: free some and run again"},
    {SQLITE_BUSY, ERROR_DATABASE,
     "another process held the write lock too long: try again when it is done"},
    {SQLITE_READONLY, ERROR_DATABASE, "it is open for reading only"},
    {SQLITE_NOTADB, ERROR_CONFIGURATION, "it is not a database: name another file"},
    {SQLITE_CORRUPT, ERROR_DATABASE, "it is damaged: restore it from a backup"},
    {SQLITE_CANTOPEN, ERROR_CONFIGURATION,
     "it cannot be opened: check the folder and its permissions"},
    {SQLITE_IOERR, ERROR_DATABASE, "reading or writing failed: check the disk"},
    {SQLITE_TOOBIG, ERROR_LIMIT, "a value is too large"},
    {SQLITE_NOMEM, ERROR_DATABASE, "memory ran out"},
};

static bool is_no_space(int cause) {
    return cause == ENOSPC || cause == EDQUOT || cause == EFBIG;
}

/* What the operating system said about the file last; https://www.sqlite.org/c3ref/file.html */
static int last_errno(sqlite3 *handle, int which) {
    sqlite3_file *file = NULL;
    int cause = 0;
    if (sqlite3_file_control(handle, "main", which, &file) == SQLITE_OK && file && file->pMethods)
        (void)file->pMethods->xFileControl(file, SQLITE_FCNTL_LAST_ERRNO, &cause);
    return cause;
}

/* SQLite calls a full disk an I/O error when the cause is a quota or a file size limit. */
static int refine_result(sqlite3 *handle) {
    int result = sqlite3_extended_errcode(handle);
    if ((result & 0xff) != SQLITE_IOERR)
        return result;
    bool no_space = is_no_space(last_errno(handle, SQLITE_FCNTL_FILE_POINTER)) ||
                    is_no_space(last_errno(handle, SQLITE_FCNTL_JOURNAL_POINTER));
    return no_space ? SQLITE_FULL : result;
}

static const ErrorText *find_error_text(int result) {
    static const ErrorText unknown = {SQLITE_ERROR, ERROR_DATABASE, "it refused the statement"};
    for (size_t i = 0; i < G_N_ELEMENTS(error_texts); i++) {
        if (error_texts[i].result == result || error_texts[i].result == (result & 0xff))
            return &error_texts[i];
    }
    return &unknown;
}

/* what: the statement's name or what was being done. SQLite's message names columns and syntax,
 * never a bound value. */
static void set_error(GError **error, const DriverSession *session, const char *what) {
    const ErrorText *text = find_error_text(refine_result(session->handle));
    g_set_error(error, ASSAY_ERROR, text->code, "%s in the database %s: %s (SQLite: %s)", what,
                session->database->path, text->advice, sqlite3_errmsg(session->handle));
}

static bool run_sql(DriverSession *session, const char *sql, const char *what, GError **error) {
    if (sqlite3_exec(session->handle, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    set_error(error, session, what);
    return false;
}

static bool run_control(DriverSession *session, Control control, GError **error) {
    sqlite3_stmt **statement = &session->controls[control];
    if (!*statement)
        (void)sqlite3_prepare_v3(session->handle, controls[control].sql, -1,
                                 SQLITE_PREPARE_PERSISTENT, statement, NULL);
    bool done = *statement && sqlite3_step(*statement) == SQLITE_DONE;
    if (!done)
        set_error(error, session, controls[control].what);
    (void)sqlite3_reset(*statement);
    return done;
}

/* The single value of a pragma as text; NULL with the error set. */
static char *read_pragma(DriverSession *session, const char *sql, GError **error) {
    sqlite3_stmt *statement = NULL;
    char *value = NULL;
    if (sqlite3_prepare_v2(session->handle, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        value = g_strdup((const char *)sqlite3_column_text(statement, 0));
    if (!value)
        set_error(error, session, "opening");
    sqlite3_finalize(statement);
    return value;
}

/* --- Transactions of the writer ------------------------------------------------------------ */

/* Called by SQLite while another process has the lock. A steady millisecond finds a short gap
 * better than SQLite's own growing pauses. */
static int wait_for_lock(void *data, int waits) {
    const DriverDatabase *database = data;
    const struct timespec pause = {.tv_nsec = 1000000};
    if (waits >= database->busy_limit_ms)
        return 0;
    nanosleep(&pause, NULL);
    return 1;
}

static bool writer_begin(void *connection, GError **error) {
    DriverSession *session = connection;
    turnstile_enter(session->database->turnstile, session->database->busy_limit_ms);
    bool begun = run_control(session, CONTROL_WRITE, error);
    session->era++;
    turnstile_leave(session->database->turnstile);
    return begun;
}

static bool writer_commit(void *connection, GError **error) {
    return run_control(connection, CONTROL_COMMIT, error);
}

static bool writer_is_lost(void *connection) {
    const DriverSession *session = connection;
    return sqlite3_get_autocommit(session->handle) != 0;
}

static void writer_rollback(void *connection) {
    if (!writer_is_lost(connection))
        (void)run_sql(connection, "rollback", "rolling back", NULL);
}

static bool writer_mark(void *connection, GError **error) {
    return run_control(connection, CONTROL_MARK, error);
}

static bool writer_release(void *connection, GError **error) {
    return run_control(connection, CONTROL_RELEASE, error);
}

static void writer_undo(void *connection) {
    DriverSession *session = connection;
    session->era++;
    (void)run_sql(connection, "rollback to unit; release unit", "rolling back a unit", NULL);
}

static void session_reset_statements(void *connection) {
    DriverSession *session = connection;
    for (unsigned i = 0; i < session->used->len; i++) {
        Statement *statement = session->used->pdata[i];
        sqlite3_reset(statement->handle);
        sqlite3_clear_bindings(statement->handle);
        statement->used = false;
    }
    g_ptr_array_set_size(session->used, 0);
}

/* --- Threads ------------------------------------------------------------------------------- */

static void *write_loop(void *data) {
    DriverSession *session = data;
    const GroupEngine engine = {
        .connection = session,
        .session = session,
        .begin = writer_begin,
        .commit = writer_commit,
        .rollback = writer_rollback,
        .mark = writer_mark,
        .release = writer_release,
        .undo = writer_undo,
        .is_lost = writer_is_lost,
        .reset_statements = session_reset_statements,
    };
    DriverTask *task;
    while ((task = queue_pop(session->database->writes)))
        group_run(&engine, session->database->writes, task);
    return NULL;
}

static bool read_once(DriverSession *session, DriverTask *task, GError **error) {
    if (!run_control(session, CONTROL_READ, error))
        return false;
    bool done = task->attempt(task, session, error);
    session_reset_statements(session);
    if (!sqlite3_get_autocommit(session->handle))
        (void)run_control(session, CONTROL_END_READ, NULL);
    return done;
}

static void read_task(DriverSession *session, DriverTask *task, GError **error) {
    if (task->rehearse)
        (void)read_once(session, task, NULL);
    (void)read_once(session, task, error);
}

static void *read_loop(void *data) {
    DriverSession *session = data;
    DriverTask *task;
    while ((task = queue_pop(session->database->reads))) {
        g_autoptr(GError) error = NULL;
        read_task(session, task, &error);
        atomic_fetch_add(&session->database->free, 1);
        task->finish(task, error);
    }
    return NULL;
}

static bool start_thread(DriverSession *session, void *(*loop)(void *), GError **error) {
    session->started = thread_start(&session->thread, loop, session, error);
    return session->started;
}

/* --- Opening ------------------------------------------------------------------------------- */

/* A file that SQLite creates is readable by all; ours is not. An existing file is left alone:
 * closing a descriptor of it would drop the locks of other connections of this process. */
static bool create_file(const char *path, GError **error) {
    g_autofree char *folder = g_path_get_dirname(path);
    if (!g_file_test(folder, G_FILE_TEST_IS_DIR)) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the folder %s of the database does not exist: create it first", folder);
        return false;
    }
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file >= 0)
        close(file);
    else if (errno != EEXIST) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "cannot create the database %s (%s): check the folder's permissions", path,
                    g_strerror(errno));
        return false;
    }
    return true;
}

static void harden(sqlite3 *handle) {
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    sqlite3_db_config(handle, SQLITE_DBCONFIG_DQS_DDL, 0, NULL);
    sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, 0);
    sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, VALUE_MAX);
}

static bool open_session(DriverDatabase *database, DriverSession *session, GError **error) {
    session->database = database;
    session->statements = g_hash_table_new_full(NULL, NULL, NULL, statement_free);
    session->used = g_ptr_array_new();
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    int result = sqlite3_open_v2(database->path, &session->handle, flags, NULL);
    if (!session->handle)
        g_error("out of memory while opening a database");
    if (result != SQLITE_OK) {
        set_error(error, session, "opening");
        return false;
    }
    /* SQLite opens what it may not write for reading, and only the first write fails. */
    if (sqlite3_db_readonly(session->handle, "main") == 1) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the database %s cannot be written: give this user write access",
                    database->path);
        return false;
    }
    harden(session->handle);
    sqlite3_busy_handler(session->handle, wait_for_lock, database);
    return run_sql(session, SETTINGS, "opening", error);
}

/* Takes an empty file as ours, refuses another program's. */
static bool claim_file(DriverSession *session, GError **error) {
    const char *path = session->database->path;
    g_autofree char *id = read_pragma(session, "pragma application_id", error);
    g_autofree char *schema = id ? read_pragma(session, "pragma schema_version", error) : NULL;
    if (!schema)
        return false;
    if (g_ascii_strtoll(id, NULL, 10) == APPLICATION_ID)
        return true;
    if (g_strcmp0(id, "0") != 0 || g_strcmp0(schema, "0") != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "%s is the database of another program: name another file", path);
        return false;
    }
    g_autofree char *sql = g_strdup_printf("pragma application_id = %d", APPLICATION_ID);
    return run_sql(session, sql, "opening", error);
}

/* Through the VFS, as SQLite itself: https://www.sqlite.org/c3ref/io_methods.html. A descriptor of
 * our own would drop SQLite's locks when it is closed. */
static const volatile void *find_index(sqlite3 *handle) {
    sqlite3_file *file = NULL;
    volatile void *index = NULL;
    if (sqlite3_file_control(handle, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK ||
        !file || !file->pMethods || file->pMethods->iVersion < 2 ||
        file->pMethods->xShmMap(file, 0, WAL_INDEX_BLOCK, 0, &index) != SQLITE_OK)
        return NULL;
    return index;
}

static bool open_writer(DriverDatabase *database, GError **error) {
    DriverSession *session = &database->sessions[WRITER];
    if (!open_session(database, session, error))
        return false;
    if (!claim_file(session, error))
        return false;
    g_autofree char *mode = read_pragma(session, "pragma journal_mode = wal", error);
    if (!mode)
        return false;
    if (g_strcmp0(mode, "wal") != 0) {
        g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                    "the database %s cannot use a write-ahead log: keep it on a local disk",
                    database->path);
        return false;
    }
    /* The first read in this mode opens the log and its index. */
    g_autofree char *schema = read_pragma(session, "pragma schema_version", error);
    database->index = schema ? find_index(session->handle) : NULL;
    return schema != NULL;
}

static bool open_reader(DriverDatabase *database, DriverSession *session, GError **error) {
    return open_session(database, session, error) &&
           run_sql(session, "pragma query_only = on", "opening", error);
}

static void close_session(DriverSession *session) {
    if (!session->database)
        return;
    g_hash_table_unref(session->statements);
    g_ptr_array_unref(session->used);
    for (int i = 0; i < CONTROL_COUNT; i++)
        sqlite3_finalize(session->controls[i]);
    sqlite3_close(session->handle);
    *session = (DriverSession){0};
}

static bool open_file(DriverDatabase *database, GError **error) {
    g_autofree char *beside = g_strconcat(database->path, "-turn", NULL);
    if (!create_file(database->path, error))
        return false;
    database->turnstile = turnstile_new(beside, error);
    if (!database->turnstile)
        return false;
    /* One process at a time: SQLite does not wait for the lock when it turns to WAL mode. */
    turnstile_enter(database->turnstile, database->busy_limit_ms);
    bool opened = open_writer(database, error);
    turnstile_leave(database->turnstile);
    return opened && start_thread(&database->sessions[WRITER], write_loop, error);
}

static bool start_reader(DriverDatabase *database, GError **error) {
    DriverSession *session = &database->sessions[database->readers];
    if (!open_reader(database, session, error) || !start_thread(session, read_loop, error)) {
        close_session(session);
        return false;
    }
    database->readers++;
    atomic_fetch_add(&database->free, 1);
    return true;
}

/* A reader costs a look at the whole schema, and most commands read one thing after the other. What
 * comes while one reads has another opened for it, or waits when that fails. */
static bool find_reader(DriverDatabase *database, GError **error) {
    g_autoptr(GError) failure = NULL;
    pthread_mutex_lock(&database->opening);
    if (!database->closing && database->readers < READERS)
        (void)start_reader(database, &failure);
    bool found = database->closing || database->readers > 0;
    pthread_mutex_unlock(&database->opening);
    if (!found)
        g_propagate_error(error, g_steal_pointer(&failure));
    return found;
}

/* --- Guests -------------------------------------------------------------------------------- */

static void guests_init(DriverDatabase *database) {
    Guests *guests = &database->guests;
    pthread_mutex_init(&guests->lock, NULL);
    pthread_cond_init(&guests->returned, NULL);
    for (unsigned i = 0; i < GUESTS; i++)
        guests->idle[guests->count++] = &database->sessions[READERS + i];
}

/* Lends none any more, and waits for those that are out. */
static void guests_close(Guests *guests) {
    pthread_mutex_lock(&guests->lock);
    guests->closed = true;
    while (guests->count < GUESTS)
        pthread_cond_wait(&guests->returned, &guests->lock);
    pthread_mutex_unlock(&guests->lock);
}

/* The one that was used last; NULL when there is none. */
static DriverSession *lend(Guests *guests) {
    pthread_mutex_lock(&guests->lock);
    bool has = !guests->closed && guests->count > 0;
    DriverSession *session = has ? guests->idle[--guests->count] : NULL;
    pthread_mutex_unlock(&guests->lock);
    return session;
}

static void give_back(Guests *guests, DriverSession *session) {
    pthread_mutex_lock(&guests->lock);
    guests->idle[guests->count++] = session;
    if (guests->closed)
        pthread_cond_signal(&guests->returned);
    pthread_mutex_unlock(&guests->lock);
}

static bool ensure_open(DriverDatabase *database, DriverSession *session) {
    if (session->database || open_reader(database, session, NULL))
        return true;
    close_session(session);
    return false;
}

/* Reads on this thread, which would only wait for another one. False: it has not. */
static bool read_here(DriverDatabase *database, DriverTask *task) {
    DriverSession *session = lend(&database->guests);
    bool opened = session && ensure_open(database, session);
    g_autoptr(GError) error = NULL;
    if (opened)
        read_task(session, task, &error);
    if (session)
        give_back(&database->guests, session);
    if (opened)
        task->finish(task, error);
    return opened;
}

/* --- Life ---------------------------------------------------------------------------------- */

static void sqlite_close(DriverDatabase *database) {
    guests_close(&database->guests);
    pthread_mutex_lock(&database->opening);
    database->closing = true;
    pthread_mutex_unlock(&database->opening);
    queue_close(database->reads);
    queue_close(database->writes);
    for (int i = 0; i < CONNECTIONS; i++) {
        if (database->sessions[i].started)
            pthread_join(database->sessions[i].thread, NULL);
    }
    /* The writer last: the last connection checkpoints the log and removes it. */
    for (int i = 0; i < CONNECTIONS; i++)
        close_session(&database->sessions[i]);
    turnstile_free(database->turnstile);
    queue_free(database->reads);
    queue_free(database->writes);
    pthread_cond_destroy(&database->guests.returned);
    pthread_mutex_destroy(&database->guests.lock);
    pthread_mutex_destroy(&database->opening);
    g_free(database->path);
    g_free(database);
}

static bool check_path(const char *path, GError **error) {
    if (*path && !strchr(path, '?') && path[0] != ':')
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "the database URL \"sqlite:%s\" names no file: write sqlite:PATH", path);
    return false;
}

/* SQLite counts its memory under one lock for all threads, which nobody asks for. */
static void configure(void) {
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

static DriverDatabase *sqlite_open(const DriverSettings *settings, GError **error) {
    static pthread_once_t configured = PTHREAD_ONCE_INIT;
    (void)pthread_once(&configured, configure);
    if (!check_path(settings->path, error))
        return NULL;
    DriverDatabase *database = g_new0(DriverDatabase, 1);
    database->path = g_strdup(settings->path);
    database->busy_limit_ms = settings->busy_limit_ms;
    database->reads = queue_new(settings->queue_limit);
    database->writes = queue_new(settings->queue_limit);
    guests_init(database);
    pthread_mutex_init(&database->opening, NULL);
    if (!open_file(database, error)) {
        sqlite_close(database);
        return NULL;
    }
    return database;
}

static bool submit_read(DriverDatabase *database, DriverTask *task, GError **error) {
    bool busy = atomic_fetch_sub(&database->free, 1) <= 0;
    if ((!busy || find_reader(database, error)) && queue_push(database->reads, task, error))
        return true;
    atomic_fetch_add(&database->free, 1);
    return false;
}

static bool sqlite_submit(DriverDatabase *database, DriverTask *task, GError **error) {
    if (task->mode == DB_WRITE)
        return queue_push(database->writes, task, error);
    return (task->waits && read_here(database, task)) || submit_read(database, task, error);
}

static uint64_t sqlite_era(const DriverSession *session) {
    return session->era;
}

G_STATIC_ASSERT(DB_STAMP_SIZE == WAL_HEADER_SIZE);

static bool sqlite_stamp(const DriverDatabase *database, DbStamp *stamp_out) {
    return database->index && wal_header_read(database->index, stamp_out->bytes);
}

/* --- Watching ------------------------------------------------------------------------------ */

/* A connection of its own: https://www.sqlite.org/pragma.html#pragma_data_version changes with the
 * commits of all others, this process's own too. */
struct DriverWatch {
    DriverDatabase *database;
    sqlite3 *handle;
    sqlite3_stmt *look;
    int64_t version;
    GPtrArray *seen; /* char *, the channels of the last wait */
};

static DriverWatch *sqlite_watch_begin(DriverDatabase *database) {
    DriverWatch *watch = g_new0(DriverWatch, 1);
    watch->database = database;
    watch->seen = g_ptr_array_new_with_free_func(g_free);
    return watch;
}

static void watch_close(DriverWatch *watch) {
    sqlite3_finalize(g_steal_pointer(&watch->look));
    sqlite3_close(g_steal_pointer(&watch->handle));
}

static void sqlite_watch_end(DriverWatch *watch) {
    watch_close(watch);
    g_ptr_array_unref(watch->seen);
    g_free(watch);
}

static bool watch_open(DriverWatch *watch) {
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE;
    if (watch->look)
        return true;
    if (sqlite3_open_v2(watch->database->path, &watch->handle, flags, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(watch->handle, "pragma data_version", -1, &watch->look, NULL) ==
            SQLITE_OK)
        return true;
    watch_close(watch);
    return false;
}

/* Whether somebody has written since the last look; true also for the first one. */
static bool has_changed(DriverWatch *watch) {
    if (!watch_open(watch) || sqlite3_step(watch->look) != SQLITE_ROW) {
        watch_close(watch);
        return false;
    }
    int64_t version = sqlite3_column_int64(watch->look, 0);
    sqlite3_reset(watch->look);
    bool changed = version != watch->version;
    watch->version = version;
    return changed;
}

/* Whether there were channels that the last wait did not have. */
static bool tell_new_channels(DriverWatch *watch, const GPtrArray *channels, DriverTell tell,
                              void *data) {
    GPtrArray *now = g_ptr_array_new_with_free_func(g_free);
    bool told = false;
    for (unsigned i = 0; i < channels->len; i++) {
        const char *channel = channels->pdata[i];
        bool seen = g_ptr_array_find_with_equal_func(watch->seen, channel, g_str_equal, NULL);
        if (!seen)
            tell(data, channel);
        told = told || !seen;
        g_ptr_array_add(now, g_strdup(channel));
    }
    g_ptr_array_unref(watch->seen);
    watch->seen = now;
    return told;
}

static void sqlite_watch_wait(DriverWatch *watch, const GPtrArray *channels, int wake_fd,
                              DriverTell tell, void *data) {
    struct pollfd wake = {.fd = wake_fd, .events = POLLIN};
    bool changed = has_changed(watch);
    if (changed)
        tell(data, NULL);
    bool told = tell_new_channels(watch, channels, tell, data);
    if (!changed && !told)
        (void)poll(&wake, 1, WATCH_MS);
}

/* --- Statements ---------------------------------------------------------------------------- */

static Statement *prepare_new(DriverSession *session, const StatementText *text, GError **error) {
    sqlite3_stmt *handle = NULL;
    int result = sqlite3_prepare_v3(session->handle, text->sqlite, -1, SQLITE_PREPARE_PERSISTENT,
                                    &handle, NULL);
    if (result != SQLITE_OK) {
        set_error(error, session, text->name);
        return NULL;
    }
    Statement *statement = g_new0(Statement, 1);
    statement->head.text = text;
    statement->session = session;
    statement->handle = handle;
    g_hash_table_insert(session->statements, (gpointer)(uintptr_t)text, statement);
    return statement;
}

static void sqlite_reset(DriverStatement *head) {
    Statement *statement = (Statement *)head;
    sqlite3_reset(statement->handle);
    sqlite3_clear_bindings(statement->handle);
}

static DriverStatement *sqlite_prepare(DriverSession *session, const StatementText *text,
                                       GError **error) {
    Statement *statement = g_hash_table_lookup(session->statements, text);
    if (!statement)
        statement = prepare_new(session, text, error);
    if (!statement)
        return NULL;
    if (statement->used)
        sqlite_reset(&statement->head);
    else
        g_ptr_array_add(session->used, statement);
    statement->used = true;
    statement->changes = 0;
    return &statement->head;
}

static bool sqlite_migrate(DriverSession *session, const MigrationText *migration, GError **error) {
    g_autofree char *what =
        g_strdup_printf("migration %d (%s)", migration->version, migration->name);
    return run_sql(session, migration->sqlite, what, error);
}

static bool sqlite_bind(DriverStatement *head, int parameter, const DriverValue *value,
                        GError **error) {
    Statement *statement = (Statement *)head;
    sqlite3_stmt *handle = statement->handle;
    sqlite3_destructor_type life = value->lent ? SQLITE_STATIC : SQLITE_TRANSIENT;
    int result = SQLITE_MISUSE;
    switch (value->kind) {
    case VALUE_NULL:
        result = sqlite3_bind_null(handle, parameter);
        break;
    case VALUE_INT:
        result = sqlite3_bind_int64(handle, parameter, value->integer);
        break;
    case VALUE_REAL:
        result = sqlite3_bind_double(handle, parameter, value->real);
        break;
    case VALUE_TEXT:
        result =
            sqlite3_bind_text64(handle, parameter, value->bytes, value->size, life, SQLITE_UTF8);
        break;
    case VALUE_BLOB:
        result = sqlite3_bind_blob64(handle, parameter, value->bytes, value->size, life);
        break;
    }
    if (result == SQLITE_OK)
        return true;
    set_error(error, statement->session, head->text->name);
    return false;
}

static bool sqlite_step(DriverStatement *head, bool *row_out, GError **error) {
    Statement *statement = (Statement *)head;
    int result = sqlite3_step(statement->handle);
    if (result == SQLITE_ROW) {
        *row_out = true;
        return true;
    }
    if (result != SQLITE_DONE) {
        set_error(error, statement->session, head->text->name);
        sqlite_reset(head);
        return false;
    }
    bool reads = sqlite3_stmt_readonly(statement->handle) != 0;
    statement->changes = reads ? 0 : sqlite3_changes64(statement->session->handle);
    sqlite_reset(head);
    *row_out = false;
    return true;
}

static int64_t sqlite_changes(DriverStatement *head) {
    return ((Statement *)head)->changes;
}

static int sqlite_columns(DriverStatement *head) {
    return sqlite3_column_count(((Statement *)head)->handle);
}

static bool sqlite_is_null(DriverStatement *head, int index) {
    return sqlite3_column_type(((Statement *)head)->handle, index) == SQLITE_NULL;
}

static int64_t sqlite_read_int(DriverStatement *head, int index) {
    return sqlite3_column_int64(((Statement *)head)->handle, index);
}

static double sqlite_read_real(DriverStatement *head, int index) {
    return sqlite3_column_double(((Statement *)head)->handle, index);
}

static const char *sqlite_read_text(DriverStatement *head, int index) {
    return (const char *)sqlite3_column_text(((Statement *)head)->handle, index);
}

static const void *sqlite_read_blob(DriverStatement *head, int index, size_t *size_out) {
    sqlite3_stmt *handle = ((Statement *)head)->handle;
    const void *bytes = sqlite3_column_blob(handle, index);
    *size_out = (size_t)sqlite3_column_bytes(handle, index);
    return bytes;
}

const Driver sqlite_driver = {
    .open = sqlite_open,
    .close = sqlite_close,
    .reads_here = true,
    .stamp = sqlite_stamp,
    .era = sqlite_era,
    .submit = sqlite_submit,
    .prepare = sqlite_prepare,
    .migrate = sqlite_migrate,
    .bind = sqlite_bind,
    .step = sqlite_step,
    .reset = sqlite_reset,
    .changes = sqlite_changes,
    .watch_begin = sqlite_watch_begin,
    .watch_wait = sqlite_watch_wait,
    .watch_end = sqlite_watch_end,
    .columns = sqlite_columns,
    .is_null = sqlite_is_null,
    .read_int = sqlite_read_int,
    .read_real = sqlite_read_real,
    .read_text = sqlite_read_text,
    .read_blob = sqlite_read_blob,
};
