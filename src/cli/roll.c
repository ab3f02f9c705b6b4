#include "cli/roll.h"

static int64_t limit_of(const Arguments *arguments) {
    return MIN(arguments_count(arguments, "limit", STORE_LIST_MAX), STORE_LIST_MAX);
}

Json *roll_here(const RollPlace *place, const Arguments *arguments, GError **error) {
    RollWork work = {.roll = place->roll,
                     .after = arguments_text(arguments, "cursor"),
                     .limit = limit_of(arguments)};
    g_autoptr(Session) session = session_open(arguments, place->mode, error);
    if (session && session_run(session, DB_READ, roll_work, &work, error))
        return work.page;
    json_free(work.page);
    return NULL;
}

Json *roll_there(const RollPlace *place, const Arguments *arguments, Remote *remote,
                 GError **error) {
    g_autofree char *limit = g_strdup_printf("%" G_GINT64_FORMAT, limit_of(arguments));
    const RemoteField query[] = {
        {"limit", limit}, {"cursor", arguments_text(arguments, "cursor")}, {0}};
    return remote_get(remote, place->path, query, error);
}
