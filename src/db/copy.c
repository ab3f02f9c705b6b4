#include "db/copy.h"

#include "base/clock.h"
#include "base/error.h"
#include "db/copy_table.h"
#include "db/db.h"
#include "db/migrate.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE_ROWS 500
#define PAGE_BULKY_ROWS 32
#define NAME_MAX_SIZE 96
/* What the operator did is kept under this name beside the organizations (store/audit.h). */
#define INSTALLATION "installation"

/* Rows as bytes, so that equal rows are equal bytes: per column one byte of kind, and then 8 bytes
 * for a number, or a 4-byte length and so many bytes. */
enum { CELL_NULL, CELL_INT, CELL_REAL, CELL_BYTES };

typedef struct {
    GByteArray *bytes;
    size_t rows;
    size_t last; /* where the last row begins */
} Page;

typedef struct {
    Db *from;
    Db *to;
    const CopyPlan *plan;
    CopyReport report;
    const CopyTable *table;
    DbScope scope;
    Page *before; /* the page before; no rows: none */
    Page *page;
    Page *other; /* of the target */
    bool verifying;
    FILE *spool; /* of a source that is worked on; else NULL */
} Copy;

/* --- rows as bytes ---------------------------------------------------------------------------- */

static Page *page_new(void) {
    Page *page = g_new0(Page, 1);
    page->bytes = g_byte_array_new();
    return page;
}

static void page_free(Page *page) {
    g_byte_array_unref(page->bytes);
    g_free(page);
}

static void page_empty(Page *page) {
    g_byte_array_set_size(page->bytes, 0);
    page->rows = page->last = 0;
}

static void put(Page *page, uint8_t kind, const void *bytes, size_t size) {
    g_byte_array_append(page->bytes, &kind, 1);
    if (kind == CELL_BYTES) {
        uint32_t length = (uint32_t)size;
        g_byte_array_append(page->bytes, (const guint8 *)&length, sizeof length);
    }
    if (size > 0)
        g_byte_array_append(page->bytes, bytes, (guint)size);
}

static void put_cell(Page *page, DbStatement *statement, int index, CopyType type) {
    if (db_column_is_null(statement, index)) {
        put(page, CELL_NULL, NULL, 0);
    } else if (type == COPY_INT) {
        int64_t number = db_column_int(statement, index);
        put(page, CELL_INT, &number, sizeof number);
    } else if (type == COPY_REAL) {
        double number = db_column_real(statement, index);
        put(page, CELL_REAL, &number, sizeof number);
    } else if (type == COPY_TEXT) {
        const char *text = db_column_text(statement, index);
        put(page, CELL_BYTES, text, strlen(text));
    } else {
        size_t size = 0;
        const void *bytes = db_column_blob(statement, index, &size);
        put(page, CELL_BYTES, bytes, size);
    }
}

/* One cell, and where the next one is. */
typedef struct {
    uint8_t kind;
    const guint8 *bytes;
    size_t size;
} Cell;

static Cell take_cell(const Page *page, size_t *at) {
    const guint8 *start = page->bytes->data + *at;
    Cell cell = {.kind = start[0], .bytes = start + 1};
    if (cell.kind == CELL_BYTES) {
        uint32_t length;
        memcpy(&length, cell.bytes, sizeof length);
        cell.bytes += sizeof length;
        cell.size = length;
    } else if (cell.kind != CELL_NULL) {
        cell.size = sizeof(int64_t);
    }
    *at = (size_t)(cell.bytes - page->bytes->data) + cell.size;
    return cell;
}

static void bind_cell(DbStatement *statement, const CopyColumn *column, Cell cell) {
    if (cell.kind == CELL_NULL) {
        db_bind_null(statement, column->name);
    } else if (cell.kind == CELL_INT) {
        int64_t number;
        memcpy(&number, cell.bytes, sizeof number);
        db_bind_int(statement, column->name, number);
    } else if (cell.kind == CELL_REAL) {
        double number;
        memcpy(&number, cell.bytes, sizeof number);
        db_bind_real(statement, column->name, number);
    } else if (column->type == COPY_BLOB) {
        db_bind_blob(statement, column->name, cell.bytes, cell.size);
    } else {
        g_autofree char *text = g_strndup((const char *)cell.bytes, cell.size);
        db_bind_text(statement, column->name, text);
    }
}

/* --- units ------------------------------------------------------------------------------------ */

static DbStatement *prepare(DbUnit *unit, const char *what, const CopyTable *table) {
    char name[NAME_MAX_SIZE];
    g_snprintf(name, sizeof name, "copy_%s_%s", what, table->name);
    return db_prepare(unit, name);
}

