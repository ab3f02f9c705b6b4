/* roll.h - lists of people, tokens and organizations, page by page: {"users": [...], "nextCursor"}.
 *
 * A Roll says how a page of one kind of rows is read, and what object becomes of a row. The API and
 * the command line answer with the same page. Reading is the caller's unit of work: roll_work() is
 * one, and may run twice.
 */
#pragma once

#include "base/json.h"
#include "db/db.h"

typedef struct {
    const char *name; /* of the list in the page: "users" */
    const char *key;  /* of a row's object: what the next page goes on behind */
    bool (*read)(DbUnit *unit, const char *after, int64_t limit, GPtrArray **rows_out,
                 GError **error);
    Json *(*object)(const void *row);
} Roll;

extern const Roll member_roll;       /* of the unit's organization */
extern const Roll invitation_roll;   /* ... that are open */
extern const Roll token_roll;        /* ... that reach it */
extern const Roll user_roll;         /* of the installation */
extern const Roll whole_token_roll;  /* ... with what the operator sees of them */
extern const Roll organization_roll; /* ... (system scope) */

typedef struct {
    const Roll *roll;
    const char *after; /* the cursor; NULL: from the first */
    int64_t limit;
    Json *page; /* out; the caller owns it, also when the unit has failed */
} RollWork;

bool roll_work(DbUnit *unit, void *work, GError **error);
