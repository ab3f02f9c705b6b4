/* copy.h - everything from one database into another, such as from SQLite to PostgreSQL.
 *
 * The target gets the schema of this program; the source must have it already. Then every table is
 * copied organization by organization, parents before children, in pages by primary key, and at
 * last both databases are read again side by side: every row of the one must be the same, byte for
 * byte, in the other, and no row more. So whatever changed in between is found as well.
 *
 * What is in the target already stays, so a copy that was cut short is continued by running it
 * again; a target with an organization that the source does not have is refused. Nobody may work on
 * the source: living leases of jobs are refused.
 *
 * Blocks the calling thread. Not from a database thread.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    const char *table;
    uint64_t rows;  /* so far, in all tables */
    bool verifying; /* false: copying */
} CopyProgress;

typedef void (*CopyTold)(const CopyProgress *progress, void *data);

typedef struct {
    const char *from; /* URLs, as db_open() takes them */
    const char *to;
    const char *spool; /* a folder with room for the largest organization; NULL: nobody works */
    CopyTold told;     /* after every page; may be NULL */
    void *data;
} CopyPlan;

typedef struct {
    uint64_t organizations;
    uint64_t tables;
    uint64_t rows;
} CopyReport;

/* ERROR_CONFLICT when somebody works on the source, when the target belongs to others, or when the
 * two differ in the end; else the errors of db_open() and of migrate_apply(). */
bool copy_database(const CopyPlan *plan, CopyReport *report_out,
                   GError **error) G_GNUC_WARN_UNUSED_RESULT;
