#include "cli/access.h"

#include "base/clock.h"
#include "cli/integrations.h"

#include <string.h>

#define PUBLIC_URL "http://127.0.0.1:8080"

void access_clear(Access *access) {
    g_clear_pointer(&access->grants, g_free);
    g_clear_pointer(&access->integrations, g_free);
}

/* --- options ---------------------------------------------------------------------------------- */

static char *joined(const char *const *words) {
    return words ? g_strjoinv(" ", (char **)(uintptr_t)words) : NULL;
}

/* Appends the id of an integration that is named by name or id. */
typedef bool (*FindIntegration)(void *where, const char *name, GString *ids, GError **error);

static bool find_here(void *session, const char *name, GString *ids, GError **error) {
    g_autoptr(Integration) integration = NULL;
    if (!integrations_find(session, name, &integration, error))
        return false;
    g_string_append(ids, integration->id);
    return true;
}

static bool find_there(void *remote, const char *name, GString *ids, GError **error) {
    g_autoptr(Json) integration = remote_integration(remote, name, error);
    if (integration)
        g_string_append(ids, json_member_string(integration, "id", ""));
    return integration != NULL;
}

static bool find_integrations(FindIntegration find, void *where, const char *const *names,
                              char **ids_out, GError **error) {
    g_autoptr(GString) ids = g_string_new(NULL);
    for (size_t i = 0; names && names[i]; i++) {
        if (i > 0)
            g_string_append_c(ids, ' ');
        if (!find(where, names[i], ids, error))
            return false;
    }
    *ids_out = ids->len > 0 ? g_strdup(ids->str) : NULL;
    return true;
}

static bool init(Access *access, FindIntegration find, void *where, const Arguments *arguments,
                 const char *role, GError **error) {
    const char *wanted = arguments_text(arguments, "role");
    g_auto(Access) made = {.grants = joined(arguments_list(arguments, "grant"))};
    if (!wanted && !role) {
        g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                            "--role is missing: owner, admin, member, auditor or scanner");
        return false;
    }
    if (!find_integrations(find, where, arguments_list(arguments, "integration"),
                           &made.integrations, error))
        return false;
    made.membership = (Membership){.role = wanted ? wanted : role,
                                   .grants = made.grants,
                                   .integrations = made.integrations,
                                   .period_from = arguments_time(arguments, "from"),
                                   .period_until = arguments_time(arguments, "until")};
    if (!membership_check(&made.membership, error))
        return false;
    *access = made;
    made.grants = made.integrations = NULL;
    return true;
}

bool access_init(Access *access, const Session *session, const Arguments *arguments,
                 const char *role, GError **error) {
    return init(access, find_here, (void *)(uintptr_t)session, arguments, role, error);
}

bool access_init_remote(Access *access, Remote *remote, const Arguments *arguments,
                        const char *role, GError **error) {
    return init(access, find_there, remote, arguments, role, error);
}

static void put_words(Json *body, const char *name, const char *list) {
    if (!list)
        return;
    Json *array = json_new_array();
    g_auto(GStrv) words = g_strsplit(list, " ", -1);
    for (char **word = words; *word; word++)
        json_add_string(array, *word);
    json_put(body, name, array);
}

static void put_time(Json *body, const char *name, int64_t at) {
    if (at != 0)
        json_put_time(body, name, at);
}

Json *access_body(const Access *access) {
    const Membership *membership = &access->membership;
    Json *body = json_new_object();
    json_put_string(body, "role", membership->role);
    put_words(body, "grants", membership->grants);
    put_words(body, "integrations", membership->integrations);
    put_time(body, "periodFrom", membership->period_from);
    put_time(body, "periodUntil", membership->period_until);
    put_time(body, "expiresAt", membership->expires_at);
    return body;
}

bool access_expiry(const Arguments *arguments, int64_t *expires_out, GError **error) {
    const char *text = arguments_text(arguments, "expires");
    int64_t now = clock_now_ms();
    int64_t duration = 0;
    *expires_out = 0;
    if (!text)
        return true;
    if (clock_parse_duration(text, &duration) && duration > 0 && duration <= INT64_MAX - now) {
        *expires_out = now + duration;
        return true;
    }
    if (clock_parse(text, expires_out) && *expires_out > now)
        return true;
    g_set_error_literal(error, ASSAY_ERROR, ERROR_USAGE,
                        "--expires is a time to come, or how long from now, such as 90d");
    return false;
}

/* --- where ------------------------------------------------------------------------------------ */

char *access_link(const char *page, const char *token) {
    const char *url = g_getenv("ASSAY_PUBLIC_URL");
    const char *base = url && *url != '\0' ? url : PUBLIC_URL;
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    return g_strdup_printf("%.*s/%s#%s", (int)length, base, page, token);
}