static void bind_places(DbStatement *statement, const CopyTable *table, const Page *before) {
    size_t at = before->last;
    for (size_t i = 0; i < table->column_count; i++) {
        Cell cell = take_cell(before, &at);
        if (table->columns[i].place)
            bind_cell(statement, &table->columns[i], cell);
    }
}

static size_t page_rows(const CopyTable *table) {
    return table->bulky ? PAGE_BULKY_ROWS : PAGE_ROWS;
}

/* Reads the rows behind those of copy->before. */
static bool read_page(DbUnit *unit, const Copy *copy, Page *page, GError **error) {
    const CopyTable *table = copy->table;
    bool first = copy->before->rows == 0;
    DbStatement *statement = prepare(unit, first ? "first" : "next", table);
    page_empty(page);
    db_bind_int(statement, "limit", (int64_t)page_rows(table));
    if (!first)
        bind_places(statement, table, copy->before);
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        page->last = page->bytes->len;
        page->rows++;
        for (size_t i = 0; i < table->column_count; i++)
            put_cell(page, statement, (int)i, table->columns[i].type);
    }
}

static bool read_source(DbUnit *unit, void *data, GError **error) {
    const Copy *copy = data;
    return read_page(unit, copy, copy->page, error);
}

static bool read_target(DbUnit *unit, void *data, GError **error) {
    const Copy *copy = data;
    return read_page(unit, copy, copy->other, error);
}

static bool write_target(DbUnit *unit, void *data, GError **error) {
    const Copy *copy = data;
    const CopyTable *table = copy->table;
    size_t at = 0;
    for (size_t row = 0; row < copy->page->rows; row++) {
        DbStatement *statement = prepare(unit, "insert", table);
        for (size_t i = 0; i < table->column_count; i++) {
            Cell cell = take_cell(copy->page, &at);
            bool bound = table->tenant && strcmp(table->columns[i].name, "organization_id") == 0;
            if (!bound) /* the driver binds the organization */
                bind_cell(statement, &table->columns[i], cell);
        }
        if (!db_exec(statement, error))
            return false;
    }
    return true;
}

/* --- one table of one organization ------------------------------------------------------------ */

static void tell(const Copy *copy) {
    CopyProgress progress = {
        .table = copy->table->name, .rows = copy->report.rows, .verifying = copy->verifying};
    if (copy->plan->told)
        copy->plan->told(&progress, copy->plan->data);
}

static bool differ(const Copy *copy, GError **error) {
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                "table %s is not the same in both databases: somebody writes to one of them, or "
                "the target held other rows; stop every `assay serve`, empty the target and copy "
                "again",
                copy->table->name);
    return false;
}

static bool compare_page(Copy *copy, GError **error) {
    if (!db_run(copy->to, &copy->scope, DB_READ, read_target, copy, error))
        return false;
    const GByteArray *a = copy->page->bytes;
    const GByteArray *b = copy->other->bytes;
    bool same = a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
    return same || differ(copy, error);
}

static bool pass_table(Copy *copy, GError **error) {
    page_empty(copy->before);
    do {
        if (!db_run(copy->from, &copy->scope, DB_READ, read_source, copy, error))
            return false;
        bool ok = copy->verifying
                      ? compare_page(copy, error)
                      : copy->page->rows == 0 ||
                            db_run(copy->to, &copy->scope, DB_WRITE, write_target, copy, error);
        if (!ok)
            return false;
        copy->report.rows += copy->page->rows;
        tell(copy);
        Page *read = copy->page;
        copy->page = copy->before;
        copy->before = read;
    } while (copy->table->places && copy->before->rows == page_rows(copy->table));
    return true;
}

/* --- organizations ---------------------------------------------------------------------------- */

static bool list_work(DbUnit *unit, void *data, GError **error) {
    GPtrArray *ids = data;
    g_ptr_array_set_size(ids, 0);
    DbStatement *statement = db_prepare(unit, "copy_organizations");
    for (;;) {
        bool row = false;
        if (!db_step(statement, &row, error))
            return false;
        if (!row)
            return true;
        g_ptr_array_add(ids, db_column_dup(statement, 0));
    }
}

static const DbScope everybody = {.actor = "migrate", .system = true};

static GPtrArray *organizations_of(Db *db, GError **error) {
    GPtrArray *ids = g_ptr_array_new_with_free_func(g_free);
    if (db_run(db, &everybody, DB_READ, list_work, ids, error))
        return ids;
    g_ptr_array_unref(ids);
    return NULL;
}

static bool holds(const GPtrArray *ids, const char *id) {
    for (guint i = 0; i < ids->len; i++)
        if (strcmp(g_ptr_array_index(ids, i), id) == 0)
            return true;
    return false;
}

