#include "db/group.h"
#include "base/clock.h"

typedef struct {
    DriverTask *tasks[GROUP_TASKS_MAX];
    unsigned count;
} Group;

static void finish(DriverTask *task) {
    g_autoptr(GError) error = g_steal_pointer(&task->error);
    task->finish(task, error);
}

static bool attempt_once(const GroupEngine *engine, DriverTask *task, GError **error) {
    if (!engine->mark(engine->connection, error))
        return false;
    bool done = task->attempt(task, engine->session, error);
    engine->reset_statements(engine->connection);
    if (done && engine->release(engine->connection, error))
        return true;
    if (!engine->is_lost(engine->connection))
        engine->undo(engine->connection);
    return false;
}

/* False when the engine gave up the transaction: a new mark would begin another one. */
static bool rehearse(const GroupEngine *engine, DriverTask *task, GError **error) {
    if (!engine->mark(engine->connection, error))
        return false;
    g_autoptr(GError) rehearsed = NULL;
    (void)task->attempt(task, engine->session, &rehearsed);
    engine->reset_statements(engine->connection);
    if (engine->is_lost(engine->connection)) {
        g_propagate_error(error, g_steal_pointer(&rehearsed));
        return false;
    }
    engine->undo(engine->connection);
    return true;
}

static void attempt(const GroupEngine *engine, DriverTask *task) {
    g_clear_error(&task->error);
    if (task->rehearse && !rehearse(engine, task, &task->error))
        return;
    (void)attempt_once(engine, task, &task->error);
}

static void run_alone(const GroupEngine *engine, DriverTask *task) {
    g_clear_error(&task->error);
    if (!engine->begin(engine->connection, &task->error))
        return;
    attempt(engine, task);
    if (task->error || !engine->commit(engine->connection, &task->error))
        engine->rollback(engine->connection);
}

/* Fills the transaction that has begun; false when it was lost. */
static bool fill(const GroupEngine *engine, Queue *queue, DriverTask *first, Group *group) {
    int64_t deadline = clock_mono_ms() + GROUP_HOLD_MS;
    for (DriverTask *task = first; task; task = queue_pop_now(queue)) {
        group->tasks[group->count++] = task;
        attempt(engine, task);
        if (engine->is_lost(engine->connection))
            return false;
        if (group->count == GROUP_TASKS_MAX || clock_mono_ms() >= deadline)
            break;
    }
    return true;
}

static bool any_succeeded(const Group *group) {
    for (unsigned i = 0; i < group->count; i++) {
        if (!group->tasks[i]->error)
            return true;
    }
    return false;
}

static bool run_together(const GroupEngine *engine, Queue *queue, DriverTask *first, Group *group) {
    if (!fill(engine, queue, first, group)) {
        engine->rollback(engine->connection);
        return false;
    }
    if (!any_succeeded(group)) {
        engine->rollback(engine->connection);
        return true;
    }
    GError **error = group->count == 1 ? &group->tasks[0]->error : NULL;
    if (engine->commit(engine->connection, error))
        return true;
    engine->rollback(engine->connection);
    return false;
}

static void fail_all(Queue *queue, DriverTask *first, const GError *error) {
    for (DriverTask *task = first; task; task = queue_pop_now(queue))
        task->finish(task, error);
}

void group_run(const GroupEngine *engine, Queue *queue, DriverTask *first) {
    g_autoptr(GError) error = NULL;
    if (!engine->begin(engine->connection, &error)) {
        fail_all(queue, first, error);
        return;
    }
    Group group = {.count = 0};
    bool settled = run_together(engine, queue, first, &group);
    /* A group of one has its own error already: running it again would only fail again. */
    for (unsigned i = 0; !settled && group.count > 1 && i < group.count; i++)
        run_alone(engine, group.tasks[i]);
    for (unsigned i = 0; i < group.count; i++)
        finish(group.tasks[i]);
}
