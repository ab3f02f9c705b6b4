#include "api/integration_edit.h"

#include "api/integration_row.h"
#include "api/ownership.h"
#include "api/revision.h"
#include "api/schedule_body.h"
#include "base/text.h"
#include "connect/connection.h"
#include "connect/settings.h"

#include <string.h>

#define CHECK_NAME_MAX 64 /* of a scanner's own check */

/* What is to be changed; begins with the target, as revisions of integrations do. */
typedef struct {
    IntegrationTarget target;
    ScheduleBody schedule;
    Integration row; /* borrows from the found one, with what is new */
    char *settings;
    char *evidence_types;
    char *enabled_checks;
} Edit;

static void edit_reset(Edit *edit) {
    g_clear_pointer(&edit->settings, g_free);
    g_clear_pointer(&edit->evidence_types, g_free);
    g_clear_pointer(&edit->enabled_checks, g_free);
    edit->row = *edit->target.found.row;
}

static void edit_clear(Edit *edit) {
    g_free(edit->settings);
    g_free(edit->evidence_types);
    g_free(edit->enabled_checks);
    integration_target_clear(&edit->target);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Edit, edit_clear)

/* --- settings --------------------------------------------------------------------------------- */

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

static bool read_settings(Call *call, Edit *edit, GError **error) {
    const Definition *definition = edit->target.definition;
    const Integration *row = edit->target.found.row;
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
    edit->settings = json_print(after, JSON_COMPACT);
    edit->row.settings = edit->settings;
    return true;
}

/* --- names ------------------------------------------------------------------------------------ */

static bool is_type(const Definition *definition, const char *name) {
    return definition_type(definition, name) != NULL;
}

/* TYPE.CHECK, or a word of a scanner's, whose checks are no business of the definition. */
static bool is_check(const Definition *definition, const char *name) {
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
    g_auto(GStrv) parts = g_strsplit(name, ".", 2);
    const EvidenceType *type = parts[0] && parts[1] ? definition_type(definition, parts[0]) : NULL;
    size_t word = strspn(name, letters);
    return type ? evidence_type_check(type, parts[1]) != NULL
                : word > 0 && word <= CHECK_NAME_MAX && name[word] == '\0';
}

/* A list of names that are known; null: all of them. */
static bool read_names(Call *call, const Edit *edit, const char *member, char **text_out,
                       GError **error) {
    const Json *names = json_member(call->body, member);
    const Definition *definition = edit->target.definition;
    bool checks = strcmp(member, "enabledChecks") == 0;
    for (size_t i = 0; i < json_count(names); i++) {
        const char *name = json_text(json_item(names, i));
        if (checks ? is_check(definition, name) : is_type(definition, name))
            continue;
        g_autofree char *pointer = g_strdup_printf("/%s/%zu", member, i);
        return call_wrong(call, error, pointer, "%s does not have this", definition->name);
    }
    *text_out = json_kind(names) == JSON_KIND_ARRAY ? json_print(names, JSON_COMPACT) : NULL;
    return true;
}

static bool read_name(Call *call, Edit *edit, GError **error) {
    g_autoptr(GError) wrong = NULL;
    const char *name = json_member_string(call->body, "name", NULL);
    if (!connection_check_name(name, &wrong))
        return call_wrong(call, error, "/name", "%s", wrong->message);
    edit->row.name = name;
    return true;
}

static bool read_types(Call *call, Edit *edit, GError **error) {
    bool ok = read_names(call, edit, "evidenceTypes", &edit->evidence_types, error);
    edit->row.evidence_types = edit->evidence_types;
    return ok;
}

static bool read_checks(Call *call, Edit *edit, GError **error) {
    bool ok = read_names(call, edit, "enabledChecks", &edit->enabled_checks, error);
    edit->row.enabled_checks = edit->enabled_checks;
    return ok;
}

static bool read_owner(Call *call, Edit *edit, GError **error) {
    (void)error;
    edit->row.owner_user_id = json_member_string(call->body, "ownerUserId", NULL);
    return true;
}

static const struct {
    const char *member;
    bool (*read)(Call *call, Edit *edit, GError **error);
} members[] = {
    {"name", read_name},           {"settings", read_settings},
    {"evidenceTypes", read_types}, {"enabledChecks", read_checks},
    {"ownerUserId", read_owner},
};

/* --- the change ------------------------------------------------------------------------------- */

static bool note(DbUnit *unit, const Call *call, const Edit *edit, AuditAction action,
                 const Json *details, GError **error) {
    return integration_row_audit(unit, call, action, &edit->row, details, error);
}

/* Whether the body gives it to somebody, or takes it from him. */
static bool changes_owner(const Call *call, const Edit *edit) {
    return json_member(call->body, "ownerUserId") &&
           g_strcmp0(edit->row.owner_user_id, edit->target.found.row->owner_user_id) != 0;
}

static bool write_members(DbUnit *unit, Call *call, Edit *edit, GError **error) {
    g_autoptr(Json) details = json_new_object();
    Json *changed = json_new_array();
    json_put(details, "changed", changed);
    for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
        if (!json_member(call->body, members[i].member))
            continue;
        json_add_string(changed, members[i].member);
        if (!members[i].read(call, edit, error))
            return false;
    }
    if (json_count(changed) == 0)
        return true;
    return (!changes_owner(call, edit) ||
            ownership_may(unit, call, edit->row.owner_user_id, error)) &&
           integration_change(unit, &edit->row, error) &&
           note(unit, call, edit, AUDIT_INTEGRATION_CHANGED, details, error);
}