/* No organization of the target may be unknown to the source. */
static bool target_is_ours(const GPtrArray *ours, const GPtrArray *theirs, GError **error) {
    for (guint i = 0; i < theirs->len; i++) {
        const char *id = g_ptr_array_index(theirs, i);
        if (holds(ours, id))
            continue;
        g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                    "the target holds organization %s, which the source does not have: copy into "
                    "an empty database",
                    id);
        return false;
    }
    return true;
}

/* Number ids->len is the installation. */
static DbScope tenant_scope(const GPtrArray *ids, guint number) {
    return (DbScope){.organization =
                         number < ids->len ? g_ptr_array_index(ids, number) : INSTALLATION,
                     .actor = "migrate",
                     .role = "owner"};
}

static bool pass_tenants(Copy *copy, const GPtrArray *ids, GError **error) {
    for (guint i = 0; i <= ids->len; i++) {
        copy->scope = tenant_scope(ids, i);
        if (!pass_table(copy, error))
            return false;
    }
    return true;
}

static bool pass_all(Copy *copy, const GPtrArray *ids, GError **error) {
    copy->report.rows = 0;
    for (size_t i = 0; i < copy_table_count; i++) {
        copy->table = &copy_tables[i];
        copy->scope = everybody;
        if (!(copy->table->tenant ? pass_tenants(copy, ids, error) : pass_table(copy, error)))
            return false;
    }
    return true;
}

/* --- a source that is worked on -----------------------------------------------------------------
 */

/* Everything of a scope is read in one unit, which sees one moment, into a file that nobody else
 * sees; the unit may neither wait nor write elsewhere. Then the pages are written and compared. */
typedef struct {
    uint64_t table; /* index in copy_tables */
    uint64_t rows;
    uint64_t last;
    uint64_t size;
} Frame;

static bool spool_failed(GError **error) {
    g_set_error_literal(error, ASSAY_ERROR, ERROR_DATABASE,
                        "the pages of a copy cannot be kept beside the target: free some space and "
                        "run again");
    return false;
}

/* A file without a name. */
static FILE *spool_open(const char *folder, GError **error) {
    g_autofree char *path = g_build_filename(folder, ".spool-XXXXXX", NULL);
    int descriptor = g_mkstemp_full(path, O_RDWR | O_CLOEXEC, 0600);
    FILE *spool = descriptor >= 0 ? fdopen(descriptor, "w+") : NULL;
    if (descriptor >= 0)
        (void)unlink(path);
    if (!spool)
        (void)spool_failed(error);
    return spool;
}

static bool spool_page(FILE *spool, const Copy *copy, GError **error) {
    const Page *page = copy->page;
    Frame frame = {.table = (uint64_t)(copy->table - copy_tables),
                   .rows = page->rows,
                   .last = page->last,
                   .size = page->bytes->len};
    bool ok = fwrite(&frame, sizeof frame, 1, spool) == 1 &&
              (frame.size == 0 || fwrite(page->bytes->data, frame.size, 1, spool) == 1);
    return ok || spool_failed(error);
}

static void swap_pages(Copy *copy) {
    Page *read = copy->page;
    copy->page = copy->before;
    copy->before = read;
}

static bool spool_table(DbUnit *unit, Copy *copy, GError **error) {
    page_empty(copy->before);
    do {
        if (!read_page(unit, copy, copy->page, error) || !spool_page(copy->spool, copy, error))
            return false;
        swap_pages(copy);
    } while (copy->table->places && copy->before->rows == page_rows(copy->table));
    return true;
}

static bool spool_work(DbUnit *unit, void *data, GError **error) {
    Copy *copy = data;
    rewind(copy->spool);
    if (ftruncate(fileno(copy->spool), 0) != 0)
        return spool_failed(error);
    for (size_t i = 0; i < copy_table_count; i++) {
        copy->table = &copy_tables[i];
        if (copy->table->tenant == (copy->scope.organization != NULL) &&
            !spool_table(unit, copy, error))
            return false;
    }
    return fflush(copy->spool) == 0 || spool_failed(error);
}

/* *more_out: whether there was another page. */
static bool unspool_page(Copy *copy, bool *more_out, GError **error) {
    Frame frame;
    *more_out = fread(&frame, sizeof frame, 1, copy->spool) == 1;
    if (!*more_out)
        return !ferror(copy->spool) || spool_failed(error);
    const CopyTable *table = &copy_tables[frame.table];
    if (table != copy->table)
        page_empty(copy->before);
    copy->table = table;
    copy->page->rows = frame.rows;
    copy->page->last = frame.last;
    g_byte_array_set_size(copy->page->bytes, (guint)frame.size);
    return frame.size == 0 || fread(copy->page->bytes->data, frame.size, 1, copy->spool) == 1 ||
           spool_failed(error);
}

