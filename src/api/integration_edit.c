#include "api/integration_edit.h"

#include "api/integration_row.h"
#include "base/text.h"
#include "connect/settings.h"
#include "sync/schedule.h"

#include <string.h>

/* --- change ----------------------------------------------------------------------------------- */

typedef struct {
    const Call *call;
    Integration row; /* borrows from the found one, with what is new */
    Json *details;   /* names of what was changed */
} ChangeWork;

static bool change_work(DbUnit *unit, void *data, GError **error) {
    const ChangeWork *work = data;
    return integration_change(unit, &work->row, error) &&
           integration_row_audit(unit, work->call, AUDIT_INTEGRATION_CHANGED, &work->row,
                                 work->details, error);
}

/* The auth method that the integration was connected with. */
static const DefinitionAuth *auth_of(const Definition *definition, const Integration *row) {
    const DefinitionAuth *auth = definition_auth(definition, row->auth);
    return auth ? auth : &definition->auth[0];
}

static bool is_host_setting(const DefinitionInput *setting) {
    return setting->engine || setting->format == INPUT_FORMAT_URL ||
           setting->format == INPUT_FORMAT_HOST;
}

/* false is what a bool is when nobody gave it. */
static char *given_text(const Json *value) {
    bool nothing = !value || (json_kind(value) == JSON_KIND_BOOL && !json_truth(value));
    return nothing ? g_strdup("") : json_print(value, JSON_SORTED);
}

static bool is_same(const Json *a, const Json *b) {
    g_autofree char *one = given_text(a);
    g_autofree char *other = given_text(b);
    return strcmp(one, other) == 0;
}

/* Where a credential is sent is not changed without the credential: whoever may only edit settings
 * could have it sent to himself. */
static bool check_hosts(Call *call, const Definition *definition, const Json *before,
                        const Json *after, GError **error) {
    for (size_t i = 0; i < definition->setting_count; i++) {
        const DefinitionInput *setting = &definition->settings[i];
        if (!is_host_setting(setting) ||
            is_same(json_member(before, setting->name), json_member(after, setting->name)))
            continue;
        g_autofree char *name = text_camel(setting->name);
        g_autofree char *pointer = g_strconcat("/settings/", name, NULL);
        return call_wrong(call, error, pointer,
                          "says where the credential is sent; connect again to change it");
    }
    return true;
}

/* What was there, with what was given in its place; null takes a setting away. */
static Json *merge(const Definition *definition, const Json *before, const Json *given) {
    Json *merged = json_copy_deep(before);
    void *iterator = NULL;
    const char *name;
    Json *value;
    while (json_next(given, &iterator, &name, &value)) {
        g_autofree char *snake = text_snake(name);
        const char *known = definition_setting(definition, name) ? name : snake;
        if (json_kind(value) == JSON_KIND_NULL)
            json_remove(merged, known);
        else
            json_put(merged, known, json_copy_deep(value));
    }
    return merged;
}

static bool check_settings(Call *call, const Integration *row, char **settings_out,
                           GError **error) {
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    g_autoptr(Json) before =
        json_parse(row->settings, strlen(row->settings), STORE_JSON_MAX, error);
    g_autoptr(Json) after = NULL;
    g_autoptr(GError) wrong = NULL;
    if (!before)
        return false;
    g_autoptr(Json) merged = merge(definition, before, json_member(call->body, "settings"));
    SettingsRules rules = {.definition = definition,
                           .auth = auth_of(definition, row),
                           .operator_allowed = true}; /* hosts are held below */
    if (!settings_check(&rules, merged, &after, &wrong))
        return call_wrong(call, error, "/settings", "%s", wrong->message);
    if (!check_hosts(call, definition, before, after, error))
        return false;
    *settings_out = json_print(after, JSON_COMPACT);
    return true;
}

/* A list of names that the definition must know; null: all of them. */
static bool check_names(Call *call, const Integration *row, const char *member, char **text_out,
                        GError **error) {
    const Json *names = json_member(call->body, member);
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_item(names, i));
        g_auto(GStrv) parts = g_strsplit(name, ".", 2);
        const EvidenceType *type = parts[0] ? definition_type(definition, parts[0]) : NULL;
        bool check = strcmp(member, "enabledChecks") == 0;
        if (type && (!check || (parts[1] && evidence_type_check(type, parts[1]))))
            continue;
        g_autofree char *pointer = g_strdup_printf("/%s/%zu", member, i);
        return call_wrong(call, error, pointer, "%s does not have this", definition->name);
    }
    *text_out = json_kind(names) == JSON_KIND_ARRAY ? json_print(names, JSON_COMPACT) : NULL;
    return true;
}

static bool check_name(Call *call, const char *name, GError **error) {
    g_autofree char *line = text_one_line(name, 100);
    if (*name != '\0' && strcmp(line, name) == 0)
        return true;
    return call_wrong(call, error, "/name", "has 1 to 100 bytes and no control characters");
}

