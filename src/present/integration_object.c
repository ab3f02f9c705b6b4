#include "present/integration_object.h"

#include "base/text.h"

#include <string.h>

/* --- status ----------------------------------------------------------------------------------- */

const char *const integration_status_filters[] = {INTEGRATION_CONNECTED,
                                                  INTEGRATION_DEGRADED,
                                                  INTEGRATION_RECONNECT_NEEDED,
                                                  INTEGRATION_PAUSED,
                                                  INTEGRATION_DISCONNECTED,
                                                  "active",
                                                  "error",
                                                  NULL};

static const struct {
    const char *filter;
    const char *statuses[3];
} groups[] = {
    {"active", {INTEGRATION_CONNECTED, INTEGRATION_DEGRADED}},
    {"error", {INTEGRATION_RECONNECT_NEEDED, INTEGRATION_DEGRADED}},
};

bool integration_status_fits(const char *filter, const char *status) {
    for (size_t i = 0; i < G_N_ELEMENTS(groups); i++)
        if (strcmp(groups[i].filter, filter) == 0)
            return g_strv_contains(groups[i].statuses, status);
    return strcmp(filter, status) == 0;
}

/* --- the object ------------------------------------------------------------------------------- */

/* A stored JSON text; null when there is none. */
static Json *stored(const char *text) {
    Json *json = text ? json_parse(text, strlen(text), STORE_JSON_MAX, NULL) : NULL;
    return json ? json : json_new_null();
}

static Json *settings_json(const char *text) {
    g_autoptr(Json) settings = stored(text);
    Json *camel = json_new_object();
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(settings, &iterator, &name, &value)) {
        g_autofree char *key = text_camel(name);
        json_put(camel, key, json_ref(value));
    }
    return camel;
}

static Json *config_json(const Integration *row, const Credential *credential) {
    Json *config = json_new_object();
    g_autoptr(Json) metadata = stored(credential ? credential->metadata : NULL);
    Json *scopes = json_member(metadata, "scopes");
    json_put(config, "settings", settings_json(row->settings));
    json_put(config, "account", stored(row->account));
    json_put(config, "scopes", scopes ? json_ref(scopes) : NULL);
    json_put_time(config, "expiresAt", credential ? credential->expires_at : 0);
    return config;
}

static void put_texts(Json *json, const Integration *row, const char *organization_id) {
    const struct {
        const char *key;
        const char *text;
    } texts[] = {
        {"id", row->id},
        {"organizationId", organization_id},
        {"ownerUserId", row->owner_user_id},
        {"integrationType", row->provider},
        {"name", row->name},
        {"auth", row->auth},
        {"status", row->status},
        {"statusReason", row->status_reason},
        {"errorMessage", row->error_message},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(texts); i++)
        json_put_string(json, texts[i].key, texts[i].text);
}

/* What was wiped is not replaced any more. */
static bool is_gone(const Integration *row) {
    return row->status && strcmp(row->status, INTEGRATION_DISCONNECTED) == 0;
}

Json *integration_object(const Integration *row, const char *organization_id,
                         const Credential *credential) {
    Json *json = json_new_object();
    put_texts(json, row, organization_id);
    json_put(json, "config", config_json(row, credential));
    json_put(json, "enabledChecks", stored(row->enabled_checks));
    json_put(json, "evidenceTypes", stored(row->evidence_types));
    json_put_string(json, "scanSchedule", row->scan_schedule);
    json_put_time(json, "lastSyncAt", row->last_sync_at);
    json_put_time(json, "lastCheckedAt", row->last_checked_at);
    json_put_time(json, "nextCheckAt", row->next_check_at);
    json_put(json, "lastSyncResult", stored(row->last_sync_result));
    json_put_time(json, "rotationDueAt", is_gone(row) ? 0 : row->rotation_due_at);
    json_put_time(json, "createdAt", row->created_at);
    json_put_time(json, "updatedAt", row->updated_at);
    return json;
}
