#include "store/restored.h"

#include "base/clock.h"
#include "base/json.h"
#include "store/credential.h"
#include "store/integration.h"

#include <string.h>

static bool run_all(DbUnit *unit, const char *const *names, GError **error) {
    for (; *names; names++)
        if (!db_exec(db_prepare(unit, *names), error))
            return false;
    return true;
}

bool restored_installation(DbUnit *unit, GError **error) {
    static const char *const names[] = {"restored_sessions", "restored_setup", "restored_holders",
                                        NULL};
    return run_all(unit, names, error);
}

/* --- credentials that can be used once -------------------------------------------------------- */

static bool is_single_use(const Credential *credential) {
    g_autoptr(Json) fields =
        json_parse(credential->fields, strlen(credential->fields), STORE_JSON_MAX, NULL);
    return fields && json_member(fields, "refresh_token");
}

static bool has_single_use(DbUnit *unit, const char *integration_id, bool *has_out,
                           GError **error) {
    g_autoptr(GPtrArray) credentials = NULL;
    *has_out = false;
    if (!credential_list_for_integration(unit, integration_id, &credentials, error))
        return false;
    for (guint i = 0; i < credentials->len; i++)
        *has_out = *has_out || is_single_use(g_ptr_array_index(credentials, i));
    return true;
}

/* What is disconnected has no credential. What is paused stays so, and needs it when resumed. */
static bool is_used(const Integration *integration) {
    return strcmp(integration->status, INTEGRATION_DISCONNECTED) != 0;
}

static bool mark_one(DbUnit *unit, const Integration *integration, int64_t *marked,
                     GError **error) {
    static const IntegrationStatus verify = {
        .status = INTEGRATION_RECONNECT_NEEDED,
        .reason = RESTORED_REASON,
        .error_message = "This came out of a backup, and its refresh token may have been used up "
                         "since: connect it again with `assay reconnect`."};
    bool has = false;
    if (!is_used(integration))
        return true;
    if (!has_single_use(unit, integration->id, &has, error))
        return false;
    *marked += has;
    return !has || integration_update_status(unit, integration->id, &verify, error);
}

static bool mark_all(DbUnit *unit, int64_t *marked, GError **error) {
    g_autofree char *after = NULL;
    guint count = STORE_LIST_MAX;
    while (count == STORE_LIST_MAX) {
        g_autoptr(GPtrArray) rows = NULL;
        IntegrationFilter filter = {.after_id = after, .limit = STORE_LIST_MAX};
        if (!integration_list(unit, &filter, &rows, error))
            return false;
        count = rows->len;
        for (guint i = 0; i < count; i++)
            if (!mark_one(unit, g_ptr_array_index(rows, i), marked, error))
                return false;
        const Integration *last = count > 0 ? g_ptr_array_index(rows, count - 1) : NULL;
        g_free(after);
        after = last ? g_strdup(last->id) : NULL;
    }
    return true;
}

/* --- an organization -------------------------------------------------------------------------- */

static bool exec_now(DbUnit *unit, const char *name, GError **error) {
    DbStatement *statement = db_prepare(unit, name);
    db_bind_int(statement, "now", clock_now_ms());
    return db_exec(statement, error);
}

bool restored_organization(DbUnit *unit, int64_t *marked_out, GError **error) {
    static const char *const names[] = {"restored_states", "restored_tokens", "restored_requests",
                                        NULL};
    *marked_out = 0;
    return run_all(unit, names, error) && exec_now(unit, "restored_jobs", error) &&
           exec_now(unit, "restored_queue", error) && mark_all(unit, marked_out, error);
}
