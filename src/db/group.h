/* group.h - group commit: waiting write tasks share one transaction and one sync.
 *
 * A normal case: the writer thread pops a task, begins a transaction, runs the task between a mark
 * (savepoint) and its release, and goes on with whatever is queued by then, until the group is full
 * or has held the lock long enough; then it commits once and finishes all. A task that fails is
 * rolled back to its mark and reports its own error; the others do not notice.
 *
 * The harder case: the transaction itself is lost. A full disk makes SQLite roll back everything,
 * or the commit fails. Then no task of the group has happened, whoever is to blame, and each is run
 * again in a transaction of its own, so that only those fail that cannot be done.
 *
 * While a group commits, new tasks queue up: the group size follows the load by itself.
 */
#pragma once

#include "db/queue.h"

#define GROUP_TASKS_MAX 64
/* A group ends when it has held the write lock this long: other processes wait for it. */
#define GROUP_HOLD_MS 20

/* The engine's side of a transaction. `connection` is its own. */
typedef struct {
    void *connection;
    DriverSession *session;
    bool (*begin)(void *connection, GError **error);
    bool (*commit)(void *connection, GError **error); /* on failure nothing is committed */
    void (*rollback)(void *connection);               /* also when there is no transaction */
    bool (*mark)(void *connection, GError **error);
    bool (*release)(void *connection, GError **error);
    void (*undo)(void *connection);             /* back to the mark, which is released */
    bool (*is_lost)(void *connection);          /* the engine ended the transaction by itself */
    void (*reset_statements)(void *connection); /* after each attempt */
} GroupEngine;

/* Runs the task and those waiting behind it, and finishes them. When no transaction can be begun,
 * all tasks that wait at that moment fail with the same error. */
void group_run(const GroupEngine *engine, Queue *queue, DriverTask *first);