/* The pause that there is already is no change. */
static SchedulePause pause_of(const Edit *edit) {
    bool is_paused = strcmp(edit->target.found.row->status, INTEGRATION_PAUSED) == 0;
    SchedulePause wanted = edit->schedule.pause;
    return wanted == (is_paused ? SCHEDULE_PAUSE_BEGIN : SCHEDULE_PAUSE_END) ? SCHEDULE_PAUSE_AS_IS
                                                                             : wanted;
}

static bool write_schedule(DbUnit *unit, const Call *call, Edit *edit, GError **error) {
    bool rules = edit->schedule.rules;
    ScheduleEdit wish = {.integration = &edit->row,
                         .definition = edit->target.definition,
                         .defaults = &desk_tuning(call->desk)->schedule,
                         .wish = rules ? &edit->schedule.wish : NULL,
                         .pause = pause_of(edit)};
    bool pauses = wish.pause == SCHEDULE_PAUSE_BEGIN;
    if (!rules && wish.pause == SCHEDULE_PAUSE_AS_IS)
        return true;
    return schedule_edit(unit, &wish, error) &&
           (!rules || note(unit, call, edit, AUDIT_SCHEDULE_CHANGED, NULL, error)) &&
           (wish.pause == SCHEDULE_PAUSE_AS_IS ||
            note(unit, call, edit, pauses ? AUDIT_INTEGRATION_PAUSED : AUDIT_INTEGRATION_RESUMED,
                 NULL, error));
}

static bool write_edit(DbUnit *unit, Call *call, void *data, GError **error) {
    Edit *edit = data;
    const Integration *row = edit->target.found.row;
    edit_reset(edit);
    if (strcmp(row->status, INTEGRATION_DISCONNECTED) == 0)
        return call_refuse(call, PROBLEM_CONFLICT, error, "%s", INTEGRATION_ROW_GONE);
    return write_members(unit, call, edit, error) && write_schedule(unit, call, edit, error);
}

static const Revision edit_revision = {.read = integration_target_read,
                                       .may = integration_target_may,
                                       .show = integration_target_show,
                                       .write = write_edit};

/* --- the request ------------------------------------------------------------------------------ */

/* "paused" and "connected" are what a person may ask for. */
static bool read_status(Call *call, ScheduleBody *schedule, GError **error) {
    const char *status = json_member_string(call->body, "status", NULL);
    SchedulePause wanted = !status                                   ? schedule->pause
                           : strcmp(status, INTEGRATION_PAUSED) == 0 ? SCHEDULE_PAUSE_BEGIN
                                                                     : SCHEDULE_PAUSE_END;
    if (schedule->pause != SCHEDULE_PAUSE_AS_IS && wanted != schedule->pause)
        return call_wrong(call, error, "/status", "contradicts schedule.paused");
    schedule->pause = wanted;
    return true;
}

static bool read_schedule(Call *call, ScheduleBody *schedule, GError **error) {
    const Json *whole = json_member(call->body, "schedule");
    const Json *text = json_member(call->body, "scanSchedule");
    if (whole && !schedule_body_read(call, whole, "/schedule", schedule, error))
        return false;
    if (text && schedule->rules)
        return call_wrong(call, error, "/scanSchedule", "goes without a rule in schedule");
    ScheduleBody rule = *schedule;
    if (text) {
        schedule_body_read_text(call, json_text(text), &rule);
        rule.pause = schedule->pause;
    }
    *schedule = rule;
    return read_status(call, schedule, error);
}

/* A name and an owner are changed without. */
static bool needs_definition(const Call *call) {
    static const char *const needing[] = {"settings", "evidenceTypes", "enabledChecks",
                                          "schedule", "scanSchedule",  "status"};
    for (size_t i = 0; i < G_N_ELEMENTS(needing); i++)
        if (json_member(call->body, needing[i]))
            return true;
    return false;
}

static bool find_target(Call *call, IntegrationTarget *target, GError **error) {
    return needs_definition(call) ? integration_target_init(target, call, error)
                                  : integration_target_init_bare(target, call, error);
}

bool integration_edit(Call *call, GError **error) {
    g_auto(Edit) edit = {0};
    return find_target(call, &edit.target, error) && read_schedule(call, &edit.schedule, error) &&
           revision_make(call, &edit_revision, &edit, error) &&
           call_answer(call, 200, integration_target_show(call, &edit));
}

/* --- shape ------------------------------------------------------------------------------------ */

static const char *const wanted_statuses[] = {INTEGRATION_CONNECTED, INTEGRATION_PAUSED, NULL};
static const ShapeField change_fields[] = {
    SHAPE_FIELD("name", STRING, 0, NULL, .most = 100),
    SHAPE_FIELD("settings", OBJECT, 0, "Those given; null takes one away."),
    SHAPE_FIELD("evidenceTypes", ARRAY, SHAPE_NULLABLE, "null: all.", .items = SHAPE_STRING),
    SHAPE_FIELD("enabledChecks", ARRAY, SHAPE_NULLABLE,
                "TYPE.CHECK, and words of the scanners' own: rls; null: all.",
                .items = SHAPE_STRING),
    SHAPE_FIELD("ownerUserId", ID, SHAPE_NULLABLE,
                "Whom it belongs to; null: the organization. For owners and admins."),
    SHAPE_FIELD("scanSchedule", STRING, SHAPE_NULLABLE,
                "An interval or a cron expression; null: the default again.", .most = 200),
    SHAPE_FIELD("schedule", OBJECT, 0, "The same, with a time zone and a pause.",
                .of = &schedule_body_shape),
    SHAPE_FIELD("status", STRING, 0,
                "paused, or connected to resume: it becomes what it was before, and "
                "reconnect_needed when its credential was refused.",
                .words = wanted_statuses),
    {0}};
const Shape integration_edit_shape = {.name = "IntegrationChange", .fields = change_fields};
