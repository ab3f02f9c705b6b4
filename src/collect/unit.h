/* unit.h - database units of work whose end is told on the network loop.
 *
 * The database calls back on a thread of its own; collecting lives on the thread of the NetClient.
 * unit_submit() joins the two: work runs on the database thread, then done runs on the client's.
 * The data belongs to the unit until done was called.
 */
#pragma once

#include "db/db.h"
#include "net/client.h"

#include <glib.h>

typedef struct {
    NetClient *client; /* borrowed */
    Db *db;            /* borrowed */
    DbScope scope;     /* its texts must live until done */
} UnitPlace;

/* error is NULL when the unit has committed; borrowed. */
typedef void (*UnitDone)(void *data, const GError *error);

/* Submits a unit. When the database does not take it, done is told so by the next step. */
void unit_submit(const UnitPlace *place, DbMode mode, DbWork work, UnitDone done, void *data);
