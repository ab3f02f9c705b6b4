/* inspection.h - what the database can tell about itself, for whoever looks after it.
 */
#pragma once

#include "db/db.h"

typedef struct {
    char *version;
    char *login;         /* the role in the URL; "" on SQLite */
    bool superuser;      /* of the login role */
    bool bypasses;       /* row-level security */
    int64_t owned;       /* tables that belong to the login role */
    int64_t unguarded;   /* tables of organizations without forced row-level security */
    int64_t now_ms;      /* by the database's clock */
    int64_t dead_leases; /* runs whose owner has not been heard of for longer than a lease */
} Inspection;

void inspection_clear(Inspection *inspection);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Inspection, inspection_clear)

/* Of the server; any scope. */
bool inspection_server(DbUnit *unit, Inspection *inspection,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* now_ms and dead_leases; system scope, and a schema. */
bool inspection_work(DbUnit *unit, Inspection *inspection,
                     GError **error) G_GNUC_WARN_UNUSED_RESULT;