static bool pass_spool(Copy *copy, GError **error) {
    bool more = true;
    rewind(copy->spool);
    copy->table = NULL;
    for (;;) {
        if (!unspool_page(copy, &more, error))
            return false;
        if (!more)
            return true;
        bool ok = copy->verifying
                      ? compare_page(copy, error)
                      : copy->page->rows == 0 ||
                            db_run(copy->to, &copy->scope, DB_WRITE, write_target, copy, error);
        if (!ok)
            return false;
        copy->report.rows += copy->verifying ? copy->page->rows : 0;
        tell(copy);
        swap_pages(copy);
    }
}

static bool copy_moment(Copy *copy, DbScope scope, GError **error) {
    copy->scope = scope;
    copy->verifying = false;
    if (!db_run(copy->from, &copy->scope, DB_READ, spool_work, copy, error) ||
        !pass_spool(copy, error))
        return false;
    copy->verifying = true;
    return pass_spool(copy, error);
}

static bool copy_live(Copy *copy, const GPtrArray *ids, GError **error) {
    copy->spool = spool_open(copy->plan->spool, error);
    bool ok = copy->spool && copy_moment(copy, everybody, error);
    for (guint i = 0; ok && i <= ids->len; i++)
        ok = copy_moment(copy, tenant_scope(ids, i), error);
    if (copy->spool)
        (void)fclose(copy->spool);
    return ok;
}

/* --- both databases --------------------------------------------------------------------------- */

static bool count_work(DbUnit *unit, void *data, GError **error) {
    int64_t *count = data;
    DbStatement *statement = db_prepare(unit, "copy_running");
    db_bind_int(statement, "at", clock_now_ms());
    bool row = false;
    if (!db_step(statement, &row, error))
        return false;
    *count = row ? db_column_int(statement, 0) : 0;
    db_reset(statement);
    return true;
}

static bool nobody_works(Db *from, GError **error) {
    int64_t running = 0;
    if (!db_run(from, &everybody, DB_READ, count_work, &running, error))
        return false;
    if (running == 0)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFLICT,
                "%" G_GINT64_FORMAT " jobs are being run from the source: stop `assay serve` and "
                "wait for running syncs, then copy again",
                running);
    return false;
}

static bool source_is_current(const char *url, GError **error) {
    g_autoptr(Db) db = db_open(url, error);
    int version = 0;
    if (!db || !migrate_version(db, &version, error))
        return false;
    int known = (int)db_catalogue(db)->migration_count - 1;
    if (version == known)
        return true;
    g_set_error(error, ASSAY_ERROR, ERROR_CONFIGURATION,
                "the source has schema %d and this program %d: %s", version, known,
                version < known ? "run `assay migrate` on it first"
                                : "copy it with the newer version of Assay");
    return false;
}

static bool make_target(const char *url, GError **error) {
    g_autoptr(Db) db = db_open(url, error);
    return db && migrate_apply(db, error);
}

static Db *open_for_copy(const char *url, GError **error) {
    static StatementCatalogue catalogue;
    catalogue = statement_catalogue;
    catalogue.statements = copy_statements;
    catalogue.statement_count = copy_statement_count;
    return db_open_with(url, &(DbOptions){.catalogue = &catalogue}, error);
}

static bool copy_still(Copy *copy, const GPtrArray *ids, GError **error) {
    if (!pass_all(copy, ids, error))
        return false;
    copy->verifying = true;
    return pass_all(copy, ids, error);
}

static bool copy_and_verify(Copy *copy, GError **error) {
    g_autoptr(GPtrArray) ours = organizations_of(copy->from, error);
    g_autoptr(GPtrArray) theirs = ours ? organizations_of(copy->to, error) : NULL;
    bool live = copy->plan->spool != NULL;
    if (!theirs || !target_is_ours(ours, theirs, error) ||
        (!live && !nobody_works(copy->from, error)))
        return false;
    bool ok = live ? copy_live(copy, ours, error) : copy_still(copy, ours, error);
    copy->report.organizations = ours->len;
    copy->report.tables = copy_table_count;
    return ok;
}

bool copy_database(const CopyPlan *plan, CopyReport *report_out, GError **error) {
    if (!source_is_current(plan->from, error) || !make_target(plan->to, error))
        return false;
    g_autoptr(Db) from = open_for_copy(plan->from, error);
    g_autoptr(Db) to = from ? open_for_copy(plan->to, error) : NULL;
    if (!to)
        return false;
    Copy copy = {.from = from,
                 .to = to,
                 .plan = plan,
                 .before = page_new(),
                 .page = page_new(),
                 .other = page_new()};
    bool ok = copy_and_verify(&copy, error);
    page_free(copy.before);
    page_free(copy.page);
    page_free(copy.other);
    if (ok)
        *report_out = copy.report;
    return ok;
}
