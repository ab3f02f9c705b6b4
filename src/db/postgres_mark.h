/* postgres_mark.h - what a connection has committed last, in the table commit_mark.
 *
 * A unit that has changed something counts its connection's row on, in its own transaction. When
 * the answer to a commit is lost, the row is asked for on a new connection and fenced in the same
 * moment: either the commit has happened, or it never will, because a fenced row cannot be counted
 * on. So a server that still has the commit before it fails it, and a server that has lost the
 * transaction (it has crashed, or was a standby that had not received it) says that it is not
 * there.
 *
 * The transaction's own number would not do: after a crash the server gives numbers again that it
 * had not yet written down.
 */
#pragma once

#include "base/id.h"
#include "db/postgres_wire.h"

typedef struct {
    char session[ID_SIZE];
    int64_t number; /* of the last commit; 0: none yet */
} CommitMark;

/* For a new connection. */
void postgres_mark_init(CommitMark *mark);

/* Queues the preparation of the statement that marks; the number of commands. */
int postgres_mark_prepare(Wire *wire);

/* Queues one command, which sets the row to the mark's number, or fails. As assay_app or the owner.
 */
void postgres_mark_send(Wire *wire, const CommitMark *mark);

/* Whether the mark was committed; fences it. False: wire_failure(). */
bool postgres_mark_fence(Wire *wire, const CommitMark *mark,
                         bool *committed_out) G_GNUC_WARN_UNUSED_RESULT;

/* Deletes the row of a connection that is closed, and those that were left behind long ago. */
void postgres_mark_forget(Wire *wire, const CommitMark *mark);
