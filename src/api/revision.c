#include "api/revision.h"

typedef struct {
    Call *call;
    const Revision *revision;
    void *data;
} Work;

static bool is_the_one_seen(const Work *work, GError **error) {
    if (!call_header(work->call, "If-Match"))
        return true;
    g_autoptr(Json) now = work->revision->show(work->call, work->data);
    return call_unchanged(work->call, now, error);
}

static bool revise(DbUnit *unit, void *data, GError **error) {
    const Work *work = data;
    const Revision *revision = work->revision;
    call_forget_refusal(work->call);
    return revision->read(unit, work->data, error) &&
           (!revision->may || revision->may(work->call, work->data, error)) &&
           is_the_one_seen(work, error) && revision->write(unit, work->call, work->data, error) &&
           (revision->removes || revision->read(unit, work->data, error));
}

bool revision_make(Call *call, const Revision *revision, void *data, GError **error) {
    Work work = {call, revision, data};
    return call_run(call, DB_WRITE, revise, &work, error);
}