typedef struct {
    char *settings;
    char *evidence_types;
    char *enabled_checks;
} Texts;

static void texts_clear(Texts *texts) {
    g_free(texts->settings);
    g_free(texts->evidence_types);
    g_free(texts->enabled_checks);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Texts, texts_clear)

static bool read_change(Call *call, Integration *row, Texts *texts, GError **error) {
    const Json *body = call->body;
    const char *name = json_member_string(body, "name", NULL);
    if (name && !check_name(call, name, error))
        return false;
    row->name = name ? name : row->name;
    if (json_member(body, "settings")) {
        if (!check_settings(call, row, &texts->settings, error))
            return false;
        row->settings = texts->settings;
    }
    if (json_member(body, "evidenceTypes")) {
        if (!check_names(call, row, "evidenceTypes", &texts->evidence_types, error))
            return false;
        row->evidence_types = texts->evidence_types;
    }
    if (json_member(body, "enabledChecks")) {
        if (!check_names(call, row, "enabledChecks", &texts->enabled_checks, error))
            return false;
        row->enabled_checks = texts->enabled_checks;
    }
    return true;
}

static bool store_change(Call *call, const Integration *found, GError **error) {
    static const char *const members[] = {"name", "settings", "evidenceTypes", "enabledChecks"};
    g_auto(Texts) texts = {0};
    g_autoptr(Json) details = json_new_object();
    Json *changed = json_new_array();
    ChangeWork work = {.call = call, .row = *found, .details = details};
    json_put(details, "changed", changed);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++)
        if (json_member(call->body, members[i]))
            json_add_string(changed, members[i]);
    return json_count(changed) == 0 || (read_change(call, &work.row, &texts, error) &&
                                        call_run(call, DB_WRITE, change_work, &work, error));
}

typedef struct {
    const Call *call;
    const Integration *row;
    AuditAction action;
} AuditWork;

static bool audit_work(DbUnit *unit, void *data, GError **error) {
    const AuditWork *work = data;
    return integration_row_audit(unit, work->call, work->action, work->row, NULL, error);
}

static bool audit(Call *call, AuditAction action, const Integration *row, GError **error) {
    AuditWork work = {call, row, action};
    return call_run(call, DB_WRITE, audit_work, &work, error);
}

/* "paused" and "connected" are what a person may ask for. */
static bool store_status(Call *call, const Integration *row, GError **error) {
    const char *status = json_member_string(call->body, "status", NULL);
    bool wants_pause = g_strcmp0(status, INTEGRATION_PAUSED) == 0;
    bool is_paused = strcmp(row->status, INTEGRATION_PAUSED) == 0;
    if (!status || wants_pause == is_paused)
        return true;
    const Definition *definition = integration_row_definition(call, row, error);
    if (!definition)
        return false;
    bool ok = wants_pause ? schedule_pause(call_db(call), &call->scope, row, definition, error)
                          : schedule_resume(call_db(call), &call->scope, row, definition, error);
    return ok && audit(call, wants_pause ? AUDIT_INTEGRATION_PAUSED : AUDIT_INTEGRATION_RESUMED,
                       row, error);
}

bool integration_edit(Call *call, GError **error) {
    g_auto(IntegrationRow) found = {0};
    if (!integration_row_find(call, &found, error) ||
        !integration_row_require(call, found.row, error))
        return false;
    g_autoptr(Json) now = integration_row_object(call, &found);
    if (strcmp(found.row->status, INTEGRATION_DISCONNECTED) == 0)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s",
                           "This integration is disconnected; connect it again.");
    if (!call_unchanged(call, now, error) || !store_change(call, found.row, error) ||
        !store_status(call, found.row, error))
        return false;
    call->values[0] = found.row->id; /* the name may be another by now */
    g_auto(IntegrationRow) changed = {0};
    return integration_row_find(call, &changed, error) &&
           call_answer(call, 200, integration_row_object(call, &changed));
}

/* --- shape ------------------------------------------------------------------------------------ */

static const char *const wanted_statuses[] = {INTEGRATION_CONNECTED, INTEGRATION_PAUSED, NULL};
static const ShapeField any_fields[] = {{0}};
static const Shape any_object = {.fields = any_fields, .open = true};
static const ShapeField change_fields[] = {
    SHAPE_FIELD("name", STRING, 0, NULL, .most = 100),
    SHAPE_FIELD("settings", OBJECT, 0, "Those given; null takes one away.", .of = &any_object),
    SHAPE_FIELD("evidenceTypes", ARRAY, SHAPE_NULLABLE, "null: all.", .items = SHAPE_STRING),
    SHAPE_FIELD("enabledChecks", ARRAY, SHAPE_NULLABLE, "TYPE.CHECK; null: all.",
                .items = SHAPE_STRING),
    SHAPE_FIELD("status", STRING, 0, "paused, or connected to resume.", .words = wanted_statuses),
    {0}};
const Shape integration_edit_shape = {.name = "IntegrationChange", .fields = change_fields};
